/* What a pool of rtds promises: exactly what the bound admits, whoever asks, in whatever order.
 * [test->req~rtds-admission~1] */
#include "policy_alone.h"

#include "lib/edf.h"

#define DOMAINS 3u
#define VCPUS   6u

static struct vcpu vcpus[DOMAINS][VCPUS];

static int setup(void **state)
{
    (void)state;
    alone_begin();
    memset(vcpus, 0, sizeof(vcpus));
    for (uint32_t d = 0u; d < DOMAINS; d++) {
        alone_domains[d].id = (domid_t)d;
        alone_domains[d].nr_vcpus = VCPUS;
        for (uint32_t i = 0u; i < VCPUS; i++) {
            vcpus[d][i].domain = &alone_domains[d];
            vcpus[d][i].index = i;
            alone_domains[d].vcpu[i] = &vcpus[d][i];
        }
    }
    alone_pools[0].policy = &sched_rtds;
    alone_pools[0].admission = true;
    alone_pools[1].id = 1u;
    alone_pools[1].policy = &sched_rtds;
    return 0;
}

static enum hv_status ask(struct vcpu *vcpu, uint32_t period_us, uint32_t budget_us)
{
    const struct sched_rt rt = { .period_us = period_us, .budget_us = budget_us, .extra = false };

    return sched_rt_set(vcpu, &rt);
}

static void test_ranges(void **state)
{
    struct sched_rt rt = { 0u, 0u, false };

    (void)state;
    alone_pools[0].cpus = 1u;
    assert_int_equal(ask(&vcpus[0][0], 1000u, 9u), HV_INVALID);
    assert_int_equal(ask(&vcpus[0][0], 9u, 9u), HV_INVALID);
    assert_int_equal(ask(&vcpus[0][0], 1000u, 1001u), HV_INVALID);
    assert_int_equal(ask(&vcpus[0][0], 3600000001u, 10u), HV_INVALID);
    assert_int_equal(ask(&vcpus[0][0], 3600000000u, 10u), HV_OK);
    assert_int_equal(ask(&vcpus[0][0], 1000u, 1000u), HV_OK);
    sched_rt_get(&vcpus[0][0], &rt);
    assert_int_equal(rt.period_us, 1000u);
    assert_int_equal(rt.budget_us, 1000u);
    assert_false(rt.extra);
}

/* One CPU can be promised to the last, in thirds as well; what is given back another may have. */
static void test_one_cpu(void **state)
{
    (void)state;
    alone_pools[0].cpus = 0x10u;
    assert_int_equal(ask(&vcpus[0][0], 30000u, 10000u), HV_OK);
    assert_int_equal(ask(&vcpus[1][0], 30000u, 10000u), HV_OK);
    assert_int_equal(ask(&vcpus[1][1], 30000u, 10001u), HV_LIMIT);
    assert_int_equal(ask(&vcpus[1][1], 30000u, 10000u), HV_OK);
    assert_int_equal(ask(&vcpus[2][5], 3600000u, 10u), HV_LIMIT);
    assert_int_equal(vcpus[2][5].sched.period_us, 0u); /* refused: nothing changed */
    assert_int_equal(ask(&vcpus[0][0], 30000u, 9990u), HV_OK);
    assert_int_equal(ask(&vcpus[2][5], 30000u, 11u), HV_LIMIT);
    assert_int_equal(ask(&vcpus[2][5], 30000u, 10u), HV_OK);
}

/* Two CPUs: what one vCPU has alone lowers what all may have. */
static void test_two_cpus(void **state)
{
    (void)state;
    alone_pools[0].cpus = 3u;
    assert_int_equal(ask(&vcpus[0][0], 1000u, 500u), HV_OK);
    assert_int_equal(ask(&vcpus[0][1], 1000u, 500u), HV_OK);
    assert_int_equal(ask(&vcpus[1][0], 1000u, 500u), HV_OK);
    assert_int_equal(ask(&vcpus[1][1], 1000u, 10u), HV_LIMIT); /* 1.5 is all with a half in it */
    assert_int_equal(ask(&vcpus[1][0], 1000u, 501u), HV_LIMIT);
    assert_int_equal(ask(&vcpus[1][0], 1000u, 250u), HV_OK);
    assert_int_equal(ask(&vcpus[0][0], 1000u, 250u), HV_OK);
    assert_int_equal(ask(&vcpus[0][1], 1000u, 250u), HV_OK);
    for (uint32_t i = 1u; i < 5u; i++) {
        assert_int_equal(ask(&vcpus[1][i], 1000u, 250u), HV_OK); /* 1.75 with quarters */
    }
    assert_int_equal(ask(&vcpus[1][5], 1000u, 10u), HV_LIMIT);
}

/* One that asks for less than it has gets that, even where the pool has lost the CPU that it was promised. */
static void test_less(void **state)
{
    (void)state;
    alone_pools[0].cpus = 3u;
    assert_int_equal(ask(&vcpus[0][0], 1000u, 1000u), HV_OK);
    alone_pools[0].cpus = 1u;
    assert_int_equal(ask(&vcpus[0][1], 1000u, 10u), HV_LIMIT);
    alone_pools[0].cpus = 0u;
    assert_int_equal(ask(&vcpus[0][0], 1000u, 900u), HV_OK);
    assert_int_equal(ask(&vcpus[0][0], 1000u, 901u), HV_LIMIT);
}

static void test_other_pools(void **state)
{
    static const struct sched_policy other = { .abi_id = XEN_SCHEDULER_NULL };
    const struct sched_rt half = { .period_us = 1000u, .budget_us = 500u, .extra = true };

    (void)state;
    alone_pools[0].cpus = 1u;
    alone_pools[1].cpus = 2u;
    sched_rt_keep(&vcpus[0][0], &half);
    alone_domains[1].cpupool = 1u;
    assert_int_equal(ask(&vcpus[1][0], 1000u, 500u), HV_OK);
    assert_int_equal(ask(&vcpus[1][1], 1000u, 1000u), HV_OK); /* this one promises what it likes */
    assert_true(sched_rt_admits(&alone_pools[1], &alone_domains[0]));
    assert_false(sched_rt_admits(&alone_pools[0], &alone_domains[1]));
    assert_true(sched_rt_admits(&alone_pools[0], &alone_domains[0]));
    assert_int_equal(ask(&vcpus[1][1], 1000000u, 10u), HV_OK);
    assert_false(sched_rt_admits(&alone_pools[0], &alone_domains[1]));
    alone_domains[0].id = XEN_DOMID_INVALID; /* it ended */
    assert_true(sched_rt_admits(&alone_pools[0], &alone_domains[1]));
    alone_pools[0].policy = &other;
    alone_domains[0].id = 0u;
    assert_true(sched_rt_admits(&alone_pools[0], &alone_domains[1]));
}

/* Budgets come and go; sums and the largest are those of all that are there. */
static void test_sums(void **state)
{
    (void)state;
    alone_pools[0].cpus = 0xffu;
    for (uint32_t n = 0u; n < 20000u; n++) {
        struct vcpu *const vcpu = &vcpus[any() % DOMAINS][any() % VCPUS];
        const uint32_t period_us = 1u << any_of(6u, 12u); /* utilisations that are exact */
        const uint32_t budget_us = 32u * (uint32_t)any_of(1u, period_us / 32u);
        const uint64_t use = ((uint64_t)budget_us << 31u) / period_us;
        const bool less = edf_share(budget_us, period_us) <= vcpu->sched.use;
        uint64_t sum = use;
        uint64_t most = use;

        for (uint32_t i = 0u; i < (DOMAINS * VCPUS); i++) {
            const struct vcpu *const other = &vcpus[i / VCPUS][i % VCPUS];

            if ((other != vcpu) && (other->sched.period_us != 0u)) {
                const uint64_t has = ((uint64_t)other->sched.budget_us << 31u) / other->sched.period_us;

                sum += has;
                most = bits_max(most, has);
            }
        }
        const bool fits = (sum + (7u * most)) <= (8ULL << 31u);
        const enum hv_status status = ask(vcpu, period_us, budget_us);

        assert_int_equal(status, (fits || less) ? HV_OK : HV_LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_ranges, setup),      cmocka_unit_test_setup(test_one_cpu, setup),
        cmocka_unit_test_setup(test_two_cpus, setup),    cmocka_unit_test_setup(test_less, setup),
        cmocka_unit_test_setup(test_other_pools, setup), cmocka_unit_test_setup(test_sums, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
