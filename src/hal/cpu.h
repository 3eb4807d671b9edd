/* The CPU that executes this. Implemented inline in hal_arch/cpu.h unless noted.
 *   struct percpu *hal_cpu_local(void)        this CPU's area, set by hal_cpu_set_local(); struct percpu is
 *   base/percpu.h's
 *   void hal_cpu_set_local(struct percpu *)   once per CPU before anything else generic
 *   uint64_t hal_cpu_irq_save(void)           masks interrupts, returns the previous state
 *   void hal_cpu_irq_restore(uint64_t)        restores a state returned by hal_cpu_irq_save
 *   void hal_cpu_irq_unmask(void)             only work items and idle may run so
 *   bool hal_cpu_irq_masked(void)
 *   void hal_cpu_relax(void)                  hint inside a polling loop
 *   void hal_cpu_wait(void)                   sleeps until an interrupt is pending, masked or not */
#ifndef HAL_CPU_H
#define HAL_CPU_H

#include "hal/types.h"

struct percpu;

#include "hal_arch/cpu.h"

/* Starts a secondary CPU: it enters upcall_cpu_boot(cpu) on stack_top (16-byte aligned) with MMU and caches
 * on and interrupts masked. hwid: as in struct plan. Boot CPU only, before or after other CPUs run. Errors:
 * HV_NOT_SUPPORTED (no firmware call), HV_INVALID (firmware refused). Does not wait. */
HV_MUST_CHECK enum hv_status hal_cpu_start(cpuid_t cpu, uint64_t hwid, void *stack_top);

/* Port initialisation of the calling CPU (trap vector, control registers), after hal_cpu_set_local(). */
void hal_cpu_init(void);

/* Stops this CPU for ever with interrupts masked. */
_Noreturn void hal_cpu_park(void);

/* Leaves the current stack and enters `current` of this CPU (see hal/context.h). The end of boot on every
 * CPU. */
_Noreturn void hal_cpu_run(void);

/* crc32c_update() of lib/crc32c.h, with the CPU's own instructions if it has them. */
uint32_t hal_cpu_crc32c(uint32_t before, const void *data, uint64_t bytes);

/* One line describing the CPU and its features for the boot log; valid until the next call. */
const char *hal_cpu_describe(void);

#endif
