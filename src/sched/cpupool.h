/* Cpupools: each CPU is in one or free, each domain in one, each has a policy of its own. Pool 0 has
 * CPU 0 and never ends. What is asked for here is in force at once for who asks about it; CPUs and
 * vCPUs follow as soon as they can. Any context, no lock of LOCK_POOL or above held. */
#ifndef SCHED_CPUPOOL_H
#define SCHED_CPUPOOL_H

#include "domain/domain.h"

#define SCHED_POOLS_MAX PLAN_POOLS_MAX
#define SCHED_POOL_ANY  UINT32_MAX
#define SCHED_CPU_ANY   UINT32_MAX

struct sched_pool_facts {
    uint32_t id;
    uint32_t abi_id;     /* XEN_SCHEDULER_ */
    uint32_t nr_domains; /* that are there */
    uint64_t cpus;
};

/* The first pool whose id is not below `id`; HV_NOT_FOUND: there is none */
HV_MUST_CHECK enum hv_status sched_pool_facts(uint32_t id, struct sched_pool_facts *facts);
/* CPUs of no pool */
uint64_t sched_pool_free_cpus(void);

/* An empty one of that policy, under that number or under the lowest free one, which goes to *made.
 * HV_INVALID: no such policy or number; HV_EXISTS; HV_LIMIT */
HV_MUST_CHECK enum hv_status sched_pool_make(uint32_t id, uint32_t abi_id, uint32_t *made);
/* HV_NOT_FOUND; HV_BUSY: it has CPUs or domains, or is pool 0 */
HV_MUST_CHECK enum hv_status sched_pool_drop(uint32_t id);
/* HV_NOT_FOUND: no such pool; HV_INVALID: no such CPU; HV_BUSY: it is another pool's; HV_LIMIT: none is
 * free, or the policy takes no more */
HV_MUST_CHECK enum hv_status sched_pool_add_cpu(uint32_t id, cpuid_t cpu);
/* SCHED_CPU_ANY: its last. HV_NOT_FOUND; HV_INVALID: it is not in this pool; HV_BUSY: it is the last one
 * of a pool that has domains, or the boot CPU */
HV_MUST_CHECK enum hv_status sched_pool_remove_cpu(uint32_t id, cpuid_t cpu);
/* HV_NOT_FOUND: no such pool, or the domain is not there; HV_LIMIT: it has no CPU; HV_DENIED: it admits no
 * more (rtds) */
HV_MUST_CHECK enum hv_status sched_pool_move(struct domain *domain, uint32_t id);
/* The domain is there no more, and has no vCPU: its pool may go. Until it is moved, pool 0 */
void sched_pool_forget(struct domain *domain);
/* The policy of a domain's pool: XEN_SCHEDULER_ */
uint32_t sched_pool_abi_id(const struct domain *domain);

#endif
