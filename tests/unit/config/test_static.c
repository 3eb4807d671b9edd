/* Memory that the tree fixes, and who has which addresses; the faults have their own tests in
 * tests/neg/config. [test->req~static-memory~1] [test->req~static-heap~1] [test->req~direct-map~1]
 * [test->req~nothing-shared~1] */
#include "tree_source.h"

#include "config/config_maker.h"
#include "config/partition/layout.h"
#include "lib/bits.h"

#define KERNEL(at)                                                                                           \
    "k { compatible = \"multiboot,kernel\", \"multiboot,module\"; reg = <0 " at " 0x100000>; };"
#define UNIT(name, kib, more, at)                                                                            \
    name " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; memory = <0 " kib         \
         ">; cpus = <2>; " more " " KERNEL(at) " };"
#define CELLS "#address-cells = <1>; #size-cells = <1>;"

static struct dt_room room;
static struct dt_index ix = DT_INDEX(room, DT_DEPTH_MAX);
static struct plan plan;
static struct said said;
static void *blob;

static enum hv_status make(const char *more)
{
    const struct config_env env = { .image_base = { 0x40200000 },
                                    .image_bytes = 0x80000,
                                    .tree_base = { 0x40280000 } };
    size_t bytes = 0;

    free(blob);
    blob = board_with(more, &bytes);
    said_init(&said);
    assert_int_equal(config_index_make(&ix, blob, bytes, &said.report), HV_OK);
    return config_plan_make(&ix, &env, &plan, &said.report);
}

static void good(const char *more)
{
    const enum hv_status status = make(more);

    assert_string_equal(said.text, "");
    assert_int_equal(status, HV_OK);
}

static void expect_bank(const struct plan_domain *d, uint32_t i, uint64_t base, uint64_t bytes)
{
    struct range bank = { 0u, 0u };

    assert_true(layout_bank(&plan, d, i, &bank));
    assert_int_equal(bank.base, base);
    assert_int_equal(bank.bytes, bytes);
}

static void expect_clash(const struct plan_domain *d, uint64_t base, uint64_t bytes, const char *what)
{
    const struct range r = { base, bytes };
    const char *const clash = layout_meets(&plan, d, &r, NULL);

    assert_int_equal(clash != NULL, what != NULL);
    assert_true((clash == NULL) || (strstr(clash, what) != NULL));
}

static void expect_no_bank(const struct plan_domain *d, uint32_t i)
{
    struct range bank = { 0u, 0u };

    assert_false(layout_bank(&plan, d, i, &bank));
}

/* The reference tree of the binding; ranges below and above 4 GiB; the cells of old trees. */
static void test_ranges(void **state)
{
    const struct plan_domain *d = plan.domain;

    (void)state;
    good("/ { memory@800000000 { device_type = \"memory\"; reg = <8 0 1 0>; }; chosen { " CELLS UNIT(
        "domU1", "0x80000", "xen,static-mem = <0x50000000 0x20000000>;", "0x48000000")
             UNIT("domU2", "0x4000",
                  "#xen,static-mem-address-cells = <2>; xen,static-mem = <8 0x100000 0x800000>, "
                  "<0 0x70000000 0x800000>;",
                  "0x49000000") " }; };");
    assert_int_equal(plan.nr_static_mem, 3);
    assert_int_equal(d[0].nr_static, 1);
    assert_int_equal(plan.static_mem[d[0].static_first].base, 0x50000000);
    assert_int_equal(plan.static_mem[d[0].static_first].bytes, 0x20000000);
    expect_bank(&d[0], 0, 0x40000000, 0x20000000);
    expect_no_bank(&d[0], 1);
    assert_int_equal(d[1].nr_static, 2);
    assert_int_equal(plan.static_mem[d[1].static_first].base, 0x800100000);
    assert_int_equal(plan.static_mem[d[1].static_first + 1].base, 0x70000000);
    expect_bank(&d[1], 0, 0x40000000, 0x1000000);
    assert_false(d[1].direct_map);
    /* The first range is mapped page by page, the second not. */
    assert_int_equal(layout_pool_bytes(&plan, &d[0]), 4 * 4096);
    assert_int_equal(layout_pool_bytes(&plan, &d[1]), (8 + 4) * 4096);
}

/* More than 3 GiB goes on in the second bank. */
static void test_banks(void **state)
{
    (void)state;
    good("/ { memory@800000000 { device_type = \"memory\"; reg = <8 0 1 0x40000000>; }; "
         "chosen { #address-cells = <2>; #size-cells = <2>; " UNIT(
             "domU1", "0x400000", "xen,static-mem = <8 0 1 0>;", "0x48000000") " }; };");
    expect_bank(&plan.domain[0], 0, 0x40000000, GIB(3));
    expect_bank(&plan.domain[0], 1, 0x200000000, GIB(1));
    expect_no_bank(&plan.domain[0], 2);
    assert_int_equal(plan.domain[0].nr_static, 1);
}

/* Limits: 64 ranges in a domain, 128 in all. */
static void test_many(void **state)
{
    static char source[32768];
    static char list[3][4096];
    static const uint32_t nr[] = { 64, 64, 65 };

    (void)state;
    for (uint32_t n = 0; n < 3; n++) {
        for (uint32_t i = 0; i < nr[n]; i++) {
            (void)sprintf(&list[n][strlen(list[n])], "%s<0x%x 0x1000>", (i == 0) ? "" : ", ",
                          0x50000000u + (n << 24u) + (i << 13u));
        }
    }
    (void)snprintf(source, sizeof(source),
                   "/ { chosen { " CELLS UNIT("a", "0x100", "xen,static-mem = %s;", "0x48000000")
                       UNIT("b", "0x100", "xen,static-mem = %s;", "0x49000000") "}; };",
                   list[0], list[1]);
    good(source);
    assert_int_equal(plan.nr_static_mem, 128);
    (void)snprintf(source, sizeof(source),
                   "/ { chosen { " CELLS UNIT("a", "0x100", "xen,static-mem = %s;", "0x48000000")
                       UNIT("b", "0x100", "xen,static-mem = %s;", "0x49000000")
                           UNIT("c", "4", "xen,static-mem = <0x60000000 0x1000>;", "0x4a000000") "}; };",
                   list[0], list[1]);
    assert_int_equal(make(source), HV_INVALID);
    assert_string_equal(said.text,
                        "/chosen/c: xen,static-mem: found 1, expected at most 128 ranges in all domains\n");
    (void)snprintf(source, sizeof(source),
                   "/ { chosen { " CELLS UNIT("a", "0x104", "xen,static-mem = %s;", "0x48000000") "}; };",
                   list[2]);
    assert_int_equal(make(source), HV_INVALID);
    assert_string_equal(said.text,
                        "/chosen/a: xen,static-mem: found 65, expected at most 64 ranges in a domain\n");
}

static void test_direct(void **state)
{
    const struct plan_domain *const d = plan.domain;
    struct layout_uart uart;

    (void)state;
    good("/ { chosen { " CELLS UNIT(
        "a", "0x3000", "vpl011; direct-map; xen,static-mem = <0x60000000 0x800000>, <0x50001000 0x400000>;",
        "0x48000000") UNIT("b", "0x1000", "vpl011; bulkhead,watchdog-ms = <0>;", "0x49000000") " }; };");
    expect_bank(&d[0], 0, 0x60000000, 0x800000);
    expect_bank(&d[0], 1, 0x50001000, 0x400000);
    expect_no_bank(&d[0], 2);
    uart = layout_uart(&plan, &d[0]);
    assert_int_equal(uart.base.v, 0x9000000);
    assert_int_equal(uart.irq, 33);
    uart = layout_uart(&plan, &d[1]);
    assert_int_equal(uart.base.v, 0x22000000);
    assert_int_equal(uart.irq, 32);
    expect_clash(&d[0], 0x5f000000, 0x1000001, "outside the domain's memory");
    expect_clash(&d[0], 0x5f000000, 0x1000000, NULL);
    expect_clash(&d[0], 0x40000000, 0x1000, NULL);
    expect_clash(&d[0], 0x8000000, 0x1000, "no emulated device");
    expect_clash(&d[0], 0x9000fff, 1, "no emulated device");
    expect_clash(&d[0], 0x9001000, 1, NULL);
    expect_clash(&d[0], 0x3001000, 0x1000, NULL);
    expect_clash(&d[1], 0x3001000, 0x1000, "no emulated device");
    expect_clash(&d[1], 0x22002000, 0x1000, "no emulated device");
    expect_clash(&d[1], 0x40000000, 0x1000, "outside the domain's memory");
    plan.nr_windows = 1u;
    plan.window[0] =
        (struct plan_window){ .domain = 1u, .at = { 0xA0000000 }, .host = { 0x9000000, 0x1000 } };
    plan.nr_shm_uses = 1u;
    plan.shm_use[0] = (struct plan_shm_use){ .domain = 1u, .at = { 0xB0000000 }, .bytes = 0x1000 };
    expect_clash(&d[1], 0xA0000000, 1, "no device of");
    expect_clash(&d[1], 0xB0000000, 1, "shared memory");
    expect_clash(&d[0], 0xB0000000, 1, NULL);
}

/* The host's regions of redistributors, as many as the vCPUs take. */
static void test_direct_gic(void **state)
{
    struct arm_plan_host host = { .gic_version = 3u,
                                  .gicd = { 0x1000000, 0x20000 },
                                  .gicr = { { 0x2000000, 0x50000 }, { 0x4000000000, 0x100000 } },
                                  .nr_gicr = 2u };
    struct arm_gic_map map;

    (void)state;
    assert_int_equal(arm_plan_gic_map(&host, true, 2u, &map), 2);
    assert_int_equal(map.nr_ranges, 2);
    assert_int_equal(map.range[0].base, 0x1000000);
    assert_int_equal(map.range[0].bytes, 0x10000);
    assert_int_equal(map.range[1].base, 0x2000000);
    assert_int_equal(map.stride, 0x20000);
    assert_int_equal(arm_plan_gic_map(&host, true, 3u, &map), 10);
    assert_int_equal(map.nr_ranges, 3);
    assert_int_equal(map.range[2].base, 0x4000000000);
    host.gicr_stride = 0x40000;
    assert_int_equal(arm_plan_gic_map(&host, true, 128u, &map), 5);
    assert_int_equal(map.stride, 0x40000);
    assert_int_equal(arm_plan_gic_map(&host, false, 128u, &map), 128);
    assert_int_equal(map.range[1].base, 0x3020000);
    assert_int_equal(map.stride, 0x20000);
    host = (struct arm_plan_host){ .gic_version = 2u,
                                   .gicd = { 0x1000000, 0x1000 },
                                   .gicc = { 0x1010000, 0x20000 } };
    assert_int_equal(arm_plan_gic_map(&host, true, 4u, &map), 8);
    assert_int_equal(map.range[1].base, 0x1010000);
    assert_int_equal(map.range[1].bytes, 0x2000);
}

static void test_heap(void **state)
{
    (void)state;
    good("/ { chosen { " CELLS
         " xen,static-heap = <0 0x60000000 0 0x2000000>, <0 0x50000000 0 0x10000>; " UNIT(
             "a", "0x1000", "", "0x48000000") " }; };");
    assert_int_equal(plan.nr_static_heap, 2);
    assert_int_equal(plan.static_heap[0].base, 0x60000000);
    assert_int_equal(plan.static_heap[1].bytes, 0x10000);
}

/* Both of two domains that want the same memory are left out, and the memory of those that are is free. */
static void test_partial(void **state)
{
    (void)state;
    assert_int_equal(make("/ { chosen { bulkhead,partial-boot; " CELLS UNIT(
                         "a", "0x40000", "xen,static-mem = <0x50000000 0x10000000>;", "0x48000000")
                              UNIT("b", "0x4000", "direct-map; xen,static-mem = <0x5f000000 0x1000000>;",
                                   "0x49000000") UNIT("c", "0x80000", "", "0x4a000000") " }; };"),
                     HV_OK);
    assert_string_equal(said.text,
                        "/chosen/b: xen,static-mem: found 0x5f000000 to 0x5fffffff, expected a range that "
                        "/chosen/a (xen,static-mem) does not have\n");
    assert_true(plan.domain[0].unsound && plan.domain[1].unsound && !plan.domain[2].unsound);
    assert_int_equal(plan.domain[0].nr_static, 0);
    assert_false(plan.domain[1].direct_map);
}

/* Claims of others, as links and devices make them; the table's end. */
static void test_claims(void **state)
{
    static struct config_maker m;
    static const struct config_env env = { .image_base = { 0x40200000 },
                                           .image_bytes = 0x80000,
                                           .tree_base = { 0x40280000 } };
    uint32_t node;
    struct range r = { 0x9000000, 0x1000 };

    (void)state;
    good("/ { chosen { " UNIT("a", "0x1000", "", "0x48000000") " }; };");
    node = dt_find(&ix, "/chosen/a");
    m.ix = &ix;
    m.env = &env;
    m.plan = &plan;
    m.report = &said.report;
    m.domain_node[0] = (uint16_t)node;
    assert_true(config_claim(&m, node, "xen,reg", &r, "device"));
    assert_false(config_claim(&m, node, "xen,reg", &r, "device"));
    assert_true(plan.domain[0].unsound);
    assert_string_equal(said.text,
                        "/chosen/a: xen,reg: found 0x9000000 to 0x9000fff, expected a range that /chosen/a "
                        "(device) does not have\n");
    said.text[0] = '\0';
    for (uint32_t i = 1; i < CONFIG_CLAIMS_MAX; i++) {
        r.base += 0x1000;
        assert_true(config_claim(&m, node, "xen,reg", &r, "device"));
    }
    r.base += 0x1000;
    assert_false(config_claim(&m, node, "xen,reg", &r, "device"));
    assert_non_null(strstr(said.text, "found one more, expected at most 512 ranges"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),  cmocka_unit_test(test_banks),      cmocka_unit_test(test_many),
        cmocka_unit_test(test_direct),  cmocka_unit_test(test_direct_gic), cmocka_unit_test(test_heap),
        cmocka_unit_test(test_partial), cmocka_unit_test(test_claims),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
