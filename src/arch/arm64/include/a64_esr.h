/* What of a guest's exceptions is AArch64's: more syndromes, and what an injected exception does to its
 * PSTATE. */
#ifndef ARCH_ARM64_A64_ESR_H
#define ARCH_ARM64_A64_ESR_H

#include "a64_sysreg.h"
#include "arm_esr.h"
#include "arm_vcpu.h"

#define A64_EC_HVC64  0x16u
#define A64_EC_SMC64  0x17u
#define A64_EC_SYSREG 0x18u

/* A write to a system register, whose number is left out */
#define A64_ESR_SEND_MASK (GENMASK64(31u, 25u) | ARM_SYSREG_MASK | ARM_ESR_SYSREG_READ)
#define A64_ESR_SEND      (((uint64_t)A64_EC_SYSREG << ARM_ESR_EC_LOW) | ARM_ESR_IL)

/* Offset of the synchronous vector that a guest in this state takes (D1.3.6.2). */
static inline uint64_t a64_vector_offset(uint64_t pstate)
{
    uint64_t offset;

    if ((pstate & A64_PSTATE_A32) != 0u) {
        offset = 0x600u;
    } else if ((pstate & A64_PSTATE_MODE) == A64_PSTATE_EL1H) {
        offset = 0x200u;
    } else if ((pstate & A64_PSTATE_MODE) == A64_PSTATE_EL1T) {
        offset = 0x000u;
    } else {
        offset = 0x400u;
    }
    return offset;
}

/* PSTATE on entry to EL1 (D1.3.6.4): flags and DIT stay; PAN is set if SPAN is clear, SSBS comes from
 * SCTLR. */
static inline uint64_t a64_exception_pstate(uint64_t pstate, uint64_t sctlr, bool has_pan)
{
    const uint64_t kept = GENMASK64(31u, 28u) | A64_PSTATE_DIT | A64_PSTATE_PAN;
    uint64_t entry = (pstate & kept) | A64_PSTATE_DAIF | A64_PSTATE_EL1H;

    if (has_pan && ((sctlr & A64_SCTLR_EL1_SPAN) == 0u)) {
        entry |= A64_PSTATE_PAN;
    }
    if ((sctlr & A64_SCTLR_EL1_DSSBS) != 0u) {
        entry |= A64_PSTATE_SSBS;
    }
    return entry;
}

static inline bool a64_pstate_is_el1(uint64_t pstate)
{
    return ((pstate & A64_PSTATE_A32) == 0u) && ((pstate & A64_PSTATE_MODE) >= A64_PSTATE_EL1T);
}

/* ESR_EL1 of a synchronous external abort for an access that was trapped with esr. IL is set where no access
 * is described. */
static inline uint64_t a64_abort_esr(uint64_t esr, uint64_t pstate)
{
    uint32_t ec = arm_esr_ec(esr);
    uint64_t result = ARM_ESR_IL | ARM_DFSC_EXTERNAL;

    if (ec == ARM_EC_DABT) {
        result |= esr & (BIT64(6) | BIT64(8)); /* WnR, CM */
    }
    if (a64_pstate_is_el1(pstate)) {
        ec += 1u;
    }
    return result | ((uint64_t)ec << ARM_ESR_EC_LOW);
}

/* Would the exception that answers a refused instruction fetch be refused the same way, for ever? So it is if
 * the fetch was that of its own first instruction. */
static inline bool a64_abort_repeats(uint64_t esr, uint64_t pstate, uint64_t pc, uint64_t vbar)
{
    const bool is_el1h = (pstate & (A64_PSTATE_A32 | A64_PSTATE_MODE)) == A64_PSTATE_EL1H;

    return (arm_esr_ec(esr) == ARM_EC_IABT) && is_el1h && (pc == (vbar + a64_vector_offset(pstate)));
}

/* An SError that the hardware has corrected, says the RAS extension: IDS clear, DFSC asynchronous, AET
 * corrected (D19.2.37, ISS of an SError). */
static inline bool a64_serror_is_corrected(uint64_t esr)
{
    return ((esr & BIT64(24)) == 0u) && (bits_field(esr, 5u, 0u) == 0x11u) &&
           (bits_field(esr, 12u, 10u) == 6u);
}

#endif
