/* What a control domain's tools ask of the host and set of its vCPUs. */
#include "sim_tools.h"

#include "base/log.h"
#include "sched/sched.h"

/* clang-format off */
#define OWN_CPUS BOARD("null") DOMAIN("1", "1", ROLES("5")) DOMAIN("2", "1", STORED("") ON_CRASH) \
    DOMAIN("3", "1", STORED(" = \"legacy\"")) BOARD_END
/* clang-format on */

#define ALL 0xFFu

static uint32_t cpu_told(uint16_t domid)
{
    struct xen_domctl arg = { .cmd = 0u };

    until_in_guest(vcpus[0]);
    MUST(domctl_call(vcpus[0], 14u, domid, &arg) == 0);
    MUST(arg.u.vcpuinfo.online == 1u);
    return arg.u.vcpuinfo.cpu;
}

static void pinned_run(void)
{
    struct xen_domctl arg = { .cmd = 0u };
    uint64_t told[2] = { 0u, 0u };

    boot(TOOLS);
    for (uint32_t cpu = 0u; cpu < CPUS; cpu++) {
        MUST((pin(2u, 0u, BIT64(cpu) | BIT64(17), 0u, told) == 0) && (told[0] == BIT64(cpu)));
        fake_run();
        until_in_guest(vcpus[1]);
        MUST((cpu_of(vcpus[1]) == cpu) && (cpu_told(2u) == cpu));
    }
    MUST((pin(2u, 0u, UINT64_MAX, 6u, told) == 0) && (told[0] == 0xFu) && (told[1] == 6u));
    MUST((pin(2u, 0u, 0u, 8u, told) == 0) && (vcpus[1]->affinity == 0xFu) && (vcpus[1]->avoids == ~8ULL));
    MUST(pin(2u, 0u, BIT64(CPUS), 0u, told) == -XEN_EINVAL);
    MUST(pin(2u, 0u, 0u, 0u, told) == -XEN_EINVAL);
    MUST(pin(2u, 1u, 1u, 0u, told) == -XEN_ESRCH);
    MUST(pin(2u, UINT32_MAX, 1u, 0u, told) == -XEN_ESRCH);
    MUST(pin(1u, 0u, BIT64(3), 0u, told) == 0); /* itself */
    fake_run();
    MUST(cpu_told(1u) == 3u);
    until_in_guest(vcpus[1]);
    until_in_guest(vcpus[0]);
    arg.u.affinity.flags = XEN_AFFINITY_HARD;
    arg.u.affinity.hard = (struct xen_bitmap){ .bitmap = 8u, .nr_bits = 8u };
    MUST(domctl_call(vcpus[0], 9u, 2u, &arg) == -XEN_EFAULT);
    put(vcpus[0], BUFFER, &(uint64_t){ 0xF2u }, 8u); /* bits behind the last are none */
    arg.u.affinity.hard = bits_at(0u, 2u);
    MUST((domctl_call(vcpus[0], 9u, 2u, &arg) == 0) && (vcpus[1]->affinity == 2u));
    arg.u.affinity.hard = bits_at(0u, 0u);
    MUST(domctl_call(vcpus[0], 9u, 2u, &arg) == -XEN_EINVAL);
    guest_asks(vcpus[1], HAL_DOMAIN_OFF);
    until(vcpus[1]->domain, DOMAIN_STOPPED, 0u);
    MUST(pin(2u, 0u, 1u, 0u, told) == -XEN_EBUSY);
}

/* Each has a CPU of its own, and goes to another that is free; one that wants another's waits for it. */
static void pinned_null_run(void)
{
    uint64_t told[2] = { 0u, 0u };

    boot(OWN_CPUS);
    MUST((cpu_told(1u) == 0u) && (cpu_told(2u) == 1u) && (cpu_told(3u) == 2u));
    MUST((pin(2u, 0u, ALL, ALL, told) == 0) && (cpu_told(2u) == 1u));
    MUST((pin(2u, 0u, BIT64(3), 0u, told) == 0) && (told[0] == BIT64(3)));
    fake_run();
    until_in_guest(vcpus[1]);
    MUST((cpu_told(2u) == 3u) && (cpu_of(vcpus[1]) == 3u));
    MUST(pin(3u, 0u, BIT64(3), 0u, told) == 0);
    fake_time_advance(20u * MS);
    MUST((cpu_of(vcpus[2]) == HV_CPUS_MAX) && (cpu_of(vcpus[1]) == 3u));
    MUST(pin(2u, 0u, BIT64(1), 0u, told) == 0);
    fake_run();
    until_in_guest(vcpus[1]);
    until_in_guest(vcpus[2]);
    MUST((cpu_told(2u) == 1u) && (cpu_told(3u) == 3u));
}

static void nodes_run(void)
{
    struct xen_domctl arg = { .cmd = 0u };

    boot(TOOLS);
    MUST(domctl_call(vcpus[0], 89u, 2u, &arg) == -XEN_EOPNOTSUPP);
    for (uint32_t set = 0u; set < 3u; set++) {
        put(vcpus[0], BUFFER, &(uint64_t){ set }, 8u);
        arg.u.nodes = bits_at(0u, 64u);
        MUST(domctl_call(vcpus[0], 68u, 2u, &arg) == ((set == 1u) ? 0 : -XEN_EINVAL));
    }
    arg.u.nodes.bitmap = 8u;
    MUST(domctl_call(vcpus[0], 68u, 2u, &arg) == -XEN_EFAULT);
}

/* The time of day with an offset is one domain's, for one life; a trigger ends the life. */
static void triggered_run(void)
{
    struct xen_domctl arg = { .cmd = 0u };
    const uint64_t day = 86400u;

    boot(TOOLS);
    share(vcpus[2]);
    arg.u.time_offset.seconds = day;
    MUST(domctl_call(vcpus[0], 24u, 2u, &arg) == 0);
    MUST((word(vcpus[1], SHARED + 1076u) - day) < 10u);
    MUST(word(vcpus[2], SHARED + 1076u) < 10u);
    arg.u.time_offset.seconds = 0u - day;
    MUST(domctl_call(vcpus[0], 24u, 2u, &arg) == 0);
    MUST(word(vcpus[1], SHARED + 1084u) != 0u);

    arg.u.trigger.trigger = XEN_TRIGGER_RESET;
    arg.u.trigger.vcpu = 1u;
    MUST(domctl_call(vcpus[0], 28u, 2u, &arg) == -XEN_ESRCH);
    arg.u.trigger.vcpu = 0u;
    for (uint32_t what = 0u; what < 6u; what++) {
        arg.u.trigger.trigger = what;
        if ((what != XEN_TRIGGER_RESET) && (what != XEN_TRIGGER_POWER)) {
            MUST(domctl_call(vcpus[0], 28u, 2u, &arg) == -XEN_EOPNOTSUPP);
        }
    }
    arg.u.trigger.trigger = XEN_TRIGGER_RESET;
    MUST(domctl_call(vcpus[0], 28u, 2u, &arg) == 0);
    until(vcpus[1]->domain, DOMAIN_RUNNING, 1u);
    until_in_guest(vcpus[1]);
    share(vcpus[1]);
    MUST(word(vcpus[1], SHARED + 1076u) < 10u);
    arg.u.trigger.trigger = XEN_TRIGGER_POWER;
    MUST(domctl_call(vcpus[0], 28u, 2u, &arg) == 0);
    until(vcpus[1]->domain, DOMAIN_STOPPED, 1u);
}

/* Registers are told of vCPUs that are not on a CPU. */
static void context_run(void)
{
    struct xen_domctl arg = { .cmd = 0u };
    struct xen_vcpu_context context;

    boot(TOOLS);
    arg.u.vcpucontext.context = place(vcpus[0], BUFFER);
    MUST(domctl_call(vcpus[0], 13u, 1u, &arg) == -XEN_EINVAL);
    until_in_guest(vcpus[1]);
    MUST(domctl_call(vcpus[0], 13u, 2u, &arg) == -XEN_EBUSY);
    MUST(domctl_call(vcpus[0], 3u, 2u, &arg) == 0);
    fake_run();
    vcpus[1]->hal.frame.pc = 0x1234u;
    arg.u.vcpucontext.vcpu = 0u;
    arg.u.vcpucontext.context = place(vcpus[0], BUFFER);
    MUST(domctl_call(vcpus[0], 13u, 2u, &arg) == 0);
    get(vcpus[0], BUFFER, &context, sizeof(context));
    MUST((context.pc == 0x1234u) && (context.flags == XEN_VGCF_ONLINE));
    MUST((context.x[0] == vcpus[1]->hal.frame.reg[0]) && (vcpus[1]->on_cpu == 0u));
    arg.u.vcpucontext.vcpu = 1u;
    MUST(domctl_call(vcpus[0], 13u, 2u, &arg) == -XEN_EINVAL);
    arg.u.vcpucontext.vcpu = 0u;
    arg.u.vcpucontext.context = 8u;
    MUST(domctl_call(vcpus[0], 13u, 2u, &arg) == -XEN_EFAULT);
    MUST(domctl_call(vcpus[0], 4u, 2u, &arg) == 0);
    fake_run();
    until_in_guest(vcpus[1]);
}

/* -- The log -- */

#define ROOM 20000u

static char text[ROOM + 1u];

static uint32_t read_log(struct xen_sysctl *arg, uint32_t count)
{
    arg->u.readconsole.buffer = place(vcpus[0], BUFFER);
    arg->u.readconsole.count = count;
    MUST(sysctl_call(vcpus[0], 1u, arg) == 0);
    MUST(arg->u.readconsole.count <= count);
    get(vcpus[0], BUFFER, text, arg->u.readconsole.count);
    text[arg->u.readconsole.count] = '\0';
    return arg->u.readconsole.count;
}

static void dmesg_run(void)
{
    struct xen_sysctl arg = { .cmd = 0u };
    union xen_evtchn_op ring = { .bind_virq = { .virq = 8u } };
    uint32_t n = 0u;

    boot(TOOLS);
    MUST(op(vcpus[0], EVTCHNOP_BIND_VIRQ, &ring, 12u) == 0);
    n = read_log(&arg, ROOM);
    MUST((n > 300u) && (n < ROOM) && (strstr(text, "] Bulkhead ") != NULL) && (text[n - 1u] == '\n'));
    MUST(arg.u.readconsole.index == n);
    MUST((read_log(&arg, ROOM) == n) && (read_log(&arg, 0u) == 0u) && (read_log(&arg, 256u) == 256u));

    /* what follows a position; who has read hears of more */
    arg.u.readconsole.incremental = 1u;
    arg.u.readconsole.index = n;
    MUST((read_log(&arg, ROOM) == 0u) && (arg.u.readconsole.index == n));
    MUST(!pending(vcpus[0], ring.bind_virq.port));
    log_line("here I am");
    fake_time_advance(20u * MS);
    MUST(pending(vcpus[0], ring.bind_virq.port));
    MUST((read_log(&arg, ROOM) > 10u) && (strstr(text, "here I am\n") != NULL));
    arg.u.readconsole.index = 5u;
    MUST((read_log(&arg, 7u) == 7u) && (arg.u.readconsole.index == 12u));
    arg.u.readconsole.index = UINT32_MAX; /* never was: the oldest */
    MUST(read_log(&arg, ROOM) > n);

    /* cleared: others may still ask for what was before */
    arg.u.readconsole.incremental = 0u;
    arg.u.readconsole.clear = 1u;
    MUST(read_log(&arg, ROOM) > n);
    arg.u.readconsole.clear = 0u;
    MUST(read_log(&arg, ROOM) == 0u);
    for (uint32_t i = 0u; i < 1000u; i++) {
        log_line("line %u", i);
    }
    MUST((read_log(&arg, ROOM) == 16384u) && (strstr(text, "line 999\n") != NULL) &&
         (strstr(text, "line 1\n") == NULL));
    arg.u.readconsole.buffer = 8u;
    arg.u.readconsole.count = 16u;
    MUST(sysctl_call(vcpus[0], 1u, &arg) == -XEN_EFAULT);
}

/* Each question is answered in the log. */
static void keys_run(void)
{
    static const char *const expected[] = { "domU2: domain 2, running",
                                            "  vCPU 0 ",
                                            "CPU 0: ",
                                            "KiB of RAM are free",
                                            "pages of its pool free",
                                            "ports lead to others",
                                            "up for ",
                                            "grant table of version",
                                            "key 0x21 means nothing" };
    struct xen_sysctl arg = { .cmd = 0u };
    struct xen_sysctl log = { .cmd = 0u };

    boot(TOOLS);
    (void)read_log(&log, ROOM);
    put(vcpus[0], BUFFER, "qrmeg!t", 7u);
    arg.u.debug_keys.keys = place(vcpus[0], BUFFER);
    arg.u.debug_keys.nr_keys = 7u;
    MUST(sysctl_call(vcpus[0], 7u, &arg) == 0);
    MUST(sysctl_call(vcpus[0], 7u, &arg) == -XEN_EBUSY);
    fake_run();
    log.u.readconsole.incremental = 1u;
    (void)read_log(&log, ROOM);
    for (uint32_t i = 0u; i < ARRAY_LEN(expected); i++) {
        MUST(strstr(text, expected[i]) != NULL);
    }
    arg.u.debug_keys.nr_keys = 0u;
    MUST(sysctl_call(vcpus[0], 7u, &arg) == 0);
    fake_run();
    arg.u.debug_keys.nr_keys = 17u;
    MUST(sysctl_call(vcpus[0], 7u, &arg) == -XEN_E2BIG);
    arg.u.debug_keys.nr_keys = 1u;
    arg.u.debug_keys.keys = 8u;
    MUST(sysctl_call(vcpus[0], 7u, &arg) == -XEN_EFAULT);
}

static void host_run(void)
{
    struct xen_sysctl arg = { .cmd = 0u };
    uint64_t idle[2][CPUS];
    uint64_t free_pages = 0u;

    boot(TOOLS);
    for (uint32_t i = 0u; i < 2u; i++) {
        arg.u.cpuinfo.max_cpus = (i == 0u) ? UINT32_MAX : CPUS;
        arg.u.cpuinfo.info = place(vcpus[0], BUFFER);
        MUST((sysctl_call(vcpus[0], 8u, &arg) == 0) && (arg.u.cpuinfo.nr_cpus == CPUS));
        get(vcpus[0], BUFFER, idle[i], sizeof(idle[i]));
        fake_time_advance(10u * MS);
    }
    for (uint32_t cpu = 0u; cpu < CPUS; cpu++) {
        const uint64_t more = idle[1][cpu] - idle[0][cpu];

        MUST((cpu == cpu_of(vcpus[0])) ? (more < MS) : (more <= (11u * MS)));
    }
    MUST(idle[1][3] > 0u);
    arg.u.cpuinfo.max_cpus = 1u;
    MUST((sysctl_call(vcpus[0], 8u, &arg) == 0) && (arg.u.cpuinfo.nr_cpus == 1u));
    arg.u.cpuinfo.info = 8u;
    MUST(sysctl_call(vcpus[0], 8u, &arg) == -XEN_EFAULT);

    MUST(sysctl_call(vcpus[0], 3u, &arg) == 0);
    free_pages = arg.u.physinfo.free_pages;
    MUST((arg.u.physinfo.capabilities & XEN_PHYSCAP_DIRECTIO) == 0u);
    arg.u.availheap.node = UINT32_MAX;
    MUST((sysctl_call(vcpus[0], 9u, &arg) == 0) && (arg.u.availheap.avail_bytes == (free_pages << 12u)));
    arg.u.availheap.node = 1u;
    MUST((sysctl_call(vcpus[0], 9u, &arg) == 0) && (arg.u.availheap.avail_bytes == 0u));
}

/* A control domain is told what runs it, another one is not. */
static void version_run(void)
{
    static const struct {
        uint32_t op;
        uint32_t offset;
        const char *told;
        const char *others;
    } texts[] = {
        { XENVER_EXTRAVERSION, 0u, "-bulkhead", "" }, { XENVER_COMPILE_INFO, 64u, "bulkhead", "" },
        { XENVER_CHANGESET, 0u, "Bulkhead ", "" },    { XENVER_CAPABILITIES, 0u, "xen-3.0-", "xen-3.0-" },
        { XENVER_COMMANDLINE, 0u, "", "<denied>" },
    };

    boot(TOOLS);
    for (uint32_t i = 0u; i < ARRAY_LEN(texts); i++) {
        for (uint32_t v = 0u; v < 2u; v++) {
            const char *const wanted = (v == 0u) ? texts[i].told : texts[i].others;

            MUST(call(vcpus[v], 17u, texts[i].op, place(vcpus[v], BUFFER), 0u) == 0);
            get(vcpus[v], BUFFER + texts[i].offset, text, 64u);
            MUST((strncmp(text, wanted, strlen(wanted)) == 0) && ((*wanted != '\0') || (*text == '\0')));
            MUST((texts[i].op != XENVER_EXTRAVERSION) || (strlen(text) < 16u));
        }
    }
    for (uint32_t v = 0u; v < 2u; v++) { /* the same by the later numbers */
        word_put(vcpus[v], BUFFER, 64u);
        const int64_t bytes = call(vcpus[v], 17u, XENVER_CHANGESET2, place(vcpus[v], BUFFER), 0u);

        get(vcpus[v], BUFFER + 4u, text, 64u);
        MUST((bytes == (int64_t)strlen(text) + 1) && ((bytes > 9) == (v == 0u)));
    }
}

#define TEST(name)                                                                                           \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        scenario(name##_run);                                                                                \
    }

/* [test->req~toolstack~1] */
TEST(pinned)
TEST(pinned_null)
TEST(nodes)
TEST(triggered)
TEST(context)
TEST(dmesg)
TEST(keys)
TEST(host)
/* [test->req~roles~1] */
TEST(version)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pinned),    cmocka_unit_test(pinned_null), cmocka_unit_test(nodes),
        cmocka_unit_test(triggered), cmocka_unit_test(context),     cmocka_unit_test(dmesg),
        cmocka_unit_test(keys),      cmocka_unit_test(host),        cmocka_unit_test(version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
