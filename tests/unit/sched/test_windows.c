/* arinc653: windows begin at their place in the frame, and nobody runs outside its own, whatever the
 * guests do. [test->req~arinc653-windows~1] */
#include "schedsim.h"

#include "major.h"

#define WINDOWS 64u
#define NOBODY  UINT32_MAX

static struct {
    uint32_t cpus;
    uint64_t seed;
    uint64_t frames;
    bool set_again; /* new schedules while it runs */
} with;

/* -- The schedule, as it should be -- */

struct window {
    uint32_t guest;
    cpuid_t cpu;
    uint64_t at_ns;
    uint64_t ns;
};
static struct {
    uint64_t major_ns;
    uint64_t begun_ns;
    uint32_t nr;
    struct window window[WINDOWS];
} table;

/* The window of a guest that is open at a time, on any CPU; WINDOWS: none is */
static uint32_t open_at(uint32_t guest, uint64_t ns)
{
    const uint64_t place = (ns - table.begun_ns) % table.major_ns;
    uint32_t found = WINDOWS;

    for (uint32_t i = 0; i < table.nr; i++) {
        const struct window *const w = &table.window[i];

        if ((w->guest == guest) && (place >= w->at_ns) && (place < (w->at_ns + w->ns))) {
            found = i;
        }
    }
    return found;
}

/* When one that is ready since then should have its CPU */
static uint64_t should_begin(uint32_t guest, uint64_t ready_ns)
{
    const uint64_t place = (ready_ns - table.begun_ns) % table.major_ns;
    uint64_t wait = (open_at(guest, ready_ns) < WINDOWS) ? 0u : TIME_NEVER;

    for (uint32_t i = 0; i < table.nr; i++) {
        if (table.window[i].guest == guest) {
            wait = bits_min(wait, ((table.window[i].at_ns + table.major_ns) - place) % table.major_ns);
        }
    }
    return (wait == TIME_NEVER) ? TIME_NEVER : (ready_ns + wait);
}

/* -- What happens -- */

static uint64_t seen_ns[GUESTS]; /* it ran, and that up to here was right */
static uint64_t begins;

static void window_gets(struct guest *g, uint64_t now_ns)
{
    const uint32_t i = (uint32_t)(g - guests);
    const uint64_t should = should_begin(i, g->ready_ns);
    const uint64_t late = (now_ns > should) ? (now_ns - should) : 0u;

    begins++;
    figures_worst(0, late);
    seen_ns[i] = now_ns;
    MUST(open_at(i, now_ns) < WINDOWS, "seed %lu: %u runs at %lu ns, outside its windows", with.seed, i,
         now_ns);
    MUST(table.window[open_at(i, now_ns)].cpu == g->cpu, "%u on CPU %u", i, g->cpu);
    MUST(late <= (5u * US), "seed %lu: %u is %lu ns late", with.seed, i, late);
}

/* That it ran up to now was right. */
static void window_check(struct guest *g, uint64_t until_ns)
{
    const uint32_t i = (uint32_t)(g - guests);

    for (uint32_t n = 0; seen_ns[i] < until_ns; n++) {
        const uint64_t at_ns = seen_ns[i];
        const uint64_t place = (at_ns - table.begun_ns) % table.major_ns;
        const uint32_t w = open_at(i, at_ns);

        MUST(w < WINDOWS, "seed %lu: %u still runs at %lu ns, outside its windows", with.seed, i, at_ns);
        seen_ns[i] = at_ns + (table.window[w].at_ns + table.window[w].ns - place);
    }
    seen_ns[i] = until_ns;
}

static void window_had(struct guest *g, uint64_t from_ns, uint64_t until_ns)
{
    (void)from_ns;
    window_check(g, until_ns);
}

/* All that want to run and have a window now do run. */
static void window_all(void)
{
    for (uint32_t i = 0; i < nr_guests; i++) {
        const struct guest *const g = &guests[i];
        const bool wants = (g->vcpu->state == VCPU_RUNNABLE);

        MUST(!wants || (open_at(i, fake_time()) == WINDOWS),
             "seed %lu: %u has a window at %lu ns and does not run, but %s", with.seed, i, fake_time(),
             percpu_area[table.window[open_at(i, fake_time())].cpu].runs);
        if (g->is_in) {
            window_check(&guests[i], fake_time());
        }
    }
}

/* -- Neighbours -- */

static void noise(struct guest *g)
{
    struct guest *const other = &guests[sim_between(0u, nr_guests - 1u)];

    switch (sim_between(0u, 5u)) {
    case 0:
        g->burst_ns = sim_between(1u, 300u) * US;
        guest_sleep(g, sim_between(1u, 3000u) * US);
        break;
    case 1:
        g->burst_ns = sim_between(1u, 50000u);
        guest_sleep(g, sim_between(1u, 50000u));
        break;
    case 2: /* it interrupts another */
        g->burst_ns = sim_between(1u, 100u) * US;
        if (!other->asleep) {
            fake_guest_pend(&other->vcpu->hal, (uint32_t)sim_between(0u, 15u));
        }
        guest_yield(g);
        break;
    case 3: /* the hypervisor's clock stands in for its own */
        g->burst_ns = sim_between(1u, 100u) * US;
        guest_doze(g, sim_between(1u, 2000u) * US);
        break;
    default:
        g->burst_ns = sim_between(1u, 200u) * US;
        guest_yield(g);
        break;
    }
}

static struct work work[8];
static uint64_t works;

/* Long work: it has the CPU until an interrupt finds that it is over. */
static void work_long(struct work *w)
{
    const uint64_t until_ns = fake_time() + (sim_between(1u, 2000u) * US);

    (void)w;
    for (uint32_t n = 0; (n < 4u) && (fake_time() < until_ns); n++) {
        hal_cpu_wait();
    }
    works++;
}

static void work_some(void)
{
    for (uint32_t i = 0; i < 8u; i++) {
        if (sim_between(0u, 3u) == 0u) {
            work_queue(&work[i], (cpuid_t)sim_between(0u, with.cpus - 1u));
        }
    }
    fake_run();
}

/* -- Schedules -- */

/* Rows of a frame of 1 ms or so: windows one after another, gaps between them if they may be anywhere */
static void table_random(bool gaps)
{
    table.major_ns = sim_between(900u, 1100u) * US;
    if (!with.set_again) {
        table.major_ns = MS;
    }
    table.nr = 0u;
    for (cpuid_t cpu = 0; cpu < with.cpus; cpu++) {
        const uint32_t nr = (uint32_t)sim_between(1u, bits_min(7u, WINDOWS / with.cpus));
        uint64_t at_ns = 0u;

        for (uint32_t i = 0; i < nr; i++) {
            const uint64_t room = table.major_ns - at_ns - ((nr - i) * 20u * US);
            const uint64_t gap = gaps ? (sim_between(0u, room / 4u / US) * US) : 0u;
            const uint64_t ns = (10u + sim_between(0u, (room - gap) / 2u / US)) * US;

            /* guests of a CPU: cpu, cpu + cpus, cpu + 2 * cpus; the last of them never has a window */
            table.window[table.nr] =
                (struct window){ cpu + (with.cpus * (uint32_t)sim_between(0u, 1u)), cpu, at_ns + gap, ns };
            table.nr++;
            at_ns += gap + ns;
        }
    }
}

static void table_plan(void)
{
    bench_boot.pool[0] = (struct plan_pool){ .sched = PLAN_SCHED_ARINC653,
                                             .cpus = ANY_CPU,
                                             .major_us = (uint32_t)(table.major_ns / US) };
    bench_boot.nr_pools = 1u;
    bench_boot.nr_minors = table.nr;
    for (uint32_t i = 0; i < table.nr; i++) {
        const struct window *const w = &table.window[i];

        bench_boot.minor[i] = (struct plan_minor){ .domain = (uint8_t)(w->guest % 3u),
                                                   .vcpu = (uint8_t)(w->guest / 3u),
                                                   .cpu = (uint8_t)w->cpu,
                                                   .at_us = (uint32_t)(w->at_ns / US),
                                                   .us = (uint32_t)(w->ns / US) };
    }
}

static void table_set(void)
{
    static struct major major;
    static struct major got;

    window_all();
    table_random(false);
    major = (struct major){ .ns = table.major_ns, .nr = table.nr };
    for (uint32_t i = 0; i < table.nr; i++) {
        const struct vcpu *const v = guests[table.window[i].guest].vcpu;

        (void)memcpy(major.minor[i].handle, v->domain->handle, sizeof(major.minor[i].handle));
        major.minor[i].vcpu = v->index;
        major.minor[i].ns = table.window[i].ns;
    }
    table.begun_ns = fake_time();
    for (uint32_t i = 0; i < nr_guests; i++) {
        guests[i].ready_ns = bits_max(guests[i].ready_ns, table.begun_ns);
    }
    const enum hv_status status = major_set(0u, &major);

    MUST(status == HV_OK, "it is refused: %d", (int)status);
    fake_run();
    MUST(major_get(0u, &got) == HV_OK, "it cannot be read");
    MUST((got.ns == major.ns) && (got.nr == major.nr), "%lu entries of %lu ns come back", (uint64_t)got.nr,
         got.ns);
    window_all();
}

/* Guest i is vCPU i / 3 of domain i % 3, at home on CPU i % cpus */
static void guests_make(void)
{
    const uint32_t nr = 3u * with.cpus;

    for (uint32_t n = 0; n < 3u; n++) {
        uint64_t affinity[BENCH_VCPUS] = { 0u };
        const uint32_t vcpus = with.cpus;

        for (uint32_t v = 0; v < vcpus; v++) {
            affinity[v] = BIT64(((v * 3u) + n) % with.cpus);
        }
        (void)bench_plan_make(n, 0u);
        bench_domain[n].handle[0] = (uint8_t)(n + 1u);
        bench_domain[n].index = n;
        bench_domain_make(n, affinity, vcpus);
    }
    for (uint32_t i = 0; i < nr; i++) {
        struct guest *const g = guest_add(&bench_vcpu[i % 3u][i / 3u]);

        if (((i / with.cpus) != 0u) ||
            (with.seed % 2u == 0u)) { /* else the first of each CPU only computes */
            guest_behaves(g, noise, 100u * US, 0u);
        }
    }
}

/* What a guest that only computes should have had by now, in whole frames */
static uint64_t due_ns(uint32_t guest, uint64_t frames)
{
    uint64_t sum = 0u;

    for (uint32_t i = 0; i < table.nr; i++) {
        sum += (table.window[i].guest == guest) ? (table.window[i].ns * frames) : 0u;
    }
    return sum;
}

static void windows_scenario(void)
{
    sim_seed = with.seed;
    table_random(!with.set_again);
    table_plan();
    sim_setup(with.cpus);
    sim_gets = window_gets;
    sim_had = window_had;
    for (uint32_t i = 0; i < 8u; i++) {
        work_setup(&work[i], work_long);
    }
    guests_make();
    for (uint32_t i = 0; i < nr_guests; i++) {
        guest_on(&guests[i]);
    }
    for (uint64_t frame = 0; frame < with.frames; frame++) {
        const uint64_t before = fake_time();
        const uint64_t until = before + (with.set_again ? sim_between(1u, 1500000u) : MS);

        sim_run(sim_between(0u, until - before));
        work_some();
        window_all();
        sim_run(until - fake_time());
        if (with.set_again && (sim_between(0u, 7u) == 0u)) {
            table_set();
        }
    }
    window_all();
    for (uint32_t i = 0; (i < with.cpus) && !with.set_again && (with.seed % 2u == 1u); i++) {
        const uint64_t ran = sched_run_ns(guests[i].vcpu);

        figures_worst(1, (ran > due_ns(i, with.frames)) ? (ran - due_ns(i, with.frames))
                                                        : (due_ns(i, with.frames) - ran));
        MUST(ran == due_ns(i, with.frames), "seed %lu: %u had %lu ns of %lu", with.seed, i, ran,
             due_ns(i, with.frames));
    }
    for (uint32_t i = 2u * with.cpus; i < nr_guests; i++) {
        MUST(guests[i].ran_ns == 0u, "%u has no window and ran", i);
    }
    MUST(works > 0u, "no work was done");
    figures->worst[2] += begins;
    figures->worst[3] += works;
    figures->decisions += fake_exit_works();
    figures->rounds += with.frames;
}

static void windows(void **state)
{
    static const uint32_t cpus[] = { 1u, 1u, 2u, 4u, 8u, 3u };

    (void)state;
    figures_begin();
    for (uint32_t i = 0; i < 6u; i++) {
        with.cpus = cpus[i];
        with.seed = i + 1u;
        with.frames = sim_rounds((cpus[i] == 1u) ? 12000u : 2500u);
        with.set_again = false;
        bench_alone(windows_scenario);
    }
    (void)fprintf(
        stderr,
        "arinc653: %lu frames of 1 ms on 1-8 CPUs with noise: %lu windows begin at most %lu ns late, drift "
        "%lu ns, none outside; %lu pieces of work, %lu decisions\n",
        figures->rounds, figures->worst[2], figures->worst[0], figures->worst[1], figures->worst[3],
        figures->decisions);
}

static void set_at_run_time(void **state)
{
    (void)state;
    figures_begin();
    for (uint32_t i = 0; i < sim_rounds(6u); i++) {
        with.cpus = 1u + (i % 4u);
        with.seed = i + 1u;
        with.frames = 1500u;
        with.set_again = true;
        bench_alone(windows_scenario);
    }
    (void)fprintf(stderr,
                  "arinc653: schedules set at run time: %lu windows, at most %lu ns late; %lu decisions\n",
                  figures->worst[2], figures->worst[0], figures->decisions);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows),
        cmocka_unit_test(set_at_run_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
