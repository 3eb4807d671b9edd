/* Atomics and barriers, inline in hal_arch/sync.h. All are SMP-safe between CPUs in the inner-shareable
 * domain.
 *   uint32_t hal_load_acquire32(const volatile uint32_t *)    void hal_store_release32(volatile uint32_t *,
 *   uint32_t)
 *   uint64_t hal_load_acquire64(const volatile uint64_t *)    void hal_store_release64(volatile uint64_t *,
 *   uint64_t)
 *   uint32_t hal_fetch_add32(volatile uint32_t *, uint32_t)   returns the old value; acquire and release
 *   uint64_t hal_fetch_or64(volatile uint64_t *, uint64_t)    likewise
 *   uint64_t hal_fetch_and64(volatile uint64_t *, uint64_t)   likewise
 *   uint64_t hal_exchange64(volatile uint64_t *, uint64_t)    likewise
 *   bool hal_compare_swap32(volatile uint32_t *, uint32_t expected, uint32_t desired)  true if swapped
 *   bool hal_try_swap32(volatile uint32_t *, uint32_t expected, uint32_t desired)  the same with one attempt,
 *   which may fail for no reason: for words that a guest writes, who could make a loop of it endless
 *   bool hal_try_or32(volatile uint32_t *, uint32_t bits, uint32_t *old)  likewise; true if done, which a
 *   compare and swap would need one more look for
 *   void hal_barrier(void)                                    full barrier between memory accesses of CPUs
 *   void hal_barrier_io(void)                                 ... that device accesses take part in, and
 *   complete
 *   uint32_t hal_index(uint64_t number, uint32_t nr)          number if below nr, else 0; nor is any other
 *   speculated */
#ifndef HAL_SYNC_H
#define HAL_SYNC_H

#include "hal/types.h"
#include "hal_arch/sync.h"

#endif
