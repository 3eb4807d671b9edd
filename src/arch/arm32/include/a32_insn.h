/* [impl->req~indexed-access~1] */
/* Loads and stores that the syndrome of their aborts does not describe although they are plain to a device:
 * pairs (LDRD, STRD) and those that move their base register by an immediate (DDI 0487 F5.1). Compilers make
 * them of 64-bit registers and of loops over registers. */
#ifndef ARCH_ARM32_A32_INSN_H
#define ARCH_ARM32_A32_INSN_H

#include "hal/exit.h"

#define A32_INSN_NO_BASE 16u
#define A32_INSN_SP      13u
#define A32_INSN_PC      15u

/* A pair's two registers in hal_exit.reg, where its width is 8. */
#define A32_PAIR(rt, rt2)  ((uint8_t)((rt) | ((rt2) << 4u)))
#define A32_PAIR_LOW(reg)  ((uint32_t)(reg) & 15u)
#define A32_PAIR_HIGH(reg) ((uint32_t)(reg) >> 4u)

struct a32_insn {
    uint32_t width; /* 0: none of these */
    uint32_t rt;
    uint32_t rt2; /* of a pair */
    uint32_t rn;
    uint32_t step; /* rn moves by it, if it moves */
    bool is_store;
    bool is_signed;
    bool moves;
};

static inline uint32_t a32_insn_signed(uint32_t offset, uint32_t is_up)
{
    return (is_up != 0u) ? offset : (0u - offset);
}

/* Of halfwords, signed bytes and pairs. Those that would move by a register are left out. */
static inline bool a32_insn_is_extra(uint32_t insn)
{
    const uint32_t fixed = insn & (0x0E000000u | 0x90u);
    const bool moves_by_register =
        ((insn & BIT32(22)) == 0u) && ((insn & (BIT32(24) | BIT32(21))) != BIT32(24));

    return (fixed == 0x90u) && ((insn & 0x60u) != 0u) && !moves_by_register;
}

/* A32: bit 24 P (0: post-indexed), 23 U, 21 W, 20 L. Halfwords, signed bytes and pairs have their kind in
 * bits 6:5 and the immediate in two parts. */
static inline struct a32_insn a32_insn_arm(uint32_t insn)
{
    const bool is_word = (((insn >> 25u) & 7u) == 2u) && ((insn >> 28u) != 15u);
    const uint32_t kind = (insn >> 5u) & 3u;
    const bool is_extra = a32_insn_is_extra(insn) && ((insn >> 28u) != 15u);
    const bool is_load = (insn & BIT32(20)) != 0u;
    const bool is_pair = is_extra && !is_load && (kind >= 2u);
    const uint32_t offset = is_word ? (insn & 0xFFFu) : (((insn >> 4u) & 0xF0u) | (insn & 0xFu));
    struct a32_insn it = { .rt = (insn >> 12u) & 15u, .rn = (insn >> 16u) & 15u };

    it.moves = ((insn & BIT32(24)) == 0u) || ((insn & BIT32(21)) != 0u);
    it.step = a32_insn_signed(offset, insn & BIT32(23));
    it.is_store = !is_load;
    it.is_signed = is_extra && is_load && (kind >= 2u);
    it.rt2 = it.rt | 1u; /* the next one of an even one; an odd one is unpredictable */
    if (is_word) {
        it.width = ((insn & BIT32(22)) != 0u) ? 1u : 4u;
    } else if (is_pair) {
        it.width = 8u;
        it.is_store = kind == 3u;
    } else if (is_extra) {
        it.width = (kind == 2u) ? 1u : 2u;
    } else {
        it.width = 0u;
    }
    return it;
}

/* T32, first halfword in the upper half: pairs 1110 100P U1WL, others 1111 100S 0szL with 1PUW in the
 * second. */
static inline struct a32_insn a32_insn_thumb(uint32_t insn)
{
    const bool is_pair = ((insn & 0xFE400000u) == 0xE8400000u) && ((insn & (BIT32(24) | BIT32(21))) != 0u);
    const bool is_single = ((insn & 0xFE800800u) == 0xF8000800u) && ((insn & (BIT32(10) | BIT32(8))) != 0u);
    const uint32_t size = (insn >> 21u) & 3u;
    struct a32_insn it = { .rt = (insn >> 12u) & 15u, .rn = (insn >> 16u) & 15u };

    it.is_store = (insn & BIT32(20)) == 0u;
    if (is_pair) {
        it.width = 8u;
        it.rt2 = (insn >> 8u) & 15u;
        it.moves = (insn & BIT32(21)) != 0u;
        it.step = a32_insn_signed((insn & 0xFFu) * 4u, insn & BIT32(23));
    } else if (is_single && (size < 3u)) {
        it.width = 1u << size;
        it.is_signed = (insn & BIT32(24)) != 0u;
        it.moves = (insn & BIT32(8)) != 0u;
        it.step = a32_insn_signed(insn & 0xFFu, insn & BIT32(9));
        if (it.is_signed && (it.is_store || (size == 2u))) {
            it.width = 0u;
        }
    } else {
        it.width = 0u;
    }
    return it;
}

/* What the manual calls unpredictable, and what the emulation does not know. */
static inline bool a32_insn_is_odd(const struct a32_insn *it)
{
    const bool is_pair = it->width == 8u;
    const bool hits_base = (it->rn == it->rt) || (is_pair && (it->rn == it->rt2));
    const bool has_pc = (it->rt == A32_INSN_PC) || (is_pair && (it->rt2 >= A32_INSN_PC));
    const bool is_twice = is_pair && !it->is_store && (it->rt == it->rt2);

    return (it->width == 0u) || has_pc || is_twice ||
           (it->moves && (hits_base || (it->rn == A32_INSN_SP) || (it->rn == A32_INSN_PC)));
}

/* Describes the access in exit, whose direction must be the instruction's, and tells the register that moves
 * by *step, or A32_INSN_NO_BASE. exit->width stays 0 for other instructions, those that move the stack
 * pointer, and those whose base is what they load or store, too. */
static inline uint32_t a32_insn_describe(uint32_t insn, bool is_thumb, struct hal_exit *exit, uint32_t *step)
{
    const struct a32_insn it = is_thumb ? a32_insn_thumb(insn) : a32_insn_arm(insn);

    if (a32_insn_is_odd(&it) || (exit->write != it.is_store)) {
        return A32_INSN_NO_BASE;
    }
    exit->width = (uint8_t)it.width;
    exit->reg = (it.width == 8u) ? A32_PAIR(it.rt, it.rt2) : (uint8_t)it.rt;
    exit->sign_extend = it.is_signed;
    exit->wide = false;
    *step = it.step;
    return it.moves ? it.rn : A32_INSN_NO_BASE;
}

#endif
