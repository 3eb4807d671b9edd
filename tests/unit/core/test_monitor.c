/* What a monitor hears of other domains, and that nobody else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/domain.h"
#include "hal/upcall.h"

static struct plan_domain plans[2] = { { .domid = 1u, .monitor = true }, { .domid = 2u } };
static struct domain watcher = { .id = 1u, .plan = &plans[0], .state = DOMAIN_RUNNING };
static struct domain worker = { .id = 2u, .plan = &plans[1], .state = DOMAIN_RUNNING };

static void tables(void)
{
    domain_table[0] = &watcher;
    domain_table[1] = &worker;
    domain_count = 2u;
}

/* [test->req~monitor-calls~1] */
static void a_monitor_sees(void **state)
{
    struct hal_domain_status out = { 0 };

    (void)state;
    tables();
    assert_int_equal(upcall_domain_status(&watcher.hal, 2u, &out), HV_OK);
    assert_true((out.state == 2u) && (out.nr_restarts == 0u) && (out.progress == 0u));
    upcall_domain_report(&worker.hal, 0xFEDCBA9876543210ULL);
    worker.state = DOMAIN_CRASHED;
    worker.nr_restarts = 3u;
    assert_int_equal(upcall_domain_status(&watcher.hal, 2u, &out), HV_OK);
    assert_true((out.state == 5u) && (out.nr_restarts == 3u) && (out.progress == 0xFEDCBA9876543210ULL));
    assert_int_equal(upcall_domain_status(&watcher.hal, 1u, &out), HV_OK); /* itself */
    assert_true((out.state == 2u) && (out.progress == 0u));
}

static void nobody_else(void **state)
{
    struct hal_domain_status out = { .state = 77u };

    (void)state;
    tables();
    assert_int_equal(upcall_domain_status(&worker.hal, 1u, &out), HV_DENIED);
    assert_int_equal(upcall_domain_status(&worker.hal, 2u, &out), HV_DENIED); /* not even itself */
    assert_int_equal(upcall_domain_status(&worker.hal, 9u, &out), HV_DENIED); /* nor who is there */
    assert_int_equal(upcall_domain_status(&watcher.hal, 0u, &out), HV_NOT_FOUND);
    assert_int_equal(upcall_domain_status(&watcher.hal, 3u, &out), HV_NOT_FOUND);
    assert_int_equal(upcall_domain_status(&watcher.hal, 0x100000002ULL, &out), HV_NOT_FOUND);
    assert_int_equal(upcall_domain_status(&watcher.hal, ~0ULL, &out), HV_NOT_FOUND);
    assert_int_equal(out.state, 77u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_monitor_sees),
        cmocka_unit_test(nobody_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
