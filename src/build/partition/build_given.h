/* Devices of the host that a domain has. Worker context. */
#ifndef BUILD_PARTITION_BUILD_GIVEN_H
#define BUILD_PARTITION_BUILD_GIVEN_H

#include "domain/domain.h"
#include "hal/vplat.h"

/* A phase: registers are mapped, interrupts routed. Failures are logged. */
HV_MUST_CHECK enum hv_status build_given(struct domain *domain);
void build_given_undo(struct domain *domain);
/* The nodes of its partial tree. False: it cannot be read. */
bool build_given_tree(const struct plan_domain *plan, const struct hal_tree *sink);
/* The nodes of the host's tree that a hardware domain sees, and the properties of its root. */
void build_host_tree(const struct domain *domain, const struct hal_tree *sink);

#endif
