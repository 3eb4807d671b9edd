/* One thread plays all CPUs, so plain accesses are atomic. */
#ifndef HAL_ARCH_SYNC_H
#define HAL_ARCH_SYNC_H

#include "hal/types.h"

static inline uint32_t hal_load_acquire32(const volatile uint32_t *word)
{
    return *word;
}

static inline uint64_t hal_load_acquire64(const volatile uint64_t *word)
{
    return *word;
}

static inline void hal_store_release32(volatile uint32_t *word, uint32_t value)
{
    *word = value;
}

static inline uint32_t hal_fetch_add32(volatile uint32_t *word, uint32_t value)
{
    const uint32_t old = *word;

    *word = old + value;
    return old;
}

static inline uint64_t hal_fetch_or64(volatile uint64_t *word, uint64_t bits)
{
    const uint64_t old = *word;

    *word = old | bits;
    return old;
}

static inline uint64_t hal_fetch_and64(volatile uint64_t *word, uint64_t bits)
{
    const uint64_t old = *word;

    *word = old & bits;
    return old;
}

static inline uint64_t hal_exchange64(volatile uint64_t *word, uint64_t value)
{
    const uint64_t old = *word;

    *word = value;
    return old;
}

static inline uint32_t hal_index(uint64_t number, uint32_t nr)
{
    return (number < nr) ? (uint32_t)number : 0u;
}

static inline void hal_barrier(void)
{
}

static inline void hal_barrier_io(void)
{
}

#endif
