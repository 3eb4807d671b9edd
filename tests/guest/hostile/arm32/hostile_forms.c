/* Forms of access, the devices as normal memory, and what ends a kernel. */
#include "hostile_arch.h"

#include "hostile.h"

#define BLOCK_NORMAL 0x745ULL /* the attributes of RAM */

const uint32_t hostile_forms[] = {
    0xE5D01000u, /* ldrb */
    0xE1D010B0u, /* ldrh */
    0xE5901000u, /* ldr */
    0xE5C01000u, /* strb */
    0xE1C010B0u, /* strh */
    0xE5801000u, /* str */
    0xE1D010D0u, /* ldrsb */
    0xE1D010F0u, /* ldrsh */
    0xE4901004u, /* ldr, post-index */
    0xE5B01004u, /* ldr, pre-index */
    0xE5201008u, /* str, pre-index down */
    0xE1C020D0u, /* ldrd */
    0xE1C020F0u, /* strd */
    0xE0C020D8u, /* ldrd, post-index */
    0xE890000Cu, /* ldm */
    0xE8A0000Cu, /* stm, write-back */
    0xE890100Cu, /* ldm with r12 */
    0xE1901F9Fu, /* ldrex */
    0xE1802F91u, /* strex */
    0xE1B02F9Fu, /* ldrexd */
    0xE1D01F9Fu, /* ldrexb */
    0xE1001091u, /* swp */
    0xE1401091u, /* swpb */
    0xE4B01004u, /* ldrt */
    0xE4A01004u, /* strt */
    0xED900B00u, /* vldr d0 */
    0xED800B00u, /* vstr d0 */
    0xEC900B08u, /* vldm d0-d3 */
    0xF4200A0Fu, /* vld1 */
    0xF4000A0Fu, /* vst1 */
    0xED905E00u, /* ldc p14: DBGDTRTXint from there */
    0xED805E00u, /* stc p14 */
    0x1D905E00u, /* where the condition fails */
    0xF5D0F000u, /* pld */
    0xEE070F36u, /* DCIMVAC */
    0xEE070F31u, /* not a register of Armv7 */
    0xEE070F18u, /* ATS1CPR */
    0x01901F9Fu, /* ldrexeq */
    0xE1901E9Fu, /* ldaex (Armv8) */
    0xE180FC91u, /* stl (Armv8) */
};
const uint32_t hostile_nr_forms = (uint32_t)(sizeof(hostile_forms) / sizeof(hostile_forms[0]));

#if GUEST_MPU

void hostile_alias(void)
{
    reg_write(prselr, 1u);
    reg_write(prbar, (reg_read(prbar) & ~0x1Fu) | 0x1Au);
    reg_write(prlar, (reg_read(prlar) & ~0xFu) | 3u);
}

void hostile_memory_gone(void)
{
    const uint32_t nr = (uint32_t)((reg_read(mpuir) >> 8u) & 0xFFu);

    for (uint32_t n = nr; n > 0u; n--) {
        reg_write(prselr, n - 1u);
        reg_write(prlar, 0u);
    }
}

void hostile_memory_empty(void)
{
    const uint32_t nr = (uint32_t)((reg_read(mpuir) >> 8u) & 0xFFu);

    for (uint32_t n = nr; n > 0u; n--) {
        reg_write(prselr, n - 1u);
        reg_write(prbar, 0x1Au);
        reg_write(prlar, 0xFFFFFFC3u);
    }
}

#else

extern uint64_t level1[512];

static void changed(void)
{
    __asm__ volatile("dsb ish\n\tmcr p15, 0, %0, c8, c3, 0\n\tdsb ish\n\tisb" : : "r"(0u) : "memory");
}

void hostile_alias(void)
{
    level1[HOSTILE_ALIAS >> 30u] = BLOCK_NORMAL;
    changed();
}

void hostile_memory_gone(void)
{
    reg_write(ttbr0_el1, LAYOUT_NOWHERE);
    changed();
}

void hostile_memory_empty(void)
{
    for (uint32_t i = 0u; i < 512u; i++) {
        level1[i] = 0u;
    }
    changed();
}

#endif

void hostile_undefined(void)
{
    __asm__ volatile("udf #0" : : : "memory");
}

void hostile_stack_at(uintptr_t at)
{
    __asm__ volatile("mov sp, %0\n\tstr r0, [sp]\n1:\tyield\n\tb 1b" : : "r"(at) : "memory");
}

/* Firmware calls, one after the other */
__attribute__((section(".last"))) void hostile_overwrite(char *from, const char *to)
{
    __asm__ volatile("mov r0, #0\n"
                     "1:\tstr %2, [%0], #4\n\t"
                     "cmp %0, %1\n\t"
                     "blo 1b\n\t"
                     "mcr p15, 0, r0, c7, c5, 0\n\tdsb sy\n\tisb\n"
                     "2:\tyield\n\tb 2b"
                     : "+r"(from)
                     : "r"(to), "r"(0xE1400070u)
                     : "r0", "cc", "memory");
}
