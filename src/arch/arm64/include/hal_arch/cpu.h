/* The executing CPU: arm64. Contract in hal/cpu.h. TPIDR_EL2 holds the address of this CPU's struct percpu,
 * whose first member is struct hal_cpu. */
#ifndef HAL_ARCH_CPU_H
#define HAL_ARCH_CPU_H

#include "hal/types.h"

struct percpu;
struct hal_frame;

/* What the port keeps for each CPU. Zeroed by the owner before hal_cpu_set_local(). */
struct hal_cpu {
    struct hal_frame *current; /* entered next; NULL until the first hal_context_set() */
    void *stack_top;           /* handlers start here; set by hal_cpu_init() */
    uint32_t exit_work;        /* not 0: upcall_exit_work() has to run before an entry */
    uint32_t slot;             /* window slots of this CPU; set by hal_cpu_init() */
};

#define A64_DAIF_IRQ_FIQ 0xC0u /* DAIF.I and .F as the DAIF register shows them (DDI 0487 C5.2.3) */

static inline struct hal_cpu *a64_cpu(void)
{
    struct hal_cpu *cpu;

    __asm__ volatile("mrs %0, tpidr_el2" : "=r"(cpu));
    return cpu;
}

static inline struct percpu *hal_cpu_local(void)
{
    struct percpu *area;

    __asm__ volatile("mrs %0, tpidr_el2" : "=r"(area));
    return area;
}

static inline void hal_cpu_set_local(struct percpu *area)
{
    __asm__ volatile("msr tpidr_el2, %0" : : "r"(area) : "memory");
}

static inline uint64_t hal_cpu_irq_save(void)
{
    uint64_t daif;

    __asm__ volatile("mrs %0, daif\n\tmsr daifset, #3" : "=r"(daif) : : "memory");
    return daif;
}

static inline void hal_cpu_irq_restore(uint64_t daif)
{
    __asm__ volatile("msr daif, %0" : : "r"(daif) : "memory");
}

static inline void hal_cpu_irq_unmask(void)
{
    __asm__ volatile("msr daifclr, #3" : : : "memory");
}

static inline bool hal_cpu_irq_masked(void)
{
    uint64_t daif;

    __asm__ volatile("mrs %0, daif" : "=r"(daif) : : "memory");
    return (daif & A64_DAIF_IRQ_FIQ) != 0u;
}

static inline void hal_cpu_relax(void)
{
    __asm__ volatile("yield" : : : "memory");
}

static inline void hal_cpu_wait(void)
{
    __asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

#endif
