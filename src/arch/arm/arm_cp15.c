/* Coprocessor accesses of AArch32 guests: settled as accesses to the AArch64 registers they are mapped to
 * (DDI 0487 G1.20, K1). */
#include "arm_a32.h"
#include "arm_port.h"

#define CP15_ACTLR2 ARM_SYSREG(3u, 0u, 1u, 0u, 3u)

/* MCR, MRC and VMRS: the syndrome is laid out as ARM_SYSREG(), with the condition in op0's place. */
static uint32_t cp_encoding(uint32_t ec, uint64_t esr)
{
    const uint32_t fields = (uint32_t)esr & ARM_SYSREG_MASK & ~ARM_SYSREG(3u, 0u, 0u, 0u, 0u);
    const uint32_t reg = (fields & ARM_SYSREG(0u, 7u, 15u, 0u, 0u)) | ARM_SYSREG(3u, 0u, 0u, 0u, 0u);
    uint32_t encoding = fields | ARM_SYSREG(3u, 0u, 0u, 0u, 0u);

    if (ec == ARM_EC_VMRS) { /* MVFR2 5, MVFR1 6, MVFR0 7 */
        const uint32_t number = (uint32_t)bits_field(esr, 13u, 10u);

        encoding = ((number - 5u) < 3u) ? ARM_SYSREG(3u, 0u, 0u, 3u, 7u - number) : 0u;
    } else if (ec == ARM_EC_CP14) { /* trace and the like have another op1 */
        encoding = ((fields & ARM_SYSREG(0u, 7u, 0u, 0u, 0u)) == 0u)
                       ? (fields | ARM_SYSREG(2u, 0u, 0u, 0u, 0u))
                       : 0u;
    } else if (reg == ARM_SYSREG(3u, 0u, 7u, 0u, 0u)) { /* cache maintenance */
        encoding = fields | ARM_SYSREG(1u, 0u, 0u, 0u, 0u);
    } else if (reg == ARM_SYSREG(3u, 0u, 14u, 0u, 0u)) { /* timers */
        encoding |= ARM_SYSREG(0u, 3u, 0u, 0u, 0u);
    } else if (encoding == CP15_ACTLR2) {
        encoding = ARM_SYSREG(3u, 0u, 1u, 0u, 1u);
    } else {
        /* the same numbers */
    }
    return encoding;
}

/* MCRR, MRRC: op1 and CRm. */
static uint32_t cp_encoding2(uint32_t ec, uint64_t esr)
{
    const uint32_t op1 = (uint32_t)bits_field(esr, 19u, 16u);
    const uint32_t crm = (uint32_t)bits_field(esr, 4u, 1u);
    const bool debug = (op1 == 0u) && ((crm - 1u) < 2u); /* DBGDRAR, DBGDSAR */

    return (ec == ARM_EC_CP14_2) ? (debug ? ARM_SYSREG(2u, 0u, crm, 0u, 0u) : 0u)
           : ((crm == 12u) && (op1 < 3u))
               ? ARM_SYSREG(3u, 0u, 12u, 11u, op1 + 5u) /* ICC_SGI1R, ICC_ASGI1R, ICC_SGI0R */
           : ((crm == 14u) && (op1 == 2u)) ? ARM_SYSREG(3u, 3u, 14u, 2u, 2u)        /* CNTP_CVAL */
           : ((crm == 9u) && (op1 == 0u))  ? ARM_SYSREG(3u, 0u, 9u, 13u, 0u)        /* PMCCNTR */
           : (crm == 15u)                  ? ARM_SYSREG(3u, op1 & 7u, 15u, 15u, 0u) /* the processor's own */
                                           : 0u;
}

struct arm_cp arm_cp_decode(uint64_t esr)
{
    const uint32_t ec = arm_esr_ec(esr);
    struct arm_cp cp = { .rt = arm_esr_sysreg_rt(esr), .rt2 = ARM_CP_NO_RT2 };

    if ((ec == ARM_EC_CP15_2) || (ec == ARM_EC_CP14_2)) {
        cp.encoding = cp_encoding2(ec, esr);
        cp.rt2 = (uint32_t)bits_field(esr, 14u, 10u);
    } else if ((ec == ARM_EC_CP15) || (ec == ARM_EC_CP14) || (ec == ARM_EC_VMRS)) {
        cp.encoding = cp_encoding(ec, esr);
    } else {
        cp.encoding = 0u; /* LDC and STC of debug's communications channel */
    }
    return cp;
}

enum hal_resume arm_cp_access(struct hal_vcpu *vcpu, uint64_t esr)
{
    const struct arm_cp cp = arm_cp_decode(esr);
    struct arm_sysreg access = {
        .encoding = cp.encoding,
        .write = arm_esr_sysreg_write(esr),
        .value = arm_reg_get(vcpu, cp.rt) & UINT32_MAX,
    };

    if (cp.rt2 != ARM_CP_NO_RT2) {
        access.value |= arm_reg_get(vcpu, cp.rt2) << 32u;
    }
    const enum hal_resume resume = arm_sysreg_access(vcpu, &access);

    if ((resume == HAL_RESUME_NEXT) && !access.write) {
        arm_reg_set(vcpu, cp.rt, access.value & UINT32_MAX);
        if (cp.rt2 != ARM_CP_NO_RT2) {
            arm_reg_set(vcpu, cp.rt2, access.value >> 32u);
        }
    }
    return resume;
}
