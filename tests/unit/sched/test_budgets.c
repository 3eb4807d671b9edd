/* rtds: everybody has its budget in each of its periods, whatever the others do. [test->req~rtds-budget~1]
 * [test->req~rtds-admission~1] */
#include "schedsim.h"

#define EXACT_NS (10u * US)

static struct {
    uint32_t cpus;
    uint32_t nr;
    uint64_t seed;
    uint64_t ns;
    bool attackers; /* some misbehave */
    bool extra;
    bool admission;
} with;

/* A vCPU that always wants to run, period by period */
struct due {
    uint64_t period_ns;
    uint64_t budget_ns;
    uint64_t begun_ns;
    uint64_t from_ns; /* the period that is looked at */
    uint64_t got_ns;  /* in it */
    uint64_t periods;
    bool victim; /* it always wants to run, so nothing may be missing */
    bool extra;
};
static struct due due[GUESTS];

static void period_over(uint32_t i)
{
    struct due *const d = &due[i];
    const uint64_t missing = (d->got_ns < d->budget_ns) ? (d->budget_ns - d->got_ns) : 0u;
    const uint64_t beyond = (d->got_ns > d->budget_ns) ? (d->got_ns - d->budget_ns) : 0u;

    if (d->victim) {
        figures_worst(0, missing);
        MUST(missing == 0u,
             "seed %lu, %u CPUs, %u of %u (%lu of %lu us): %lu us in its period %lu, from %lu us on",
             with.seed, with.cpus, i, with.nr, d->budget_ns / US, d->period_ns / US, d->got_ns / US,
             d->periods, d->from_ns / US);
    }
    if (d->victim && !d->extra) {
        figures_worst(1, beyond);
        MUST(beyond <= EXACT_NS, "seed %lu: %u of %u (%lu of %lu us): %lu us", with.seed, i, with.nr,
             d->budget_ns / US, d->period_ns / US, d->got_ns / US);
    }
    d->periods++;
    d->got_ns = 0u;
    d->from_ns += d->period_ns;
}

static void rt_had(struct guest *g, uint64_t from_ns, uint64_t until_ns)
{
    const uint32_t i = (uint32_t)(g - guests);
    struct due *const d = &due[i];

    while (until_ns > (d->from_ns + d->period_ns)) {
        const uint64_t end_ns = d->from_ns + d->period_ns;
        const uint64_t begin_ns = bits_max(from_ns, d->from_ns);

        d->got_ns += (end_ns > begin_ns) ? (end_ns - begin_ns) : 0u;
        period_over(i);
    }
    if (until_ns > d->from_ns) {
        d->got_ns += until_ns - bits_max(from_ns, d->from_ns);
    }
}

/* All periods that are over by now */
static void rt_close(void)
{
    for (uint32_t i = 0; i < nr_guests; i++) {
        const uint64_t now = fake_time();

        if (guests[i].is_in) {
            rt_had(&guests[i], guests[i].in_ns, now);
            guests[i].in_ns = now;
        }
        while ((due[i].from_ns + due[i].period_ns) <= now) {
            period_over(i);
        }
    }
}

/* Its periods count from the first whole one. */
static void rt_begin(uint32_t i)
{
    due[i].begun_ns = fake_time();
    due[i].from_ns = TIME_NEVER - due[i].period_ns;
    guest_on(&guests[i]);
    due[i].from_ns = guests[i].vcpu->sched.deadline_ns;
    due[i].from_ns -= ((due[i].from_ns - due[i].period_ns) == fake_time()) ? due[i].period_ns : 0u;
    due[i].got_ns = 0u;
}

static struct guest *rt_domain(uint32_t n, uint64_t period_us, uint64_t budget_us, bool extra)
{
    struct plan_domain *const plan = bench_plan_make(n, 0u);

    plan->rt[0] = (struct plan_rt){ (uint32_t)period_us, (uint32_t)budget_us };
    plan->rt_extra = extra;
    due[nr_guests] = (struct due){ .period_ns = period_us * US, .budget_ns = budget_us * US, .extra = extra };
    return sim_domain(n, 1u);
}

static void begin(void)
{
    sim_seed = with.seed;
    bench_boot.pool[0] =
        (struct plan_pool){ .sched = PLAN_SCHED_RTDS, .cpus = ANY_CPU, .admission = with.admission };
    bench_boot.nr_pools = 1u;
    sim_setup(with.cpus);
    sim_had = rt_had;
}

static void end(void)
{
    for (uint32_t i = 0; i < nr_guests; i++) {
        figures->worst[2] += due[i].periods;
    }
    figures->decisions += fake_exit_works();
    figures->rounds++;
}

/* -- Task sets -- */

/* nr parts in 1/1000000 that sum up to at most what Goossens, Funk and Baruah allow on so many CPUs:
 * m - (m - 1) * the largest. Fills it to 97 % and more where the parts allow. */
static void random_set(uint32_t *part)
{
    const uint64_t cap = sim_between(50000u, (with.cpus == 1u) ? 900000u : 800000u); /* the largest one */
    const uint64_t room = ((uint64_t)with.cpus * 1000000u) - (((uint64_t)with.cpus - 1u) * cap);
    uint64_t sum = 0u;

    for (uint32_t i = 0; i < with.nr; i++) {
        part[i] = (uint32_t)sim_between(1000u, cap);
        sum += part[i];
    }
    const uint64_t wanted = (room * sim_between(970u, 1000u)) / 1000u;

    for (uint32_t i = 0; i < with.nr; i++) {
        part[i] = (uint32_t)bits_min(((uint64_t)part[i] * wanted) / sum, cap);
    }
}

/* A guest that does at each moment what suits others least */
static void attack(struct guest *g)
{
    const struct due *const d = &due[g - guests];
    const uint64_t now = fake_time();
    const uint64_t left = d->period_ns - ((now - d->begun_ns) % d->period_ns);

    switch (sim_between(0u, 4u)) {
    case 0: /* until it can just use up its budget before its period ends */
        g->burst_ns = d->budget_ns;
        guest_sleep(g, (left > d->budget_ns) ? (left - d->budget_ns) : 1u);
        break;
    case 1: /* a moment */
        g->burst_ns = sim_between(1u, 200u) * US;
        guest_sleep(g, sim_between(1u, 5000u));
        break;
    case 2: /* over the end of its period */
        g->burst_ns = bits_max(d->budget_ns - sim_between(0u, 5u) * US, US);
        guest_sleep(g, left + sim_between(0u, 2u));
        break;
    case 3:
        g->burst_ns = sim_between(1u, 100u) * US;
        guest_yield(g);
        break;
    default:
        g->burst_ns = sim_between(1u, 3000u) * US;
        guest_sleep(g, sim_between(1u, 20000u) * US);
        break;
    }
}

static void set_scenario(void)
{
    uint32_t part[GUESTS];

    begin();
    random_set(part);
    for (uint32_t i = 0; i < with.nr; i++) {
        const uint64_t period_us = sim_between(1000u, 40000u);
        const uint64_t budget_us = (period_us * part[i]) / 1000000u;
        struct guest *const g =
            rt_domain(i, period_us, bits_max(budget_us, 10u), with.extra && ((i % 2u) == 0u));

        due[i].victim = true;
        if (with.attackers && (sim_between(0u, 2u) == 0u)) {
            due[i].victim = false;
            guest_behaves(g, attack, due[i].budget_ns, 0u);
        }
    }
    for (uint32_t i = 0; i < with.nr; i++) {
        rt_begin(i);
        if (sim_between(0u, 1u) == 0u) {
            sim_run(sim_between(1u, 30000u) * US);
        }
    }
    sim_run(with.ns);
    rt_close();
    end();
}

static void sets(const char *what, uint32_t rounds)
{
    figures_begin();
    for (uint32_t i = 0; i < rounds; i++) {
        with.seed = i + 1u;
        sim_seed = i + 77u;
        with.cpus = 1u + (i % 8u);
        with.nr = (uint32_t)sim_between(with.cpus + 1u, 24u);
        with.ns = 2u * SECOND;
        bench_alone(set_scenario);
    }
    (void)fprintf(stderr,
                  "rtds: %s: %lu random sets up to the bound on 1-8 CPUs: of %lu periods none without its "
                  "budget, none more than %.1f us beyond; %lu decisions\n",
                  what, figures->rounds, figures->worst[2], (double)figures->worst[1] / 1e3,
                  figures->decisions);
}

static void admitted_sets(void **state)
{
    (void)state;
    with.attackers = false;
    with.extra = false;
    sets("all compute", sim_rounds(24u));
}

static void attacked_sets(void **state)
{
    (void)state;
    with.attackers = true;
    sets("a third misbehaves", sim_rounds(24u));
    with.attackers = false;
}

static void extra_sets(void **state)
{
    (void)state;
    with.extra = true;
    with.attackers = true;
    sets("half have extra time, a third misbehaves", sim_rounds(12u));
    with.extra = false;
    with.attackers = false;
}

/* -- Alone -- */

/* [test->req~rtds-budget~1] 100000/50000 without extra time: half of the CPU, period by period and in all */
static void half_scenario(void)
{
    with.cpus = 1u;
    begin();
    (void)rt_domain(0, 100000u, 50000u, false);
    due[0].victim = true;
    sim_run(123456u);
    rt_begin(0);
    sim_run(100u * SECOND);
    rt_close();
    MUST(sched_run_ns(guests[0].vcpu) == (50u * SECOND), "%lu ns in 100 s", sched_run_ns(guests[0].vcpu));
    end();
}

static void half(void **state)
{
    (void)state;
    figures_begin();
    bench_alone(half_scenario);
    (void)fprintf(stderr, "rtds: 100000/50000 alone has 50 s of 100 s, and 50 ms of each of %lu periods\n",
                  figures->worst[2]);
}

/* With extra time it has all that nobody needs, and the CPUs are never idle while it wants one. */
static void extra_scenario(void)
{
    uint64_t sum = 0u;

    with.cpus = 2u;
    begin();
    for (uint32_t i = 0; i < 5u; i++) {
        (void)rt_domain(i, 10000u + (i * 1000u), 1000u + (i * 300u), (i < 3u));
        due[i].victim = true;
    }
    for (uint32_t i = 0; i < 5u; i++) {
        rt_begin(i);
    }
    sim_run(20u * SECOND);
    rt_close();
    for (uint32_t i = 0; i < 5u; i++) {
        sum += sched_run_ns(guests[i].vcpu);
        MUST((i < 3u) || (sched_run_ns(guests[i].vcpu) <=
                          (((20u * SECOND) / due[i].period_ns) + 1u) * due[i].budget_ns),
             "%u has more than its budget", i);
        MUST((i >= 3u) || (sched_run_ns(guests[i].vcpu) >= (4u * SECOND)), "%u: %lu ms of extra time", i,
             sched_run_ns(guests[i].vcpu) / MS);
    }
    MUST(sum == (40u * SECOND), "CPUs were idle for %lu us", ((40u * SECOND) - sum) / US);
    end();
}

static void extra(void **state)
{
    (void)state;
    figures_begin();
    bench_alone(extra_scenario);
}

/* -- Admission -- */

static bool within_bound(uint64_t *sum)
{
    uint64_t largest = 0u;

    *sum = 0u;
    for (uint32_t i = 0; i < nr_guests; i++) {
        const uint64_t part = (due[i].budget_ns * 1000000u) / due[i].period_ns;

        *sum += part;
        largest = bits_max(largest, part);
    }
    return (*sum + ((with.cpus - 1u) * largest) + (2u * nr_guests)) <= (with.cpus * 1000000ULL);
}

/* What is asked for at random is admitted if the bound allows it; what is refused changes nothing; with what
 * was admitted nobody misses anything. */
static void admission_scenario(void)
{
    uint32_t admitted = 0u;
    uint32_t refused = 0u;
    uint64_t sum = 0u;

    begin();
    for (uint32_t i = 0; i < with.nr; i++) {
        (void)rt_domain(i, 1000000u, 10u, false);
        due[i].victim = true;
    }
    for (uint32_t n = 0; n < 60u; n++) {
        const uint32_t i = (uint32_t)sim_between(0u, with.nr - 1u);
        const struct due before = due[i];
        const struct sched_rt rt = { .period_us = (uint32_t)sim_between(1000u, 30000u),
                                     .budget_us = (uint32_t)sim_between(10u, 1000u * (1u + (n % 20u))) };
        struct sched_rt now;

        if (rt.budget_us > rt.period_us) {
            continue;
        }
        due[i].period_ns = rt.period_us * US;
        due[i].budget_ns = rt.budget_us * US;
        const bool fits = within_bound(&sum);
        const enum hv_status status = sched_rt_set(guests[i].vcpu, &rt);

        sched_rt_get(guests[i].vcpu, &now);
        if (status == HV_OK) {
            admitted++;
            MUST((now.period_us == rt.period_us) && (now.budget_us == rt.budget_us), "not as it was set");
            MUST(sum <= (with.cpus * 1000000ULL) + with.nr, "seed %lu: %lu are admitted to %u CPUs",
                 with.seed, sum, with.cpus);
        } else {
            refused++;
            due[i] = before;
            MUST((status == HV_LIMIT) && !fits, "seed %lu, %u CPUs: status %d for a sum of %lu", with.seed,
                 with.cpus, (int)status, sum);
            MUST((now.period_us * US) == due[i].period_ns, "refused, and changed");
        }
    }
    MUST((admitted > 5u) && (refused > 1u), "%u admitted, %u refused", admitted, refused);
    for (uint32_t i = 0; i < with.nr; i++) {
        rt_begin(i);
    }
    sim_run(2u * SECOND);
    rt_close();
    end();
}

static void admission(void **state)
{
    (void)state;
    figures_begin();
    with.admission = true;
    for (uint32_t i = 0; i < sim_rounds(16u); i++) {
        with.seed = i + 1u;
        with.cpus = 1u + (i % 4u);
        with.nr = 6u + (i % 7u);
        bench_alone(admission_scenario);
    }
    with.admission = false;
    (void)fprintf(stderr, "rtds: %lu sets as admitted one by one: %lu periods, no budget missing\n",
                  figures->rounds, figures->worst[2]);
}

/* Many on many: global EDF is asked for 256 of which each has its small part. */
static void many_scenario(void)
{
    begin();
    for (uint32_t n = 0; n < BENCH_DOMAINS; n++) {
        struct plan_domain *const plan = bench_plan_make(n, 0u);

        plan->rt_extra = false;
        for (uint32_t i = 0; i < 8u; i++) {
            const uint32_t period_us = (uint32_t)sim_between(4000u, 40000u);

            plan->rt[i] = (struct plan_rt){ period_us, (uint32_t)(((uint64_t)period_us * with.cpus * 900u) /
                                                                  1000u / 256u) };
            due[nr_guests + i] = (struct due){ .period_ns = period_us * US,
                                               .budget_ns = plan->rt[i].budget_us * US,
                                               .victim = true };
        }
        (void)sim_domain(n, 8u);
    }
    for (uint32_t i = 0; i < nr_guests; i++) {
        rt_begin(i);
    }
    sim_run(with.ns);
    rt_close();
    end();
}

static void many(void **state)
{
    static const uint32_t cpus[] = { 1u, 8u, 64u };

    (void)state;
    figures_begin();
    for (uint32_t i = 0; i < 3u; i++) {
        with.seed = 5u;
        with.cpus = cpus[i];
        with.ns = SECOND / 2u;
        bench_alone(many_scenario);
    }
    (void)fprintf(stderr, "rtds: 256 vCPUs on 1, 8, 64 CPUs: %lu periods, no budget missing; %lu decisions\n",
                  figures->worst[2], figures->decisions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half),          cmocka_unit_test(extra),      cmocka_unit_test(admitted_sets),
        cmocka_unit_test(attacked_sets), cmocka_unit_test(extra_sets), cmocka_unit_test(admission),
        cmocka_unit_test(many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
