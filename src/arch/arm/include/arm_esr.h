/* Syndromes of what a guest did, ESR_EL2 (DDI 0487 D19.2.37) and HSR (G8.2.80) alike, as pure functions. */
#ifndef ARM_ESR_H
#define ARM_ESR_H

#include "hal/exit.h"

#define ARM_EC_WFX     0x01u
#define ARM_EC_CP15    0x03u /* MCR, MRC */
#define ARM_EC_CP15_2  0x04u /* MCRR, MRRC */
#define ARM_EC_CP14    0x05u
#define ARM_EC_CP14_LS 0x06u /* LDC, STC */
#define ARM_EC_VMRS    0x08u
#define ARM_EC_CP14_2  0x0Cu
#define ARM_EC_HVC32   0x12u
#define ARM_EC_SMC32   0x13u
#define ARM_EC_IABT    0x20u /* from a lower level; + 1: from the same */
#define ARM_EC_DABT    0x24u

#define ARM_ESR_EC_LOW 26u
#define ARM_ESR_IL     BIT64(25)

#define ARM_ESR_SYSREG_READ BIT64(0)

static inline uint32_t arm_esr_ec(uint64_t esr)
{
    return (uint32_t)bits_field(esr, 31u, 26u);
}

/* Immediate of HVC and SMC */
static inline uint32_t arm_esr_imm(uint64_t esr)
{
    return (uint32_t)(esr & 0xFFFFu);
}

static inline uint32_t arm_esr_insn_bytes(uint64_t esr)
{
    return ((esr & ARM_ESR_IL) != 0u) ? 4u : 2u;
}

/* WFX: bits 1:0 are 0 for WFI, 1 for WFE, 2 and 3 for their forms with a timeout */
static inline bool arm_esr_is_wfe(uint64_t esr)
{
    return (esr & 1u) != 0u;
}

static inline uint32_t arm_esr_sysreg_rt(uint64_t esr)
{
    return (uint32_t)bits_field(esr, 9u, 5u);
}

static inline bool arm_esr_sysreg_write(uint64_t esr)
{
    return (esr & ARM_ESR_SYSREG_READ) == 0u;
}

/* Aborts */
#define ARM_DFSC_EXTERNAL 0x10u /* synchronous, not on a table walk */
#define ARM_HPFAR_FIPA    GENMASK64(43u, 4u)
#define ARM_ESR_ISV       BIT64(24)
#define ARM_ESR_SSE       BIT64(21)
#define ARM_ESR_SF        BIT64(15)
#define ARM_ESR_CM        BIT64(8)
#define ARM_ESR_S1PTW     BIT64(7)
#define ARM_ESR_WNR       BIT64(6)
/* A data abort for a translation fault, of an access that the syndrome describes and that extends no sign */
#define ARM_ESR_PLAIN_MASK                                                                                   \
    (GENMASK64(31u, 25u) | ARM_ESR_ISV | ARM_ESR_SSE | ARM_ESR_CM | ARM_ESR_S1PTW | GENMASK64(5u, 2u))
#define ARM_ESR_PLAIN (((uint64_t)ARM_EC_DABT << ARM_ESR_EC_LOW) | ARM_ESR_IL | ARM_ESR_ISV | BIT64(2))

static inline bool arm_esr_is_walk(uint64_t esr)
{
    return (esr & ARM_ESR_S1PTW) != 0u;
}

/* Fault status without its level: 0 address size, 1 translation, 2 access flag, 3 permission. Others are not
 * for stage 2 to answer: 4 synchronous external abort, 5 the same on a table walk, 6 and 7 parity likewise,
 * ... */
static inline uint32_t arm_esr_fault(uint64_t esr)
{
    return (uint32_t)bits_field(esr, 5u, 2u);
}

#define ARM_FAULT_PERMISSION 3u

/* The fault address is not there (FnV, external aborts only). */
static inline bool arm_esr_far_is_bad(uint64_t esr)
{
    return (arm_esr_fault(esr) == 4u) && ((esr & BIT64(10)) != 0u);
}

/* HPFAR_EL2 is written for all of these but permission faults outside a walk (D19.2.58). */
static inline bool arm_esr_has_ipa(uint64_t esr)
{
    return arm_esr_is_walk(esr) || (arm_esr_fault(esr) != ARM_FAULT_PERMISSION);
}

/* The access of a data abort: width 0 if the syndrome does not describe it (ISV clear, atomics, pairs, cache
 * operations). */
static inline void arm_esr_access(uint64_t esr, struct hal_exit *exit)
{
    const bool is_valid = ((esr & ARM_ESR_ISV) != 0u) && !arm_esr_is_walk(esr);

    exit->write = ((esr & ARM_ESR_WNR) != 0u) && ((esr & ARM_ESR_CM) == 0u) && !arm_esr_is_walk(esr);
    exit->width = is_valid ? (uint8_t)(1u << bits_field(esr, 23u, 22u)) : 0u;
    exit->reg = (uint8_t)bits_field(esr, 20u, 16u);
    exit->sign_extend = (esr & ARM_ESR_SSE) != 0u;
    exit->wide = (esr & ARM_ESR_SF) != 0u;
}

/* What an emulated load leaves in a 64-bit register (SSE, SF). width: 1, 2, 4, 8. */
static inline uint64_t arm_load_extend(uint64_t value, uint32_t width, bool sign_extend, bool wide)
{
    const uint32_t bits = width * 8u;
    uint64_t result = value;

    if (bits < 64u) {
        result &= (1ULL << bits) - 1u;
        if (sign_extend && ((result >> (bits - 1u)) != 0u)) {
            result |= ~0ULL << bits;
        }
    }
    return wide ? result : (result & 0xFFFFFFFFu);
}

#endif
