/* The index and its look-ups, against trees that dtc made. */
#include "tree_source.h"

#include "config/dtindex.h"

static struct dt_room room;
static struct dt_index ix = DT_INDEX(room, DT_DEPTH_MAX);
static struct said said;

static void *index_of(const char *source)
{
    size_t bytes = 0;
    void *const blob = tree_compile(source, &bytes);

    said_init(&said);
    assert_int_equal(config_index_make(&ix, blob, bytes, &said.report), HV_OK);
    assert_string_equal(said.text, "");
    return blob;
}

static const char shape_source[] =
    "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&pic>;"
    " aliases { u = \"/soc/uart@100\"; bad = \"soc\"; };"
    " a { b { c { }; }; d@1 { x = <1 2>; }; d@2 { status = \"disabled\"; e { }; }; };"
    " pic: pic { #interrupt-cells = <2>; phandle = <7>; };"
    " wide: wide { #interrupt-cells = <3>; phandle = <4103>; };"
    " soc { #address-cells = <1>; #size-cells = <1>; ranges = <0 0 0x80000000 0x1000>, <0x10000 1 0 0x100>;"
    "  uart@100 { compatible = \"one\", \"two\"; reg = <0x100 0x10>, <0x10080 0x8>, <0x2000 4>;"
    "   interrupts = <1 2>, <3 4>; s = \"text\"; n = <5>; e; };"
    "  other@200 { reg = <0x200>; interrupts-extended = <&wide 1 2 3>, <&pic 8 9>, <&pic 1>; "
    "status = \"okay\"; };"
    "  bus@0 { #address-cells = <1>; #size-cells = <1>; ranges; dev@40 { reg = <0x40 4>; }; };"
    "  hidden@0 { #address-cells = <1>; #size-cells = <0>; chip@5 { reg = <5>; }; };"
    " }; };";

static void test_shape(void **state)
{
    void *const blob = index_of(shape_source);
    const uint32_t a = dt_find(&ix, "/a");
    const uint32_t b = dt_first_child(&ix, a);
    char text[16];
    struct fmt_buf out;

    (void)state;
    assert_string_equal(dt_name(&ix, DT_ROOT), "");
    assert_string_equal(dt_name(&ix, b), "b");
    assert_int_equal(dt_next_sibling(&ix, b), dt_find(&ix, "/a/d@1"));
    assert_int_equal(dt_next_sibling(&ix, dt_find(&ix, "/a/d@2")), DT_NONE);
    assert_int_equal(dt_first_child(&ix, dt_find(&ix, "/a/b/c")), DT_NONE);
    assert_int_equal(dt_next_sibling(&ix, DT_ROOT), DT_NONE);
    assert_int_equal(dt_find(&ix, "/"), DT_ROOT);
    assert_int_equal(dt_find(&ix, "/a/d"), dt_find(&ix, "/a/d@1"));
    assert_int_equal(dt_find(&ix, "/a/d@"), DT_NONE);
    assert_int_equal(dt_find(&ix, "/a/b/c/d"), DT_NONE);
    assert_int_equal(dt_find(&ix, "//a//b/"), b);
    assert_int_equal(dt_find(&ix, "u:115200"), dt_find(&ix, "/soc/uart@100"));
    assert_int_equal(dt_find(&ix, "u"), dt_find(&ix, "/soc/uart"));
    assert_int_equal(dt_find(&ix, "bad"), DT_NONE);
    assert_int_equal(dt_find(&ix, ""), DT_NONE);
    assert_int_equal(dt_find(&ix, "nothing"), DT_NONE);
    assert_int_equal(dt_by_phandle(&ix, 7), dt_find(&ix, "/pic"));
    assert_int_equal(dt_by_phandle(&ix, 4103), dt_find(&ix, "/wide"));
    assert_int_equal(dt_by_phandle(&ix, 8), DT_NONE);
    assert_int_equal(dt_by_phandle(&ix, 0), DT_NONE);
    fmt_init(&out, text, sizeof(text));
    dt_path(&ix, dt_find(&ix, "/a/b/c"), &out);
    assert_string_equal(text, "/a/b/c");
    fmt_init(&out, text, sizeof(text));
    dt_path(&ix, DT_ROOT, &out);
    assert_string_equal(text, "/");
    fmt_init(&out, text, 4);
    dt_path(&ix, dt_find(&ix, "/a/b/c"), &out);
    assert_string_equal(text, "/a/");
    assert_true(out.cut);
    free(blob);
}

static void test_properties(void **state)
{
    void *const blob = index_of(shape_source);
    const uint32_t uart = dt_find(&ix, "/soc/uart@100");
    struct dt_value v = { NULL, 99 };
    uint32_t number = 77;
    const char *text = "before";

    (void)state;
    assert_false(dt_get(&ix, uart, "none", &v));
    assert_int_equal(v.bytes, 99);
    assert_true(dt_get(&ix, uart, "e", &v));
    assert_int_equal(v.bytes, 0);
    assert_false(dt_get_u32(&ix, uart, "s", &number));
    assert_false(dt_get_u32(&ix, uart, "reg", &number));
    assert_int_equal(number, 77);
    assert_true(dt_get_u32(&ix, uart, "n", &number));
    assert_int_equal(number, 5);
    assert_false(dt_get_string(&ix, uart, "compatible", &text));
    assert_false(dt_get_string(&ix, uart, "n", &text));
    assert_false(dt_get_string(&ix, uart, "e", &text));
    assert_string_equal(text, "before");
    assert_true(dt_get_string(&ix, uart, "s", &text));
    assert_string_equal(text, "text");
    assert_true(dt_compatible(&ix, uart, "one"));
    assert_true(dt_compatible(&ix, uart, "two"));
    assert_false(dt_compatible(&ix, uart, "on"));
    assert_false(dt_compatible(&ix, uart, "ones"));
    assert_false(dt_compatible(&ix, uart, ""));
    assert_true(dt_get(&ix, uart, "compatible", &v));
    assert_int_equal(dt_string_index(&v, "two"), 1);
    assert_int_equal(dt_string_index(&v, "three"), DT_NONE);
    assert_true(dt_enabled(&ix, uart));
    assert_true(dt_enabled(&ix, dt_find(&ix, "/soc/other")));
    assert_false(dt_enabled(&ix, dt_find(&ix, "/a/d@2/e")));
    assert_int_equal(dt_address_cells(&ix, uart), 2);
    assert_int_equal(dt_size_cells(&ix, uart), 1);
    assert_true(dt_get(&ix, dt_find(&ix, "/a/d@1"), "x", &v));
    assert_int_equal(dt_cells(&v, 0, 2), 0x100000002);
    free(blob);
}

static void test_registers(void **state)
{
    void *const blob = index_of(shape_source);
    const uint32_t uart = dt_find(&ix, "/soc/uart@100");
    struct range r = { 1, 1 };

    (void)state;
    assert_int_equal(dt_reg_count(&ix, uart), 3);
    assert_int_equal(dt_reg_count(&ix, dt_find(&ix, "/soc/other")), 0);
    assert_int_equal(dt_reg_count(&ix, DT_ROOT), 0);
    assert_true(dt_reg(&ix, uart, 1, &r));
    assert_int_equal(r.base, 0x10080);
    assert_false(dt_reg(&ix, uart, 3, &r));
    assert_true(dt_reg_host(&ix, uart, 0, &r));
    assert_int_equal(r.base, 0x80000100);
    assert_int_equal(r.bytes, 0x10);
    assert_true(dt_reg_host(&ix, uart, 1, &r));
    assert_int_equal(r.base, 0x100000080);
    assert_false(dt_reg_host(&ix, uart, 2, &r)); /* in no range of the bus */
    assert_int_equal(r.base, 0x100000080);
    assert_true(dt_reg_host(&ix, dt_find(&ix, "/soc/bus/dev"), 0, &r)); /* empty ranges: the same addresses */
    assert_int_equal(r.base, 0x80000040);
    assert_false(dt_reg_host(&ix, dt_find(&ix, "/soc/hidden/chip"), 0, &r)); /* no ranges: not mapped */
    free(blob);
}

static void test_interrupts(void **state)
{
    void *const blob = index_of(shape_source);
    const uint32_t uart = dt_find(&ix, "/soc/uart@100");
    const uint32_t other = dt_find(&ix, "/soc/other");
    struct dt_irq irq;

    (void)state;
    assert_true(dt_irq(&ix, uart, 1, &irq));
    assert_int_equal(irq.controller, dt_find(&ix, "/pic"));
    assert_int_equal(irq.nr_cells, 2);
    assert_int_equal(irq.cell[0], 3);
    assert_int_equal(irq.cell[1], 4);
    assert_false(dt_irq(&ix, uart, 2, &irq));
    assert_true(dt_irq(&ix, other, 0, &irq));
    assert_int_equal(irq.controller, dt_find(&ix, "/wide"));
    assert_int_equal(irq.cell[2], 3);
    assert_true(dt_irq(&ix, other, 1, &irq));
    assert_int_equal(irq.cell[1], 9);
    assert_false(dt_irq(&ix, other, 2, &irq)); /* a cell is missing */
    assert_false(dt_irq(&ix, other, 3, &irq));
    assert_false(dt_irq(&ix, dt_find(&ix, "/a"), 0, &irq));
    free(blob);
}

static void bad_phandle(const char *source, const char *expected)
{
    size_t bytes = 0;
    void *const blob = tree_compile(source, &bytes);

    said_init(&said);
    assert_int_equal(config_index_make(&ix, blob, bytes, &said.report), HV_CORRUPT);
    assert_string_equal(said.text, expected);
    free(blob);
}

static void test_phandles(void **state)
{
    (void)state;
    bad_phandle("/dts-v1/; / { a { phandle = <3>; }; b { phandle = <3>; }; };",
                "/b: phandle: found 3, expected a number that no other node has\n");
    bad_phandle("/dts-v1/; / { a { phandle = <0>; }; };",
                "/a: phandle: found 0, expected one cell, neither 0 nor 0xffffffff\n");
    bad_phandle("/dts-v1/; / { a { phandle = <1 2>; }; };",
                "/a: phandle: found <0x1 0x2>, expected one cell, neither 0 nor 0xffffffff\n");
    bad_phandle("/dts-v1/; / { a { phandle = <1>; linux,phandle = <2>; }; };",
                "/a: linux,phandle: found 2, expected a number that no other node has\n");
    free(index_of("/dts-v1/; / { a { phandle = <1>; linux,phandle = <1>; }; };"));
    assert_int_equal(dt_by_phandle(&ix, 1), 1);
}

/* Numbers whose hashes collide must all be found. */
static void test_phandle_table(void **state)
{
    char *const source = calloc(1, 1u << 20u);
    void *blob;

    (void)state;
    (void)strcpy(source, "/dts-v1/; / {");
    for (uint32_t i = 1; i < 2000u; i++) {
        (void)sprintf(source + strlen(source), " n%u { phandle = <%u>; };", i, i * 4096u);
    }
    (void)strcat(source, " };");
    blob = index_of(source);
    for (uint32_t i = 1; i < 2000u; i++) {
        assert_int_equal(dt_by_phandle(&ix, i * 4096u), i);
        assert_int_equal(dt_by_phandle(&ix, (i * 4096u) + 1u), DT_NONE);
    }
    free(blob);
    free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),     cmocka_unit_test(test_properties),
        cmocka_unit_test(test_registers), cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_phandles),  cmocka_unit_test(test_phandle_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
