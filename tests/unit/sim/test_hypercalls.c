/* Hypercalls of whole domains: several at once, and those that go on with the next call.
 * [test->req~hypercalls~1] [test->req~multicall~1] [test->req~console-io~1] [test->req~pv-watchdog~1]
 * [test->req~wall-clock~1] [test->req~runstate~1] */
#include "sim_guest.h"

#define LIST (GUEST_RAM + 0x105000ULL)

static void list_put(uint32_t i, uint64_t op_number, uint64_t a0, uint64_t a1)
{
    const struct xen_multicall_entry entry = { .op = op_number, .result = 0x55u, .args = { a0, a1 } };

    put(one, LIST + (i * sizeof(entry)), &entry, sizeof(entry));
}

static uint64_t result_of(uint32_t i)
{
    struct xen_multicall_entry entry;

    get(one, LIST + (i * sizeof(entry)), &entry, sizeof(entry));
    return entry.result;
}

/* Makes the call until it does not ask for another; how often it did. */
static uint32_t calls_to_end(uint32_t nr)
{
    const uint32_t before = one->hal.nr_again;
    uint32_t n = 0u;

    (void)call(one, 13u, place(one, LIST), nr, 0u);
    while ((one->hal.nr_again - before) > n) {
        n++;
        MUST((n < 1000u) && (call_number == 13u));
        (void)call(one, 13u, call_arg[0], call_arg[1], 0u);
    }
    return n;
}

static void several(void)
{
    begin();
    list_put(0u, 17u, 0u, 0u);
    list_put(1u, 999u, 0u, 0u);
    list_put(2u, 13u, place(one, LIST), 1u); /* one within another is refused */
    list_put(3u, 17u, 7u, 0u);
    list_put(4u, 17u | (1ULL << 32u), 0u, 0u);
    MUST((calls_to_end(4u) == 0u) && (call_arg[0] == 0u));
    MUST((result_of(0u) == 0x00040014u) && (result_of(3u) == 4096u));
    MUST((result_of(1u) == (uint64_t)-38LL) && (result_of(2u) == (uint64_t)-22LL));
    MUST(result_of(4u) == 0x55u);
    MUST((calls_to_end(5u) == 0u) && (result_of(4u) == (uint64_t)-38LL));
    MUST(call(one, 13u, place(one, LIST), 0u, 0u) == 0);
    MUST(call(one, 13u, 0u, 1u, 0u) == -XEN_EFAULT);
    MUST(call(one, 13u, UINT64_MAX - 7u, UINT32_MAX, 0u) == -XEN_EFAULT);

    for (uint32_t i = 0u; i < 30u; i++) {
        list_put(i, 17u, 7u, 0u);
    }
    MUST((calls_to_end(30u) == 3u) && (call_arg[0] == 0u)); /* a bounded piece at a time */
    for (uint32_t i = 0u; i < 30u; i++) {
        MUST(result_of(i) == 4096u);
    }
    list_put(0u, 29u, 0u, 0u); /* what gives the CPU away ends the piece */
    MUST((calls_to_end(3u) == 1u) && (result_of(0u) == 0u) && (result_of(2u) == 4096u));
}

/* A call that goes on with the next one does so within several. */
static void long_ones(void)
{
    uint32_t port = 0u;
    const uint32_t self = 0x7FF0u;

    begin();
    for (uint32_t i = 0u; i < 40u; i++) {
        MUST(unbound(one, 2u, &port) == 0);
    }
    put(one, ARGS, &self, sizeof(self));
    list_put(0u, 17u, 7u, 0u);
    list_put(1u, 32u, EVTCHNOP_RESET, place(one, ARGS));
    list_put(2u, 17u, 7u, 0u);
    MUST((calls_to_end(3u) == 2u) && (call_arg[0] == 0u));
    MUST((result_of(0u) == 4096u) && (result_of(1u) == 0u) && (result_of(2u) == 4096u));
    MUST(status(one, port) == EVTCHNSTAT_CLOSED);
    MUST(one->multicall == VCPU_NO_MULTICALL);
}

/* -- console_io -- */

#define TEXT (GUEST_RAM + 0x106000ULL)

static int64_t console_read(uint32_t room, char *to)
{
    const int64_t n = call(one, 18u, CONSOLEIO_READ, room, place(one, TEXT));

    if (n > 0) {
        get(one, TEXT, to, (uint64_t)n);
    }
    return n;
}

static void type(const struct vcpu *vcpu, const char *text)
{
    struct console *const c = &vcpu->domain->console;

    for (; *text != '\0'; text++) {
        c->rx(c->ctx, (uint8_t)*text);
    }
}

static void console(void)
{
    char text[600];
    uint32_t n = 0u;
    union xen_evtchn_op arg = { .bind_virq = { .virq = VIRQ_CONSOLE } };

    begin();
    (void)memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1u] = '\n';
    put(one, TEXT, text, sizeof(text));
    call_arg[0] = CONSOLEIO_WRITE;
    call_arg[1] = sizeof(text);
    call_arg[2] = place(one, TEXT);
    do {
        (void)call(one, 18u, call_arg[0], call_arg[1], call_arg[2]);
        n++;
    } while ((n < 20u) && (call_arg[2] != (place(one, TEXT) + 512u)));
    MUST(n == 4u); /* a piece a call */
    MUST(call(one, 18u, call_arg[0], call_arg[1], call_arg[2]) == 0);
    MUST(strstr(sim_shown(), "xxxxxxxx") != NULL);
    put(one, TEXT, "two words\r\n", 11u);
    MUST(call(one, 18u, CONSOLEIO_WRITE, 11u, place(one, TEXT)) == 0);
    MUST(strstr(sim_shown(), "domU1: two words") != NULL);
    MUST(call(one, 18u, CONSOLEIO_WRITE, 0u, 0u) == 0);
    MUST(call(one, 18u, CONSOLEIO_WRITE, 1u, 0x1000u) == -XEN_EFAULT);
    MUST(call(one, 18u, 2u, 1u, place(one, TEXT)) == -XEN_ENOSYS);
    MUST(call(one, 18u, CONSOLEIO_READ, 0x80000000u, place(one, TEXT)) == -XEN_E2BIG);

    /* its UART has the input until it reads here */
    type(one, "a");
    MUST(console_read(10u, text) == 0);
    MUST(op(one, EVTCHNOP_BIND_VIRQ, &arg, 12u) == 0);
    type(one, "hello");
    MUST(pending(one, arg.bind_virq.port) && hears(one, SHARED));
    MUST((console_read(3u, text) == 3) && (console_read(10u, &text[3]) == 2));
    MUST((memcmp(text, "hello", 5u) == 0) && (console_read(10u, text) == 0));
    for (uint32_t i = 0u; i < 1000u; i++) {
        type(one, "y"); /* what it does not read in time is lost */
    }
    for (n = 0u; (call_arg[0] != 0u) || (n == 0u);) {
        n += (uint32_t)console_read(600u, text);
    }
    MUST((n == 512u) && (console_read(10u, text) == 0));
    type(one, "z");
    MUST(call(one, 18u, CONSOLEIO_READ, 1u, 0x1000u) == -XEN_EFAULT);
    type(domain("domU3")->vcpu[0], "q");
    MUST(call(domain("domU3")->vcpu[0], 18u, CONSOLEIO_READ, 1u, TEXT) == -XEN_ENOSYS);
}

/* -- sched_op -- */

static int64_t sched(const struct vcpu *vcpu, uint32_t number, uint32_t a, uint32_t b)
{
    const uint32_t arg[2] = { a, b };

    put(vcpu, ARGS, arg, sizeof(arg));
    return call(vcpu, 29u, number, place(vcpu, ARGS), 0u);
}

static void step(uint32_t seconds)
{
    for (uint32_t i = 0u; i < seconds; i++) {
        fake_time_advance(1000u * MS);
    }
}

static void watchdogs(void)
{
    begin();
    MUST(sched(one, SCHEDOP_WATCHDOG, 1u, 5u) == -XEN_EINVAL); /* not taken */
    MUST(sched(one, SCHEDOP_WATCHDOG, 3u, 5u) == -XEN_EINVAL);
    MUST(sched(one, SCHEDOP_WATCHDOG, UINT32_MAX, 5u) == -XEN_EINVAL);
    MUST(sched(one, SCHEDOP_WATCHDOG, 0u, 5u) == 1);
    MUST(sched(one, SCHEDOP_WATCHDOG, 0u, UINT32_MAX) == 2);
    MUST(sched(one, SCHEDOP_WATCHDOG, 0u, 5u) == -XEN_ENOSPC);
    MUST(sched(one, SCHEDOP_WATCHDOG, 2u, 0u) == 0);
    MUST(sched(one, SCHEDOP_WATCHDOG, 2u, 5u) == -XEN_EINVAL);
    step(4u);
    MUST(sched(one, SCHEDOP_WATCHDOG, 1u, 5u) == 0);
    step(4u);
    MUST(one->domain->nr_restarts == 0u);
    step(1u);
    until(one->domain, DOMAIN_RUNNING, 1u); /* as hung domains do */
    until_in_guest(one);
    MUST(sched(one, SCHEDOP_WATCHDOG, 1u, 5u) == -XEN_EINVAL);
    MUST(sched(one, SCHEDOP_WATCHDOG, 0u, 5u) == 1);
    guest_asks(one, HAL_DOMAIN_RESET);
    until(one->domain, DOMAIN_RUNNING, 2u); /* it ends with the life */
    step(20u);
    MUST(one->domain->nr_restarts == 2u);
    until_in_guest(one);
    MUST(sched(one, SCHEDOP_WATCHDOG, 0u, 5u) == 1);
    one->domain->paused = true;
    sched_pause_domain(one->domain);
    step(20u);
    one->domain->paused = false;
    sched_unpause_domain(one->domain);
    step(4u);
    MUST(one->domain->nr_restarts == 2u);
    step(2u);
    until(one->domain, DOMAIN_RUNNING, 3u);
}

static void shutdowns(void)
{
    begin();
    MUST(sched(one, SCHEDOP_PIN_OVERRIDE, 0u, 0u) == -XEN_EPERM);
    MUST(sched(one, 8u, 0u, 0u) == -XEN_ENOSYS);
    MUST(sched(one, SCHEDOP_REMOTE_SHUTDOWN, 2u, SHUTDOWN_REBOOT) == -XEN_EPERM);
    MUST(sched(one, SCHEDOP_REMOTE_SHUTDOWN, 1u, SHUTDOWN_REBOOT) == -XEN_EPERM);
    MUST(sched(one, SCHEDOP_REMOTE_SHUTDOWN, 77u, SHUTDOWN_REBOOT) == -XEN_ESRCH);
    MUST(sched(one, SCHEDOP_REMOTE_SHUTDOWN, 0x7FF0u, SHUTDOWN_REBOOT) == -XEN_ESRCH);
    ((struct plan_domain *)(uintptr_t)one->domain->plan)->role = PLAN_ROLE_CONTROL;
    MUST(sched(one, SCHEDOP_REMOTE_SHUTDOWN, 2u, SHUTDOWN_REBOOT) == 0);
    until(two->domain, DOMAIN_RUNNING, 1u);
    until_in_guest(two);
    MUST(sched(two, SCHEDOP_SHUTDOWN_CODE, SHUTDOWN_POWEROFF, 0u) == 0);
    MUST(sched(two, SCHEDOP_SHUTDOWN_CODE, SHUTDOWN_REBOOT, 0u) == 0); /* the first word stands */
    MUST(sched(one, SCHEDOP_REMOTE_SHUTDOWN, 2u, SHUTDOWN_REBOOT) == 0);
    until(two->domain, DOMAIN_STOPPED, 1u);
    order(two->domain, HAL_DOMAIN_RESET);
    until(two->domain, DOMAIN_RUNNING, 2u);
    until_in_guest(two);
    MUST(sched(two, SCHEDOP_SHUTDOWN, SHUTDOWN_REBOOT, 0u) == 0); /* for one life */
    until(two->domain, DOMAIN_RUNNING, 3u);
    until_in_guest(two);
    MUST(sched(two, SCHEDOP_SHUTDOWN, 77u, 0u) == 0); /* nobody could resume it */
    until(two->domain, DOMAIN_STOPPED, 3u);
    order(two->domain, HAL_DOMAIN_RESET);
    until(two->domain, DOMAIN_RUNNING, 4u);
    until_in_guest(two);
    MUST(sched(two, SCHEDOP_SHUTDOWN, SHUTDOWN_SUSPEND, 0u) == 0);
    until(two->domain, DOMAIN_STOPPED, 4u);
    MUST(two->domain->power_request == HAL_DOMAIN_SUSPEND);
}

static void assists(void)
{
    begin();
    MUST(call(one, 21u, VM_ASSIST_ENABLE, VM_ASSIST_RUNSTATE_FLAG, 0u) == 0);
    MUST(one->domain->runstate_flag);
    MUST(call(one, 21u, VM_ASSIST_DISABLE, VM_ASSIST_RUNSTATE_FLAG, 0u) == 0);
    MUST(!one->domain->runstate_flag);
    MUST(call(one, 21u, 2u, VM_ASSIST_RUNSTATE_FLAG, 0u) == -XEN_ENOSYS);
    MUST(call(one, 21u, VM_ASSIST_ENABLE, 0u, 0u) == -XEN_EINVAL);
    MUST(call(one, 21u, VM_ASSIST_ENABLE, UINT64_MAX, 0u) == -XEN_EINVAL);
}

static uint64_t shown_s(const struct vcpu *vcpu, uint32_t version)
{
    MUST(word(vcpu, SHARED + 1072u) == version);
    return ((uint64_t)word(vcpu, SHARED + 1084u) << 32u) | word(vcpu, SHARED + 1076u);
}

static int64_t settime(struct xen_platform_settime *arg)
{
    put(one, ARGS, arg, sizeof(*arg));
    return call(one, 7u, place(one, ARGS), 0u, 0u);
}

static void clock(void)
{
    struct xen_platform_settime arg = { XENPF_SETTIME64, 0x03000001u, 0x100000005ULL,
                                        250000000u,      0u,          3000u * MS };
    uint64_t mine_s;

    begin();
    mine_s = shown_s(one, 2u);
    MUST((mine_s < 10u) && (shown_s(two, 2u) < 10u));
    MUST(settime(&arg) == -XEN_EPERM);
    ((struct plan_domain *)(uintptr_t)one->domain->plan)->role = PLAN_ROLE_CONTROL;
    MUST(call(one, 7u, 0x1000u, 0u, 0u) == -XEN_EFAULT);
    arg.interface_version++;
    MUST(settime(&arg) == -XEN_EACCES);
    arg.interface_version--;
    arg.mbz = 1u;
    MUST(settime(&arg) == -XEN_EINVAL);
    arg.mbz = 0u;
    arg.cmd = 17u;
    MUST(settime(&arg) == -XEN_ENOSYS);
    arg.cmd = XENPF_SETTIME64;
    word_put(two, SHARED + 1072u, 77u); /* a guest's own business */
    MUST(settime(&arg) == 0);
    MUST((shown_s(one, 4u) == 0x100000002ULL) && (word(one, SHARED + 1080u) == 250000000u));
    MUST((shown_s(two, 4u) - 0x100000002ULL) <= 1u);
    arg.secs = UINT64_MAX;
    arg.system_time = UINT64_MAX;
    MUST(settime(&arg) == 0);
    (void)shown_s(two, 6u);
}

/* Every number that Xen has on Arm, with an operation that it does not have there; and those that are not
 * Arm's */
static void unknown(void)
{
    static const struct {
        uint64_t number;
        uint64_t op;
        int64_t result;
    } no[] = {
        { 12u, 63u, -XEN_ENOSYS },       { 13u, 0u, 0 },
        { 17u, 99u, -XEN_ENOSYS },       { 18u, 2u, -XEN_ENOSYS },
        { 20u, 99u, -XEN_ENOSYS },       { 21u, 0u, -XEN_EINVAL },
        { 24u, 99u, -XEN_EINVAL },       { 24u, 14u, -XEN_EINVAL },
        { 27u, 0u, -XEN_ENOSYS },        { 29u, 8u, -XEN_ENOSYS },
        { 32u, 99u, -XEN_ENOSYS },       { 33u, 25u, -XEN_ENOSYS },
        { 33u, 99u, -XEN_ENOSYS },       { 34u, 99u, -XEN_ENOSYS },
        { 39u, 0u, -XEN_ENOSYS },        { 41u, 0u, -XEN_ENOSYS },
        { 42u, 0u, -XEN_ENOSYS },        { 6u, 0u, -XEN_ENOSYS },
        { 16u, 0u, -XEN_ENOSYS },        { 19u, 0u, -XEN_ENOSYS },
        { 0u, 0u, -XEN_ENOSYS },         { 1u, 0u, -XEN_ENOSYS },
        { 15u, 0u, -XEN_ENOSYS },        { 26u, 0u, -XEN_ENOSYS },
        { 37u, 0u, -XEN_ENOSYS },        { 48u, 0u, -XEN_ENOSYS },
        { 63u, 0u, -XEN_ENOSYS },        { 64u, 0u, -XEN_ENOSYS },
        { UINT64_MAX, 0u, -XEN_ENOSYS },
    };
    uint8_t handle[16];

    begin();
    for (uint32_t i = 0u; i < ARRAY_LEN(no); i++) {
        const int64_t result = call(one, no[i].number, no[i].op, 0u, 0u);

        if (result != no[i].result) {
            (void)fprintf(stderr, "hypercall %llu: %lld\n", (unsigned long long)no[i].number,
                          (long long)result);
        }
        MUST(result == no[i].result);
    }
    MUST(call(one, 17u, XENVER_BUILD_ID, 0u, 0u) == -XEN_EPERM);
    ((struct plan_domain *)(uintptr_t)one->domain->plan)->role = PLAN_ROLE_CONTROL;
    MUST(call(one, 17u, XENVER_BUILD_ID, 0u, 0u) == -XEN_ENODATA);
    one->domain->handle[0] = 3u;
    one->domain->handle[15] = 7u;
    MUST(call(one, 17u, XENVER_GUEST_HANDLE, place(one, ARGS), 0u) == 0);
    get(one, ARGS, handle, sizeof(handle));
    MUST((handle[0] == 3u) && (handle[15] == 7u));
}

#define AREA (GUEST_RAM + 0x107FF0ULL) /* over a page's end */

static struct xen_runstate_info told(const struct vcpu *vcpu)
{
    struct xen_runstate_info info;

    get(vcpu, AREA, &info, sizeof(info));
    return info;
}

static int64_t tell(const struct vcpu *vcpu, uint64_t whose, uint64_t va)
{
    put(vcpu, ARGS, &va, sizeof(va));
    return call(vcpu, 24u, VCPUOP_REGISTER_RUNSTATE_MEMORY_AREA, whose, place(vcpu, ARGS));
}

static void runstates(void)
{
    struct xen_runstate_info info;
    uint64_t ran;

    begin();
    MUST(tell(one, 0u, 0x1000u) == -XEN_EFAULT);
    MUST(tell(one, 0u, UINT64_MAX - 7u) == -XEN_EFAULT);
    MUST(tell(one, 0u, place(one, AREA) + 4u) == -XEN_EFAULT);
    MUST(tell(one, 2u, place(one, AREA)) == -XEN_ENOENT);
    MUST(call(one, 24u, 14u, 0u, place(one, ARGS)) == -XEN_EINVAL);
    MUST(tell(one, 1u, place(one, AREA)) == 0); /* not on yet */
    info = told(one);
    MUST(info.state == (int32_t)RUNSTATE_OFFLINE);
    MUST(tell(one, 0u, place(one, AREA)) == 0);
    info = told(one);
    MUST((info.state == (int32_t)RUNSTATE_RUNNING) && (info.state_entry_time <= hal_timer_now_ns()));
    ran = info.time[RUNSTATE_RUNNING];

    fake_time_advance(10u * MS);
    fake_guest_wait(cpu_of(one)); /* it leaves, and is away */
    fake_run();
    info = told(one);
    MUST(info.state == (int32_t)RUNSTATE_BLOCKED);
    MUST(info.time[RUNSTATE_RUNNING] >= (ran + (10u * MS)));
    ran = info.time[RUNSTATE_RUNNING];
    fake_time_advance(20u * MS);
    one->domain->runstate_flag = true;
    MUST(send(two, 9u) == 0);
    until_in_guest(one);
    info = told(one);
    MUST((info.state == (int32_t)RUNSTATE_RUNNING) && ((info.state_entry_time & XEN_RUNSTATE_UPDATE) == 0u));
    MUST((info.time[RUNSTATE_BLOCKED] >= (20u * MS)) && (info.time[RUNSTATE_RUNNING] == ran));
    MUST(info.time[RUNSTATE_OFFLINE] == 0u);

    one->domain->paused = true; /* it could run */
    sched_pause_domain(one->domain);
    fake_run();
    MUST(told(one).state == (int32_t)RUNSTATE_RUNNABLE);
    fake_time_advance(30u * MS);
    one->domain->paused = false;
    sched_unpause_domain(one->domain);
    fake_run();
    until_in_guest(one);
    info = told(one);
    MUST((info.state == (int32_t)RUNSTATE_RUNNING) && (info.time[RUNSTATE_RUNNABLE] >= (30u * MS)));

    guest_asks(one, HAL_DOMAIN_RESET); /* the next life's memory is its own */
    until(one->domain, DOMAIN_RUNNING, 1u);
    until_in_guest(one);
    info = told(one);
    MUST((info.state == 0) && (info.time[RUNSTATE_RUNNABLE] == 0u) && (info.state_entry_time == 0u));
}

#define TEST(fn)                                                                                             \
    static void test_##fn(void **state)                                                                      \
    {                                                                                                        \
        (void)state;                                                                                         \
        scenario(fn);                                                                                        \
    }
TEST(watchdogs)
TEST(shutdowns)
TEST(assists)
TEST(clock)
TEST(unknown)
TEST(runstates)

static void console_io(void **state)
{
    (void)state;
    scenario(console);
}

static void several_at_once(void **state)
{
    (void)state;
    scenario(several);
}

static void several_long_ones(void **state)
{
    (void)state;
    scenario(long_ones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_at_once), cmocka_unit_test(several_long_ones),
        cmocka_unit_test(console_io),      cmocka_unit_test(test_watchdogs),
        cmocka_unit_test(test_shutdowns),  cmocka_unit_test(test_assists),
        cmocka_unit_test(test_clock),      cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_runstates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
