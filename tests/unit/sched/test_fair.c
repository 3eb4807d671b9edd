/* credit and credit2: shares by weight, caps, how soon who slept runs. [test->req~weights-and-caps~1]
 * [test->req~wake-up-latency~1] [test->req~load-balance~1] */
#include "schedsim.h"

#define TICK_NS (10u * MS) /* what a cap allows in it, it may be exceeded by */

/* What the next scenario is about; set before it forks */
static struct {
    enum plan_sched policy;
    uint32_t cpus;
    uint32_t hogs; /* beside a CPU's worth of others */
    uint32_t heaviest;
    uint64_t seconds; /* a window is so long */
    uint64_t seed;
    void (*decide)(struct guest *guest);
    uint64_t burst_ns;
    uint64_t sleep_ns;
} with;

static const char *policy_name(void)
{
    return (with.policy == PLAN_SCHED_CREDIT2) ? "credit2" : "credit";
}

static void begin(void)
{
    sim_seed = with.seed;
    sim_setup_policy(with.policy, with.cpus);
}

static void end(void)
{
    figures->decisions += fake_exit_works();
    figures->rounds++;
}

static struct guest *domain_of_weight(uint32_t n, uint32_t nr, uint32_t weight, uint32_t cap)
{
    struct plan_domain *const plan = bench_plan_make(n, 0u);

    plan->weight = (uint16_t)weight;
    plan->cap = (uint16_t)cap;
    return sim_domain(n, nr);
}

/* -- Shares -- */

/* Who is to have less than this of a second is measured by turns alone: of credit, one more at one end and
 * one less at the other. */
#define SHARE_MS 100u

static void compare(uint32_t nr, const uint32_t *weight, const uint64_t *before, uint64_t ns,
                    uint64_t turn_ns, double part)
{
    double share[GUESTS];

    expect_shares(weight, nr, with.cpus, ns, share);
    for (uint32_t i = 0; i < nr; i++) {
        const double got = (double)(guest_ran(&guests[i]) - before[i]);
        const double off = (got > share[i]) ? (got - share[i]) : (share[i] - got);
        const bool large = share[i] >= ((double)(ns / 1000u) * SHARE_MS);

        if (large) {
            figures_worst(0, (uint64_t)((off * 10000.0) / share[i]));
        } else {
            figures_worst(1, (uint64_t)off);
        }
        MUST((large && (off <= (share[i] * part))) || (off <= (double)turn_ns),
             "%s seed %lu: %u of %u on %u CPUs, weight %u: %.3f ms instead of %.3f", policy_name(), with.seed,
             i, nr, with.cpus, weight[i], got / 1e6, share[i] / 1e6);
    }
}

static void shares_scenario(void)
{
    const uint64_t ns = with.seconds * SECOND;
    uint32_t weight[GUESTS];
    uint64_t before[GUESTS];

    begin();
    for (uint32_t i = 0; i < with.hogs; i++) {
        weight[i] = (uint32_t)sim_between(with.heaviest / 8u, with.heaviest);
        guest_behaves(domain_of_weight(i, 1u, weight[i], 0u), with.decide, with.burst_ns, with.sleep_ns);
    }
    for (uint32_t i = 0; i < with.hogs; i++) {
        guest_on(&guests[i]);
    }
    for (uint32_t window = 0; window < 3u; window++) {
        for (uint32_t i = 0; i < with.hogs; i++) {
            before[i] = guest_ran(&guests[i]);
        }
        sim_run(ns);
        compare(with.hogs, weight, before, ns, (with.policy == PLAN_SCHED_CREDIT2) ? (2u * MS) : (60u * MS),
                0.02);
    }
    end();
}

static void shares_of(enum plan_sched policy, uint64_t seconds, uint32_t rounds)
{
    figures_begin();
    for (uint32_t i = 0; i < rounds; i++) {
        with.policy = policy;
        with.seed = i + 1u;
        sim_seed = i + 1000u;
        with.cpus = 1u + (i % 4u);
        with.hogs = (uint32_t)sim_between(2u, 16u);
        with.heaviest = (uint32_t)sim_between(8u, 1024u);
        with.seconds = seconds;
        with.decide = NULL;
        bench_alone(shares_scenario);
    }
    (void)fprintf(stderr,
                  "%s: 2-16 hogs of weights 1:8 on 1-4 CPUs, %lu sets, windows of %lu s: at most %.2f %% off "
                  "(shares of 10 %% and more), %.2f ms (smaller ones); %lu decisions\n",
                  policy_name(), figures->rounds, seconds, (double)figures->worst[0] / 100.0,
                  (double)figures->worst[1] / 1e6, figures->decisions);
}

static void credit2_shares(void **state)
{
    (void)state;
    shares_of(PLAN_SCHED_CREDIT2, 1u, sim_rounds(40u));
}

static void credit_shares(void **state)
{
    (void)state;
    shares_of(PLAN_SCHED_CREDIT, 10u, sim_rounds(12u));
}

/* Some have the CPUs for themselves for long; those who come then have no claim on that time. */
static void late_scenario(void)
{
    const uint64_t ns = with.seconds * SECOND;
    uint32_t weight[GUESTS];
    uint64_t before[GUESTS];

    begin();
    for (uint32_t i = 0; i < with.hogs; i++) {
        weight[i] = (uint32_t)sim_between(with.heaviest / 8u, with.heaviest);
        (void)domain_of_weight(i, 1u, weight[i], 0u);
    }
    for (uint32_t i = 0; i < with.hogs; i++) {
        guest_on(&guests[i]);
        if (i < with.cpus) {
            sim_run(sim_between(1u, 20u) * SECOND);
        }
    }
    sim_run(SECOND / 2u); /* who had a CPU alone for being heavy is behind at first, and catches up */
    for (uint32_t i = 0; i < with.hogs; i++) {
        before[i] = guest_ran(&guests[i]);
    }
    sim_run(ns);
    compare(with.hogs, weight, before, ns, (with.policy == PLAN_SCHED_CREDIT2) ? (2u * MS) : (60u * MS),
            (with.policy == PLAN_SCHED_CREDIT2) ? 0.02 : 0.1);
    end();
}

static void late_of(enum plan_sched policy, uint64_t seconds, uint32_t rounds)
{
    figures_begin();
    for (uint32_t i = 0; i < rounds; i++) {
        with.policy = policy;
        with.seed = i + 1u;
        sim_seed = i + 1000u;
        with.cpus = 1u + (i % 4u);
        with.hogs = with.cpus + (uint32_t)sim_between(1u, 8u);
        with.heaviest = (uint32_t)sim_between(8u, 1024u);
        with.seconds = seconds;
        with.decide = NULL;
        bench_alone(late_scenario);
    }
    (void)fprintf(
        stderr,
        "%s: hogs that come when others were alone for seconds, %lu sets on 1-4 CPUs: at most %.2f %% off "
        "(shares of 10 %% and more), %.2f ms (smaller ones)\n",
        policy_name(), figures->rounds, (double)figures->worst[0] / 100.0, (double)figures->worst[1] / 1e6);
}

static void credit2_late(void **state)
{
    (void)state;
    late_of(PLAN_SCHED_CREDIT2, 1u, sim_rounds(16u));
}

static void credit_late(void **state)
{
    (void)state;
    late_of(PLAN_SCHED_CREDIT, 10u, sim_rounds(8u));
}

/* Over many CPUs: equal ones get the same, and nobody is left out whatever the weights are. */
static void spread_scenario(void)
{
    const uint32_t each = 8u;
    const uint32_t nr_domains = with.hogs / each;
    uint64_t least = TIME_NEVER;
    uint64_t most = 0u;

    begin();
    for (uint32_t n = 0; n < nr_domains; n++) {
        (void)domain_of_weight(n, each, 256u, 0u);
    }
    for (uint32_t i = 0; i < nr_guests; i++) {
        guest_on(&guests[i]);
    }
    sim_run(with.seconds * SECOND);
    for (uint32_t i = 0; i < nr_guests; i++) {
        least = bits_min(least, guest_ran(&guests[i]));
        most = bits_max(most, guest_ran(&guests[i]));
    }
    const uint64_t even = (with.seconds * SECOND * with.cpus) / nr_guests;

    figures_worst(0, ((bits_max(even - bits_min(least, even), most - even)) * 10000u) / even);
    MUST((least * 100u >= even * 98u) && (most * 100u <= even * 102u),
         "%s, %u hogs on %u CPUs: %lu to %lu us instead of %lu", policy_name(), nr_guests, with.cpus,
         least / US, most / US, even / US);
    end();
}

static void spread_of(enum plan_sched policy, uint64_t seconds)
{
    static const uint32_t cpus[] = { 8u, 16u, 32u, 64u };

    figures_begin();
    for (uint32_t i = 0; i < 4u; i++) {
        with.policy = policy;
        with.seed = 1u;
        with.cpus = cpus[i];
        with.hogs = (cpus[i] == 64u) ? 256u : (3u * cpus[i]);
        with.seconds = seconds;
        bench_alone(spread_scenario);
    }
    (void)fprintf(stderr,
                  "%s: equal hogs, 24 on 8, 48 on 16, 96 on 32, 256 on 64 CPUs: at most %.2f %% off over "
                  "%lu s; %lu decisions\n",
                  policy_name(), (double)figures->worst[0] / 100.0, seconds, figures->decisions);
}

static void credit2_spread(void **state)
{
    (void)state;
    spread_of(PLAN_SCHED_CREDIT2, 1u);
}

static void credit_spread(void **state)
{
    (void)state;
    spread_of(PLAN_SCHED_CREDIT, 4u);
}

/* Many come and go over several units: how long a CPU is idle while a vCPU waits that may run anywhere */
static void restless(struct guest *g)
{
    g->burst_ns = sim_between(20u, 300u) * MS;
    guest_sleep(g, sim_between(1u, 200u) * MS);
}

static void idle_scenario(void)
{
    uint64_t since_ns = TIME_NEVER; /* it is so */
    uint64_t sum_ns = 0u;
    uint64_t longest_ns = 0u;

    begin();
    for (uint32_t n = 0; n < (with.hogs / 8u); n++) {
        struct guest *const g = domain_of_weight(n, 8u, 256u, 0u);

        for (uint32_t i = 0; i < 8u; i++) {
            guest_behaves(&g[i], restless, sim_between(1u, 300u) * MS, 0u);
            guest_on(&g[i]);
        }
    }
    for (uint64_t end_ns = fake_time() + (with.seconds * SECOND); fake_time() < end_ns;) {
        uint32_t waits = 0u;
        uint64_t idle = 0u;

        sim_run(MS);
        for (uint32_t i = 0; i < nr_guests; i++) {
            waits += (guests[i].vcpu->state == VCPU_RUNNABLE) ? 1u : 0u;
        }
        for (cpuid_t cpu = 0; cpu < with.cpus; cpu++) {
            idle += (fake_cpu_state(cpu) == FAKE_STATE_SLEEP) ? 1u : 0u;
        }
        if ((waits == 0u) || (idle == 0u)) {
            since_ns = TIME_NEVER;
        } else {
            since_ns = bits_min(since_ns, fake_time());
            longest_ns = bits_max(longest_ns, fake_time() + MS - since_ns);
            sum_ns += bits_min(waits, idle) * MS;
        }
    }
    figures_worst(0, longest_ns);
    figures_worst(1, (sum_ns * 10000u) / (with.seconds * SECOND * with.cpus));
    MUST(longest_ns <= (30u * MS), "%s on %u CPUs: for %lu ms", policy_name(), with.cpus, longest_ns / MS);
    end();
}

static void idle_any(void **state)
{
    static const uint32_t cpus[] = { 4u, 16u, 60u };

    (void)state;
    for (uint32_t p = 0; p < 2u; p++) {
        figures_begin();
        for (uint32_t i = 0; i < 3u; i++) {
            with.policy = (p == 0u) ? PLAN_SCHED_CREDIT2 : PLAN_SCHED_CREDIT;
            with.seed = i + 1u;
            with.cpus = cpus[i];
            with.hogs = (2u * cpus[i]) & ~7u;
            with.seconds = 4u;
            bench_alone(idle_scenario);
        }
        (void)fprintf(
            stderr,
            "%s: twice as many as CPUs, that compute and sleep, on 4, 16, 60 CPUs: a CPU is idle while "
            "one waits for %lu ms at most, %.2f %% of the time\n",
            policy_name(), figures->worst[0] / MS, (double)figures->worst[1] / 100.0);
    }
}

/* One that sleeps just before it would be charged, or whenever it thinks it best, has no more of it than
 * if it never slept. */
static void gamer_scenario(void)
{
    static const uint64_t before_ns[] = { 990u * US,  1000u * US,  1990u * US, 4990u * US,
                                          9990u * US, 29990u * US, 10u * US,   100u * US };
    begin();
    for (uint32_t i = 0; i < 4u; i++) {
        (void)domain_of_weight(i, 1u, 256u, 0u);
    }
    guest_behaves(&guests[0], decide_sleep, before_ns[with.seed % 8u], with.sleep_ns);
    for (uint32_t i = 0; i < 4u; i++) {
        guest_on(&guests[i]);
    }
    sim_run(with.seconds * SECOND);
    const uint64_t fair = (with.seconds * SECOND) / 4u;

    figures_worst(0, (guest_ran(&guests[0]) * 1000u) / (with.seconds * SECOND));
    MUST(guest_ran(&guests[0]) <= (fair + (fair / 50u)), "%s: computes %lu us, sleeps %lu us: %lu us of %lu",
         policy_name(), before_ns[with.seed % 8u] / US, with.sleep_ns / US, guest_ran(&guests[0]) / US,
         fair / US);
    end();
}

static void gamer_of(enum plan_sched policy, uint64_t seconds)
{
    figures_begin();
    for (uint32_t i = 0; i < 24u; i++) {
        static const uint64_t sleep_ns[] = { 1u * US, 20u * US, 1000u * US };

        with.policy = policy;
        with.cpus = 1u;
        with.seed = i;
        with.sleep_ns = sleep_ns[i / 8u];
        with.seconds = seconds;
        bench_alone(gamer_scenario);
    }
    (void)fprintf(stderr,
                  "%s: who sleeps at the moment of its choice beside 3 hogs of its weight has at most "
                  "%.1f %% of the CPU (%lu s)\n",
                  policy_name(), (double)figures->worst[0] / 10.0, seconds);
}

static void credit2_gamer(void **state)
{
    (void)state;
    gamer_of(PLAN_SCHED_CREDIT2, 2u);
}

static void credit_gamer(void **state)
{
    (void)state;
    gamer_of(PLAN_SCHED_CREDIT, 4u);
}

/* -- Caps -- */

static struct {
    uint32_t cap;
    double lowest;
    double excess;
} capped[BENCH_DOMAINS];

/* What a domain had beyond its cap since the best moment for that: the largest rise of what it had minus what
 * was due to it, and that is largest where somebody comes or goes. */
static void cap_look(const struct domain *domain)
{
    const uint32_t n = domain->index;
    uint64_t ran = 0u;

    for (uint32_t i = 0; i < nr_guests; i++) {
        ran += (guests[i].vcpu->domain == domain) ? guest_ran(&guests[i]) : 0u;
    }
    const double beyond = (double)ran - (((double)fake_time() * capped[n].cap) / 100.0);

    capped[n].lowest = (beyond < capped[n].lowest) ? beyond : capped[n].lowest;
    capped[n].excess =
        ((beyond - capped[n].lowest) > capped[n].excess) ? (beyond - capped[n].lowest) : capped[n].excess;
}

static void cap_gets(struct guest *g, uint64_t now_ns)
{
    (void)now_ns;
    cap_look(g->vcpu->domain);
}

static void cap_had(struct guest *g, uint64_t from_ns, uint64_t until_ns)
{
    (void)from_ns;
    cap_gets(g, until_ns);
}

static void caps_scenario(void)
{
    const uint32_t nr = (uint32_t)sim_between(1u, 4u);
    uint32_t cpus_asked = 0u;

    begin();
    sim_gets = cap_gets;
    sim_had = cap_had;
    for (uint32_t n = 0; n < nr; n++) {
        const uint32_t vcpus = (uint32_t)sim_between(1u, 4u);

        capped[n].cap = (uint32_t)sim_between(2u, 100u * bits_min(vcpus, with.cpus) - 1u);
        cpus_asked += capped[n].cap;
        (void)domain_of_weight(n, vcpus, (uint32_t)sim_between(64u, 1024u), capped[n].cap);
        bench_domain[n].index = n;
    }
    for (uint32_t i = 0; i < nr_guests; i++) {
        struct guest *const g = &guests[i];

        if (sim_between(0u, 1u) == 1u) {
            guest_behaves(g, (sim_between(0u, 1u) == 1u) ? decide_sleep : decide_yield,
                          sim_between(10u, 5000u) * US, sim_between(1u, 100u) * US);
        }
        guest_on(g);
    }
    sim_run(with.seconds * SECOND);
    for (uint32_t n = 0; n < nr; n++) {
        const double tick =
            (double)TICK_NS * ((capped[n].cap + 99u) / 100u); /* of each CPU that it pays for */
        const double quota = ((double)TICK_NS * capped[n].cap) / 100.0;

        cap_look(&bench_domain[n]);
        figures_worst(0, (uint64_t)((capped[n].excess * 1000.0) / tick));
        figures_worst(2, (uint64_t)((capped[n].excess * 1000.0) / quota));
        MUST(capped[n].excess <= quota, "%s seed %lu: cap %u %% exceeded by %.3f ms", policy_name(),
             with.seed, capped[n].cap, capped[n].excess / 1e6);
    }
    end();
}

/* Hogs alone with a cap get it all. */
static void cap_reached_scenario(void)
{
    static const uint32_t cap[] = { 1u, 5u, 10u, 25u, 50u, 75u, 90u, 99u, 120u, 150u, 200u, 350u };
    const uint32_t vcpus = (cap[with.seed] + 99u) / 100u;
    uint64_t ran = 0u;

    begin();
    (void)domain_of_weight(0, vcpus + 1u, 256u, cap[with.seed]);
    for (uint32_t i = 0; i < nr_guests; i++) {
        guest_on(&guests[i]);
    }
    sim_run(with.seconds * SECOND);
    for (uint32_t i = 0; i < nr_guests; i++) {
        ran += guest_ran(&guests[i]);
    }
    const uint64_t due = (with.seconds * SECOND * cap[with.seed]) / 100u;
    const uint64_t off = (ran > due) ? (ran - due) : (due - ran);

    figures_worst(1, (off * 10000u) / due);
    MUST(off <= (due / 50u), "%s: cap %u %%: %lu us instead of %lu", policy_name(), cap[with.seed], ran / US,
         due / US);
    end();
}

static void caps_of(enum plan_sched policy)
{
    figures_begin();
    for (uint32_t i = 0; i < sim_rounds(24u); i++) {
        with.policy = policy;
        with.seed = i + 1u;
        with.cpus = 1u + (i % 4u);
        with.seconds = 2u;
        sim_seed = with.seed;
        bench_alone(caps_scenario);
    }
    for (uint32_t i = 0; i < 12u; i++) {
        with.seed = i;
        with.cpus = 4u;
        bench_alone(cap_reached_scenario);
    }
    (void)fprintf(stderr,
                  "%s: caps of 2 to 399 %%, %lu sets on 1-4 CPUs: in no stretch of time more than the cap "
                  "allows and %.2f ms for each CPU of it (%.2f of what it allows in 10 ms); one that is "
                  "alone gets its cap but %.2f %%\n",
                  policy_name(), figures->rounds, ((double)figures->worst[0] * (double)TICK_NS) / 1e9,
                  (double)figures->worst[2] / 1000.0, (double)figures->worst[1] / 100.0);
}

static void credit2_caps(void **state)
{
    (void)state;
    caps_of(PLAN_SCHED_CREDIT2);
}

static void credit_caps(void **state)
{
    (void)state;
    caps_of(PLAN_SCHED_CREDIT);
}

/* -- Who waits for devices -- */

static void io_decide(struct guest *g)
{
    guest_sleep(g, sim_between(1u, 9u) * MS + sim_between(0u, 999u) * US);
}

static void latency_scenario(void)
{
    begin();
    for (uint32_t n = 0; n < with.cpus;
         n++) { /* of each CPU: eight that compute, one that waits for devices */
        struct guest *const g = domain_of_weight(n, 9u, 256u, 0u);

        guest_behaves(g, io_decide, 50u * US, 0u);
        for (uint32_t i = 1; i < 9u; i++) {
            guest_behaves(&g[i], with.decide, with.burst_ns + (i * with.burst_ns / 8u), with.sleep_ns);
        }
    }
    for (uint32_t i = 0; i < nr_guests; i++) {
        guest_on(&guests[i]);
    }
    sim_run(SECOND); /* who computes has had its first turns */
    for (uint32_t n = 0; n < with.cpus; n++) {
        guests[n * 9u].counts = true;
    }
    sim_run(with.seconds * SECOND);
    const uint64_t most = lateness_at(1000u);
    const uint64_t p99 = lateness_at(990u);

    figures_worst(0, p99);
    figures_worst(1, most);
    figures->worst[2] += nr_lateness;
    MUST((with.policy != PLAN_SCHED_CREDIT2) || (p99 <= MS),
         "%s on %u CPUs, bursts of %lu us: 99th percentile %lu us, largest %lu", policy_name(), with.cpus,
         with.burst_ns / US, p99 / US, most / US);
    MUST(p99 <= (10u * MS), "99th percentile %lu us", p99 / US);
    for (uint32_t i = 0; i < nr_guests; i++) {
        MUST(guest_ran(&guests[i]) > 0u, "guest %u never ran", i);
    }
    end();
}

static void latency_of(enum plan_sched policy)
{
    static const uint32_t cpus[] = { 1u, 2u, 4u, 8u };
    static const struct {
        const char *what;
        void (*decide)(struct guest *guest);
        uint64_t burst_ns;
        uint64_t sleep_ns;
    } beside[] = { { "hogs", NULL, 0u, 0u },
                   { "hogs that yield", decide_yield, 50u * US, 0u },
                   { "hogs that sleep a moment", decide_sleep, 990u * US, 5u * US } };

    for (uint32_t b = 0; b < 3u; b++) {
        figures_begin();
        for (uint32_t i = 0; i < 4u; i++) {
            with.policy = policy;
            with.seed = i + 1u;
            with.cpus = cpus[i];
            with.seconds = 2u;
            with.decide = beside[b].decide;
            with.burst_ns = beside[b].burst_ns;
            with.sleep_ns = beside[b].sleep_ns;
            bench_alone(latency_scenario);
        }
        (void)fprintf(stderr,
                      "%s: woken beside 8 %s a CPU, on 1, 2, 4, 8 CPUs: runs within %.1f us (99 %%), "
                      "%.1f us (all %lu); %lu decisions\n",
                      policy_name(), beside[b].what, (double)figures->worst[0] / 1e3,
                      (double)figures->worst[1] / 1e3, figures->worst[2], figures->decisions);
    }
}

static void credit2_latency(void **state)
{
    (void)state;
    latency_of(PLAN_SCHED_CREDIT2);
}

static void credit_latency(void **state)
{
    (void)state;
    latency_of(PLAN_SCHED_CREDIT);
}

/* -- Nobody starves -- */

/* A light one beside heavy ones and such as are woken all the time: it waits no longer than it takes the
 * others to use what their weights give them. */
static struct {
    uint64_t since_ns; /* it waits */
    uint64_t longest_ns;
} hungry;

static void hungry_gets(struct guest *g, uint64_t now_ns)
{
    if (g == &guests[0]) {
        hungry.longest_ns = bits_max(hungry.longest_ns, now_ns - hungry.since_ns);
    }
}

static void hungry_had(struct guest *g, uint64_t from_ns, uint64_t until_ns)
{
    (void)from_ns;
    if (g == &guests[0]) {
        hungry.since_ns = until_ns;
    }
}

static void hungry_scenario(void)
{
    begin();
    sim_gets = hungry_gets;
    sim_had = hungry_had;
    (void)domain_of_weight(0, 1u, 64u, 0u);
    for (uint32_t n = 1; n <= 10u; n++) {
        struct guest *const g = domain_of_weight(n, 1u, 1024u, 0u);

        if (n > 5u) {
            guest_behaves(g, decide_sleep, (n * 100u) * US, 20u * US);
        }
    }
    for (uint32_t i = 0; i < nr_guests; i++) {
        guest_on(&guests[i]);
    }
    sim_run(60u * SECOND);
    hungry.longest_ns = bits_max(hungry.longest_ns, fake_time() - hungry.since_ns);
    figures_worst(0, hungry.longest_ns);
    /* a turn is so much of what is its due of that time */
    const uint64_t turn_ns = (with.policy == PLAN_SCHED_CREDIT2) ? MS : (30u * MS);

    MUST(hungry.longest_ns <= ((turn_ns * ((10u * 1024u) + 64u)) / 64u) * 6u / 5u, "%s: waited %lu ms",
         policy_name(), hungry.longest_ns / MS);
    end();
}

static void hungry_any(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2u; i++) {
        figures_begin();
        with.policy = (i == 0u) ? PLAN_SCHED_CREDIT2 : PLAN_SCHED_CREDIT;
        with.cpus = 1u;
        bench_alone(hungry_scenario);
        (void)fprintf(stderr,
                      "%s: weight 64 beside ten of 1024, half of them woken all the time: waits %.1f ms at "
                      "most; %lu decisions\n",
                      policy_name(), (double)figures->worst[0] / 1e6, figures->decisions);
    }
}

/* A light one had the CPU for itself, but for the worker, who starts heavy ones meanwhile, as at boot: it
 * owes them nothing for that time. */
static void worker_starts(struct work *w)
{
    (void)w;
    for (uint32_t i = 1u; i < nr_guests; i++) {
        CHECK(sched_power_on(guests[i].vcpu) == HV_OK);
    }
}

static void started_scenario(void)
{
    static struct work starter;

    begin();
    sim_gets = hungry_gets;
    sim_had = hungry_had;
    for (uint32_t n = 0u; n <= 8u; n++) {
        (void)domain_of_weight(n, 1u, (n == 0u) ? 64u : 512u, 0u);
    }
    guest_on(&guests[0]);
    sim_run(sim_between(1u, 100u) * MS);
    work_setup(&starter, worker_starts);
    work_queue(&starter, 0u);
    sim_rest();
    sim_run(SECOND);
    hungry.longest_ns = bits_max(hungry.longest_ns, fake_time() - hungry.since_ns);
    figures_worst(0, hungry.longest_ns);
    for (uint32_t i = 0; i < nr_guests; i++) {
        MUST(guest_ran(&guests[i]) > 0u, "guest %u never ran", i);
    }
    const uint64_t turn_ns = (with.policy == PLAN_SCHED_CREDIT2) ? MS : (30u * MS);

    MUST(hungry.longest_ns <= ((turn_ns * ((8u * 512u) + 64u)) / 64u), "%s: waited %lu us", policy_name(),
         hungry.longest_ns / US);
    end();
}

static void started_any(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 2u; i++) {
        figures_begin();
        with.policy = (i == 0u) ? PLAN_SCHED_CREDIT2 : PLAN_SCHED_CREDIT;
        with.cpus = 1u;
        for (uint32_t seed = 0u; seed < 8u; seed++) {
            sim_seed = seed;
            bench_alone(started_scenario);
        }
        (void)fprintf(stderr,
                      "%s: weight 64 that was alone before eight of 512 came: waits %.1f ms at most\n",
                      policy_name(), (double)figures->worst[0] / 1e6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credit2_shares),  cmocka_unit_test(credit2_spread), cmocka_unit_test(credit2_gamer),
        cmocka_unit_test(credit2_late),    cmocka_unit_test(credit_late),    cmocka_unit_test(credit2_caps),
        cmocka_unit_test(credit2_latency), cmocka_unit_test(credit_shares),  cmocka_unit_test(credit_spread),
        cmocka_unit_test(credit_gamer),    cmocka_unit_test(credit_caps),    cmocka_unit_test(credit_latency),
        cmocka_unit_test(hungry_any),      cmocka_unit_test(idle_any),       cmocka_unit_test(started_any),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
