/* Everything that can happen to the scheduler, one operation after another as numbers say, and what must hold
 * whenever all CPUs are at rest. For tests at random and for fuzzing. */
#ifndef SCHED_SCHEDOPS_H
#define SCHED_SCHEDOPS_H

#include <stdio.h>
#include <stdlib.h>

static void ops_dump(void);
/* As in bench.h, with everything that is where */
#define CHECK(x)                                                                                             \
    do {                                                                                                     \
        if (!(x)) {                                                                                          \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                    \
            ops_dump();                                                                                      \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#include "../core/bench.h"
#include "major.h"
#include "fake_private.h"
#include "sched/params.h"
#include "sched/cpupool_core.h"

#define OPS_CPUS    12u
#define OPS_DOMAINS 4u
#define OPS_VCPUS   4u

static uint64_t (*ops_take)(uint64_t below); /* a number from 0 up to that */
static uint64_t ops_dead_ns;                 /* what lives that are over had */
static uint64_t ops_lost;                    /* CPUs that stopped for good */
static bool ops_may_lose;
static struct work ops_work[4];
static uint64_t ops_works;
static uint64_t ops_done; /* of what may be refused */

static const uint32_t ops_policies[] = { XEN_SCHEDULER_NULL, XEN_SCHEDULER_CREDIT, XEN_SCHEDULER_CREDIT2,
                                         XEN_SCHEDULER_RTDS, XEN_SCHEDULER_ARINC653 };

/* -- What must hold -- */

static inline void ops_node_check(const struct queue_node *node)
{
    uint32_t height[2] = { 0u, 0u };
    uint64_t masks = node->mask;

    for (uint32_t i = 0; i < 2u; i++) {
        if (node->side[i] != NULL) {
            CHECK(node->side[i]->up == node);
            masks |= node->side[i]->masks;
            height[i] = node->side[i]->height;
        }
    }
    CHECK(node->masks == masks);
    CHECK(node->height == (bits_max(height[0], height[1]) + 1u));
    CHECK((height[0] <= (height[1] + 1u)) && (height[1] <= (height[0] + 1u)));
}

static inline struct queue_node *ops_node_next(struct queue_node *node)
{
    struct queue_node *next = node->side[1];

    if (next != NULL) {
        while (next->side[0] != NULL) {
            next = next->side[0];
        }
    } else {
        next = node;
        while ((next->up != NULL) && (next->up->side[1] == next)) {
            next = next->up;
        }
        next = next->up;
    }
    return next;
}

/* All in order, which is checked; how many there are */
static inline uint64_t ops_walk(const struct queue *queue, struct queue_node **nodes)
{
    struct queue_node *node = queue->root;
    uint64_t nr = 0u;

    while ((node != NULL) && (node->side[0] != NULL)) {
        node = node->side[0];
    }
    for (; node != NULL; node = ops_node_next(node)) {
        CHECK(nr < (OPS_DOMAINS * OPS_VCPUS));
        CHECK((nr == 0u) || !queue_before(node, nodes[nr - 1u]));
        ops_node_check(node);
        nodes[nr] = node;
        nr++;
    }
    return nr;
}

/* What those in a unit's queue weigh */
static inline void ops_weight_check(const struct sched_unit *unit, struct queue_node *const *nodes,
                                    uint64_t nr)
{
    uint64_t weight = 0u;

    for (uint64_t i = 0; i < nr; i++) {
        weight += sched_vcpu_ready(nodes[i])->sched.queued_weight;
        /* one that joined and was not woken would wait for ever */
        CHECK((unit->policy->wake == NULL) || (nodes[i]->key != UINT64_MAX));
    }
    CHECK(weight == unit->weight);
}

static inline bool ops_in(const struct queue *queue, const struct queue_node *node)
{
    struct queue_node *nodes[OPS_DOMAINS * OPS_VCPUS];
    const uint64_t nr = ops_walk(queue, nodes);
    bool found = false;

    for (uint64_t i = 0; i < nr; i++) {
        found = found || (nodes[i] == node);
    }
    return found;
}

static inline struct sched_unit *ops_unit(uint32_t n)
{
    return (n < HV_CPUS_MAX) ? &sched_units[n] : &sched_pools[n - HV_CPUS_MAX].waiting;
}
#define OPS_UNITS (HV_CPUS_MAX + SCHED_POOLS_MAX)

static inline void ops_name(const char *what, const struct sched_unit *unit)
{
    uint32_t n = 0u;

    while ((n < OPS_UNITS) && (ops_unit(n) != unit)) {
        n++;
    }
    if (n >= OPS_UNITS) {
        (void)fprintf(stderr, " %s none", what);
    } else if (n >= HV_CPUS_MAX) {
        (void)fprintf(stderr, " %s %u waiting", what, n - HV_CPUS_MAX);
    } else {
        (void)fprintf(stderr, " %s %u %s pool %u cpus %lx idle %lx", what, n, unit->policy->name,
                      unit->pool->id, unit->cpus, unit->idle);
    }
}

static void ops_dump(void)
{
    static const char *const states[] = { "off", "blocked", "runnable", "running" };

    for (cpuid_t cpu = 0; cpu < OPS_CPUS; cpu++) {
        (void)fprintf(stderr, "CPU %u %s:", cpu,
                      ((ops_lost & BIT64(cpu)) != 0u) ? "lost" : percpu_area[cpu].runs);
        ops_name("unit", sched_cpus[cpu].unit);
        ops_name(", goes", sched_cpus[cpu].goes);
        (void)fprintf(stderr, "\n");
    }
    for (uint32_t i = 0; i < (OPS_DOMAINS * OPS_VCPUS); i++) {
        const struct vcpu *const v = &bench_vcpu[i / OPS_VCPUS][i % OPS_VCPUS];

        (void)fprintf(stderr, "%u.%u pool %u %s%s%s%s%s cpu %u affinity %lx allowed %lx", i / OPS_VCPUS,
                      i % OPS_VCPUS, v->domain->cpupool, states[v->state], v->queued ? " queued" : "",
                      v->sched.parked ? " parked" : "", v->sched.timed ? " timed" : "",
                      v->domain->paused ? " paused" : "", v->cpu, v->affinity, v->sched.allowed);
        ops_name("unit", v->sched.unit);
        ops_name(", goes", v->sched.goes);
        (void)fprintf(stderr, "\n");
    }
}

/* Which CPU is whose, and what its unit believes of it */
static inline void ops_check_cpus(void)
{
    for (cpuid_t cpu = 0; cpu < OPS_CPUS; cpu++) {
        const struct sched_cpu *const of = &sched_cpus[cpu];
        const uint64_t bit = BIT64(cpu);

        if ((ops_lost & bit) != 0u) {
            continue;
        }
        CHECK(of->unit == of->goes);
        bool taken = false;

        for (uint32_t n = 0; n < OPS_UNITS; n++) {
            const struct sched_unit *const unit = ops_unit(n);

            CHECK(((unit->cpus & bit) != 0u) == (unit == of->unit));
            CHECK((unit->members & bit) == (unit->cpus & bit));
            taken = taken || (unit == of->unit);
        }
        for (uint32_t n = 0; n < SCHED_POOLS_MAX; n++) {
            const struct sched_pool *const pool = &sched_pools[n];
            const bool has = (pool->policy != NULL) && ((pool->cpus & bit) != 0u);

            CHECK(has == (taken && (of->unit->pool == pool)));
        }
        if (taken) {
            CHECK(((of->unit->idle & bit) != 0u) == (of->runs == SCHED_RUNS_IDLE));
            CHECK(((of->unit->worker & bit) != 0u) == (of->runs == SCHED_RUNS_WORKER));
            CHECK(of->unit->policy == of->unit->pool->policy);
        }
        CHECK(taken || (of->vcpu == NULL));
        CHECK((of->vcpu != NULL) == (of->runs == SCHED_RUNS_VCPU));
        CHECK((of->vcpu == NULL) ? (fake_cpu_guest(cpu) == NULL) : bench_runs(of->vcpu, cpu));
        CHECK((of->vcpu == NULL) || ((of->vcpu->sched.unit == of->unit) && (of->vcpu->cpu == cpu)));
    }
}

/* null takes its affinity at its word; with windows it has one CPU */
static inline uint64_t ops_allowed(const struct vcpu *v)
{
    const struct sched_unit *const unit = v->sched.unit;
    const uint64_t cpus = unit->pool->cpus & ~ops_lost;
    uint64_t allowed = v->affinity & cpus;

    if ((allowed == 0u) && !unit->policy->single) {
        allowed = cpus;
    }
    return unit->policy->windows ? (allowed & (~allowed + 1u)) : allowed;
}

/* The unit is nobody's, or that of one that is off */
static inline bool ops_is_free(const struct sched_unit *unit)
{
    bool is_free = true;

    for (uint32_t i = 0; i < (OPS_DOMAINS * OPS_VCPUS); i++) {
        const struct vcpu *const v = &bench_vcpu[i / OPS_VCPUS][i % OPS_VCPUS];

        is_free = is_free && ((v->sched.goes != unit) || (v->state == VCPU_OFF));
    }
    return is_free;
}

/* One that wants to run and does not: is there a reason? */
static inline void ops_check_waits(const struct vcpu *v)
{
    const struct sched_unit *const unit = v->sched.unit;
    uint64_t until_ns = 0u;

    for (cpuid_t cpu = 0; (cpu < OPS_CPUS) && !v->sched.parked; cpu++) {
        if ((ops_allowed(v) & unit->idle & BIT64(cpu)) != 0u) {
            CHECK((unit->policy->window != NULL) &&
                  (unit->policy->window((struct sched_unit *)(uintptr_t)unit, cpu, fake_time(), &until_ns) !=
                   v));
        }
    }
    if (v->sched.parked) {
        CHECK(v->sched.timed && (v->sched.later.key > fake_time()));
    }
    if (unit->policy->single && (unit->cpus == 0u)) { /* it has no place: there is none */
        for (cpuid_t cpu = 0; cpu < OPS_CPUS; cpu++) {
            CHECK(((ops_allowed(v) & BIT64(cpu)) == 0u) || !ops_is_free(sched_cpus[cpu].unit));
        }
    }
}

/* No work waits: who has to go elsewhere was sent there. */
static inline bool ops_settled(void)
{
    bool settled = true;

    for (cpuid_t cpu = 0; cpu < OPS_CPUS; cpu++) {
        settled = settled && !work_pending(cpu);
    }
    return settled;
}

static inline void ops_check_vcpu(const struct vcpu *v)
{
    const struct sched_unit *const unit = v->sched.unit;
    const bool paused = v->domain->paused;
    const bool settled = ops_settled();

    CHECK((unit != NULL) && v->sched.joined);
    CHECK(!settled || (unit == v->sched.goes)); /* work may have been left between sending and carrying it */
    CHECK(!settled || (unit->pool->id == v->domain->cpupool));
    CHECK((v->state == VCPU_RUNNING) == (v->on_cpu != 0u));
    CHECK((v->state == VCPU_RUNNING) == v->hal.loaded);
    CHECK(v->queued == ((v->state == VCPU_RUNNABLE) && !paused));
    CHECK(ops_in(&unit->ready, &v->sched.ready) == (v->queued && !v->sched.parked));
    CHECK(ops_in(&unit->later, &v->sched.later) == v->sched.timed);
    if (v->state == VCPU_RUNNING) {
        CHECK(bench_runs(v, v->cpu) && !paused && (sched_cpus[v->cpu].vcpu == v));
        CHECK(!settled || ((ops_allowed(v) & BIT64(v->cpu)) != 0u));
    }
    if (v->queued && settled) {
        ops_check_waits(v);
    }
    if (v->state == VCPU_BLOCKED) {
        CHECK(!hal_vcpu_irq_pending(&v->hal));
        CHECK(hal_vcpu_deadline(&v->hal, false) > fake_time());
    }
}

static inline void ops_check_units(void)
{
    struct queue_node *nodes[OPS_DOMAINS * OPS_VCPUS];

    for (uint32_t n = 0; n < OPS_UNITS; n++) {
        const struct sched_unit *const unit = ops_unit(n);
        uint32_t nr = 0u;
        uint32_t nr_places = 0u;

        for (uint32_t i = 0; i < (OPS_DOMAINS * OPS_VCPUS); i++) {
            const struct vcpu *const v = &bench_vcpu[i / OPS_VCPUS][i % OPS_VCPUS];

            nr += (v->sched.unit == unit) ? 1u : 0u;
            nr_places += (v->sched.goes == unit) ? 1u : 0u; /* who is stuck on a lost CPU never follows */
        }
        CHECK((unit->nr_vcpus == nr) && (unit->nr_places == nr_places));
        const uint64_t nr_ready = ops_walk(&unit->ready, nodes);

        CHECK(nr_ready <= nr);
        ops_weight_check(unit, nodes, nr_ready);
        CHECK((unit->policy == NULL) || !unit->policy->single || (unit->cpus == 0u) || (nr <= 1u));
        if ((ops_walk(&unit->later, nodes) > 0u) && (unit->cpus != 0u)) {
            CHECK((unit->timer.cpu != TIMER_UNARMED) && (unit->timer.deadline_ns <= nodes[0]->key));
        }
    }
}

/* Nobody has had time that was not there, and all of it is somebody's: work takes none here. */
static inline void ops_check_time(void)
{
    uint64_t sum_ns = ops_dead_ns;

    for (uint32_t i = 0; i < (OPS_DOMAINS * OPS_VCPUS); i++) {
        sum_ns += sched_run_ns(&bench_vcpu[i / OPS_VCPUS][i % OPS_VCPUS]);
    }
    for (cpuid_t cpu = 0; cpu < OPS_CPUS; cpu++) {
        sum_ns += sched_idle_ns(cpu);
    }
    CHECK((ops_lost != 0u) || (sum_ns == (OPS_CPUS * fake_time())));
}

static inline void ops_check(void)
{
    ops_check_cpus();
    ops_check_units();
    for (uint32_t i = 0; i < (OPS_DOMAINS * OPS_VCPUS); i++) {
        const struct vcpu *const v = &bench_vcpu[i / OPS_VCPUS][i % OPS_VCPUS];

        if ((v->state != VCPU_RUNNING) || ((ops_lost & BIT64(v->cpu)) == 0u)) {
            ops_check_vcpu(v);
        }
    }
    ops_check_time();
}

/* -- What happens: to guests -- */

static inline struct vcpu *ops_vcpu(void)
{
    const uint64_t i = ops_take(OPS_DOMAINS * OPS_VCPUS);

    return &bench_vcpu[i / OPS_VCPUS][i % OPS_VCPUS];
}

static inline uint32_t ops_pool(void)
{
    return (uint32_t)ops_take(5u);
}

static inline void ops_pend(void)
{
    fake_guest_pend(&ops_vcpu()->hal, (uint32_t)ops_take(16u));
}

static inline void ops_wait(void)
{
    const cpuid_t cpu = (cpuid_t)ops_take(OPS_CPUS);
    struct hal_vcpu *const guest = fake_cpu_guest(cpu);
    const struct hal_exit idle = { .kind = HAL_EXIT_IDLE };

    if (guest != NULL) {
        (void)fake_guest_ack(guest);
        switch (ops_take(4u)) {
        case 0:
            fake_guest_virt_timer(guest, fake_time() + ops_take(3u * MS));
            break;
        case 1:
            fake_guest_phys_timer(guest, fake_time() + ops_take(3u * MS));
            break;
        default:
            break;
        }
    }
    if (fake_cpu_guest(cpu) != NULL) {
        (void)fake_guest_exit(cpu, &idle);
    }
}

static inline void ops_yield(void)
{
    const cpuid_t cpu = (cpuid_t)ops_take(OPS_CPUS);
    const struct hal_exit yield = { .kind = HAL_EXIT_YIELD };

    if (fake_cpu_guest(cpu) != NULL) {
        (void)fake_guest_exit(cpu, &yield);
    }
}

static inline void ops_start(void)
{
    struct vcpu *const v = ops_vcpu();

    if (upcall_vcpu_start(&v->hal, 0x1000, 0) == HV_OK) {
        CHECK(upcall_vcpu_is_on(&v->hal));
    }
}

static inline void ops_off(void)
{
    sched_power_off(ops_vcpu());
}

static inline void ops_pause(void)
{
    struct domain *const d = &bench_domain[ops_take(OPS_DOMAINS)];

    d->paused = !d->paused;
    if (d->paused) {
        sched_pause_domain(d);
    } else {
        sched_unpause_domain(d);
    }
}

static inline bool ops_stuck(const struct domain *d)
{
    bool stuck = false;

    for (uint32_t i = 0; i < d->nr_vcpus; i++) {
        stuck = stuck || ((d->vcpu[i]->state == VCPU_RUNNING) && ((ops_lost & BIT64(d->vcpu[i]->cpu)) != 0u));
    }
    return stuck;
}

static inline uint64_t ops_domain_ran(const struct domain *d)
{
    uint64_t sum_ns = 0u;

    for (uint32_t i = 0; i < d->nr_vcpus; i++) {
        sum_ns += sched_run_ns(d->vcpu[i]);
    }
    return sum_ns;
}

/* A domain ends, and another life of it begins, in that pool of the plan. */
static inline void ops_rebirth(void)
{
    struct domain *const d = &bench_domain[ops_take(OPS_DOMAINS)];

    if (ops_stuck(d)) {
        return;
    }
    d->state = DOMAIN_STOPPING;
    for (uint32_t i = 0; i < d->nr_vcpus; i++) {
        sched_power_off(d->vcpu[i]);
    }
    fake_run();
    CHECK(sched_domain_quiet(d));
    ops_dead_ns += ops_domain_ran(d);
    for (uint32_t i = 0; i < d->nr_vcpus; i++) {
        sched_remove(d->vcpu[i]);
        CHECK(hal_vcpu_init(&d->vcpu[i]->hal, &d->hal, i) == HV_OK);
    }
    fake_run();
    for (uint32_t i = 0; i < d->nr_vcpus; i++) {
        sched_add(d->vcpu[i]);
    }
    d->state = DOMAIN_RUNNING;
    d->paused = false;
    ops_dead_ns -= ops_domain_ran(d);
}

/* -- ... to where they run -- */

static inline void ops_affinity(void)
{
    struct vcpu *const v = ops_vcpu();
    const uint64_t before = v->affinity;
    const uint64_t hard = ops_take(1u << (OPS_CPUS + 1u));

    if (sched_affinity(v, (ops_take(8u) == 0u) ? ANY_CPU : hard, ops_take(1u << OPS_CPUS)) == HV_OK) {
        CHECK(v->affinity != 0u);
    } else {
        CHECK(v->affinity == before);
    }
}

static inline void ops_share(void)
{
    struct domain *const d = &bench_domain[ops_take(OPS_DOMAINS)];
    const struct sched_share share = { (uint32_t)ops_take(0x10002u),
                                       (uint32_t)ops_take(3u) * (uint32_t)ops_take(220u) };
    const bool good = (share.weight >= 1u) && (share.weight <= 65535u) && (share.cap <= (100u * d->nr_vcpus));
    struct sched_share now;

    CHECK(sched_share_set(d, &share) == (good ? HV_OK : HV_INVALID));
    sched_share_get(d, &now);
    CHECK(!good || ((now.weight == share.weight) && (now.cap == share.cap)));
}

static inline void ops_rt(void)
{
    struct vcpu *const v = ops_vcpu();
    const struct sched_rt rt = { (uint32_t)ops_take(20000u), (uint32_t)ops_take(12000u), ops_take(2u) == 0u };
    const bool good = (rt.budget_us >= SCHED_RT_US_MIN) && (rt.budget_us <= rt.period_us);
    const enum hv_status status = sched_rt_set(v, &rt);
    struct sched_rt now;

    CHECK(good ? ((status == HV_OK) || (status == HV_LIMIT)) : (status == HV_INVALID));
    sched_rt_get(v, &now);
    CHECK((status != HV_OK) || ((now.period_us == rt.period_us) && (now.budget_us == rt.budget_us)));
}

static inline void ops_tuning(void)
{
    const struct sched_tuning tuning = { (uint32_t)ops_take(60u), (uint32_t)ops_take(4u) * 500u,
                                         (uint32_t)ops_take(2000u) };

    ops_done += (sched_tuning_set(ops_pool(), &tuning) == HV_OK) ? 1u : 0u;
}

static inline void ops_major(void)
{
    static struct major major;

    (void)memset(&major, 0, sizeof(major));
    major.nr = (uint32_t)ops_take(8u);
    for (uint32_t i = 0; i < major.nr; i++) {
        struct sched_minor *const m = &major.minor[i];

        m->handle[0] = (uint8_t)(1u + ops_take(OPS_DOMAINS + 1u)); /* one more than there are */
        m->vcpu = (uint32_t)ops_take(OPS_VCPUS + 1u);
        m->ns = ops_take(400u) * 1000u;
    }
    major.ns = ops_take(3000u) * 1000u;
    ops_done += (major_set(ops_pool(), &major) == HV_OK) ? 1u : 0u;
}

/* -- ... to pools and CPUs -- */

static inline void ops_pool_make(void)
{
    uint32_t made = 0u;
    const uint32_t id = (ops_take(2u) == 0u) ? SCHED_POOL_ANY : ops_pool();

    if (sched_pool_make(id, ops_policies[ops_take(5u)], &made) == HV_OK) {
        CHECK((id == SCHED_POOL_ANY) || (made == id));
    }
}

static inline void ops_pool_drop(void)
{
    ops_done += (sched_pool_drop(ops_pool()) == HV_OK) ? 1u : 0u;
}

static inline cpuid_t ops_any_cpu(void)
{
    const uint64_t cpu = ops_take(OPS_CPUS + 2u);

    return (cpu == OPS_CPUS) ? SCHED_CPU_ANY : (cpuid_t)cpu;
}

static inline void ops_cpu_add(void)
{
    const uint32_t pool = ops_pool();

    ops_done += (sched_pool_add_cpu(pool, ops_any_cpu()) == HV_OK) ? 1u : 0u;
}

static inline void ops_cpu_remove(void)
{
    const uint32_t pool = ops_pool();

    ops_done += (sched_pool_remove_cpu(pool, ops_any_cpu()) == HV_OK) ? 1u : 0u;
    CHECK((sched_pools[0].cpus & 1u) != 0u);
}

static inline void ops_domain_move(void)
{
    struct domain *const d = &bench_domain[ops_take(OPS_DOMAINS)];
    const uint32_t pool = ops_pool();

    if (sched_pool_move(d, pool) == HV_OK) {
        CHECK(d->cpupool == pool);
    }
}

static inline void ops_work_run(struct work *work)
{
    (void)work;
    ops_works++;
    if ((ops_works % 4u) == 0u) {
        work_breathe();
    }
}

static inline void ops_work_queue(void)
{
    work_queue(&ops_work[ops_take(4u)], (ops_take(2u) == 0u) ? WORK_ANY_CPU : (cpuid_t)ops_take(OPS_CPUS));
}

static inline void ops_lose_now(struct timer *timer)
{
    (void)timer;
    if (sched_leave() == NULL) {
        ops_lost |= BIT64(cpu_id());
        hal_cpu_park();
    }
}

/* A CPU stops for good, wherever it is; up to two do, and the boot CPU stays. */
static inline void ops_lose(void)
{
    static struct timer timer;
    const cpuid_t cpu = (cpuid_t)(1u + ops_take(OPS_CPUS - 1u));

    if (ops_may_lose && (ops_take(16u) == 0u) && (__builtin_popcountll(ops_lost) < 2) &&
        ((ops_lost & BIT64(cpu)) == 0u)) {
        fake_park_allow(true);
        timer_setup(&timer, ops_lose_now);
        fake_cpu_set(cpu);
        timer_arm(&timer, fake_time());
        fake_cpu_set(OUTSIDE);
        fake_run();
        if ((ops_lost & BIT64(cpu)) != 0u) {
            timer_adopt(cpu); /* as the worker does that looks after it (boot/) */
        }
    }
}

static inline void ops_time(void)
{
    fake_run(); /* work takes no time */
    fake_time_advance(ops_take(2u) * ops_take(200000u));
    fake_time_advance(ops_take(4u * MS));
}

static const struct {
    const char *name;
    void (*run)(void);
    uint32_t weight;
} ops_table[] = {
    { "pend", ops_pend, 6u },
    { "wait", ops_wait, 8u },
    { "yield", ops_yield, 4u },
    { "start", ops_start, 6u },
    { "time", ops_time, 8u },
    { "off", ops_off, 2u },
    { "pause", ops_pause, 2u },
    { "rebirth", ops_rebirth, 2u },
    { "affinity", ops_affinity, 4u },
    { "share", ops_share, 2u },
    { "rt", ops_rt, 2u },
    { "tuning", ops_tuning, 1u },
    { "major", ops_major, 2u },
    { "pool_make", ops_pool_make, 2u },
    { "pool_drop", ops_pool_drop, 1u },
    { "cpu_add", ops_cpu_add, 2u },
    { "cpu_remove", ops_cpu_remove, 2u },
    { "domain_move", ops_domain_move, 2u },
    { "work_queue", ops_work_queue, 4u },
    { "lose", ops_lose, 2u },
};
#define OPS_WEIGHTS 64u

static inline void ops_one(bool tell)
{
    uint64_t at = ops_take(OPS_WEIGHTS);
    uint32_t i = 0u;

    while (at >= ops_table[i].weight) {
        at -= ops_table[i].weight;
        i++;
    }
    if (tell) {
        (void)fprintf(stderr, "%lu us: %s\n", fake_time() / 1000u, ops_table[i].name);
    }
    ops_table[i].run();
}

/* -- The machine: two pools, of which one may have several units, and free CPUs -- */

static inline void ops_setup(void)
{
    static const enum plan_sched policies[] = { PLAN_SCHED_NULL, PLAN_SCHED_CREDIT, PLAN_SCHED_CREDIT2,
                                                PLAN_SCHED_RTDS, PLAN_SCHED_ARINC653 };
    const uint64_t any[OPS_VCPUS] = { ANY_CPU, ANY_CPU, 6u, 9u };

    ops_dead_ns = 0u;
    ops_lost = 0u;
    ops_works = 0u;
    bench_boot.nr_pools = 2u;
    for (uint32_t i = 0; i < 2u; i++) {
        bench_boot.pool[i] =
            (struct plan_pool){ .sched = policies[ops_take(5u)],
                                .cpus = (i == 0u) ? ((ops_take(2u) == 0u) ? 0x3FFu : 0xFu) : 0xC00u,
                                .admission = ops_take(2u) == 0u };
        bench_boot.pool[i].major_us = (bench_boot.pool[i].sched == PLAN_SCHED_ARINC653) ? 2000u : 0u;
    }
    bench_boot.nr_minors = 0u;
    for (uint32_t i = 0; (i < 4u) && (bench_boot.pool[0].sched == PLAN_SCHED_ARINC653); i++) {
        bench_boot.minor[i] = (struct plan_minor){
            .domain = 0u, .vcpu = (uint8_t)i, .cpu = (uint8_t)i, .at_us = 100u, .us = 700u
        };
        bench_boot.nr_minors = i + 1u;
    }
    bench_setup_plan();
    bench_cpus(OPS_CPUS);
    for (uint32_t i = 0; i < 4u; i++) {
        work_setup(&ops_work[i], ops_work_run);
    }
    for (uint32_t n = 0; n < OPS_DOMAINS; n++) {
        (void)bench_plan_make(n, n % 2u);
        bench_domain[n].handle[0] = (uint8_t)(n + 1u);
        bench_domain[n].index = n;
        bench_domain_make(n, any, OPS_VCPUS);
    }
    fake_run();
    ops_check();
}

#endif
