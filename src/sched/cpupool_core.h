/* What pools are made of. Private to sched/. */
#ifndef SCHED_CPUPOOL_CORE_H
#define SCHED_CPUPOOL_CORE_H

#include "sched/cpupool.h"
#include "sched/sched_core.h"

/* Under the pools' lock unless noted; what policies read of it without is one word each. */
struct sched_pool {
    const struct sched_policy *policy; /* NULL: there is no such pool */
    uint32_t id;
    uint64_t cpus;     /* that are its own, there or on their way */
    uint32_t nr_units; /* that have CPUs */
    bool admission;    /* rtds */
    struct sched_tuning tuning;
    uint64_t major_ns;         /* arinc653 */
    uint64_t start_ns;         /* ... a frame begins here, and after each major_ns */
    struct sched_unit waiting; /* has no CPUs */
};

extern struct spinlock sched_pools_lock; /* LOCK_POOL */
extern struct sched_pool sched_pools[SCHED_POOLS_MAX];
extern struct sched_unit sched_units[HV_CPUS_MAX]; /* no more are needed than there are CPUs: */
extern uint32_t sched_nr_units;

/* The pool of that number, or NULL. Pools' lock held. */
struct sched_pool *sched_pool_of(uint32_t id);
const struct sched_policy *sched_policy_of(uint32_t abi_id);

/* Pools' lock held. Makes it an empty one. */
void sched_pool_begin(struct sched_pool *pool, uint32_t id, const struct sched_policy *policy);
/* Pools' lock held. The CPU, which no pool has, is to be this one's; false: no unit has room for it yet. /
 * It is to be that unit's (NULL: none's) and no more its pool's unit's. */
bool sched_pool_cpu_join(struct sched_pool *pool, cpuid_t cpu);
void sched_pool_cpu_drop(cpuid_t cpu, struct sched_unit *to);
/* A CPU begins: it is its plan's pool's from now on. */
void sched_pool_start_cpu(cpuid_t cpu);
/* A CPU stopped for good: no vCPU goes there any more. */
void sched_pool_lose_cpu(cpuid_t cpu);
/* Unit's lock held. A vCPU of it went off: under null another may wait for its CPU. */
void sched_pool_left(const struct sched_unit *unit);
/* The parameters that the vCPU's plan gives it. */
void sched_plan_params(struct vcpu *vcpu);
/* Some vCPUs may have to go elsewhere: a worker finds out which. Any context. */
void sched_pool_review(void);
/* vCPU joins a unit for the first time / leaves for good. */
void sched_pool_enter(struct vcpu *vcpu);
void sched_pool_exit(struct vcpu *vcpu);
/* on_cpu taken: vCPU goes to the unit where it is to be. No lock held. */
void sched_pool_carry(struct vcpu *vcpu);
/* vCPU was sent elsewhere: it goes now, or as soon as it leaves its CPU. No lock held. */
void sched_pool_follow(struct vcpu *vcpu);
/* Unit's lock held. From time to time a worker evens out the units of a pool that has several. */
void sched_balance_soon(struct sched_unit *unit, bool idle, uint64_t now_ns);

#endif
