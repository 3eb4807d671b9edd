/* How much of its CPUs a pool of rtds may promise. Global EDF on m CPUs misses no deadline if
 *     U_sum <= m - (m - 1) * U_max
 * where U is what a vCPU's budget is of its period (Goossens, Funk, Baruah 2003; on one CPU that is U_sum <=
 * 1, which is exact). Each U is rounded up as in the plan, lib/edf.h. What is promised counts, whether
 * the vCPU is on or off. */
/* [impl->req~rtds-admission~1] */
#include "sched/cpupool_core.h"

#include "lib/edf.h"

static uint32_t use_of(const struct sched_rt *rt)
{
    return edf_share(rt->budget_us, rt->period_us);
}

/* A sum and the largest. */
struct use {
    uint64_t sum;
    uint64_t most;
};

/* Pools' lock held. Of a domain's vCPUs, but for one; at most HV_VCPUS_MAX. */
static struct use use_of_domain(const struct domain *domain, const struct vcpu *except)
{
    struct use use = { .sum = 0, .most = 0 };

    for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
        const struct vcpu *const vcpu = domain->vcpu[i];

        if ((vcpu != NULL) && (vcpu != except)) {
            use.sum += vcpu->sched.use;
            use.most = bits_max(use.most, vcpu->sched.use);
        }
    }
    return use;
}

/* Pools' lock held. With what is promised to all other domains of the pool; at most HV_DOMAINS_MAX. */
static bool fits(const struct sched_pool *pool, const struct domain *domain, struct use use)
{
    const uint32_t nr_cpus = bits_count64(pool->cpus);
    uint64_t sum = use.sum;
    uint64_t most = use.most;

    for (uint32_t i = 0; i < domain_count; i++) {
        const struct domain *const other = domain_table[i];

        if ((other != domain) && domain_is_there(other) && (other->cpupool == pool->id)) {
            sum += other->sched.use_sum;
            most = bits_max(most, other->sched.use_most);
        }
    }
    return (nr_cpus > 0u) && (sum <= edf_bound(nr_cpus, most));
}

static bool asks(const struct sched_pool *pool)
{
    return pool->admission && (pool->policy->abi_id == XEN_SCHEDULER_RTDS);
}

bool sched_rt_admits(const struct sched_pool *pool, const struct domain *domain)
{
    return !asks(pool) || fits(pool, domain, use_of_domain(domain, NULL));
}

/* Pools' lock held. use: of its domain with this. */
static void keep(struct vcpu *vcpu, const struct sched_rt *rt, struct use use)
{
    uint64_t flags = 0;
    struct sched_unit *const unit = sched_lock_unit(vcpu, &flags);

    vcpu->sched.period_us = rt->period_us;
    vcpu->sched.budget_us = rt->budget_us;
    vcpu->sched.extra = rt->extra;
    spin_unlock(&unit->lock, flags);
    vcpu->sched.use = use_of(rt);
    vcpu->domain->sched.use_sum = use.sum;
    vcpu->domain->sched.use_most = use.most;
}

/* Pools' lock held. What its domain is promised if it gets this. */
static struct use use_with(const struct vcpu *vcpu, const struct sched_rt *rt)
{
    struct use use = use_of_domain(vcpu->domain, vcpu);

    use.sum += use_of(rt);
    use.most = bits_max(use.most, use_of(rt));
    return use;
}

void sched_rt_keep(struct vcpu *vcpu, const struct sched_rt *rt)
{
    const uint64_t flags = spin_lock(&sched_pools_lock);

    keep(vcpu, rt, use_with(vcpu, rt));
    spin_unlock(&sched_pools_lock, flags);
}

void sched_rt_get(const struct vcpu *vcpu, struct sched_rt *rt)
{
    uint64_t flags = 0;
    struct sched_unit *const unit = sched_lock_unit(vcpu, &flags);

    rt->period_us = vcpu->sched.period_us;
    rt->budget_us = vcpu->sched.budget_us;
    rt->extra = vcpu->sched.extra;
    spin_unlock(&unit->lock, flags);
}

enum hv_status sched_rt_set(struct vcpu *vcpu, const struct sched_rt *rt)
{
    enum hv_status status = HV_INVALID;

    if ((rt->budget_us >= SCHED_RT_US_MIN) && (rt->budget_us <= rt->period_us) &&
        (rt->period_us <= SCHED_PERIOD_US_MAX)) {
        const uint64_t flags = spin_lock(&sched_pools_lock);
        const struct sched_pool *const pool = sched_pool_of(vcpu->domain->cpupool);
        const struct use use = use_with(vcpu, rt);

        /* one that asks for no more than it has gets it, whatever was promised before the pool lost a CPU */
        if ((pool != NULL) && asks(pool) && (use_of(rt) > vcpu->sched.use) &&
            !fits(pool, vcpu->domain, use)) {
            status = HV_LIMIT;
        } else {
            keep(vcpu, rt, use);
            status = HV_OK;
        }
        spin_unlock(&sched_pools_lock, flags);
    }
    return status;
}
