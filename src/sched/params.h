/* What people set of policies, in the terms of Xen's tools. Any context, no lock held. */
#ifndef SCHED_PARAMS_H
#define SCHED_PARAMS_H

#include "domain/domain.h"

/* credit, credit2: of a domain. Kept whatever the domain's pool does. */
struct sched_share {
    uint32_t weight; /* 1 .. 65535: how much its vCPUs get beside others', each */
    uint32_t cap;    /* 0: none; else at most this % of one CPU for all its vCPUs, up to 100 * nr_vcpus */
};
void sched_share_get(const struct domain *domain, struct sched_share *share);
/* HV_INVALID: out of range */
HV_MUST_CHECK enum hv_status sched_share_set(struct domain *domain, const struct sched_share *share);

/* rtds: of a vCPU. 10 <= budget_us <= period_us <= SCHED_PERIOD_US_MAX */
#define SCHED_RT_US_MIN     10u
#define SCHED_PERIOD_US_MAX 3600000000u
#define SCHED_RT_PERIOD_US  10000u /* what a vCPU has of which nothing is said */
#define SCHED_RT_BUDGET_US  4000u
struct sched_rt {
    uint32_t period_us;
    uint32_t budget_us;
    bool extra; /* beyond the budget it gets what nobody needs */
};
void sched_rt_get(const struct vcpu *vcpu, struct sched_rt *rt);
/* HV_INVALID: out of range. HV_LIMIT: its pool admits no more */
HV_MUST_CHECK enum hv_status sched_rt_set(struct vcpu *vcpu, const struct sched_rt *rt);

/* credit, credit2: of a pool */
struct sched_tuning {
    uint32_t slice_ms;     /* credit: 1 .. 1000, 30 */
    uint32_t ratelimit_us; /* 0, or 100 .. 500000, at most slice_ms; 1000: who has a CPU keeps it so long */
    uint32_t stay_us;      /* credit: 0 .. 100000; who ran so recently is not taken to another unit */
};
#define SCHED_SLICE_MS     30u
#define SCHED_RATELIMIT_US 1000u
HV_MUST_CHECK enum hv_status sched_tuning_get(uint32_t pool, struct sched_tuning *tuning); /* HV_NOT_FOUND */
HV_MUST_CHECK enum hv_status sched_tuning_set(uint32_t pool, const struct sched_tuning *tuning);

/* arinc653: the schedule of a pool, as Xen's sysctl has it: one after another from the beginning of the
 * frame. A pool with several CPUs has such a row for each: an entry belongs to the row of the CPU of its
 * vCPU, that is the lowest of the pool that its hard affinity allows. One whose handle is nobody's (all
 * ones: surely not) is a gap, in the row of the entry after it; whose vCPU comes later has it from then
 * on, if that is on this CPU. */
#define SCHED_MINORS 64u
struct sched_minor {
    uint8_t handle[16]; /* of its domain */
    uint32_t vcpu;
    uint64_t ns;
};
/* It is set in short pieces: begun, each entry added from the last to the first, given to one CPU after
 * another until that is done. Who begins gets a ticket, which is good until somebody else begins. From then
 * on, or if its pool goes: HV_BUSY, HV_NOT_FOUND. After each error it is over and nothing has changed, but
 * while it is given. Trap's context, no lock held.
 * HV_INVALID: a time is 0, the frame is longer than an hour, or a row than the frame; HV_NOT_FOUND: no such
 * pool; HV_NOT_SUPPORTED: it has another policy; HV_LIMIT: it has no CPU, or all windows there are, are
 * used. */
HV_MUST_CHECK enum hv_status sched_major_begin(uint32_t pool, uint64_t ns, uint32_t nr, uint32_t *ticket);
HV_MUST_CHECK enum hv_status sched_major_add(uint32_t ticket, const struct sched_minor *minor);
/* Takes effect at once; all CPUs' frames begin when the first got its own. */
HV_MUST_CHECK enum hv_status sched_major_give(uint32_t ticket, bool *done);
/* One that was added: its vCPU, should it have come to the pool between that and the giving, has it. */
void sched_minor_fill(const struct sched_minor *minor);

/* What a pool's schedule is: some entries of all rows one after another. */
#define SCHED_MINORS_TOLD 8u
struct sched_minors {
    uint64_t major_ns;
    uint32_t nr;     /* there are; 128 of the tree, and gaps */
    uint32_t serial; /* another one: it was, or is being, set meanwhile */
    uint32_t first;  /* of those told; 0s follow the last */
    struct sched_minor minor[SCHED_MINORS_TOLD];
};
/* HV_NOT_FOUND, HV_NOT_SUPPORTED as above */
HV_MUST_CHECK enum hv_status sched_major_get(uint32_t pool, uint32_t first, struct sched_minors *told);

#endif
