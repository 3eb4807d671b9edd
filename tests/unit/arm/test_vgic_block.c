/* Whether a vCPU may block. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sgi_before_blocking, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
