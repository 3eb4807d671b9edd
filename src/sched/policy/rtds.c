/* Each vCPU is a server of constant bandwidth: in each period of its own it may run for its budget; the
 * period's end is its deadline, and the CPUs of the pool are for the earliest ones. Who used its budget up
 * waits for its next period, or (extra) goes on behind all that have theirs, once more behind after each
 * further budget.
 *
 * A vCPU is in unit->later at its deadline while it wants a CPU. One that runs at that moment is charged
 * by its CPU, which divides the time; one that waits for something else has its new period when it is
 * woken. What a vCPU ran beyond its budget before its CPU was told is missing in its next period: in the
 * long run it gets no more. */
/* [impl->req~rtds-budget~1] */
#include "sched/sched_core.h"

#define NS_IN_US 1000u

static uint64_t budget_ns(const struct vcpu *vcpu)
{
    return (uint64_t)vcpu->sched.budget_us * NS_IN_US;
}

static void look_at_deadline(struct sched_unit *unit, struct vcpu *vcpu)
{
    sched_at_no_more(unit, vcpu);
    sched_at(unit, vcpu, vcpu->sched.deadline_ns);
}

/* now_ns is past its deadline, and it ran for ran_ns since that. How many periods began, a division tells.
 * It is to be looked at at its new deadline. */
static void begin_period(struct vcpu *vcpu, uint64_t ran_ns, uint64_t now_ns)
{
    struct vcpu_sched *const of = &vcpu->sched;
    const uint64_t period_ns = (uint64_t)of->period_us * NS_IN_US;
    const uint64_t nr_periods = ((now_ns - of->deadline_ns) / period_ns) + 1u;
    const int64_t owes_ns = ((of->left_ns < 0) ? of->left_ns : 0) - (int64_t)ran_ns;
    const uint64_t given_ns = nr_periods * budget_ns(vcpu);
    const int64_t left_ns = owes_ns + (int64_t)given_ns;
    const int64_t most_ns = (int64_t)budget_ns(vcpu);

    of->deadline_ns += nr_periods * period_ns;
    of->left_ns = (left_ns < most_ns) ? left_ns : most_ns;
    of->ready.rank = 0u;
    of->ready.key = of->deadline_ns;
}

/* What follows from what is left to it. */
static void settle_left(struct vcpu *vcpu)
{
    struct vcpu_sched *const of = &vcpu->sched;

    of->parked = (of->left_ns <= 0) && !of->extra;
    if ((of->left_ns <= 0) && of->extra) {
        const int64_t beyond_ns = -of->left_ns;
        const uint64_t more = ((uint64_t)beyond_ns / budget_ns(vcpu)) + 1u;
        const uint64_t more_ns = more * budget_ns(vcpu);
        const uint64_t rank = of->ready.rank + more;

        of->left_ns += (int64_t)more_ns;
        of->ready.rank = (rank < UINT32_MAX) ? (uint32_t)rank : UINT32_MAX;
    }
}

static void rtds_join(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns)
{
    vcpu->sched.left_ns = 0;
    vcpu->sched.deadline_ns = now_ns;
    begin_period(vcpu, 0u, now_ns);
    look_at_deadline(unit, vcpu);
    vcpu->sched.parked = false;
}

/* Whether more is left to it than its part of the time up to its deadline: left / togo > budget / period,
 * exactly. */
static bool comes_late(const struct vcpu *vcpu, uint64_t now_ns)
{
    const uint64_t left_ns = (vcpu->sched.left_ns > 0) ? (uint64_t)vcpu->sched.left_ns : 0u;
    const uint64_t togo_ns = vcpu->sched.deadline_ns - now_ns;
    const uint64_t period = vcpu->sched.period_us;
    const uint64_t budget = vcpu->sched.budget_us;
    const uint64_t left_low = (left_ns % NS_IN_US) * period;
    const uint64_t togo_low = (togo_ns % NS_IN_US) * budget;
    const uint64_t left_high = ((left_ns / NS_IN_US) * period) + (left_low / NS_IN_US);
    const uint64_t togo_high = ((togo_ns / NS_IN_US) * budget) + (togo_low / NS_IN_US);

    return (left_high > togo_high) ||
           ((left_high == togo_high) && ((left_low % NS_IN_US) > (togo_low % NS_IN_US)));
}

/* One that slept and wants all of its budget now, shortly before its deadline, would come before others
 * that need the time for theirs: its period begins now (Abeni and Buttazzo's rule for servers of constant
 * bandwidth). */
static void rtds_wake(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns)
{
    struct vcpu_sched *const of = &vcpu->sched;

    if (now_ns >= of->deadline_ns) {
        begin_period(vcpu, 0u, now_ns);
    }
    if ((of->ready.rank == 0u) && comes_late(vcpu, now_ns)) {
        of->left_ns = (int64_t)budget_ns(vcpu);
        of->deadline_ns = now_ns + ((uint64_t)of->period_us * NS_IN_US);
        of->ready.key = of->deadline_ns;
    }
    look_at_deadline(unit, vcpu);
    settle_left(vcpu);
}

static void rtds_charge(struct sched_unit *unit, struct vcpu *vcpu, uint64_t ran_ns, uint64_t now_ns)
{
    const uint64_t deadline_ns = vcpu->sched.deadline_ns;

    if (now_ns < deadline_ns) {
        vcpu->sched.left_ns -= (int64_t)ran_ns;
    } else {
        const uint64_t since_ns = bits_min(ran_ns, now_ns - deadline_ns);

        const uint64_t before_ns = ran_ns - since_ns;

        vcpu->sched.left_ns -= (int64_t)before_ns;
        begin_period(vcpu, since_ns, now_ns);
        look_at_deadline(unit, vcpu);
    }
    settle_left(vcpu);
}

static void rtds_look(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns)
{
    if ((vcpu->state == VCPU_RUNNABLE) && !vcpu->domain->paused) {
        begin_period(vcpu, 0u, now_ns);
        look_at_deadline(unit, vcpu);
        settle_left(vcpu);
    }
}

static bool rtds_before(const struct sched_unit *unit, const struct vcpu *waits, const struct vcpu *runs,
                        uint64_t now_ns)
{
    (void)unit;
    (void)now_ns;
    return queue_before(&waits->sched.ready, &runs->sched.ready);
}

static uint64_t rtds_turn_end(struct sched_unit *unit, cpuid_t cpu, struct vcpu *vcpu,
                              const struct vcpu *waits, uint64_t now_ns)
{
    (void)unit;
    (void)cpu;
    (void)waits;
    return now_ns + (uint64_t)vcpu->sched.left_ns;
}

const struct sched_policy sched_rtds = {
    .name = "rtds",
    .abi_id = XEN_SCHEDULER_RTDS,
    .unit_cpus = HV_CPUS_MAX,
    .join = rtds_join,
    .wake = rtds_wake,
    .charge = rtds_charge,
    .look = rtds_look,
    .before = rtds_before,
    .turn_end = rtds_turn_end,
};
