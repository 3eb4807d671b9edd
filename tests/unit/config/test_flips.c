/* Damage at random places of a good tree: whatever comes out, nothing is read or written out of bounds and
 * every refusal has its sentence. Runs under the address and undefined-behaviour sanitizers.
 * [test->req~tree-checked~1] */
#include "tree_source.h"

#include "config/config.h"

#define ROUNDS 20000u

static struct dt_room room;
static struct dt_index ix = DT_INDEX(room, DT_DEPTH_MAX);
static struct plan plan;

static uint64_t seed = 0x9E3779B97F4A7C15u;

static uint32_t next_random(void)
{
    seed ^= seed << 13u;
    seed ^= seed >> 7u;
    seed ^= seed << 17u;
    return (uint32_t)(seed >> 16u);
}

struct counts {
    uint32_t faults;
    uint32_t bad_text;
};

static void count_fault(void *ctx, const char *sentence)
{
    struct counts *const c = ctx;

    c->faults++;
    for (const char *s = sentence; *s != '\0'; s++) {
        c->bad_text += ((*s < ' ') || (*s > '~')) ? 1u : 0u;
    }
    c->bad_text += (strlen(sentence) < 20u) ? 1u : 0u;
}

static enum hv_status judge(const void *blob, size_t bytes, struct config_report *report)
{
    static const struct config_env env = { { 0x40200000 }, 0x100000, { 0x40281000 }, { 0x40280000 }, 0x80000,
                                           NULL,           NULL };
    enum hv_status status = config_index_make(&ix, blob, bytes, report);

    if (status == HV_OK) {
        status = config_plan_make(&ix, &env, &plan, report);
    }
    return status;
}

/* A plan to start from: without faults, or with those of unsound domains, which take nothing. */
static void check_usable(uint32_t nr_faults)
{
    uint32_t nr_unsound = 0;

    for (uint32_t i = 0; i < plan.nr_domains; i++) {
        const struct plan_domain *const d = &plan.domain[i];

        nr_unsound += d->unsound ? 1u : 0u;
        assert_int_equal(d->unsound, d->nr_vcpus == 0u);
        assert_int_equal(d->unsound,
                         (d->memory_bytes + d->pool_bytes + d->kernel.bytes + d->ramdisk.bytes) == 0u);
        assert_int_equal(d->domid, i + plan.domain[0].domid);
    }
    assert_true(nr_unsound < plan.nr_domains);
    assert_int_equal(nr_faults > 0u, nr_unsound > 0u);
    assert_true((nr_faults == 0u) || plan.partial_boot);
}

static void flip(const char *more)
{
    size_t bytes = 0;
    uint8_t *const good = board_with(more, &bytes);
    uint32_t refused_by_index = 0;
    uint32_t refused_by_plan = 0;
    uint32_t partial = 0;
    struct counts none = { 0, 0 };
    struct config_report listen = { count_fault, NULL, &none, 0, NULL, NULL };

    assert_int_equal(judge(good, bytes, &listen), HV_OK);
    assert_int_equal(none.faults, 0);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const size_t length = ((round % 8u) == 7u) ? (next_random() % bytes) : bytes;
        uint8_t *const blob = malloc((length > 0u) ? length : 1u);
        const uint32_t nr_flips = 1u + (next_random() % 4u);
        struct counts counts = { 0, 0 };
        struct config_report report = { count_fault, NULL, &counts, 0, NULL, NULL };
        enum hv_status status;

        memcpy(blob, good, length);
        for (uint32_t i = 0; (i < nr_flips) && (length > 0u); i++) {
            blob[next_random() % length] = (uint8_t)(((round % 3u) == 0u) ? 0xFFu : next_random());
        }
        status = judge(blob, length, &report);
        assert_int_equal(report.nr_faults, counts.faults);
        if (status == HV_OK) {
            check_usable(counts.faults);
            partial += (counts.faults > 0u) ? 1u : 0u;
        } else {
            assert_true(counts.faults > 0u);
        }
        assert_int_equal(counts.bad_text, 0);
        refused_by_index += ((status == HV_CORRUPT) || (status == HV_LIMIT)) ? 1u : 0u;
        refused_by_plan += (status == HV_INVALID) ? 1u : 0u;
        free(blob);
    }
    assert_true(refused_by_index > (ROUNDS / 8u)); /* the cut ones at least */
    assert_true(refused_by_plan > (ROUNDS / 32u)); /* and damage does reach the second step */
    assert_true(partial > (ROUNDS / 128u));
    free(good);
}

static void test_flips(void **state)
{
    (void)state;
    flip("/ { reserved-memory { log@50000000 { compatible = \"bulkhead,log\"; "
         "reg = <0 0x50000000 0 0x1000>; }; }; "
         "chosen { bulkhead,partial-boot; bulkhead,on-panic = \"park\"; "
         "xen,xen-bootargs = \"sched=null dtuart=serial0\"; domU1 { compatible = \"xen,domain\"; "
         "#address-cells = <2>; #size-cells = <1>; memory = <0 0x10000>; cpus = <2>; vpl011; nr_spis = <40>; "
         "bulkhead,on-crash = \"restart\"; bulkhead,watchdog-ms = <1000>; bulkhead,max-irq-rate = <1000>; "
         "v { compatible = \"xen,vcpu\"; id = <1>; hard-affinity = \"0,2-3\"; }; "
         "k { compatible = \"multiboot,kernel\", \"multiboot,module\"; reg = <0 0x48000000 0x10000>; "
         "bulkhead,crc32c = <1>; bootargs = \"x\"; }; }; "
         "domU2 { compatible = \"xen,domain\"; #address-cells = <1>; #size-cells = <1>; "
         "memory = <0 0x1000>; cpus = <1>; "
         "k { compatible = \"multiboot,module\"; bulkhead,image-offset = <0 0x2000>; "
         "bulkhead,image-bytes = <0 64>; }; }; }; };");
}

#define UNIT(name, at, cpus, more)                                                                           \
    name " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x1000>; "    \
         "cpus = <" cpus ">; " more " k { compatible = \"multiboot,kernel\", \"multiboot,module\"; "         \
         "reg = <0 " at " 0x1000>; }; }; "

#define CPU(n, phandle) "cpu@" n " { phandle = <" phandle ">; }; "
#define VCPU(id, cpu, more)                                                                                  \
    "v" id " { compatible = \"xen,vcpu\"; id = <" id ">; hard-affinity = \"" cpu "\"; " more " }; "
#define POOLS                                                                                                \
    "p { compatible = \"xen,cpupool\"; phandle = <16>; cpupool-cpus = <4>; cpupool-sched = \"rtds\"; "       \
    "bulkhead,admission; }; "                                                                                \
    "q { compatible = \"xen,cpupool\"; phandle = <17>; cpupool-cpus = <3 2>; "                               \
    "cpupool-sched = \"arinc653\"; bulkhead,major-frame-us = <1000>; }; "
#define RTDS   "domain-cpupool = <16>; bulkhead,period-us = <1000>; bulkhead,budget-us = <500>; "
#define ARINC  "domain-cpupool = <17>; bulkhead,windows = "
#define WINDOW "bulkhead,windows = <0 9>; "

/* A cpupool of each kind, with all that their schedulers are told */
static void test_pools(void **state)
{
    (void)state;
    flip("/ { cpus { " CPU("0", "1") CPU("1", "2") CPU("2", "3") CPU(
        "3", "4") "}; "
                  "chosen { bulkhead,partial-boot; bulkhead,scheduler = \"credit2\"; " POOLS UNIT(
                      "a", "0x48000000", "2", "bulkhead,weight = <512>; bulkhead,cap = <150>; ")
                      UNIT("b", "0x48100000", "2", RTDS VCPU("1", "3", "bulkhead,budget-us = <300>; "))
                          UNIT("c", "0x48200000", "2",
                               ARINC "<0 100>, <500 500>; " VCPU("0", "1", "") VCPU("1", "2", WINDOW))
                              UNIT("d", "0x48300000", "1", ARINC "<100 400>; " VCPU("0", "1", "")) "}; };");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_flips), cmocka_unit_test(test_pools) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
