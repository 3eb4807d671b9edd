/* [impl->req~weights-and-caps~1] */
#include "sched/policy/fair.h"

#include "sched/cpupool_core.h"

#define LEASE_MIN_NS 50000ULL   /* less than this is not worth two switches */
#define KEY_NEW      UINT64_MAX /* joined, never woken here */

static uint64_t virtual_of(const struct vcpu *vcpu, uint64_t ran_ns)
{
    return (ran_ns * PLAN_WEIGHT) / vcpu->domain->sched.weight;
}

/* Of what the domain's cap allows until the end of this period, a part. Periods are those of the clock,
 * and what one overran the next has less. 0: it is used up */
static uint64_t cap_lease(struct domain_sched *share, uint64_t now_ns)
{
    const int64_t quota_ns = (int64_t)share->cap * (int64_t)(FAIR_CAP_PERIOD_NS / 100u);
    int64_t lease_ns = 0;
    const uint64_t flags = spin_lock(&share->lock);

    if (now_ns >= share->until_ns) {
        const uint64_t periods = (now_ns - share->until_ns) / FAIR_CAP_PERIOD_NS;

        share->until_ns += (periods + 1u) * FAIR_CAP_PERIOD_NS;
        share->left_ns = (share->left_ns < 0) ? (share->left_ns + quota_ns) : quota_ns;
        if (periods > 0u) {
            share->left_ns = quota_ns;
        }
    }
    if (share->left_ns > 0) {
        lease_ns =
            (share->left_ns > (int64_t)(4u * LEASE_MIN_NS)) ? ((share->left_ns + 3) / 4) : share->left_ns;
        share->left_ns -= lease_ns;
    }
    spin_unlock(&share->lock, flags);
    return (uint64_t)lease_ns;
}

/* What it overran its lease by counts against the others. */
static void cap_owe(struct domain_sched *share, int64_t ns)
{
    const uint64_t flags = spin_lock(&share->lock);

    share->left_ns -= ns;
    spin_unlock(&share->lock, flags);
}

static void cap_limit(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns)
{
    struct domain_sched *const share = &vcpu->domain->sched;

    if ((vcpu->sched.lease_ns < 0) && (now_ns < (vcpu->sched.lease_until_ns + FAIR_CAP_PERIOD_NS))) {
        cap_owe(share, -vcpu->sched.lease_ns);
        vcpu->sched.lease_ns = 0;
    }
    if ((vcpu->sched.lease_ns <= 0) || (now_ns >= vcpu->sched.lease_until_ns)) {
        vcpu->sched.lease_ns = (int64_t)cap_lease(share, now_ns);
        vcpu->sched.lease_until_ns = share->until_ns;
    }
    if (vcpu->sched.lease_ns <= 0) {
        vcpu->sched.parked = true;
        sched_at_no_more(unit, vcpu);
        sched_at(unit, vcpu, vcpu->sched.lease_until_ns);
    }
}

/* ran_ns: what it ran since it was last charged, 0 if it did not. Parks it until its domain may run again, if
 * it may not now. */
static void cap_check(struct sched_unit *unit, struct vcpu *vcpu, uint64_t ran_ns, uint64_t now_ns)
{
    vcpu->sched.parked = false;
    if (vcpu->domain->sched.cap == 0u) {
        vcpu->sched.lease_ns = 0;
    } else {
        vcpu->sched.lease_ns -= (int64_t)ran_ns;
        cap_limit(unit, vcpu, now_ns);
    }
}

void fair_join(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns)
{
    (void)unit;
    (void)now_ns;
    vcpu->sched.ready.rank = 0u;
    vcpu->sched.ready.key = KEY_NEW;
    vcpu->sched.lease_ns = 0;
    vcpu->sched.lease_until_ns = 0u;
}

void fair_charge(struct sched_unit *unit, struct vcpu *vcpu, uint64_t ran_ns, uint64_t now_ns)
{
    const uint64_t key = vcpu->sched.ready.key + virtual_of(vcpu, ran_ns);

    if (vcpu->sched.turn_end_ns == TIME_NEVER) {
        unit->now_ns = bits_max(unit->now_ns, key);
    }
    vcpu->sched.ready.key = ((key + FAIR_LAG_NS) < unit->now_ns) ? (unit->now_ns - FAIR_LAG_NS) : key;
    cap_check(unit, vcpu, ran_ns, now_ns);
}

/* Who runs and nobody waits for has turns without end, that nobody chose it for anew: the unit's time goes
 * on with it all the same, or those who come now would claim all of that time. */
static void catch_up(struct sched_unit *unit, uint64_t now_ns)
{
    for (uint64_t left = unit->cpus; left != 0u; left &= left - 1u) {
        const struct vcpu *const runs = sched_cpus[(cpuid_t)__builtin_ctzll(left)].vcpu;

        if ((runs != NULL) && (runs->sched.turn_end_ns == TIME_NEVER)) {
            const uint64_t key = runs->sched.ready.key + virtual_of(runs, now_ns - runs->sched.charged_ns);

            unit->now_ns = bits_max(unit->now_ns, key);
        }
    }
}

void fair_wake(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns)
{
    catch_up(unit, now_ns);
    if (vcpu->sched.ready.key == KEY_NEW) {
        /* no claim on what others had so far; just before one that had its turn alone */
        vcpu->sched.ready.key = unit->now_ns - bits_min(unit->now_ns, 1u);
    }
    vcpu->sched.ready.key =
        bits_max(vcpu->sched.ready.key, unit->now_ns - bits_min(unit->now_ns, FAIR_BONUS_NS));
    cap_check(unit, vcpu, 0u, now_ns);
}

void fair_look(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns)
{
    if (vcpu->sched.parked) {
        cap_check(unit, vcpu, 0u, now_ns);
    }
}

uint64_t fair_turn(struct sched_unit *unit, const struct vcpu *vcpu, uint64_t now_ns, uint64_t end_ns)
{
    unit->now_ns = bits_max(unit->now_ns, vcpu->sched.ready.key);
    return (vcpu->domain->sched.cap != 0u) ? bits_min(end_ns, now_ns + (uint64_t)vcpu->sched.lease_ns)
                                           : end_ns;
}

uint64_t fair_ahead(const struct vcpu *vcpu, const struct vcpu *waits, uint64_t margin_ns)
{
    const uint64_t from_ns = vcpu->sched.ready.key;
    const uint64_t to_ns = bits_max(waits->sched.ready.key, from_ns) + margin_ns;

    return ((to_ns - from_ns) * vcpu->domain->sched.weight) / PLAN_WEIGHT;
}
