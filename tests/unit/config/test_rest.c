/* What of a host is left for its hardware domain, and what that sees of the host's tree.
 * [test->req~control-domain~1] [test->req~devices-later~1] */
#include "tree_source.h"

#include "config/config.h"

#define KERNEL(at) "{ compatible = \"multiboot,kernel\", \"multiboot,module\"; reg = <0 " at " 0x100000>; };"

static struct dt_room room;
static struct dt_index ix = DT_INDEX(room, DT_DEPTH_MAX);
static struct plan plan;
static struct said said;
static struct config_env env;
static void *partial;

/* A device of each kind that is treated in another way */
static const char board[] = "/ { chosen { #address-cells = <2>; #size-cells = <1>; k " KERNEL(
    "0x48000000") " };"
                  " hypervisor { compatible = \"xen,xen-4.20\", \"xen,xen\"; };"
                  " pmu { compatible = \"arm,armv8-pmuv3\"; interrupts = <1 7 4>; };"
                  " soc { "
                  "  smmu: iommu@2000000 { compatible = \"arm,smmu-v3\"; reg = <0x2000000 0x20000>; "
                  "   #iommu-cells = <1>; interrupts = <0 20 1>; interrupt-names = \"combined\"; };"
                  "  one@3000000 { reg = <0x3000000 0x200>; interrupts = <0 16 1>; iommus = <&smmu 5>; };"
                  "  two@3000200 { reg = <0x3000200 0x200>; interrupts = <0 17 4>; };"
                  "  beside@1000800 { reg = <0x1000800 0x100>; interrupts = <0 18 4>; };"
                  "  given@4000000 { reg = <0x4000000 0x1000>; interrupts = <0 19 4>;"
                  "   sub { interrupts = <0 21 4>; }; };"
                  "  passed@5000000 { reg = <0x5000000 0x1000>; interrupts = <0 22 4>; iommus = <&smmu 7>;"
                  "   xen,passthrough; };"
                  "  late@5000800 { reg = <0x5000800 0x100 0x5002000 0x100>; interrupts = <0 17 4 0 24 1>;"
                  "   iommus = <&smmu 5>; xen,passthrough; };"
                  "  off@6000000 { reg = <0x6000000 0x1000>; interrupts = <0 23 4>; status = \"disabled\"; };"
                  "  wrong@7000000 { reg = <0x7000000 0x1000 0x38000000 0x10000000>;"
                  "   interrupts = <0 1 4 0 20 4 0 19 4>; };"
                  "  its { compatible = \"arm,gic-v3-its\"; reg = <0x80000 0x20000>; }; };"
                  " pcie@10000000 { device_type = \"pci\"; #address-cells = <3>; #size-cells = <2>; "
                  "  #interrupt-cells = <1>; reg = <0x40 0 0 0x10000000>; "
                  "  iommu-map = <0 &smmu 0x10000 0x10000>;"
                  "  ranges = <0x2000000 0 0x10000000 0 0x10000000 0 0x20000000"
                  "            0x3000000 0x80 0 0x80 0 0x80 0>;"
                  "  interrupt-map-mask = <0 0 0 7>; interrupt-map = <0 0 0 1 &gic 0 3 4>; }; };";

static const char domU[] =
    "/ { chosen { domU1 { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; "
    "memory = <0 0x10000>; cpus = <1>; k " KERNEL(
        "0x49000000") " d { compatible = "
                      "\"multiboot,device-tree\", \"multiboot,module\"; "
                      "reg = <0 0x4a000000 0x1000>; }; }; }; };";

static const char passthrough[] =
    "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; "
    "passthrough { compatible = \"simple-bus\"; ranges; "
    "#address-cells = <2>; #size-cells = <2>; dev { xen,path = \"/soc/given@4000000\"; "
    "xen,reg = <0 0xc000000 0 0x1000 0 0xc000000>; xen,force-assign-without-iommu; }; }; };";

static const void *module_bytes(void *ctx, const struct plan_module *module)
{
    (void)ctx;
    (void)module;
    return partial;
}

static void make(void)
{
    char source[8192];
    size_t bytes = 0;
    void *blob;

    partial = tree_compile(passthrough, &bytes);
    (void)snprintf(source, sizeof(source), "%s\n%s", board, domU);
    blob = board_with(source, &bytes);
    said_init(&said);
    env.image_base.v = 0x40200000;
    env.image_bytes = 0x80000;
    env.tree_base.v = 0x40280000;
    env.module_bytes = module_bytes;
    assert_int_equal(config_index_make(&ix, blob, bytes, &said.report), HV_OK);
    assert_int_equal(config_plan_make(&ix, &env, &plan, &said.report), HV_OK);
    assert_string_equal(said.text, "");
}

static int setup(void **state)
{
    (void)state;
    make();
    return 0;
}

static bool marked(const uint8_t *mark, const char *path)
{
    const uint32_t node = dt_find(&ix, path);

    assert_true(node != DT_NONE);
    return (mark[node / 8u] & (1u << (node % 8u))) != 0u;
}

static void test_nodes(void **state)
{
    static const char *const kept[] = {
        "/chosen",     "/cpus", "/memory@40000000",   "/reserved-memory",    "/psci",   "/timer",
        "/hypervisor", "/pmu",  "/soc/iommu@2000000", "/soc/serial@1000000", "/soc/its"
    };
    static const char *const others[] = { "/soc/given@4000000", "/soc/passed@5000000", "/soc/late@5000800" };
    uint32_t nr = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        assert_true(marked(plan.tree_kept, kept[i]));
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_true(marked(plan.tree_others, others[i]));
    }
    for (uint32_t i = 0; i < PLAN_TREE_NODES; i++) {
        nr += ((plan.tree_kept[i / 8u] | plan.tree_others[i / 8u]) >> (i % 8u)) & 1u;
    }
    assert_int_equal(nr, 15);
    assert_int_equal(plan.tree_intc, dt_find(&ix, "/soc/interrupt-controller@0"));
    assert_int_equal(plan.tree_intc_cells, 2);
    assert_int_equal(plan.domain[0].intc_phandle, ix.node[plan.tree_intc].phandle);
    assert_ptr_equal(plan.domain[0].partial_tree, ix.blob);
}

/* Whole pages once, and none that are the hypervisor's, another's, or memory. */
static void test_registers(void **state)
{
    static const struct range expected[] = {
        { 0xb000000, 0x1000 },        /* one and two */
        { 0xf000000, 0x1000 },        /* wrong, whose other half is the host's memory */
        { 0x4000000000, 0x10000000 }, /* configuration space and what the bridge passes on */
        { 0x10000000, 0x20000000 },   { 0x8000000000, 0x8000000000 },
    };
    uint32_t nr = 0;

    (void)state;
    for (uint32_t i = 0; i < plan.nr_windows; i++) {
        const struct plan_window *const w = &plan.window[i];

        if (w->domain == 0u) {
            assert_true(nr < sizeof(expected) / sizeof(expected[0]));
            assert_int_equal(w->host.base, expected[nr].base);
            assert_int_equal(w->host.bytes, expected[nr].bytes);
            assert_int_equal(w->at.v, w->host.base);
            nr++;
        }
    }
    assert_int_equal(nr, 5);
    assert_int_equal(plan.hole.base, 0x4010000000);
    assert_int_equal(plan.hole.base + plan.hole.bytes, 0x8000000000);
}

static void test_lines(void **state)
{
    static const uint32_t expected[] = { 32u + 16u, 32u + 17u, 32u + 3u };
    uint32_t nr = 0;

    (void)state;
    for (uint32_t i = 0; i < plan.nr_lines; i++) {
        const struct plan_line *const l = &plan.line[i];

        if (l->domain == 0u) {
            assert_true(nr < sizeof(expected) / sizeof(expected[0]));
            assert_int_equal(l->irq, expected[nr]);
            assert_int_equal(l->virq, l->irq);
            assert_int_equal(l->edge, nr == 0u);
            nr++;
        }
    }
    assert_int_equal(nr, 3);
    assert_int_equal(plan.domain[0].nr_spis, 32);
    assert_int_equal(plan.nr_streams, 2);
    assert_int_equal(plan.stream[0].first, 5);
    assert_int_equal(plan.stream[1].first, 0x10000);
    assert_int_equal(plan.stream[1].nr, 0x10000);
    assert_int_equal(plan.stream[0].domain, 0);
}

/* What nobody has stands behind what domains have, but for what a domain has beside it. */
static void test_offers(void **state)
{
    const struct plan_window *const w = &plan.window[plan.nr_windows];
    const struct plan_line *const l = &plan.line[plan.nr_lines];
    const struct plan_stream *const s = &plan.stream[plan.nr_streams];

    (void)state;
    assert_int_equal(plan.nr_offers, 2);
    assert_string_equal(plan.offer[0].path, "/soc/passed@5000000");
    assert_string_equal(plan.offer[1].path, "/soc/late@5000800");
    assert_int_equal(plan.nr_offered_windows, 2);
    assert_int_equal(w[0].domain, PLAN_OFFER);
    assert_int_equal(w[0].host.base, 0xd000000);
    assert_int_equal(w[0].host.bytes, 0x1000);
    assert_int_equal(w[1].domain, PLAN_OFFER + 1);
    assert_int_equal(w[1].host.base, 0xd002000); /* the other page is the first one's */
    assert_int_equal(plan.nr_offered_lines, 2);
    assert_int_equal(l[0].irq, 32 + 22);
    assert_int_equal(l[0].domain, PLAN_OFFER);
    assert_int_equal(l[1].irq, 32 + 24);
    assert_true(l[1].edge);
    assert_int_equal(plan.nr_offered_streams, 1);
    assert_int_equal(s[0].first, 7);
    assert_int_equal(s[0].domain, PLAN_OFFER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nodes, setup),
        cmocka_unit_test_setup(test_registers, setup),
        cmocka_unit_test_setup(test_lines, setup),
        cmocka_unit_test_setup(test_offers, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
