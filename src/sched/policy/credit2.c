/* Weighted fair shares in short turns: who had least of its due is next, up to eight CPUs choose from one
 * queue. A turn lasts until its vCPU is ahead of the first that waits by half the rate limit of virtual
 * time, less where many or heavy ones wait, so that turns are as long as weights ask for and the shares of a
 * second are exact. One that is woken takes the CPU from whoever had more of its due and has had the CPU for
 * the rate limit. */
/* [impl->req~weights-and-caps~1] [impl->req~wake-up-latency~1] */
#include "sched/policy/fair.h"
#include "sched/cpupool_core.h"

#define TURN_MIN_NS 100000ULL   /* two switches cost some microseconds */
#define TURN_MAX_NS 10000000ULL /* weights may change meanwhile */
#define ROUND_NS    6000000ULL /* a turn of each that waits, together: of a second twice as much is not 2 % */

static uint64_t ratelimit_ns(const struct sched_unit *unit)
{
    return (uint64_t)unit->pool->tuning.ratelimit_us * 1000u;
}

/* By how much of virtual time vCPU, which runs, may be ahead. */
static uint64_t margin_ns(const struct sched_unit *unit, const struct vcpu *vcpu)
{
    const uint64_t weight = unit->weight + vcpu->domain->sched.weight;
    const uint64_t half_ns = ratelimit_ns(unit) / 2u;

    if ((half_ns * weight) <= (ROUND_NS * PLAN_WEIGHT)) {
        return half_ns; /* one CPU is enough for that, as mostly */
    }
    return bits_min(half_ns, (ROUND_NS * bits_count64(unit->cpus) * PLAN_WEIGHT) / weight);
}

static bool credit2_before(const struct sched_unit *unit, const struct vcpu *waits, const struct vcpu *runs,
                           uint64_t now_ns)
{
    return queue_before(&waits->sched.ready, &runs->sched.ready) &&
           ((now_ns >= runs->sched.turn_end_ns) || ((now_ns - runs->sched.turn_ns) >= ratelimit_ns(unit)));
}

static uint64_t credit2_turn_end(struct sched_unit *unit, cpuid_t cpu, struct vcpu *vcpu,
                                 const struct vcpu *waits, uint64_t now_ns)
{
    uint64_t end_ns = TIME_NEVER;

    (void)cpu;
    if ((waits != NULL) && queue_before(&waits->sched.ready, &vcpu->sched.ready)) {
        end_ns = bits_max(vcpu->sched.turn_ns + ratelimit_ns(unit), now_ns + TURN_MIN_NS);
    } else if (waits != NULL) {
        const uint64_t turn_ns = fair_ahead(vcpu, waits, margin_ns(unit, vcpu));

        end_ns = now_ns + bits_min(bits_max(turn_ns, TURN_MIN_NS), TURN_MAX_NS);
    } else {
        /* as long as it likes */
    }
    return fair_turn(unit, vcpu, now_ns, end_ns);
}

const struct sched_policy sched_credit2 = {
    .name = "credit2",
    .abi_id = XEN_SCHEDULER_CREDIT2,
    .unit_cpus = 8,
    .net = true,
    .join = fair_join,
    .wake = fair_wake,
    .charge = fair_charge,
    .look = fair_look,
    .before = credit2_before,
    .turn_end = credit2_turn_end,
};
