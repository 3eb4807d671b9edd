/* Guests' accesses that stage 2 refused, and exceptions put into guests. */
/* [impl->req~vectors-nowhere~1] */
#include "a64_insn.h"
#include "a64_trap.h"
#include "arm_port.h"
#include "hal/hypmap.h"
#include "hal/upcall.h"
#include "lib/string.h"

#define PAR_F     BIT64(0)
#define PAR_ADDR  GENMASK64(51u, 12u)
#define PAGE_MASK GENMASK64(11u, 0u)

/* HPFAR_EL2 does not hold the address of a permission fault: the guest's own translation gives it again.
 * false: the guest has changed its tables meanwhile. */
static bool abort_translate(uint64_t va, uint64_t *ipa)
{
    const uint64_t saved = A64_READ(par_el1);

    /* EL1 may read whatever the guest can reach at all; only the address matters */
    __asm__ volatile("at s1e1r, %0" : : "r"(va) : "memory");
    a64_isb();
    const uint64_t par = A64_READ(par_el1);

    A64_WRITE(par_el1, saved);
    *ipa = (par & PAR_ADDR) | (va & PAGE_MASK);
    return (par & PAR_F) == 0u;
}

/* The translation by both stages (C5.5); PSTATE.PAN does not count for these forms. */
hpa_t hal_vcpu_reach(const struct hal_vcpu *vcpu, uint64_t va, bool write)
{
    const uint64_t saved = A64_READ(par_el1);

    (void)vcpu;
    if (write) {
        __asm__ volatile("at s12e1w, %0" : : "r"(va) : "memory");
    } else {
        __asm__ volatile("at s12e1r, %0" : : "r"(va) : "memory");
    }
    a64_isb();
    const uint64_t par = A64_READ(par_el1);

    A64_WRITE(par_el1, saved);
    return hpa(((par & PAR_F) == 0u) ? ((par & PAR_ADDR) | (va & PAGE_MASK)) : HAL_NOWHERE);
}

/* The instruction that the guest is at, or 0. Its own table may lead elsewhere meanwhile, but only to its
 * RAM. */
static uint32_t abort_fetch(const struct hal_vcpu *vcpu)
{
    const uint64_t pc = vcpu->frame.pc;
    uint32_t insn = 0u;
    uint32_t perm = 0u;
    uint64_t bytes;
    uint64_t ipa;
    hpa_t to;

    if (((vcpu->frame.pstate & A64_PSTATE_A32) == 0u) && ((pc & 3u) == 0u) && abort_translate(pc, &ipa) &&
        (hal_guestmap_lookup(&vcpu->domain->map, gpa(ipa), &to, &perm, &bytes) == HV_OK) &&
        ((perm & HAL_PERM_X) != 0u)) {
        const void *at = hal_hypmap_window(HAL_WINDOW_TRAP, to, HAL_HYPMAP_RO, &bytes);

        (void)memcpy(&insn, at, sizeof(insn));
        hal_hypmap_window_close(HAL_WINDOW_TRAP);
    }
    return insn;
}

enum hal_resume a64_abort(struct hal_vcpu *vcpu, uint64_t esr)
{
    const uint64_t far = A64_READ(far_el2);
    struct hal_exit exit = { .kind = HAL_EXIT_MEM_FAULT, .cause = esr, .gva = far };
    enum hal_resume resume = HAL_INJECT_ABORT;
    uint64_t ipa = (A64_READ(hpfar_el2) & ARM_HPFAR_FIPA) << 8u;
    uint32_t base = A64_INSN_NO_BASE;
    uint64_t step = 0u;

    if (arm_esr_fault(esr) > ARM_FAULT_PERMISSION) {
        exit.external = true;
        exit.gva = arm_esr_far_is_bad(esr) ? 0u : far;
        return upcall_exit(vcpu, &exit);
    }
    exit.exec = arm_esr_ec(esr) == ARM_EC_IABT;
    exit.walk = arm_esr_is_walk(esr);
    exit.permission = arm_esr_fault(esr) == ARM_FAULT_PERMISSION;
    if (!exit.exec) {
        arm_esr_access(esr, &exit);
        if ((exit.width == 0u) && !exit.walk) {
            base = a64_insn_indexed(abort_fetch(vcpu), &exit, &step);
        }
    }
    if (exit.write && (exit.width != 0u)) {
        exit.value = arm_load_extend(arm_reg_get(vcpu, exit.reg), exit.width, false, true);
    }
    if (!arm_esr_has_ipa(esr)) {
        if (!abort_translate(far, &ipa)) {
            return HAL_RESUME;
        }
    } else {
        ipa |= exit.walk ? 0u : (far & PAGE_MASK); /* of a table only the page is known */
    }
    exit.gpa = gpa(ipa);
    if (!arm_vcpu_mmio(vcpu, &exit, &resume)) {
        resume = upcall_exit(vcpu, &exit);
    }
    if ((base != A64_INSN_NO_BASE) && (resume == HAL_RESUME_NEXT)) {
        arm_reg_set(vcpu, base, arm_reg_get(vcpu, base) + step);
    }
    return resume;
}

static void inject(struct hal_vcpu *vcpu, uint64_t esr_el1)
{
    struct hal_frame *frame = &vcpu->frame;
    const uint64_t sctlr = A64_READ(sctlr_el1);
    const bool has_pan = a64_id_field(A64_READ(id_aa64mmfr1_el1), A64_MMFR1_PAN_LOW) != 0u;

    A64_WRITE(esr_el1, esr_el1);
    A64_WRITE(elr_el1, frame->pc);
    A64_WRITE(spsr_el1, frame->pstate);
    frame->pc = A64_READ(vbar_el1) + a64_vector_offset(frame->pstate);
    frame->pstate = a64_exception_pstate(frame->pstate, sctlr, has_pan);
}

void a64_inject_abort(struct hal_vcpu *vcpu, uint64_t esr)
{
    bool done = false;

    if (vcpu->domain->arm.is_32bit) {
        done = a64_inject_abort32(vcpu, esr);
    } else if (!a64_abort_repeats(esr, vcpu->frame.pstate, vcpu->frame.pc, A64_READ(vbar_el1))) {
        A64_WRITE(far_el1, A64_READ(far_el2));
        inject(vcpu, a64_abort_esr(esr, vcpu->frame.pstate));
        done = true;
    } else {
        done = false;
    }
    if (!done) {
        upcall_domain_power(vcpu->domain, HAL_DOMAIN_CRASH, "its exception vectors cannot be fetched");
    }
}

void a64_inject_undef(struct hal_vcpu *vcpu)
{
    if (vcpu->domain->arm.is_32bit) {
        a64_inject_undef32(vcpu);
    } else {
        inject(vcpu, ARM_ESR_IL); /* EC 0 */
    }
}
