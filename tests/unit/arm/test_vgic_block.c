/* Whether a vCPU may block, and whom SGIs wake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "fake_arm.h"

static int setup(void **state)
{
    (void)state;
    fake_machine(3, 4, 64);
    fake_load(0, 0);
    guest_open();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_machine_down();
    return 0;
}

/* A vCPU that is about to block has an SGI on its way to it: it must not, though the list register of the one
 * before it is still taken, and memory says active. */
static void sgi_before_blocking(void **state)
{
    (void)state;
    fake_load(1, 1);
    guest_open();
    for (uint32_t n = 0; n < 3; n++) {
        fake_on(0);
        guest_sgi((5u << 24) | 2);
        fake_on(1);
        assert_true(hal_vcpu_irq_pending(&fake_vcpu[1])); /* the IPI has not come yet */
        fake_run_ipis();
        fake_on(1);
        assert_int_equal(guest_ack(), 5);
        guest_eoi(5);
        assert_false(hal_vcpu_irq_pending(&fake_vcpu[1]));
    }
}

/* The same SGI again and again tells its target once, until that took it; nothing gets lost by that.
 * [test->req~sgi-storms~1] */
static void sgi_storm(void **state)
{
    (void)state;
    fake_load(1, 1);
    guest_open();
    for (uint32_t round = 1; round < 4u; round++) {
        fake_on(0);
        fake_run_ipis();
        (void)memset(fake_seen.kicks, 0, sizeof(fake_seen.kicks));
        for (uint32_t n = 0; n < 1000u; n++) {
            guest_sgi((5u << 24) | 2);
            guest_sgi((5u << 24) | 4); /* vCPU 2 is nowhere: nobody takes it */
        }
        assert_int_equal(fake_seen.kicks[1], 1);
        assert_int_equal(fake_seen.kicks[2], (round == 1u) ? 1 : 0);
        guest_sgi((6u << 24) | 2);
        assert_int_equal(fake_seen.kicks[1], 2);
        fake_run_ipis();
        fake_on(1);
        for (uint32_t n = 5; n < 7u; n++) {
            assert_int_equal(guest_ack(), n);
            guest_eoi(n);
        }
        assert_int_equal(guest_ack(), GUEST_NOTHING);
    }
    fake_on(1);
    fake_save(1);
    fake_load(1, 2);
    guest_open();
    assert_int_equal(guest_ack(), 5);
    guest_eoi(5);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sgi_before_blocking, setup, teardown),
        cmocka_unit_test_setup_teardown(sgi_storm, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
