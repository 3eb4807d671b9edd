/* Syndromes (ESR_EL2, D19.2.37), addresses of aborts and what an injected exception does to a guest's PSTATE,
 * as pure functions. */
#ifndef ARCH_ARM64_A64_ESR_H
#define ARCH_ARM64_A64_ESR_H

#include "a64_sysreg.h"
#include "hal/exit.h"
#include "hal/types.h"
#include "lib/bits.h"

#define A64_EC_UNKNOWN 0x00u
#define A64_EC_WFX     0x01u
#define A64_EC_HVC64   0x16u
#define A64_EC_SMC64   0x17u
#define A64_EC_SYSREG  0x18u
#define A64_EC_IABT    0x20u /* from a lower level; + 1: from the same */
#define A64_EC_DABT    0x24u

#define A64_ESR_EC_LOW 26u
#define A64_ESR_IL     BIT64(25)

#define A64_ESR_SYSREG_READ BIT64(0)

#define A64_DFSC_EXTERNAL 0x10u /* synchronous, not on a table walk */

static inline uint32_t a64_esr_ec(uint64_t esr)
{
    return (uint32_t)bits_field(esr, 31u, 26u);
}

/* Immediate of HVC and SMC */
static inline uint32_t a64_esr_imm(uint64_t esr)
{
    return (uint32_t)(esr & 0xFFFFu);
}

static inline uint32_t a64_esr_insn_bytes(uint64_t esr)
{
    return ((esr & A64_ESR_IL) != 0u) ? 4u : 2u;
}

/* WFX: bits 1:0 are 0 for WFI, 1 for WFE, 2 and 3 for their forms with a timeout */
static inline bool a64_esr_is_wfe(uint64_t esr)
{
    return (esr & 1u) != 0u;
}

static inline uint32_t a64_esr_sysreg_rt(uint64_t esr)
{
    return (uint32_t)bits_field(esr, 9u, 5u);
}

static inline bool a64_esr_sysreg_write(uint64_t esr)
{
    return (esr & A64_ESR_SYSREG_READ) == 0u;
}

/* Aborts */
#define A64_HPFAR_FIPA GENMASK64(43u, 4u)
#define A64_ESR_ISV    BIT64(24)
#define A64_ESR_SSE    BIT64(21)
#define A64_ESR_SF     BIT64(15)
#define A64_ESR_CM     BIT64(8)
#define A64_ESR_S1PTW  BIT64(7)
#define A64_ESR_WNR    BIT64(6)
/* A data abort for a translation fault, of an access that the syndrome describes and that extends no sign */
#define A64_ESR_PLAIN_MASK                                                                                   \
    (GENMASK64(31u, 25u) | A64_ESR_ISV | A64_ESR_SSE | A64_ESR_CM | A64_ESR_S1PTW | GENMASK64(5u, 2u))
/* ... and a write to a system register, whose number is left out */
#define A64_ESR_SEND_MASK (GENMASK64(31u, 25u) | ARM_SYSREG_MASK | A64_ESR_SYSREG_READ)
#define A64_ESR_SEND      (((uint64_t)A64_EC_SYSREG << A64_ESR_EC_LOW) | A64_ESR_IL)
#define A64_ESR_PLAIN     (((uint64_t)A64_EC_DABT << A64_ESR_EC_LOW) | A64_ESR_IL | A64_ESR_ISV | BIT64(2))

static inline bool a64_esr_is_walk(uint64_t esr)
{
    return (esr & A64_ESR_S1PTW) != 0u;
}

/* Fault status without its level: 0 address size, 1 translation, 2 access flag, 3 permission. Others are not
 * for stage 2 to answer: 4 synchronous external abort, 5 the same on a table walk, 6 and 7 parity likewise,
 * ... */
static inline uint32_t a64_esr_fault(uint64_t esr)
{
    return (uint32_t)bits_field(esr, 5u, 2u);
}

#define A64_FAULT_ADDRESS    0u
#define A64_FAULT_PERMISSION 3u

/* The fault address is not there (FnV, external aborts only). */
static inline bool a64_esr_far_is_bad(uint64_t esr)
{
    return (a64_esr_fault(esr) == 4u) && ((esr & BIT64(10)) != 0u);
}

/* HPFAR_EL2 is written for all of these but permission faults outside a walk (D19.2.58). */
static inline bool a64_esr_has_ipa(uint64_t esr)
{
    return a64_esr_is_walk(esr) || (a64_esr_fault(esr) != A64_FAULT_PERMISSION);
}

/* The access of a data abort: width 0 if the syndrome does not describe it (ISV clear, atomics, pairs, cache
 * operations). */
static inline void a64_esr_access(uint64_t esr, struct hal_exit *exit)
{
    const bool is_valid = ((esr & A64_ESR_ISV) != 0u) && !a64_esr_is_walk(esr);

    exit->write = ((esr & A64_ESR_WNR) != 0u) && ((esr & A64_ESR_CM) == 0u) && !a64_esr_is_walk(esr);
    exit->width = is_valid ? (uint8_t)(1u << bits_field(esr, 23u, 22u)) : 0u;
    exit->reg = (uint8_t)bits_field(esr, 20u, 16u);
    exit->sign_extend = (esr & A64_ESR_SSE) != 0u;
    exit->wide = (esr & A64_ESR_SF) != 0u;
}

/* What an emulated load leaves in a 64-bit register (SSE, SF). width: 1, 2, 4, 8. */
static inline uint64_t a64_load_extend(uint64_t value, uint32_t width, bool sign_extend, bool wide)
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
    uint32_t ec = a64_esr_ec(esr);
    uint64_t result = A64_ESR_IL | A64_DFSC_EXTERNAL;

    if (ec == A64_EC_DABT) {
        result |= esr & (BIT64(6) | BIT64(8)); /* WnR, CM */
    }
    if (a64_pstate_is_el1(pstate)) {
        ec += 1u;
    }
    return result | ((uint64_t)ec << A64_ESR_EC_LOW);
}

/* Would the exception that answers a refused instruction fetch be refused the same way, for ever? So it is if
 * the fetch was that of its own first instruction. */
static inline bool a64_abort_repeats(uint64_t esr, uint64_t pstate, uint64_t pc, uint64_t vbar)
{
    const bool is_el1h = (pstate & (A64_PSTATE_A32 | A64_PSTATE_MODE)) == A64_PSTATE_EL1H;

    return (a64_esr_ec(esr) == A64_EC_IABT) && is_el1h && (pc == (vbar + a64_vector_offset(pstate)));
}

/* An SError that the hardware has corrected, says the RAS extension: IDS clear, DFSC asynchronous, AET
 * corrected (D19.2.37, ISS of an SError). */
static inline bool a64_serror_is_corrected(uint64_t esr)
{
    return ((esr & BIT64(24)) == 0u) && (bits_field(esr, 5u, 0u) == 0x11u) &&
           (bits_field(esr, 12u, 10u) == 6u);
}

/* ITSTATE of a Thumb guest, advanced over one instruction (G1.7.3); bits 15:10 and 26:25 of SPSR. */
static inline uint64_t a64_it_advance(uint64_t pstate)
{
    const uint64_t it = (bits_field(pstate, 15u, 10u) << 2u) | bits_field(pstate, 26u, 25u);
    const uint64_t next = ((it & 7u) == 0u) ? 0u : ((it & 0xE0u) | ((it << 1u) & 0x1Fu));
    const uint64_t cleared = pstate & ~(GENMASK64(15u, 10u) | GENMASK64(26u, 25u));

    return cleared | ((next >> 2u) << 10u) | ((next & 3u) << 25u);
}

#endif
