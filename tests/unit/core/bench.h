/* A few domains without memory or devices, for tests of what runs them. Each scenario runs in a process of
 * its own, so that nothing is left behind in the product's statics. */
#ifndef CORE_BENCH_H
#define CORE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/percpu.h"
#include "domain/domain.h"
#include "fake.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "lib/bits.h"
#include "mem/heap.h"
#include "sched/params.h"
#include "sched/sched.h"
#include "sched/work.h"

#ifndef CHECK
#define CHECK(x)                                                                                             \
    do {                                                                                                     \
        if (!(x)) {                                                                                          \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                    \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)
#endif

#define MS      ((uint64_t)1000000u)
#define ANY_CPU UINT64_MAX
#define OUTSIDE 60u /* the CPU that a scenario plays itself: none of the simulated ones */

#ifndef BENCH_DOMAINS
#define BENCH_DOMAINS 4u
#endif
#define BENCH_VCPUS 16u
#define BENCH_PAGES 16u /* of each domain */

static struct plan bench_boot;
static struct plan_domain bench_plan[BENCH_DOMAINS];
static struct domain bench_domain[BENCH_DOMAINS];
static struct vcpu bench_vcpu[BENCH_DOMAINS][BENCH_VCPUS];
static uint8_t bench_heap[(128u + (2u * BENCH_PAGES * BENCH_DOMAINS)) * PAGE_BYTES]
    __attribute__((aligned(PAGE_BYTES)));

static inline void bench_alone(void (*scenario)(void))
{
    int status = 0;
    const pid_t child = fork();

    if (child == 0) {
        scenario();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0));
}

#define ALONE(name)                                                                                          \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        bench_alone(name##_scenario);                                                                        \
    }

static inline void bench_cpu_start(void *arg)
{
    const cpuid_t cpu = (cpuid_t)(uintptr_t)arg;

    hal_cpu_set_local(&percpu_area[cpu]);
    sched_init_cpu(cpu, NULL, NULL);
    sched_start_cpu();
}

/* The pools are those of bench_boot. */
static inline void bench_setup_plan(void)
{
    fake_reset();
    fake_cpu_set(OUTSIDE);
    heap_init(bench_heap, sizeof(bench_heap));
    bench_boot.nr_cpus = HV_CPUS_MAX;
    sched_init(&bench_boot);
}

/* One pool with all CPUs */
static inline void bench_setup(enum plan_sched policy)
{
    bench_boot.pool[0] = (struct plan_pool){ .sched = policy, .cpus = ANY_CPU };
    bench_boot.nr_pools = 1u;
    bench_setup_plan();
}

static inline void bench_cpus(uint32_t nr)
{
    for (uint32_t i = 0; i < nr; i++) {
        fake_cpu_boot(i, bench_cpu_start, (void *)(uintptr_t)i);
    }
    fake_run();
}

/* What the plan says of a domain that says nothing, before bench_domain_make() */
static inline struct plan_domain *bench_plan_make(uint32_t n, uint32_t pool)
{
    struct plan_domain *const plan = &bench_plan[n];

    (void)snprintf(plan->name, sizeof(plan->name), "dom%u", n);
    plan->pool = (uint8_t)pool;
    plan->weight = PLAN_WEIGHT;
    for (uint32_t i = 0; i < HV_VCPUS_MAX; i++) {
        plan->rt[i] = (struct plan_rt){ SCHED_RT_PERIOD_US, SCHED_RT_BUDGET_US };
    }
    return plan;
}

/* A running domain with one vCPU for each affinity */
static inline void bench_domain_make(uint32_t n, const uint64_t *affinity, uint32_t nr)
{
    struct domain *d = &bench_domain[n];
    const struct hal_domain_config config = { .nr_vcpus = nr, .map_id = (uint16_t)(n + 1u) };

    d->plan = (bench_plan[n].weight != 0u) ? &bench_plan[n] : bench_plan_make(n, 0u);
    d->cpupool = d->plan->pool;
    d->id = (domid_t)(n + 1u);
    spin_init(&d->lock, LOCK_DOMAIN);
    CHECK(pool_init(&d->pool, BENCH_PAGES) == HV_OK);
    CHECK(hal_domain_init(&d->hal, &config) == HV_OK);
    d->nr_vcpus = nr;
    d->state = DOMAIN_RUNNING;
    for (uint32_t i = 0; i < nr; i++) {
        struct vcpu *v = &bench_vcpu[n][i];

        d->vcpu[i] = v;
        v->domain = d;
        v->index = i;
        v->affinity = affinity[i];
        v->window = d->window;
        CHECK(hal_vcpu_init(&v->hal, &d->hal, i) == HV_OK);
        sched_add(v);
    }
    domain_table[n] = d;
    domain_count = (domain_count > n) ? domain_count : (n + 1u);
}

static inline bool bench_runs(const struct vcpu *v, cpuid_t cpu)
{
    return fake_cpu_guest(cpu) == &v->hal;
}

static inline void bench_block(cpuid_t cpu)
{
    const struct hal_exit idle = { .kind = HAL_EXIT_IDLE };

    CHECK(fake_guest_exit(cpu, &idle) == HAL_RESUME_NEXT);
    fake_run();
}

#endif
