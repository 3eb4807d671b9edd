/* Guests that do to their interrupt controller what they like: accesses of any place, width and value from
 * several vCPUs, interleaved with devices' lines, interrupts, moves between CPUs, timers and restarts.
 * After each step the list registers, the memory image and the host's controller must agree (fake_check()),
 * an access must be over after a few tries, and at the end nothing may be left.
 * [test->req~input-never-panics~1] */
#include "fake_arm.h"
#include "fuzz.h"

#define STEPS_MAX 400u

static struct fuzz_input in;

static struct hal_vcpu *loaded(void)
{
    return gic_cpus[fake_cpu_now].loaded;
}

/* -- What a guest does -- */

static uint64_t place(void)
{
    const uint64_t vcpu = fuzz_u8(&in);
    const uint64_t offset = fuzz_bytes(&in, 2u);

    switch (vcpu & 7u) {
    case 0: /* the same in each frame, mostly aligned */
    case 1:
        return GICD(offset & 0xFFFu & ~3u);
    case 2:
        return GICD(offset);
    case 3:
        return GICR(vcpu >> 5u, offset);
    case 4:
        return GICR_S(vcpu >> 5u, offset & 0xFFFu & ~3u);
    case 5:
        return GICR_S(vcpu >> 5u, offset);
    case 6: /* GICD_IROUTER */
        return GICD(0x6000u + (offset & 0x1FF8u));
    default:
        return ARM_GUEST_GICD_BASE + (fuzz_number(&in) & 0x1FFFFFFu);
    }
}

static void access_any(void)
{
    static const uint8_t widths[8] = { 4, 4, 4, 1, 8, 2, 0, 4 };
    const uint8_t how = fuzz_u8(&in);
    const uint64_t at = place();
    const uint64_t value = ((how & 1u) != 0u) ? fuzz_number(&in) : 0u;
    uint64_t copy = value;
    uint32_t tries = 0u;

    while (guest_access(at, widths[(how >> 1u) & 7u], (how & 1u) != 0u, &copy) == HAL_RESUME) {
        copy = value;
        tries++;
        FUZZ_MUST(tries < 10u);
        fake_run_ipis();
    }
}

static void sysreg_any(void)
{
    static const uint32_t known[] = {
        ARM_SYSREG(3u, 0u, 12u, 11u, 5u), ARM_SYSREG(3u, 0u, 12u, 11u, 6u), ARM_SYSREG(3u, 0u, 12u, 11u, 7u),
        ARM_SYSREG(3u, 0u, 12u, 12u, 5u), ARM_SYSREG(3u, 3u, 14u, 2u, 0u),  ARM_SYSREG(3u, 3u, 14u, 2u, 1u),
        ARM_SYSREG(3u, 3u, 14u, 2u, 2u),
    };
    const uint8_t which = fuzz_u8(&in);
    struct arm_sysreg access = { .write = (which & 1u) != 0u };
    enum hal_resume resume = HAL_INJECT_UNDEF;

    access.encoding = ((which >> 1u) < (sizeof(known) / sizeof(known[0])))
                          ? known[which >> 1u]
                          : ((uint32_t)fuzz_bytes(&in, 3u) & ARM_SYSREG_MASK);
    access.value = fuzz_number(&in);
    (void)arm_vcpu_sysreg(loaded(), &access, &resume);
}

static void firmware_any(void)
{
    static const uint32_t known[] = { 0x80000000u, 0x84000000u, 0x84000001u, 0x84000002u,
                                      0x84000003u, 0xC4000003u, 0x84000004u, 0xC4000004u,
                                      0x84000008u, 0x84000009u, 0x8400000Au, 0xC6000000u,
                                      0xC6000001u, 0x8600FF00u, 1u,          2u };
    const uint8_t which = fuzz_u8(&in);
    struct hal_vcpu *const vcpu = loaded();

    vcpu->frame.x[0] =
        ((which >> 1u) < (sizeof(known) / sizeof(known[0]))) ? known[which >> 1u] : fuzz_number(&in);
    for (uint32_t i = 1u; i < 4u; i++) {
        vcpu->frame.x[i] = fuzz_number(&in);
    }
    fake_seen.start_answer = ((which & 0x80u) != 0u) ? HV_BUSY : HV_OK;
    arm_vcpu_firmware(vcpu);
}

/* The virtual timer and the CPU interface are the guest's own hardware. */
static void hardware_any(void)
{
    struct fake_cpu *const cpu = fake_cpu();
    const uint8_t how = fuzz_u8(&in);

    switch (how & 3u) {
    case 0:
        cpu->cntv_ctl = (how >> 2u) & 3u;
        break;
    case 1:
        cpu->cntv_cval = fake_counter - cpu->cntvoff + fuzz_bytes(&in, 2u) - 0x100u;
        break;
    case 2:
        cpu->vmcr = (uint32_t)fuzz_number(&in);
        break;
    default:
        guest_open();
        break;
    }
}

static void guest_step(uint32_t what)
{
    switch (what) {
    case 0:
    case 1:
    case 2:
        access_any();
        break;
    case 3:
        sysreg_any();
        break;
    case 4:
        firmware_any();
        break;
    case 5:
        hardware_any();
        break;
    case 6:
        (void)guest_ack();
        break;
    default:
        guest_eoi((uint32_t)fuzz_bytes(&in, 2u) & 0x1FFFu);
        break;
    }
}

/* -- What happens around it -- */

static void load_any(uint32_t index)
{
    bool free = (loaded() == NULL) && (index < fake_domain.arm.nr_vcpus);

    for (uint32_t cpu = 0u; cpu < FAKE_CPUS; cpu++) {
        free = free && (gic_cpus[cpu].loaded != &fake_vcpu[index]);
    }
    if (free) {
        fake_load(fake_cpu_now, index);
    }
}

static void restart_any(uint32_t index)
{
    bool free = index < fake_domain.arm.nr_vcpus;

    for (uint32_t cpu = 0u; cpu < FAKE_CPUS; cpu++) {
        free = free && (gic_cpus[cpu].loaded != &fake_vcpu[index]);
    }
    if (free) {
        arm_vcpu_reset(&fake_vcpu[index]);
    }
}

static void world_step(uint32_t what, uint32_t with)
{
    const uint32_t intid = 24u + with;

    switch (what) {
    case 0:
        hal_virq_set_line(&fake_domain, intid, true);
        break;
    case 1:
        hal_virq_set_line(&fake_domain, intid, false);
        break;
    case 2:
        hal_virq_pulse(&fake_domain, (with == 255u) ? (uint32_t)fuzz_number(&in) : intid);
        break;
    case 3:
        fake_on(with % FAKE_CPUS);
        break;
    case 4:
        load_any(with);
        break;
    case 5:
        if (loaded() != NULL) {
            fake_save(fake_cpu_now);
        }
        break;
    case 6:
        restart_any(with);
        break;
    default:
        fake_counter += (uint64_t)with << ((with & 7u) * 2u);
        fake_take_interrupts();
        break;
    }
    if (loaded() != NULL) {
        (void)hal_vcpu_irq_pending(loaded());
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    in = (struct fuzz_input){ data, bytes };
    const uint8_t shape = fuzz_u8(&in);
    const uint32_t version = ((shape & 1u) != 0u) ? 3u : 2u;
    const uint32_t nr_vcpus = ((shape >> 1u) & 7u) + 1u;

    fake_machine(version, ((shape & 0x80u) != 0u) && (version == 3u) ? FAKE_VCPUS : nr_vcpus,
                 32u * (1u + ((shape >> 4u) & 7u)));
    fake_load(0u, 0u);
    guest_open();
    for (uint32_t n = 0u; (n < STEPS_MAX) && (in.left > 0u); n++) {
        const uint8_t what = fuzz_u8(&in);

        if (((what & 8u) != 0u) || (loaded() == NULL)) {
            world_step(what & 7u, fuzz_u8(&in));
        } else {
            guest_step(what & 7u);
        }
        fake_run_ipis();
        fake_take_interrupts();
        fake_check();
    }
    fake_machine_down();
    return 0;
}
