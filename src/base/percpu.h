/* One area per CPU. struct hal_cpu (hal_arch/cpu.h) is the first member: the port's assembly finds it by hal_cpu_local().
 * Layers keep their own per-CPU arrays indexed by cpu_id(). */
#ifndef BASE_PERCPU_H
#define BASE_PERCPU_H

#include "hal/context.h"
#include "hal/cpu.h"
#include "hal/types.h"

struct percpu {
    struct hal_cpu hal;
    cpuid_t id;
    uint64_t hwid;
    uint32_t lock_rank;        /* highest rank held, CONFIG_DEBUG */
    volatile uint32_t online;  /* set by the CPU itself when it can be scheduled on */
    volatile uint64_t ipi_work; /* enum percpu_ipi bits, set by other CPUs */
    struct hal_context worker; /* runs queued work */
    struct hal_context idle;
};

#define PERCPU_IPI_RESCHED 1ULL /* go through exit work */
#define PERCPU_IPI_PARK 2ULL    /* panic elsewhere: stop */

extern struct percpu percpu_area[HV_CPUS_MAX];

static inline cpuid_t cpu_id(void)
{
    return hal_cpu_local()->id;
}

/* CPUs that are online, as a bit set. */
uint64_t percpu_online(void);
uint32_t percpu_count_online(void);

#endif
