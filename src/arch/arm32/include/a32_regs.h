/* A guest's registers that are live in the CPU while its vCPU is loaded: lists for whoever declares, saves or
 * loads them. X is what to do with each. */
#ifndef ARCH_ARM32_A32_REGS_H
#define ARCH_ARM32_A32_REGS_H

#include "a32_model.h"
#include "hal/types.h"

/* X(field, encoding), 32 bits; those of the memory model are in a32_model.h. FCSEIDR is writable where it
 * need not be: in QEMU. */
#define A32_WORDS(X)                                                                                         \
    X(sctlr, A32_SCTLR)                                                                                      \
    X(cpacr, A32_CPACR)                                                                                      \
    X(mair0, A32_MAIR0)                                                                                      \
    X(mair1, A32_MAIR1)                                                                                      \
    X(amair0, A32_AMAIR0)                                                                                    \
    X(amair1, A32_AMAIR1)                                                                                    \
    X(vbar, A32_VBAR)                                                                                        \
    X(dfsr, A32_DFSR)                                                                                        \
    X(ifsr, A32_IFSR)                                                                                        \
    X(adfsr, A32_ADFSR)                                                                                      \
    X(aifsr, A32_AIFSR)                                                                                      \
    X(dfar, A32_DFAR)                                                                                        \
    X(ifar, A32_IFAR)                                                                                        \
    X(fcseidr, A32_FCSEIDR)                                                                                  \
    X(contextidr, A32_CONTEXTIDR)                                                                            \
    X(tpidrurw, A32_TPIDRURW)                                                                                \
    X(tpidruro, A32_TPIDRURO)                                                                                \
    X(tpidrprw, A32_TPIDRPRW)                                                                                \
    X(cntkctl, A32_CNTKCTL)                                                                                  \
    X(csselr, A32_CSSELR)                                                                                    \
    A32_MODEL_WORDS(X)

/* ... 64 bits */
#define A32_PAIRS(X)                                                                                         \
    X(par, A32_PAR)                                                                                          \
    A32_MODEL_PAIRS(X)

/* X(index, register): banked ones. Of svc, abt, und, irq and fiq they are in a row, so that an index can be
 * computed (a32_bank_index). */
#define A32_BANKED_NR 21u
#define A32_BANKED(X)                                                                                        \
    X(0, sp_usr)                                                                                             \
    X(1, sp_svc)                                                                                             \
    X(2, lr_svc)                                                                                             \
    X(3, spsr_svc)                                                                                           \
    X(4, sp_abt)                                                                                             \
    X(5, lr_abt)                                                                                             \
    X(6, spsr_abt)                                                                                           \
    X(7, sp_und)                                                                                             \
    X(8, lr_und)                                                                                             \
    X(9, spsr_und)                                                                                           \
    X(10, sp_irq)                                                                                            \
    X(11, lr_irq)                                                                                            \
    X(12, spsr_irq)                                                                                          \
    X(13, r8_fiq)                                                                                            \
    X(14, r9_fiq)                                                                                            \
    X(15, r10_fiq)                                                                                           \
    X(16, r11_fiq)                                                                                           \
    X(17, r12_fiq)                                                                                           \
    X(18, sp_fiq)                                                                                            \
    X(19, lr_fiq)                                                                                            \
    X(20, spsr_fiq)

#define A32_IN_FRAME 31u /* no index: the frame holds it */
#define A32_NOWHERE  32u /* ... nobody does: the program counter */

/* Where general register n (8 and up) of the mode in cpsr is. */
static inline uint32_t a32_bank_index(uint32_t cpsr, uint32_t n)
{
    /* of sp by mode's low four bits; 0: that of User mode, which System mode shares */
    static const uint8_t row[16] = { 0, 18, 10, 1, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 0 };
    const uint32_t sp = row[cpsr & 15u];
    uint32_t index;

    if (n > 14u) {
        index = A32_NOWHERE;
    } else if (n == 14u) {
        index = (sp == 0u) ? A32_IN_FRAME : (sp + 1u);
    } else if (n == 13u) {
        index = sp;
    } else {
        index = (sp == 18u) ? (n + 5u) : A32_IN_FRAME;
    }
    return index;
}

#endif
