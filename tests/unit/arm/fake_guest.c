/* The guest's side: its register accesses, and the virtual CPU interface as the architecture describes it. */
#include <assert.h>
#include <string.h>

#include "fake_arm.h"

static struct hal_vcpu *guest(void)
{
    assert(gic_cpus[fake_cpu_now].loaded != NULL);
    return gic_cpus[fake_cpu_now].loaded;
}

enum hal_resume guest_access(uint64_t at, uint32_t width, bool write, uint64_t *value)
{
    const struct hal_exit exit = { .kind = HAL_EXIT_MEM_FAULT,
                                   .gpa = gpa(at),
                                   .value = write ? *value : 0u,
                                   .width = (uint8_t)width,
                                   .reg = 5,
                                   .write = write };
    enum hal_resume resume = HAL_INJECT_ABORT;

    guest()->frame.x[5] = 0xDEADu;
    if (!arm_vcpu_mmio(guest(), &exit, &resume)) {
        return HAL_INJECT_UNDEF; /* not ours */
    }
    *value = guest()->frame.x[5];
    return resume;
}

uint64_t guest_read(uint64_t at, uint32_t width)
{
    uint64_t value = 0u;
    uint32_t tries = 0u;

    while (guest_access(at, width, false, &value) == HAL_RESUME) {
        tries++;
        assert(tries < 10u);
        fake_run_ipis();
    }
    fake_check();
    return value;
}

void guest_write(uint64_t at, uint32_t width, uint64_t value)
{
    uint32_t tries = 0u;
    uint64_t copy = value;

    while (guest_access(at, width, true, &copy) == HAL_RESUME) {
        copy = value;
        tries++;
        assert(tries < 10u);
        fake_run_ipis();
    }
    fake_check();
}

uint32_t guest_ack(void)
{
    struct fake_cpu *cpu = fake_cpu();
    uint32_t best = 4u;

    fake_take_interrupts();
    for (uint32_t n = 0; n < 4u; n++) {
        const uint64_t lr = cpu->lr[n];
        const bool enabled = (cpu->vmcr & (((lr & GIC_LR_GROUP1) != 0u) ? 2u : 1u)) != 0u;
        const uint64_t prio = (lr >> 48u) & 0xFFu;

        if (((cpu->hcr & 1u) != 0u) && ((lr & GIC_LR_STATE) == GIC_LR_PENDING) && enabled &&
            (prio < (cpu->vmcr >> 24u)) && ((best == 4u) || (prio < ((cpu->lr[best] >> 48u) & 0xFFu)))) {
            best = n;
        }
    }
    if (best == 4u) {
        return GUEST_NOTHING;
    }
    cpu->lr[best] = (cpu->lr[best] & ~GIC_LR_PENDING) | GIC_LR_ACTIVE;
    return (uint32_t)(cpu->lr[best] & 0x3FFu) |
           (((cpu->lr[best] & GIC_LR_HW) == 0u) ? (uint32_t)((cpu->lr[best] >> 32u) & 7u) << 10u : 0u);
}

void guest_eoi(uint32_t ack)
{
    struct fake_cpu *cpu = fake_cpu();
    bool found = false;

    for (uint32_t n = 0; (n < 4u) && !found; n++) {
        if (((cpu->lr[n] & 0x3FFu) == (ack & 0x3FFu)) && ((cpu->lr[n] & GIC_LR_ACTIVE) != 0u)) {
            cpu->lr[n] &= ~GIC_LR_ACTIVE;
            found = true;
            if ((cpu->lr[n] & GIC_LR_HW) != 0u) {
                fake_deactivate((uint32_t)(cpu->lr[n] >> 32u) & 0x3FFu);
            }
        }
    }
    if (!found) {
        cpu->hcr += BIT32(27);
    }
    fake_take_interrupts();
    fake_check();
}

void guest_open(void)
{
    fake_cpu()->vmcr = 0xF8000003u;
    if (fake_domain.arm.gic_version == 3u) {
        guest_write(GICR(guest()->index, 0x14u), 4, 0);
        guest_write(GICR_S(guest()->index, GICD_IGROUPR), 4, UINT32_MAX);
        for (uint32_t n = 4u; n <= fake_domain.arm.vgic->nr_banks * 4u; n += 4u) {
            guest_write(GICD(GICD_IGROUPR + n), 4, UINT32_MAX);
        }
    }
    guest_write(GICD(GICD_CTLR), 4, 3);
}

void guest_sgi(uint64_t value)
{
    struct arm_sysreg access = { .encoding = ARM_SYSREG(3u, 0u, 12u, 11u, 5u),
                                 .write = true,
                                 .value = value };
    enum hal_resume resume = HAL_INJECT_UNDEF;
    const bool ours = arm_vcpu_sysreg(guest(), &access, &resume);

    assert(ours && (resume == HAL_RESUME_NEXT));
    fake_check();
}

uint64_t guest_call(uint32_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
    struct hal_vcpu *vcpu = guest();

    vcpu->frame.x[0] = function;
    vcpu->frame.x[1] = a1;
    vcpu->frame.x[2] = a2;
    vcpu->frame.x[3] = a3;
    vcpu->frame.x[4] = 0x4444u;

    arm_vcpu_firmware(vcpu);
    assert(vcpu->frame.x[4] == 0x4444u);
    return vcpu->frame.x[0];
}

/* -- Invariants
 * ------------------------------------------------------------------------------------------------------- */

static void check_vcpu(const struct hal_vcpu *vcpu, uint32_t cpu, uint32_t *resident)
{
    const struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    uint32_t private_resident = 0u;

    assert((vgic->lr_used & 1u) == 0u);
    assert((vgic->lr_spi & ~vgic->lr_used) == 0u);
    for (uint32_t n = 1; n < 16u; n++) {
        if ((vgic->lr_used & BIT32(n)) == 0u) {
            assert((cpu == FAKE_CPUS) || (n >= 4u) ||
                   ((fake_cpus[cpu].lr[n] & (GIC_LR_STATE | GIC_LR_EOI)) == 0u));
            continue;
        }
        const uint32_t intid = (uint32_t)vgic->lr[n] & 0x3FFu;

        assert(cpu != FAKE_CPUS); /* not loaded: nothing in list registers */
        if (intid < 32u) {
            assert((vgic->priv.resident & BIT32(intid)) != 0u);
            assert(vgic->lr_of[intid] == n);
            private_resident |= BIT32(intid);
        } else {
            const uint32_t bank = (intid / 32u) - 1u;

            assert((vgic->lr_spi & BIT32(n)) != 0u);
            assert((resident[bank] & BIT32((intid & 31u))) == 0u); /* not twice */
            assert(fake_domain.arm.vgic->home[intid - 32u] == vcpu->index);
            resident[bank] |= BIT32((intid & 31u));
        }
    }
    assert(private_resident == vgic->priv.resident);
}

void fake_check(void)
{
    uint32_t resident[VGIC_SPI_BANKS] = { 0 };

    for (uint32_t n = 0; n < fake_domain.arm.nr_vcpus; n++) {
        const struct hal_vcpu *vcpu = &fake_vcpu[n];
        const uint32_t cpu = (vcpu->arm.vgic.loaded != 0u) ? (vcpu->arm.vgic.loaded - 1u) : FAKE_CPUS;

        check_vcpu(vcpu, cpu, resident);
    }
    for (uint32_t bank = 0; bank < VGIC_SPI_BANKS; bank++) {
        assert(resident[bank] == fake_domain.arm.vgic->spi[bank].resident);
    }
    fake_spi_check();
    for (uint32_t cpu = 0; cpu < FAKE_CPUS; cpu++) {
        const struct hal_vcpu *loaded = gic_cpus[cpu].loaded;

        if (loaded != NULL) { /* linked exactly as long as it must be */
            const bool linked =
                ((fake_cpus[cpu].lr[0] & GIC_LR_STATE) != 0u) || loaded->arm.vgic.is_vtimer_held;

            assert(linked == ((fake_cpus[cpu].active & BIT32(27)) != 0u));
        }
    }
}
