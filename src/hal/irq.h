/* The physical interrupt controller. Numbers are INTIDs (Arm). The port's interrupt entry acknowledges, at
 * most HAL_IRQ_BURST a time, settles the guest's timer, its maintenance interrupt and IPIs itself and calls
 * upcall_irq() for the rest. */
#ifndef HAL_IRQ_H
#define HAL_IRQ_H

#include "hal/plan.h"
#include "hal/types.h"
#include "lib/status.h"

#define HAL_IRQ_BURST 8u
#define HAL_IRQ_MAX   1020u

/* Finds and resets the controller, then the calling CPU's part. HV_NOT_SUPPORTED with a log line. Boot
 * CPU. */
HV_MUST_CHECK enum hv_status hal_irq_init(const struct hal_plan_host *host);
/* The calling CPU's part, secondaries. */
HV_MUST_CHECK enum hv_status hal_irq_init_cpu(void);

/* Enables an interrupt for the hypervisor, delivered to this CPU; also again after a time of being disabled:
 * what an edge asked for meanwhile comes then. Per-CPU interrupts act on the calling CPU only. Any context;
 * LOCK_IRQ. */
HV_MUST_CHECK enum hv_status hal_irq_enable(uint32_t irq, bool edge);
void hal_irq_disable(uint32_t irq);

/* What the controller itself says of an interrupt, of a private one on the calling CPU: is it enabled, and
 * does it come by edges? For reports. */
bool hal_irq_is_enabled(uint32_t irq, bool *edge);

/* Interrupts cpu; it calls upcall_ipi(). Writes made before are visible to the handler. */
void hal_irq_ipi(cpuid_t cpu);

#endif
