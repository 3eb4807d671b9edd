/* An emulated interrupt controller at the host's addresses: several regions of redistributors, far apart.
 * [test->req~direct-map~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_arm.h"
#include "hal/vplat.h"

#define FIRST  0x2000000ULL    /* two redistributors, and room that makes no third */
#define SECOND 0x4000000000ULL /* the rest */
#define STRIDE 0x40000ULL
#define DIST   0x1000000ULL
#define LAST   0x10u

static char text[4096];

static void put(const char *format, uint64_t value)
{
    (void)snprintf(&text[strlen(text)], sizeof(text) - strlen(text), format, value);
}

static void tree_begin(void *ctx, const char *name)
{
    (void)ctx;
    (void)snprintf(&text[strlen(text)], sizeof(text) - strlen(text), "%s{", name);
}

static void tree_prop(void *ctx, const char *name, const void *value, uint32_t bytes)
{
    (void)ctx;
    (void)snprintf(&text[strlen(text)], sizeof(text) - strlen(text), "%s=", name);
    for (uint32_t i = 0; i < bytes; i++) {
        put("%02jx", ((const uint8_t *)value)[i]);
    }
    put(";", 0);
}

static void tree_end(void *ctx)
{
    (void)ctx;
    put("}", 0);
}

static int setup(void **state)
{
    struct arm_plan_host host = { .gic_version = 3u,
                                  .gicd = { DIST, 0x20000 },
                                  .gicr = { { FIRST, 2u * STRIDE + 0x20000u }, { SECOND, 0x100000 } },
                                  .nr_gicr = 2,
                                  .gicr_stride = STRIDE };

    (void)state;
    fake_machine(3, 4, 32);
    assert_int_equal(arm_plan_gic_map(&host, true, 4u, &fake_domain.arm.gic), 6);
    fake_load(0, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_machine_down();
    return 0;
}

static uint32_t frame_typer(uint64_t frame)
{
    assert_int_equal(guest_read(frame + 0xFFE8u, 4) & 0xF0u, 0x30u);
    return (uint32_t)guest_read(frame + 8u, 4);
}

/* Each region is walked up to its last redistributor. */
static void test_frames(void **state)
{
    (void)state;
    assert_int_equal(frame_typer(FIRST) & LAST, 0);
    assert_int_equal(frame_typer(FIRST + STRIDE) & LAST, LAST);
    assert_int_equal(frame_typer(SECOND) & LAST, 0);
    assert_int_equal(frame_typer(SECOND + STRIDE) & LAST, LAST);
    for (uint32_t n = 0; n < 4u; n++) {
        const uint64_t frame = ((n < 2u) ? FIRST : SECOND) + ((n % 2u) * STRIDE);

        assert_int_equal(guest_read(frame + 12u, 4), n); /* affinity */
    }
    guest_write(FIRST + 0x10100u, 4, 1u << 20u); /* GICR_ISENABLER0 of vCPU 0 */
    assert_int_equal(guest_read(FIRST + 0x10100u, 4) & (1u << 20u), 1u << 20u);
}

static void test_elsewhere(void **state)
{
    static const uint64_t nobodys[] = { FIRST + 0x20000u, FIRST + 2u * STRIDE, SECOND + 2u * STRIDE,
                                        SECOND - 4u,      DIST + 0x10000u,     DIST - 4u,
                                        0x3001000u,       0x3020000u };
    uint64_t value = 0;

    (void)state;
    for (uint32_t i = 0; i < (sizeof(nobodys) / sizeof(nobodys[0])); i++) {
        assert_int_equal(guest_access(nobodys[i], 4, false, &value), HAL_INJECT_UNDEF);
    }
    assert_int_equal(guest_read(DIST + 4u, 4) & 0x1Fu, 1u); /* GICD_TYPER: 32 shared interrupts */
    assert_true(arm_vcpu_tells(&fake_vcpu[0], 4u, &value));
    assert_int_equal(value & 0x1Fu, 1u);
}

static void test_tree(void **state)
{
    const struct tree_sink tree = { .begin = tree_begin, .prop = tree_prop, .end = tree_end };

    (void)state;
    text[0] = '\0';
    hal_vplat_tree(&fake_domain, HAL_VPLAT_PHANDLE_INTC, false, &tree);
    assert_non_null(strstr(text, "interrupt-controller@1000000{"));
    assert_non_null(strstr(text, "#redistributor-regions=00000002;redistributor-stride=0000000000040000;"
                                 "reg=00000000010000000000000000010000"
                                 "000000000200000000000000000a0000"
                                 "00000040000000000000000000100000;"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_frames, setup, teardown),
        cmocka_unit_test_setup_teardown(test_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tree, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
