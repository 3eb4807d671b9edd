/* sched/rtds: whatever period, budget, debt and time, and however late it is called (within the bounds
 * below),
 *  - no deadline is moved back, and who wants a CPU has one to come, at which it is looked at again;
 *  - it is parked exactly if nothing is left to it and it has no extra time; who may go on has something
 *  left;
 *  - nothing is given beyond what was: what is left and what it ran are no more together than what was left
 *  and a
 *    budget for each period that began; no more than a budget is left;
 *  - without extra time it stays at rank 0; with it, what goes beyond a budget is at a higher rank, unless a
 *  period
 *    began.
 * From any state that these hold for, any call leaves one that they hold for. */
#include "proof.h"

#include "sched/sched_core.h"

#define TIME_BITS 16u /* 65 us */

static struct sched_unit unit;
static struct domain domain;
static struct vcpu vcpu;
static uint64_t at_ns;

void sched_at(struct sched_unit *of, struct vcpu *who, uint64_t when_ns)
{
    (void)of;
    prove(!who->sched.timed, "in unit->later once");
    who->sched.timed = true;
    at_ns = when_ns;
}

void sched_at_no_more(struct sched_unit *of, struct vcpu *who)
{
    (void)of;
    who->sched.timed = false;
}

static uint64_t any_time(void)
{
    return nondet_u32() & ((1u << TIME_BITS) - 1u);
}

static uint64_t period_ns(void)
{
    return (uint64_t)vcpu.sched.period_us * 1000u;
}

static int64_t budget_ns(void)
{
    return (int64_t)vcpu.sched.budget_us * 1000;
}

/* What holds between calls. */
static bool sound(void)
{
    const struct vcpu_sched *const s = &vcpu.sched;

    return (s->left_ns <= budget_ns()) && (s->parked == ((s->left_ns <= 0) && !s->extra)) &&
           (!s->extra || (s->left_ns > 0)) && (s->extra || (s->ready.rank == 0u)) &&
           (s->ready.key == s->deadline_ns) && (!s->timed || (at_ns == s->deadline_ns));
}

static void any_state(void)
{
    struct vcpu_sched *const s = &vcpu.sched;

    vcpu.domain = &domain;
    s->period_us = PERIOD_US;
    s->budget_us = BUDGET_US;
    s->extra = nondet_bool();
    s->left_ns = budget_ns() - (int64_t)any_time();
    s->deadline_ns = period_ns() + any_time();
    s->ready.key = s->deadline_ns;
    s->ready.rank = nondet_u8();
    s->parked = nondet_bool();
    s->timed = nondet_bool();
    at_ns = s->deadline_ns;
    assume(sound());
}

int main(void)
{
    any_state();

    const struct vcpu_sched was = vcpu.sched;
    const uint64_t now_ns = any_time();
    const uint64_t ran_ns = (CALL == 0) ? any_time() : 0u;

    assume(ran_ns <= now_ns);
    assume(was.deadline_ns <= (now_ns + period_ns())); /* its period has begun */
    if (CALL == 0) {
        vcpu.state = VCPU_RUNNING;
        sched_rtds.charge(&unit, &vcpu, ran_ns, now_ns);
    } else if (CALL == 1) {
        vcpu.state = VCPU_RUNNABLE;
        sched_rtds.wake(&unit, &vcpu, now_ns);
    } else {
        assume(now_ns >= was.deadline_ns);
        vcpu.state = VCPU_RUNNABLE;
        vcpu.sched.timed = false;
        sched_rtds.look(&unit, &vcpu, now_ns);
    }

    const struct vcpu_sched *const s = &vcpu.sched;
    const bool began = (s->deadline_ns != was.deadline_ns);
    const uint64_t nr_began = (s->deadline_ns - was.deadline_ns + period_ns() - 1u) / period_ns();

    prove(sound(), "sound");
    prove(s->deadline_ns >= was.deadline_ns, "no deadline is moved back");
    prove((s->deadline_ns > now_ns) && (s->deadline_ns <= (now_ns + period_ns())), "a deadline to come");
    prove(s->timed || (was.timed == s->timed), "still looked at");
    prove((CALL == 0) ? (!began || s->timed) : s->timed, "looked at again");
    if (!s->extra) {
        prove((s->left_ns + (int64_t)ran_ns) <= (was.left_ns + ((int64_t)nr_began * budget_ns())),
              "nothing given");
    } else {
        prove(began || (s->ready.rank > was.ready.rank) || ((int64_t)ran_ns < was.left_ns),
              "beyond it at a higher rank");
    }
    return 0;
}
