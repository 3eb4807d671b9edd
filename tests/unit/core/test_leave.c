/* A CPU that stops for good: what was left to it goes on elsewhere. [test->req~on-panic~1] */
#include "bench.h"

#include "base/panic.h"
#include "time/timer.h"

static uint32_t ran[3];
static struct work item[3];
static bool item_stops;

static void run_item(struct work *work)
{
    ran[work - item]++;
    while (item_stops) {
        hal_cpu_relax();
    }
}

static uint32_t fired;
static cpuid_t fired_on;

static void fire(struct timer *timer)
{
    (void)timer;
    CHECK(hal_cpu_irq_masked());
    fired++;
    fired_on = cpu_id();
}

static void leave_now(void *arg)
{
    *(const char **)arg = sched_leave();
}

/* As a handler on that CPU does it; it is not entered again if that worked. */
static const char *leave_on(cpuid_t cpu)
{
    const char *why = "";
    const cpuid_t before = cpu_id();

    fake_cpu_set(cpu);
    CHECK(fake_call(leave_now, &why) == FAKE_END_RETURN);
    fake_cpu_set(before);
    return why;
}

static void work_moves_scenario(void)
{
    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(3);
    for (uint32_t i = 0; i < 3u; i++) {
        work_setup(&item[i], run_item);
        work_queue(&item[i], 1);
    }
    CHECK(leave_on(1) == NULL);
    CHECK(percpu_online() == 5u);
    CHECK(!work_pending(1));
    (void)fake_cpu_go(0);
    (void)fake_cpu_go(2);
    CHECK((ran[0] == 1u) && (ran[1] == 1u) && (ran[2] == 1u));
    work_queue(&item[0], 1); /* by somebody who does not know yet */
    (void)fake_cpu_go(0);
    (void)fake_cpu_go(2);
    CHECK(ran[0] == 2u);
    CHECK(leave_on(2) == NULL);
    CHECK(strcmp(leave_on(0), "there is no other CPU") == 0);
}
ALONE(work_moves)

static void work_half_way_scenario(void)
{
    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(2);
    bench_domain_make(0, (uint64_t[]){ BIT64(1) }, 1);
    item_stops = true;
    work_setup(&item[0], run_item);
    work_queue(&item[0], 1);
    (void)fake_cpu_go(1);
    CHECK(ran[0] == 1u);
    CHECK(strcmp(leave_on(1), "it is in the middle of work") == 0);
    CHECK(percpu_online() == 3u);
    CHECK(sched_power_on(&bench_vcpu[0][0]) == HV_OK);
    (void)fake_cpu_go(1);
    CHECK(bench_runs(&bench_vcpu[0][0], 1));
    CHECK(strcmp(leave_on(1), "it is in the middle of work") == 0); /* also while a vCPU has the CPU */
}

/* A vCPU that waits for the CPU that leaves runs on another. */
static void queue_moves_scenario(void)
{
    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(2);
    bench_domain_make(0, (uint64_t[]){ ANY_CPU }, 1);
    CHECK(sched_power_on(&bench_vcpu[0][0]) == HV_OK);
    const cpuid_t asked = ((fake_ipis_pending() & 1u) != 0u) ? 0u : 1u;

    CHECK(leave_on(asked) == NULL);
    (void)fake_cpu_go(1u - asked);
    CHECK(bench_runs(&bench_vcpu[0][0], 1u - asked));
}
ALONE(queue_moves)

static void timers_move_scenario(void)
{
    struct timer timer[2];

    bench_setup(PLAN_SCHED_CREDIT2);
    for (uint32_t i = 0; i < 2u; i++) {
        timer_setup(&timer[i], fire);
        fake_cpu_set(7);
        timer_arm(&timer[i], (i + 1u) * 1000u * MS);
    }
    fake_cpu_set(3);
    timer_adopt(7);
    CHECK((fired == 2u) && (fired_on == 3u));
    CHECK((timer[0].cpu == TIMER_UNARMED) && (timer[1].cpu == TIMER_UNARMED));
    timer_adopt(7);
    CHECK(fired == 2u);
}
ALONE(timers_move)

/* -- held: whatever others would wait for -- */

static struct spinlock lock = SPINLOCK(LOCK_VDEV);
static uint32_t held_inside;

static void note_held(struct timer *timer)
{
    (void)timer;
    held_inside = percpu_area[7].held;
}

static void held_scenario(void)
{
    struct timer timer;

    fake_reset();
    fake_cpu_set(7);
    const uint64_t flags = spin_lock(&lock);

    CHECK(percpu_area[7].held == 1u);
    spin_unlock(&lock, flags);
    CHECK(percpu_area[7].held == 0u);
    timer_setup(&timer, note_held);
    timer_arm(&timer, 10u * MS);
    fake_time_advance(20u * MS);
    CHECK(held_inside == 1u);
    CHECK(percpu_area[7].held == 0u);
}
ALONE(held)

/* A panic inside the attempt to stop alone ends in a halt. */
static char said[4096];

static bool uart_put(void *device, uint8_t c)
{
    const size_t n = strlen(said);

    (void)device;
    said[n] = (char)c;
    return true;
}

static const char *park_that_fails(void)
{
    panic("in the middle of it");
}

static void fails(void *arg)
{
    (void)arg;
    panic("first");
}

static void park_fails_scenario(void)
{
    static const struct console_uart uart = { uart_put, NULL, NULL, NULL, NULL, false };

    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(1);
    fake_park_allow(true);
    console_set_uart(&uart);
    panic_set_policy(false, park_that_fails);
    fake_cpu_set(3);
    CHECK(fake_call(fails, NULL) == FAKE_END_PARK);
    CHECK(strstr(said, "PANIC on CPU 3, running boot: in the middle of it") != NULL);
    CHECK(strstr(said, "first") == NULL);
    CHECK((percpu_area[0].ipi_work & PERCPU_IPI_PARK) != 0u);
}
ALONE(park_fails)
ALONE(work_half_way)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_moves),  cmocka_unit_test(work_half_way), cmocka_unit_test(queue_moves),
        cmocka_unit_test(timers_move), cmocka_unit_test(held),          cmocka_unit_test(park_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
