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
#include "sched/sched.h"
#include "sched/work.h"

#define CHECK(x)                                                                                             \
    do {                                                                                                     \
        if (!(x)) {                                                                                          \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                    \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

#define MS      1000000ULL
#define ANY_CPU UINT64_MAX
#define OUTSIDE 60u /* the CPU that a scenario plays itself: none of the simulated ones */

static struct plan_domain bench_plan[4];
static struct domain bench_domain[4];
static struct vcpu bench_vcpu[4][16];
static uint8_t bench_heap[256 * PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

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

static inline void bench_setup(enum plan_sched policy)
{
    fake_reset();
    fake_cpu_set(OUTSIDE);
    heap_init(bench_heap, sizeof(bench_heap));
    sched_init(policy);
}

static inline void bench_cpus(uint32_t nr)
{
    for (uint32_t i = 0; i < nr; i++) {
        fake_cpu_boot(i, bench_cpu_start, (void *)(uintptr_t)i);
    }
    fake_run();
}

/* A running domain with one vCPU for each affinity; vCPUs that cannot be added stay unknown to the
 * scheduler. */
static inline uint32_t bench_domain_make(uint32_t n, const uint64_t *affinity, uint32_t nr)
{
    struct domain *d = &bench_domain[n];
    const struct hal_domain_config config = { .nr_vcpus = nr, .map_id = (uint16_t)(n + 1u) };
    uint32_t added = 0;

    (void)snprintf(bench_plan[n].name, sizeof(bench_plan[n].name), "dom%u", n);
    d->plan = &bench_plan[n];
    d->id = (domid_t)(n + 1u);
    spin_init(&d->lock, LOCK_DOMAIN);
    CHECK(pool_init(&d->pool, 16) == HV_OK);
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
        if (sched_add(v) == HV_OK) {
            added++;
        }
    }
    domain_table[n] = d;
    domain_count = n + 1u;
    return added;
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
