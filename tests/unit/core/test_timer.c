/* Deadlines, interrupt handlers, locks and panics. [test->dsn~timers-in-order~1] [test->dsn~lock-ranks~1] */
#include <pthread.h>

#include "bench.h"

#include "base/panic.h"
#include "base/spinlock.h"
#include "irq/irq.h"
#include "time/timer.h"

static char fired[64];
static struct timer timers[20];

static void note(struct timer *timer)
{
    const size_t n = strlen(fired);

    CHECK(timer->cpu == TIMER_UNARMED);
    CHECK(percpu_area[cpu_id()].lock_rank == 0u);
    fired[n] = (char)('a' + (timer - timers));
    fired[n + 1u] = '\0';
}

static int setup(void **state)
{
    (void)state;
    fake_reset();
    fake_park_allow(true);
    fake_cpu_set(2);
    fake_cpu_set(0);
    fired[0] = '\0';
    for (int i = 0; i < 20; i++) {
        timer_setup(&timers[i], note);
    }
    return 0;
}

static void in_order(void **state)
{
    (void)state;
    timer_arm(&timers[0], 300);
    timer_arm(&timers[1], 100);
    timer_arm(&timers[2], 200);
    timer_arm(&timers[3], 100);
    assert_int_equal(fake_timer_deadline(0), 100);
    fake_time_advance(150);
    assert_string_equal(fired, "bd");
    assert_int_equal(fake_timer_deadline(0), 200);
    fake_time_advance(150);
    assert_string_equal(fired, "bdca");
    assert_int_equal(fake_timer_deadline(0), TIME_NEVER);
}

static void moved(void **state)
{
    (void)state;
    timer_arm(&timers[0], 100);
    timer_arm(&timers[1], 200);
    timer_arm(&timers[0], 300);
    assert_int_equal(fake_timer_deadline(0), 200);
    fake_time_advance(250);
    assert_string_equal(fired, "b");
    timer_arm(&timers[0], TIME_NEVER);
    assert_int_equal(timers[0].cpu, TIMER_UNARMED);
    timer_disarm(&timers[0]);
    fake_time_advance(250);
    assert_string_equal(fired, "b");
}

static void to_another_cpu(void **state)
{
    (void)state;
    timer_arm(&timers[0], 100);
    timer_arm(&timers[1], 120);
    fake_cpu_set(2);
    timer_arm(&timers[0], 150);
    assert_int_equal(timers[0].cpu, 2);
    assert_int_equal(fake_timer_deadline(2), 150);
    timer_disarm(&timers[1]);
    fake_time_advance(140);
    assert_string_equal(fired, ""); /* the first CPU's timer came for nothing */
    assert_int_equal(fake_timer_deadline(0), TIME_NEVER);
    fake_time_advance(10);
    assert_string_equal(fired, "a");
}

static void past_and_burst(void **state)
{
    (void)state;
    fake_time_advance(1000);
    for (int i = 0; i < 20; i++) {
        timer_arm(&timers[i], 10u + (uint64_t)i);
    }
    upcall_timer();
    assert_string_equal(fired, "a");
    assert_int_equal(fake_timer_deadline(0), 11); /* the rest comes at once */
    fake_time_advance(0);
    assert_int_equal(strlen(fired), 20);
}

static uint32_t irq_count;

static void irq_note(void *ctx)
{
    irq_count += *(uint32_t *)ctx;
}

static void interrupts(void **state)
{
    static uint32_t ten = 10;
    static uint32_t one = 1;

    (void)state;
    assert_int_equal(irq_register(33, false, irq_note, &ten), HV_OK);
    assert_int_equal(irq_register(40, true, irq_note, &one), HV_OK);
    assert_int_equal(irq_register(33, false, irq_note, &one), HV_EXISTS);
    fake_irq_raise(33);
    fake_irq_raise(40);
    assert_int_equal(irq_count, 11);
    assert_int_equal(hal_irq_enable(41, false), HV_OK);
    fake_irq_raise(41); /* nobody's: off */
    assert_false(fake_irq_enabled(41));
    for (uint32_t i = 2; i < IRQ_HANDLERS_MAX; i++) {
        assert_int_equal(irq_register(100 + i, false, irq_note, &one), HV_OK);
    }
    assert_int_equal(irq_register(99, false, irq_note, &one), HV_LIMIT);
}

static uint64_t handler_ns;

static void irq_work(void *ctx)
{
    *(uint32_t *)ctx += 1u;
    fake_time_step(handler_ns); /* the next look at the clock comes so much later */
}

/* How often a source that never rests comes in a second; it comes again as soon as it is not masked. */
static uint32_t scream(uint32_t irq, const uint32_t *count)
{
    const uint32_t before = *count;
    const uint64_t end_ns = hal_timer_now_ns() + 1000000000u;

    while (hal_timer_now_ns() < end_ns) {
        for (uint32_t n = 0; (n < 1000u) && fake_irq_enabled(irq); n++) {
            fake_irq_raise(irq);
            fake_time_step(0);
        }
        fake_time_advance(10000u);
    }
    return *count - before;
}

/* A source that screams is masked, and comes again. [test->dsn~irq-bounded~1] */
static void interrupts_bounded_scenario(void)
{
    static uint32_t fast;
    static uint32_t slow;
    uint32_t n;

    fake_reset();
    fake_cpu_set(0);
    handler_ns = 0;
    CHECK(irq_register(60, true, irq_work, &fast) == HV_OK);
    for (uint32_t i = 0; i < 100u; i++) { /* 10,000 a second are nothing */
        for (n = 0; n < 100u; n++) {
            fake_irq_raise(60);
            CHECK(fake_irq_enabled(60));
        }
        fake_time_advance(10000000u);
    }
    CHECK(fast == 10000u);
    n = scream(60, &fast);
    CHECK((n >= 20000u) && (n <= 25200u));
    fake_time_advance(IRQ_PAUSE_NS);
    CHECK(fake_irq_enabled(60));
    /* One that keeps the CPU busy: 200 us each, so the CPU's time tells. */
    CHECK(irq_register(61, true, irq_work, &slow) == HV_OK);
    handler_ns = 200000u;
    n = scream(61, &slow);
    CHECK((n >= 800u) && (n <= 1000u)); /* 2 ms of 10 */
    fake_time_advance(IRQ_PAUSE_NS);
    CHECK(fake_irq_enabled(61) && fake_irq_enabled(60));
}
ALONE(interrupts_bounded)

static struct spinlock low = SPINLOCK(LOCK_DOMAIN);
static struct spinlock high = SPINLOCK(LOCK_LOG);
static struct spinlock middle = SPINLOCK(LOCK_SCHED);

static void lock_in_order(void *arg)
{
    (void)arg;
    hal_cpu_irq_unmask();
    const uint64_t a = spin_lock(&low);
    CHECK(hal_cpu_irq_masked());
    const uint64_t b = spin_lock(&middle);
    const uint64_t c = spin_lock(&high);

    spin_unlock(&middle, b); /* any order of giving back */
    spin_unlock(&high, c);
    CHECK(hal_cpu_irq_masked());
    spin_unlock(&low, a);
    CHECK(!hal_cpu_irq_masked());
    CHECK(percpu_area[0].lock_rank == 0u);
}

static void lock_against(void *arg)
{
    (void)arg;
    (void)spin_lock(&middle);
    (void)spin_lock(&low);
}

static void lock_twice(void *arg)
{
    (void)arg;
    (void)spin_lock(&middle);
    (void)spin_lock(&middle);
}

static void unlock_free(void *arg)
{
    (void)arg;
    spin_unlock(&low, 0);
}

static char said[4096];

static bool uart_put(void *device, uint8_t c)
{
    const size_t n = strlen(said);

    (void)device;
    said[n] = (char)c;
    said[n + 1u] = '\0';
    return true;
}

static void panics(void (*fn)(void *arg), const char *why)
{
    static const struct console_uart uart = { uart_put, NULL, NULL, NULL, NULL, false };

    fake_reset();
    fake_park_allow(true);
    fake_cpu_set(0);
    percpu_area[2].online = 1u;
    percpu_area[0].runs = "dom7";
    console_set_uart(&uart);
    CHECK(fake_call(fn, NULL) == FAKE_END_PARK);
    CHECK(strstr(said, why) != NULL);
    CHECK(strstr(said, "PANIC on CPU 0, running dom7: ") != NULL);
    CHECK((fake_ipis_pending() & BIT64(2)) != 0u);
    CHECK((percpu_area[2].ipi_work & PERCPU_IPI_PARK) != 0u);
}

static void ranks_scenario(void)
{
    fake_reset();
    fake_cpu_set(0);
    CHECK(fake_call(lock_in_order, NULL) == FAKE_END_RETURN);
    panics(lock_against,
           "lock taken against its rank\r\nbulkhead: [    0.000] PANIC at src/base/spinlock.c:");
}
ALONE(ranks)

static void rank_twice_scenario(void)
{
    panics(lock_twice, "lock taken against its rank");
}
ALONE(rank_twice)

static void rank_free_scenario(void)
{
    panics(unlock_free, "lock_rank");
}
ALONE(rank_free)

static void fatal(void *arg)
{
    (void)arg;
    upcall_fatal("data abort", 0x40001234u);
}

static void panic_more(void *arg)
{
    (void)arg;
    panic("again");
}

static void fatal_one_scenario(void)
{
    panics(fatal, "data abort at pc 0x40001234");
    said[0] = '\0';
    CHECK(fake_call(panic_more, NULL) == FAKE_END_PARK); /* the first one counts */
    CHECK(said[0] == '\0');
    fake_cpu_set(2);
    CHECK(fake_call(panic_more, NULL) == FAKE_END_PARK);
    CHECK(said[0] == '\0');
}
ALONE(fatal_one)

#define ADDERS 3u
static uint32_t counter;

static void *add(void *arg)
{
    fake_cpu_set((cpuid_t)(uintptr_t)arg);
    for (int i = 0; i < 3000; i++) {
        const uint64_t flags = spin_lock(&middle);

        counter++;
        spin_unlock(&middle, flags);
    }
    return NULL;
}

static void locks_exclude(void **state)
{
    pthread_t thread[ADDERS];

    (void)state;
    for (uintptr_t i = 0; i < ADDERS; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, add, (void *)i), 0);
    }
    for (uintptr_t i = 0; i < ADDERS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    }
    assert_int_equal(counter, ADDERS * 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(in_order, setup),
        cmocka_unit_test_setup(moved, setup),
        cmocka_unit_test_setup(to_another_cpu, setup),
        cmocka_unit_test_setup(past_and_burst, setup),
        cmocka_unit_test(interrupts_bounded), /* before the table is full */
        cmocka_unit_test_setup(interrupts, setup),
        cmocka_unit_test_setup(locks_exclude, setup),
        cmocka_unit_test(ranks),
        cmocka_unit_test(rank_twice),
        cmocka_unit_test(rank_free),
        cmocka_unit_test(fatal_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
