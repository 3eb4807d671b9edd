/* AArch32 guests: conditions, IT blocks and the exceptions put into them, as pure functions (DDI 0487 chapter
 * G1, which is Armv7-A's and Armv8-R's, too). A CPSR is one as the guest sees it. */
#ifndef ARM_A32_H
#define ARM_A32_H

#include "arm_esr.h"

/* CPSR and SPSR (G8.2.33) */
#define ARM_PSR_MODE  0x1Fu
#define ARM_PSR_T     BIT32(5)
#define ARM_PSR_I     BIT32(7)
#define ARM_PSR_AIF   0x1C0u
#define ARM_PSR_A     BIT32(8)
#define ARM_PSR_E     BIT32(9)
#define ARM_PSR_DIT   BIT32(21)
#define ARM_PSR_PAN   BIT32(22)
#define ARM_PSR_SSBS  BIT32(23)
#define ARM_PSR_FLAGS 0xF8000000u /* N Z C V Q */
#define ARM_PSR_GE    0x000F0000u

#define ARM_MODE_USR 0x10u
#define ARM_MODE_FIQ 0x11u
#define ARM_MODE_IRQ 0x12u
#define ARM_MODE_SVC 0x13u
#define ARM_MODE_ABT 0x17u
#define ARM_MODE_UND 0x1Bu
#define ARM_MODE_SYS 0x1Fu

/* SCTLR (G8.2.126) */
#define ARM_SCTLR_V     BIT32(13)
#define ARM_SCTLR_SPAN  BIT32(23)
#define ARM_SCTLR_EE    BIT32(25)
#define ARM_SCTLR_TE    BIT32(30)
#define ARM_SCTLR_DSSBS BIT32(31)

#define ARM_TTBCR_EAE BIT32(31)

/* ITSTATE: bits 15:10 and 26:25 of a CPSR. */
static inline uint32_t arm_it_get(uint32_t cpsr)
{
    return (((cpsr >> 10u) & 0x3Fu) << 2u) | ((cpsr >> 25u) & 3u);
}

/* ... advanced over one instruction (G1.7.3). */
static inline uint32_t arm_it_advance(uint32_t cpsr)
{
    const uint32_t it = arm_it_get(cpsr);
    const uint32_t next = ((it & 7u) == 0u) ? 0u : ((it & 0xE0u) | ((it << 1u) & 0x1Fu));

    return (cpsr & ~0x0600FC00u) | ((next >> 2u) << 10u) | ((next & 3u) << 25u);
}

/* Does a condition (4 bits) hold (F1.3)? */
static inline bool arm_cond_holds(uint32_t cond, uint32_t cpsr)
{
    const bool n = (cpsr & BIT32(31)) != 0u;
    const bool z = (cpsr & BIT32(30)) != 0u;
    const bool c = (cpsr & BIT32(29)) != 0u;
    const bool v = (cpsr & BIT32(28)) != 0u;
    const bool base[8] = { z, c, n, v, c && !z, n == v, (n == v) && !z, true };

    return (cond >= 14u) || (base[(cond >> 1u) & 7u] == ((cond & 1u) == 0u));
}

/* An implementation may trap instructions whose condition does not hold: they are to be skipped. Only WFx and
 * coprocessor accesses (EC 1 to 12) and SMC may be such; a T32 instruction's condition may stand in
 * ITSTATE. */
static inline bool arm_trap_holds(uint64_t esr, uint32_t cpsr)
{
    const uint32_t ec = arm_esr_ec(esr);
    const bool may_fail = (ec == ARM_EC_SMC32) ? ((esr & BIT64(19)) != 0u) : ((ec - 1u) < ARM_EC_CP14_2);
    uint32_t cond = 14u;

    if (may_fail) {
        if ((esr & BIT64(24)) != 0u) {
            cond = (uint32_t)bits_field(esr, 23u, 20u);
        } else if (arm_it_get(cpsr) != 0u) {
            cond = arm_it_get(cpsr) >> 4u;
        } else {
            cond = 14u;
        }
    }
    return arm_cond_holds(cond, cpsr);
}

/* The CPSR after an instruction that was skipped. */
static inline uint32_t arm_psr_next(uint32_t cpsr)
{
    return ((cpsr & ARM_PSR_T) != 0u) ? arm_it_advance(cpsr) : cpsr;
}

/* Offsets of vectors */
enum arm_vector { ARM_VECTOR_UNDEF = 0x04, ARM_VECTOR_PABT = 0x0C, ARM_VECTOR_DABT = 0x10 };

/* What a vCPU finds in an exception. */
struct arm_a32_entry {
    uint32_t pc;
    uint32_t cpsr; /* its mode (UND or ABT) has the banked registers that the next two go to */
    uint32_t lr;
    uint32_t spsr;
};

/* pc: of the instruction. A CPU without PAN: sctlr with SPAN set. (G1.12, AArch32.EnterMode()) */
static inline struct arm_a32_entry arm_a32_enter(enum arm_vector vector, uint32_t pc, uint32_t cpsr,
                                                 uint32_t sctlr, uint32_t vbar)
{
    const uint32_t offset = (uint32_t)vector;
    const uint32_t base = ((sctlr & ARM_SCTLR_V) != 0u) ? 0xFFFF0000u : (vbar & ~0x1Fu);
    const uint32_t kept = ARM_PSR_FLAGS | ARM_PSR_GE | ARM_PSR_AIF | ARM_PSR_DIT | ARM_PSR_PAN;
    struct arm_a32_entry entry = { .pc = base + offset, .spsr = cpsr };

    entry.cpsr = (cpsr & kept) | ARM_PSR_I;
    if (vector == ARM_VECTOR_UNDEF) {
        entry.cpsr |= ARM_MODE_UND;
        entry.lr = pc + (((cpsr & ARM_PSR_T) != 0u) ? 2u : 4u);
    } else {
        entry.cpsr |= ARM_MODE_ABT | ARM_PSR_A;
        entry.lr = pc + ((vector == ARM_VECTOR_PABT) ? 4u : 8u);
    }
    entry.cpsr |= ((sctlr & ARM_SCTLR_TE) != 0u) ? ARM_PSR_T : 0u;
    entry.cpsr |= ((sctlr & ARM_SCTLR_EE) != 0u) ? ARM_PSR_E : 0u;
    entry.cpsr |= ((sctlr & ARM_SCTLR_SPAN) == 0u) ? ARM_PSR_PAN : 0u;
    entry.cpsr |= ((sctlr & ARM_SCTLR_DSSBS) != 0u) ? ARM_PSR_SSBS : 0u;
    return entry;
}

/* DFSR or IFSR of a synchronous external abort in answer to the trap of esr. is_long: TTBCR.EAE, or PMSAv8
 * (whose format is that one). */
static inline uint32_t arm_a32_fsr(uint64_t esr, bool is_long)
{
    uint32_t fsr = is_long ? 0x210u : 0x008u;

    if (arm_esr_ec(esr) == ARM_EC_DABT) {
        fsr |= ((esr & ARM_ESR_WNR) != 0u) ? BIT32(11) : 0u;
        fsr |= ((esr & ARM_ESR_CM) != 0u) ? BIT32(13) : 0u;
    }
    return fsr;
}

/* Would the exception that answers a refused instruction fetch be refused the same way, for ever? */
static inline bool arm_a32_repeats(const struct arm_a32_entry *entry, uint32_t pc)
{
    return ((entry->spsr & ARM_PSR_MODE) == ARM_MODE_ABT) && (entry->pc == pc);
}

/* A coprocessor register that a guest named */
struct arm_cp {
    uint32_t encoding; /* ARM_SYSREG() of its AArch64 counterpart; 0: there is none */
    uint32_t rt;       /* numbered as the port's syndromes do */
    uint32_t rt2;      /* upper half of a 64-bit access, ARM_CP_NO_RT2 */
};
#define ARM_CP_NO_RT2 32u

/* EC 0x03 to 0x0C. */
struct arm_cp arm_cp_decode(uint64_t esr);

#endif
