/* Weighted fair shares in long turns, for throughput. Three ranks: BOOST, who was woken and has credit
 * left, takes a CPU from any other rank; UNDER, who has credit left (it had less of its due than the one
 * that was chosen last); OVER, who has not. BOOST ends with credit, or when it ran for a third of a turn. */
/* [impl->req~weights-and-caps~1] */
#include "sched/policy/fair.h"
#include "sched/cpupool_core.h"

#define TURN_MIN_NS 100000ULL /* two switches cost some microseconds */

enum rank { RANK_BOOST, RANK_UNDER, RANK_OVER };

static uint64_t slice_ns(const struct sched_unit *unit)
{
    return (uint64_t)unit->pool->tuning.slice_ms * 1000000u;
}

static uint64_t ratelimit_ns(const struct sched_unit *unit)
{
    return (uint64_t)unit->pool->tuning.ratelimit_us * 1000u;
}

static uint32_t rank_of(const struct sched_unit *unit, const struct vcpu *vcpu)
{
    return (uint32_t)((vcpu->sched.ready.key <= unit->now_ns) ? RANK_UNDER : RANK_OVER);
}

static void credit_join(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns)
{
    fair_join(unit, vcpu, now_ns);
    vcpu->sched.ready.rank = rank_of(unit, vcpu);
}

static void credit_wake(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns)
{
    fair_wake(unit, vcpu, now_ns);
    vcpu->sched.ready.rank = rank_of(unit, vcpu);
    if (vcpu->sched.ready.rank == (uint32_t)RANK_UNDER) {
        vcpu->sched.ready.rank = (uint32_t)RANK_BOOST;
    }
}

static void credit_charge(struct sched_unit *unit, struct vcpu *vcpu, uint64_t ran_ns, uint64_t now_ns)
{
    const bool boosted = (vcpu->sched.ready.rank == (uint32_t)RANK_BOOST) &&
                         ((now_ns - vcpu->sched.turn_ns) < (slice_ns(unit) / 3u));

    fair_charge(unit, vcpu, ran_ns, now_ns);
    vcpu->sched.ready.rank = rank_of(unit, vcpu);
    if (boosted && (vcpu->sched.ready.rank == (uint32_t)RANK_UNDER)) {
        vcpu->sched.ready.rank = (uint32_t)RANK_BOOST;
    }
}

static bool credit_before(const struct sched_unit *unit, const struct vcpu *waits, const struct vcpu *runs,
                          uint64_t now_ns)
{
    const bool boost = (waits->sched.ready.rank == (uint32_t)RANK_BOOST) &&
                       (runs->sched.ready.rank != (uint32_t)RANK_BOOST) &&
                       ((now_ns - runs->sched.turn_ns) >= ratelimit_ns(unit));

    return boost ||
           ((now_ns >= runs->sched.turn_end_ns) && queue_before(&waits->sched.ready, &runs->sched.ready));
}

static uint64_t credit_turn_end(struct sched_unit *unit, cpuid_t cpu, struct vcpu *vcpu,
                                const struct vcpu *waits, uint64_t now_ns)
{
    uint64_t end_ns = TIME_NEVER;

    (void)cpu;
    if (waits != NULL) {
        if ((now_ns - vcpu->sched.turn_ns) >= slice_ns(unit)) {
            vcpu->sched.turn_ns = now_ns; /* nobody was more urgent: another turn */
        }
        end_ns = vcpu->sched.turn_ns + slice_ns(unit);
        if (waits->sched.ready.rank < vcpu->sched.ready.rank) {
            end_ns =
                bits_min(end_ns, bits_max(vcpu->sched.turn_ns + ratelimit_ns(unit), now_ns + TURN_MIN_NS));
        }
    }
    return fair_turn(unit, vcpu, now_ns, end_ns);
}

const struct sched_policy sched_credit = {
    .name = "credit",
    .abi_id = XEN_SCHEDULER_CREDIT,
    .unit_cpus = 8,
    .net = true,
    .join = credit_join,
    .wake = credit_wake,
    .charge = credit_charge,
    .look = fair_look,
    .before = credit_before,
    .turn_end = credit_turn_end,
};
