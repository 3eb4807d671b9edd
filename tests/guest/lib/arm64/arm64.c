/* AArch64: translation tables, traps, firmware calls. */
#include "arch.h"

#define BLOCK_DEVICE 0x60000000000401ULL /* never executable */
#define BLOCK_NORMAL 0x705ULL            /* inner shareable */

#define TABLE        3u
#define MIB2_LOW     21u
#define GRANTS_FIRST 448u /* of 2 MiB: what Xen's interface puts there is memory, not a device */
#define GRANTS_END   464u

extern uint64_t level1[512];
static uint64_t level2[512] __attribute__((aligned(4096)));
/* Called by start.S */
void arch_tables_make(void);
void arch_trap(uint64_t kind, struct trap_frame *frame);

/* Before the MMU is on: no table lines may linger in a cache then. */
void arch_tables_make(void)
{
    for (uint64_t i = 0u; i < 512u; i++) {
        level2[i] =
            (i << MIB2_LOW) | (((i >= GRANTS_FIRST) && (i < GRANTS_END)) ? BLOCK_NORMAL : BLOCK_DEVICE);
    }
    level1[0] = (uint64_t)(uintptr_t)level2 | TABLE;
    for (uint64_t i = 1u; i < 4u; i++) {
        level1[i] = (i << 30u) | BLOCK_NORMAL;
    }
    for (uint32_t i = 0u; i < 512u; i += 8u) {
        __asm__ volatile("dc ivac, %0\n\tdc ivac, %1" : : "r"(&level1[i]), "r"(&level2[i]) : "memory");
    }
    __asm__ volatile("dsb sy" : : : "memory");
}

/* -- Traps -- */

void arch_trap(uint64_t kind, struct trap_frame *frame)
{
    machine_trap((uint32_t)kind, frame, reg_read(esr_el1), reg_read(far_el1));
}

/* -- Firmware -- */

#define FIRMWARE(name, instruction)                                                                          \
    struct firmware_result name(uint64_t function, uint64_t a, uint64_t b, uint64_t c)                       \
    {                                                                                                        \
        register uint64_t x0 __asm__("x0") = function;                                                       \
        register uint64_t x1 __asm__("x1") = a;                                                              \
        register uint64_t x2 __asm__("x2") = b;                                                              \
        register uint64_t x3 __asm__("x3") = c;                                                              \
                                                                                                             \
        __asm__ volatile(instruction                                                                         \
                         : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)                                            \
                         :                                                                                   \
                         : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",     \
                           "x16", "x17", "memory");                                                          \
        const struct firmware_result result = { { x0, x1, x2, x3 } };                                        \
        return result;                                                                                       \
    }

FIRMWARE(firmware_hvc, "hvc #0")
FIRMWARE(firmware_smc, "smc #0")
