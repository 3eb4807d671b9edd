/* The compiler's own atomics; good between threads that play CPUs as well. */
#ifndef HAL_ARCH_SYNC_H
#define HAL_ARCH_SYNC_H

#include <stdbool.h>
#include <stdint.h>

static inline uint32_t hal_load_acquire32(const volatile uint32_t *at)
{
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static inline void hal_store_release32(volatile uint32_t *at, uint32_t value)
{
    __atomic_store_n(at, value, __ATOMIC_RELEASE);
}

static inline uint64_t hal_load_acquire64(const volatile uint64_t *at)
{
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static inline void hal_store_release64(volatile uint64_t *at, uint64_t value)
{
    __atomic_store_n(at, value, __ATOMIC_RELEASE);
}

static inline uint32_t hal_fetch_add32(volatile uint32_t *at, uint32_t value)
{
    return __atomic_fetch_add(at, value, __ATOMIC_ACQ_REL);
}

static inline uint64_t hal_fetch_or64(volatile uint64_t *at, uint64_t value)
{
    return __atomic_fetch_or(at, value, __ATOMIC_ACQ_REL);
}

static inline uint64_t hal_fetch_and64(volatile uint64_t *at, uint64_t value)
{
    return __atomic_fetch_and(at, value, __ATOMIC_ACQ_REL);
}

static inline uint64_t hal_exchange64(volatile uint64_t *at, uint64_t value)
{
    return __atomic_exchange_n(at, value, __ATOMIC_ACQ_REL);
}

static inline bool hal_compare_swap32(volatile uint32_t *at, uint32_t expected, uint32_t desired)
{
    uint32_t seen = expected;

    return __atomic_compare_exchange_n(at, &seen, desired, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static inline bool hal_try_swap32(volatile uint32_t *at, uint32_t expected, uint32_t desired)
{
    uint32_t seen = expected;

    return __atomic_compare_exchange_n(at, &seen, desired, true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static inline bool hal_try_or32(volatile uint32_t *at, uint32_t bits, uint32_t *old)
{
    *old = __atomic_fetch_or(at, bits, __ATOMIC_ACQ_REL);
    return true;
}

static inline void hal_barrier(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void hal_barrier_io(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline uint32_t hal_index(uint64_t number, uint32_t nr)
{
    return (number < nr) ? (uint32_t)number : 0u;
}

#endif
