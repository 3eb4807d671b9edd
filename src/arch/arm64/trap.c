/* Synchronous exceptions from guests: decoded here, the frequent ones settled here, the rest goes up. */
/* [impl->req~errors-attributed~1] */
#include "a64_trap.h"
#include "arm_port.h"
#include "abi/xen.h"
#include "arm_a32.h"
#include "hal/upcall.h"
#include "lib/fmt.h"

#define HVC_NUMBER    16u
#define TRAP_LOW_REGS 19u /* in the frame from the beginning */

__attribute__((noinline)) void a64_skip(struct hal_vcpu *vcpu, uint64_t esr)
{
    struct hal_frame *frame = &vcpu->frame;

    frame->pc += arm_esr_insn_bytes(esr);
    if ((frame->pstate & A64_PSTATE_A32) == 0u) {
        frame->pstate &= ~(A64_PSTATE_BTYPE | A64_PSTATE_SS);
    } else {
        frame->pstate = arm_psr_next((uint32_t)frame->pstate) & ~A64_PSTATE_SS;
    }
}

/* An instruction of four bytes. */
static inline void trap_skip(struct hal_vcpu *vcpu, uint64_t esr)
{
    if ((vcpu->frame.pstate & A64_PSTATE_A32) == 0u) {
        vcpu->frame.pc += 4u;
        vcpu->frame.pstate &= ~(A64_PSTATE_BTYPE | A64_PSTATE_SS);
    } else {
        a64_skip(vcpu, esr);
    }
}

static void trap_resume(struct hal_vcpu *vcpu, uint64_t esr, enum hal_resume resume)
{
    const uint32_t ec = arm_esr_ec(esr);

    switch (resume) {
    case HAL_RESUME:
        break;
    case HAL_RESUME_NEXT:
        a64_skip(vcpu, esr);
        break;
    case HAL_INJECT_ABORT:
        if ((ec == ARM_EC_DABT) || (ec == ARM_EC_IABT)) {
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

/* An HVC's return address is the next instruction already, that of a trapped SMC is the SMC (D1.3.3).
 * x19 to x29 are not in the frame. */
void a64_trap_hvc(struct hal_vcpu *vcpu, uint64_t esr)
{
    const uint32_t imm = arm_esr_imm(esr);

    if (imm == A64_HVC_HYPERCALL) {
        if (CONFIG_LINKS != 0) {
            upcall_hypercall(vcpu, vcpu->frame.x[HVC_NUMBER], vcpu->frame.x);
        } else {
            vcpu->frame.x[0] = (uint64_t)(-(int64_t)XEN_ENOSYS);
        }
    } else if (imm == 0u) {
        arm_vcpu_firmware(vcpu);
    } else {
        vcpu->frame.pc -= 4u;
        a64_inject_undef(vcpu);
    }
}

/* A plain access to a device. */
static bool trap_device(struct hal_vcpu *vcpu, uint64_t esr, uint32_t rt)
{
    const uint64_t far = A64_READ(far_el2);
    const gpa_t at = gpa(((A64_READ(hpfar_el2) & ARM_HPFAR_FIPA) << 8u) | (far & (PAGE_BYTES - 1u)));
    const uint32_t width = 1u << bits_field(esr, 23u, 22u);
    const bool write = (esr & ARM_ESR_WNR) != 0u;
    const uint64_t gicd = at.v - vcpu->domain->arm.gic.range[0].base;
    uint64_t value = 0u;
    bool done;

    if (write) {
        value = vcpu->frame.x[rt] & (UINT64_MAX >> (64u - (8u * width)));
    }
    if (gicd < ARM_GUEST_GICD3_BYTES) { /* of a GICv2, what follows it is no device of ours either */
        done = !write && (width == 4u) && arm_vcpu_tells(vcpu, gicd, &value);
    } else {
        done = upcall_device(vcpu, at, width, write, &value);
    }
    if (done && !write) {
        vcpu->frame.x[rt] = value; /* width bytes, zero-extended */
    }
    return done;
}

bool a64_trap_quick(struct hal_vcpu *vcpu, uint64_t esr)
{
    bool done = false;

    if ((esr & ARM_ESR_PLAIN_MASK) == ARM_ESR_PLAIN) {
        const uint32_t rt = (uint32_t)bits_field(esr, 20u, 16u);

        done = (rt < TRAP_LOW_REGS) && trap_device(vcpu, esr, rt);
    } else if ((esr & A64_ESR_SEND_MASK) == (A64_ESR_SEND | SYSREG_ICC_SGI1R_EL1)) {
        const uint32_t rt = arm_esr_sysreg_rt(esr);

        done = (rt < TRAP_LOW_REGS) && gic_is(vcpu->domain->arm.gic_version, 3u);
        if (done) {
            arm_vcpu_send(vcpu, vcpu->frame.x[rt]);
        }
    } else {
        /* not that frequent */
    }
    if (done) {
        trap_skip(vcpu, esr);
    }
    return done;
}

void a64_trap_sync(struct hal_vcpu *vcpu, uint64_t esr)
{
    enum hal_resume resume;

    switch (arm_esr_ec(esr)) {
    case ARM_EC_DABT:
    case ARM_EC_IABT:
        resume = a64_abort(vcpu, esr);
        break;
    case A64_EC_SYSREG:
        resume = a64_sysreg_access(vcpu, esr);
        break;
    case ARM_EC_WFX:
        resume = trap_up(vcpu, arm_esr_is_wfe(esr) ? HAL_EXIT_YIELD : HAL_EXIT_IDLE, esr);
        break;
    case A64_EC_SMC64:
        resume = HAL_INJECT_UNDEF;
        if (arm_esr_imm(esr) == 0u) {
            arm_vcpu_firmware(vcpu);
            resume = HAL_RESUME_NEXT;
        }
        break;
    default:
        /* what this port hides: coprocessor accesses of 32-bit processes, SVE, SME, ... */
        resume = trap_up(vcpu, HAL_EXIT_UNKNOWN, esr);
        break;
    }
    trap_resume(vcpu, esr, resume);
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
        fmt_add(&text, "x%u ", i);
        upcall_log_hex(name, frame->x[i]);
    }
}

void a64_trap_broken(uint64_t what, const struct hal_frame *frame)
{
    const char *const text = (what == 1u)   ? "exception in the hypervisor"
                             : (what == 2u) ? "SError in the hypervisor"
                                            : "exception with SP_EL0";

    upcall_log_hex("esr_el2 ", A64_READ(esr_el2));
    upcall_log_hex("far_el2 ", A64_READ(far_el2));
    upcall_log_hex("sp ", frame->sp);
    a64_frame_print(frame);
    upcall_fatal(text, frame->pc);
}
