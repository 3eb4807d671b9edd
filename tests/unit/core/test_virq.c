/* The rate of device interrupts into a domain. [test->req~irq-rate~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "hal/timer.h"
#include "hal/virq.h"
#include "virq/virq.h"

#define MS   1000000ULL
#define LINE 40u
#define MORE 47u

static struct plan_domain plan = { .name = "device" };
static struct domain domain;
static bool level[1020];
static uint32_t rises;
static uint32_t notes;

/* The product's would take a whole domain. */
void hal_virq_set_line(struct hal_domain *hal, uint32_t intid, bool to)
{
    assert_ptr_equal(hal, &domain.hal);
    if (intid < 1020u) {
        assert_true(!to || !level[intid]);
        rises += to ? 1u : 0u;
        level[intid] = to;
    }
}

void report_fault(struct domain *of, const struct domain_fault *fault)
{
    assert_ptr_equal(of, &domain);
    assert_true((fault->what != NULL) && (fault->cause == 0u) && fault->tell);
    notes++;
}

static int setup(void **state)
{
    (void)state;
    fake_reset();
    fake_cpu_set(0);
    memset(&domain, 0, sizeof(domain));
    memset(level, 0, sizeof(level));
    domain.plan = &plan;
    rises = 0;
    notes = 0;
    virq_setup(&domain);
    fake_time_advance(5 * MS);
    return 0;
}

static void pulse(uint32_t intid)
{
    virq_set_line(&domain, intid, true);
    virq_set_line(&domain, intid, false);
}

static void no_limit(void **state)
{
    (void)state;
    plan.max_irq_rate = 0u;
    for (uint32_t i = 0; i < 100000u; i++) {
        pulse(LINE);
    }
    assert_int_equal(rises, 100000u);
    assert_int_equal(fake_timer_deadline(0), TIME_NEVER);
}

/* A device whose line is up most of the time, and again at once when the guest served it. */
static uint32_t flood_second(uint32_t step_us)
{
    const uint32_t before = rises;

    for (uint64_t us = 0; us < 1000000u; us += step_us) {
        virq_set_line(&domain, LINE, false);
        virq_set_line(&domain, LINE, true);
        fake_time_advance(step_us * 1000ULL);
    }
    return rises - before;
}

static void bounded(void **state)
{
    static const uint32_t rate[] = { 1u, 3u, 9u, 100u, 1000u, 5000u };

    for (uint32_t i = 0; i < (sizeof(rate) / sizeof(rate[0])); i++) {
        uint32_t sum = 0;

        (void)setup(state);
        plan.max_irq_rate = rate[i];
        for (uint32_t s = 0; s < 4u; s++) {
            const uint32_t n = flood_second(50u);

            assert_true(n <= (rate[i] + (rate[i] / 10u) + 2u));
            sum += n;
        }
        assert_true(sum >= (rate[i] * 39u) / 10u); /* and what is allowed comes */
        assert_true(sum <= ((rate[i] * 41u) / 10u) + 2u);
        assert_true((notes >= 1u) && (notes <= 4u)); /* once a second */
    }
}

static void below_the_rate(void **state)
{
    (void)state;
    plan.max_irq_rate = 1000u;
    for (uint32_t i = 0; i < 5000u; i++) {
        pulse(LINE);
        fake_time_advance(MS + 1u);
    }
    assert_int_equal(rises, 5000);
    for (uint32_t i = 0; i < 100u; i++) { /* a burst of a tenth of a second's */
        pulse(LINE);
    }
    assert_int_equal(rises, 5100);
    assert_int_equal(notes, 0);
}

static void close_gate(void)
{
    while (fake_timer_deadline(0) == TIME_NEVER) {
        virq_set_line(&domain, LINE, false);
        virq_set_line(&domain, LINE, true);
    }
    assert_false(level[LINE]);
}

static void waits_and_comes(void **state)
{
    (void)state;
    plan.max_irq_rate = 100u;
    close_gate();
    virq_set_line(&domain, MORE, true);
    virq_set_line(&domain, 32u, true);
    virq_set_line(&domain, 1019u, true);
    assert_false(level[MORE] || level[32] || level[1019]);
    fake_time_advance(40 * MS);
    assert_false(level[LINE]);
    fake_time_advance(30 * MS);
    assert_true(level[LINE] && level[MORE] && level[32] && level[1019]);
    assert_int_equal(notes, 1);
    assert_int_equal(fake_timer_deadline(0), TIME_NEVER);
}

static void gone_meanwhile(void **state)
{
    (void)state;
    plan.max_irq_rate = 100u;
    close_gate();
    virq_set_line(&domain, MORE, true);
    virq_set_line(&domain, LINE, false);
    const uint32_t before = rises;

    fake_time_advance(200 * MS);
    assert_true(level[MORE] && !level[LINE]);
    assert_int_equal(rises, before + 1u);
    virq_set_line(&domain, MORE, false); /* a fall never waits */
    assert_false(level[MORE]);
}

/* The timer is on the CPU that met the closed gate first; others may set lines meanwhile. */
static void another_cpu(void **state)
{
    (void)state;
    plan.max_irq_rate = 100u;
    close_gate();
    fake_cpu_set(1);
    virq_set_line(&domain, MORE, true);
    assert_int_equal(fake_timer_deadline(1), TIME_NEVER);
    fake_time_advance(100 * MS);
    assert_true(level[MORE] && level[LINE]);
}

static void starts_anew(void **state)
{
    (void)state;
    plan.max_irq_rate = 100u;
    close_gate();
    virq_reset(&domain);
    const uint32_t before = rises;

    fake_time_advance(300 * MS);
    assert_int_equal(rises, before);
    virq_reset(&domain); /* twice is no harm */
    virq_set_line(&domain, MORE, true);
    assert_true(level[MORE]);
    assert_int_equal(notes, 0);
}

static void absent_lines(void **state)
{
    (void)state;
    plan.max_irq_rate = 1u;
    for (uint32_t i = 0; i < 100u; i++) {
        virq_set_line(&domain, 1024u, true);
        virq_set_line(&domain, 0u, true);
        virq_set_line(&domain, 0u, false);
        virq_set_line(&domain, UINT32_MAX, true);
    }
    assert_int_equal(fake_timer_deadline(0), TIME_NEVER); /* none was held, none reached beyond the set */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_limit, setup),       cmocka_unit_test_setup(bounded, setup),
        cmocka_unit_test_setup(below_the_rate, setup), cmocka_unit_test_setup(waits_and_comes, setup),
        cmocka_unit_test_setup(gone_meanwhile, setup), cmocka_unit_test_setup(another_cpu, setup),
        cmocka_unit_test_setup(starts_anew, setup),    cmocka_unit_test_setup(absent_lines, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
