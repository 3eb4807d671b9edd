/* State that only a careful switch keeps: FP and SIMD registers, what is banked by mode, thread, fault and
 * translation or region registers. Compiled with floating point. */
#include "probe.h"

#define VECTORS   32u
#define SPSR_BITS 0xF0000000u
#define SPSR_MODE 0x1D3u /* SVC, all masked */

struct vectors {
    uint64_t d[VECTORS];
} __attribute__((aligned(16)));

static struct vectors in[GUEST_CPUS_MAX];
static struct vectors out[GUEST_CPUS_MAX];

/* Of the modes in which nothing of ours runs between two looks: which, and whether it is a program status */
#define BANKED(X)                                                                                            \
    X(0, sp_usr)                                                                                             \
    X(1, lr_usr)                                                                                             \
    X(2, r8_fiq)                                                                                             \
    X(3, r9_fiq)                                                                                             \
    X(4, r10_fiq)                                                                                            \
    X(5, r11_fiq)                                                                                            \
    X(6, r12_fiq)                                                                                            \
    X(7, sp_fiq)                                                                                             \
    X(8, lr_fiq)                                                                                             \
    X(9, sp_irq)                                                                                             \
    X(10, sp_abt)                                                                                            \
    X(11, lr_abt)                                                                                            \
    X(12, sp_und)                                                                                            \
    X(13, lr_und)
#define STATUS(X)                                                                                            \
    X(14, spsr_fiq)                                                                                          \
    X(15, spsr_abt)                                                                                          \
    X(16, spsr_und)
#define SYSTEM(X)                                                                                            \
    X(17, tpidr_el0)                                                                                         \
    X(18, tpidrro_el0)                                                                                       \
    X(19, tpidr_el1)                                                                                         \
    X(20, contextidr_el1)                                                                                    \
    X(21, dfar)                                                                                              \
    X(22, ifar)
#define NR_WORDS 23u

#define BANKED_WRITE(n, name)                                                                                \
    __asm__ volatile(".arch_extension virt\n\tmsr " #name ", %0" : : "r"(word[n]) : "memory");
#define BANKED_LOOK(n, name)                                                                                 \
    {                                                                                                        \
        uint32_t value;                                                                                      \
                                                                                                             \
        __asm__ volatile(".arch_extension virt\n\tmrs %0, " #name : "=r"(value) : : "memory");               \
        changed += (value != word[n]) ? 1u : 0u;                                                             \
    }
#define STATUS_WRITE(n, name)                                                                                \
    word[n] = (word[n] & SPSR_BITS) | SPSR_MODE;                                                             \
    BANKED_WRITE(n, name)
#define SYSTEM_WRITE(n, name) reg_write(name, word[n]);
#define SYSTEM_LOOK(n, name)  changed += (reg_read(name) != word[n]) ? 1u : 0u;

#if GUEST_MPU
#define REGION_FIRST 4u /* not in use */

static void memory_write(const uint32_t *word)
{
    const uint32_t nr = (uint32_t)((reg_read(mpuir) >> 8u) & 0xFFu);

    for (uint32_t n = REGION_FIRST; n < nr; n++) {
        reg_write(prselr, n);
        reg_write(prbar, ((word[0] + (n << 12u)) & ~63u) | 3u);
        reg_write(prlar, ((word[1] + (n << 12u)) & ~63u) | 2u); /* not enabled */
    }
}

static uint32_t memory_changed(const uint32_t *word)
{
    const uint32_t nr = (uint32_t)((reg_read(mpuir) >> 8u) & 0xFFu);
    uint32_t changed = (reg_read(prselr) != (nr - 1u)) ? 1u : 0u;

    for (uint32_t n = REGION_FIRST; n < nr; n++) {
        reg_write(prselr, n);
        changed += (reg_read(prbar) != (((word[0] + (n << 12u)) & ~63u) | 3u)) ? 1u : 0u;
        changed += (reg_read(prlar) != (((word[1] + (n << 12u)) & ~63u) | 2u)) ? 1u : 0u;
    }
    return changed;
}
#else
static void memory_write(const uint32_t *word)
{
    reg_write(ttbr1_el1, word[0] & 0xFFFFF000u);
    reg_write(par_el1, word[1] & 0xFFFFF000u);
}

static uint32_t memory_changed(const uint32_t *word)
{
    return ((reg_read(ttbr1_el1) != (word[0] & 0xFFFFF000u)) ? 1u : 0u) +
           ((reg_read(par_el1) != (word[1] & 0xFFFFF000u)) ? 1u : 0u);
}
#endif

static void system_write(uint32_t *word)
{
    BANKED(BANKED_WRITE)
    STATUS(STATUS_WRITE)
    SYSTEM(SYSTEM_WRITE)
    memory_write(word);
}

static uint32_t system_changed(const uint32_t *word)
{
    uint32_t changed = memory_changed(word);

    BANKED(BANKED_LOOK)
    STATUS(BANKED_LOOK)
    SYSTEM(SYSTEM_LOOK)
    return changed;
}

static void rounds(const struct vectors *from, struct vectors *to)
{
    /* Loaded, left alone for some time, stored: nothing in between uses these registers. */
    __asm__ volatile("mov r3, %0\n\t"
                     "vldmia r3!, {d0-d15}\n\t"
                     "vldmia r3, {d16-d31}\n\t"
                     "mov r3, %2\n"
                     "1:\tsubs r3, r3, #1\n\t"
                     "bne 1b\n\t"
                     "mov r3, %1\n\t"
                     "vstmia r3!, {d0-d15}\n\t"
                     "vstmia r3, {d16-d31}"
                     :
                     : "r"(from), "r"(to), "r"(20000u)
                     : "r3", "cc", "memory", "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9",
                       "d10", "d11", "d12", "d13", "d14", "d15", "d16", "d17", "d18", "d19", "d20", "d21",
                       "d22", "d23", "d24", "d25", "d26", "d27", "d28", "d29", "d30", "d31");
}

uint32_t probe_registers_kept(uint64_t pattern, uint32_t ms)
{
    struct vectors *const from = &in[cpu_number()];
    struct vectors *const to = &out[cpu_number()];
    const uint64_t end = timer_now() + ((timer_frequency() / 1000u) * ms);
    uint32_t word[NR_WORDS];
    uint32_t nr_rounds = 0u;
    uint32_t changed = 0u;

    for (uint32_t i = 0u; i < VECTORS; i++) {
        from->d[i] = pattern + ((uint64_t)i * 0x0101010101010101ULL);
    }
    for (uint32_t i = 0u; i < NR_WORDS; i++) {
        word[i] = (uint32_t)(pattern ^ ((uint64_t)(i + 1u) * 0x9E3779B97F4A7C15ULL)) & ~3u;
    }
    system_write(word);
    arch_irq_open();
    while (timer_now() < end) {
        uint32_t status;

        __asm__ volatile("vmsr fpscr, %0" : : "r"(0x40001Fu) : "memory");
        rounds(from, to);
        __asm__ volatile("vmrs %0, fpscr" : "=r"(status) : : "memory");
        changed += (status != 0x40001Fu) ? 1u : 0u;
        for (uint32_t i = 0u; i < VECTORS; i++) {
            changed += (from->d[i] != to->d[i]) ? 1u : 0u;
        }
        nr_rounds++;
    }
    arch_irq_mask();
    changed += system_changed(word);
    __asm__ volatile("vmsr fpscr, %0" : : "r"(0u) : "memory");
    return (nr_rounds > 0u) ? changed : 1u;
}
