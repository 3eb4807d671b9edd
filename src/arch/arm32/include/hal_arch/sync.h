/* Atomics and barriers: AArch32 exclusives and DMB, which Armv7 and Armv8-R have alike. Contract in
 * hal/sync.h. Each retry loop ends when no other CPU writes the word between the exclusive load and store.
 * Words of 64 bits take the exclusive forms: they alone are single-copy atomic everywhere (DDI 0406
 * A3.5.3). */
#ifndef HAL_ARCH_SYNC_H
#define HAL_ARCH_SYNC_H

#include "hal/types.h"

static inline void hal_barrier(void)
{
    __asm__ volatile("dmb ish" : : : "memory");
}

static inline void hal_barrier_io(void)
{
    __asm__ volatile("dsb sy" : : : "memory");
}

static inline uint32_t hal_load_acquire32(const volatile uint32_t *word)
{
    const uint32_t value = *word;

    hal_barrier();
    return value;
}

static inline uint64_t hal_load_acquire64(const volatile uint64_t *word)
{
    uint64_t value;

    __asm__ volatile("ldrexd %0, %H0, %1\n\tdmb ish" : "=&r"(value) : "Q"(*word) : "memory");
    return value;
}

static inline void hal_store_release32(volatile uint32_t *word, uint32_t value)
{
    hal_barrier();
    *word = value;
}

static inline uint32_t hal_fetch_add32(volatile uint32_t *word, uint32_t n)
{
    uint32_t old;
    uint32_t sum;
    uint32_t failed;

    __asm__ volatile("dmb ish\n1:\n\tldrex %0, %3\n\tadd %1, %0, %4\n\tstrex %2, %1, %3\n\tcmp %2, #0\n\t"
                     "bne 1b\n\tdmb ish"
                     : "=&r"(old), "=&r"(sum), "=&r"(failed), "+Q"(*word)
                     : "r"(n)
                     : "memory", "cc");
    return old;
}

#define A32_FETCH_OP64(op, word, operand)                                                                    \
    ((uint64_t)__extension__({                                                                               \
        uint64_t a32_old;                                                                                    \
        uint64_t a32_new;                                                                                    \
        uint32_t a32_failed;                                                                                 \
        __asm__ volatile("dmb ish\n1:\n\tldrexd %0, %H0, %3\n\t" op " %Q1, %Q0, %Q4\n\t" op " %R1, %R0, %R4" \
                         "\n\tstrexd %2, %1, %H1, %3\n\tcmp %2, #0\n\tbne 1b\n\tdmb ish"                     \
                         : "=&r"(a32_old), "=&r"(a32_new), "=&r"(a32_failed), "+Q"(*(word))                  \
                         : "r"((uint64_t)(operand))                                                          \
                         : "memory", "cc");                                                                  \
        a32_old;                                                                                             \
    }))

static inline uint64_t hal_fetch_or64(volatile uint64_t *word, uint64_t bits)
{
    return A32_FETCH_OP64("orr", word, bits);
}

static inline uint64_t hal_fetch_and64(volatile uint64_t *word, uint64_t bits)
{
    return A32_FETCH_OP64("and", word, bits);
}

static inline uint64_t hal_exchange64(volatile uint64_t *word, uint64_t value)
{
    uint64_t old;
    uint32_t failed;

    __asm__ volatile("dmb ish\n1:\n\tldrexd %0, %H0, %2\n\tstrexd %1, %3, %H3, %2\n\tcmp %1, #0\n\tbne 1b\n\t"
                     "dmb ish"
                     : "=&r"(old), "=&r"(failed), "+Q"(*word)
                     : "r"(value)
                     : "memory", "cc");
    return old;
}

static inline void hal_store_release64(volatile uint64_t *word, uint64_t value)
{
    (void)hal_exchange64(word, value);
}

static inline bool hal_compare_swap32(volatile uint32_t *word, uint32_t expected, uint32_t desired)
{
    uint32_t old;
    uint32_t failed;

    __asm__ volatile("dmb ish\n1:\n\tldrex %0, %2\n\tcmp %0, %3\n\tbne 2f\n\tstrex %1, %4, %2\n\t"
                     "cmp %1, #0\n\tbne 1b\n2:\n\tdmb ish"
                     : "=&r"(old), "=&r"(failed), "+Q"(*word)
                     : "r"(expected), "r"(desired)
                     : "memory", "cc");
    return old == expected;
}

static inline bool hal_try_swap32(volatile uint32_t *word, uint32_t expected, uint32_t desired)
{
    uint32_t old;
    uint32_t failed;

    __asm__ volatile("dmb ish\n\tmov %1, #1\n\tldrex %0, %2\n\tcmp %0, %3\n\tstrexeq %1, %4, %2\n\tdmb ish"
                     : "=&r"(old), "=&r"(failed), "+Q"(*word)
                     : "r"(expected), "r"(desired)
                     : "memory", "cc");
    return failed == 0u;
}

static inline bool hal_try_or32(volatile uint32_t *word, uint32_t bits, uint32_t *old)
{
    uint32_t was;
    uint32_t result;
    uint32_t failed;

    __asm__ volatile("dmb ish\n\tldrex %0, %3\n\torr %1, %0, %4\n\tstrex %2, %1, %3\n\tdmb ish"
                     : "=&r"(was), "=&r"(result), "=&r"(failed), "+Q"(*word)
                     : "r"(bits)
                     : "memory");
    *old = was;
    return failed == 0u;
}

/* CSDB (a hint, by number: older assemblers do not know it): the selected value itself is not predicted. */
static inline uint32_t hal_index(uint64_t number, uint32_t nr)
{
    uint32_t index;

    __asm__("cmp %R1, #0\n\tcmpeq %Q1, %2\n\tmovlo %0, %Q1\n\tmovhs %0, #0\n\t.inst 0xE320F014"
            : "=&r"(index)
            : "r"(number), "r"(nr)
            : "cc");
    return index;
}

#endif
