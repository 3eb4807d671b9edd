/* AArch32: memory, traps, firmware calls. */
#include "arch.h"

#define KIND_UNDEFINED 1u /* the vectors' numbers */
#define KIND_SVC       2u
#define KIND_FETCH     3u
#define KIND_DATA      4u
#define KIND_IRQ       6u

#define CLASS_SVC    0x11u
#define CLASS_SHIFT  26u
#define DFSR_WNR     0x800u
#define SCTLR_OPEN   0x1005u /* M, C, I */
#define SCTLR_STRICT 0x2u    /* A: alignment checked */

/* Called by start.S */
void arch_memory_on(bool first);
void arch_trap(uint32_t kind, struct trap_frame *frame);
uint64_t arch_divide(uint64_t number, uint64_t by, uint64_t *rest);

#if GUEST_MPU

/* Own regions: all that may be RAM, and devices. Whatever lies there, the hypervisor decides. */
#define REGION_NORMAL 0xDFFFFFFFu
#define ACCESS_ALL    0x02u /* AP 01: read and write at any level */
#define ACCESS_NEVER  0x01u /* XN */
#define ENABLED       0x01u

static void region_put(uint32_t n, uint32_t base, uint32_t limit, uint32_t attribute)
{
    reg_write(prselr, n);
    reg_write(prbar, base | ACCESS_ALL | ((attribute == 0u) ? ACCESS_NEVER : 0x18u));
    reg_write(prlar, (limit & ~63u) | (attribute << 1u) | ENABLED);
}

static void memory_map(bool first)
{
    (void)first;
    region_put(0u, 0u, REGION_NORMAL, 1u);
    region_put(1u, REGION_NORMAL + 1u, UINT32_MAX, 0u);
}

#else

#define BLOCK_DEVICE 0x60000000000401ULL /* never executable */
#define BLOCK_NORMAL 0x745ULL            /* inner shareable, at any level */
#define TCR_LPAE     0x80003500u /* all of the address space by TTBR0; write-back, inner shareable walks */

#define TABLE        3u
#define MIB2_LOW     21u
#define GRANTS_FIRST 448u /* of 2 MiB: what Xen's interface puts there is memory, not a device */
#define GRANTS_END   464u

/* Four blocks of 1 GiB, the first a table; attacks use more of the page. */
uint64_t level1[512] __attribute__((aligned(4096)));
static uint64_t level2[512] __attribute__((aligned(4096)));

static void forget_line(const void *line)
{
    __asm__ volatile("mcr p15, 0, %0, c7, c6, 1" : : "r"(line) : "memory"); /* DCIMVAC */
}

static void memory_map(bool first)
{
    if (first) {
        for (uint64_t i = 0u; i < 512u; i++) {
            level2[i] =
                (i << MIB2_LOW) | (((i >= GRANTS_FIRST) && (i < GRANTS_END)) ? BLOCK_NORMAL : BLOCK_DEVICE);
        }
        level1[0] = (uintptr_t)level2 | TABLE;
        for (uint64_t i = 1u; i < 4u; i++) {
            level1[i] = (i << 30u) | BLOCK_NORMAL;
        }
        forget_line(level1);
        for (uint32_t i = 0u; i < 512u; i += 4u) {
            forget_line(&level2[i]); /* lines have at least 32 bytes */
        }
        __asm__ volatile("dsb sy" : : : "memory");
    }
    reg_write(tcr_el1, TCR_LPAE);
    reg_write(ttbr0_el1, (uintptr_t)level1);
    reg_write(ttbr1_el1, 0u);
    __asm__ volatile("mcr p15, 0, %0, c8, c7, 0\n\tdsb sy\n\tisb" : : "r"(0u) : "memory"); /* TLBIALL */
}

#endif

/* Attribute 0: device nGnRnE, 1: write-back */
void arch_memory_on(bool first)
{
    reg_write(mair_el1, 0xFF00u);
    memory_map(first);
    __asm__ volatile("mcr p15, 0, %0, c7, c5, 0\n\tdsb sy\n\tisb" : : "r"(0u) : "memory"); /* ICIALLU */
    reg_write(sctlr_el1, (reg_read(sctlr_el1) | SCTLR_OPEN) & ~(uint64_t)SCTLR_STRICT);
}

/* -- Traps -- */

/* The syndrome that AArch64 would have of it: fault status registers have their long format, which is its. */
void arch_trap(uint32_t kind, struct trap_frame *frame)
{
    uint64_t syndrome = (1u << 25u);
    uint64_t address = 0u;

    if (kind == KIND_FETCH) {
        address = reg_read(ifar);
        syndrome |= ((uint64_t)CLASS_FETCH_ABORT << CLASS_SHIFT) | (reg_read(ifsr) & SYNDROME_STATUS);
    } else if (kind == KIND_DATA) {
        const uint64_t dfsr = reg_read(dfsr);

        address = reg_read(dfar);
        syndrome |= ((uint64_t)CLASS_DATA_ABORT << CLASS_SHIFT) | (dfsr & SYNDROME_STATUS) |
                    (((dfsr & DFSR_WNR) != 0u) ? SYNDROME_WRITE : 0u);
    } else if (kind == KIND_SVC) {
        syndrome |= (uint64_t)CLASS_SVC << CLASS_SHIFT;
    } else {
        /* undefined: class 0; or no exception of its own making */
    }
    if (kind == KIND_IRQ) {
        machine_trap(TRAP_IRQ, frame, 0u, 0u);
    } else {
        machine_trap((kind <= KIND_DATA) ? TRAP_SYNC : kind, frame, syndrome, address);
    }
}

/* -- Firmware -- */

#define FIRMWARE(name, instruction)                                                                          \
    struct firmware_result name(uint64_t function, uint64_t a, uint64_t b, uint64_t c)                       \
    {                                                                                                        \
        register uint32_t r0 __asm__("r0") = (uint32_t)function;                                             \
        register uint32_t r1 __asm__("r1") = (uint32_t)a;                                                    \
        register uint32_t r2 __asm__("r2") = (uint32_t)b;                                                    \
        register uint32_t r3 __asm__("r3") = (uint32_t)c;                                                    \
                                                                                                             \
        __asm__ volatile(instruction : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3) : : "r12", "memory");          \
        const struct firmware_result result = { { r0, r1, r2, r3 } };                                        \
        return result;                                                                                       \
    }

FIRMWARE(firmware_hvc, ".arch_extension virt\n\thvc #0")
FIRMWARE(firmware_smc, ".arch_extension sec\n\tsmc #0")

/* -- What the compiler calls for a division of 64 bits -- */

uint64_t arch_divide(uint64_t number, uint64_t by, uint64_t *rest)
{
    uint64_t quotient = 0u;
    uint64_t left = 0u;

    if ((number <= UINT32_MAX) && (by <= UINT32_MAX) && (by != 0u)) {
        quotient = (uint32_t)number / (uint32_t)by;
        left = (uint32_t)number % (uint32_t)by;
    } else {
        for (uint32_t bit = 64u; bit > 0u; bit--) {
            const bool over = (left >> 63u) != 0u;

            left = (left << 1u) | ((number >> (bit - 1u)) & 1u);
            if (over || (left >= by)) {
                left -= by;
                quotient |= 1ULL << (bit - 1u);
            }
        }
    }
    *rest = left;
    return quotient;
}
