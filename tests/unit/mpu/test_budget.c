/* What a plan needs of a CPU's regions. [test->req~region-budget~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "config/plan.h"

static struct plan plan;
static struct hal_plan_region list[HAL_PLAN_REGIONS_MAX];

static void memory(uint64_t base, uint64_t bytes)
{
    plan.static_mem[plan.nr_static_mem] = (struct range){ base, bytes };
    plan.nr_static_mem++;
    plan.domain[plan.nr_domains - 1].nr_static++;
}

static void device(uint64_t base, uint64_t bytes)
{
    struct plan_window *const w = &plan.window[plan.nr_windows];

    w->domain = (uint8_t)(plan.nr_domains - 1);
    w->host = (struct range){ base, bytes };
    w->at = gpa(base);
    plan.nr_windows++;
}

static void domain(void)
{
    plan.domain[plan.nr_domains].static_first = plan.nr_static_mem;
    plan.nr_domains++;
}

static int begin(void **state)
{
    (void)state;
    memset(&plan, 0, sizeof(plan));
    domain();
    return 0;
}

static void neighbours_are_one(void **state)
{
    (void)state;
    memory(0x30000000, 0x100000);
    memory(0x30200000, 0x100000);
    assert_int_equal(hal_plan_regions(&plan, 0, list), 2);
    memory(0x30100000, 0x100000);
    assert_int_equal(hal_plan_regions(&plan, 0, list), 1);
    assert_int_equal(list[0].base, 0x30000000);
    assert_int_equal(list[0].last, 0x302FFFFF);
    assert_string_equal(list[0].what, "memory");
    device(0xE0202000, 0x1000);
    device(0xE0203000, 0x1000);
    device(0xE0205000, 0x1000);
    assert_int_equal(hal_plan_regions(&plan, 0, list), 3);
    assert_string_equal(list[2].what, "device");
}

static void shared_memory_is_apart(void **state)
{
    (void)state;
    memory(0x30000000, 0x100000);
    plan.shm_use[0] = (struct plan_shm_use){ .domain = 0, .at = gpa(0x30100000), .bytes = 0x1000 };
    plan.shm_use[1] = (struct plan_shm_use){ .domain = 1, .at = gpa(0x30100000), .bytes = 0x1000 };
    plan.nr_shm_uses = 2;
    assert_int_equal(hal_plan_regions(&plan, 0, list), 2);
    assert_string_equal(list[1].what, "shared memory");
    domain();
    memory(0x40000000, 0x100000);
    device(0xE0202000, 0x1000);
    assert_int_equal(hal_plan_regions(&plan, 0, list), 2);
    assert_int_equal(hal_plan_regions(&plan, 1, list), 3);
}

static void more_than_counted(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2 * HAL_PLAN_REGIONS_MAX; i++) {
        device(0xE0000000 + i * 0x2000ULL, 0x1000);
    }
    assert_int_equal(hal_plan_regions(&plan, 0, list), HAL_PLAN_REGIONS_MAX);
}

/* Six are left for a domain on a board like the mps3-an536 */
static void own(void **state)
{
    (void)state;
    plan.host.arm.gicd = (struct range){ 0xF0000000, 0x10000 };
    plan.host.arm.gicr[0] = (struct range){ 0xF0100000, 0x40000 };
    plan.host.arm.nr_gicr = 1;
    plan.console.kind = PLAN_CONSOLE_PL011;
    plan.console.base = hpa(0xE0205000);
    plan.console.bytes = 0x1000;
    assert_int_equal(hal_plan_regions_max(&plan), 16);
    assert_int_equal(hal_plan_regions(&plan, PLAN_NO_DOMAIN, list), 10);
    plan.log_keep = (struct range){ 0x50000000, 0x10000 };
    plan.domain[0].partial.bytes = 100;
    assert_int_equal(hal_plan_regions(&plan, PLAN_NO_DOMAIN, list), 12);
    assert_true(hal_plan_identity(&plan.host));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(neighbours_are_one, begin),
        cmocka_unit_test_setup(shared_memory_is_apart, begin),
        cmocka_unit_test_setup(more_than_counted, begin),
        cmocka_unit_test_setup(own, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
