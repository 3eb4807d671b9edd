/* The part of a xenstore or control domain's tree that says what is declared. */
#ifndef BUILD_PARTITION_BUILD_PV_H
#define BUILD_PARTITION_BUILD_PV_H

#include "config/plan.h"
#include "hal/vplat.h"

/* The bytes that it may take */
uint64_t build_pv_tree_bytes(const struct plan *plan);
/* In such a domain's: /bulkhead,store with domain@<n> (domid, name, store-port, console-ring, console-port),
 * disk@<n> and net@<n> (frontend, backend, handle, read-only, text). Worker context. */
void build_pv_tree(const struct plan_domain *domain, const struct tree_sink *t);

#endif
