/* The operator's prompt: typed at, and its answers read. */
#include "machine.h"

#include <string.h>

#include "base/log.h"
#include "base/percpu.h"
#include "operator/operator.h"
#include "operator/operator_command.h"

static struct plan plan;
static struct domain *domain[2];
static char typed[256];
static uint32_t typed_at;

static bool uart_get(void *device, uint8_t *c)
{
    (void)device;
    if (typed[typed_at] == '\0') {
        return false;
    }
    *c = (uint8_t)typed[typed_at];
    typed_at++;
    return true;
}

static char shown[16384];
static uint32_t shown_len;

static bool uart_put(void *device, uint8_t c)
{
    (void)device;
    if (shown_len < (sizeof(shown) - 1u)) {
        shown[shown_len] = (char)c;
        shown_len++;
        shown[shown_len] = '\0';
    }
    return true;
}

static void type(const char *text)
{
    shown_len = 0u;
    shown[0] = '\0';
    (void)strcpy(typed, text);
    typed_at = 0u;
    while (console_service()) {
        /* at most 16 bytes a call */
    }
    (void)machine_work_run();
}

static void expect(const char *text)
{
    if (strstr(shown, text) == NULL) {
        fail_msg("not shown: %s\nshown: %s", text, shown);
    }
}

static int setup(void **state)
{
    static const struct console_uart uart = { uart_put, uart_get, NULL, NULL, NULL, false };

    (void)machine_setup(state);
    console_set_uart(&uart);
    plan.nr_cpus = 1u;
    plan.nr_domains = 2u;
    for (uint32_t i = 0; i < 2u; i++) {
        struct plan_domain *const d = &plan.domain[i];

        (void)strcpy(d->name, (i == 0u) ? "domU1" : "domU2");
        d->domid = (domid_t)(i + 1u);
        d->memory_bytes = 128ULL << 20u;
        d->pool_bytes = 65536u;
        d->nr_vcpus = i + 1u;
        d->vpl011 = true;
    }
    assert_int_equal(build_setup(&plan), HV_OK);
    assert_int_equal(operator_start(), HV_OK);
    /* registered later, yet the operator stays behind them */
    assert_int_equal(build_prepare(&plan.domain[0], &domain[0]), HV_OK);
    assert_int_equal(build_prepare(&plan.domain[1], &domain[1]), HV_OK);
    type("\x01\x01\x01");
    while (strstr(shown, "bulkhead> ") == NULL) {
        type("\x01\x01\x01");
    }
    return 0;
}

static int reset(void **state)
{
    (void)state;
    (void)memset(&machine, 0, sizeof(machine));
    domain[0]->state = DOMAIN_RUNNING;
    domain[0]->paused = false;
    domain[1]->state = DOMAIN_STOPPED;
    domain[1]->nr_faults = 17u;
    domain[0]->pool.nr_pages = 10u;
    domain[0]->pool.nr_free = 7u;
    return 0;
}

static void test_help(void **state)
{
    (void)state;
    type("help\r");
    expect("list      all domains");
    expect("poweroff");
    expect("\r\nbulkhead> ");
}

static void test_list(void **state)
{
    (void)state;
    type("list\r");
    expect("name                       id  state     vCPUs     MiB    CPU ms restarts  faults  pages\r\n"
           "domU1                       1  running       1     128         5        0       0      3\r\n");
    expect("domU2                       2  stopped       2     128         0        0      17      0\r\n");
}

static void test_pause_resume(void **state)
{
    (void)state;
    type("pause domU1\r");
    assert_int_equal(machine.nr_paused, 1u);
    assert_true(domain[0]->paused);
    type("pause domU1\r");
    expect("it does not run");
    assert_int_equal(machine.nr_paused, 1u);
    type("list\r");
    expect("  paused ");
    type("resume domU1\r");
    assert_int_equal(machine.nr_unpaused, 1u);
    type("resume domU1\r");
    expect("it is not paused");
    type("pause domU2\r");
    expect("it does not run");
}

static void test_stop(void **state)
{
    (void)state;
    domain[0]->paused = true;
    type("stop domU1\r");
    assert_int_equal(domain[0]->state, DOMAIN_STOPPING);
    assert_non_null(machine.queued);
    machine.queued = NULL;
    type("stop domU1\r"); /* it may be about to restart: the operator's word counts */
    assert_null(strstr(shown, "it does not run"));
    assert_null(machine.queued);
    type("stop domU2\r");
    expect("it does not run");
}

static void test_restart(void **state)
{
    (void)state;
    type("restart domU1\r");
    assert_int_equal(domain[0]->state, DOMAIN_STOPPING);
    assert_non_null(machine.queued);
    machine.queued = NULL;
    type("restart domU2\r"); /* is down: built from nothing */
    assert_int_equal(domain[1]->state, DOMAIN_BUILDING);
    assert_int_equal(domain[1]->nr_restarts, 1u);
    assert_non_null(machine.queued);
    machine.queued = NULL;
    type("restart domU2\r"); /* is being built as it is */
    assert_null(machine.queued);
    domain[1]->nr_restarts = 0u;
    domain[1]->state = DOMAIN_FAILED;
    plan.domain[1].unsound = true;
    type("restart domU2\r");
    expect("it cannot be built");
    plan.domain[1].unsound = false;
    domain[1]->state = DOMAIN_NEW;
    type("restart domU2\r"); /* boot has not come to it */
    expect("it cannot be built");
    assert_null(machine.queued);
}

static void test_nonsense(void **state)
{
    (void)state;
    type("\r");
    expect("bulkhead> ");
    type("  \r");
    type("frobnicate\r");
    expect("no such command; help lists them");
    type("stop\r");
    expect("which domain?");
    type("stop domU3\r");
    expect("which domain?");
    type("  pause   domU1   and more \r");
    assert_int_equal(machine.nr_paused, 1u);
}

static void test_editing(void **state)
{
    (void)state;
    type("hellp");
    expect("hellp");
    type("\x7f\x08");
    expect("\b \b\b \b");
    type("p\r\n");
    expect("list      all domains");
    assert_int_equal(typed_at, 3u);
    type("\x7f\x7f\x7f"); /* nothing left to take back */
    assert_string_equal(shown, "");
    /* too long a line: cut, no harm */
    for (uint32_t i = 0; i < 30u; i++) {
        type("xxxxxxxxxx");
    }
    type("\r");
    expect("no such command");
    /* control characters and bytes above ASCII */
    type("\x02\x1b\xff\x80\r");
    expect("no such command");
}

static void test_busy(void **state)
{
    (void)state;
    shown_len = 0u;
    (void)strcpy(typed, "help\rlist\r");
    typed_at = 0u;
    (void)console_service();
    assert_true(machine_work_run());
    assert_false(machine_work_run());
    expect("poweroff");
    assert_null(strstr(shown, "domU1 "));
    type("list\r");
    expect("domU1 ");
}

static void test_log_and_console(void **state)
{
    (void)state;
    log_line("something %s", "happened");
    console_write(&domain[1]->console, "said long ago\nunfinished", 24u);
    type("log\r");
    expect("something happened\r\n");
    type("console domU2\r");
    expect("said long ago\r\nunfinished\r\nbulkhead> ");
    type("console domU1\r");
    expect("bulkhead> ");
}

/* [test->req~fault-log~1] */
static void test_faults(void **state)
{
    const struct domain_fault fault = { .what = "read", .cause = 0x93C08006u, .address = 0x100u, .vcpu = 3u };

    (void)state;
    type("faults domU2\r");
    expect("vCPU    count  what\r\nbulkhead> ");
    fake_time_advance(1234567890u);
    (void)domain_fault_note(domain[1], &fault);
    fake_time_advance(20000000000u - 1234567890u);
    for (uint32_t i = 0; i < 4u; i++) {
        (void)domain_fault_note(domain[1], &fault);
    }
    type("faults domU2\r");
    expect("      first       last  vCPU    count  what\r\n"
           "      1.234     20.000     3        5  read at 0x100, syndrome 0x93c08006\r\nbulkhead> ");
    type("faults\r");
    expect("which domain?");
}

static void test_panic(void **state)
{
    (void)state;
    type("panic 9\r");
    expect("there is no such CPU");
    type("panic 99999999999\r");
    expect("there is no such CPU");
    assert_true(fake_ipis_pending() == 0u);
    percpu_area[9].online = 1u;
    type("panic 9\r");
    assert_int_equal(fake_ipis_pending(), 1u << 9u);
    assert_int_equal(percpu_area[9].ipi_work, PERCPU_IPI_PANIC);
    percpu_area[9].online = 0u;
}

static void run_poweroff(void *arg)
{
    type(arg);
}

static void test_power(void **state)
{
    char off[] = "poweroff\r";
    char again[] = "reboot\r";

    (void)state;
    assert_int_equal(fake_call(run_poweroff, off), FAKE_END_OFF);
    assert_int_equal(fake_power_state(), FAKE_POWER_OFF);
    (void)again;
}

#define OPERATOR_TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPERATOR_TEST(test_help),         OPERATOR_TEST(test_list),
        OPERATOR_TEST(test_pause_resume), OPERATOR_TEST(test_stop),
        OPERATOR_TEST(test_nonsense),     OPERATOR_TEST(test_editing),
        OPERATOR_TEST(test_busy),         OPERATOR_TEST(test_log_and_console),
        OPERATOR_TEST(test_restart),      OPERATOR_TEST(test_faults),
        OPERATOR_TEST(test_panic),        OPERATOR_TEST(test_power),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
