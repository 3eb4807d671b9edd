/* Atomics and barriers: arm64, base Armv8.0 exclusives. Contract in hal/sync.h. Each retry loop ends when no
 * other CPU writes the word between the exclusive load and store. */
#ifndef HAL_ARCH_SYNC_H
#define HAL_ARCH_SYNC_H

#include "hal/types.h"

static inline uint32_t hal_load_acquire32(const volatile uint32_t *word)
{
    uint32_t value;

    __asm__ volatile("ldar %w0, %1" : "=r"(value) : "Q"(*word) : "memory");
    return value;
}

static inline uint64_t hal_load_acquire64(const volatile uint64_t *word)
{
    uint64_t value;

    __asm__ volatile("ldar %0, %1" : "=r"(value) : "Q"(*word) : "memory");
    return value;
}

static inline void hal_store_release32(volatile uint32_t *word, uint32_t value)
{
    __asm__ volatile("stlr %w1, %0" : "=Q"(*word) : "r"(value) : "memory");
}

static inline void hal_store_release64(volatile uint64_t *word, uint64_t value)
{
    __asm__ volatile("stlr %1, %0" : "=Q"(*word) : "r"(value) : "memory");
}

static inline uint32_t hal_fetch_add32(volatile uint32_t *word, uint32_t n)
{
    uint32_t old;
    uint32_t sum;
    uint32_t failed;

    __asm__ volatile("1:\n\tldaxr %w0, %3\n\tadd %w1, %w0, %w4\n\tstlxr %w2, %w1, %3\n\tcbnz %w2, 1b"
                     : "=&r"(old), "=&r"(sum), "=&r"(failed), "+Q"(*word)
                     : "r"(n)
                     : "memory");
    return old;
}

static inline uint64_t hal_fetch_or64(volatile uint64_t *word, uint64_t bits)
{
    uint64_t old;
    uint64_t result;
    uint32_t failed;

    __asm__ volatile("1:\n\tldaxr %0, %3\n\torr %1, %0, %4\n\tstlxr %w2, %1, %3\n\tcbnz %w2, 1b"
                     : "=&r"(old), "=&r"(result), "=&r"(failed), "+Q"(*word)
                     : "r"(bits)
                     : "memory");
    return old;
}

static inline uint64_t hal_fetch_and64(volatile uint64_t *word, uint64_t bits)
{
    uint64_t old;
    uint64_t result;
    uint32_t failed;

    __asm__ volatile("1:\n\tldaxr %0, %3\n\tand %1, %0, %4\n\tstlxr %w2, %1, %3\n\tcbnz %w2, 1b"
                     : "=&r"(old), "=&r"(result), "=&r"(failed), "+Q"(*word)
                     : "r"(bits)
                     : "memory");
    return old;
}

static inline uint64_t hal_exchange64(volatile uint64_t *word, uint64_t value)
{
    uint64_t old;
    uint32_t failed;

    __asm__ volatile("1:\n\tldaxr %0, %2\n\tstlxr %w1, %3, %2\n\tcbnz %w1, 1b"
                     : "=&r"(old), "=&r"(failed), "+Q"(*word)
                     : "r"(value)
                     : "memory");
    return old;
}

static inline bool hal_compare_swap32(volatile uint32_t *word, uint32_t expected, uint32_t desired)
{
    uint32_t old;
    uint32_t failed;

    __asm__ volatile(
        "1:\n\tldaxr %w0, %2\n\tcmp %w0, %w3\n\tb.ne 2f\n\tstlxr %w1, %w4, %2\n\tcbnz %w1, 1b\n2:"
        : "=&r"(old), "=&r"(failed), "+Q"(*word)
        : "r"(expected), "r"(desired)
        : "memory", "cc");
    return old == expected;
}

static inline bool hal_try_swap32(volatile uint32_t *word, uint32_t expected, uint32_t desired)
{
    uint32_t old;
    uint32_t failed;

    __asm__ volatile("mov %w1, #1\n\tldaxr %w0, %2\n\tcmp %w0, %w3\n\tb.ne 1f\n\tstlxr %w1, %w4, %2\n1:"
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

    __asm__ volatile("ldaxr %w0, %3\n\torr %w1, %w0, %w4\n\tstlxr %w2, %w1, %3"
                     : "=&r"(was), "=&r"(result), "=&r"(failed), "+Q"(*word)
                     : "r"(bits)
                     : "memory");
    *old = was;
    return failed == 0u;
}

static inline void hal_barrier(void)
{
    __asm__ volatile("dmb ish" : : : "memory");
}

static inline void hal_barrier_io(void)
{
    __asm__ volatile("dsb sy" : : : "memory");
}

/* CSDB (C6.2.87): the selected value itself is not predicted. */
static inline uint32_t hal_index(uint64_t number, uint32_t nr)
{
    uint64_t index;

    __asm__("cmp %1, %2\n\tcsel %0, %1, xzr, lo\n\thint #20"
            : "=r"(index)
            : "r"(number), "r"((uint64_t)nr)
            : "cc");
    return (uint32_t)index;
}

#endif
