/* How much of rtds fits on a pool's CPUs: the same numbers at the desk, at boot and at run time. */
#ifndef LIB_EDF_H
#define LIB_EDF_H

#include <stdint.h>

/* A whole CPU, and the share of one that a vCPU's budget is. Shares are rounded up, so that never too much is
 * admitted; this number is a multiple of most small ones, so that most shares are exact. */
#define EDF_WHOLE 2162160000ULL /* 2^7 * 3^3 * 5^4 * 7 * 11 * 13 */
static inline uint32_t edf_share(uint32_t budget_us, uint32_t period_us)
{
    return (uint32_t)((((uint64_t)budget_us * EDF_WHOLE) + ((uint64_t)period_us - 1u)) / period_us);
}

/* What global EDF is sure to give on nr_cpus (at least 1) if no share is larger than `largest` (Goossens,
 * Funk, Baruah: Priority-driven scheduling of periodic task systems on multiprocessors, 2003) */
static inline uint64_t edf_bound(uint32_t nr_cpus, uint64_t largest)
{
    return ((uint64_t)nr_cpus * EDF_WHOLE) - ((uint64_t)(nr_cpus - 1u) * largest);
}

#endif
