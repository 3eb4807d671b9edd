/* The executing CPU: AArch32. Contract in hal/cpu.h. HTPIDR holds the address of this CPU's struct percpu,
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

#define A32_CPSR_IRQ_FIQ 0xC0u /* CPSR.I and .F (DDI 0406 B1.3.3) */

static inline struct hal_cpu *a32_cpu(void)
{
    struct hal_cpu *cpu;

    __asm__ volatile("mrc p15, 4, %0, c13, c0, 2" : "=r"(cpu));
    return cpu;
}

static inline struct percpu *hal_cpu_local(void)
{
    struct percpu *area;

    __asm__ volatile("mrc p15, 4, %0, c13, c0, 2" : "=r"(area));
    return area;
}

static inline void hal_cpu_set_local(struct percpu *area)
{
    __asm__ volatile("mcr p15, 4, %0, c13, c0, 2" : : "r"(area) : "memory");
}

static inline uint64_t hal_cpu_irq_save(void)
{
    uint32_t cpsr;

    __asm__ volatile("mrs %0, cpsr\n\tcpsid if" : "=r"(cpsr) : : "memory");
    return cpsr;
}

static inline void hal_cpu_irq_restore(uint64_t cpsr)
{
    __asm__ volatile("msr cpsr_c, %0" : : "r"((uint32_t)cpsr) : "memory");
}

static inline void hal_cpu_irq_unmask(void)
{
    __asm__ volatile("cpsie if" : : : "memory");
}

static inline bool hal_cpu_irq_masked(void)
{
    uint32_t cpsr;

    __asm__ volatile("mrs %0, cpsr" : "=r"(cpsr) : : "memory");
    return (cpsr & A32_CPSR_IRQ_FIQ) != 0u;
}

static inline void hal_cpu_relax(void)
{
    __asm__ volatile("yield" : : : "memory");
}

static inline void hal_cpu_wait(void)
{
    __asm__ volatile("dsb\n\twfi" : : : "memory");
}

#endif
