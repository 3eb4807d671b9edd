/* arinc653 by itself: whose a CPU is at which time, over many frames; windows of the plan and of tools;
 * vCPUs that come and go. [test->req~arinc653-windows~1] */
#include "policy_alone.h"

#include "../sched/major.h"

#define CPUS    3u
#define DOMAINS 4u
#define VCPUS   3u
#define START   (123456789ULL)

static struct vcpu vcpus[DOMAINS][VCPUS];
static struct plan plan; /* as a whole it is large */
static struct major major;
static struct major told;

static struct sched_unit *unit_of(cpuid_t cpu)
{
    return &sched_units[CPUS - cpu]; /* a unit's number is not its CPU's */
}

static int setup(void **state)
{
    (void)state;
    for (uint32_t i = 0u; i < HV_CPUS_MAX; i++) {
        sched_frame_drop(&sched_units[i]);
    }
    alone_begin();
    memset(sched_units, 0, sizeof(sched_units));
    memset(sched_cpus, 0, sizeof(sched_cpus));
    memset(vcpus, 0, sizeof(vcpus));
    memset(&plan, 0, sizeof(plan));
    memset(&major, 0, sizeof(major));
    alone_pools[0].policy = &sched_arinc653;
    alone_pools[0].cpus = BIT64(CPUS) - 1u;
    alone_pools[1].policy = &sched_rtds;
    alone_pools[1].cpus = 0u;
    alone_now_ns = START;
    alone_asked = 0u;
    for (cpuid_t cpu = 0u; cpu < CPUS; cpu++) {
        unit_of(cpu)->index = CPUS - cpu;
        unit_of(cpu)->policy = &sched_arinc653;
        unit_of(cpu)->pool = &alone_pools[0];
        unit_of(cpu)->members = BIT64(cpu);
        sched_cpus[cpu].goes = unit_of(cpu);
    }
    for (uint32_t d = 0u; d < DOMAINS; d++) {
        alone_domains[d].id = (domid_t)d;
        alone_domains[d].nr_vcpus = VCPUS;
        memset(alone_domains[d].handle, (int)d + 1, sizeof(alone_domains[d].handle));
        for (uint32_t i = 0u; i < VCPUS; i++) {
            vcpus[d][i].domain = &alone_domains[d];
            vcpus[d][i].index = i;
            vcpus[d][i].affinity = BIT64(i % CPUS); /* vCPU 1 of each on CPU 1 ... */
            alone_domains[d].vcpu[i] = &vcpus[d][i];
        }
    }
    return 0;
}

static void join(struct vcpu *vcpu)
{
    vcpu->sched.unit = unit_of(vcpu->index);
    vcpu->sched.joined = true;
    sched_arinc653.join(vcpu->sched.unit, vcpu, alone_now_ns);
}

static void leave(struct vcpu *vcpu)
{
    vcpu->sched.joined = false;
    sched_arinc653.leave(vcpu->sched.unit, vcpu);
}

static void expect_at(cpuid_t cpu, uint64_t at_ns, const struct vcpu *vcpu, uint64_t until_ns)
{
    uint64_t until = 0u;

    assert_ptr_equal(sched_arinc653.window(unit_of(cpu), cpu, at_ns, &until), vcpu);
    assert_int_equal(until, until_ns);
}

static void minor(uint32_t domain, uint32_t vcpu, cpuid_t cpu, uint32_t at_us, uint32_t us)
{
    plan.minor[plan.nr_minors] = (struct plan_minor){
        .domain = (uint8_t)domain, .vcpu = (uint8_t)vcpu, .cpu = (uint8_t)cpu, .at_us = at_us, .us = us
    };
    plan.nr_minors++;
}

static void begin_planned(uint32_t major_us)
{
    alone_pools[0].start_ns = START;
    alone_pools[0].major_ns = major_us * US;
    for (cpuid_t cpu = 0u; cpu < CPUS; cpu++) {
        sched_frame_plan(unit_of(cpu), &plan, cpu);
    }
}

static void test_of_the_plan(void **state)
{
    (void)state;
    minor(0u, 0u, 0u, 100u, 300u);
    minor(1u, 0u, 0u, 400u, 100u);
    minor(0u, 0u, 0u, 700u, 300u);
    minor(2u, 1u, 1u, 0u, 50u);
    begin_planned(1000u);
    expect_at(0u, START, NULL, START + (100u * US));
    expect_at(0u, START + (100u * US), NULL, START + (400u * US)); /* it did not come yet */
    join(&vcpus[0][0]);
    join(&vcpus[1][0]);
    join(&vcpus[2][1]);
    join(&vcpus[3][0]);
    expect_at(0u, START - 1u, NULL, START);
    expect_at(0u, START + (100u * US) - 1u, NULL, START + (100u * US));
    expect_at(0u, START + (100u * US), &vcpus[0][0], START + (400u * US));
    expect_at(0u, START + (400u * US) - 1u, &vcpus[0][0], START + (400u * US));
    expect_at(0u, START + (400u * US), &vcpus[1][0], START + (500u * US));
    expect_at(0u, START + (500u * US), NULL, START + (700u * US));
    expect_at(0u, START + (999u * US), &vcpus[0][0], START + (1000u * US));
    expect_at(0u, START + (1000u * US), NULL, START + (1100u * US));
    expect_at(0u, START + (1450u * US), &vcpus[1][0], START + (1500u * US));
    expect_at(1u, START + (40000049u * US), &vcpus[2][1], START + (40000050u * US));
    expect_at(1u, START + (40000050u * US), NULL, START + (40001000u * US));
    expect_at(2u, START, NULL, TIME_NEVER);
    leave(&vcpus[1][0]);
    expect_at(0u, START + (2450u * US), NULL, START + (2500u * US));
    expect_at(0u, START + (2390u * US), &vcpus[0][0],
              START + (2400u * US)); /* a clock that was read earlier */
    join(&vcpus[1][0]);
    expect_at(0u, START + (2450u * US), &vcpus[1][0], START + (2500u * US));
}

/* From window to window for long, as a CPU does, sometimes late, sometimes absent for many frames: what it
 * is told is what the plan says of that time. */
static void test_no_drift(void **state)
{
    uint32_t at_us = 0u;

    (void)state;
    for (uint32_t i = 0u; (i < 20u) && (at_us < 900u); i++) {
        const uint32_t us = (uint32_t)any_of(1u, 60u);

        at_us += (uint32_t)any_of(0u, 3u) * 7u;
        minor(any() % DOMAINS, 0u, 0u, at_us, us);
        at_us += us;
    }
    begin_planned(997u);
    for (uint32_t d = 0u; d < DOMAINS; d++) {
        join(&vcpus[d][0]);
    }
    for (uint32_t n = 0u; n < 1000000u; n++) {
        const uint64_t since_us = ((alone_now_ns - START) / US) % 997u;
        const uint64_t begin_ns = alone_now_ns - ((alone_now_ns - START) % (997u * US));
        const struct vcpu *owner = NULL;
        uint64_t next_us = 997u;
        uint64_t until_ns = 0u;

        for (uint32_t i = 0u; i < plan.nr_minors; i++) {
            const struct plan_minor *const m = &plan.minor[i];

            if ((since_us >= m->at_us) && (since_us < (m->at_us + m->us))) {
                owner = &vcpus[m->domain][0];
                next_us = m->at_us + m->us;
            } else if ((since_us < m->at_us) && (m->at_us < next_us)) {
                next_us = m->at_us;
            }
        }
        assert_ptr_equal(sched_arinc653.window(unit_of(0u), 0u, alone_now_ns, &until_ns), owner);
        assert_int_equal(until_ns, begin_ns + (next_us * US));
        if ((n % 1000u) == 999u) {
            alone_now_ns += any() % (1u << 30u);
        } else {
            alone_now_ns = until_ns + (((n % 8u) == 0u) ? (any() % 5000u) : 0u);
        }
    }
}

static void entry(uint32_t domain, uint32_t vcpu, uint64_t ns)
{
    struct sched_minor *const to = &major.minor[major.nr];

    memset(to->handle, (int)domain + 1, sizeof(to->handle));
    to->vcpu = vcpu;
    to->ns = ns;
    major.nr++;
}

static void test_of_tools(void **state)
{
    (void)state;
    for (uint32_t i = 0u; i < VCPUS; i++) {
        join(&vcpus[0][i]);
        join(&vcpus[1][i]);
    }
    alone_now_ns = START + 777u;
    major.ns = 10u * MS;
    entry(0u, 0u, 2u * MS);
    entry(254u, 0u, 1u * MS); /* nobody's: before what follows */
    entry(1u, 0u, 3u * MS);
    entry(254u, 9u, 4u * MS);
    entry(1u, 1u, 6u * MS);
    entry(2u, 0u, 1u * MS); /* will come */
    assert_int_equal(major_set(0u, &major), HV_OK);
    assert_int_equal(alone_asked, 7u);
    expect_at(0u, START + 777u, &vcpus[0][0], START + 777u + (2u * MS));
    expect_at(0u, START + 777u + (2u * MS), NULL, START + 777u + (3u * MS));
    expect_at(0u, START + 777u + (3u * MS), &vcpus[1][0], START + 777u + (6u * MS));
    expect_at(0u, START + 777u + (6u * MS), NULL, START + 777u + (7u * MS));
    expect_at(0u, START + 777u + (7u * MS), NULL, START + 777u + (10u * MS));
    expect_at(1u, START + 777u, NULL, START + 777u + (4u * MS));
    expect_at(1u, START + 777u + (4u * MS), &vcpus[1][1], START + 777u + (10u * MS));
    expect_at(2u, START + 777u, NULL, TIME_NEVER);
    join(&vcpus[2][0]);
    expect_at(0u, START + 777u + (16u * MS), &vcpus[2][0], START + 777u + (17u * MS));

    /* Another domain in the same place is not who was meant; the same one again is. */
    leave(&vcpus[1][0]);
    memset(alone_domains[1].handle, 77, 16u);
    join(&vcpus[1][0]);
    expect_at(0u, START + 777u + (23u * MS), NULL, START + 777u + (26u * MS));
    leave(&vcpus[1][0]);
    memset(alone_domains[1].handle, 2, 16u);
    join(&vcpus[1][0]);
    expect_at(0u, START + 777u + (23u * MS), &vcpus[1][0], START + 777u + (26u * MS));

    /* What is told is what was set, and setting it changes nothing. */
    assert_int_equal(major_get(0u, &told), HV_OK);
    assert_int_equal(told.ns, 10u * MS);
    assert_int_equal(told.nr, 6u);
    assert_int_equal(major_set(0u, &told), HV_OK);
    assert_int_equal(major_get(0u, &major), HV_OK);
    assert_memory_equal(&told, &major, sizeof(major));
    expect_at(1u, START + 777u + (4u * MS), &vcpus[1][1], START + 777u + (10u * MS));
}

static void test_refused(void **state)
{
    (void)state;
    join(&vcpus[0][0]);
    major.ns = 10u * MS;
    entry(0u, 0u, 4u * MS);
    entry(1u, 0u, 6u * MS);
    assert_int_equal(major_set(0u, &major), HV_OK);
    alone_now_ns += 1u;
    assert_int_equal(major_set(2u, &major), HV_NOT_FOUND);
    assert_int_equal(major_set(1u, &major), HV_NOT_SUPPORTED);
    assert_int_equal(major_get(2u, &told), HV_NOT_FOUND);
    assert_int_equal(major_get(1u, &told), HV_NOT_SUPPORTED);
    major.minor[1].ns++;
    assert_int_equal(major_set(0u, &major), HV_INVALID);
    major.minor[1].ns = UINT64_MAX - (4u * MS) + 2u; /* the sum would wrap */
    assert_int_equal(major_set(0u, &major), HV_INVALID);
    major.minor[1].ns = 0u;
    assert_int_equal(major_set(0u, &major), HV_INVALID);
    major.minor[1].ns = 1u;
    major.ns = 0u;
    assert_int_equal(major_set(0u, &major), HV_INVALID);
    major.ns = 3600000000001u;
    assert_int_equal(major_set(0u, &major), HV_INVALID);
    major.ns = 3600000000000u;
    major.nr = 0u;
    assert_int_equal(major_set(0u, &major), HV_INVALID);
    major.nr = SCHED_MINORS + 1u;
    assert_int_equal(major_set(0u, &major), HV_INVALID);
    /* and nothing changed */
    expect_at(0u, START + (4u * MS) - 1u, &vcpus[0][0], START + (4u * MS));
    assert_int_equal(major_get(0u, &told), HV_OK);
    assert_int_equal(told.ns, 10u * MS);
    assert_int_equal(told.nr, 2u);
    major.nr = 2u;
    assert_int_equal(major_set(0u, &major), HV_OK);
    expect_at(0u, START + 1u + (4u * MS), NULL, START + 2u + (4u * MS));
    expect_at(0u, START + 2u + (4u * MS), NULL, START + 1u + 3600000000000u);
    alone_pools[0].cpus = 0u;
    assert_int_equal(major_set(0u, &major), HV_LIMIT);
}

static void add_all(uint32_t ticket)
{
    for (uint32_t left = major.nr; left > 0u; left--) {
        assert_int_equal(sched_major_add(ticket, &major.minor[left - 1u]), HV_OK);
    }
}

/* A ticket is good until somebody else begins; what was begun then, or never ended, is over. */
static void test_pieces(void **state)
{
    uint32_t first = 0u;
    uint32_t second = 0u;
    struct major before;
    bool done = false;

    (void)state;
    join(&vcpus[0][0]);
    join(&vcpus[0][1]);
    major.ns = 1u * MS;
    for (uint32_t i = 0u; i < SCHED_MINORS; i++) {
        entry(0u, i % 2u, 30u * US);
    }
    assert_int_equal(major_set(0u, &major), HV_OK);
    assert_int_equal(sched_major_add(first, &major.minor[0]), HV_BUSY); /* nobody's */
    assert_int_equal(major_get(0u, &before), HV_OK);
    assert_int_equal(before.nr, SCHED_MINORS);
    for (uint32_t n = 0u; n < 100u; n++) {
        assert_int_equal(sched_major_begin(0u, 2u * MS, SCHED_MINORS, &first), HV_OK);
        for (uint32_t i = 0u; i < (n % SCHED_MINORS); i++) {
            assert_int_equal(sched_major_add(first, &major.minor[i]), HV_OK);
        }
        assert_int_equal(sched_major_give(first, &done), HV_BUSY); /* too early */
        assert_true(done);
    }
    assert_int_equal(sched_major_begin(0u, 2u * MS, 2u, &second), HV_OK);
    assert_int_not_equal(first, second);
    assert_int_equal(sched_major_add(first, &major.minor[0]), HV_BUSY);
    assert_int_equal(sched_major_give(first, &done), HV_BUSY);
    assert_int_equal(sched_major_add(second, &major.minor[0]), HV_OK);
    assert_int_equal(sched_major_add(second, &major.minor[1]), HV_OK);
    assert_int_equal(sched_major_add(second, &major.minor[2]), HV_BUSY); /* there are no more */
    /* Nothing has changed until now; then one CPU after another has its own. */
    assert_int_equal(major_get(0u, &told), HV_OK);
    assert_memory_equal(&told, &before, sizeof(before));
    alone_now_ns += 5u;
    alone_asked = 0u;
    for (uint32_t n = 0u; n < CPUS; n++) {
        assert_int_equal(sched_major_give(second, &done), HV_OK);
        assert_false(done);
        assert_int_equal(alone_asked, BIT64(n + 1u) - 1u);
        alone_now_ns += 1u; /* the frames begin at the same time */
    }
    assert_int_equal(sched_major_give(second, &done), HV_OK);
    assert_true(done);
    expect_at(0u, START + 5u, &vcpus[0][0], START + 5u + (30u * US));
    expect_at(1u, START + 7u, &vcpus[0][1], START + 5u + (30u * US));
    expect_at(2u, START + 7u, NULL, TIME_NEVER);
    assert_int_equal(sched_major_give(second, &done), HV_BUSY);
}

/* vCPUs and the pool change while a schedule is set. */
static void test_meanwhile(void **state)
{
    uint32_t first = 0u;
    bool done = false;

    (void)state;
    join(&vcpus[0][0]);
    join(&vcpus[0][1]);
    entry(0u, 0u, 30u * US);
    entry(0u, 1u, 30u * US);

    /* One that came between its entry and the giving has its window by being filled in. */
    assert_int_equal(sched_major_begin(0u, 2u * MS, 2u, &first), HV_OK);
    leave(&vcpus[0][0]);
    alone_domains[0].id = XEN_DOMID_INVALID;
    add_all(first);
    alone_domains[0].id = 0u;
    join(&vcpus[0][0]);
    do {
        assert_int_equal(sched_major_give(first, &done), HV_OK);
    } while (!done);
    expect_at(0u, alone_now_ns, NULL, alone_now_ns + (30u * US));
    alone_asked = 0u;
    sched_minor_fill(&major.minor[0]);
    expect_at(0u, alone_now_ns, &vcpus[0][0], alone_now_ns + (30u * US));
    assert_int_equal(alone_asked, 1u);

    /* The pool changes under it. */
    assert_int_equal(sched_major_begin(0u, 2u * MS, 2u, &first), HV_OK);
    assert_int_equal(sched_major_add(first, &major.minor[0]), HV_OK);
    alone_pools[0].cpus = 0u;
    assert_int_equal(sched_major_add(first, &major.minor[1]), HV_LIMIT);
    alone_pools[0].cpus = BIT64(CPUS) - 1u;
    assert_int_equal(sched_major_add(first, &major.minor[1]), HV_BUSY); /* it is over */
    assert_int_equal(sched_major_begin(0u, 2u * MS, 2u, &first), HV_OK);
    add_all(first);
    alone_pools[0].policy = NULL;
    assert_int_equal(sched_major_give(first, &done), HV_NOT_FOUND);
    alone_pools[0].policy = &sched_arinc653;
    assert_int_equal(sched_major_give(first, &done), HV_BUSY);
    major.ns = 1u * MS;
    assert_int_equal(major_set(0u, &major), HV_OK);
}

/* Windows are given back, whatever was refused in between. */
static void test_windows_last(void **state)
{
    (void)state;
    join(&vcpus[0][0]);
    for (uint32_t n = 0u; n < 1000u; n++) {
        major.ns = 1u * MS;
        major.nr = 0u;
        for (uint32_t i = 0u; i < SCHED_MINORS; i++) {
            entry(any() % DOMAINS, any() % VCPUS, 15u * US);
        }
        assert_int_equal(major_set(0u, &major), HV_OK);
        assert_int_equal(major_get(0u, &told), HV_OK);
        assert_int_equal(told.nr, SCHED_MINORS);
        major.minor[n % SCHED_MINORS].ns = 2u * MS;
        assert_int_equal(major_set(0u, &major), HV_INVALID);
    }
    /* More than tools can be told. */
    for (cpuid_t cpu = 0u; cpu < CPUS; cpu++) {
        sched_frame_drop(unit_of(cpu));
    }
    for (uint32_t i = 0u; i < 33u; i++) {
        minor(0u, 0u, 0u, i * 10u, 5u);
    }
    begin_planned(1000u);
    assert_int_equal(major_get(0u, &told), HV_LIMIT);
    /* All windows are used but 63. */
    sched_frame_drop(unit_of(0u));
    plan.nr_minors = 0u;
    for (uint32_t i = 0u; i < PLAN_MINORS_MAX; i++) {
        minor(0u, 1u, 1u, i * 5u, 5u);
    }
    sched_frame_plan(unit_of(1u), &plan, 1u);
    for (uint32_t i = 0u; i < 65u; i++) {
        plan.minor[i].cpu = 2u;
    }
    sched_frame_plan(unit_of(2u), &plan, 2u);
    major.minor[999u % SCHED_MINORS].ns = 15u * US;
    assert_int_equal(major_set(0u, &major), HV_LIMIT);
    major.nr--;
    assert_int_equal(major_set(0u, &major), HV_OK);
    major.nr++;
    assert_int_equal(major_set(0u, &major), HV_OK);
    assert_int_equal(major_get(0u, &told), HV_OK);
    assert_int_equal(told.nr, SCHED_MINORS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_of_the_plan, setup),  cmocka_unit_test_setup(test_no_drift, setup),
        cmocka_unit_test_setup(test_of_tools, setup),     cmocka_unit_test_setup(test_refused, setup),
        cmocka_unit_test_setup(test_windows_last, setup), cmocka_unit_test_setup(test_pieces, setup),
        cmocka_unit_test_setup(test_meanwhile, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
