/* Whatever a guest's exception may look like: every syndrome, address and register into arm64's trap handler,
 * on the machine of tests/unit/arm. The guest comes out where the architecture says and no other register of
 * it changes. [test->req~input-never-panics~1] [test->req~id-registers~1] */
#include "arm_a32.h"
#include "a64_esr.h"
#include "a64_trap.h"
#include "fake_arm.h"
#include "fuzz.h"
#include "hal/hypmap.h"

#define STEPS_MAX             200u
#define REGS_MAX              96u
#define SYSREG(a, b, c, d, e) ARM_SYSREG(a, b, c, d, e)

static struct fuzz_input in;

/* -- System registers of the CPU, by name -- */

struct reg {
    const char *name;
    uint64_t value;
};

static struct reg regs[REGS_MAX];
static uint32_t nr_regs;

static struct reg *reg_of(const char *name)
{
    uint32_t n = 0u;

    while ((n < nr_regs) && (strcmp(regs[n].name, name) != 0)) {
        n++;
    }
    if (n == nr_regs) {
        FUZZ_MUST(nr_regs < REGS_MAX);
        regs[n] = (struct reg){ name, 0u };
        nr_regs++;
    }
    return &regs[n];
}

uint64_t a64_reg_read(const char *name)
{
    return reg_of(name)->value;
}

void a64_reg_write(const char *name, uint64_t value)
{
    reg_of(name)->value = value;
}

/* -- What is above -- */

bool upcall_device(struct hal_vcpu *vcpu, gpa_t at, uint32_t width, bool write, uint64_t *value)
{
    const uint8_t answer = fuzz_u8(&in);

    (void)vcpu;
    FUZZ_MUST((width == 1u) || (width == 2u) || (width == 4u) || (width == 8u));
    FUZZ_MUST(!write || (width == 8u) || (*value < (1ULL << (width * 8u))));
    FUZZ_MUST(at.v < (1ULL << 52u));
    if (!write && ((answer & 1u) != 0u)) {
        *value = UINT64_MAX >> (64u - (8u * width));
    }
    return (answer & 1u) != 0u;
}

void upcall_hypercall(struct hal_vcpu *vcpu, uint64_t number, uint64_t *arg)
{
    if (fake_domain.arm.is_32bit) {
        FUZZ_MUST((arg == vcpu->frame.x) && (number == (uint32_t)vcpu->frame.x[12]));
        for (uint32_t i = 0u; i < 5u; i++) {
            FUZZ_MUST(arg[i] <= UINT32_MAX);
        }
    } else {
        FUZZ_MUST((arg == vcpu->frame.x) && (number == vcpu->frame.x[16]));
    }
    arg[0] = UINT64_MAX;
}

enum hal_resume upcall_exit(struct hal_vcpu *vcpu, const struct hal_exit *exit)
{
    const uint8_t answer = fuzz_u8(&in);

    FUZZ_MUST((exit->width == 0u) || (exit->width == 1u) || (exit->width == 2u) || (exit->width == 4u) ||
              (exit->width == 8u));
    FUZZ_MUST(!exit->write || (exit->width == 0u) || (exit->width == 8u) ||
              (exit->value < (1ULL << (exit->width * 8u))));
    FUZZ_MUST(exit->gpa.v < (1ULL << 52u));
    if ((exit->kind == HAL_EXIT_MEM_FAULT) && (exit->width != 0u) && !exit->write && ((answer & 3u) == 0u)) {
        hal_vcpu_set_load(vcpu, exit, UINT64_MAX);
        return HAL_RESUME_NEXT;
    }
    return (enum hal_resume)(answer & 3u);
}

void upcall_log_hex(const char *before, uint64_t value)
{
    (void)before;
    (void)value;
}

_Noreturn void upcall_fatal(const char *why, uint64_t at)
{
    (void)fprintf(stderr, "%s at %llx\n", why, (unsigned long long)at);
    abort();
}

/* The guest's instruction, for accesses that the syndrome does not describe */
void *hal_hypmap_window(enum hal_window slot, hpa_t at, enum hal_hypmap_perm perm, uint64_t *bytes)
{
    static uint32_t page[PAGE_BYTES / 4u];
    const uint32_t any = (uint32_t)fuzz_bytes(&in, 4u);

    (void)slot;
    (void)perm;
    *bytes = PAGE_BYTES - (at.v % PAGE_BYTES);
    page[(at.v % PAGE_BYTES) / 4u] = ((any & 1u) != 0u) ? any : (0x38000400u | (any & 0xC0DFFBFFu));
    return (uint8_t *)page + (at.v % PAGE_BYTES);
}

void hal_hypmap_window_close(enum hal_window slot)
{
    (void)slot;
}

/* -- One exception -- */

static uint32_t sysreg_any(void)
{
    static const uint32_t known[] = {
        SYSREG(3u, 0u, 0u, 4u, 0u),   SYSREG(3u, 0u, 0u, 7u, 7u),   SYSREG(3u, 0u, 0u, 1u, 1u),
        SYSREG(3u, 0u, 1u, 0u, 1u),   SYSREG(2u, 0u, 1u, 1u, 4u),   SYSREG(2u, 0u, 0u, 0u, 4u),
        SYSREG(1u, 0u, 7u, 6u, 2u),   SYSREG(1u, 0u, 7u, 10u, 2u),  SYSREG(1u, 0u, 7u, 14u, 2u),
        SYSREG(3u, 0u, 12u, 11u, 5u), SYSREG(3u, 0u, 12u, 12u, 5u), SYSREG(3u, 3u, 14u, 2u, 0u),
        SYSREG(3u, 3u, 14u, 2u, 1u),  SYSREG(3u, 3u, 14u, 2u, 2u),  SYSREG(3u, 3u, 9u, 12u, 0u),
        SYSREG(2u, 3u, 0u, 5u, 0u),
    };
    const uint32_t which = fuzz_u8(&in);
    const uint32_t encoding = (which < (sizeof(known) / sizeof(known[0])))
                                  ? known[which]
                                  : ((uint32_t)fuzz_bytes(&in, 3u) & ARM_SYSREG_MASK);

    return encoding | ((uint32_t)fuzz_u8(&in) & 0x21u) | (((uint32_t)fuzz_u8(&in) & 31u) << 5u);
}

/* A guest's PSTATE; the others are not reached. */
static uint64_t pstate_any(void)
{
    static const uint32_t narrow[8] = { ARM_MODE_USR, ARM_MODE_FIQ, ARM_MODE_IRQ, ARM_MODE_SVC,
                                        ARM_MODE_ABT, ARM_MODE_UND, ARM_MODE_SYS, ARM_MODE_SVC };
    static const uint64_t modes[4] = { A64_PSTATE_EL1H, A64_PSTATE_EL1T, A64_PSTATE_EL0T, A64_PSTATE_A32 };
    const uint64_t bits = fuzz_number(&in) & 0xFFFFFFFFu & ~(A64_PSTATE_MODE | A64_PSTATE_A32);

    return bits | (fake_domain.arm.is_32bit ? narrow[fuzz_u8(&in) & 7u] : modes[fuzz_u8(&in) & 3u]);
}

static uint64_t esr_any(void)
{
    static const uint32_t classes[8] = { ARM_EC_DABT,  ARM_EC_DABT, A64_EC_SYSREG, A64_EC_HVC64,
                                         A64_EC_SMC64, ARM_EC_IABT, ARM_EC_WFX,    0u };
    static const uint32_t narrow[8] = { ARM_EC_DABT,  ARM_EC_CP15,  ARM_EC_CP15_2, ARM_EC_CP14,
                                        ARM_EC_HVC32, ARM_EC_SMC32, ARM_EC_WFX,    ARM_EC_IABT };
    const uint8_t how = fuzz_u8(&in);
    const uint32_t usual = fake_domain.arm.is_32bit ? narrow[how & 7u] : classes[how & 7u];
    const uint32_t ec = ((how & 0x87u) == 0x87u) ? (fuzz_u8(&in) & 63u) : usual;
    uint64_t iss = fuzz_bytes(&in, 4u) & 0x3FFFFFFu;

    if (ec == A64_EC_SYSREG) {
        iss = ARM_ESR_IL | sysreg_any();
    } else if ((ec == ARM_EC_CP15) && ((how & 8u) == 0u)) {
        iss = ARM_ESR_IL | BIT64(24) | (14u << 20u) | (sysreg_any() & ~(3u << 20u));
    } else if ((ec == ARM_EC_HVC32) && ((how & 8u) == 0u)) {
        iss = ARM_ESR_IL | (((how & 16u) != 0u) ? 0xEA1u : 0u);
    } else if (((ec == A64_EC_HVC64) || (ec == A64_EC_SMC64)) && ((how & 8u) == 0u)) {
        iss = ARM_ESR_IL;
    } else if ((ec == ARM_EC_DABT) && ((how & 8u) == 0u)) {
        /* mostly described, translation fault */
        iss = (iss & ~0x3Fu & ~BIT64(7)) | ARM_ESR_IL | (((how & 0x70u) != 0u) ? BIT64(24) : 0u) | 7u;
    }
    return ((uint64_t)ec << ARM_ESR_EC_LOW) | iss;
}

static uint64_t address_any(void)
{
    const uint8_t how = fuzz_u8(&in);
    const uint64_t offset = fuzz_bytes(&in, 2u);

    switch (how & 3u) {
    case 0:
        return GICD(offset);
    case 1:
        return GICR(how >> 5u, offset | ((how & 4u) << 14u));
    case 2:
        return ARM_GUEST_VUART_BASE + offset;
    default:
        return fuzz_number(&in);
    }
}

static uint32_t functions(uint32_t which)
{
    static const uint32_t known[16] = { 0x80000000u, 0x80000001u, 0x84000000u, 0x84000001u,
                                        0x84000002u, 0xC4000003u, 0x84000003u, 0xC4000004u,
                                        0x84000008u, 0x84000009u, 0x8400000Au, 0xC6000000u,
                                        0xC6000001u, 0x8600FF01u, 1u,          2u };

    return known[which & 15u];
}

static bool is_call(uint64_t esr)
{
    const uint32_t ec = arm_esr_ec(esr);

    return (ec == A64_EC_HVC64) || (ec == A64_EC_SMC64) || (ec == ARM_EC_HVC32) || (ec == ARM_EC_SMC32);
}

static void frame_any(struct hal_vcpu *vcpu, uint64_t esr)
{
    const uint32_t count = fuzz_u8(&in) & 7u;

    for (uint32_t i = 0u; i < count; i++) {
        vcpu->frame.x[fuzz_u8(&in) % 31u] = fuzz_number(&in);
    }
    if (is_call(esr)) {
        vcpu->frame.x[0] = ((count & 1u) != 0u) ? functions(fuzz_u8(&in)) : fuzz_number(&in);
    }
    vcpu->frame.pc = fuzz_number(&in) & (fake_domain.arm.is_32bit ? UINT32_MAX : UINT64_MAX);
    vcpu->frame.pstate = pstate_any();
}

/* A vector of an AArch32 guest, in the mode that it has, with the link register of that mode */
static bool is_vector32(const struct hal_frame *after)
{
    const bool is_high = (a64_reg_read("sctlr_el1") & ARM_SCTLR_V) != 0u;
    const uint32_t base = is_high ? 0xFFFF0000u : ((uint32_t)a64_reg_read("vbar_el1") & ~31u);
    const uint32_t vector = (uint32_t)after->pc - base;
    const uint32_t mode = (uint32_t)after->pstate & ARM_PSR_MODE;

    return (after->pc <= UINT32_MAX) && ((after->pstate & ARM_PSR_I) != 0u) &&
           (((vector == 4u) && (mode == ARM_MODE_UND)) ||
            (((vector == 12u) || (vector == 16u)) && (mode == ARM_MODE_ABT)));
}

static void where32(const struct hal_frame *before, const struct hal_frame *after, uint64_t esr)
{
    const uint64_t mode = ARM_PSR_MODE | A64_PSTATE_A32;
    const bool is_next = (after->pc == (before->pc + arm_esr_insn_bytes(esr)));

    FUZZ_MUST((after->pstate & A64_PSTATE_A32) != 0u);
    FUZZ_MUST(is_vector32(after) || ((is_next || (after->pc == before->pc)) &&
                                     ((after->pstate & mode) == (before->pstate & mode))));
}

/* Where a guest may go on */
static void where(const struct hal_frame *before, const struct hal_frame *after, uint64_t esr)
{
    const uint64_t vector = after->pc - a64_reg_read("vbar_el1");
    const bool is_in_vector = (vector == a64_vector_offset(before->pstate));

    if (after->pstate != before->pstate) {
        FUZZ_MUST(is_in_vector || (after->pc == (before->pc + arm_esr_insn_bytes(esr))));
    } else {
        FUZZ_MUST(is_in_vector || (after->pc == before->pc) ||
                  (after->pc == (before->pc + arm_esr_insn_bytes(esr))));
    }
    FUZZ_MUST(((after->pstate & (A64_PSTATE_MODE | A64_PSTATE_A32)) == A64_PSTATE_EL1H) ||
              ((after->pstate & (A64_PSTATE_MODE | A64_PSTATE_A32)) ==
               (before->pstate & (A64_PSTATE_MODE | A64_PSTATE_A32))));
}

/* What an exception gives: the register that a read fills; x0 to x3 by a call. */
static bool is_given(uint64_t esr, uint32_t n)
{
    const uint32_t ec = arm_esr_ec(esr);
    const bool is_sysreg = (ec == A64_EC_SYSREG) && !arm_esr_sysreg_write(esr);
    const bool is_load = (ec == ARM_EC_DABT) && ((esr & BIT64(24)) != 0u);

    return (is_call(esr) && (n < 4u)) || (is_sysreg && (n == arm_esr_sysreg_rt(esr))) ||
           (is_load && (n == bits_field(esr, 20u, 16u)));
}

/* ... besides in AArch32: what a coprocessor access reads, a banked register of a load, the fifth argument,
 * whose upper half goes, and the link register of an exception. */
static bool is_given32(const struct hal_frame *after, uint64_t esr, uint32_t n)
{
    const uint32_t ec = arm_esr_ec(esr);
    const bool is_read = (ec < ARM_EC_HVC32) && !arm_esr_sysreg_write(esr);
    const bool is_pair = (ec == ARM_EC_CP15_2) || (ec == ARM_EC_CP14_2);
    const bool is_link = is_vector32(after) && ((n == 20u) || (n == 22u));

    return (is_read && (n == arm_esr_sysreg_rt(esr))) || ((ec == ARM_EC_DABT) && (n >= 16u)) ||
           (is_read && is_pair && (n == bits_field(esr, 14u, 10u))) || (is_call(esr) && (n == 4u)) || is_link;
}

/* How many other registers a guest may find changed: the base too of an access that only the instruction
 * describes. */
static void registers(const struct hal_frame *before, const struct hal_frame *after, uint64_t esr)
{
    uint32_t changed = 0u;
    uint32_t allowed = 0u;

    for (uint32_t n = 0u; n < 31u; n++) {
        if ((after->x[n] != before->x[n]) && !is_given(esr, n)) {
            changed += (fake_domain.arm.is_32bit && is_given32(after, esr, n)) ? 0u : 1u;
        }
    }
    if ((arm_esr_ec(esr) == ARM_EC_DABT) && (((esr & BIT64(24)) == 0u) || arm_esr_is_walk(esr))) {
        allowed = 2u;
    }
    FUZZ_MUST(changed <= allowed);
}

/* x19 and up reach the frame only for a64_trap_sync(). */
static void trap_as_vectors_do(struct hal_vcpu *vcpu, uint64_t esr)
{
    const struct hal_frame before = vcpu->frame;

    if (fake_domain.arm.is_32bit) {
        a64_trap_sync32(vcpu, esr);
        return;
    }
    if (arm_esr_ec(esr) == A64_EC_HVC64) {
        a64_trap_hvc(vcpu, esr);
    } else if (!a64_trap_quick(vcpu, esr)) {
        FUZZ_MUST(memcmp(&before, &vcpu->frame, sizeof(before)) == 0);
        a64_trap_sync(vcpu, esr);
        return;
    } else {
        /* settled */
    }
    FUZZ_MUST(memcmp(&before.x[19], &vcpu->frame.x[19], 11u * sizeof(uint64_t)) == 0);
}

static void exception_any(void)
{
    struct hal_vcpu *const vcpu = gic_cpus[fake_cpu_now].loaded;
    const uint64_t esr = esr_any();
    const uint64_t address = address_any();
    struct hal_frame before;
    uint32_t tries = 0u;

    frame_any(vcpu, esr);
    a64_reg_write("esr_el2", esr);
    a64_reg_write("far_el2", ((esr & 0x100u) == 0u) ? address : fuzz_number(&in));
    a64_reg_write("hpfar_el2", (address >> 8u) & GENMASK64(43u, 4u));
    a64_reg_write("par_el1", fuzz_number(&in));
    fake_seen.start_answer = ((esr & 2u) != 0u) ? HV_BUSY : HV_OK;
    do {
        before = vcpu->frame;
        trap_as_vectors_do(vcpu, esr);
        if (fake_domain.arm.is_32bit) {
            where32(&before, &vcpu->frame, esr);
        } else {
            where(&before, &vcpu->frame, esr);
        }
        registers(&before, &vcpu->frame, esr);
        fake_run_ipis();
        tries++;
    } while ((vcpu->frame.pc == before.pc) && (vcpu->arm.vgic.sync_gpa != 0u) && (tries < 12u));
    FUZZ_MUST(tries < 12u);
}

static void around(uint8_t with)
{
    switch (with & 7u) {
    case 0:
        hal_virq_set_line(&fake_domain, 32u + (with >> 3u), true);
        break;
    case 1:
        hal_virq_set_line(&fake_domain, 32u + (with >> 3u), false);
        break;
    case 2:
        fake_counter += 1ULL << (with >> 3u);
        break;
    case 3:
        (void)guest_ack();
        break;
    case 4:
        guest_eoi(with >> 3u);
        break;
    case 5:
        fake_on((fake_cpu_now == 0u) ? 1u : 0u);
        break;
    case 6:
        a64_trap_serror(gic_cpus[fake_cpu_now].loaded);
        break;
    default:
        a64_reg_write("sctlr_el1", fuzz_number(&in));
        a64_reg_write("vbar_el1", fuzz_number(&in));
        break;
    }
    fake_take_interrupts();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const char *const host[] = { "id_aa64pfr0_el1", "id_aa64mmfr0_el1", "id_aa64mmfr1_el1",
                                        "clidr_el1",       "ccsidr_el1",       "S3_0_C0_C7_2",
                                        "id_aa64isar1_el1" };

    in = (struct fuzz_input){ data, bytes };
    const uint8_t shape = fuzz_u8(&in);

    nr_regs = 0u;
    for (uint32_t i = 0u; i < (sizeof(host) / sizeof(host[0])); i++) {
        a64_reg_write(host[i], fuzz_number(&in));
    }
    a64_sysreg_init();
    fake_machine(((shape & 1u) != 0u) ? 3u : 2u, 2u + ((shape >> 1u) & 3u), 64u);
    fake_domain.arm.is_32bit = (shape & 0x80u) != 0u;
    fake_load(1u, 1u);
    fake_load(0u, 0u);
    guest_open();
    for (uint32_t n = 0u; (n < STEPS_MAX) && (in.left > 0u); n++) {
        const uint8_t what = fuzz_u8(&in);

        if ((what & 3u) == 0u) {
            around(fuzz_u8(&in));
        } else {
            exception_any();
        }
        fake_run_ipis();
        fake_take_interrupts();
        fake_check();
    }
    fake_machine_down();
    return 0;
}
