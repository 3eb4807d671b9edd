/* Domains that begin again, alone: what they find, and what the others notice. [test->req~restart-alone~1]
 * [test->req~restart-fresh~1] [test->req~restart-limit~1] */
#include "sim_restart.h"

static void fresh_with(const char *board)
{
    static const enum hal_power_request why[] = { HAL_DOMAIN_RESET, HAL_DOMAIN_CRASH, HAL_DOMAIN_WATCHDOG };
    static struct whole first;
    static struct whole now;

    power_on(board, CPUS, kernels_put);
    struct domain *const d = domain("domU1");
    look(d, &first);
    memory_is_fresh(d);
    const struct account a = account(d);
    for (uint32_t i = 1u; i < 10u; i++) {
        live(d);
        if ((i % 4u) == 0u) {
            d->paused = true;
            sched_pause_domain(d);
            MUST(build_order(d, HAL_DOMAIN_RESET, "by the operator") == HV_OK);
        } else {
            guest_asks(d->vcpu[(i / 2u) % 2u], why[i % 3u]);
        }
        for (cpuid_t cpu = 0u; cpu < CPUS; cpu++) { /* its own CPU has the work */
            MUST(work_pending(cpu) == (cpu == d->vcpu[0]->cpu));
        }
        until(d, DOMAIN_RUNNING, i);
        MUST(cpu_of(d->vcpu[0]) < CPUS);
        look(d, &now);
        same(&first, &now);
        memory_is_fresh(d);
        const struct account b = account(d);
        account_same(&a, &b);
        MUST(d->progress == 0u);
        MUST(!fake_guest_line(&d->hal, UART_INTID));
    }
    MUST(strstr(sim_shown(), "domU1: restarts (1): the test\n") != NULL);
    MUST(strstr(sim_shown(), "domU1: restarts (8): by the operator\n") != NULL);
    MUST(strstr(sim_shown(), "domU1: half a line\n") != NULL);
}

static void fresh_rr(void)
{
    fresh_with(BOARD("credit2") DOMAIN("1", "3", ON_CRASH GUARDED) DOMAIN("2", "1", "") BOARD_END);
}

static void fresh_null(void)
{
    fresh_with(BOARD("null") DOMAIN("1", "3", ON_CRASH GUARDED) DOMAIN("2", "1", "") BOARD_END);
}

/* -- Ten thousand in a row, while others run -- */

static uint32_t chance_state = 1u;

static uint32_t chance(uint32_t of)
{
    chance_state = (chance_state * 1664525u) + 1013904223u;
    return (chance_state >> 8u) % of;
}

struct ticker {
    struct vcpu *vcpu;
    uint64_t next_ns;
    uint64_t ticks;
};

/* The one beside it sleeps from tick to tick. */
static void ticker_serve(struct ticker *t)
{
    const cpuid_t cpu = cpu_of(t->vcpu);

    if ((cpu < CPUS) && (fake_guest_ack(&t->vcpu->hal) == FAKE_INTID_VIRT_TIMER)) {
        MUST(hal_timer_now_ns() == t->next_ns);
        t->ticks++;
        t->next_ns += TICK_NS;
        fake_guest_virt_timer(&t->vcpu->hal, t->next_ns);
        fake_guest_wait(cpu);
        fake_run();
    }
}

static void ticker_start(struct ticker *t, struct vcpu *vcpu)
{
    t->vcpu = vcpu;
    t->next_ns = hal_timer_now_ns() + TICK_NS;
    fake_guest_virt_timer(&vcpu->hal, t->next_ns);
    fake_guest_wait(cpu_of(vcpu));
    fake_run();
}

static uint64_t hash(const struct domain *d)
{
    static uint8_t memory[MEMORY_BYTES];
    uint64_t value = 0xCBF29CE484222325ULL;

    MUST(fake_guest_read(&d->hal.map, gpa(GUEST_RAM), memory, sizeof(memory)));
    for (uint32_t i = 0u; i < sizeof(memory); i++) {
        value = (value ^ memory[i]) * 0x100000001B3ULL;
    }
    return value;
}

/* Up to a few moments of a life: begins others, sets clocks, sleeps, writes. */
static void live_shortly(struct domain *d, struct ticker *t)
{
    for (uint32_t n = chance(4u); n > 0u; n--) {
        struct vcpu *const v = d->vcpu[chance(d->nr_vcpus)];
        const cpuid_t cpu = cpu_of(v);
        const uint64_t soon_ns = hal_timer_now_ns() + chance(3u * (uint32_t)MS);

        if (cpu < CPUS) {
            switch (chance(5u)) {
            case 0u:
                guest_cpu_on(v, chance(d->nr_vcpus));
                break;
            case 1u:
                fake_guest_virt_timer(&v->hal, soon_ns);
                fake_guest_wait(cpu);
                break;
            case 2u:
                fake_guest_phys_timer(&v->hal, soon_ns);
                break;
            case 3u:
                fake_guest_pend(&d->vcpu[chance(d->nr_vcpus)]->hal, chance(16u));
                break;
            default:
                uart_put(v, 0u, '.');
                break;
            }
        }
        if (chance(2u) == 0u) {
            (void)fake_cpu_go(chance(CPUS));
        } else {
            fake_time_advance(t->next_ns - hal_timer_now_ns());
            ticker_serve(t);
        }
    }
}

/* Asked by one of its vCPUs, or by two of them, or from outside. False: by the operator, which is not
 * counted. */
static bool end_somehow(struct domain *d)
{
    const struct vcpu *const v = d->vcpu[chance(d->nr_vcpus)];
    const struct vcpu *const w = d->vcpu[chance(d->nr_vcpus)];
    const bool ordered = chance(16u) == 0u;

    if (ordered) {
        order(d, HAL_DOMAIN_RESET);
    }
    if (!ordered && (cpu_of(v) < CPUS)) {
        guest_asks(v, (chance(2u) == 0u) ? HAL_DOMAIN_RESET : HAL_DOMAIN_CRASH);
    }
    if (cpu_of(w) < CPUS) {
        if ((chance(2u) == 0u) || (d->state == DOMAIN_RUNNING)) {
            guest_asks(w, HAL_DOMAIN_RESET);
        } else {
            guest_cpu_on(w, chance(d->nr_vcpus));
            MUST(cpu_on_status != HV_OK);
        }
    }
    if (d->state == DOMAIN_RUNNING) {
        build_request_stop(d, HAL_DOMAIN_WATCHDOG, "the test");
    }
    return !ordered;
}

static void ten_thousand(void)
{
    static struct whole first;
    static struct whole now;
    struct ticker t = { NULL, 0u, 0u };
    uint32_t counted = 0u;
    uint32_t n = 0u;

    power_on(BOARD("credit2") DOMAIN("1", "3", LIMIT("10000") ON_CRASH) DOMAIN("2", "1", "")
                 DOMAIN("3", "1", "") BOARD_END,
             CPUS, kernels_put);
    struct domain *const d = domain("domU1");
    struct vcpu *const busy = domain("domU3")->vcpu[0];
    const uint64_t hash2 = hash(domain("domU2"));
    const uint64_t hash3 = hash(domain("domU3"));
    const struct account a = account(d);
    const uint64_t start_ns = hal_timer_now_ns();
    const uint64_t busy_ns = sched_run_ns(busy);

    look(d, &first);
    memory_is_fresh(d);
    ticker_start(&t, domain("domU2")->vcpu[0]);
    while (counted < 10000u) {
        live_shortly(d, &t);
        counted += end_somehow(d) ? 1u : 0u;
        n++;
        for (uint32_t i = 1u; ((d->state != DOMAIN_RUNNING) || (d->nr_restarts != n)) && (i < 1000u); i++) {
            (void)fake_cpu_go(chance(CPUS));
            if ((i % 16u) == 0u) { /* a CPU that is shared gives the worker its part with time */
                fake_time_advance(t.next_ns - hal_timer_now_ns());
                ticker_serve(&t);
            }
        }
        MUST((d->state == DOMAIN_RUNNING) && (d->nr_restarts == n));
        fake_run();
        if ((n % 500u) == 0u) {
            until_in_guest(d->vcpu[0]);
            look(d, &now);
            same(&first, &now);
            memory_is_fresh(d);
            const struct account b = account(d);
            account_same(&a, &b);
            sim_shown_forget();
        }
        ticker_serve(&t);
    }
    MUST((hal_timer_now_ns() - start_ns) < (60u * 1000u * MS));
    MUST(t.ticks == ((hal_timer_now_ns() - start_ns) / TICK_NS));
    MUST(t.ticks > 5000u);
    MUST((sched_run_ns(busy) - busy_ns) > (((hal_timer_now_ns() - start_ns) / 10u) * 9u));
    MUST((hash(domain("domU2")) == hash2) && (hash(domain("domU3")) == hash3));
    until_in_guest(d->vcpu[0]);
    guest_asks(d->vcpu[0], HAL_DOMAIN_RESET); /* and not one more */
    until(d, DOMAIN_STOPPED, n);
    MUST(strstr(sim_shown(), "domU1: more than 10000 restarts in a minute") != NULL);
}

static void run_scenario(void **state)
{
    scenario((void (*)(void))(uintptr_t)*state);
}

#define SCENARIO(f) { #f, run_scenario, NULL, NULL, (void *)(uintptr_t)(f) }

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(fresh_rr),
        SCENARIO(fresh_null),
        SCENARIO(ten_thousand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
