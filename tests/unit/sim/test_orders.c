/* What becomes of everything that is asked for while a domain ends and begins again, and how often it may.
 * [test->req~restart-alone~1] [test->req~restart-limit~1] [test->req~restart-ordered~1]
 * [test->req~module-digest~1] */
#include "sim_restart.h"

/* -- How often -- */

static void limit(void)
{
    power_on(BOARD("credit2") DOMAIN("1", "1", LIMIT("3") ON_CRASH) DOMAIN("2", "1", LIMIT("0"))
                 DOMAIN("3", "1", "") BOARD_END,
             CPUS, kernels_put);
    struct domain *const d = domain("domU1");
    uint64_t at[3] = { 0u };
    uint32_t n = 0u;

    /* one each 20.5 s, for ever; then faster */
    for (; n < 12u; n++) {
        guest_asks(d->vcpu[0], HAL_DOMAIN_RESET);
        until(d, DOMAIN_RUNNING, n + 1u);
        at[n % 3u] = hal_timer_now_ns();
        fake_time_advance(20500u * MS);
    }
    /* two in the last minute; a third, and no fourth until the minute before sees two */
    guest_asks(d->vcpu[0], HAL_DOMAIN_RESET);
    until(d, DOMAIN_RUNNING, n + 1u);
    MUST((hal_timer_now_ns() - at[n % 3u]) > (60u * 1000u * MS));
    MUST(build_order(d, HAL_DOMAIN_RESET, "by the operator") == HV_OK); /* counts for nothing */
    until(d, DOMAIN_RUNNING, n + 2u);
    guest_asks(d->vcpu[0], HAL_DOMAIN_RESET);
    until(d, DOMAIN_STOPPED, n + 2u);
    MUST(strstr(sim_shown(), "domU1: more than 3 restarts in a minute, it stays stopped\n") != NULL);
    MUST(strstr(sim_shown(), "domU1: asked for a reset and is parked: the test\n") != NULL);
    MUST(ram_bytes(RAM_OWNER_DOMAIN + d->id) == 0u);
    /* the operator may all the same; what it counts is not forgotten */
    MUST(build_order(d, HAL_DOMAIN_RESET, "by the operator") == HV_OK);
    until(d, DOMAIN_RUNNING, n + 3u);
    guest_asks(d->vcpu[0], HAL_DOMAIN_CRASH);
    until(d, DOMAIN_CRASHED, n + 3u);
    MUST(strstr(sim_shown(), "domU1: crashed: the test\n") != NULL);
    MUST(build_order(d, HAL_DOMAIN_RESET, "by the operator") == HV_OK);
    until(d, DOMAIN_RUNNING, n + 4u);
    fake_time_advance(62u * 1000u * MS);
    guest_asks(d->vcpu[0], HAL_DOMAIN_WATCHDOG);
    until(d, DOMAIN_RUNNING, n + 5u);

    guest_asks(domain("domU2")->vcpu[0], HAL_DOMAIN_WATCHDOG);
    until(domain("domU2"), DOMAIN_CRASHED, 0u);
    MUST(strstr(sim_shown(), "domU2: more than 0 restarts in a minute, it stays stopped\n") != NULL);
    MUST(strstr(sim_shown(), "domU2: hung: the test\n") != NULL);
    guest_asks(domain("domU3")->vcpu[0], HAL_DOMAIN_CRASH); /* as the plan says by default */
    until(domain("domU3"), DOMAIN_CRASHED, 0u);
    MUST(fake_power_state() == FAKE_POWER_ON);
}

/* -- At every moment of a restart something else is wanted -- */

enum wish { WISH_NOTHING, WISH_STOP, WISH_RESTART, WISH_STOP_RESTART, WISH_RESTART_STOP, WISH_CRASH, WISHES };

/* What is wished for, and what must come of it: does it run in the end, after how many restarts more than
 * those that `pending` already promises? */
static bool wish(struct domain *d, enum wish what, bool *runs, uint32_t *more)
{
    const enum domain_state now = d->state;
    const bool busy = (now == DOMAIN_STOPPING) || (now == DOMAIN_BUILDING);
    const uint32_t if_up = busy ? 0u : 1u;

    switch (what) {
    case WISH_STOP:
        order(d, HAL_DOMAIN_OFF);
        *runs = false;
        break;
    case WISH_RESTART:
        order(d, HAL_DOMAIN_RESET);
        *more = if_up;
        break;
    case WISH_STOP_RESTART:
        order(d, HAL_DOMAIN_OFF);
        order(d, HAL_DOMAIN_RESET);
        *more = if_up;
        break;
    case WISH_RESTART_STOP:
        order(d, HAL_DOMAIN_RESET);
        order(d, HAL_DOMAIN_OFF);
        *runs = false;
        break;
    case WISH_CRASH:
        build_request_stop(d, HAL_DOMAIN_CRASH, "the test");
        *runs = busy;
        break;
    case WISH_NOTHING:
    default:
        break;
    }
    return busy;
}

static void steps(uint32_t count)
{
    for (uint32_t i = 0u; i < count; i++) {
        for (cpuid_t cpu = 0u; cpu < CPUS; cpu++) {
            (void)fake_cpu_go(cpu);
        }
    }
}

static void settle(const struct domain *d)
{
    for (uint32_t i = 0u; ((d->state == DOMAIN_STOPPING) || (d->state == DOMAIN_BUILDING)) && (i < 1000u);
         i++) {
        steps(1u);
    }
    fake_run();
}

/* One restart that is disturbed in its step `at`; false if it is over by then. */
static bool disturbed(struct domain *d, enum hal_power_request first, uint32_t at, enum wish what)
{
    const bool planned = (first == HAL_DOMAIN_RESET);
    const uint32_t before = d->nr_restarts;
    bool runs = planned;
    uint32_t more = 0u;

    guest_asks(d->vcpu[0], first);
    MUST(d->state == DOMAIN_STOPPING);
    steps(at);
    const bool was_down = build_is_down(d->state);
    const bool pending = (d->nr_restarts == before);
    const bool busy = was_down ? false : wish(d, what, &runs, &more);
    settle(d);
    if (!was_down && !planned) { /* it was to be off: nothing but an order changes that */
        runs = (what == WISH_RESTART) || (what == WISH_STOP_RESTART);
    }
    if (!runs) {
        MUST(build_is_down(d->state));
        MUST((d->nr_restarts - before) == (pending ? 0u : 1u));
        MUST(ram_bytes(RAM_OWNER_DOMAIN + d->id) == 0u);
        order(d, HAL_DOMAIN_RESET);
        settle(d);
    } else {
        MUST((d->nr_restarts - before) == (1u + more));
    }
    MUST(d->state == DOMAIN_RUNNING);
    MUST(!build_slot_of(d)->ordered);
    MUST(fake_power_state() == FAKE_POWER_ON);
    return busy;
}

static void wishes(void)
{
    static struct whole first;
    static struct whole now;

    power_on(BOARD("credit2") DOMAIN("1", "2", LIMIT("10000")) DOMAIN("2", "1", "") BOARD_END, CPUS,
             kernels_put);
    struct domain *const d = domain("domU1");
    const struct account a = account(d);
    look(d, &first);
    breath_turns = true;
    for (uint32_t what = 0u; what < (uint32_t)WISHES; what++) {
        uint32_t moments = 0u;

        for (uint32_t at = 0u; disturbed(d, HAL_DOMAIN_RESET, at, (enum wish)what); at++) {
            moments++;
            const struct account b = account(d);
            account_same(&a, &b);
            look(d, &now);
            same(&first, &now);
        }
        for (uint32_t at = 0u; disturbed(d, HAL_DOMAIN_OFF, at, (enum wish)what); at++) {
            moments++;
        }
        MUST((moments > 10u) && (moments < 1000u));
    }
}

/* -- Two at once, and powered on while going down -- */

static void ask_while_reset(struct hal_vcpu *vcpu)
{
    on_reset = NULL;
    build_request_stop((struct domain *)(void *)vcpu->domain, HAL_DOMAIN_RESET, "the test");
}

static void at_once(void)
{
    power_on(BOARD("credit2") DOMAIN("1", "3", LIMIT("100")) DOMAIN("2", "1", "") BOARD_END, CPUS,
             kernels_put);
    struct domain *const d = domain("domU1");

    for (uint32_t i = 0u; i < 3u; i++) {
        const bool reset = (i == 1u);

        guest_cpu_on(d->vcpu[0], 1u);
        fake_run();
        guest_asks(d->vcpu[0], HAL_DOMAIN_RESET);
        guest_asks(d->vcpu[1], reset ? HAL_DOMAIN_RESET : HAL_DOMAIN_CRASH);
        until(d, DOMAIN_RUNNING, i + 1u);
        MUST(d->vcpu[1]->state == VCPU_OFF);
    }
    /* its own CPU has not heard of it */
    guest_cpu_on(d->vcpu[0], 1u);
    fake_run();
    guest_asks(d->vcpu[0], HAL_DOMAIN_RESET);
    guest_cpu_on(d->vcpu[1], 2u);
    MUST(cpu_on_status == HV_DENIED);
    until(d, DOMAIN_RUNNING, 4u);
    MUST(d->vcpu[2]->state == VCPU_OFF);
    /* in the middle of it */
    on_reset = ask_while_reset;
    guest_cpu_on(d->vcpu[0], 2u);
    MUST(cpu_on_status == HV_DENIED);
    until(d, DOMAIN_RUNNING, 5u);
    MUST((d->vcpu[1]->state == VCPU_OFF) && (d->vcpu[2]->state == VCPU_OFF));
    /* just before */
    guest_cpu_on(d->vcpu[0], 2u);
    MUST(cpu_on_status == HV_OK);
    guest_asks(d->vcpu[0], HAL_DOMAIN_RESET);
    until(d, DOMAIN_RUNNING, 6u);
    MUST(d->vcpu[2]->state == VCPU_OFF);
}

/* -- The host stays on for one that restarts, whatever the others do -- */

/* As if bulkhead-image had packed it */
static struct plan_module *kernel_with_digest(const struct domain *d)
{
    struct plan_module *const kernel = (struct plan_module *)(uintptr_t)&d->plan->kernel;
    const uint32_t crc = crc32c_update(0u, fake_ram(kernel->base, kernel->bytes), kernel->bytes);

    kernel->digest = PLAN_DIGEST_CRC32C;
    for (uint32_t i = 0u; i < 4u; i++) {
        kernel->digest_is[i] = (uint8_t)(crc >> (24u - (8u * i)));
    }
    return kernel;
}

static void last_one(void)
{
    power_on(BOARD("null") DOMAIN("1", "1", "") DOMAIN("2", "1", "") BOARD_END, CPUS, kernels_put);
    struct domain *const d = domain("domU1");
    bool ended = false;

    (void)kernel_with_digest(d);
    breath_turns = true;
    guest_asks(d->vcpu[0], HAL_DOMAIN_RESET);
    steps(2u);
    guest_asks(domain("domU2")->vcpu[0], HAL_DOMAIN_OFF);
    for (uint32_t i = 0u; (i < 1000u) && (domain("domU2")->state != DOMAIN_STOPPED); i++) {
        steps(1u);
    }
    settle(d);
    MUST((d->state == DOMAIN_RUNNING) && (domain("domU2")->state == DOMAIN_STOPPED));
    MUST(fake_power_state() == FAKE_POWER_ON);
    guest_asks(d->vcpu[0], HAL_DOMAIN_RESET);
    for (uint32_t i = 0u; (i < 1000u) && (d->state != DOMAIN_RUNNING); i++) {
        steps(1u);
        MUST(ram_bytes(RAM_OWNER_DOMAIN + d->id) == d->plan->memory_bytes); /* never anybody else's */
    }
    MUST((d->state == DOMAIN_RUNNING) && (fake_power_state() == FAKE_POWER_ON));
    order(d, HAL_DOMAIN_OFF);
    fake_run();
    ended = (fake_power_state() == FAKE_POWER_OFF);
    MUST(ended);
}

/* -- A module that changed is not booted -- */

static void flipped(void)
{
    power_on(BOARD("credit2") DOMAIN("1", "1", "") DOMAIN("2", "1", "") BOARD_END, CPUS, kernels_put);
    struct domain *const d = domain("domU1");
    struct plan_module *const kernel = kernel_with_digest(d);
    uint8_t *const byte = &fake_ram(hpa(KERNEL(1u)), KERNEL_BYTES)[0x900];
    const struct account a = account(d);

    guest_asks(d->vcpu[0], HAL_DOMAIN_RESET);
    until(d, DOMAIN_RUNNING, 1u);
    *byte ^= 4u;
    guest_asks(d->vcpu[0], HAL_DOMAIN_RESET);
    until(d, DOMAIN_FAILED, 2u);
    MUST(strstr(sim_shown(), "domU1: not built, phase modules failed\n") != NULL);
    MUST(ram_bytes(RAM_OWNER_DOMAIN + d->id) == 0u);
    MUST(d->pool.nr_free == d->pool.nr_pages);
    order(d, HAL_DOMAIN_RESET);
    until(d, DOMAIN_FAILED, 3u);
    kernel->digest = PLAN_DIGEST_NONE;
    order(d, HAL_DOMAIN_RESET);
    until(d, DOMAIN_RUNNING, 4u);
    const struct account b = account(d);
    account_same(&a, &b);
}

static void run_scenario(void **state)
{
    scenario((void (*)(void))(uintptr_t)*state);
}

#define SCENARIO(f) { #f, run_scenario, NULL, NULL, (void *)(uintptr_t)(f) }

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(limit), SCENARIO(wishes), SCENARIO(at_once), SCENARIO(last_one), SCENARIO(flipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
