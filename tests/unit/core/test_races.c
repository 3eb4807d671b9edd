/* CPUs as threads: no vCPU is ever loaded twice (the simulated port dies then), none is lost.
 * [test->dsn~wake-not-lost~1] */
#include <pthread.h>
#include <sched.h>

#include "bench.h"
#include "sched/sched_core.h"

#define CPUS    4u
#define DOMAINS 2u
#define VCPUS   5u
#define ROUNDS  60000u

static volatile uint32_t pending[DOMAINS][VCPUS];
static volatile uint32_t threads_ready;

/* In place of the simulated vCPUs, whose words are not made for threads: each gives the other threads a
 * chance where it hurts most. */
static volatile uint32_t loads[DOMAINS][VCPUS];

static volatile uint32_t *word_of(volatile uint32_t words[DOMAINS][VCPUS], const struct hal_vcpu *vcpu)
{
    const struct vcpu *v = (const struct vcpu *)(const void *)vcpu;

    return &words[v->domain->id - 1u][v->index];
}

static volatile uint32_t *pending_of(const struct hal_vcpu *vcpu)
{
    return word_of(pending, vcpu);
}

bool hal_vcpu_irq_pending(const struct hal_vcpu *vcpu)
{
    (void)sched_yield();
    return __atomic_load_n(pending_of(vcpu), __ATOMIC_RELAXED) != 0u;
}

void hal_vcpu_deadline_reached(struct hal_vcpu *vcpu)
{
    const uint32_t nr = *word_of(loads, vcpu);

    (void)sched_yield();
    CHECK(nr == *word_of(loads, vcpu)); /* nobody loads it meanwhile */
    vcpu->virt_deadline_ns = TIME_NEVER;
    __atomic_store_n(pending_of(vcpu), 1u, __ATOMIC_RELAXED);
}

void hal_vcpu_load(struct hal_vcpu *vcpu)
{
    CHECK(!__atomic_exchange_n(&vcpu->loaded, true, __ATOMIC_SEQ_CST));
    CHECK(vcpu_of(vcpu)->on_cpu == 1u);
    vcpu->loaded_on = cpu_id();
    (*word_of(loads, vcpu))++;
    hal_context_set(&vcpu->frame);
}

void hal_vcpu_save(struct hal_vcpu *vcpu)
{
    CHECK(vcpu->loaded && (vcpu->loaded_on == cpu_id()));
    (void)sched_yield();
    CHECK(vcpu->loaded_on == cpu_id());
    __atomic_store_n(&vcpu->loaded, false, __ATOMIC_SEQ_CST);
}

static void drain(cpuid_t cpu)
{
    fake_ipi_deliver(cpu);
    if (fake_timer_deadline(cpu) <= hal_timer_now_ns()) {
        upcall_timer();
    }
    while (percpu_area[cpu].hal.exit_work) {
        upcall_exit_work();
    }
}

static void guest_acts(struct vcpu *v, unsigned int *seed)
{
    const struct hal_exit idle = { .kind = HAL_EXIT_IDLE };
    const struct hal_exit yield = { .kind = HAL_EXIT_YIELD };
    const int what = rand_r(seed) % 8;

    if (what < 5) {
        __atomic_store_n(pending_of(&v->hal), 0u, __ATOMIC_RELAXED);
        v->hal.virt_deadline_ns =
            (what == 0) ? hal_timer_now_ns() + (uint64_t)(rand_r(seed) % 100000) : TIME_NEVER;
        (void)upcall_exit(&v->hal, &idle);
    } else if (what == 5) {
        (void)upcall_exit(&v->hal, &yield);
    } else if (what == 6) {
        upcall_vcpu_stop(&v->hal);
    } else {
        /* computes */
    }
}

static void *play(void *arg)
{
    const cpuid_t cpu = (cpuid_t)(uintptr_t)arg;
    unsigned int seed = cpu + 1u;

    fake_cpu_set(cpu);
    (void)__atomic_add_fetch(&threads_ready, 1u, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&threads_ready, __ATOMIC_SEQ_CST) < CPUS) {
    }
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct vcpu *v = &bench_vcpu[rand_r(&seed) % (int)DOMAINS][rand_r(&seed) % (int)VCPUS];
        struct vcpu *current = sched_current();

        if (current != NULL) {
            guest_acts(current, &seed);
        }
        /* one kick for each interrupt: a lost one is not made good by the next */
        if (rand_r(&seed) % 3 == 0 && __atomic_exchange_n(pending_of(&v->hal), 1u, __ATOMIC_RELAXED) == 0u) {
            upcall_vcpu_kick(&v->hal);
        }
        if (rand_r(&seed) % 4 == 0 && upcall_vcpu_start(&v->hal, 0, 0) == HV_BUSY) {
            CHECK(v->domain->state == DOMAIN_RUNNING);
        }
        drain(cpu);
    }
    return NULL;
}

static void start(void *arg)
{
    bench_cpu_start(arg);
}

static void settled(void)
{
    bool idle = false;

    for (cpuid_t cpu = 0; cpu < CPUS; cpu++) {
        idle = idle || (sched_cpus[cpu].runs == SCHED_RUNS_IDLE);
    }
    for (uint32_t n = 0; n < DOMAINS; n++) {
        for (uint32_t i = 0; i < VCPUS; i++) {
            const struct vcpu *v = &bench_vcpu[n][i];

            CHECK((v->state == VCPU_RUNNING) == (v->on_cpu != 0u));
            CHECK((v->state != VCPU_RUNNABLE) || (v->queued && !idle));
            CHECK((v->state != VCPU_BLOCKED) || (*pending_of(&v->hal) == 0u));
            CHECK(*word_of(loads, &v->hal) > 100u);
        }
    }
}

static void race(enum plan_sched policy, uint32_t vcpus)
{
    uint64_t any[VCPUS];
    pthread_t thread[CPUS];

    bench_setup(policy);
    fake_time_step(100);
    for (uint32_t i = 0; i < VCPUS; i++) {
        any[i] = ANY_CPU;
    }
    for (cpuid_t cpu = 0; cpu < CPUS; cpu++) {
        fake_cpu_set(cpu);
        CHECK(fake_call(start, (void *)(uintptr_t)cpu) == FAKE_END_RUN);
    }
    for (uint32_t n = 0; n < DOMAINS; n++) {
        bench_domain_make(n, any, vcpus);
    }
    for (cpuid_t cpu = 0; cpu < CPUS; cpu++) {
        CHECK(pthread_create(&thread[cpu], NULL, play, (void *)(uintptr_t)cpu) == 0);
    }
    for (cpuid_t cpu = 0; cpu < CPUS; cpu++) {
        CHECK(pthread_join(thread[cpu], NULL) == 0);
    }
    fake_time_step(0);
    fake_time_advance(MS); /* all guests' deadlines */
    for (uint32_t round = 0; round < 100u; round++) {
        const cpuid_t cpu = round % CPUS;

        fake_cpu_set(cpu);
        drain(cpu);
    }
    settled();
}

static void race_credit2_scenario(void)
{
    race(PLAN_SCHED_CREDIT2, VCPUS);
}
ALONE(race_credit2)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(race_credit2),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
