/* Which CPUs, domains and vCPUs are where. What changes here is asked of CPUs and vCPUs, which follow by
 * themselves: a CPU goes when it has left its vCPU, a vCPU when nobody has its state. */
/* [impl->req~cpupools~1] [impl->req~null-replacement~1] */
#include "sched/cpupool_core.h"

struct spinlock sched_pools_lock = SPINLOCK(LOCK_POOL);
struct sched_pool sched_pools[SCHED_POOLS_MAX];
struct sched_unit sched_units[HV_CPUS_MAX];

uint32_t sched_nr_units;

static const struct plan *pools_plan;
static struct sched_unit nowhere; /* where CPUs of no pool are */
static struct work review;

/* A static system has no use for the others; NULL: this build lacks it */
static const struct sched_policy *const policies[] = {
    &sched_null,
    &sched_arinc653,
    (CONFIG_STATIC == 0) ? &sched_credit : NULL,
    (CONFIG_STATIC == 0) ? &sched_credit2 : NULL,
    (CONFIG_STATIC == 0) ? &sched_rtds : NULL,
};

const struct sched_policy *sched_policy_of(uint32_t abi_id)
{
    const struct sched_policy *found = NULL;

    for (uint32_t i = 0; (i < ARRAY_LEN(policies)) && (found == NULL); i++) {
        found = ((policies[i] != NULL) && (policies[i]->abi_id == abi_id)) ? policies[i] : NULL;
    }
    return found;
}

struct sched_pool *sched_pool_of(uint32_t id)
{
    struct sched_pool *const pool = &sched_pools[hal_index(id, SCHED_POOLS_MAX)];

    return ((id < SCHED_POOLS_MAX) && (pool->policy != NULL)) ? pool : NULL;
}

static void unit_setup(struct sched_unit *unit, uint32_t index)
{
    spin_init(&unit->lock, LOCK_SCHED);
    timer_setup(&unit->timer, sched_later_fire);
    unit->index = index;
}

/* Nobody is in it; who waits for its lock may still look. */
static void unit_begin(struct sched_unit *unit, struct sched_pool *pool)
{
    const uint64_t flags = spin_lock(&unit->lock);

    unit->policy = pool->policy;
    unit->pool = pool;
    unit->cpus = 0u;
    unit->idle = 0u;
    unit->worker = 0u;
    unit->ready.root = NULL;
    unit->weight = 0u;
    unit->later.root = NULL;
    unit->now_ns = 0u;
    unit->members = 0u;
    sched_frame_drop(unit);
    spin_unlock(&unit->lock, flags);
}

void sched_pool_begin(struct sched_pool *pool, uint32_t id, const struct sched_policy *policy)
{
    static const struct sched_tuning usual = { SCHED_SLICE_MS, SCHED_RATELIMIT_US, 0u };

    pool->policy = policy;
    pool->id = id;
    pool->cpus = 0u;
    pool->nr_units = 0u;
    pool->admission = false;
    pool->tuning = usual;
    pool->major_ns = 0u;
    if (pool->waiting.timer.fire == NULL) {
        unit_setup(&pool->waiting, SCHED_NO_INDEX);
    }
    unit_begin(&pool->waiting, pool);
}

static uint64_t unit_bit(const struct sched_unit *unit)
{
    return (unit->index < HV_CPUS_MAX) ? BIT64(unit->index) : 0u;
}

/* Pools' lock held. A unit of the pool that takes another CPU, or a new one. There is always one that is
 * not in use: there are as many as CPUs, and each that is has one, or is about to lose its last. */
static struct sched_unit *unit_for_cpu(struct sched_pool *pool)
{
    struct sched_unit *found = NULL;
    uint64_t used = 0;

    for (cpuid_t cpu = 0; cpu < sched_nr_units; cpu++) {
        used |= unit_bit(sched_cpus[cpu].unit) | unit_bit(sched_cpus[cpu].goes);
    }
    for (uint32_t i = 0; (i < sched_nr_units) && (found == NULL); i++) {
        struct sched_unit *const unit = &sched_units[i];

        if ((unit->pool == pool) && (unit->members != 0u) &&
            (bits_count64(unit->members) < pool->policy->unit_cpus)) {
            found = unit;
        }
    }
    for (uint32_t i = 0; (i < sched_nr_units) && (found == NULL); i++) {
        struct sched_unit *const unit = &sched_units[i];

        if (((used & BIT64(i)) == 0u) && (unit->members == 0u) && (unit->nr_places == 0u) &&
            (unit->nr_vcpus == 0u)) {
            unit_begin(unit, pool);
            pool->nr_units++;
            found = unit;
        }
    }
    return found;
}

/* Pools' lock held. False: no unit has room yet. */
bool sched_pool_cpu_join(struct sched_pool *pool, cpuid_t cpu)
{
    struct sched_unit *const unit = unit_for_cpu(pool);

    if (unit != NULL) {
        unit->members |= BIT64(cpu);
        pool->cpus |= BIT64(cpu);
        sched_cpus[cpu].goes = unit;
    }
    return unit != NULL;
}

/* Pools' lock held. */
void sched_pool_cpu_drop(cpuid_t cpu, struct sched_unit *to)
{
    struct sched_unit *const unit = sched_cpus[cpu].goes;

    if ((unit != &nowhere) && ((unit->members & BIT64(cpu)) != 0u)) {
        unit->members &= ~BIT64(cpu);
        unit->pool->nr_units -= (unit->members == 0u) ? 1u : 0u;
    }
    sched_cpus[cpu].goes = (to != NULL) ? to : &nowhere;
}

static uint32_t abi_of(enum plan_sched sched)
{
    static const uint32_t id[] = {
        [PLAN_SCHED_NULL] = XEN_SCHEDULER_NULL,         [PLAN_SCHED_CREDIT] = XEN_SCHEDULER_CREDIT,
        [PLAN_SCHED_CREDIT2] = XEN_SCHEDULER_CREDIT2,   [PLAN_SCHED_RTDS] = XEN_SCHEDULER_RTDS,
        [PLAN_SCHED_ARINC653] = XEN_SCHEDULER_ARINC653,
    };

    return id[(uint32_t)sched % ARRAY_LEN(id)];
}

static void review_run(struct work *work);

void sched_init(const struct plan *plan)
{
    static const struct sched_policy *const last_resort = &sched_null;

    pools_plan = plan;
    work_setup(&review, review_run);
    sched_nr_units = plan->nr_cpus;
    for (uint32_t i = 0; i < sched_nr_units; i++) {
        unit_setup(&sched_units[i], i);
    }
    unit_setup(&nowhere, SCHED_NO_INDEX);
    for (uint32_t i = 0; i < plan->nr_pools; i++) {
        const struct sched_policy *const policy = sched_policy_of(abi_of(plan->pool[i].sched));

        sched_pool_begin(&sched_pools[i], i, (policy != NULL) ? policy : last_resort);
        sched_pools[i].admission = plan->pool[i].admission;
        sched_pools[i].major_ns = (uint64_t)plan->pool[i].major_us * 1000u;
    }
    unit_begin(&nowhere, &sched_pools[0]);
    nowhere.policy = &sched_null;
    for (cpuid_t cpu = 0; cpu < plan->nr_cpus; cpu++) {
        sched_cpus[cpu].unit = &nowhere;
        sched_cpus[cpu].goes = &nowhere;
    }
}

void sched_pool_start_cpu(cpuid_t cpu)
{
    const uint64_t flags = spin_lock(&sched_pools_lock);

    for (uint32_t i = 0; i < pools_plan->nr_pools; i++) {
        struct sched_pool *const pool = &sched_pools[i];

        if ((pools_plan->pool[i].cpus & BIT64(cpu)) != 0u) {
            if (pool->cpus == 0u) {
                pool->start_ns = hal_timer_now_ns();
            }
            (void)sched_pool_cpu_join(pool, cpu);
            sched_cpus[cpu].unit = sched_cpus[cpu].goes;
            sched_cpus[cpu].unit->cpus |= BIT64(cpu);
            if (pool->policy == &sched_arinc653) {
                sched_frame_plan(sched_cpus[cpu].unit, pools_plan, cpu);
            }
        }
    }
    spin_unlock(&sched_pools_lock, flags);
}

/* What of its affinity counts: with null it does to the letter, with windows the lowest CPU; else one
 * whose CPUs were taken from the pool runs on the others. */
static uint64_t allowed_of(const struct sched_pool *pool, const struct vcpu *vcpu)
{
    uint64_t allowed = vcpu->affinity & pool->cpus;

    if ((allowed == 0u) && !pool->policy->single) {
        allowed = pool->cpus;
    }
    return pool->policy->windows ? (allowed & (~allowed + 1u)) : allowed;
}

/* How well a unit suits a vCPU: the lower the better. */
static uint32_t crowd_of(const struct sched_unit *unit, const struct vcpu *vcpu)
{
    const bool mine = (vcpu->sched.goes == unit);
    const uint32_t others = unit->nr_places - (mine ? 1u : 0u);
    uint32_t crowd = ((others * 64u) / bits_count64(unit->members)) + (mine ? 0u : 32u);

    if (unit->policy->single && !mine && work_pending((cpuid_t)__builtin_ctzll(unit->members))) {
        crowd += 8u; /* a guest that starts now is not disturbed by the building of the next one */
    }
    return crowd;
}

/* Pools' lock held. */
static struct sched_unit *unit_for(struct sched_pool *pool, const struct vcpu *vcpu, uint64_t allowed)
{
    struct sched_unit *best = &pool->waiting;
    uint32_t best_crowd = UINT32_MAX;

    for (uint32_t i = 0; i < sched_nr_units; i++) {
        struct sched_unit *const unit = &sched_units[i];
        const bool mine = (vcpu->sched.goes == unit);

        if ((unit->pool != pool) || ((unit->members & allowed) == 0u) ||
            (pool->policy->single && !mine && (unit->nr_places > 0u))) {
            continue;
        }
        const uint32_t crowd = crowd_of(unit, vcpu);

        if (crowd < best_crowd) {
            best_crowd = crowd;
            best = unit;
        }
    }
    return best;
}

/* Pools' lock held; nobody has its state. */
static void join(struct sched_unit *unit, struct vcpu *vcpu)
{
    const uint64_t flags = spin_lock(&unit->lock);

    vcpu->sched.joined = true;
    vcpu->sched.parked = false;
    unit->nr_vcpus++;
    if (unit->policy->join != NULL) {
        unit->policy->join(unit, vcpu, hal_timer_now_ns());
    }
    if ((vcpu->state == VCPU_RUNNABLE) && !vcpu->domain->paused) {
        if (unit->policy->wake != NULL) {
            unit->policy->wake(unit, vcpu, hal_timer_now_ns());
        }
        sched_enqueue(unit, vcpu);
    }
    spin_unlock(&unit->lock, flags);
}

/* Likewise. */
static void leave(struct sched_unit *unit, struct vcpu *vcpu, struct sched_unit *to)
{
    const uint64_t flags = spin_lock(&unit->lock);

    sched_dequeue(unit, vcpu);
    sched_at_no_more(unit, vcpu);
    if (unit->policy->leave != NULL) {
        unit->policy->leave(unit, vcpu);
    }
    unit->nr_vcpus--;
    vcpu->sched.joined = false;
    vcpu->sched.parked = false;
    vcpu->sched.unit = to;
    spin_unlock(&unit->lock, flags);
}

void sched_pool_carry(struct vcpu *vcpu)
{
    const uint64_t flags = spin_lock(&sched_pools_lock);
    struct sched_unit *const to = vcpu->sched.goes;

    if (vcpu->sched.joined && (to != vcpu->sched.unit)) {
        leave(vcpu->sched.unit, vcpu, to);
        join(to, vcpu);
    }
    spin_unlock(&sched_pools_lock, flags);
}

void sched_pool_enter(struct vcpu *vcpu)
{
    const uint64_t flags = spin_lock(&sched_pools_lock);
    struct sched_pool *const pool = &sched_pools[hal_index(vcpu->domain->cpupool, SCHED_POOLS_MAX)];

    vcpu->sched.goes = NULL; /* the place that it had in an earlier life is not its own */
    vcpu->sched.allowed = allowed_of(pool, vcpu);
    vcpu->sched.goes = unit_for(pool, vcpu, vcpu->sched.allowed);
    vcpu->sched.goes->nr_places++;
    vcpu->sched.unit = vcpu->sched.goes;
    if ((vcpu->sched.unit->members & vcpu->sched.allowed) != 0u) {
        vcpu->cpu = (cpuid_t)__builtin_ctzll(vcpu->sched.unit->members & vcpu->sched.allowed);
    }
    join(vcpu->sched.unit, vcpu);
    spin_unlock(&sched_pools_lock, flags);
}

void sched_pool_exit(struct vcpu *vcpu)
{
    const uint64_t flags = spin_lock(&sched_pools_lock);

    if (vcpu->sched.joined) {
        leave(vcpu->sched.unit, vcpu, vcpu->sched.unit);
        vcpu->sched.goes->nr_places--;
        if (vcpu->sched.goes->policy->single) {
            sched_pool_review();
        }
        vcpu->sched.goes = vcpu->sched.unit;
    }
    spin_unlock(&sched_pools_lock, flags);
}

/* Pools' lock held. Sends it there, or tells that it may run elsewhere from now on. */
static void send(struct vcpu *vcpu, struct sched_unit *to, uint64_t allowed)
{
    uint64_t flags = 0;

    if (vcpu->sched.goes->policy->single && (vcpu->sched.goes->members != 0u) && (vcpu->sched.goes != to)) {
        sched_pool_review(); /* its place may suit another */
    }
    vcpu->sched.goes->nr_places--;
    to->nr_places++;
    vcpu->sched.goes = to;
    struct sched_unit *const unit = sched_lock_unit(vcpu, &flags);

    if (vcpu->sched.allowed != allowed) {
        const bool queued = vcpu->queued;

        sched_dequeue(unit, vcpu);
        vcpu->sched.allowed = allowed;
        if (queued) {
            sched_enqueue(unit, vcpu);
        }
    }
    if ((vcpu->state == VCPU_RUNNING) && ((to != unit) || ((allowed & BIT64(vcpu->cpu)) == 0u))) {
        sched_request(vcpu->cpu);
    }
    spin_unlock(&unit->lock, flags);
}

void sched_pool_follow(struct vcpu *vcpu)
{
    if (sched_claim(vcpu)) { /* or who has it takes it there */
        vcpu->wanted = 1u;
        sched_unclaim(vcpu, false);
    }
}

void sched_pool_settle(struct vcpu *vcpu)
{
    bool goes = false;
    const uint64_t flags = spin_lock(&sched_pools_lock);

    if (vcpu->sched.joined) {
        struct sched_pool *const pool = &sched_pools[hal_index(vcpu->domain->cpupool, SCHED_POOLS_MAX)];
        const uint64_t allowed = allowed_of(pool, vcpu);
        const struct sched_unit *const from = vcpu->sched.goes;

        send(vcpu, unit_for(pool, vcpu, allowed), allowed);
        goes = (vcpu->sched.goes != vcpu->sched.unit);
        if ((vcpu->sched.goes != from) && from->policy->single && (from->pool->waiting.nr_vcpus != 0u)) {
            sched_pool_review(); /* one that waits takes its place */
        }
    }
    spin_unlock(&sched_pools_lock, flags);
    if (goes) {
        sched_pool_follow(vcpu);
    }
}

/* Under null one that is off gives its CPU away while others wait. */
static void make_room(struct vcpu *vcpu)
{
    bool goes = false;
    const uint64_t flags = spin_lock(&sched_pools_lock);

    if (vcpu->sched.joined) {
        struct sched_unit *const unit = vcpu->sched.goes;
        struct sched_unit *const waiting = &unit->pool->waiting;

        goes = unit->policy->single && (unit != waiting) && (vcpu->state == VCPU_OFF) &&
               (waiting->ready.root != NULL) && (queue_first(&waiting->ready, unit->members) != NULL);
        if (goes) {
            send(vcpu, waiting, vcpu->sched.allowed);
        }
    }
    spin_unlock(&sched_pools_lock, flags);
    if (goes) {
        sched_pool_follow(vcpu);
    }
}

/* Those who want a CPU come before those who are off. */
static void review_run(struct work *work)
{
    (void)work;
    for (uint32_t round = 0; round < 3u; round++) {
        for (uint32_t d = 0; d < domain_count; d++) {
            struct domain *const domain = domain_table[d];

            for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
                struct vcpu *const vcpu = domain->vcpu[i];

                if (round == 0u) {
                    make_room(vcpu);
                } else if ((vcpu->state != VCPU_OFF) || (round == 2u)) { /* it may change between them */
                    sched_pool_settle(vcpu);
                } else {
                    /* the next round's */
                }
            }
            work_breathe();
        }
    }
}

void sched_pool_review(void)
{
    work_queue(&review, WORK_ANY_CPU);
}

void sched_pool_left(const struct sched_unit *unit)
{
    if (unit->policy->single && (unit->pool->waiting.nr_vcpus != 0u)) {
        sched_pool_review();
    }
}

void sched_pool_lose_cpu(cpuid_t cpu)
{
    struct sched_unit *const unit = sched_cpus[cpu].unit;
    uint64_t flags = spin_lock(&sched_pools_lock);

    sched_pool_cpu_drop(cpu, unit);
    unit->pool->cpus &= ~BIT64(cpu); /* one that may run nowhere else runs on the others */
    spin_unlock(&sched_pools_lock, flags);
    flags = spin_lock(&unit->lock);
    unit->cpus &= ~BIT64(cpu);
    unit->idle &= ~BIT64(cpu);
    unit->worker &= ~BIT64(cpu);
    timer_disarm(&unit->timer);
    if (unit->cpus != 0u) {
        sched_request((cpuid_t)__builtin_ctzll(unit->cpus)); /* arms it again */
    }
    spin_unlock(&unit->lock, flags);
    sched_pool_review();
}

enum hv_status sched_affinity(struct vcpu *vcpu, uint64_t hard, uint64_t soft)
{
    enum hv_status status = HV_INVALID;
    const uint64_t flags = spin_lock(&sched_pools_lock);
    const struct sched_pool *const pool = &sched_pools[hal_index(vcpu->domain->cpupool, SCHED_POOLS_MAX)];

    if ((hard & pool->cpus & percpu_online()) != 0u) {
        vcpu->affinity = hard & percpu_online();
        vcpu->avoids = ~soft;
        status = HV_OK;
    }
    spin_unlock(&sched_pools_lock, flags);
    if (status == HV_OK) {
        sched_pool_settle(vcpu);
    }
    return status;
}

uint32_t sched_abi_id(void)
{
    return sched_pools[0].policy->abi_id;
}

uint32_t sched_pool_abi_id(const struct domain *domain)
{
    return sched_pools[hal_index(domain->cpupool, SCHED_POOLS_MAX)].policy->abi_id;
}
