/* Guests that compute, sleep and yield in simulated time, so that what each of them got is known to the
 * nanosecond. A guest computes its burst, decides what it does then (NULL: it computes for ever), and so on.
 * Nothing takes time but guests: what the scheduler itself needs is measured on the target (bench/). */
#ifndef SCHED_SCHEDSIM_H
#define SCHED_SCHEDSIM_H

#include <sys/mman.h>

#define BENCH_DOMAINS 32u
#include "../core/bench.h"
#include "fake_private.h"
#include "hal/irq.h"
#include "sched/cpupool.h"

#define US         ((uint64_t)1000u)
#define SECOND     ((uint64_t)1000000000u)
#define GUESTS     256u
#define LATENESSES (1u << 19u)

struct guest {
    struct vcpu *vcpu;
    void (*decide)(struct guest *guest);
    uint64_t burst_ns;
    uint64_t sleep_ns; /* for decide() */
    uint64_t left_ns;  /* of the burst */
    uint64_t due_ns;   /* when it decides, if it is on a CPU, or is woken, if it sleeps */
    uint64_t in_ns;    /* it has its CPU since */
    uint64_t ran_ns;   /* what it had before */
    uint64_t woken_ns; /* TIME_NEVER: it does not wait to run after a wake-up */
    uint64_t ready_ns; /* since when it wants to run, if it does not; in the future: its timer wakes it */
    bool is_in;
    bool asleep;
    bool counts; /* its latencies are noted */
    cpuid_t cpu;
};

static struct guest guests[GUESTS];
static uint32_t nr_guests;
static uint32_t sim_cpus;
static uint32_t *lateness; /* of wake-ups, ns */
static uint32_t nr_lateness;
static uint64_t sim_seed;
/* Told of each stretch that a guest had, when it ends: [from, until) on guest->cpu; and of each that
 * begins */
static void (*sim_had)(struct guest *guest, uint64_t from_ns, uint64_t until_ns);
static void (*sim_gets)(struct guest *guest, uint64_t now_ns);

/* -- Numbers -- */

/* The same everywhere (splitmix64) */
static inline uint64_t sim_random(void)
{
    sim_seed += 0x9E3779B97F4A7C15ULL;
    uint64_t z = sim_seed;

    z = (z ^ (z >> 30u)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27u)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31u);
}

static inline uint64_t sim_between(uint64_t low, uint64_t high)
{
    return low + (sim_random() % (high - low + 1u));
}

/* How long a sweep is: SCHED_SWEEP times as many rounds, for the night */
static inline uint32_t sim_rounds(uint32_t rounds)
{
    const char *const more = getenv("SCHED_SWEEP");

    return rounds * ((more != NULL) ? (uint32_t)strtoul(more, NULL, 10) : 1u);
}

/* What the processes of a test add up: the largest of each, the sum of decisions */
struct sim_figures {
    uint64_t decisions;
    uint64_t rounds;
    uint64_t worst[8];
};
static struct sim_figures *figures;

static inline void figures_begin(void)
{
    figures = mmap(NULL, sizeof(*figures), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(figures != MAP_FAILED);
}

static inline void figures_worst(uint32_t n, uint64_t value)
{
    figures->worst[n] = bits_max(figures->worst[n], value);
}

#define MUST(condition, ...)                                                                                 \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "%s:%d: not so: %s: ", __FILE__, __LINE__, #condition);                    \
            (void)fprintf(stderr, __VA_ARGS__);                                                              \
            (void)fputc('\n', stderr);                                                                       \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

/* All CPUs go on until they are at rest; the one that the test plays, if it is one of them, is told. */
static inline void sim_rest(void)
{
    if (cpu_id() < sim_cpus) {
        hal_irq_ipi(cpu_id());
    }
    fake_run();
}

/* -- Guests -- */

static inline struct guest *guest_of(const struct hal_vcpu *hal)
{
    const struct vcpu *const v = (const struct vcpu *)(const void *)hal;

    for (uint32_t i = 0; i < nr_guests; i++) {
        if (guests[i].vcpu == v) {
            return &guests[i];
        }
    }
    return NULL;
}

static inline void sim_watch(struct hal_vcpu *hal, bool in)
{
    const uint64_t now = fake_time();
    struct guest *const g = guest_of(hal);

    if (g == NULL) {
        return;
    }
    g->is_in = in;
    if (in) {
        g->cpu = cpu_id();
        g->in_ns = now;
        if ((g->woken_ns != TIME_NEVER) && g->counts && (nr_lateness < LATENESSES)) {
            lateness[nr_lateness] = (uint32_t)bits_min(now - g->woken_ns, UINT32_MAX);
            nr_lateness++;
        }
        g->woken_ns = TIME_NEVER;
        g->asleep = false;
        g->due_ns = (g->decide != NULL) ? (now + g->left_ns) : TIME_NEVER;
        if (sim_gets != NULL) {
            sim_gets(g, now);
        }
    } else {
        const uint64_t had = now - g->in_ns;

        g->ran_ns += had;
        if (!g->asleep) {
            g->left_ns -= bits_min(had, g->left_ns);
            g->due_ns = TIME_NEVER;
            g->ready_ns = now;
        }
        if (sim_had != NULL) {
            sim_had(g, g->in_ns, now);
        }
    }
}

/* It waits: until a device interrupts it, or its own timer does. */
static inline void guest_sleep_until(struct guest *g, uint64_t device_ns, uint64_t timer_ns)
{
    while (fake_guest_ack(&g->vcpu->hal) != UINT32_MAX) {
    }
    g->asleep = true;
    g->left_ns = g->burst_ns;
    g->due_ns = device_ns;
    g->ready_ns = bits_min(device_ns, timer_ns);
    if (timer_ns != TIME_NEVER) {
        fake_guest_phys_timer(&g->vcpu->hal, timer_ns);
    }
    fake_guest_wait(g->cpu); /* it may keep its CPU */
    sim_rest();
}

static inline void guest_sleep(struct guest *g, uint64_t ns)
{
    guest_sleep_until(g, fake_time() + ns, TIME_NEVER);
}

static inline void guest_doze(struct guest *g, uint64_t ns)
{
    guest_sleep_until(g, TIME_NEVER, fake_time() + ns);
}

static inline void guest_yield(struct guest *g)
{
    const struct hal_exit yield = { .kind = HAL_EXIT_YIELD };

    g->left_ns = g->burst_ns;
    g->due_ns = fake_time() + g->burst_ns;
    (void)fake_guest_exit(g->cpu, &yield);
    sim_rest();
}

static inline void guest_wake(struct guest *g)
{
    g->asleep = false;
    if (g->is_in) { /* it waited there */
        g->due_ns = fake_time() + g->left_ns;
        if (g->counts && (nr_lateness < LATENESSES)) {
            lateness[nr_lateness] = 0u;
            nr_lateness++;
        }
    } else {
        g->due_ns = TIME_NEVER;
        g->woken_ns = fake_time();
    }
    fake_guest_pend(&g->vcpu->hal, 3);
    sim_rest();
}

static inline void decide_sleep(struct guest *g)
{
    guest_sleep(g, g->sleep_ns);
}

static inline void decide_yield(struct guest *g)
{
    guest_yield(g);
}

/* CPU time up to now */
static inline uint64_t guest_ran(const struct guest *g)
{
    return g->ran_ns + (g->is_in ? (fake_time() - g->in_ns) : 0u);
}

static inline struct guest *guest_add(struct vcpu *v)
{
    struct guest *const g = &guests[nr_guests];

    CHECK(nr_guests < GUESTS);
    nr_guests++;
    *g = (struct guest){ .vcpu = v, .due_ns = TIME_NEVER, .woken_ns = TIME_NEVER };
    return g;
}

static inline void guest_behaves(struct guest *g, void (*decide)(struct guest *), uint64_t burst_ns,
                                 uint64_t sleep_ns)
{
    g->decide = decide;
    g->burst_ns = burst_ns;
    g->left_ns = burst_ns;
    g->sleep_ns = sleep_ns;
}

/* A domain of the plan bench_plan[n] with nr vCPUs, that may run anywhere, each a guest; off */
static inline struct guest *sim_domain(uint32_t n, uint32_t nr)
{
    struct guest *const first = &guests[nr_guests];
    uint64_t any[BENCH_VCPUS];

    for (uint32_t i = 0; i < BENCH_VCPUS; i++) {
        any[i] = ANY_CPU;
    }
    bench_domain_make(n, any, nr);
    for (uint32_t i = 0; i < nr; i++) {
        (void)guest_add(&bench_vcpu[n][i]);
    }
    return first;
}

static inline void guest_on(struct guest *g)
{
    g->left_ns = g->burst_ns;
    g->ready_ns = fake_time();
    CHECK(sched_power_on(g->vcpu) == HV_OK);
    sim_rest();
}

/* -- Time -- */

/* With bench_boot's pools; CPUs 0 .. nr - 1, the test plays the last of them or one that is nobody's */
static inline void sim_setup(uint32_t nr)
{
    bench_setup_plan();
    fake_watch(sim_watch);
    fake_cpu_set((nr > OUTSIDE) ? (nr - 1u) : OUTSIDE);
    bench_cpus(nr);
    sim_cpus = nr;
    lateness = calloc(LATENESSES, sizeof(lateness[0]));
    CHECK(lateness != NULL);
}

static inline void sim_setup_policy(enum plan_sched policy, uint32_t nr)
{
    bench_boot.pool[0] = (struct plan_pool){ .sched = policy, .cpus = ANY_CPU };
    bench_boot.nr_pools = 1u;
    sim_setup(nr);
}

/* The next moment at which anything happens */
static inline uint64_t sim_next(uint64_t until_ns)
{
    uint64_t next = until_ns;

    for (cpuid_t cpu = 0; cpu < sim_cpus; cpu++) {
        next = bits_min(next, fake_cpu_next_ns(cpu));
    }
    for (uint32_t i = 0; i < nr_guests; i++) {
        next = bits_min(next, guests[i].due_ns);
    }
    return next;
}

static inline void sim_run(uint64_t ns)
{
    const uint64_t until = fake_time() + ns;

    while (fake_time() < until) {
        const uint64_t next = sim_next(until);

        fake_time_advance((next > fake_time()) ? (next - fake_time()) : 0u);
        for (uint32_t i = 0; i < nr_guests; i++) {
            struct guest *const g = &guests[i];

            if (g->due_ns > fake_time()) {
                continue;
            }
            if (g->asleep) {
                guest_wake(g);
            } else {
                g->decide(g);
            }
        }
    }
}

/* -- What to expect -- */

/* What each of nr hogs gets of nr_cpus CPUs by its weight, in ns of a time of ns: nobody more than a CPU. */
static inline void expect_shares(const uint32_t *weight, uint32_t nr, uint32_t nr_cpus, uint64_t ns,
                                 double *share)
{
    double room = (double)nr_cpus;
    double sum = 0.0;
    bool full[GUESTS] = { false };

    for (uint32_t i = 0; i < nr; i++) {
        sum += weight[i];
    }
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < nr; i++) {
            if (!full[i] && ((room * weight[i]) >= sum)) {
                full[i] = true;
                again = true;
                room -= 1.0;
                sum -= weight[i];
                break;
            }
        }
    }
    for (uint32_t i = 0; i < nr; i++) {
        share[i] = (full[i] ? 1.0 : (room * weight[i] / sum)) * (double)ns;
    }
}

static inline int lateness_order(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* of all that were noted, in ns: per_mille 990 is the 99th percentile */
static inline uint64_t lateness_at(uint32_t per_mille)
{
    MUST(nr_lateness >= 100u, "only %u wake-ups", nr_lateness);
    qsort(lateness, nr_lateness, sizeof(lateness[0]), lateness_order);
    return lateness[((uint64_t)(nr_lateness - 1u) * per_mille) / 1000u];
}

#endif
