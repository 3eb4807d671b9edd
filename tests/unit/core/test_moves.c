/* vCPUs are moved by tools. */
#include "bench.h"

/* [test->req~toolstack~1] A vCPU is moved while it runs, while it waits for a CPU and while it is off; null:
 * to a CPU of its own, or it waits for one. */
static void moved_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU, ANY_CPU };
    struct vcpu *v = &bench_vcpu[0][0];
    struct vcpu *w = &bench_vcpu[0][1];

    bench_setup(PLAN_SCHED_NULL);
    bench_cpus(3);
    bench_domain_make(0, affinity, 2);
    CHECK(sched_power_on(v) == HV_OK);
    fake_run();
    CHECK(bench_runs(v, 0));
    fake_time_advance(5 * MS);
    CHECK(sched_idle_ns(2) == 5 * MS);
    CHECK(sched_affinity(v, BIT64(7), ANY_CPU) == HV_INVALID);
    CHECK(sched_affinity(v, BIT64(2), ANY_CPU) == HV_OK);
    fake_run();
    CHECK(bench_runs(v, 2) && (fake_cpu_state(0) == FAKE_STATE_SLEEP) && (v->affinity == 4u));
    fake_time_advance(5 * MS);
    CHECK((sched_idle_ns(2) == 5 * MS) && (sched_idle_ns(0) == 5 * MS));
    bench_block(2);
    CHECK(sched_idle_ns(0) == 5 * MS);
    fake_guest_pend(&v->hal, 5);
    fake_run();
    CHECK(bench_runs(v, 2));
    /* to that of one that is off: it gives way */
    CHECK(sched_affinity(v, BIT64(1), ANY_CPU) == HV_OK);
    fake_run();
    CHECK(bench_runs(v, 1));
    /* to that of one that runs: it waits until it is free, or until it may run elsewhere */
    CHECK(sched_affinity(w, BIT64(1), ANY_CPU) == HV_OK);
    CHECK(sched_power_on(w) == HV_OK);
    fake_run();
    CHECK(bench_runs(v, 1) && (w->state == VCPU_RUNNABLE) && (w->on_cpu == 0u));
    CHECK(sched_affinity(w, BIT64(0) | BIT64(1), ANY_CPU) == HV_OK);
    fake_run();
    CHECK(bench_runs(v, 1) && bench_runs(w, 0));
    CHECK(sched_affinity(w, BIT64(1), ANY_CPU) == HV_OK);
    fake_run();
    CHECK(bench_runs(v, 1) && (w->on_cpu == 0u));
    sched_power_off(v);
    fake_run();
    CHECK(bench_runs(w, 1));
    sched_remove(v);
    CHECK(sched_affinity(w, BIT64(2), ANY_CPU) == HV_OK);
    fake_run();
    CHECK(bench_runs(w, 2));
}
ALONE(moved)

static void moved_credit2_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU, ANY_CPU };
    struct vcpu *v = &bench_vcpu[0][0];
    struct vcpu *w = &bench_vcpu[0][1];

    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(3);
    bench_domain_make(0, affinity, 2);
    CHECK((sched_power_on(v) == HV_OK) && (sched_power_on(w) == HV_OK));
    fake_run();
    CHECK(bench_runs(v, 0) && bench_runs(w, 1));
    CHECK(sched_affinity(v, BIT64(40), ANY_CPU) == HV_INVALID);
    CHECK(sched_affinity(v, BIT64(2) | BIT64(40), ANY_CPU) == HV_OK);
    fake_run();
    CHECK(bench_runs(v, 2) && (fake_cpu_state(0) == FAKE_STATE_SLEEP) && (v->affinity == 4u));
    /* to where another runs: they take turns */
    CHECK(sched_affinity(v, BIT64(1), ANY_CPU) == HV_OK);
    fake_run();
    CHECK(fake_cpu_state(2) == FAKE_STATE_SLEEP);
    CHECK(sched_affinity(w, BIT64(1), ANY_CPU) == HV_OK);
    for (uint32_t i = 0; i < 20; i++) {
        fake_time_advance(MS);
        CHECK(bench_runs(v, 1) || bench_runs(w, 1));
    }
    CHECK((sched_run_ns(v) > 8 * MS) && (sched_run_ns(w) > 8 * MS));
    /* one that waits for that CPU has another at once */
    struct vcpu *const waits = bench_runs(v, 1) ? w : v;

    CHECK(sched_affinity(waits, BIT64(0), ANY_CPU) == HV_OK);
    fake_run();
    CHECK(bench_runs(waits, 0));
    /* it is woken where it likes to be */
    CHECK(sched_affinity(waits, ANY_CPU, BIT64(2)) == HV_OK);
    fake_run();
    CHECK(bench_runs(waits, 0));
    bench_block(0);
    fake_guest_pend(&waits->hal, 5);
    fake_run();
    CHECK(bench_runs(waits, 2));
}
ALONE(moved_credit2)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moved),
        cmocka_unit_test(moved_credit2),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
