/* The hypervisor's clock and its one-shot timer on each CPU. */
#ifndef HAL_TIMER_H
#define HAL_TIMER_H

#include "hal/plan.h"

/* Boot CPU, then hal_timer_init_cpu() on each, the boot CPU included (enables the interrupt). */
HV_MUST_CHECK enum hv_status hal_timer_init(const struct hal_plan_host *host);
void hal_timer_init_cpu(void);

/* ns since boot, monotonic, the same on all CPUs. */
uint64_t hal_timer_now_ns(void);

/* Between durations in ns and in ticks of the counter that guests read. TIME_NEVER if it cannot be said. */
uint64_t hal_timer_ns(uint64_t ticks);
uint64_t hal_timer_ticks(uint64_t ns);

/* This CPU gets upcall_timer() at or soon after deadline_ns (at once if past); TIME_NEVER cancels. */
void hal_timer_set(uint64_t deadline_ns);

#endif
