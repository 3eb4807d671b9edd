/* One area per CPU. struct hal_cpu (hal_arch/cpu.h) is the first member: the port's assembly finds it by
 * hal_cpu_local(). Layers keep their own per-CPU arrays indexed by cpu_id(). */
#ifndef BASE_PERCPU_H
#define BASE_PERCPU_H

#include "hal/context.h"
#include "hal/cpu.h"

struct percpu {
    struct hal_cpu hal;
    cpuid_t id;
    uint64_t hwid;
    uint32_t lock_rank;         /* bit set of the ranks held, CONFIG_DEBUG */
    uint32_t held;              /* how much it has that others would wait for in vain if it stopped */
    volatile uint32_t online;   /* set by the CPU itself when it can be scheduled on */
    volatile uint64_t ipi_work; /* enum percpu_ipi bits, set by other CPUs */
    struct hal_context worker;  /* runs queued work */
    struct hal_context idle;
    const char
        *runs; /* what the CPU enters: a domain's name, "worker", "idle"; NULL before; for a panic's line */
};

#define PERCPU_IPI_RESCHED 1ULL /* go through exit work */
#define PERCPU_IPI_PARK    2ULL /* panic elsewhere: stop */
#define PERCPU_IPI_PANIC   4ULL /* the operator wants it so */

extern struct percpu percpu_area[HV_CPUS_MAX];

static inline cpuid_t cpu_id(void)
{
    return hal_cpu_local()->id;
}

/* Around what must not be left half-way by a CPU that others go on without: locks, roles that are taken by a
 * flag, what is neither here nor there. Nests. Matters to panics only. */
static inline void percpu_hold(void)
{
    hal_cpu_local()->held++;
}

static inline void percpu_drop(void)
{
    hal_cpu_local()->held--;
}

/* Sets bits of a CPU's ipi_work and interrupts it, unless an earlier interrupt is still on its way. Any
 * context. */
void percpu_ipi_send(cpuid_t cpu, uint64_t bits);

/* CPUs that are online, as a bit set. */
uint64_t percpu_online(void);
uint32_t percpu_count_online(void);

#endif
