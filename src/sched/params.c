/* [impl->req~weights-and-caps~1] */
#include "sched/params.h"

#include "sched/cpupool_core.h"

#define RATELIMIT_US_MIN 100u
#define RATELIMIT_US_MAX 500000u
#define SLICE_MS_MAX     1000u
#define STAY_US_MAX      100000u

void sched_plan_params(struct vcpu *vcpu)
{
    static const struct sched_rt usual = { SCHED_RT_PERIOD_US, SCHED_RT_BUDGET_US, true };
    const struct plan_domain *const plan = vcpu->domain->plan;
    const struct plan_rt *const rt = &plan->rt[vcpu->index];

    if (vcpu->index == 0u) {
        spin_init(&vcpu->domain->sched.lock, LOCK_SHARE);
        vcpu->domain->sched.weight = (plan->weight != 0u) ? plan->weight : PLAN_WEIGHT;
        vcpu->domain->sched.cap = plan->cap;
        vcpu->domain->sched.until_ns = 0u;
    }
    if (rt->period_us != 0u) {
        const struct sched_rt given = { rt->period_us, rt->budget_us, plan->rt_extra };

        sched_rt_keep(vcpu, &given);
    } else {
        sched_rt_keep(vcpu, &usual);
    }
}

void sched_share_get(const struct domain *domain, struct sched_share *share)
{
    share->weight = domain->sched.weight;
    share->cap = domain->sched.cap;
}

enum hv_status sched_share_set(struct domain *domain, const struct sched_share *share)
{
    if ((share->weight == 0u) || (share->weight > UINT16_MAX) || (share->cap > (100u * domain->nr_vcpus)) ||
        (domain->sched.weight == 0u)) {
        return HV_INVALID;
    }
    const uint64_t flags = spin_lock(&domain->sched.lock);

    domain->sched.weight = share->weight; /* each counts from the next charge on */
    domain->sched.cap = share->cap;
    spin_unlock(&domain->sched.lock, flags);
    return HV_OK;
}

enum hv_status sched_tuning_get(uint32_t pool, struct sched_tuning *tuning)
{
    const uint64_t flags = spin_lock(&sched_pools_lock);
    const struct sched_pool *const of = sched_pool_of(pool);

    if (of != NULL) {
        *tuning = of->tuning;
    }
    spin_unlock(&sched_pools_lock, flags);
    return (of != NULL) ? HV_OK : HV_NOT_FOUND;
}

enum hv_status sched_tuning_set(uint32_t pool, const struct sched_tuning *tuning)
{
    const bool limited = (tuning->ratelimit_us == 0u) || ((tuning->ratelimit_us >= RATELIMIT_US_MIN) &&
                                                          (tuning->ratelimit_us <= RATELIMIT_US_MAX));
    enum hv_status status = HV_INVALID;
    const uint64_t flags = spin_lock(&sched_pools_lock);
    struct sched_pool *const of = sched_pool_of(pool);

    if (of == NULL) {
        status = HV_NOT_FOUND;
    } else if (limited && (tuning->slice_ms >= 1u) && (tuning->slice_ms <= SLICE_MS_MAX) &&
               (tuning->ratelimit_us <= (tuning->slice_ms * 1000u)) && (tuning->stay_us <= STAY_US_MAX)) {
        of->tuning = *tuning; /* a word each; whoever chooses meanwhile has some of each */
        status = HV_OK;
    } else {
        /* out of range */
    }
    spin_unlock(&sched_pools_lock, flags);
    return status;
}
