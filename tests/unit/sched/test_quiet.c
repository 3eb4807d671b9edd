/* null: a vCPU that has its CPU sees nothing of the hypervisor between the ticks of its own clock, nor in
 * them. [test->req~null-pinned~1] */
#include "schedsim.h"

static uint32_t cpus;

static void quiet_scenario(void)
{
    const uint64_t tick = 250u * US;
    uint64_t ticks = 0u;

    sim_setup_policy(PLAN_SCHED_NULL, cpus);
    for (uint32_t n = 0; n < cpus; n += 8u) {
        (void)bench_plan_make(n / 8u, 0u);
        (void)sim_domain(n / 8u, (uint32_t)bits_min(8u, cpus - n));
    }
    for (uint32_t i = 0; i < nr_guests; i++) {
        guest_on(&guests[i]);
    }
    sim_run(MS);
    const uint64_t works = fake_exit_works();
    const uint64_t timers = fake_timers_taken();
    const uint64_t ipis = fake_ipis_sent();

    for (uint32_t i = 0; i < nr_guests; i++) {
        MUST(guests[i].is_in && !guests[i].vcpu->hal.trap_wait, "%u has no CPU, or is trapped when it waits",
             i);
        fake_guest_virt_timer(&guests[i].vcpu->hal, fake_time() + tick - i);
    }
    for (uint32_t n = 0; n < 4000u; n++) {
        sim_run(tick);
        for (uint32_t i = 0; i < nr_guests; i++) {
            struct hal_vcpu *const v = &guests[i].vcpu->hal;

            ticks += (fake_guest_ack(v) == 27u) ? 1u : 0u;
            fake_guest_virt_timer(v, fake_time() + tick - i);
            fake_guest_wait(guests[i].cpu); /* it waits for the next one, on its CPU */
        }
    }
    MUST(ticks == (4000u * cpus), "%lu ticks", ticks);
    for (uint32_t i = 0; i < nr_guests; i++) {
        MUST((guests[i].vcpu->hal.nr_saves == 0u) && (guests[i].vcpu->hal.nr_loads == 1u), "%u left its CPU",
             i);
        MUST(fake_timer_deadline(guests[i].cpu) == TIME_NEVER, "CPU %u has a timer", guests[i].cpu);
    }
    MUST(fake_exit_works() == works, "%lu decisions", fake_exit_works() - works);
    MUST(fake_timers_taken() == timers, "%lu timers", fake_timers_taken() - timers);
    MUST(fake_ipis_sent() == ipis, "%lu interrupts", fake_ipis_sent() - ipis);
    figures->worst[0] += ticks;
}

static void quiet(void **state)
{
    static const uint32_t nr[] = { 1u, 2u, 4u, 63u, 64u };

    (void)state;
    figures_begin();
    for (uint32_t i = 0; i < 5u; i++) {
        cpus = nr[i];
        bench_alone(quiet_scenario);
    }
    (void)fprintf(stderr,
                  "null: %lu ticks of guests on 1-64 CPUs: no decision, no timer, no interrupt between CPUs, "
                  "no trap\n",
                  figures->worst[0]);
}

/* Who has no CPU waits until one is free, and does not run before; those that have one notice nothing. */
static void surplus_scenario(void)
{
    sim_setup_policy(PLAN_SCHED_NULL, 2u);
    (void)bench_plan_make(0, 0u);
    (void)sim_domain(0, 4u);
    for (uint32_t i = 0; i < 4u; i++) {
        guest_on(&guests[i]);
    }
    sim_run(100u * MS);
    MUST((guest_ran(&guests[0]) == (100u * MS)) && (guest_ran(&guests[1]) == (100u * MS)),
         "the first two run");
    MUST((guest_ran(&guests[2]) == 0u) && (guest_ran(&guests[3]) == 0u), "the others wait");
    sched_power_off(guests[0].vcpu);
    fake_run();
    sim_run(100u * MS);
    MUST(guest_ran(&guests[1]) == (200u * MS), "the second goes on");
    MUST((guest_ran(&guests[2]) + guest_ran(&guests[3])) == (100u * MS),
         "one of the others has the CPU of the first: %lu us",
         (guest_ran(&guests[2]) + guest_ran(&guests[3])) / US);
}

static void surplus(void **state)
{
    (void)state;
    bench_alone(surplus_scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quiet),
        cmocka_unit_test(surplus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
