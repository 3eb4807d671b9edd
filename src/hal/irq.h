/* The physical interrupt controller. Numbers are INTIDs (Arm). The port's interrupt entry acknowledges, at
 * most HAL_IRQ_BURST a time, settles the guest's timer, its maintenance interrupt and IPIs itself and calls
 * upcall_irq() for the rest. */
#ifndef HAL_IRQ_H
#define HAL_IRQ_H

#include "hal/plan.h"

struct hal_domain; /* hal_arch/vcpu.h */

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

/* Gives a shared interrupt to a guest, as its shared interrupt virq: it goes where the guest's vCPU is, comes
 * as
 * upcall_line() says, and not again until the guest has ended it. Its edge or level is this, whatever the
 * guest writes; enabled and made pending it is as the guest wants, disabled to begin with. After
 * hal_domain_init(), the domain does not run. HV_INVALID: there is no such interrupt, here or there.
 * HV_EXISTS: somebody has it. HV_NO_MEMORY. */
HV_MUST_CHECK enum hv_status hal_irq_route(uint32_t irq, bool edge, struct hal_domain *domain, uint32_t virq);
/* Takes it away: disabled, neither pending nor active, and nobody delivers it any more on return. Nothing
 * happens if the domain does not have it. No vCPU of it is on a CPU. */
void hal_irq_unroute(uint32_t irq, struct hal_domain *domain);
/* The domain that an interrupt was given to, and as what; NULL: none. For reports. */
struct hal_domain *hal_irq_guest(uint32_t irq, uint32_t *virq);
/* Guests' interrupts that went to a CPU that has stopped for good go to this one. */
void hal_irq_adopt(cpuid_t from);

/* Interrupts cpu; it calls upcall_ipi(). Writes made before are visible to the handler. */
void hal_irq_ipi(cpuid_t cpu);

#endif
