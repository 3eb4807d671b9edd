/* A unit's queue, who is looked at when, which CPU should look at whom, and whose a vCPU's state is. */
/* [impl->dsn~wake-not-lost~1] */
#include "sched/cpupool_core.h"

struct sched_unit *sched_lock_unit(const struct vcpu *vcpu, uint64_t *flags)
{
    static struct sched_unit nowhere = { .lock = SPINLOCK(LOCK_SCHED) }; /* for one that was never added */
    struct sched_unit *unit = vcpu->sched.unit;

    unit = (unit != NULL) ? unit : &nowhere;
    *flags = spin_lock(&unit->lock);
    while ((vcpu->sched.unit != unit) && (vcpu->sched.unit != NULL)) { /* moved meanwhile */
        spin_unlock(&unit->lock, *flags);
        unit = vcpu->sched.unit;
        *flags = spin_lock(&unit->lock);
    }
    return unit;
}

void sched_poke(struct sched_unit *unit, cpuid_t cpu)
{
    unit->idle &= ~BIT64(cpu);
    sched_cpus[cpu].woken = true;
    sched_request(cpu);
}

/* The lowest CPU of a set that is not empty. */
static cpuid_t first_of(uint64_t set)
{
    return (cpuid_t)__builtin_ctzll(set);
}

/* Of CPUs that run vCPUs the one whose vCPU is the least urgent; one that was asked already takes another
 * vCPU, so only if all were. */
static cpuid_t place_worst(uint64_t set)
{
    cpuid_t worst = HV_CPUS_MAX;

    for (uint64_t left = set; left != 0u; left &= left - 1u) {
        const cpuid_t cpu = first_of(left);
        const struct sched_cpu *const of = &sched_cpus[cpu];
        const struct sched_cpu *const than = &sched_cpus[(worst < HV_CPUS_MAX) ? worst : cpu];

        if ((worst == HV_CPUS_MAX) || (than->woken && !of->woken) ||
            ((than->woken == of->woken) && (than->vcpu != NULL) &&
             ((of->vcpu == NULL) || queue_before(&than->vcpu->sched.ready, &of->vcpu->sched.ready)))) {
            worst = cpu;
        }
    }
    return worst;
}

/* An idle CPU, else one that does long work; of these one that it does not avoid, where it ran last if
 * that is among them. */
cpuid_t sched_place(struct sched_unit *unit, const struct vcpu *vcpu)
{
    const uint64_t all = vcpu->sched.allowed & unit->cpus;
    uint64_t set = all & unit->idle;
    uint64_t until_ns = 0;

    if (set == 0u) {
        set = all & unit->worker;
    }
    if ((all != 0u) && (unit->policy->window != NULL) &&
        (unit->policy->window(unit, first_of(all), hal_timer_now_ns(), &until_ns) != vcpu)) {
        return HV_CPUS_MAX; /* its window will come */
    }
    if (set == 0u) {
        return place_worst(all);
    }
    if ((set & ~vcpu->avoids) != 0u) {
        set &= ~vcpu->avoids;
    }
    return ((set & BIT64(vcpu->cpu)) != 0u) ? vcpu->cpu : first_of(set);
}

/* Lock held. A CPU is asked to look at a vCPU of the queue. */
static void call_cpu(struct sched_unit *unit, const struct vcpu *vcpu, bool preempted)
{
    const cpuid_t cpu = sched_place(unit, vcpu);

    if ((cpu < HV_CPUS_MAX) && !(preempted && (cpu == cpu_id()))) {
        sched_poke(unit, cpu);
    }
    for (uint64_t left = vcpu->sched.allowed & unit->cpus; left != 0u; left &= left - 1u) {
        if ((sched_cpus[first_of(left)].runs == SCHED_RUNS_VCPU) &&
            (sched_cpus[first_of(left)].turn_end_ns == TIME_NEVER)) {
            sched_request(first_of(left)); /* nobody waited when that turn began: it is to end one day */
        }
    }
}

static void queue_in(struct sched_unit *unit, struct vcpu *vcpu)
{
    vcpu->sched.ready.mask = vcpu->sched.allowed;
    vcpu->sched.queued_weight = vcpu->domain->sched.weight;
    unit->weight += vcpu->sched.queued_weight;
    queue_insert(&unit->ready, &vcpu->sched.ready);
}

static void queue_out(struct sched_unit *unit, struct vcpu *vcpu)
{
    unit->weight -= vcpu->sched.queued_weight;
    queue_remove(&unit->ready, &vcpu->sched.ready);
}

void sched_queue(struct sched_unit *unit, struct vcpu *vcpu)
{
    vcpu->queued = true;
    if (!vcpu->sched.parked) {
        queue_in(unit, vcpu);
    }
}

void sched_enqueue(struct sched_unit *unit, struct vcpu *vcpu)
{
    sched_queue(unit, vcpu);
    if (unit->cpus == 0u) {
        sched_pool_left(unit); /* there may be a place that it did not want before */
    } else if (!vcpu->sched.parked) {
        call_cpu(unit, vcpu, false);
    } else {
        /* its time will come */
    }
}

void sched_dequeue(struct sched_unit *unit, struct vcpu *vcpu)
{
    if (vcpu->queued && !vcpu->sched.parked) {
        queue_out(unit, vcpu);
    }
    vcpu->queued = false;
}

void sched_later(struct sched_unit *unit)
{
    const struct queue_node *const first = queue_first(&unit->later, UINT64_MAX);
    const uint64_t at_ns = (first != NULL) ? first->key : TIME_NEVER;

    if ((at_ns == TIME_NEVER) || ((unit->timer.cpu != TIMER_UNARMED) && (unit->timer.deadline_ns <= at_ns))) {
        /* nothing is due, or it comes soon enough */
    } else if ((unit->cpus & BIT64(cpu_id())) != 0u) {
        timer_arm(&unit->timer, at_ns);
    } else if (unit->cpus != 0u) {
        sched_request(first_of(unit->cpus));
    } else {
        /* who waits here runs nowhere */
    }
}

void sched_at(struct sched_unit *unit, struct vcpu *vcpu, uint64_t at_ns)
{
    vcpu->sched.later.rank = 0u;
    vcpu->sched.later.key = at_ns;
    vcpu->sched.later.mask = UINT64_MAX;
    vcpu->sched.timed = true;
    queue_insert(&unit->later, &vcpu->sched.later);
    sched_later(unit);
}

void sched_at_no_more(struct sched_unit *unit, struct vcpu *vcpu)
{
    if (vcpu->sched.timed) {
        vcpu->sched.timed = false;
        queue_remove(&unit->later, &vcpu->sched.later);
    }
}

static void look_at(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns)
{
    sched_at_no_more(unit, vcpu);
    if (vcpu->queued && !vcpu->sched.parked) {
        queue_out(unit, vcpu);
    }
    unit->policy->look(unit, vcpu, now_ns);
    if (vcpu->queued && !vcpu->sched.parked) {
        queue_in(unit, vcpu);
        call_cpu(unit, vcpu, false);
    } else if (vcpu->state == VCPU_RUNNING) {
        sched_request(vcpu->cpu);
    } else {
        /* it waits for something else */
    }
}

void sched_look(struct sched_unit *unit, uint64_t now_ns)
{
    struct queue_node *const node = queue_first(&unit->later, UINT64_MAX);

    if ((node != NULL) && (node->key <= now_ns)) {
        look_at(unit, sched_vcpu_later(node), now_ns);
    }
    sched_later(unit);
}

static struct sched_unit *unit_of_timer(struct timer *timer)
{
    return (struct sched_unit *)(void *)((uint8_t *)(void *)timer - offsetof(struct sched_unit, timer));
}

void sched_later_fire(struct timer *timer)
{
    struct sched_unit *const unit = unit_of_timer(timer);
    const uint64_t flags = spin_lock(&unit->lock);

    sched_look(unit, hal_timer_now_ns());
    spin_unlock(&unit->lock, flags);
}

bool sched_claim(struct vcpu *vcpu)
{
    bool mine = hal_compare_swap32(&vcpu->on_cpu, 0u, 1u);

    if (!mine) {
        hal_store_release32(&vcpu->wanted, 1u);
        hal_barrier(); /* as in sched_unclaim(): either who has it sees that, or it is free by now */
        mine = hal_compare_swap32(&vcpu->on_cpu, 0u, 1u);
    }
    return mine;
}

/* It was wanted. True: it is to be elsewhere. */
static bool settle(struct vcpu *vcpu, bool preempted)
{
    uint64_t flags = 0;
    struct sched_unit *const unit = sched_lock_unit(vcpu, &flags);
    const bool goes = vcpu->sched.joined && (vcpu->sched.goes != unit);

    vcpu->wanted = 0u;
    if (goes || (vcpu->state != VCPU_RUNNABLE) || vcpu->domain->paused || !vcpu->sched.joined) {
        /* nobody's turn here */
    } else if (!vcpu->queued) { /* who wanted it took it off the queue */
        sched_enqueue(unit, vcpu);
    } else if (!vcpu->sched.parked) {
        call_cpu(unit, vcpu, preempted);
    } else {
        /* its time will come */
    }
    spin_unlock(&unit->lock, flags);
    return goes;
}

void sched_unclaim(struct vcpu *vcpu, bool preempted)
{
    bool again = true;

    while (again) { /* once more only if it was sent on meanwhile */
        hal_store_release32(&vcpu->on_cpu, 0u);
        hal_barrier();
        again = (hal_load_acquire32(&vcpu->wanted) != 0u) && settle(vcpu, preempted) && sched_claim(vcpu);
        if (again) {
            sched_pool_carry(vcpu);
        }
    }
}
