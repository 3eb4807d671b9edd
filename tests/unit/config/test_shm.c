/* Plans with shared memory; the faults have their own tests in tests/neg/config.
 * [test->req~shared-memory~1] */
#include "tree_source.h"

#include "config/config.h"
#include "lib/bits.h"
#include "lib/fmt.h"

#define DOMAIN(name, at, inside)                                                                             \
    name " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x10000>; "   \
         "cpus = <1>; " inside " k { compatible = \"multiboot,kernel\", \"multiboot,module\"; "              \
         "reg = <0 " at " 0x1000>; }; };"
#define SHM(name, id, more)                                                                                  \
    name " { compatible = \"xen,domain-shared-memory-v1\"; xen,shm-id = \"" id "\"; " more " };"

static struct dt_room room;
static struct dt_index ix = DT_INDEX(room, DT_DEPTH_MAX);
static struct plan plan;
static struct said said;
static struct config_env env;

static enum hv_status plan_of(const char *chosen)
{
    char source[8192];
    size_t bytes = 0;
    void *blob;
    enum hv_status status;

    (void)snprintf(source, sizeof(source), "/ { chosen { %s }; };", chosen);
    blob = board_with(source, &bytes);
    said_init(&said);
    env.image_base.v = 0x40200000;
    env.image_bytes = 0x80000;
    env.tree_base.v = 0x40280000;
    assert_int_equal(config_index_make(&ix, blob, bytes, &said.report), HV_OK);
    status = config_plan_make(&ix, &env, &plan, &said.report);
    free(blob);
    return status;
}

static void test_regions(void **state)
{
    (void)state;
    assert_int_equal(
        plan_of(DOMAIN("a", "0x48000000",
                       SHM("part", "big",
                           "xen,shared-mem = <0 0x60000000 0 0x50000000 0x1000>; xen,offset = <0 "
                           "0x2000>; role = \"borrower\"; bulkhead,no-map;")
                           SHM("free", "free", "xen,shared-mem = <0 0x50001000 0x3000>;"))
                    DOMAIN("b", "0x4a000000",
                           SHM("big", "big",
                               "xen,shared-mem = <0 0x60000000 0 0x70000000 0x400000>; role = "
                               "\"owner\";"))
                        DOMAIN("c", "0x4c000000", SHM("free", "free", "xen,shared-mem = <2 0 0x3000>;"))),
        HV_OK);
    assert_string_equal(said.text, "");
    assert_int_equal(plan.nr_shm, 2);
    assert_string_equal(plan.shm[0].id, "big");
    assert_true(plan.shm[0].is_placed);
    assert_int_equal(plan.shm[0].host.base, 0x60000000);
    assert_int_equal(plan.shm[0].host.bytes, 0x400000);
    assert_int_equal(plan.shm[0].owner, 1);
    assert_string_equal(plan.shm[1].id, "free");
    assert_false(plan.shm[1].is_placed);
    assert_int_equal(plan.shm[1].host.bytes, 0x3000);
    assert_int_equal(plan.shm[1].owner, PLAN_NO_DOMAIN);
    assert_int_equal(plan.nr_shm_uses, 4);
    assert_int_equal(plan.shm_use[0].shm, 0);
    assert_int_equal(plan.shm_use[0].domain, 0);
    assert_int_equal(plan.shm_use[0].at.v, 0x50000000);
    assert_int_equal(plan.shm_use[0].offset, 0x2000);
    assert_int_equal(plan.shm_use[0].bytes, 0x1000);
    assert_true(plan.shm_use[0].no_map);
    assert_int_equal(plan.shm_use[2].at.v, 0x70000000);
    assert_int_equal(plan.shm_use[2].offset, 0);
    assert_int_equal(plan.shm_use[2].bytes, 0x400000);
    assert_false(plan.shm_use[2].no_map);
    assert_int_equal(plan.shm_use[3].domain, 2);
    assert_int_equal(plan.shm_use[3].at.v, 0x200000000);
    assert_int_equal(plan.domain[0].peers, BIT32(0) | BIT32(1) | BIT32(2));
    assert_int_equal(plan.domain[1].peers, BIT32(0) | BIT32(1));
    assert_int_equal(plan.domain[2].peers, BIT32(0) | BIT32(2));
    /* a window of 4 MiB needs more tables than none */
    assert_true(plan.domain[1].pool_bytes > hal_plan_pool_bytes(MIB(64), 1));
}

/* What a domain that is not built had of regions is nobody's; a region whose owner it was takes no memory. */
static void test_partial(void **state)
{
    (void)state;
    assert_int_equal(
        plan_of(
            "bulkhead,partial-boot;" DOMAIN("a", "0x48000000",
                                            "vpl011 = <1>;" SHM("x", "lost",
                                                                "xen,shared-mem = <0 0x50000000 "
                                                                "0x1000>; role = \"owner\";")
                                                SHM("y", "free", "xen,shared-mem = <0 0x50001000 0x3000>;"))
                DOMAIN("b", "0x4a000000",
                       SHM("x", "lost", "xen,shared-mem = <0 0x50000000 0x1000>; role = \"borrower\";")
                           SHM("y", "free", "xen,shared-mem = <0 0x50001000 0x3000>;"))),
        HV_OK);
    assert_true(plan.domain[0].unsound);
    assert_false(plan.domain[1].unsound);
    assert_int_equal(plan.nr_shm_uses, 2);
    assert_int_equal(plan.shm_use[0].domain, 1);
    assert_int_equal(plan.shm_use[1].domain, 1);
    assert_int_equal(plan.shm[0].host.bytes, 0);
    assert_int_equal(plan.shm[1].host.bytes, 0x3000);
    assert_int_equal(plan.domain[1].peers, BIT32(1));
}

/* Nodes of one id that contradict each other, and two owners: nobody knows which is right. */
static void test_partial_doubt(void **state)
{
    static const char *const second[] = {
        "xen,shared-mem = <0 0x60002000 0 0x50000000 0x1000>;",
        "xen,shared-mem = <0 0x50000000 0x2000>;",
        "xen,shared-mem = <0 0x50000000 0x1000>; role = \"owner\";",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(second); i++) {
        char chosen[4096];

        (void)snprintf(chosen, sizeof(chosen),
                       "bulkhead,partial-boot;" DOMAIN("a", "0x48000000",
                                                       SHM("x", "it",
                                                           "xen,shared-mem = <0 0x60000000 0 0x50000000 "
                                                           "0x1000>; role = \"owner\";"))
                           DOMAIN("b", "0x4a000000", SHM("x", "it", "%s")) DOMAIN("c", "0x4c000000", ""),
                       second[i]);
        assert_int_equal(plan_of(chosen), HV_OK);
        assert_true(plan.domain[0].unsound);
        assert_true(plan.domain[1].unsound);
        assert_false(plan.domain[2].unsound);
        assert_int_equal(plan.nr_shm_uses, 0);
        assert_int_equal(plan.shm[0].host.bytes, 0);
    }
}

static void test_too_many(void **state)
{
    char text[8192] = "";
    struct fmt_buf out;

    (void)state;
    fmt_init(&out, text, sizeof(text));
    fmt_str(&out,
            "d { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x1000>; "
            "cpus = <1>; k { compatible = \"multiboot,kernel\", \"multiboot,module\"; "
            "reg = <0 0x48000000 0x1000>; };");
    for (unsigned i = 0; i < 33u; i++) {
        fmt_str(&out, "s");
        fmt_u64(&out, i);
        fmt_str(&out, " { compatible = \"xen,domain-shared-memory-v1\"; xen,shm-id = \"i");
        fmt_u64(&out, i);
        fmt_str(&out, "\"; xen,shared-mem = <0 0x500");
        fmt_hex_width(&out, i, 2);
        fmt_str(&out, "000 0x1000>; };");
    }
    fmt_str(&out, "};");
    assert_false(out.cut);
    assert_int_equal(plan_of(text), HV_INVALID);
    assert_string_equal(said.text,
                        "/chosen/d/s32: xen,shm-id: found i32, expected at most 32 regions in 64 nodes\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regions),
        cmocka_unit_test(test_partial),
        cmocka_unit_test(test_partial_doubt),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
