/* [impl->req~indexed-access~1] */
/* Loads and stores that move their base register (C6.2: LDR and STR of one register, immediate, post- and
 * pre-indexed). The syndrome of their aborts does not describe them, and compilers make them of loops over
 * device registers. */
#ifndef ARCH_ARM64_A64_INSN_H
#define ARCH_ARM64_A64_INSN_H

#include "hal/exit.h"

#define A64_INSN_NO_BASE 31u

/* Describes the access in exit, whose direction must be the instruction's. The register that moves by *step,
 * or A64_INSN_NO_BASE: another instruction, one with SP as base, or one whose base is what it loads or
 * stores, too. */
static inline uint32_t a64_insn_indexed(uint32_t insn, struct hal_exit *exit, uint64_t *step)
{
    const uint32_t size = insn >> 30u;
    const uint32_t opc = (insn >> 22u) & 3u;
    const uint32_t base = (insn >> 5u) & 31u;
    const uint32_t target = insn & 31u;
    const bool is_indexed = (insn & 0x3F200400u) == 0x38000400u;
    const bool exists = (opc < 2u) || ((size + opc) <= 4u); /* sign extension to more than the register has */
    const uint64_t offset = (insn >> 12u) & 0x1FFu;
    uint32_t result = A64_INSN_NO_BASE;

    if (is_indexed && exists && (base != A64_INSN_NO_BASE) && (base != target) &&
        (exit->write == (opc == 0u))) {
        exit->width = (uint8_t)(1u << size);
        exit->reg = (uint8_t)target;
        exit->sign_extend = opc >= 2u;
        exit->wide = (size == 3u) || (opc == 2u);
        *step = offset | (((offset & 0x100u) != 0u) ? ~0x1FFULL : 0u);
        result = base;
    }
    return result;
}

#endif
