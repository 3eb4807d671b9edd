/* Synchronous exceptions from guests: decoded here, the frequent ones settled here, the rest goes up. */
/* [impl->req~errors-attributed~1] */
#include "a64_esr.h"
#include "a64_trap.h"
#include "arm_vcpu.h"
#include "hal/cpu.h"
#include "hal/upcall.h"
#include "lib/fmt.h"

#define HVC_HYPERCALL 0xEA1u /* Xen's calling convention on Arm */

void a64_skip(struct hal_vcpu *vcpu, uint64_t esr)
{
    struct hal_frame *frame = &vcpu->frame;

    frame->pc += a64_esr_insn_bytes(esr);
    if ((frame->pstate & A64_PSTATE_A32) == 0u) {
        frame->pstate &= ~(A64_PSTATE_BTYPE | A64_PSTATE_SS);
    } else if ((frame->pstate & A64_PSTATE_T32) != 0u) {
        frame->pstate = a64_it_advance(frame->pstate) & ~A64_PSTATE_SS;
    } else {
        frame->pstate &= ~A64_PSTATE_SS;
    }
}

static void trap_resume(struct hal_vcpu *vcpu, uint64_t esr, enum hal_resume resume)
{
    const uint32_t ec = a64_esr_ec(esr);

    switch (resume) {
    case HAL_RESUME:
        break;
    case HAL_RESUME_NEXT:
        a64_skip(vcpu, esr);
        break;
    case HAL_INJECT_ABORT:
        if ((ec == A64_EC_DABT) || (ec == A64_EC_IABT)) {
            a64_inject_abort(vcpu, esr);
        } else {
            a64_inject_undef(vcpu);
        }
        break;
    case HAL_INJECT_UNDEF:
    default:
        a64_inject_undef(vcpu);
        break;
    }
}

static enum hal_resume trap_up(struct hal_vcpu *vcpu, enum hal_exit_kind kind, uint64_t esr)
{
    const struct hal_exit exit = { .kind = kind, .cause = esr, .gva = vcpu->frame.pc };

    return upcall_exit(vcpu, &exit);
}

/* An HVC's return address is the next instruction already, that of a trapped SMC is the SMC (D1.3.3). */
__attribute__((noinline)) static void trap_hvc(struct hal_vcpu *vcpu, uint64_t esr)
{
    const uint32_t imm = a64_esr_imm(esr);
    enum hal_resume resume = HAL_INJECT_UNDEF;

    if (imm == 0u) {
        resume = arm_vcpu_firmware(vcpu, false);
    } else if (imm == HVC_HYPERCALL) {
        resume = trap_up(vcpu, HAL_EXIT_HYPERCALL, esr);
    } else {
        resume = HAL_INJECT_UNDEF;
    }
    if ((resume == HAL_INJECT_UNDEF) || (resume == HAL_INJECT_ABORT)) {
        vcpu->frame.pc -= 4u;
        a64_inject_undef(vcpu);
    }
}

/* Kept apart from a64_trap_sync() and trap_hvc(): those two, the hypercall's path, need no registers saved
 * for this. */
__attribute__((noinline)) static void trap_other(struct hal_vcpu *vcpu, uint64_t esr)
{
    enum hal_resume resume;

    switch (a64_esr_ec(esr)) {
    case A64_EC_DABT:
    case A64_EC_IABT:
        resume = a64_abort(vcpu, esr);
        break;
    case A64_EC_SYSREG:
        resume = a64_sysreg_access(vcpu, esr);
        break;
    case A64_EC_WFX:
        resume = trap_up(vcpu, a64_esr_is_wfe(esr) ? HAL_EXIT_YIELD : HAL_EXIT_IDLE, esr);
        break;
    case A64_EC_SMC64:
        resume = (a64_esr_imm(esr) == 0u) ? arm_vcpu_firmware(vcpu, true) : HAL_INJECT_UNDEF;
        break;
    default:
        /* what this port hides: coprocessor accesses of 32-bit processes, SVE, SME, ... */
        resume = trap_up(vcpu, HAL_EXIT_UNKNOWN, esr);
        break;
    }
    trap_resume(vcpu, esr, resume);
}

void a64_trap_sync(struct hal_vcpu *vcpu)
{
    const uint64_t esr = A64_READ(esr_el2);

    if (a64_esr_ec(esr) == A64_EC_HVC64) {
        trap_hvc(vcpu, esr);
    } else {
        trap_other(vcpu, esr);
    }
}

void a64_serror(struct hal_vcpu *vcpu, uint64_t esr)
{
    const struct hal_exit exit = { .kind = HAL_EXIT_ERROR, .cause = esr, .gva = vcpu->frame.pc };

    if (!a64_serror_is_corrected(esr)) {
        (void)upcall_exit(vcpu, &exit);
    }
}

void a64_trap_serror(struct hal_vcpu *vcpu)
{
    a64_serror(vcpu, A64_READ(esr_el2));
}

void a64_frame_print(const struct hal_frame *frame)
{
    char name[8];
    struct fmt_buf text;

    upcall_log_hex("pc ", frame->pc);
    upcall_log_hex("pstate ", frame->pstate);
    for (uint32_t i = 0u; i < ARRAY_LEN(frame->x); i++) {
        fmt_init(&text, name, sizeof(name));
        fmt_char(&text, 'x');
        fmt_u64(&text, i);
        fmt_char(&text, ' ');
        upcall_log_hex(name, frame->x[i]);
    }
}

void a64_trap_broken(uint64_t what, const struct hal_frame *frame)
{
    const char *text;

    if (what == 1u) {
        text = "exception in the hypervisor";
    } else if (what == 2u) {
        text = "SError in the hypervisor";
    } else {
        text = "exception with SP_EL0";
    }
    upcall_log_hex("esr_el2 ", A64_READ(esr_el2));
    upcall_log_hex("far_el2 ", A64_READ(far_el2));
    upcall_log_hex("sp ", frame->sp);
    a64_frame_print(frame);
    upcall_fatal(text, frame->pc);
}
