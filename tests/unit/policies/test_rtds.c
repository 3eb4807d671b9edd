/* rtds by itself: what a period gives, whatever is late; and, with a few lines in the framework's place,
 * that no set which the bound admits misses a deadline on 1 to 64 CPUs. [test->req~rtds-budget~1]
 * [test->req~rtds-admission~1] */
#include "policy_alone.h"

#define VCPUS 80u

static struct sched_unit unit;
static struct domain domain;
static struct vcpu vcpus[VCPUS];

static int setup(void **state)
{
    (void)state;
    memset(&unit, 0, sizeof(unit));
    memset(&domain, 0, sizeof(domain));
    memset(vcpus, 0, sizeof(vcpus));
    for (uint32_t i = 0u; i < VCPUS; i++) {
        vcpus[i].domain = &domain;
    }
    return 0;
}

static void make(struct vcpu *vcpu, uint32_t period_us, uint32_t budget_us, bool extra, uint64_t now_ns)
{
    vcpu->state = VCPU_RUNNABLE;
    vcpu->sched.period_us = period_us;
    vcpu->sched.budget_us = budget_us;
    vcpu->sched.extra = extra;
    sched_rtds.join(&unit, vcpu, now_ns);
    sched_rtds.wake(&unit, vcpu, now_ns);
}

/* As the framework does when the time has come. */
static void look(struct vcpu *vcpu, uint64_t now_ns)
{
    sched_at_no_more(&unit, vcpu);
    sched_rtds.look(&unit, vcpu, now_ns);
}

/* It runs, and is charged then. */
static void run(struct vcpu *vcpu, uint64_t ran_ns, uint64_t now_ns)
{
    vcpu->state = VCPU_RUNNING;
    sched_rtds.charge(&unit, vcpu, ran_ns, now_ns);
    vcpu->state = VCPU_RUNNABLE;
}

static void test_first_period(void **state)
{
    struct vcpu *const vcpu = &vcpus[0];

    (void)state;
    make(vcpu, 10000u, 4000u, false, 5u * MS);
    assert_int_equal(vcpu->sched.deadline_ns, 15u * MS);
    assert_int_equal(vcpu->sched.left_ns, 4u * MS);
    assert_int_equal(vcpu->sched.ready.rank, 0u);
    assert_int_equal(vcpu->sched.ready.key, 15u * MS);
    assert_true(vcpu->sched.timed && (vcpu->sched.later.key == (15u * MS)));
    assert_int_equal(sched_rtds.turn_end(&unit, 0u, vcpu, NULL, 7u * MS), 11u * MS);

    run(vcpu, 1u * MS, 8u * MS);
    assert_int_equal(vcpu->sched.left_ns, 3u * MS);
    assert_false(vcpu->sched.parked);
    run(vcpu, 3u * MS, 11u * MS);
    assert_true(vcpu->sched.parked);
    sched_rtds.wake(&unit, vcpu, 14u * MS); /* being woken gives nothing */
    assert_true(vcpu->sched.parked);
    look(vcpu, 15u * MS);
    assert_false(vcpu->sched.parked);
    assert_int_equal(vcpu->sched.left_ns, 4u * MS);
    assert_int_equal(vcpu->sched.deadline_ns, 25u * MS);
}

/* What it had too much is missing next time, even if that takes periods. */
static void test_overrun(void **state)
{
    struct vcpu *const vcpu = &vcpus[0];

    (void)state;
    make(vcpu, 1000u, 100u, false, 0u);
    run(vcpu, 330u * US, 330u * US);
    assert_true(vcpu->sched.parked);
    look(vcpu, 1u * MS);
    assert_true(vcpu->sched.parked);
    assert_int_equal(vcpu->sched.left_ns, -130 * (int64_t)US);
    look(vcpu, 2u * MS);
    assert_true(vcpu->sched.parked);
    look(vcpu, 3u * MS);
    assert_false(vcpu->sched.parked);
    assert_int_equal(vcpu->sched.left_ns, 70 * (int64_t)US);
}

/* Charged late: what it ran before its deadline and after it are two periods'. */
static void test_across_deadline(void **state)
{
    struct vcpu *const vcpu = &vcpus[0];

    (void)state;
    make(vcpu, 1000u, 600u, false, 0u);
    vcpu->state = VCPU_RUNNING;
    look(vcpu, 1u * MS);
    assert_int_equal(vcpu->sched.deadline_ns, 1u * MS); /* its CPU does that */
    run(vcpu, 300u * US, 1100u * US);
    assert_int_equal(vcpu->sched.deadline_ns, 2u * MS);
    assert_int_equal(vcpu->sched.left_ns, 500 * (int64_t)US);
    assert_true(vcpu->sched.timed && (vcpu->sched.later.key == (2u * MS)));

    run(vcpu, 3000u * US,
        4500u * US); /* in [1.5, 4.5]: 0.5 of one period, two whole ones, half of the next */
    assert_int_equal(vcpu->sched.deadline_ns, 5u * MS);
    assert_int_equal(vcpu->sched.left_ns, (3 * 600 - 2500) * (int64_t)US);
    assert_true(vcpu->sched.parked);
}

static void test_extra(void **state)
{
    struct vcpu *const vcpu = &vcpus[0];
    struct vcpu *const other = &vcpus[1];

    (void)state;
    make(vcpu, 1000u, 100u, true, 0u);
    make(other, 500000u, 100u, false, 0u);
    assert_true(sched_rtds.before(&unit, vcpu, other, 0u));
    run(vcpu, 100u * US, 100u * US);
    assert_false(vcpu->sched.parked);
    assert_int_equal(vcpu->sched.ready.rank, 1u);
    assert_int_equal(vcpu->sched.left_ns, 100 * (int64_t)US);
    assert_true(sched_rtds.before(&unit, other, vcpu, 0u)); /* whose deadline is later */
    run(vcpu, 350u * US, 450u * US);
    assert_int_equal(vcpu->sched.ready.rank, 4u);
    assert_int_equal(vcpu->sched.left_ns, 50 * (int64_t)US);
    look(vcpu, 1u * MS);
    assert_int_equal(vcpu->sched.ready.rank, 0u);
    assert_int_equal(vcpu->sched.left_ns, 100 * (int64_t)US);
    assert_false(sched_rtds.before(&unit, vcpu, vcpu, 0u));
}

/* One that waits is not looked at again and again; its next period begins when it is woken. */
static void test_long_wait(void **state)
{
    struct vcpu *const vcpu = &vcpus[0];
    const uint64_t woken_ns = 1000000000u * MS;

    (void)state;
    make(vcpu, 100u, 10u, false, 3u);
    vcpu->state = VCPU_BLOCKED;
    look(vcpu, 100u * US + 3u);
    assert_false(vcpu->sched.timed);
    vcpu->state = VCPU_RUNNABLE;
    sched_rtds.wake(&unit, vcpu, woken_ns);
    assert_int_equal(vcpu->sched.deadline_ns, woken_ns + (100u * US));
    assert_int_equal(vcpu->sched.left_ns, 10 * (int64_t)US); /* not those of all the periods */
    assert_true(vcpu->sched.timed);
    domain.paused = true;
    look(vcpu, woken_ns + (100u * US));
    assert_false(vcpu->sched.timed);
    domain.paused = false;
    sched_rtds.wake(&unit, vcpu, woken_ns + (100u * US));
    assert_int_equal(vcpu->sched.deadline_ns, woken_ns + (200u * US));
    assert_true(vcpu->sched.timed);
}

/* Woken with as much as its part of what is left of its period, it goes on; with more, a period begins. */
static void test_short_wait(void **state)
{
    struct vcpu *const vcpu = &vcpus[0];

    (void)state;
    make(vcpu, 1000u, 400u, false, 0u);
    run(vcpu, 200u * US, 200u * US);
    sched_rtds.wake(&unit, vcpu, 500u * US);
    assert_int_equal(vcpu->sched.left_ns, 200 * (int64_t)US);
    assert_int_equal(vcpu->sched.deadline_ns, 1000u * US);
    sched_rtds.wake(&unit, vcpu, (500u * US) + 1u);
    assert_int_equal(vcpu->sched.left_ns, 400 * (int64_t)US);
    assert_int_equal(vcpu->sched.deadline_ns, (1500u * US) + 1u);
    assert_true(vcpu->sched.timed && (vcpu->sched.later.key == vcpu->sched.deadline_ns));
}

static void test_new_parameters(void **state)
{
    struct vcpu *const vcpu = &vcpus[0];

    (void)state;
    make(vcpu, 1000u, 400u, false, 0u);
    vcpu->sched.period_us = 300u;
    vcpu->sched.budget_us = 50u;
    run(vcpu, 300u * US, 300u * US);
    assert_int_equal(vcpu->sched.left_ns, 100 * (int64_t)US);
    assert_int_equal(vcpu->sched.deadline_ns, 1u * MS);
    look(vcpu, 1u * MS);
    assert_int_equal(vcpu->sched.left_ns, 50 * (int64_t)US);
    assert_int_equal(vcpu->sched.deadline_ns, 1300u * US);
}

/* A hog whose CPU is told late each time, now and then by whole periods, gets its budget in the long run
 * and no more than one lateness beyond it at any time. */
static void test_exact_in_the_long_run(void **state)
{
    (void)state;
    for (uint32_t round = 0u; round < 200u; round++) {
        struct vcpu *const vcpu = &vcpus[0];
        const uint32_t period_us = (uint32_t)any_of(10u, 20000u);
        const uint32_t budget_us = (uint32_t)any_of(10u, period_us);
        uint64_t now_ns = any_of(0u, 1000u * MS);
        const uint64_t begin_ns = now_ns;
        uint64_t had_ns = 0u;
        uint64_t late_ns = 0u;

        setup(NULL);
        make(vcpu, period_us, budget_us, false, now_ns);
        for (uint32_t i = 0u; i < 2000u; i++) {
            const uint64_t periods = ((now_ns - begin_ns) / ((uint64_t)period_us * US)) + 1u;

            assert_true(had_ns <= ((periods * budget_us * US) + late_ns));
            if (vcpu->sched.parked) {
                /* all that it was promised up to here */
                assert_true(had_ns >= (periods * budget_us * US));
                now_ns = vcpu->sched.deadline_ns;
                look(vcpu, now_ns);
            } else {
                const uint64_t end_ns =
                    bits_min(sched_rtds.turn_end(&unit, 0u, vcpu, NULL, now_ns), vcpu->sched.deadline_ns);
                const uint64_t more_ns =
                    ((any() % 64u) == 0u) ? any_of(0u, 3u * period_us * US) : any_of(0u, 2u * US);
                const uint64_t ran_ns = end_ns + more_ns - now_ns;

                now_ns += ran_ns;
                had_ns += ran_ns;
                late_ns = bits_max(late_ns, more_ns);
                run(vcpu, ran_ns, now_ns);
            }
        }
    }
}

/* -- A machine of some CPUs, without the costs of a real one -- */

struct machine {
    uint32_t nr_cpus;
    uint32_t nr;
    bool runs[VCPUS];
    uint64_t had_ns[VCPUS]; /* in the period that ends at ... */
    uint64_t ends_ns[VCPUS];
    uint64_t now_ns;
};

/* The period of a vCPU ended: it was always ready, so it must have had its budget. */
static void count_period(struct machine *machine, uint32_t i)
{
    if (machine->ends_ns[i] != vcpus[i].sched.deadline_ns) {
        if (machine->had_ns[i] < (vcpus[i].sched.budget_us * US)) {
            fail_msg("vCPU %u of %u on %u CPUs missed its deadline at %llu: %llu of %u us", i, machine->nr,
                     machine->nr_cpus, (unsigned long long)machine->ends_ns[i],
                     (unsigned long long)(machine->had_ns[i] / US), vcpus[i].sched.budget_us);
        }
        machine->had_ns[i] = 0u;
        machine->ends_ns[i] = vcpus[i].sched.deadline_ns;
    }
}

/* The best ones, as many as there are CPUs, run until the first event. */
static void step(struct machine *machine)
{
    uint64_t next_ns = TIME_NEVER;
    uint64_t step_ns = 0u;

    unit.ready.root = NULL;
    for (uint32_t i = 0u; i < machine->nr; i++) {
        vcpus[i].state = VCPU_RUNNABLE;
        machine->runs[i] = false;
        if (!vcpus[i].sched.parked) {
            vcpus[i].sched.ready.mask = UINT64_MAX;
            queue_insert(&unit.ready, &vcpus[i].sched.ready);
        }
        next_ns = bits_min(next_ns, vcpus[i].sched.deadline_ns);
    }
    for (uint32_t cpu = 0u; (cpu < machine->nr_cpus) && (unit.ready.root != NULL); cpu++) {
        struct vcpu *const vcpu = sched_vcpu_ready(queue_first(&unit.ready, UINT64_MAX));

        queue_remove(&unit.ready, &vcpu->sched.ready);
        vcpu->state = VCPU_RUNNING;
        machine->runs[vcpu - vcpus] = true;
        next_ns = bits_min(next_ns, sched_rtds.turn_end(&unit, cpu, vcpu, NULL, machine->now_ns));
    }
    assert_true(next_ns > machine->now_ns);
    step_ns = next_ns - machine->now_ns;
    machine->now_ns = next_ns;
    for (uint32_t i = 0u; i < machine->nr; i++) {
        if (machine->runs[i]) {
            const bool within = (vcpus[i].sched.ready.rank == 0u);

            machine->had_ns[i] += within ? step_ns : 0u;
            sched_rtds.charge(&unit, &vcpus[i], step_ns, next_ns);
        } else if (vcpus[i].sched.deadline_ns <= next_ns) {
            look(&vcpus[i], next_ns);
        } else {
            /* it waits */
        }
        count_period(machine, i);
    }
}

/* As many vCPUs as the bound admits, each of a random use up to `most_percent`; the last is cut to fit. */
static void fill(struct machine *machine, uint32_t most_percent)
{
    uint64_t sum = 0u; /* in millionths, rounded up */
    uint64_t most = 0u;

    machine->nr = 0u;
    while (machine->nr < VCPUS) {
        const uint32_t period_us = (uint32_t)any_of(1u, 40u) * 250u;
        uint32_t budget_us = (uint32_t)any_of(10u, bits_max(10u, period_us * most_percent / 100u));
        uint64_t use = 0u;
        uint64_t top = 0u;

        do {
            use = ((budget_us * 1000000ULL) + period_us - 1u) / period_us;
            top = bits_max(most, use);
        } while (((sum + use + ((machine->nr_cpus - 1u) * top)) > (machine->nr_cpus * 1000000ULL)) &&
                 ((budget_us = budget_us * 15u / 16u) >= 10u));
        if (budget_us < 10u) {
            break;
        }
        sum += use;
        most = top;
        /* together at first, which is the worst for one CPU; extra time must not harm others */
        make(&vcpus[machine->nr], period_us, budget_us, (any() % 2u) == 0u, 0u);
        machine->ends_ns[machine->nr] = vcpus[machine->nr].sched.deadline_ns;
        machine->nr++;
    }
    assert_true(machine->nr > 0u);
}

static void no_miss(uint32_t nr_cpus, uint32_t most_percent, uint32_t nr_sets)
{
    for (uint32_t set = 0u; set < nr_sets; set++) {
        struct machine machine = { .nr_cpus = nr_cpus };

        setup(NULL);
        fill(&machine, most_percent);
        while (machine.now_ns < (300u * MS)) {
            step(&machine);
        }
    }
}

static void test_no_miss(void **state)
{
    (void)state;
    no_miss(1u, 100u, 60u);
    no_miss(2u, 60u, 40u);
    no_miss(4u, 50u, 30u);
    no_miss(8u, 30u, 15u);
    no_miss(64u, 90u, 6u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_first_period, setup),
        cmocka_unit_test_setup(test_overrun, setup),
        cmocka_unit_test_setup(test_across_deadline, setup),
        cmocka_unit_test_setup(test_extra, setup),
        cmocka_unit_test_setup(test_long_wait, setup),
        cmocka_unit_test_setup(test_short_wait, setup),
        cmocka_unit_test_setup(test_new_parameters, setup),
        cmocka_unit_test(test_exact_in_the_long_run),
        cmocka_unit_test(test_no_miss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
