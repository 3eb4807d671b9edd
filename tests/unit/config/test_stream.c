/* Which streams a device has, by the properties of the host's tree. [test->req~stream-owner~1] */
#include "tree_source.h"

#include "config/config_maker.h"
#include "config/partition/config_stream.h"

static struct dt_room room;
static struct dt_index ix = DT_INDEX(room, DT_DEPTH_MAX);
static struct plan plan;
static struct said said;
static struct config_maker m;

static const char tree[] =
    "/dts-v1/; / { #address-cells = <1>; #size-cells = <1>; interrupt-parent = <&gic>;"
    " gic: gic { compatible = \"arm,gic-v3\"; interrupt-controller; #interrupt-cells = <3>;"
    "  reg = <0x8000000 0x10000 0x80a0000 0x80000>; interrupts = <1 9 4>; };"
    " timer { compatible = \"arm,armv8-timer\"; interrupts = <1 13 4 1 14 4 1 11 4 1 10 4>; };"
    " off: iommu@0 { compatible = \"arm,smmu-v3\"; reg = <0x1000000 0x20000>; status = \"disabled\"; };"
    " one: iommu@1 { compatible = \"arm,smmu-v3\"; reg = <0x2000000 0x20000>; #iommu-cells = <1>;"
    "  interrupts = <0 74 1 0 75 1 0 76 1 0 77 4>;"
    "  interrupt-names = \"eventq\", \"priq\", \"cmdq-sync\", \"gerror\"; };"
    " two: iommu@2 { compatible = \"arm,smmu-v3\"; reg = <0x3000000 0x20000>; #iommu-cells = <1>;"
    "  interrupts = <0 80 1>; interrupt-names = \"combined\"; };"
    " odd: other { };"
    " free { };"
    " single { iommus = <&one 5>; };"
    " several { iommus = <&one 6 &two 6>; };"
    " beyond { iommus = <&one 0x100000>; };"
    " last { iommus = <&one 0xFFFFF>; };"
    " stranger { iommus = <&odd 5>; };"
    " nobody { iommus = <0x7777 5>; };"
    " half { iommus = <&one>; };"
    " empty { iommus; };"
    " pci { iommu-map = <0 &two 0x1000 0x100  0x100 &one 0x8000 0xFF00>; };"
    " gap { iommu-map = <0 &two 0 0x10  0x11 &two 0x11 0xFFEF>; };"
    " twice { iommu-map = <0 &two 0x40000 0x10  0 &two 0x50000 0x10>; };"
    " wrap { iommu-map = <0 &two 0xFFFFFFFF 0x100>; };"
    " masked { iommu-map = <0 &two 0x30000 0x10000>; iommu-map-mask = <0xff00>; };"
    " odd-map { iommu-map = <0 &two 0x20000 0x10000 7>; }; };";

static int setup(void **state)
{
    size_t bytes = 0;
    static void *blob;

    (void)state;
    free(blob);
    blob = tree_compile(tree, &bytes);
    said_init(&said);
    assert_int_equal(config_index_make(&ix, blob, bytes, &said.report), HV_OK);
    memset(&plan, 0, sizeof(plan));
    memset(&m, 0, sizeof(m));
    m.ix = &ix;
    m.plan = &plan;
    m.report = &said.report;
    said.report.index = &ix;
    plan.nr_domains = 3;
    hal_plan_host_parse(&ix, &said.report, &plan.host);
    return 0;
}

static uint32_t device(const char *path, uint8_t domain)
{
    return config_stream_device(&m, dt_find(&ix, path), domain);
}

static uint32_t pci(const char *path, uint32_t rid, uint32_t nr, uint8_t domain)
{
    return config_stream_pci(&m, dt_find(&ix, path), rid, nr, domain);
}

static void is(uint32_t i, uint8_t domain, uint8_t iommu, uint32_t first, uint32_t nr)
{
    assert_true(i < plan.nr_streams);
    assert_int_equal(plan.stream[i].domain, domain);
    assert_int_equal(plan.stream[i].iommu, iommu);
    assert_int_equal(plan.stream[i].first, first);
    assert_int_equal(plan.stream[i].nr, nr);
}

static void devices(void **state)
{
    (void)state;
    assert_int_equal(device("/free", 1), 0);
    assert_int_equal(pci("/free", 0, 1, 1), 0);
    assert_int_equal(device("/single", 1), 1);
    is(0, 1, 0, 5, 1);
    assert_int_equal(device("/several", 2), 2);
    is(1, 2, 0, 6, 1);
    is(2, 2, 1, 6, 1);
    assert_int_equal(device("/last", 0), 1);
    is(3, 0, 0, 0xFFFFF, 1);
    assert_int_equal(device("/single", 1), 1); /* its own again: nothing new */
    assert_int_equal(plan.nr_streams, 4);
    assert_string_equal(said.text, "");
}

static void refused(void **state)
{
    (void)state;
    assert_int_equal(device("/single", 1), 1);
    (void)device("/single", 2);
    (void)device("/beyond", 1);
    (void)device("/stranger", 1);
    (void)device("/nobody", 1);
    assert_int_equal(device("/half", 1), 1); /* it has the property: no device without an IOMMU */
    assert_int_equal(device("/empty", 1), 1);
    assert_int_equal(plan.nr_streams, 1);
    assert_string_equal(said.text,
                        "/single: iommus: found <0x2 0x5>, expected streams that no other domain has\n"
                        "/beyond: iommus: found <0x2 0x100000>, expected stream ids below 1048576\n"
                        "/stranger: iommus: found <0x4 0x5>, expected an IOMMU of a known kind\n"
                        "/nobody: iommus: found <0x7777 0x5>, expected an IOMMU of a known kind\n"
                        "/half: iommus: found 2, expected pairs of an IOMMU and a stream id\n"
                        "/empty: iommus: found an empty value, expected pairs of an IOMMU and a stream id\n");
}

static void bridges(void **state)
{
    (void)state;
    assert_int_equal(pci("/pci", 0, 0x10000, 1), 2);
    is(0, 1, 1, 0x1000, 0x100);
    is(1, 1, 0, 0x8000, 0xFF00);
    assert_int_equal(pci("/pci", 0xF8, 0x10, 1), 2); /* part of that */
    assert_int_equal(plan.nr_streams, 2);
    assert_string_equal(said.text, "");
    plan.nr_streams = 0;
    (void)pci("/pci", 0xF8, 0x10, 1);
    is(0, 1, 1, 0x10F8, 8);
    is(1, 1, 0, 0x8000, 8);
    (void)pci("/pci", 0x107, 1, 2); /* the last of these is the other's */
    assert_int_equal(plan.nr_streams, 2);
    assert_non_null(strstr(said.text, "/pci: iommu-map: found "));
    assert_non_null(strstr(said.text, "expected streams that no other domain has\n"));
    (void)pci("/pci", 0x108, 1, 2);
    is(2, 2, 0, 0x8008, 1);
}

static void bad_bridges(void **state)
{
    static const struct {
        const char *path;
        uint32_t rid;
        const char *expected;
    } bad[] = {
        { "/gap", 0x10, "one entry of 4 cells for each requester id that a domain has\n" },
        { "/twice", 0, "one entry of 4 cells for each requester id that a domain has\n" },
        { "/odd-map", 0, "one entry of 4 cells for each requester id that a domain has\n" },
        { "/wrap", 0x10, "stream ids below 1048576\n" },
        { "/masked", 0, "all bits set\n" },
    };

    (void)state;
    assert_int_equal(pci("/gap", 0x12, 1, 1), 2);
    assert_string_equal(said.text, "");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        said.text[0] = '\0';
        (void)pci(bad[i].path, bad[i].rid, 1, 1);
        assert_non_null(strstr(said.text, bad[i].expected));
    }
}

static void iommus_found(void **state)
{
    const struct arm_plan_host *const arm = &plan.host.arm;
    const uint32_t nr_streams[HAL_IOMMUS_MAX] = { 0, 0x10000, 0, 0 };
    uint32_t iommu = 9;
    uint32_t limit = 0;

    (void)state;
    assert_int_equal(arm->nr_smmus, 2);
    assert_int_equal(arm->smmu[0].base, 0x2000000);
    assert_int_equal(arm->smmu[0].irq[0], 32 + 74);
    assert_int_equal(arm->smmu[0].irq[1], 32 + 77);
    assert_true(arm->smmu[0].edge[0] && !arm->smmu[0].edge[1]);
    assert_int_equal(arm->smmu[1].irq[0], 32 + 80);
    assert_int_equal(arm->smmu[1].irq[1], 32 + 80);
    assert_true(hal_plan_iommu(&ix, dt_find(&ix, "/iommu@2"), &plan.host, &iommu, &limit));
    assert_int_equal(iommu, 1);
    assert_int_equal(limit, 1 << 20);
    assert_false(hal_plan_iommu(&ix, dt_find(&ix, "/iommu@0"), &plan.host, &iommu, &limit));
    /* 64 Ki streams: two queues, 8 KiB of level 1 and what aligns it, three tables a run */
    assert_int_equal(hal_plan_iommu_bytes(&plan.host, nr_streams, 5), (2 + 4 + 15) * PAGE_BYTES);
}

static void bad_iommus(void **state)
{
    static const char source[] = "/dts-v1/; / { #address-cells = <1>; #size-cells = <1>;"
                                 " iommu@1 { compatible = \"arm,smmu-v3\"; reg = <0x2000000 0x10000>; };"
                                 " iommu@2 { compatible = \"arm,smmu-v3\"; reg = <0x2001000 0x20000>; };"
                                 " iommu@3 { compatible = \"arm,smmu-v3\"; };"
                                 " a { compatible = \"arm,smmu-v3\"; reg = <0x3000000 0x20000>; };"
                                 " b { compatible = \"arm,smmu-v3\"; reg = <0x4000000 0x20000>; };"
                                 " c { compatible = \"arm,smmu-v3\"; reg = <0x5000000 0x20000>; };"
                                 " d { compatible = \"arm,smmu-v3\"; reg = <0x6000000 0x20000>; };"
                                 " e { compatible = \"arm,smmu-v3\"; reg = <0x7000000 0x20000>; }; };";
    size_t bytes = 0;
    void *const blob = tree_compile(source, &bytes);

    (void)state;
    said_init(&said);
    assert_int_equal(config_index_make(&ix, blob, bytes, &said.report), HV_OK);
    said.report.index = &ix;
    hal_plan_host_parse(&ix, &said.report, &plan.host);
    assert_non_null(strstr(said.text,
                           "/iommu@1: reg: found <0x2000000 0x10000>, expected 128 KiB of registers "
                           "at a multiple of 64 KiB\n"));
    assert_non_null(strstr(said.text, "/iommu@2: reg: found <0x2001000 0x20000>, expected 128 KiB"));
    assert_non_null(strstr(said.text, "/iommu@3: reg: found nothing, expected 128 KiB"));
    assert_non_null(strstr(said.text, "note: /e: compatible: is one IOMMU more than the 4 that are used\n"));
    assert_int_equal(plan.host.arm.nr_smmus, 4);
    assert_int_equal(plan.host.arm.smmu[3].irq[0], 0);
    free(blob);
}

static void too_many(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PLAN_STREAMS_MAX; i++) {
        plan.stream[i] = (struct plan_stream){ .domain = 1, .iommu = 1, .first = i * 2, .nr = 1 };
    }
    plan.nr_streams = PLAN_STREAMS_MAX;
    (void)device("/single", 1);
    assert_int_equal(plan.nr_streams, PLAN_STREAMS_MAX);
    assert_non_null(strstr(said.text, "expected at most 128 runs of streams in all\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(devices, setup),    cmocka_unit_test_setup(refused, setup),
        cmocka_unit_test_setup(bridges, setup),    cmocka_unit_test_setup(bad_bridges, setup),
        cmocka_unit_test_setup(too_many, setup),   cmocka_unit_test_setup(iommus_found, setup),
        cmocka_unit_test_setup(bad_iommus, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
