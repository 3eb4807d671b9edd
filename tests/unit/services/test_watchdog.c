/* The emulated SBSA watchdog: its registers, and what its expiries do. [test->req~watchdog~1] */
#include "machine.h"

#include <libfdt.h>
#include <string.h>

#include "build/gtree.h"
#include "build/partition/build_pci.h"
#include "hal/timer.h"
#include "hal/upcall.h"

#define WRR      0x0000u
#define WCS      0x1000u
#define WOR      0x1008u
#define WOR_HIGH 0x100Cu
#define WCV      0x1010u
#define WCV_HIGH 0x1014u

#define EN  1u
#define WS0 2u
#define WS1 4u

#define MS       1000000ULL
#define MS_TICKS (MS / FAKE_TICK_NS)
#define INTID    48u
#define FOREVER  (1000ULL * 86400u * 1000u * MS)

static struct plan system_plan;
static struct plan_domain plan;
static struct build_slot slot;
static struct vcpu vcpu;

static void attach(void)
{
    struct domain *const domain = &slot.domain;
    const struct hal_domain_config config = { 1u, 32u, 1u, false };

    assert_int_equal(hal_domain_init(&domain->hal, &config), HV_OK);
    assert_int_equal(hal_vcpu_init(&vcpu.hal, &domain->hal, 0u), HV_OK);
    assert_int_equal(build_devices(domain), HV_OK);
    domain->state = DOMAIN_RUNNING;
    domain->paused = false;
    build_devices_begin(domain);
}

static void detach(void)
{
    build_devices_undo(&slot.domain);
    hal_domain_destroy(&slot.domain.hal);
}

static int reset(void **state)
{
    (void)state;
    fake_time_advance(5u * MS); /* the clock does not begin with the domain */
    fake_cpu_set(0u);
    (void)memset(&plan, 0, sizeof(plan));
    (void)memset(&slot, 0, sizeof(slot));
    (void)strcpy(plan.name, "domU1");
    plan.watchdog = true;
    slot.domain.plan = &plan;
    slot.domain.nr_vcpus = 1u;
    slot.domain.vcpu[0] = &vcpu;
    vcpu.domain = &slot.domain;
    spin_init(&slot.domain.lock, LOCK_DOMAIN);
    vpl011_setup(&slot.uart);
    watchdog_setup(&slot.watchdog);
    build_stop_setup(&slot);
    assert_int_equal(pool_init(&slot.domain.pool, 16u), HV_OK);
    machine.queued = NULL;
    assert_int_equal(build_pci_setup(&system_plan), HV_OK);
    attach();
    return 0;
}

static int take_down(void **state)
{
    (void)state;
    detach();
    return 0;
}

static bool try_read(uint64_t offset, uint32_t width, uint64_t *value)
{
    const struct mmio_window *const w = &slot.domain.window[0];

    return w->ops->read(w->device, &vcpu, offset, width, value);
}

static bool try_write(uint64_t offset, uint32_t width, uint64_t value)
{
    const struct mmio_window *const w = &slot.domain.window[0];

    return w->ops->write(w->device, &vcpu, offset, width, value);
}

static uint32_t rd(uint64_t offset)
{
    uint64_t value = ~0ULL;

    assert_true(try_read(offset, 4u, &value));
    assert_true(value <= UINT32_MAX);
    return (uint32_t)value;
}

static uint64_t rd64(uint64_t offset)
{
    uint64_t value = 0;

    assert_true(try_read(offset, 8u, &value));
    return value;
}

static void wr(uint64_t offset, uint32_t value)
{
    assert_true(try_write(offset, 4u, value));
}

static void wr64(uint64_t offset, uint64_t value)
{
    assert_true(try_write(offset, 8u, value));
}

static uint64_t counter(void)
{
    return hal_domain_counter(&slot.domain.hal);
}

static bool line(void)
{
    return fake_guest_line(&slot.domain.hal, INTID);
}

static bool bitten(void)
{
    return machine.queued == &slot.stop.work;
}

static void test_after_reset(void **state)
{
    (void)state;
    assert_int_equal(slot.domain.nr_windows, 1u);
    assert_int_equal(slot.domain.window[0].base.v, 0x22001000u);
    assert_int_equal(slot.domain.window[0].bytes, 0x2000u);
    assert_int_equal(rd(WCS), 0u);
    assert_int_equal(rd64(WOR), 0u);
    assert_int_equal(rd(WRR), 0u);
    assert_int_equal((rd(0x0FCCu) >> 16u) & 15u, 1u); /* revision 1 in both frames */
    assert_int_equal(rd(0x1FCCu), rd(0x0FCCu));
    for (uint64_t at = 0u; at < 0x2000u; at += 4u) {
        if (((at % 0x1000u) != 0xFCCu) && (at != WCV) && (at != WCV_HIGH)) {
            assert_int_equal(rd(at), 0u);
        }
    }
    fake_time_advance(FOREVER);
    assert_false(bitten());
}

/* Words and aligned pairs of them; nothing else, at no place. */
static void test_widths(void **state)
{
    uint64_t value;

    (void)state;
    for (uint64_t at = 0u; at < 0x2000u; at++) {
        for (uint32_t width = 1u; (width <= 8u) && ((at + width) <= 0x2000u); width *= 2u) {
            const bool good = (width >= 4u) && ((at % width) == 0u);

            assert_int_equal(try_read(at, width, &value), good);
            assert_int_equal(try_write(at, width, 0u), good);
        }
    }
}

static void test_two_expiries(void **state)
{
    uint64_t start;

    (void)state;
    wr(WOR, 20u * MS_TICKS);
    start = counter();
    wr(WCS, ~0u); /* only EN can be written */
    assert_int_equal(rd(WCS), EN);
    assert_true(rd64(WCV) == (start + (20u * MS_TICKS)));
    fake_time_advance((20u * MS) - FAKE_TICK_NS);
    assert_int_equal(rd(WCS), EN);
    assert_false(line());
    fake_time_advance(FAKE_TICK_NS);
    assert_int_equal(rd(WCS), EN | WS0);
    assert_true(line());
    assert_true(rd64(WCV) == (start + (40u * MS_TICKS)));
    fake_time_advance((20u * MS) - FAKE_TICK_NS);
    assert_int_equal(rd(WCS), EN | WS0);
    assert_false(bitten());
    fake_time_advance(FAKE_TICK_NS);
    assert_int_equal(rd(WCS), EN | WS0 | WS1);
    assert_true(line());
    assert_true(bitten());
    assert_int_equal(slot.domain.state, DOMAIN_STOPPING);
    assert_int_equal(slot.domain.power_request, HAL_DOMAIN_WATCHDOG);
    assert_string_equal(slot.domain.power_reason, "watchdog");
    machine.queued = NULL;
    fake_time_advance(FOREVER); /* once is enough */
    assert_false(bitten());
}

/* Writes to WRR, WCS and both halves of WOR are refreshes; nothing else is. */
static void test_refresh(void **state)
{
    static const uint32_t refreshes[] = { WRR, WCS, WOR, WOR_HIGH };

    (void)state;
    for (uint32_t i = 0u; i < 4u; i++) {
        const uint32_t value = (refreshes[i] == WOR) ? (uint32_t)(20u * MS_TICKS) : 0u;

        wr(WOR, 20u * MS_TICKS);
        wr(WCS, EN);
        fake_time_advance(39u * MS);
        assert_int_equal(rd(WCS), EN | WS0);
        wr(refreshes[i], (refreshes[i] == WCS) ? EN : value);
        assert_int_equal(rd(WCS), EN);
        assert_false(line());
        assert_true(rd64(WCV) == (counter() + (20u * MS_TICKS)));
        fake_time_advance(39u * MS);
        assert_int_equal(rd(WCS), EN | WS0);
        assert_false(bitten());
    }
    for (uint64_t at = 0u; at < 0x2000u; at += 4u) { /* too late by now, did any of these count */
        if ((at != WRR) && (at != WCS) && (at != WOR) && (at != WOR_HIGH) && (at != WCV) &&
            (at != WCV_HIGH)) {
            wr(at, ~0u);
        }
    }
    (void)rd(WRR);
    assert_int_equal(rd(WCS), EN | WS0);
    fake_time_advance(MS);
    assert_true(bitten());
}

static void test_disable(void **state)
{
    (void)state;
    wr(WOR, 20u * MS_TICKS);
    wr(WCS, EN);
    fake_time_advance(30u * MS);
    assert_true(line());
    wr(WCS, 0u);
    assert_false(line());
    assert_int_equal(rd(WCS), 0u);
    fake_time_advance(FOREVER);
    assert_int_equal(rd(WCS), 0u);
    wr(WRR, 0u); /* nor does a refresh start it */
    fake_time_advance(FOREVER);
    assert_int_equal(rd(WCS), 0u);
    assert_false(bitten());
}

static void test_wide_registers(void **state)
{
    (void)state;
    wr64(WOR, ~0ULL);
    assert_true(rd64(WOR) == 0x0000FFFFFFFFFFFFULL);
    assert_int_equal(rd(WOR_HIGH), 0xFFFFu);
    wr(WOR, 0x12345678u);
    assert_true(rd64(WOR) == 0x0000FFFF12345678ULL);
    wr(WOR_HIGH, 0xABCD0001u);
    assert_true(rd64(WOR) == 0x0000000112345678ULL);
    assert_true(rd64(WCV) == (counter() + 0x112345678ULL));
    wr64(WCV, 0x1122334455667788ULL);
    assert_true(rd64(WCV) == 0x1122334455667788ULL);
    wr(WCV_HIGH, 0x99AABBCCu);
    wr(WCV, 0xDDEEFF00u);
    assert_true(rd64(WCV) == 0x99AABBCCDDEEFF00ULL);
    assert_int_equal(rd(WCV), 0xDDEEFF00u);
    assert_int_equal(rd(WCV_HIGH), 0x99AABBCCu);
    wr64(WCS, 0xFFFFFFFF00000001ULL); /* and what follows it */
    assert_true(rd64(WCS) == EN);
    wr64(WRR, ~0ULL);
    assert_true(rd64(WRR) == 0u);
}

/* WCV written by the guest is the next expiry and no refresh. */
static void test_compare(void **state)
{
    (void)state;
    wr(WOR, 20u * MS_TICKS);
    wr(WCS, EN);
    wr64(WCV, counter() + (5u * MS_TICKS));
    fake_time_advance(5u * MS);
    assert_int_equal(rd(WCS), EN | WS0);
    wr64(WCV, ~0ULL);
    fake_time_advance(FOREVER);
    assert_int_equal(rd(WCS), EN | WS0);
    wr64(WCV, 0u); /* past */
    fake_time_advance(MS);
    assert_true(bitten());
}

/* Whatever stands in the registers, nothing overflows, and interrupts keep their distance. */
static void test_extremes(void **state)
{
    uint64_t taken;

    (void)state;
    wr64(WOR, ~0ULL);
    wr(WCS, EN);
    assert_true(fake_timer_deadline(0u) > (86400ULL * 1000u * MS));
    fake_time_advance(86400ULL * 1000u * MS);
    assert_int_equal(rd(WCS), EN);
    fake_time_advance(0xFFFFFFFFFFFFULL * FAKE_TICK_NS);
    assert_int_equal(rd(WCS), EN | WS0);
    assert_false(bitten());
    taken = fake_timers_taken();
    wr64(WOR, 0u);
    for (uint32_t i = 0u; i < 10000u; i++) { /* 100 ms of it */
        fake_time_advance(MS / 100u);
        wr(WRR, 0u);
    }
    assert_false(bitten());
    assert_in_range(fake_timers_taken() - taken, 50u, 110u);
    fake_time_advance(2u * MS);
    assert_true(bitten());
    taken = fake_timers_taken();
    fake_time_advance(FOREVER);
    assert_int_equal(fake_timers_taken() - taken, 0u);
}

/* Writes that are no refresh do not put the end off either. */
static void test_no_delay(void **state)
{
    (void)state;
    wr(WOR, 10u * MS_TICKS);
    wr(WCS, EN);
    for (uint32_t i = 0u; i < 210u; i++) {
        fake_time_advance(MS / 10u);
        wr(0x1020u, 1u);
    }
    assert_true(bitten());
}

/* The operator's pause is not the domain's fault, not even if it comes late. */
static void test_paused(void **state)
{
    (void)state;
    wr(WOR, 20u * MS_TICKS);
    wr(WCS, EN);
    fake_time_advance(39u * MS);
    assert_int_equal(rd(WCS), EN | WS0);
    slot.domain.paused = true;
    fake_time_advance(1009u * MS);
    assert_false(bitten());
    build_devices_begin(&slot.domain);
    slot.domain.paused = false;
    assert_int_equal(rd(WCS), EN | WS0); /* the interrupt was its own */
    fake_time_advance((20u * MS) - FAKE_TICK_NS);
    assert_false(bitten());
    fake_time_advance(FAKE_TICK_NS);
    assert_true(bitten());
}

/* bulkhead,watchdog-ms: it runs from the start, until the guest takes it over, and again after a restart. */
static void test_from_the_start(void **state)
{
    (void)state;
    plan.watchdog_ms = 100u;
    for (uint32_t i = 0u; i < 3u; i++) {
        detach();
        fake_time_advance(77u * MS); /* building takes its time */
        attach();
        assert_int_equal(rd(WCS), EN);
        assert_true(rd64(WOR) == (50u * MS_TICKS));
        assert_false(line());
        fake_time_advance((100u * MS) - FAKE_TICK_NS);
        assert_int_equal(rd(WCS), EN | WS0);
        assert_false(bitten());
        fake_time_advance(FAKE_TICK_NS);
        assert_true(bitten());
        machine.queued = NULL;
    }
    detach();
    plan.watchdog_ms = UINT32_MAX;
    attach();
    assert_true(rd64(WOR) == ((UINT32_MAX * MS) / 2u / FAKE_TICK_NS));
    wr64(WOR, 10u * MS_TICKS);
    fake_time_advance(20u * MS);
    assert_true(bitten());
}

static void test_without(void **state)
{
    (void)state;
    detach();
    plan.watchdog = false;
    attach();
    assert_int_equal(slot.domain.nr_windows, 0u);
    fake_time_advance(FOREVER);
    assert_false(bitten());
}

/* Armed on one CPU, refreshed and detached on others. */
static void test_cpus(void **state)
{
    (void)state;
    fake_cpu_set(1u);
    wr(WOR, 20u * MS_TICKS);
    wr(WCS, EN);
    assert_int_equal(slot.watchdog.timer.cpu, 1u);
    fake_time_advance(15u * MS);
    fake_cpu_set(2u);
    wr(WRR, 0u);
    assert_int_equal(slot.watchdog.timer.cpu, 2u);
    fake_time_advance(15u * MS); /* CPU 1's hardware came for nothing */
    assert_int_equal(rd(WCS), EN);
    slot.watchdog.timer.fire(&slot.watchdog.timer); /* was on its way when the refresh came */
    assert_int_equal(rd(WCS), EN);
    fake_time_advance(5u * MS);
    assert_int_equal(rd(WCS), EN | WS0);
    fake_cpu_set(0u);
    detach();
    assert_int_equal(slot.watchdog.timer.cpu, TIMER_UNARMED);
    slot.watchdog.timer.fire(&slot.watchdog.timer); /* likewise */
    fake_time_advance(FOREVER);
    assert_false(bitten());
    attach();
    assert_int_equal(rd(WCS), 0u);
    assert_true(rd64(WOR) == 0u);
}

static void test_tree(void **state)
{
    static const uint64_t frames[] = { 0x22002000u, 0x1000u, 0x22001000u, 0x1000u }; /* control, refresh */
    static const uint32_t irq[] = { 0u, 16u, 4u };
    static uint8_t fdt[8192];
    const struct gtree_input in = { .domain = &slot.domain };
    const uint32_t ms[] = { 0u, 999u, 2500u };

    (void)state;
    plan.bootargs = "";
    for (uint32_t i = 0u; i < 3u; i++) {
        uint32_t bytes = 0u;
        int n = 0;

        plan.watchdog_ms = ms[i];
        assert_int_equal(gtree_write(&in, fdt, sizeof(fdt), &bytes), HV_OK);
        const int node = fdt_path_offset(fdt, "/watchdog@22002000");
        const fdt64_t *const reg = fdt_getprop(fdt, node, "reg", &n);

        assert_int_equal(fdt_node_check_compatible(fdt, node, "arm,sbsa-gwdt"), 0);
        assert_int_equal(n, sizeof(frames));
        for (uint32_t r = 0u; r < 4u; r++) {
            assert_true(fdt64_ld(&reg[r]) == frames[r]);
        }
        const fdt32_t *const cells = fdt_getprop(fdt, node, "interrupts", &n);

        assert_int_equal(n, sizeof(irq));
        for (uint32_t r = 0u; r < 3u; r++) {
            assert_int_equal(fdt32_ld(&cells[r]), irq[r]);
        }
        const fdt32_t *const seconds = fdt_getprop(fdt, node, "timeout-sec", &n);

        assert_int_equal((seconds != NULL) ? fdt32_ld(seconds) : 0u, ms[i] / 1000u);
    }
    plan.watchdog = false;
    uint32_t bytes = 0u;
    assert_int_equal(gtree_write(&in, fdt, sizeof(fdt), &bytes), HV_OK);
    assert_true(fdt_path_offset(fdt, "/watchdog@22002000") < 0);
}

#define WATCHDOG_TEST(f) cmocka_unit_test_setup_teardown(f, reset, take_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WATCHDOG_TEST(test_after_reset),    WATCHDOG_TEST(test_widths),
        WATCHDOG_TEST(test_two_expiries),   WATCHDOG_TEST(test_refresh),
        WATCHDOG_TEST(test_disable),        WATCHDOG_TEST(test_wide_registers),
        WATCHDOG_TEST(test_compare),        WATCHDOG_TEST(test_extremes),
        WATCHDOG_TEST(test_no_delay),       WATCHDOG_TEST(test_paused),
        WATCHDOG_TEST(test_from_the_start), WATCHDOG_TEST(test_without),
        WATCHDOG_TEST(test_cpus),           WATCHDOG_TEST(test_tree),
    };

    return cmocka_run_group_tests_name("watchdog", tests, machine_setup, NULL);
}
