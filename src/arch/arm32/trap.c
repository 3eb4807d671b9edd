/* Exceptions from guests: decoded here, the frequent ones settled here, the rest goes up. */
/* [impl->req~errors-attributed~1] */
#include "a32_trap.h"
#include "abi/xen.h"
#include "arm_a32.h"
#include "arm_port.h"
#include "hal/upcall.h"
#include "lib/fmt.h"

/* Xen's calling convention on Arm32: number in r12, arguments from r0, result in r0 */
#define HVC_HYPERCALL 0xEA1u
#define HVC_NUMBER    12u

#define DFSC_ASYNC 0x11u /* asynchronous external abort */

/* A data abort that the syndrome describes, of an instruction of any size, and that extends no sign. An MPU
 * tells a miss and a permission apart, or does not. */
#define TRAP_PLAIN_MASK                                                                                      \
    ((uint32_t)ARM_ESR_PLAIN_MASK & ~(uint32_t)ARM_ESR_IL & ~((CONFIG_MPU != 0) ? BIT32(3) : 0u))
#define TRAP_PLAIN (((uint32_t)ARM_EC_DABT << ARM_ESR_EC_LOW) | (uint32_t)ARM_ESR_ISV | BIT32(2))
/* MCRR to ICC_SGI1R, executed always: COND 0xE, op1 0, CRm 12 */
#define TRAP_SEND_MASK 0xFFFF001Fu
#define TRAP_SEND      (((uint32_t)ARM_EC_CP15_2 << ARM_ESR_EC_LOW) | (uint32_t)ARM_ESR_IL | 0x01E00018u)

static inline void trap_skip(struct hal_vcpu *vcpu, uint32_t hsr)
{
    if ((vcpu->frame.cpsr & ARM_PSR_T) == 0u) {
        vcpu->frame.pc += 4u;
    } else {
        vcpu->frame.pc += arm_esr_insn_bytes(hsr);
        vcpu->frame.cpsr = arm_it_advance(vcpu->frame.cpsr);
    }
}

static void trap_resume(struct hal_vcpu *vcpu, uint32_t hsr, enum hal_resume resume)
{
    const uint32_t ec = arm_esr_ec(hsr);

    switch (resume) {
    case HAL_RESUME:
        break;
    case HAL_RESUME_NEXT:
        trap_skip(vcpu, hsr);
        break;
    case HAL_INJECT_ABORT:
        if ((ec == ARM_EC_DABT) || (ec == ARM_EC_IABT)) {
            a32_inject_abort(vcpu, hsr);
        } else {
            a32_inject_undef(vcpu);
        }
        break;
    case HAL_INJECT_UNDEF:
    default:
        a32_inject_undef(vcpu);
        break;
    }
}

static enum hal_resume trap_up(struct hal_vcpu *vcpu, enum hal_exit_kind kind, uint32_t hsr)
{
    const struct hal_exit exit = { .kind = kind, .cause = hsr, .gva = vcpu->frame.pc };

    return upcall_exit(vcpu, &exit);
}

/* An HVC's return address is the next instruction already, that of a trapped SMC is the SMC (B1.8.11). */
void a32_trap_hvc(struct hal_vcpu *vcpu, uint32_t hsr)
{
    const uint32_t imm = arm_esr_imm(hsr);
    uint32_t *const r = vcpu->frame.r;

    if (imm == HVC_HYPERCALL) {
        if (CONFIG_LINKS != 0) {
            uint64_t *const arg = vcpu->call;

            arg[0] = r[0];
            arg[1] = r[1];
            arg[2] = r[2];
            arg[3] = r[3];
            arg[4] = r[4];

            upcall_hypercall(vcpu, r[HVC_NUMBER], arg);
            r[0] = (uint32_t)arg[0];
        } else {
            r[0] = (uint32_t)(-(int32_t)XEN_ENOSYS);
        }
    } else if (imm == 0u) {
        arm_vcpu_firmware32(vcpu);
    } else {
        vcpu->frame.pc -= arm_esr_insn_bytes(hsr);
        a32_inject_undef(vcpu);
    }
}

/* Whether the frame holds a register, whatever the mode. */
static inline bool trap_has(const struct hal_vcpu *vcpu, uint32_t rt)
{
    return (rt < 8u) || ((rt < 13u) && ((vcpu->frame.cpsr & ARM_PSR_MODE) != ARM_MODE_FIQ));
}

/* A plain access to a device. */
static bool trap_device(struct hal_vcpu *vcpu, uint32_t hsr, uint32_t *reg)
{
    const uint32_t far = A32_READ(A32_HDFAR);
    const uint64_t page = (CONFIG_MPU != 0)
                              ? bits_align_down(far, PAGE_BYTES)
                              : ((uint64_t)(A32_READ(A32_HPFAR) & (uint32_t)ARM_HPFAR_FIPA) << 8u);
    const gpa_t at = gpa(page | (far & (PAGE_BYTES - 1u)));
    const uint32_t width = 1u << ((hsr >> 22u) & 3u);
    const bool write = (hsr & (uint32_t)ARM_ESR_WNR) != 0u;
    const uint64_t gicd = at.v - vcpu->domain->arm.gic.range[0].base;
    uint64_t value = 0u;
    bool done;

    if (write) {
        value = *reg & (UINT32_MAX >> ((32u - (8u * width)) & 31u));
    }
    if (gicd < ARM_GUEST_GICD3_BYTES) { /* of a GICv2, what follows it is no device of ours either */
        done = !write && (width == 4u) && arm_vcpu_tells(vcpu, gicd, &value);
    } else {
        done = upcall_device(vcpu, at, width, write, &value);
    }
    if (!done) {
        return false;
    }
    if (!write) {
        *reg = (uint32_t)value; /* width bytes, zero-extended */
    }
    return true;
}

/* What happens all the time. False: nothing was done. */
static bool trap_quick(struct hal_vcpu *vcpu, uint32_t hsr)
{
    bool done = false;

    if ((hsr & TRAP_PLAIN_MASK) == TRAP_PLAIN) {
        const uint32_t rt = (hsr >> 16u) & 31u;

        done = trap_has(vcpu, rt) && trap_device(vcpu, hsr, &vcpu->frame.r[rt]);
    } else if ((hsr & TRAP_SEND_MASK) == TRAP_SEND) {
        const uint32_t low = (hsr >> 5u) & 31u;
        const uint32_t high = (hsr >> 10u) & 31u;

        done = trap_has(vcpu, low) && trap_has(vcpu, high) && gic_is(vcpu->domain->arm.gic_version, 3u);
        if (done) {
            arm_vcpu_send(vcpu, vcpu->frame.r[low] | ((uint64_t)vcpu->frame.r[high] << 32u));
        }
    } else {
        /* not that frequent */
    }
    return done;
}

static enum hal_resume trap_decode(struct hal_vcpu *vcpu, uint32_t hsr)
{
    switch (arm_esr_ec(hsr)) {
    case ARM_EC_DABT:
    case ARM_EC_IABT:
        return a32_abort(vcpu, hsr);
    case ARM_EC_CP15:
    case ARM_EC_CP15_2:
    case ARM_EC_CP14:
    case ARM_EC_CP14_2:
    case ARM_EC_VMRS:
        return arm_cp_access(vcpu, hsr);
    case ARM_EC_WFX:
        return trap_up(vcpu, arm_esr_is_wfe(hsr) ? HAL_EXIT_YIELD : HAL_EXIT_IDLE, hsr);
    case ARM_EC_SMC32:
        arm_vcpu_firmware32(vcpu);
        return HAL_RESUME_NEXT;
    default:
        /* what this port hides: other coprocessors, Jazelle, ThumbEE, ... */
        return trap_up(vcpu, HAL_EXIT_UNKNOWN, hsr);
    }
}

void a32_trap_sync(struct hal_vcpu *vcpu, uint32_t hsr)
{
    if (trap_quick(vcpu, hsr)) {
        trap_skip(vcpu, hsr);
    } else if ((arm_esr_ec(hsr) == ARM_EC_DABT) && ((hsr & 0x3Fu) == DFSC_ASYNC)) {
        a32_abort_async(vcpu, hsr);
    } else {
        trap_resume(vcpu, hsr,
                    arm_trap_holds(hsr, vcpu->frame.cpsr) ? trap_decode(vcpu, hsr) : HAL_RESUME_NEXT);
    }
}

void a32_abort_async(struct hal_vcpu *vcpu, uint32_t hsr)
{
    (void)trap_up(vcpu, HAL_EXIT_ERROR, hsr);
}

void a32_frame_print(const struct hal_frame *frame)
{
    char name[8];
    struct fmt_buf text;

    upcall_log_hex("pc ", frame->pc);
    upcall_log_hex("cpsr ", frame->cpsr);
    upcall_log_hex("lr_usr ", frame->lr);
    for (uint32_t i = 0u; i < ARRAY_LEN(frame->r); i++) {
        fmt_init(&text, name, sizeof(name));
        fmt_add(&text, "r%u ", i);
        upcall_log_hex(name, frame->r[i]);
    }
}

void a32_trap_broken(uint32_t what, const struct hal_frame *frame)
{
    static const char *const text[] = { "exception in the hypervisor",
                                        "undefined instruction in the hypervisor",
                                        "data abort in the hypervisor", "prefetch abort in the hypervisor" };

    upcall_log_hex("hsr ", A32_READ(A32_HSR));
    upcall_log_hex("hdfar ", A32_READ(A32_HDFAR));
    upcall_log_hex("hifar ", A32_READ(A32_HIFAR));
    upcall_log_hex("sp ", frame->sp);
    a32_frame_print(frame);
    upcall_fatal(text[what % ARRAY_LEN(text)], frame->pc);
}
