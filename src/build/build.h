/* A domain made and unmade, in named phases. What boot, PSCI reset and the operator share. Construction is repeatable:
 * modules stay pristine, and build_domain() works again after build_unmake(). */
#ifndef BUILD_BUILD_H
#define BUILD_BUILD_H

#include "domain/domain.h"
#include "lib/status.h"

/* Allocates struct domain, vCPUs and pool of a planned domain (heap; boot only) and registers its console.
 * HV_NO_MEMORY with a log line. */
HV_MUST_CHECK enum hv_status build_prepare(const struct plan_domain *plan, struct domain **domain);

/* Runs the phases: reserve (RAM, scrubbed), map, vcpu, vdev, virq, image. Worker context; long; calls work_breathe().
 * A failure is logged with domain and phase, undone, and the domain is DOMAIN_FAILED. */
HV_MUST_CHECK enum hv_status build_domain(struct domain *domain);

/* Lets vCPU 0 run from the kernel's entry. */
void build_start(struct domain *domain);

/* The domain asked for off / reset or must stop: its vCPUs leave, then a work item unmakes it. Any context. */
void build_request_stop(struct domain *domain, enum hal_power_request request, const char *why);

/* Stops nothing by itself: no vCPU is on a CPU. Scrubs and releases what the phases took. Worker context. */
void build_unmake(struct domain *domain);

#endif
