/* Traps of domains in AArch32 (HCR_EL2.RW = 0): their calls, and exceptions put into them. X registers hold
 * the banked ones (DDI 0487 D1.20.1). */
/* [impl->req~aarch32-guests~1] */
#include "arm_a32.h"
#include "a64_trap.h"
#include "arm_port.h"
#include "hal/upcall.h"

#define A32_CALL_NUMBER 12u
#define A32_CALL_ARGS   5u
#define A32_LR_ABT      20u
#define A32_LR_UND      22u
#define A32_PSR_BIT24   BIT32(24) /* of an SPSR_EL2: where DIT is, whose place in a CPSR the bit SS has */

/* A guest's own number of a register may be found in the syndrome of an abort (so QEMU 10 does). The
 * processor's view has none of those that a mode hides, so either is told apart. */
static uint32_t a32_view(uint64_t pstate, uint32_t n)
{
    static const uint8_t lr_of[16] = { 14u, 30u, 16u, 18u,        14u, 14u, 14u, A32_LR_ABT,
                                       14u, 14u, 14u, A32_LR_UND, 14u, 14u, 14u, 14u };
    const uint32_t mode = (uint32_t)pstate & ARM_PSR_MODE;
    const uint32_t lr = lr_of[mode & 15u];
    uint32_t view = n;

    if ((mode == ARM_MODE_FIQ) && ((n - 8u) < 7u)) {
        view = n + 16u;
    } else if ((lr != 14u) && ((n == 13u) || (n == 14u))) {
        /* the stack pointer follows the link register; of FIQ, just before, they are in order */
        view = (n == 14u) ? lr : (lr + 1u);
    } else {
        /* of all modes */
    }
    return view;
}

static uint64_t a32_esr(const struct hal_vcpu *vcpu, uint64_t esr)
{
    const uint32_t rt = (uint32_t)bits_field(esr, 20u, 16u);
    uint64_t result = esr;

    if (arm_esr_ec(esr) == ARM_EC_DABT) {
        result = (esr & ~GENMASK64(20u, 16u)) | ((uint64_t)a32_view(vcpu->frame.pstate, rt) << 16u);
    }
    return result;
}

static void a32_hvc(struct hal_vcpu *vcpu, uint64_t esr)
{
    uint64_t *const x = vcpu->frame.x;

    if (arm_esr_imm(esr) == 0u) {
        arm_vcpu_firmware32(vcpu);
    } else if ((arm_esr_imm(esr) == A64_HVC_HYPERCALL) && (CONFIG_LINKS != 0)) {
        for (uint32_t n = 0u; n < A32_CALL_ARGS; n++) {
            x[n] &= UINT32_MAX; /* what is above is not defined (D1.20.1) */
        }
        upcall_hypercall(vcpu, x[A32_CALL_NUMBER] & UINT32_MAX, x);
    } else {
        a64_trap_hvc(vcpu, esr);
    }
}

void a64_trap_sync32(struct hal_vcpu *vcpu, uint64_t esr)
{
    const uint32_t ec = arm_esr_ec(esr);
    const bool is_cp =
        ((ec >= ARM_EC_CP15) && (ec <= ARM_EC_CP14_LS)) || (ec == ARM_EC_VMRS) || (ec == ARM_EC_CP14_2);
    const uint64_t viewed = a32_esr(vcpu, esr);

    if (!arm_trap_holds(esr, (uint32_t)vcpu->frame.pstate)) {
        a64_skip(vcpu, esr);
    } else if (a64_trap_quick(vcpu, viewed)) {
        /* done */
    } else if (!vcpu->domain->arm.is_32bit) {
        a64_trap_sync(vcpu, viewed);
    } else if (ec == ARM_EC_HVC32) {
        a32_hvc(vcpu, esr);
    } else if (ec == ARM_EC_SMC32) { /* whose immediate is not told */
        arm_vcpu_firmware32(vcpu);
        a64_skip(vcpu, esr);
    } else if (!is_cp) {
        a64_trap_sync(vcpu, viewed);
    } else if (arm_cp_access(vcpu, esr) == HAL_RESUME_NEXT) {
        a64_skip(vcpu, esr);
    } else {
        a64_inject_undef(vcpu);
    }
}

/* CPSR of an SPSR_EL2 */
static uint32_t a32_cpsr(uint64_t pstate)
{
    const uint32_t spsr = (uint32_t)pstate;

    return (spsr & ~(A32_PSR_BIT24 | ARM_PSR_DIT)) | (((spsr & A32_PSR_BIT24) != 0u) ? ARM_PSR_DIT : 0u);
}

static void a32_enter(struct hal_vcpu *vcpu, const struct arm_a32_entry *entry)
{
    const uint32_t dit = entry->cpsr & ARM_PSR_DIT;

    vcpu->frame.pc = entry->pc;
    vcpu->frame.pstate = (entry->cpsr & ~ARM_PSR_DIT) | ((dit != 0u) ? A32_PSR_BIT24 : 0u);
}

static struct arm_a32_entry a32_entry(const struct hal_vcpu *vcpu, enum arm_vector vector)
{
    const bool has_pan = a64_id_field(A64_READ(id_aa64mmfr1_el1), A64_MMFR1_PAN_LOW) != 0u;
    const uint32_t sctlr = (uint32_t)A64_READ(sctlr_el1) | (has_pan ? 0u : ARM_SCTLR_SPAN);

    return arm_a32_enter(vector, (uint32_t)vcpu->frame.pc, a32_cpsr(vcpu->frame.pstate), sctlr,
                         (uint32_t)A64_READ(vbar_el1));
}

/* FAR_EL1 is IFAR and DFAR. */
bool a64_inject_abort32(struct hal_vcpu *vcpu, uint64_t esr)
{
    const bool is_data = arm_esr_ec(esr) == ARM_EC_DABT;
    const struct arm_a32_entry entry = a32_entry(vcpu, is_data ? ARM_VECTOR_DABT : ARM_VECTOR_PABT);
    const uint32_t fsr = arm_a32_fsr(esr, (A64_READ(tcr_el1) & ARM_TTBCR_EAE) != 0u);
    const uint64_t far = A64_READ(far_el2) & UINT32_MAX;
    const uint64_t other = A64_READ(far_el1);

    if (!is_data && arm_a32_repeats(&entry, (uint32_t)vcpu->frame.pc)) {
        return false;
    }
    if (is_data) {
        A64_WRITE(far_el1, (other & ~(uint64_t)UINT32_MAX) | far);
        A64_WRITE(esr_el1, fsr);
    } else {
        A64_WRITE(far_el1, (far << 32u) | (other & UINT32_MAX));
        A64_WRITE(ifsr32_el2, fsr);
    }
    A64_WRITE(spsr_abt, entry.spsr);
    vcpu->frame.x[A32_LR_ABT] = entry.lr;
    a32_enter(vcpu, &entry);
    return true;
}

void a64_inject_undef32(struct hal_vcpu *vcpu)
{
    const struct arm_a32_entry entry = a32_entry(vcpu, ARM_VECTOR_UNDEF);

    A64_WRITE(spsr_und, entry.spsr);
    vcpu->frame.x[A32_LR_UND] = entry.lr;
    a32_enter(vcpu, &entry);
}
