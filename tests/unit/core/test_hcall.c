/* Xen's hypercalls: what we have, and -ENOSYS. [test->req~hypercalls~1] */
#include "bench.h"

static uint64_t call(uint64_t number, uint64_t a0, uint64_t a1)
{
    uint64_t arg[5] = { a0, a1, 2u, 3u, 4u };

    upcall_hypercall(&bench_vcpu[0][0].hal, number, arg);
    CHECK((arg[1] == a1) && (arg[2] == 2u) && (arg[3] == 3u) && (arg[4] == 4u));
    return arg[0];
}

static void calls_scenario(void)
{
    const uint64_t any[] = { ANY_CPU };
    const uint64_t nosys = (uint64_t)-38LL;

    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(1);
    bench_domain_make(0, any, 1);
    CHECK(call(17u, 0u, 0u) == 0x00040014u);
    CHECK(call(17u, 7u, 0u) == 4096u);
    CHECK(call(17u, 7u, 1u) == (uint64_t)-22LL);
    for (uint64_t sub = 1u; sub < 100u; sub++) {
        const bool there = sub < 15u;

        CHECK(there || (call(17u, sub, 0u) == nosys));
    }
    for (uint64_t number = 0u; number < 300u; number++) {
        CHECK((number == 7u) || (number == 13u) || (number == 17u) || (number == 21u) || (number == 29u) ||
              (number == 35u) || (number == 36u) || (call(number, 1u, 0u) == nosys));
    }
    CHECK(call(17u | (1ULL << 32u), 0u, 0u) == nosys);
    CHECK(call(UINT64_MAX, 0u, 0u) == nosys);
}
ALONE(calls)

static void yield(struct hal_vcpu *vcpu, void *unused)
{
    uint64_t arg[5] = { 0u, 0u, 0u, 0u, 0u };

    (void)unused;
    upcall_hypercall(vcpu, 29u, arg);
    CHECK(arg[0] == 0u);
}

/* SCHEDOP_yield: the other one that waits for the CPU gets it. */
static void yields_scenario(void)
{
    const uint64_t any[] = { ANY_CPU };

    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(1);
    bench_domain_make(0, any, 1);
    bench_domain_make(1, any, 1);
    CHECK(sched_power_on(&bench_vcpu[0][0]) == HV_OK);
    CHECK(sched_power_on(&bench_vcpu[1][0]) == HV_OK);
    fake_run();
    const uint32_t first = bench_runs(&bench_vcpu[0][0], 0) ? 0u : 1u;

    CHECK(bench_runs(&bench_vcpu[first][0], 0));
    fake_guest_call(0, yield, NULL);
    fake_run();
    CHECK(bench_runs(&bench_vcpu[1u - first][0], 0));
}
ALONE(yields)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls),
        cmocka_unit_test(yields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
