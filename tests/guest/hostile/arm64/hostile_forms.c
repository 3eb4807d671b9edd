/* Forms of access, the devices a second time, and what ends a kernel. */
#include "hostile_arch.h"

#include "hostile.h"

#define BLOCK_NORMAL 0x705ULL /* the attributes of RAM */

extern uint64_t level1[512];

const uint32_t hostile_forms[] = {
    0x39400001u, /* ldrb */
    0x79400001u, /* ldrh */
    0xB9400001u, /* ldr w */
    0xF9400001u, /* ldr x */
    0x39000001u, /* strb */
    0x79000001u, /* strh */
    0xB9000001u, /* str w */
    0xF9000001u, /* str x */
    0x39800001u, /* ldrsb x */
    0xB9800001u, /* ldrsw */
    0xB8404401u, /* ldr w, post-index */
    0xB8404C01u, /* ldr w, pre-index */
    0xB8004401u, /* str w, post-index */
    0xF81F8C01u, /* str x, pre-index down */
    0x29400C02u, /* ldp w */
    0xA9400C02u, /* ldp x */
    0xA9000C02u, /* stp x */
    0xA8C10C02u, /* ldp x, post-index */
    0x885F7C01u, /* ldxr w */
    0xC85FFC01u, /* ldaxr x */
    0x88027C01u, /* stxr w */
    0xC87F0C02u, /* ldxp x */
    0x88DFFC01u, /* ldar w */
    0x889FFC01u, /* stlr w */
    0xB8210001u, /* ldadd w (Armv8.1) */
    0xF8E18001u, /* swpal x (Armv8.1) */
    0x88E1FC02u, /* casal w (Armv8.1) */
    0x48227C04u, /* casp x (Armv8.1) */
    0x3DC00001u, /* ldr q */
    0x3D800001u, /* str q */
    0x4C407001u, /* ld1 16b */
    0x4C9F2001u, /* st1 four, post-index */
    0xAD400801u, /* ldp q */
    0xF9800000u, /* prfm */
    0xB8400801u, /* ldtr w */
    0xD50B7420u, /* dc zva */
    0xD5087620u, /* dc ivac */
    0xD50B7520u, /* ic ivau */
    0xD5087800u, /* at s1e1r */
};
const uint32_t hostile_nr_forms = (uint32_t)(sizeof(hostile_forms) / sizeof(hostile_forms[0]));

void hostile_alias(void)
{
    level1[HOSTILE_ALIAS >> 30u] = BLOCK_NORMAL;
    __asm__ volatile("dsb ish\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
}

void hostile_undefined(void)
{
    __asm__ volatile(".inst 0x00000000" : : : "memory");
}

void hostile_memory_gone(void)
{
    reg_write(ttbr0_el1, LAYOUT_NOWHERE);
    __asm__ volatile("tlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
}

void hostile_memory_empty(void)
{
    for (uint32_t i = 0u; i < 512u; i++) {
        level1[i] = 0u;
    }
    __asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
}

void hostile_stack_at(uintptr_t at)
{
    __asm__ volatile("mov sp, %0\n\tstr xzr, [sp]\n1:\tyield\n\tb 1b" : : "r"(at) : "memory");
}

__attribute__((section(".last"))) void hostile_overwrite(char *from, const char *to)
{
    __asm__ volatile("mov x0, #0\n"
                     "1:\tstr %w2, [%0], #4\n\t"
                     "cmp %0, %1\n\t"
                     "b.lo 1b\n\t"
                     "ic iallu\n\tdsb sy\n\tisb\n"
                     "2:\tyield\n\tb 2b"
                     :
                     : "r"(from), "r"(to), "r"(0xD4000002u)
                     : "x0", "memory");
}
