/* The scheduler: both policies, long work, waking and stopping, on simulated CPUs. */
#include "bench.h"

#include "sched/sched_core.h"

/* -- null -- */

/* [test->req~null-pinned~1] */
static void null_places_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU, BIT64(0), BIT64(0), ANY_CPU };
    const uint64_t more[] = { ANY_CPU };

    bench_setup(PLAN_SCHED_NULL);
    bench_cpus(3);
    for (cpuid_t cpu = 0; cpu < 3; cpu++) {
        CHECK(fake_cpu_state(cpu) == FAKE_STATE_SLEEP);
        CHECK(strcmp(percpu_area[cpu].runs, "idle") == 0);
    }
    CHECK(percpu_online() == 7u);
    /* the first takes CPU 0, so the pinned ones wait for it */
    bench_domain_make(0, affinity, 4);
    bench_domain_make(1, more, 1);
    CHECK(bench_vcpu[0][0].cpu == 0);
    CHECK(bench_vcpu[0][3].cpu == 1);
    CHECK(bench_vcpu[1][0].cpu == 2);
    CHECK(sched_power_on(&bench_vcpu[0][0]) == HV_OK);
    CHECK(sched_power_on(&bench_vcpu[0][1]) == HV_OK);
    CHECK(sched_power_on(&bench_vcpu[0][0]) == HV_BUSY);
    CHECK(sched_power_on(&bench_vcpu[0][3]) == HV_OK);
    fake_run();
    CHECK(bench_runs(&bench_vcpu[0][0], 0));
    CHECK(bench_runs(&bench_vcpu[0][3], 1));
    CHECK(strcmp(percpu_area[1].runs, "dom0") == 0);
    CHECK(fake_cpu_state(2) == FAKE_STATE_SLEEP);
    fake_time_advance(7 * MS); /* by then it was looked for a place for the one that waits */
    CHECK(!bench_vcpu[0][0].hal.trap_wait);
    CHECK(sched_run_ns(&bench_vcpu[0][0]) == 7 * MS);
    CHECK(fake_timer_deadline(0) == TIME_NEVER);
    /* off, and the place is free for another */
    sched_power_off(&bench_vcpu[0][0]);
    CHECK(bench_vcpu[0][0].on_cpu == 1u);
    fake_run();
    CHECK(bench_vcpu[0][0].on_cpu == 0u);
    CHECK(!upcall_vcpu_is_on(&bench_vcpu[0][0].hal));
    CHECK(bench_runs(&bench_vcpu[0][1], 0)); /* it waited for that */
    sched_remove(&bench_vcpu[0][0]);
    fake_run();
    CHECK(bench_runs(&bench_vcpu[0][1], 0));
}
ALONE(null_places)

static void block_and_wake_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU, ANY_CPU };
    struct vcpu *v = &bench_vcpu[0][0];
    struct vcpu *w = &bench_vcpu[0][1];

    bench_setup(PLAN_SCHED_NULL);
    bench_cpus(2);
    bench_domain_make(0, affinity, 2);
    CHECK(sched_power_on(v) == HV_OK);
    CHECK(sched_power_on(w) == HV_OK);
    fake_run();
    bench_block(0);
    CHECK(v->state == VCPU_BLOCKED);
    CHECK(v->hal.nr_saves == 1);
    CHECK(fake_cpu_state(0) == FAKE_STATE_SLEEP);
    fake_guest_pend(&v->hal, 5);
    fake_run();
    CHECK(bench_runs(v, 0));
    /* pending already: it does not leave */
    bench_block(0);
    CHECK(bench_runs(v, 0));
    CHECK(v->hal.nr_saves == 1);
    CHECK(fake_guest_ack(&v->hal) == 5);
    bench_block(0);
    CHECK(v->state == VCPU_BLOCKED);
    /* to a vCPU that runs elsewhere: an interrupt for its CPU, nothing else */
    const uint64_t ipis = fake_ipis_sent();
    fake_guest_pend(&w->hal, 6);
    CHECK(fake_ipis_sent() == ipis + 1u);
    fake_run();
    CHECK(bench_runs(w, 1));
    CHECK(w->hal.nr_saves == 0);
}
ALONE(block_and_wake)

/* The hypervisor's timer stands in for the clocks of a vCPU that is not loaded, and for the emulated one of
 * one that is. */
static void clocks_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU };
    struct vcpu *v = &bench_vcpu[0][0];

    bench_setup(PLAN_SCHED_NULL);
    bench_cpus(1);
    bench_domain_make(0, affinity, 1);
    CHECK(sched_power_on(v) == HV_OK);
    fake_run();
    fake_guest_virt_timer(&v->hal, 10 * MS);
    CHECK(fake_timer_deadline(0) == TIME_NEVER);
    bench_block(0);
    CHECK(fake_timer_deadline(0) == 10 * MS);
    fake_time_advance(9 * MS);
    CHECK(v->state == VCPU_BLOCKED);
    fake_time_advance(MS);
    CHECK(bench_runs(v, 0));
    CHECK(fake_guest_ack(&v->hal) == 27);
    CHECK(fake_timer_deadline(0) == TIME_NEVER);
    fake_guest_phys_timer(&v->hal, 20 * MS);
    CHECK(fake_timer_deadline(0) == 20 * MS);
    fake_time_advance(20 * MS);
    CHECK(fake_guest_ack(&v->hal) == 30);
    /* both, while blocked: the later one is armed again after the first */
    fake_guest_phys_timer(&v->hal, 40 * MS);
    fake_guest_virt_timer(&v->hal, 50 * MS);
    bench_block(0);
    CHECK(fake_timer_deadline(0) == 40 * MS);
    fake_time_advance(10 * MS);
    CHECK(fake_guest_ack(&v->hal) == 30);
    bench_block(0);
    CHECK(fake_timer_deadline(0) == 50 * MS);
    /* off: nothing comes any more */
    sched_power_off(v);
    fake_run();
    fake_time_advance(50 * MS);
    CHECK(v->state == VCPU_OFF);
    CHECK(fake_guest_ack(&v->hal) == UINT32_MAX);
}
ALONE(clocks)

/* -- Long work -- */

static volatile bool work_stop;
static volatile uint64_t work_loops;
static uint64_t work_ran;
static cpuid_t work_cpu;

/* Every look at the clock takes 10 us in these scenarios, so loops are time spent. */
static void work_spin(struct work *work)
{
    (void)work;
    work_cpu = cpu_id();
    while (!work_stop) {
        (void)hal_timer_now_ns();
        work_loops++;
        hal_cpu_irq_unmask(); /* interrupts arrive here */
        if (work_loops > 100000u) {
            break;
        }
    }
    work_ran++;
}

static void work_note(struct work *work)
{
    (void)work;
    work_cpu = cpu_id();
    work_ran++;
}

static void work_order_scenario(void)
{
    struct work work[3];

    bench_setup(PLAN_SCHED_NULL);
    bench_cpus(2);
    for (int i = 0; i < 3; i++) {
        work_setup(&work[i], work_note);
    }
    work_queue(&work[0], 1);
    work_queue(&work[0], 1); /* is queued */
    CHECK(work_pending(1) && !work_pending(0));
    fake_run();
    CHECK(work_ran == 1 && work_cpu == 1);
    CHECK(!work_pending(1));
    CHECK(fake_cpu_state(1) == FAKE_STATE_SLEEP);
    work_queue(&work[0], WORK_ANY_CPU);
    work_queue(&work[1], WORK_ANY_CPU); /* to the other */
    CHECK(work_pending(0) && work_pending(1));
    fake_run();
    CHECK(work_ran == 3);
    CHECK(percpu_area[1].worker.fp_loaded == percpu_area[1].worker.fp_saved);
}
ALONE(work_order)

/* A guest that never waits leaves the worker a fifth; one that wakes preempts it at once. */
/* [test->dsn~work-apart~1] */
static void work_shares_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU };
    struct vcpu *v = &bench_vcpu[0][0];
    struct work work;

    bench_setup(PLAN_SCHED_NULL);
    bench_cpus(1);
    bench_domain_make(0, affinity, 1);
    CHECK(sched_power_on(v) == HV_OK);
    fake_run();
    fake_time_step(10000);
    work_setup(&work, work_spin);
    work_queue(&work, WORK_ANY_CPU);
    fake_run();
    CHECK(bench_runs(v, 0));
    CHECK(v->hal.trap_wait); /* when it waits the worker can have the CPU */
    CHECK(work_loops == 0);
    for (int i = 0; i < 100; i++) {
        fake_time_advance(MS);
    }
    CHECK(work_loops > 1000u && work_loops < 3000u); /* of 10000 */
    CHECK(bench_runs(v, 0));
    /* its clock interrupts while the worker has its slice: it comes back at once */
    const uint64_t now = hal_timer_now_ns();
    fake_guest_virt_timer(&v->hal, now + 5 * MS + MS / 2u);
    for (int i = 0; i < 60; i++) {
        fake_time_advance(MS / 10u);
        if (fake_guest_pending(&v->hal, 27)) {
            CHECK(bench_runs(v, 0));
        }
    }
    CHECK(fake_guest_ack(&v->hal) == 27);
    /* waits: the worker runs until the guest is woken */
    bench_block(0);
    fake_guest_virt_timer(&v->hal, TIME_NEVER);
    work_stop = true;
    fake_run();
    CHECK(work_ran == 1);
    CHECK(fake_cpu_state(0) == FAKE_STATE_SLEEP);
    fake_guest_pend(&v->hal, 3);
    fake_run();
    CHECK(bench_runs(v, 0));
    CHECK(!v->hal.trap_wait);
}
ALONE(work_shares)

/* [test->dsn~work-share~1] */
/* A guest that keeps its CPU, waits only to be woken at once, and is interrupted without end while it is kept
 * waiting, leaves the worker its share all the same. */
static void work_not_starved_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU };
    struct vcpu *v = &bench_vcpu[0][0];
    struct work work;

    bench_setup(PLAN_SCHED_NULL);
    bench_cpus(1);
    bench_domain_make(0, affinity, 1);
    CHECK(sched_power_on(v) == HV_OK);
    fake_run();
    fake_time_step(10000);
    work_setup(&work, work_spin);
    work_queue(&work, WORK_ANY_CPU);
    fake_run();
    for (int i = 0; i < 1000; i++) {
        for (int n = 0; n < 48; n++) { /* 0.1 ms each */
            fake_guest_pend(&v->hal, 3);
            fake_time_advance(MS / 10u);
            if (bench_runs(v, 0)) {
                (void)fake_guest_ack(&v->hal);
            }
        }
        if (bench_runs(v, 0)) {
            (void)fake_guest_ack(&v->hal);
            fake_guest_wait(0);
        }
        fake_guest_pend(&v->hal, 3);
        fake_run();
    }
    const uint64_t share = (work_loops * 10000u * 100u) / hal_timer_now_ns();

    (void)fprintf(stderr, "worker %u%%\n", (unsigned)share);
    CHECK(share >= 5u && share <= 25u);
    work_stop = true;
}
ALONE(work_not_starved)

/* [test->dsn~work-share~1] */
/* A guest that sleeps for a moment again and again leaves the worker scraps only, too short to get anywhere.
 * They are not its share: that comes when it is due. */
static void work_not_scraps_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU };
    struct vcpu *v = &bench_vcpu[0][0];
    struct work work;
    uint64_t longest_ns = 0;

    bench_setup(PLAN_SCHED_NULL);
    bench_cpus(1);
    bench_domain_make(0, affinity, 1);
    CHECK(sched_power_on(v) == HV_OK);
    fake_run();
    fake_time_step(1000);
    work_setup(&work, work_spin);
    work_queue(&work, WORK_ANY_CPU);
    fake_run();
    for (int i = 0; i < 20000; i++) {
        const uint64_t from_ns = hal_timer_now_ns();

        fake_guest_virt_timer(&v->hal, from_ns + 2000u);
        fake_guest_wait(0); /* the worker has the CPU until the clock interrupts, or for its slice */
        fake_run();
        CHECK(bench_runs(v, 0));
        CHECK(fake_guest_ack(&v->hal) == 27);
        longest_ns =
            ((hal_timer_now_ns() - from_ns) > longest_ns) ? (hal_timer_now_ns() - from_ns) : longest_ns;
    }
    (void)fprintf(stderr, "longest slice %u us\n", (unsigned)(longest_ns / 1000u));
    CHECK(longest_ns >= SCHED_WORK_SLICE_NS && longest_ns < 2u * SCHED_WORK_SLICE_NS);
    work_stop = true;
}
ALONE(work_not_scraps)

static void work_wakes_guest(struct work *work)
{
    (void)work;
    CHECK(sched_power_on(&bench_vcpu[0][0]) == HV_OK);
    CHECK(sched_requested());
    work_breathe();
    CHECK(!sched_requested());
    work_ran++;
}

/* What the worker itself makes ready runs when it breathes. */
static void work_breathes_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU };
    struct work work;

    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(1);
    bench_domain_make(0, affinity, 1);
    work_setup(&work, work_wakes_guest);
    work_queue(&work, 0);
    fake_run();
    CHECK(bench_runs(&bench_vcpu[0][0], 0));
    CHECK(work_ran == 0);
    bench_block(0);
    CHECK(work_ran == 1);
}
ALONE(work_breathes)

/* A starting guest is placed where nothing is being built. */
static void null_avoids_work_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU, ANY_CPU };
    struct work work;

    bench_setup(PLAN_SCHED_NULL);
    bench_cpus(2);
    work_setup(&work, work_note);
    work_queue(&work, 0);
    bench_domain_make(0, affinity, 2);
    CHECK(bench_vcpu[0][0].cpu == 1);
    CHECK(bench_vcpu[0][1].cpu == 0);
}
ALONE(null_avoids_work)

/* -- credit2 -- */

static void credit2_shares_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU, ANY_CPU, ANY_CPU };

    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(1);
    bench_domain_make(0, affinity, 3);
    CHECK(sched_power_on(&bench_vcpu[0][0]) == HV_OK);
    fake_run();
    CHECK(fake_timer_deadline(0) == TIME_NEVER); /* nobody waits */
    CHECK(bench_vcpu[0][0].hal.trap_wait);
    fake_time_advance(100 * MS);
    CHECK(bench_vcpu[0][0].hal.nr_loads == 1);
    for (int i = 1; i < 3; i++) {
        CHECK(sched_power_on(&bench_vcpu[0][i]) == HV_OK);
    }
    fake_run();
    CHECK(bench_runs(&bench_vcpu[0][1], 0)); /* the first had its turn long ago */
    fake_time_advance(300 * MS);
    for (int i = 0; i < 3; i++) {
        const uint64_t ns = sched_run_ns(&bench_vcpu[0][i]) - ((i == 0) ? (100 * MS) : 0u);

        CHECK((ns >= 99 * MS) && (ns <= 101 * MS));
    }
    /* giving a turn away */
    struct hal_vcpu *first = fake_cpu_guest(0);
    const struct hal_exit yield = { .kind = HAL_EXIT_YIELD };
    CHECK(fake_guest_exit(0, &yield) == HAL_RESUME_NEXT);
    fake_run();
    CHECK(fake_cpu_guest(0) != first);
    /* alone again: no timer */
    sched_power_off(&bench_vcpu[0][1]);
    sched_power_off(&bench_vcpu[0][2]);
    fake_run();
    fake_time_advance(10 * MS);
    CHECK(bench_runs(&bench_vcpu[0][0], 0));
    CHECK(fake_timer_deadline(0) == TIME_NEVER);
    CHECK(fake_guest_exit(0, &yield) == HAL_RESUME_NEXT);
    fake_run();
    CHECK(bench_runs(&bench_vcpu[0][0], 0));
}
ALONE(credit2_shares)

/* All CPUs have somebody to pass on to: a turn's end takes the lock once, as nobody else could take who
 * leaves. */
static void credit2_turns_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU, ANY_CPU, ANY_CPU };
    uint32_t ticket = 0u;

    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(2);
    bench_domain_make(0, affinity, 3);
    for (int i = 0; i < 3; i++) {
        CHECK(sched_power_on(&bench_vcpu[0][i]) == HV_OK);
    }
    fake_run();
    fake_time_advance(10 * MS);
    ticket = sched_cpus[0].unit->lock.next;
    fake_time_advance(100 * MS);
    CHECK((sched_cpus[0].unit->lock.next - ticket) <=
          300u); /* two CPUs, turns of half a millisecond and more */
}
ALONE(credit2_turns)

static void credit2_pinned_scenario(void)
{
    /* two on CPU 0 only, three anywhere, on two CPUs */
    const uint64_t affinity[] = { BIT64(0), BIT64(0), ANY_CPU, ANY_CPU, ANY_CPU };
    uint64_t sum = 0;

    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(2);
    bench_domain_make(0, affinity, 5);
    for (int i = 0; i < 5; i++) {
        CHECK(sched_power_on(&bench_vcpu[0][i]) == HV_OK);
    }
    fake_run();
    fake_time_advance(1000 * MS);
    for (int i = 0; i < 5; i++) {
        const uint64_t ns = sched_run_ns(&bench_vcpu[0][i]);

        CHECK(ns > 200 * MS);
        CHECK(ns < 600 * MS);
        sum += ns;
    }
    CHECK(sum == 2000 * MS); /* no CPU was ever idle */
}
ALONE(credit2_pinned)

static void credit2_wake_takes_idle_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU, ANY_CPU, ANY_CPU };

    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(3);
    bench_domain_make(0, affinity, 3);
    for (int i = 0; i < 3; i++) {
        CHECK(sched_power_on(&bench_vcpu[0][i]) == HV_OK); /* none of the CPUs has looked yet */
    }
    fake_run();
    fake_time_advance(20 * MS); /* by then all have seen that nobody waits */
    for (cpuid_t cpu = 0; cpu < 3; cpu++) {
        CHECK(fake_cpu_state(cpu) == FAKE_STATE_GUEST);
        CHECK(fake_timer_deadline(cpu) == TIME_NEVER);
    }
    struct hal_vcpu *v = fake_cpu_guest(2);
    bench_block(2);
    fake_guest_pend(v, 4);
    fake_run();
    CHECK(fake_cpu_guest(2) == v);
}
ALONE(credit2_wake_takes_idle)

/* -- Pause, stop, start -- */

static void pausing_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU, ANY_CPU, ANY_CPU };
    struct domain *d = &bench_domain[0];

    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(2);
    bench_domain_make(0, affinity, 3);
    for (int i = 0; i < 3; i++) {
        CHECK(sched_power_on(&bench_vcpu[0][i]) == HV_OK);
    }
    fake_run();
    CHECK(!sched_domain_quiet(d));
    d->paused = true;
    sched_pause_domain(d);
    fake_run();
    CHECK(sched_domain_quiet(d));
    CHECK(fake_cpu_state(0) == FAKE_STATE_SLEEP);
    fake_guest_pend(&bench_vcpu[0][0].hal, 4);
    fake_time_advance(100 * MS);
    CHECK(sched_domain_quiet(d));
    d->paused = false;
    sched_unpause_domain(d);
    fake_run();
    CHECK(fake_cpu_state(0) == FAKE_STATE_GUEST);
    CHECK(fake_cpu_state(1) == FAKE_STATE_GUEST);
    fake_time_advance(100 * MS);
    for (int i = 0; i < 3; i++) {
        CHECK(sched_run_ns(&bench_vcpu[0][i]) > 50 * MS);
    }
    /* one that blocked before the pause and is woken during it */
    struct hal_vcpu *v = fake_cpu_guest(0);
    while (fake_guest_ack(v) != UINT32_MAX) {
    }
    bench_block(0);
    d->paused = true;
    sched_pause_domain(d);
    fake_guest_pend(v, 9);
    fake_run();
    CHECK(sched_domain_quiet(d));
    CHECK(vcpu_of(v)->state == VCPU_RUNNABLE);
    /* stopped while paused */
    for (int i = 0; i < 3; i++) {
        sched_power_off(&bench_vcpu[0][i]);
    }
    d->paused = false;
    sched_unpause_domain(d);
    fake_run();
    CHECK(sched_domain_quiet(d));
}
ALONE(pausing)

static void call_stop(struct hal_vcpu *vcpu, void *arg)
{
    (void)arg;
    upcall_vcpu_stop(vcpu);
}

static void firmware_scenario(void)
{
    const uint64_t affinity[] = { ANY_CPU, ANY_CPU };
    struct hal_vcpu *v = &bench_vcpu[0][0].hal;
    struct hal_vcpu *w = &bench_vcpu[0][1].hal;

    bench_setup(PLAN_SCHED_NULL);
    bench_cpus(2);
    bench_domain_make(0, affinity, 2);
    CHECK(sched_power_on(&bench_vcpu[0][0]) == HV_OK);
    fake_run();
    CHECK(upcall_vcpu(&bench_domain[0].hal, 1) == w);
    CHECK(upcall_vcpu(&bench_domain[0].hal, 2) == NULL);
    CHECK(!upcall_vcpu_is_on(w));
    CHECK(upcall_vcpu_start(w, 0x1234, 7) == HV_OK);
    CHECK(upcall_vcpu_is_on(w));
    CHECK(upcall_vcpu_start(w, 0x1234, 7) == HV_BUSY);
    fake_run();
    CHECK(bench_runs(&bench_vcpu[0][1], 1));
    CHECK(w->entry == 0x1234 && w->argument == 7 && w->nr_resets == 1);
    fake_cpu_set(1);
    CHECK(upcall_vcpu_current() == w);
    fake_cpu_set(OUTSIDE);
    CHECK(upcall_vcpu_current() == NULL);
    fake_guest_call(1, call_stop, NULL);
    fake_run();
    CHECK(!upcall_vcpu_is_on(w));
    CHECK(upcall_vcpu_start(w, 0x5678, 8) == HV_OK);
    fake_run();
    CHECK(w->nr_resets == 2 && bench_runs(&bench_vcpu[0][1], 1));
    fake_guest_call(1, call_stop, NULL);
    fake_run();
    bench_domain[0].state = DOMAIN_STOPPING;
    CHECK(upcall_vcpu_start(w, 0, 0) == HV_DENIED);
    CHECK(upcall_vcpu_start(v, 0, 0) == HV_DENIED);
    CHECK(w->nr_resets == 2);
}
ALONE(firmware)

/* -- Everything at random -- */

static void invariants(uint32_t nr_cpus)
{
    uint64_t idle = 0;

    for (cpuid_t cpu = 0; cpu < nr_cpus; cpu++) {
        if (fake_cpu_state(cpu) == FAKE_STATE_SLEEP) {
            idle |= BIT64(cpu);
        }
    }
    for (uint32_t n = 0; n < domain_count; n++) {
        for (uint32_t i = 0; i < bench_domain[n].nr_vcpus; i++) {
            const struct vcpu *v = &bench_vcpu[n][i];

            CHECK((v->state == VCPU_RUNNING) == (v->on_cpu != 0u));
            CHECK((v->state == VCPU_RUNNING) == v->hal.loaded);
            if (v->state == VCPU_RUNNING) {
                CHECK(bench_runs(v, v->cpu) && !bench_domain[n].paused);
                CHECK((v->affinity & BIT64(v->cpu)) != 0u);
            }
            if (v->state == VCPU_RUNNABLE && !bench_domain[n].paused) {
                CHECK(v->queued && (v->affinity & idle) == 0u); /* no CPU is idle that could run it */
            }
            if (v->state == VCPU_BLOCKED) {
                CHECK(!hal_vcpu_irq_pending(&v->hal));
                CHECK(hal_vcpu_deadline(&v->hal, false) > hal_timer_now_ns());
            }
        }
    }
}

static void random_move(void)
{
    struct domain *d = &bench_domain[rand() % 3];
    struct vcpu *v = d->vcpu[rand() % (int)d->nr_vcpus];

    if (sched_affinity(v, (uint64_t)(rand() % 32), (uint64_t)(rand() % 16)) == HV_OK) {
        CHECK((v->affinity != 0u) && (v->affinity < 16u));
    }
}

static void random_act(cpuid_t cpu, uint64_t now)
{
    struct domain *d = &bench_domain[rand() % 3];
    struct vcpu *v = d->vcpu[rand() % (int)d->nr_vcpus];
    struct hal_vcpu *guest = fake_cpu_guest(cpu);
    const struct hal_exit yield = { .kind = HAL_EXIT_YIELD };

    switch (rand() % 10) {
    case 0:
    case 1:
        fake_guest_pend(&v->hal, (uint32_t)(rand() % 16));
        break;
    case 2:
    case 3:
    case 4:
        if (guest != NULL) {
            (void)fake_guest_ack(guest);
            if (rand() % 2 == 0) {
                fake_guest_virt_timer(guest, now + (uint64_t)(rand() % 3000000));
            }
            const struct hal_exit idle = { .kind = HAL_EXIT_IDLE };
            (void)fake_guest_exit(cpu, &idle);
        }
        break;
    case 5:
        if (guest != NULL) {
            (void)fake_guest_exit(cpu, &yield);
        }
        break;
    case 6:
        d->paused = !d->paused;
        if (d->paused) {
            sched_pause_domain(d);
        } else {
            sched_unpause_domain(d);
        }
        break;
    case 7:
        if (rand() % 4 == 0) {
            sched_power_off(v);
        }
        break;
    case 8:
        if (upcall_vcpu_start(&v->hal, 0x1000, 0) == HV_OK) {
            CHECK(upcall_vcpu_is_on(&v->hal));
        }
        break;
    default:
        fake_time_advance((uint64_t)(rand() % 4000000));
        break;
    }
}

static void random_run(enum plan_sched policy, uint64_t pin, bool moves)
{
    struct work work;
    uint64_t any[6] = { ANY_CPU, ANY_CPU, ANY_CPU, ANY_CPU, ANY_CPU, ANY_CPU };

    srand(7);
    bench_setup(policy);
    bench_cpus(4);
    work_setup(&work, work_note);
    for (uint32_t n = 0; n < 3; n++) {
        any[0] = (pin != 0u) ? BIT64(n) : ANY_CPU;
        any[1] = (pin != 0u) ? BIT64(n) | BIT64(3) : ANY_CPU;
        bench_domain_make(n, any, (policy == PLAN_SCHED_NULL) ? 1 : 6);
    }
    for (int i = 0; i < 60000; i++) {
        if (moves && (rand() % 8 == 0)) {
            random_move();
        }
        random_act((cpuid_t)(rand() % 4), hal_timer_now_ns());
        if (rand() % 50 == 0) {
            work_queue(&work, WORK_ANY_CPU);
        }
        if (rand() % 2 == 0) {
            fake_run();
            invariants(4);
        }
    }
    CHECK(work_ran > 100u);
}

static void random_null_scenario(void)
{
    random_run(PLAN_SCHED_NULL, 0, false);
}
ALONE(random_null)

static void random_credit2_scenario(void)
{
    random_run(PLAN_SCHED_CREDIT2, 0, false);
}
ALONE(random_credit2)

static void random_credit2_pinned_scenario(void)
{
    random_run(PLAN_SCHED_CREDIT2, 1, false);
}
ALONE(random_credit2_pinned)

static void random_moved_scenario(void)
{
    random_run(PLAN_SCHED_CREDIT2, 0, true);
}
ALONE(random_moved)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_places),
        cmocka_unit_test(random_moved),
        cmocka_unit_test(block_and_wake),
        cmocka_unit_test(clocks),
        cmocka_unit_test(work_order),
        cmocka_unit_test(credit2_turns),
        cmocka_unit_test(work_shares),
        cmocka_unit_test(work_not_starved),
        cmocka_unit_test(work_not_scraps),
        cmocka_unit_test(work_breathes),
        cmocka_unit_test(null_avoids_work),
        cmocka_unit_test(credit2_shares),
        cmocka_unit_test(credit2_pinned),
        cmocka_unit_test(credit2_wake_takes_idle),
        cmocka_unit_test(pausing),
        cmocka_unit_test(firmware),
        cmocka_unit_test(random_null),
        cmocka_unit_test(random_credit2),
        cmocka_unit_test(random_credit2_pinned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
