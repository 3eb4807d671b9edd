/* Cpupools and what domains get of their schedulers, from good trees; the faults have their own tests in
 * tests/neg/config. [test->req~boot-cpupools~1] [test->req~sched-parameters~1] [test->req~rtds-admission~1]
 * [test->req~arinc-windows~1] [test->req~null-pinned~1] */
#include "tree_source.h"

#include "config/config.h"
#include "lib/edf.h"

#define CPU(n) "cpu@" n " { phandle = <0x500" n ">; }; "
#define CPUS   "/ { cpus { " CPU("0") CPU("1") CPU("2") CPU("3") "}; chosen { "
#define END    " }; };"
#define POOL(name, phandle, cpus, more)                                                                      \
    name " { compatible = \"xen,cpupool\"; phandle = <" phandle ">; cpupool-cpus = " cpus "; " more " }; "
#define SCHED(name)    "cpupool-sched = \"" name "\"; "
#define IN(phandle)    "domain-cpupool = <" phandle ">; "
#define VCPU(id, more) "v" id " { compatible = \"xen,vcpu\"; id = <" id ">; " more " }; "
#define ON(cpus)       "hard-affinity = \"" cpus "\"; "
#define DOMAIN(name, at, cpus, more)                                                                         \
    name " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x1000>; "    \
         "cpus = <" cpus ">; " more " k { compatible = \"multiboot,kernel\", \"multiboot,module\"; "         \
         "reg = <0 " at " 0x1000>; }; }; "
#define KERNEL0                                                                                              \
    "k { compatible = \"multiboot,kernel\", \"multiboot,module\"; reg = <0 0x4c000000 0x1000>; }; "
#define FRAMED          "bulkhead,scheduler = \"arinc653\"; bulkhead,major-frame-us = <1000>; "
#define PARTIAL         "bulkhead,partial-boot; "
#define ONE(cpus, more) DOMAIN("a", "0x48000000", cpus, more)

static struct dt_room room;
static struct dt_index ix = DT_INDEX(room, DT_DEPTH_MAX);
static struct plan plan;
static struct said said;

static enum hv_status made(const char *source)
{
    struct config_env env = { { 0x40200000 }, 0x80000, { 0x40280000 }, { 0u }, 0u, NULL, NULL };
    size_t bytes = 0;
    void *const blob = board_with(source, &bytes);
    enum hv_status status;

    said_init(&said);
    assert_int_equal(config_index_make(&ix, blob, bytes, &said.report), HV_OK);
    status = config_plan_make(&ix, &env, &plan, &said.report);
    free(blob);
    return status;
}

static void good(const char *source)
{
    const enum hv_status status = made(source);

    assert_string_equal(said.text, "");
    assert_int_equal(status, HV_OK);
}

static void expect_pool(uint32_t id, uint64_t cpus, enum plan_sched sched)
{
    assert_true(id < plan.nr_pools);
    assert_int_equal(plan.pool[id].cpus, cpus);
    assert_int_equal(plan.pool[id].sched, sched);
}

/* Xen's numbers: nodes in their order, the rest is last, and CPU 0's changes places with the first. */
static void test_numbers(void **state)
{
    (void)state;
    good(CPUS ONE("1", "") END);
    assert_int_equal(plan.nr_pools, 1);
    expect_pool(0, 0xF, PLAN_SCHED_NULL);
    good(CPUS POOL("p", "0x6001", "<0x5000 0x5002>", SCHED("rtds"))
             POOL("q", "0x6002", "<0x5003>", SCHED("credit")) ONE("1", "") END);
    assert_int_equal(plan.nr_pools, 3);
    expect_pool(0, 0x5, PLAN_SCHED_RTDS);
    expect_pool(1, 0x8, PLAN_SCHED_CREDIT);
    expect_pool(2, 0x2, PLAN_SCHED_NULL);
    /* CPU 0 is in the second node's, in the pool of the rest, and all CPUs are in nodes */
    good(CPUS POOL("p", "0x6001", "<0x5001>", SCHED("rtds"))
             POOL("q", "0x6002", "<0x5003 0x5000>", SCHED("credit")) ONE("1", IN("0x6001"))
                 DOMAIN("b", "0x49000000", "1", IN("0x6002")) DOMAIN("c", "0x4a000000", "1", "") END);
    assert_int_equal(plan.nr_pools, 3);
    expect_pool(0, 0x9, PLAN_SCHED_CREDIT);
    expect_pool(1, 0x2, PLAN_SCHED_RTDS);
    expect_pool(2, 0x4, PLAN_SCHED_NULL);
    assert_int_equal(plan.domain[0].pool, 1);
    assert_int_equal(plan.domain[1].pool, 0);
    assert_int_equal(plan.domain[2].pool, 0);
    good(CPUS "bulkhead,scheduler = \"credit\"; " POOL("p", "0x6001", "<0x5001>", SCHED("null"))
             POOL("q", "0x6002", "<0x5002>", "") ONE("1", "") END);
    expect_pool(0, 0x9, PLAN_SCHED_CREDIT);
    expect_pool(1, 0x4, PLAN_SCHED_CREDIT);
    expect_pool(2, 0x2, PLAN_SCHED_NULL);
    good(
        CPUS POOL("p", "0x6001", "<0x5003 0x5002 0x5001>", SCHED("arinc653") "bulkhead,major-frame-us = <5>;")
            POOL("q", "0x6002", "<0x5000>", SCHED("credit2"))
                POOL("off", "0x6003", "<0x5000>", "status = \"disabled\";") ONE("1", "") END);
    assert_int_equal(plan.nr_pools, 2);
    expect_pool(0, 0x1, PLAN_SCHED_CREDIT2);
    expect_pool(1, 0xE, PLAN_SCHED_ARINC653);
}

/* Where nothing is said: null if all such pools' vCPUs fit, else credit2 */
static void test_unsaid(void **state)
{
    static const char *const names[] = { "null", "credit", "credit2", "rtds", "arinc653" };

    (void)state;
    good(CPUS POOL("p", "0x6001", "<0x5001>", "") POOL("q", "0x6002", "<0x5002>", SCHED("rtds")) ONE("2", "")
             DOMAIN("b", "0x49000000", "1", IN("0x6001")) DOMAIN("c", "0x4a000000", "3", IN("0x6002")) END);
    expect_pool(0, 0x9, PLAN_SCHED_NULL);
    expect_pool(1, 0x4, PLAN_SCHED_RTDS);
    expect_pool(2, 0x2, PLAN_SCHED_NULL);
    assert_int_equal(plan.domain[0].pinned[0], 0);
    assert_int_equal(plan.domain[0].pinned[1], 3);
    assert_int_equal(plan.domain[1].pinned[0], 1);
    good(CPUS POOL("p", "0x6001", "<0x5001>", "") ONE("3", "") DOMAIN("b", "0x49000000", "2", IN("0x6001"))
             END);
    expect_pool(0, 0xD, PLAN_SCHED_CREDIT2);
    expect_pool(1, 0x2, PLAN_SCHED_CREDIT2);
    for (uint32_t i = 0; i < 5u; i++) {
        char source[1024];

        (void)snprintf(source, sizeof(source),
                       CPUS "xen,xen-bootargs = \"sched=%s\"; %s" POOL("p", "0x6001", "<0x5001>", "")
                           ONE("1", "%s") END,
                       names[i], (i == 4u) ? "bulkhead,major-frame-us = <100>; " : "",
                       (i == 4u) ? "bulkhead,windows = <0 100>; " VCPU("0", ON("2")) : "");
        good(source);
        assert_string_equal(config_sched_name((enum plan_sched)i), names[i]);
        expect_pool(0, 0xD, (enum plan_sched)i);
        expect_pool(1, 0x2, (enum plan_sched)i);
    }
}

static void test_pins(void **state)
{
    (void)state;
    /* "a" has CPU 2 of its pool alone; the greedy way would give it to b */
    good(CPUS "bulkhead,scheduler = \"credit\"; " POOL("p", "0x6001", "<0x5002 0x5003>", SCHED("null"))
             DOMAIN("b", "0x49000000", "1", IN("0x6001")) ONE("1", IN("0x6001") VCPU("0", ON("0-2")))
                 DOMAIN("c", "0x4a000000", "5", "") END);
    assert_int_equal(plan.domain[0].pinned[0], 3);
    assert_int_equal(plan.domain[1].pinned[0], 2);
    assert_int_equal(plan.domain[1].affinity[0], 7);
    /* a partial boot leaves out who does not fit */
    assert_int_equal(made(CPUS "bulkhead,partial-boot; " POOL("p", "0x6001", "<0x5002 0x5003>", SCHED("null"))
                              ONE("1", IN("0x6001")) DOMAIN("b", "0x49000000", "2", IN("0x6001"))
                                  DOMAIN("c", "0x4a000000", "1", IN("0x6001")) END),
                     HV_OK);
    assert_true(!plan.domain[0].unsound && plan.domain[1].unsound && !plan.domain[2].unsound);
    assert_int_equal(plan.domain[2].pinned[0], 3);
}

static void test_share(void **state)
{
    const struct plan_domain *const d = plan.domain;

    (void)state;
    good(CPUS "bulkhead,scheduler = \"credit2\"; " ONE("2", "")
             DOMAIN("b", "0x49000000", "3", "bulkhead,weight = <65535>; bulkhead,cap = <300>;")
                 DOMAIN("c", "0x4a000000", "1", "bulkhead,weight = <1>; bulkhead,cap = <0>;") END);
    assert_int_equal(d[0].weight, 256);
    assert_int_equal(d[0].cap, 0);
    assert_int_equal(d[1].weight, 65535);
    assert_int_equal(d[1].cap, 300);
    assert_int_equal(d[2].weight, 1);
    assert_int_equal(d[2].cap, 0);
    assert_int_equal(d[0].rt[1].period_us, 10000); /* should it be moved */
    assert_int_equal(d[0].rt[1].budget_us, 4000);
    assert_true(d[0].rt_extra);
}

static void test_rt(void **state)
{
    const struct plan_domain *const d = plan.domain;

    (void)state;
    good(CPUS "bulkhead,scheduler = \"rtds\"; " ONE(
        "3", "bulkhead,period-us = <3000>; bulkhead,no-extratime; " VCPU("0", "bulkhead,budget-us = <3000>; ")
                 VCPU("1", "bulkhead,period-us = <3600000000>; bulkhead,budget-us = <10>; ")
                     VCPU("2", "bulkhead,period-us = <5000>; " ON("2")))
             DOMAIN("b", "0x49000000", "1", "bulkhead,budget-us = <10000>;") END);
    assert_int_equal(d[0].rt[0].period_us, 3000);
    assert_int_equal(d[0].rt[0].budget_us, 3000);
    assert_int_equal(d[0].rt[1].period_us, 3600000000u);
    assert_int_equal(d[0].rt[1].budget_us, 10);
    assert_int_equal(d[0].rt[2].period_us, 5000);
    assert_int_equal(d[0].rt[2].budget_us, 4000);
    assert_int_equal(d[0].affinity[2], 4);
    assert_false(d[0].rt_extra);
    assert_int_equal(d[1].rt[0].period_us, 10000);
    assert_int_equal(d[1].rt[0].budget_us, 10000);
    assert_true(d[1].rt_extra);
}

/* A share is never less than what it stands for, and less than one unit more. */
static void test_share_rounding(void **state)
{
    static const uint32_t edge[] = { 10u, 11u, 9999u, 10000u, 65536u, 999999937u, 3599999999u, 3600000000u };
    uint64_t seed = 88172645463325252ULL;

    (void)state;
    for (uint32_t i = 0; i < 100000u; i++) {
        struct plan_rt rt;

        seed ^= seed << 13u;
        seed ^= seed >> 7u;
        seed ^= seed << 17u;
        rt.period_us = (i < 64u) ? edge[i / 8u] : (uint32_t)(10u + (seed % 3599999991u));
        rt.budget_us = (i < 64u) ? edge[i % 8u] : (uint32_t)(10u + ((seed >> 32u) % (rt.period_us - 9u)));
        if (rt.budget_us <= rt.period_us) {
            const unsigned __int128 share = edf_share(rt.budget_us, rt.period_us);
            const unsigned __int128 exact = (unsigned __int128)rt.budget_us * EDF_WHOLE;

            assert_true((share * rt.period_us) >= exact);
            assert_true(((share - 1u) * rt.period_us) < exact);
        }
    }
    assert_true((edf_share(10000u, 30000u) * 3ULL) == EDF_WHOLE);
    assert_true(edf_share(3600000000u, 3600000000u) == EDF_WHOLE);
    assert_true(edf_bound(1u, EDF_WHOLE) == EDF_WHOLE);
    assert_true(edf_bound(4u, EDF_WHOLE / 2u) == ((EDF_WHOLE * 5u) / 2u));
    assert_true(edf_bound(64u, EDF_WHOLE) == EDF_WHOLE);
}

/* Random sets against the bound in exact numbers: all periods divide 100000 us, budgets are whole tens. */
static void test_admission(void **state)
{
    static const uint32_t period[] = { 10000u, 20000u, 25000u, 50000u, 100000u };
    uint32_t nr_admitted = 0;

    (void)state;
    srand(653);
    for (uint32_t round = 0; round < 60u; round++) {
        const uint32_t nr_cpus = 1u + (uint32_t)(rand() % 3);
        uint64_t sum = 0;
        uint64_t largest = 0;
        char source[4096];
        int at = snprintf(source, sizeof(source),
                          CPUS "bulkhead,scheduler = \"credit\"; " POOL("p", "0x6001", "<%s>",
                                                                        SCHED("rtds") "bulkhead,admission; "),
                          (nr_cpus == 1u) ? "0x5001"
                                          : ((nr_cpus == 2u) ? "0x5001 0x5002" : "0x5001 0x5002 0x5003"));

        for (uint32_t i = 0; i < 4u; i++) {
            const uint32_t nr_vcpus = 1u + (uint32_t)(rand() % 2);
            const uint32_t p = period[rand() % 5];
            const uint32_t b = 10u + (10u * ((uint32_t)rand() % (p / (10u * (1u + (uint32_t)(rand() % 4))))));

            sum += (uint64_t)nr_vcpus * b * (100000u / p);
            largest = (((uint64_t)b * (100000u / p)) > largest) ? ((uint64_t)b * (100000u / p)) : largest;
            at += snprintf(&source[at], sizeof(source) - (size_t)at,
                           DOMAIN("d%u", "0x%x", "%u",
                                  IN("0x6001") "bulkhead,period-us = <%u>; bulkhead,budget-us = <%u>; "),
                           i, nr_vcpus, p, b, 0x48000000u + (i << 20u));
        }
        (void)snprintf(&source[at], sizeof(source) - (size_t)at, END);

        const bool fits = (sum + ((nr_cpus - 1u) * largest)) <= (nr_cpus * 100000ULL);

        assert_int_equal(made(source), fits ? HV_OK : HV_INVALID);
        assert_int_equal(strstr(said.text, "its cpupool admits no more") == NULL, fits);
        nr_admitted += fits ? 1u : 0u;
    }
    assert_true((nr_admitted > 10u) && (nr_admitted < 50u));
    /* full to the last unit, and what is not asked for is not judged */
    good(CPUS "bulkhead,scheduler = \"rtds\"; bulkhead,admission; " POOL(
        "p", "0x6001", "<0x5001 0x5002 0x5003>", SCHED("rtds") "bulkhead,admission; ")
             ONE("2", "bulkhead,budget-us = <5000>;")
                 DOMAIN("b", "0x49000000", "3", IN("0x6001") "bulkhead,budget-us = <6000>; ") END);
    good(CPUS "bulkhead,scheduler = \"rtds\"; " ONE("8", "bulkhead,budget-us = <10000>;") END);
    assert_false(plan.pool[0].admission);
}

static void expect_window(uint32_t i, uint32_t cpu, uint32_t at_us, uint32_t us, uint32_t domain,
                          uint32_t vcpu)
{
    const struct plan_minor *const w = &plan.minor[i];

    assert_true(i < plan.nr_minors);
    assert_int_equal(w->cpu, cpu);
    assert_int_equal(w->at_us, at_us);
    assert_int_equal(w->us, us);
    assert_int_equal(w->domain, domain);
    assert_int_equal(w->vcpu, vcpu);
}

static void test_windows(void **state)
{
    (void)state;
    good(CPUS "bulkhead,scheduler = \"arinc653\"; bulkhead,major-frame-us = <1000>; " POOL(
        "p", "0x6001", "<0x5003>", "bulkhead,major-frame-us = <3600000000>; ")
             ONE("2", "bulkhead,windows = <600 400>, <0 100>; " VCPU("0", ON("0"))
                          VCPU("1", ON("2-3") "bulkhead,windows = <0 1000>; "))
                 DOMAIN("b", "0x49000000", "2",
                        VCPU("0", ON("0") "bulkhead,windows = <100 500>; ")
                            VCPU("1", ON("1") "bulkhead,windows = <999 1>; "))
                     DOMAIN("c", "0x4a000000", "1", IN("0x6001") "bulkhead,windows = <3599999999 1>; ")
                         DOMAIN("d", "0x4b000000", "1", IN("0x6001") "bulkhead,windows = <0 3599999999>; ")
                             END);
    assert_int_equal(plan.pool[0].major_us, 1000);
    assert_int_equal(plan.pool[1].major_us, 3600000000u);
    assert_int_equal(plan.nr_minors, 7);
    expect_window(0, 0, 0, 100, 0, 0);
    expect_window(1, 0, 100, 500, 1, 0);
    expect_window(2, 0, 600, 400, 0, 0);
    expect_window(3, 1, 999, 1, 1, 1);
    expect_window(4, 2, 0, 1000, 0, 1);
    expect_window(5, 3, 0, 3599999999u, 3, 0);
    expect_window(6, 3, 3599999999u, 1, 2, 0);
    assert_int_equal(plan.domain[0].affinity[0], 1);
    assert_int_equal(plan.domain[0].affinity[1], 4); /* what its pool has of 2-3 */
    assert_int_equal(plan.domain[2].affinity[0], 8);
}

/* Two that want the same time are unsound, both; the windows of who is left out are nobody's. */
static void test_windows_partial(void **state)
{
    (void)state;
    assert_int_equal(
        made(CPUS PARTIAL FRAMED POOL("p", "0x6001", "<0x5003>", "")
                 ONE("1", IN("0x6001") "bulkhead,windows = <0 100>, <500 100>; ")
                     DOMAIN("b", "0x49000000", "1", IN("0x6001") "bulkhead,windows = <100 100>; ")
                         DOMAIN("c", "0x4a000000", "1", IN("0x6001") "bulkhead,windows = <599 100>; ") END),
        HV_OK);
    assert_true(plan.domain[0].unsound && !plan.domain[1].unsound && plan.domain[2].unsound);
    assert_string_equal(
        said.text,
        "/chosen/c: bulkhead,windows: found 599 to 699 us on CPU 3, expected a time that vCPU 0 of a "
        "does not have, 500 to 600 us\n");
    assert_int_equal(plan.nr_minors, 1);
    expect_window(0, 3, 100, 100, 1, 0);
    assert_int_equal(made(CPUS
                          "bulkhead,partial-boot; bulkhead,scheduler = \"rtds\"; bulkhead,admission; " ONE(
                              "4", "bulkhead,budget-us = <6000>; ") DOMAIN("b", "0x49000000", "2", "")
                              DOMAIN("c", "0x4a000000", "1", "") END),
                     HV_OK);
    assert_true(plan.domain[0].unsound && !plan.domain[1].unsound && !plan.domain[2].unsound);
}

/* A dom0's are in /chosen, and in vCPU nodes there. */
static void test_dom0(void **state)
{
    (void)state;
    good(CPUS
         "xen,xen-bootargs = \"dom0_max_vcpus=2 dom0_mem=64m\"; bulkhead,spare-domains = <1>; " FRAMED
         "bulkhead,windows = <0 500>; " VCPU("0", ON("0")) VCPU("1", ON("1") "bulkhead,windows = <0 1000>; ")
             KERNEL0 DOMAIN("b", "0x49000000", "1", "bulkhead,windows = <500 500>; " VCPU("0", ON("0"))) END);
    assert_string_equal(plan.domain[0].name, "Domain-0");
    assert_int_equal(plan.nr_minors, 3);
    expect_window(0, 0, 0, 500, 0, 0);
    expect_window(1, 0, 500, 500, 1, 0);
    expect_window(2, 1, 0, 1000, 0, 1);
    good(CPUS "xen,xen-bootargs = \"dom0_mem=64m\"; bulkhead,weight = <512>; " KERNEL0 END);
    expect_pool(0, 0xF, PLAN_SCHED_CREDIT2); /* its four vCPUs fit, and there are places for more */
    assert_int_equal(plan.domain[0].weight, 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_unsaid),
        cmocka_unit_test(test_pins),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_rt),
        cmocka_unit_test(test_share_rounding),
        cmocka_unit_test(test_admission),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_windows_partial),
        cmocka_unit_test(test_dom0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
