/* CPUs: atomics, interrupt masking, clock, one-shot timer, interrupts between CPUs, contexts. */
#include "hal_suite.h"

#include "hal/context.h"
#include "hal/cpu.h"
#include "hal/irq.h"
#include "hal/sync.h"
#include "hal/timer.h"
#include "lib/bits.h"
#include "lib/crc32c.h"

#define MS    1000000ULL
#define ADDS  20000u
#define TRIES 1000u

static volatile uint32_t adds;
static struct hal_context other;
static uint8_t other_stack[SUITE_STACK_BYTES] __attribute__((aligned(16)));
static uint8_t second_stack[SUITE_STACK_BYTES] __attribute__((aligned(PAGE_BYTES)));
static volatile uint32_t other_runs;
static volatile bool other_was_open;
static volatile uint64_t other_argument;

static void atomics(void)
{
    volatile uint32_t a = 5u;
    volatile uint64_t b = 0xF0u;
    uint32_t old = 0u;

    CHECK(hal_fetch_add32(&a, 3u) == 5u);
    CHECK(hal_load_acquire32(&a) == 8u);
    CHECK(hal_fetch_add32(&a, UINT32_MAX) == 8u);
    CHECK(a == 7u);
    CHECK(!hal_compare_swap32(&a, 8u, 9u));
    CHECK(a == 7u);
    CHECK(hal_compare_swap32(&a, 7u, 9u));
    CHECK(a == 9u);
    CHECK(!hal_try_swap32(&a, 8u, 10u));
    CHECK(a == 9u);
    for (uint32_t i = 0u; (i < TRIES) && (a == 9u); i++) {
        CHECK(hal_try_swap32(&a, 9u, 10u) == (a == 10u)); /* may fail for no reason, but says so */
    }
    CHECK(a == 10u);
    for (uint32_t i = 0u; (i < TRIES) && (a == 10u); i++) {
        CHECK(!hal_try_or32(&a, 5u, &old) || (old == 10u));
    }
    CHECK(a == 15u);
    hal_store_release32(&a, 11u);
    CHECK(a == 11u);
    CHECK(hal_fetch_or64(&b, BIT64(63)) == 0xF0u);
    CHECK(b == (BIT64(63) | 0xF0u));
    CHECK(hal_fetch_and64(&b, 0x3Fu) == (BIT64(63) | 0xF0u));
    CHECK(hal_exchange64(&b, 1u) == 0x30u);
    hal_store_release64(&b, UINT64_MAX);
    CHECK(hal_load_acquire64(&b) == UINT64_MAX);
    hal_barrier();
    hal_barrier_io();
    CHECK(hal_index(0u, 64u) == 0u);
    CHECK(hal_index(63u, 64u) == 63u);
    CHECK(hal_index(64u, 64u) == 0u);
    CHECK(hal_index(UINT64_MAX, 64u) == 0u);
    CHECK(hal_index(BIT64(32) | 5u, 64u) == 0u);
}

/* On 32-bit ports the compiler's division is the port's. */
static void wide_division(void)
{
    static const uint64_t numbers[] = { 1u,
                                        2u,
                                        3u,
                                        10u,
                                        1000000000u,
                                        UINT32_MAX,
                                        1ULL << 32u,
                                        0x1FFFFFFFFULL,
                                        0x123456789ABCDEFULL,
                                        INT64_MAX,
                                        1ULL << 63u,
                                        UINT64_MAX };

    for (uint32_t i = 0u; i < (sizeof(numbers) / sizeof(numbers[0])); i++) {
        for (uint32_t k = 0u; k < (sizeof(numbers) / sizeof(numbers[0])); k++) {
            volatile uint64_t n = numbers[i];
            volatile uint64_t d = numbers[k];
            const uint64_t quotient = n / d;
            const uint64_t rest = n % d;
            const int64_t down = -(int64_t)(n / 2u) / (int64_t)((d / 2u) + 1u);

            CHECK((rest < d) && (((quotient * d) + rest) == n) && (quotient <= n));
            CHECK(down == -(int64_t)((n / 2u) / ((d / 2u) + 1u)));
        }
    }
}

static void masking(void)
{
    hal_cpu_irq_unmask();
    CHECK(!hal_cpu_irq_masked());
    const uint64_t outer = hal_cpu_irq_save();
    CHECK(hal_cpu_irq_masked());
    const uint64_t inner = hal_cpu_irq_save();
    hal_cpu_irq_restore(inner);
    CHECK(hal_cpu_irq_masked());
    hal_cpu_irq_restore(outer);
    CHECK(!hal_cpu_irq_masked());
}

/* The CPU's instructions and the table give the same sum, wherever the pieces are cut. */
static void checksum(void)
{
    static uint8_t data[301];

    CHECK(hal_cpu_crc32c(0u, "123456789", 9u) ==
          0xE3069283u); /* RFC 3720, B.4's polynomial; the usual check value */
    for (uint32_t i = 0u; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 5u);
    }
    for (uint32_t cut = 0u; cut < sizeof(data); cut += 43u) {
        const uint32_t first = hal_cpu_crc32c(0u, data, cut);

        CHECK(hal_cpu_crc32c(first, &data[cut], sizeof(data) - cut) == crc32c_update(0u, data, sizeof(data)));
    }
}

static void identity(void)
{
    CHECK(hal_cpu_local() == &percpu_area[cpu_id()]);
    CHECK(hal_cpu_describe() != NULL);
    CHECK(hal_cpu_describe()[0] != '\0');
}

static void clock_rises(void)
{
    uint64_t last = hal_timer_now_ns();
    bool rises = true;

    for (uint32_t i = 0u; i < 10000u; i++) {
        const uint64_t now = hal_timer_now_ns();

        rises = rises && (now >= last);
        last = now;
    }
    CHECK(rises);
    CHECK(last < (3600ULL * 1000ULL * MS)); /* counted from boot */
}

static void ticks_and_ns(void)
{
    const uint64_t day = 86400ULL * 1000ULL * MS;
    const uint64_t back = hal_timer_ns(hal_timer_ticks(day));

    CHECK((back > (day - MS)) && (back < (day + MS)));
    CHECK(hal_timer_ticks(0u) == 0u);
    CHECK(hal_timer_ns(0u) == 0u);
    CHECK(hal_timer_ns(UINT64_MAX) == TIME_NEVER);
}

static void timer_shoots_once(void)
{
    const uint64_t start = hal_timer_now_ns();
    uint32_t before = suite_seen.timers;

    hal_timer_set(start + (2u * MS));
    CHECK(suite_await(&suite_seen.timers, before + 1u, 2000u * MS));
    CHECK(hal_timer_now_ns() >= (start + (2u * MS)));
    CHECK(!suite_await(&suite_seen.timers, before + 2u, 5u * MS));
    before = suite_seen.timers;
    hal_timer_set(start); /* past */
    CHECK(suite_await(&suite_seen.timers, before + 1u, 2000u * MS));
    before = suite_seen.timers;
    hal_timer_set(hal_timer_now_ns() + (3u * MS));
    hal_timer_set(TIME_NEVER);
    CHECK(!suite_await(&suite_seen.timers, before + 1u, 10u * MS));
    hal_timer_set(hal_timer_now_ns() + (10000u * MS));
    hal_timer_set(hal_timer_now_ns() + (1u * MS)); /* the later call counts */
    CHECK(suite_await(&suite_seen.timers, before + 1u, 2000u * MS));
    hal_timer_set(TIME_NEVER);
}

static void timer_waits_for_unmask(void)
{
    const uint32_t before = suite_seen.timers;
    const uint64_t flags = hal_cpu_irq_save();
    const uint64_t limit = hal_timer_now_ns() + (3u * MS);

    hal_timer_set(hal_timer_now_ns() + MS);
    while (hal_timer_now_ns() < limit) {
        hal_cpu_relax();
    }
    CHECK(suite_seen.timers == before);
    hal_cpu_wait(); /* pending, although masked: returns */
    CHECK(suite_seen.timers == before);
    hal_cpu_irq_restore(flags);
    CHECK(suite_await(&suite_seen.timers, before + 1u, 2000u * MS));
}

static void ipi_to_self(void)
{
    const cpuid_t me = cpu_id();
    uint32_t before = suite_seen.ipis[me];

    hal_irq_ipi(me);
    CHECK(suite_await(&suite_seen.ipis[me], before + 1u, 2000u * MS));
    before = suite_seen.ipis[me];
    const uint64_t flags = hal_cpu_irq_save();
    hal_irq_ipi(me);
    hal_irq_ipi(me);
    CHECK(suite_seen.ipis[me] == before);
    hal_cpu_irq_restore(flags);
    CHECK(suite_await(&suite_seen.ipis[me], before + 1u, 2000u * MS));
    CHECK(!suite_await(&suite_seen.ipis[me], before + 3u, 2u * MS)); /* two may be one, never three */
}

static void lines(void)
{
    CHECK(hal_irq_enable(HAL_IRQ_MAX, false) == HV_INVALID);
    CHECK(hal_irq_enable(40u, true) == HV_OK);
    hal_irq_disable(40u);
    hal_irq_disable(40u);
}

static void exit_work_on_request(void)
{
    const cpuid_t me = cpu_id();
    uint32_t works = suite_seen.exit_works;
    uint32_t ipis = suite_seen.ipis[me];

    /* An interrupt alone asks for no exit work. */
    hal_irq_ipi(me);
    CHECK(suite_await(&suite_seen.ipis[me], ipis + 1u, 2000u * MS));
    CHECK(suite_seen.exit_works == works);
    ipis = suite_seen.ipis[me];
    const uint64_t flags = hal_cpu_irq_save();
    hal_context_request_exit_work();
    hal_irq_ipi(me);
    hal_cpu_irq_restore(flags);
    CHECK(suite_await(&suite_seen.exit_works, works + 1u, 2000u * MS));
    works = suite_seen.exit_works;
    ipis = suite_seen.ipis[me];
    const uint64_t again = hal_cpu_irq_save();
    hal_context_request_exit_work();
    hal_context_clear_exit_work();
    hal_irq_ipi(me);
    hal_cpu_irq_restore(again);
    CHECK(suite_await(&suite_seen.ipis[me], ipis + 1u, 2000u * MS));
    CHECK(suite_seen.exit_works == works);
}

static void other_entry(void *arg)
{
    other_argument = (uint64_t)(uintptr_t)(uint8_t *)arg;
    other_was_open = !hal_cpu_irq_masked();
    for (;;) {
        other_runs++;
        suite_next[cpu_id()] = &hal_cpu_local()->worker.frame;
        hal_context_yield();
    }
}

static void yield_comes_back(void)
{
    const uint64_t kept[6] = { 0x1111u, 0x2222u, 0x3333u, 0x4444u, 0x5555u, 0x6666u };
    uint64_t sum = 0u;

    other_runs = 0u;
    hal_context_init(&other, other_entry, (void *)(uintptr_t)0x1234u, &other_stack[SUITE_STACK_BYTES]);
    for (uint32_t i = 0u; i < 6u; i++) {
        const bool mask = (i & 1u) != 0u;
        const uint64_t flags = hal_cpu_irq_save();

        if (!mask) {
            hal_cpu_irq_unmask();
        }
        suite_next[cpu_id()] = &other.frame;
        hal_context_yield();
        CHECK(hal_cpu_irq_masked() == mask); /* it is part of what a context is */
        hal_cpu_irq_restore(flags);
        CHECK(other_runs == (i + 1u));
        sum += kept[i];
    }
    CHECK(sum == (0x1111u * 21u));
    CHECK(other_was_open);
    CHECK(other_argument == 0x1234u);
}

static void yield_alone(void)
{
    const uint32_t before = suite_seen.reschedules;

    hal_context_yield();
    CHECK(suite_seen.reschedules == (before + 1u));
}

static void interrupt_switches(void)
{
    const uint32_t before = other_runs;

    /* exit work that puts another context in front, which gives the CPU back */
    const uint64_t flags = hal_cpu_irq_save();
    suite_next[cpu_id()] = &other.frame;
    hal_context_request_exit_work();
    hal_irq_ipi(cpu_id());
    hal_cpu_irq_restore(flags);
    CHECK(suite_await(&other_runs, before + 1u, 2000u * MS));
}

/* -- A second CPU -- */

void suite_second(void *arg)
{
    uint32_t seen = suite_seen.ipis[cpu_id()];

    (void)arg;
    hal_store_release32(&suite_seen.second_alive, 1u);
    for (;;) {
        if (suite_await(&suite_seen.ipis[cpu_id()], seen + 1u, 1000u * MS)) {
            seen = suite_seen.ipis[cpu_id()];
            for (uint32_t i = 0u; i < ADDS; i++) {
                (void)hal_fetch_add32(&adds, 1u);
            }
            hal_irq_ipi(0u);
        }
    }
}

static void second_cpu(void)
{
    const uint32_t before = suite_seen.ipis[0];

    if (suite_machine.second_hwid != UINT64_MAX) {
        CHECK(hal_cpu_start(1u, suite_machine.second_hwid, &second_stack[SUITE_STACK_BYTES]) == HV_OK);
        CHECK(suite_await(&suite_seen.second_alive, 1u, 5000u * MS));
        hal_irq_ipi(1u);
        for (uint32_t i = 0u; i < ADDS; i++) {
            (void)hal_fetch_add32(&adds, 1u);
        }
        CHECK(suite_await(&suite_seen.ipis[0], before + 1u, 5000u * MS));
        CHECK(adds == (2u * ADDS));
        CHECK(hal_cpu_start(1u, suite_machine.second_hwid, &second_stack[SUITE_STACK_BYTES]) == HV_INVALID);
    }
    CHECK(hal_cpu_start(HV_CPUS_MAX, 0u, &second_stack[SUITE_STACK_BYTES]) != HV_OK);
}

const struct suite_test suite_tests_cpu[] = {
    { "atomics", atomics },
    { "wide_division", wide_division },
    { "masking", masking },
    { "checksum", checksum },
    { "identity", identity },
    { "clock_rises", clock_rises },
    { "ticks_and_ns", ticks_and_ns },
    { "timer_shoots_once", timer_shoots_once },
    { "timer_waits_for_unmask", timer_waits_for_unmask },
    { "ipi_to_self", ipi_to_self },
    { "lines", lines },
    { "exit_work_on_request", exit_work_on_request },
    { "yield_alone", yield_alone },
    { "yield_comes_back", yield_comes_back },
    { "interrupt_switches", interrupt_switches },
    { "second_cpu", second_cpu },
    { NULL, NULL },
};
