/* A CPU of the test machine; the test says which one executes. */
#ifndef HAL_ARCH_CPU_H
#define HAL_ARCH_CPU_H

#include "hal/types.h"

struct percpu;
struct hal_cpu {
    uint32_t unused;
};

struct percpu *hal_cpu_local(void);

static inline uint64_t hal_cpu_irq_save(void)
{
    return 0u;
}

static inline void hal_cpu_irq_restore(uint64_t state)
{
    (void)state;
}

static inline void hal_cpu_relax(void)
{
}

#endif
