/* Domains that a control domain makes: their whole life by hypercall, in the places that are set aside.
 * [test->req~made-domains~1] [test->req~spare-domains~1] */
#include "sim_guest.h"

#include <libfdt.h>

#include "abi/xen_control.h"
#include "abi/xen_grant.h"
#include "domain/p2m.h"
#include "domain/role.h"
#include "evtchn/evtchn_core.h"
#include "grant/grant_core.h"

/* clang-format off */
#define TOOLS BOARD("credit2") " bulkhead,spare-domains = <3 2 512>;" \
    DOMAIN("1", "2", " capabilities = <5>; xen,enhanced = \"no-xenstore\";") \
    DOMAIN("2", "1", " xen,enhanced = \"no-xenstore\";") DOMAIN("3", "1", "") BOARD_END
/* clang-format on */

#define CREATE      1u
#define DESTROY     2u
#define PAUSE       3u
#define UNPAUSE     4u
#define INFO_OF     5u
#define SET_CONTEXT 12u
#define MAX_VCPUS   15u
#define HANDLE      17u
#define RESUME      27u
#define SET_SIZE    35u
#define GET_SIZE    36u
#define PLACES      3u
#define BUFFER      (GUEST_RAM + 0x106000ULL)
#define DOM_EXC     3u
#define ENTRY       0x40080000ULL
#define GOES_ON     0xE50B0000ULL /* how a call says that it does */

static struct vcpu *tool;

/* Makes the call as often as it wants to be made. */
static int64_t domctl_as(struct vcpu *vcpu, uint32_t cmd, uint32_t domid, struct xen_domctl *arg)
{
    uint64_t again = 0u;
    int64_t result = 0;
    uint32_t before;

    arg->cmd = cmd;
    arg->interface_version = 0x17u;
    arg->domain = (uint16_t)domid;
    put(vcpu, ARGS, arg, sizeof(*arg));
    do {
        before = vcpu->hal.nr_again;
        result = call(vcpu, 36u, place(vcpu, ARGS), again, 0u);
        again = call_arg[1];
        if (vcpu->hal.nr_again != before) {
            fake_time_advance(MS / 10u);
            until_in_guest(vcpu);
        }
    } while (vcpu->hal.nr_again != before);
    get(vcpu, ARGS, arg, sizeof(*arg));
    return result;
}

static int64_t domctl(uint32_t cmd, uint32_t domid, struct xen_domctl *arg)
{
    return domctl_as(tool, cmd, domid, arg);
}

/* Only once */
static int64_t domctl_once(uint32_t cmd, uint32_t domid, struct xen_domctl *arg, uint64_t again)
{
    arg->cmd = cmd;
    arg->interface_version = 0x17u;
    arg->domain = (uint16_t)domid;
    put(tool, ARGS, arg, sizeof(*arg));
    return call(tool, 36u, place(tool, ARGS), again, 0u);
}

static struct xen_domctl wish(void)
{
    return (struct xen_domctl){ .u.create = { .handle = "fifteen letters",
                                              .flags = 3u,
                                              .max_vcpus = 2u,
                                              .max_evtchn_port = 1023u,
                                              .max_grant_frames = 64,
                                              .max_maptrack_frames = -1,
                                              .grant_opts = 1u } };
}

static uint32_t make(void)
{
    struct xen_domctl arg = wish();

    MUST(domctl(CREATE, 0u, &arg) == 0);
    MUST((arg.u.create.gic_version == 2u) && (arg.pad[0] == 0u));
    return arg.domain;
}

static int64_t simple(uint32_t cmd, uint32_t domid)
{
    struct xen_domctl arg = { .cmd = 0u };

    return domctl(cmd, domid, &arg);
}

static uint32_t flags_of(uint32_t domid)
{
    struct xen_domctl arg = { .cmd = 0u };

    MUST(domctl(INFO_OF, domid, &arg) == 0);
    MUST(arg.u.info.domain == domid);
    return arg.u.info.flags;
}

static int64_t context_at(uint32_t domid, uint32_t index, struct xen_vcpu_context *context)
{
    struct xen_domctl arg = { .u.vcpucontext = { .vcpu = index, .context = place(tool, BUFFER) } };

    put(tool, BUFFER, context, sizeof(*context));
    return domctl(SET_CONTEXT, domid, &arg);
}

static int64_t context_set(uint32_t domid, uint32_t index)
{
    struct xen_vcpu_context context = { .flags = 1u, .x = { 0x48000000u }, .pc = ENTRY, .cpsr = 0x1C5u };

    return context_at(domid, index, &context);
}

/* Memory as the toolstack would give it, in one piece of the host's that nobody else has. */
static void start(uint32_t domid)
{
    MUST(context_set(domid, 0u) == 0);
    MUST(simple(UNPAUSE, domid) == 0);
    until_in_guest(domain_by_id(domid)->vcpu[0]);
}

static struct {
    struct account host;
    uint32_t pool[PLACES];
    uint32_t ports;
} before;

static struct domain *spare(uint32_t i)
{
    return domain_table[3u + i];
}

static uint32_t ports_used(void)
{
    uint32_t nr = 0u;

    for (uint32_t i = 0u; i < 2u; i++) {
        const struct evtchn_domain *const ed = evtchn_table[i];

        for (uint32_t word = 0u; word < (ed->nr_ports / 32u); word++) {
            nr += (uint32_t)__builtin_popcount(ed->used[word]);
        }
    }
    return nr;
}

static void remember(void)
{
    before.host = account(tool->domain);
    before.ports = ports_used();
    for (uint32_t i = 0u; i < PLACES; i++) {
        before.pool[i] = spare(i)->pool.nr_free;
    }
}

static void all_back(void)
{
    const struct account now = account(tool->domain);

    account_same(&before.host, &now);
    MUST(before.ports == ports_used());
    for (uint32_t i = 0u; i < PLACES; i++) {
        MUST(!domain_is_there(spare(i)) && (spare(i)->state == DOMAIN_NEW));
        MUST((spare(i)->pool.nr_free == before.pool[i]) &&
             (spare(i)->pool.nr_free == spare(i)->pool.nr_pages));
        MUST((spare(i)->nr_windows == 0u) && (spare(i)->nr_foreign == 0u) && (spare(i)->reachable == 0u));
    }
}

static bool told(void)
{
    const uint32_t port = evtchn_table[0]->vcpu[0].virq[DOM_EXC];
    const bool yes = pending(tool, port);

    forget(tool, port);
    return yes;
}

static void boot(void)
{
    uint32_t arg[3] = { DOM_EXC, 0u, 0u };

    source = TOOLS;
    begin();
    tool = one;
    MUST(op(tool, EVTCHNOP_BIND_VIRQ, arg, sizeof(arg)) == 0);
    fake_time_advance(10u * MS);
    remember();
}

/* -- A life -- */

static void pauses(uint32_t domid)
{
    for (uint32_t i = 0u; i < 254u; i++) {
        MUST(simple(PAUSE, domid) == 0);
    }
    MUST(simple(PAUSE, domid) == -XEN_EOVERFLOW);
    for (uint32_t i = 0u; i < 254u; i++) {
        MUST((flags_of(domid) & 8u) != 0u);
        MUST(simple(UNPAUSE, domid) == 0);
    }
}

static void ended(uint32_t domid)
{
    struct xen_domctl arg;

    MUST(flags_of(domid) == (2u | 4u | 256u | (1u << 16u)));
    MUST(domctl(INFO_OF, domid, &arg) == 0);
    MUST((arg.u.info.nr_online_vcpus == 1u) && (arg.u.info.cpu_time > 0u));
}

static void life_run(void)
{
    struct xen_domctl arg = wish();
    struct xen_sysctl list = { .cmd = 6u, .interface_version = 0x15u };

    boot();
    MUST((domain_count == 6u) && (domain_nr_there() == 3u));
    const uint32_t domid = make();

    MUST((domid == 4u) && (strcmp(domain("domain-4")->plan->name, "domain-4") == 0));
    MUST((flags_of(domid) & ~0x30u) == (2u | 8u | 256u));
    MUST(domctl(INFO_OF, domid, &arg) == 0);
    MUST((arg.u.info.max_vcpu_id == 1u) && (arg.u.info.nr_online_vcpus == 0u));
    MUST(memcmp(arg.u.info.handle, "fifteen letters", 16u) == 0);
    list.u.list.max_domains = 100u;
    list.u.list.buffer = place(tool, BUFFER);
    put(tool, ARGS, &list, sizeof(list));
    const uint32_t again = tool->hal.nr_again;
    int64_t result = call(tool, 35u, place(tool, ARGS), 0u, 0u);

    for (uint32_t nr = tool->hal.nr_again; nr > again;
         nr = (tool->hal.nr_again > nr) ? tool->hal.nr_again : 0u) {
        result = call(tool, 35u, call_arg[0], call_arg[1], call_arg[2]); /* it is told piece by piece */
    }
    MUST(result == 0);
    get(tool, ARGS, &list, sizeof(list));
    MUST(list.u.list.num_domains == 4u);

    arg.u.max_vcpus = 2u;
    MUST(domctl(MAX_VCPUS, domid, &arg) == 0);
    arg.u.max_vcpus = 1u;
    MUST(domctl(MAX_VCPUS, domid, &arg) == -XEN_EINVAL);
    start(domid);
    const struct vcpu *const vcpu = domain("domain-4")->vcpu[0];

    MUST((vcpu->hal.entry == ENTRY) && (vcpu->hal.argument == 0x48000000u));
    MUST((flags_of(domid) & ~0x30u) == (2u | 256u));
    MUST(context_set(domid, 0u) == -XEN_EBUSY); /* it runs */

    /* as often as it was paused */
    MUST((simple(PAUSE, domid) == 0) && (simple(PAUSE, domid) == 0));
    MUST((simple(UNPAUSE, domid) == 0) && ((flags_of(domid) & 8u) != 0u));
    MUST((simple(UNPAUSE, domid) == 0) && ((flags_of(domid) & 8u) == 0u));
    MUST(simple(UNPAUSE, domid) == -XEN_EINVAL);
    pauses(domid);
    until_in_guest(vcpu);

    /* it shuts down and stays, for who looks */
    (void)told();
    fake_time_advance(MS);
    guest_asks(vcpu, HAL_DOMAIN_RESET);
    until(vcpu->domain, DOMAIN_STOPPED, 0u);
    MUST(told());
    ended(domid);
    MUST(simple(RESUME, domid) == -XEN_EOPNOTSUPP);
    MUST(build_order(vcpu->domain, HAL_DOMAIN_RESET, "test") == HV_DENIED);
    MUST((simple(PAUSE, domid) == 0) && (simple(DESTROY, domid) == 0) && told());
    MUST(simple(DESTROY, domid) == -XEN_ESRCH);
    MUST(simple(INFO_OF, domid) == -XEN_ESRCH);
    MUST(domain_by_name("domain-4") == NULL);
    all_back();
}

/* -- What is refused, and what changes nothing then -- */

static void refused_run(void)
{
    struct xen_domctl arg;
    struct xen_vcpu_context context = { .flags = 1u, .pc = ENTRY, .cpsr = 0x1C5u };
    static const struct {
        uint32_t at;
        uint32_t value;
    } bad[] = {
        { offsetof(struct xen_createdomain, flags), 0u },
        { offsetof(struct xen_createdomain, flags), 1u },
        { offsetof(struct xen_createdomain, flags), 2u },
        { offsetof(struct xen_createdomain, flags), 3u | 16u },
        { offsetof(struct xen_createdomain, flags), 3u | 128u },
        { offsetof(struct xen_createdomain, flags), 3u | (1u << 31u) },
        { offsetof(struct xen_createdomain, iommu_opts), 1u },
        { offsetof(struct xen_createdomain, max_vcpus), 0u },
        { offsetof(struct xen_createdomain, max_vcpus), 3u },
        { offsetof(struct xen_createdomain, max_vcpus), UINT32_MAX },
        { offsetof(struct xen_createdomain, max_evtchn_port), 0u },
        { offsetof(struct xen_createdomain, max_grant_frames), 65u },
        { offsetof(struct xen_createdomain, max_maptrack_frames), 1025u },
        { offsetof(struct xen_createdomain, grant_opts), 0u },
        { offsetof(struct xen_createdomain, grant_opts), 3u },
        { offsetof(struct xen_createdomain, grant_opts), 17u },
        { offsetof(struct xen_createdomain, altp2m_opts), 1u },
        { offsetof(struct xen_createdomain, vmtrace_size), 4096u },
        { offsetof(struct xen_createdomain, gic_version), 1u },
        { offsetof(struct xen_createdomain, gic_version), 0x100u },
        { offsetof(struct xen_createdomain, gic_version), 0x10000u },
        { offsetof(struct xen_createdomain, nr_spis), 993u },
        { offsetof(struct xen_createdomain, nr_spis), UINT32_MAX },
    };

    boot();
    for (uint32_t i = 0u; i < ARRAY_LEN(bad); i++) {
        arg = wish();
        (void)memcpy((uint8_t *)&arg.u.create + bad[i].at, &bad[i].value, sizeof(bad[i].value));
        MUST(domctl(CREATE, 0u, &arg) == -XEN_EINVAL);
    }
    for (uint32_t cmd = 0u; cmd < 90u; cmd++) {
        arg = wish();
        MUST(domctl_as(two, cmd, 0x7FF0u, &arg) == -XEN_EPERM);
    }
    MUST(simple(DESTROY, 1u) == -XEN_EINVAL); /* itself */
    MUST(context_set(2u, 0u) == -XEN_EINVAL); /* not one of the tools' */
    all_back();

    const uint32_t domid = make();

    arg = wish();
    MUST(domctl(CREATE, domid, &arg) == -XEN_EEXIST);
    MUST(domctl(CREATE, 2u, &arg) == -XEN_EEXIST);
    MUST((context_set(domid, 2u) == -XEN_EINVAL) && (context_set(domid, UINT32_MAX) == -XEN_EINVAL));
    context.cpsr = 0x1D3u;
    MUST(context_at(domid, 0u, &context) == -XEN_EINVAL);
    arg.u.vcpucontext.context = 8u;
    arg.u.vcpucontext.vcpu = 0u;
    MUST(domctl(SET_CONTEXT, domid, &arg) == -XEN_EFAULT);
    arg.u.address_bits = 16u;
    MUST(domctl(SET_SIZE, domid, &arg) == -XEN_EINVAL);
    arg.u.address_bits = 32u;
    MUST((domctl(SET_SIZE, domid, &arg) == 0) && (domctl(SET_SIZE, 2u, &arg) == -XEN_EINVAL));
    MUST((domctl(GET_SIZE, domid, &arg) == 0) && (arg.u.address_bits == 32u));
    context.x[2] = 7u;
    MUST((context_at(domid, 0u, &context) == 0) && (domain("domain-4")->vcpu[0]->hal.argument == 7u));
    context.flags = 0u; /* it is off then */
    MUST((context_at(domid, 0u, &context) == 0) && (domain("domain-4")->vcpu[0]->state == VCPU_OFF));
    MUST((simple(UNPAUSE, domid) == 0) && (simple(DESTROY, domid) == 0));
    all_back();
}

/* -- Numbers and places -- */

static void numbers_run(void)
{
    struct xen_domctl arg = wish();

    boot();
    MUST((make() == 4u) && (make() == 5u));
    MUST((domctl(CREATE, 300u, &arg) == 0) && (arg.domain == 300u));
    arg = wish();
    MUST(domctl(CREATE, 0x7FF4u, &arg) == -XEN_ENOMEM); /* no place */
    MUST(simple(DESTROY, 4u) == 0);
    for (uint32_t i = 6u; i < 20u; i++) { /* none comes again soon */
        MUST((make() == i) && (simple(DESTROY, i) == 0));
    }
    MUST((simple(DESTROY, 5u) == 0) && (simple(DESTROY, 300u) == 0));
    all_back();
    arg = wish();
    MUST((domctl(CREATE, 0x7FEFu, &arg) == 0) && (make() == 20u) && (simple(DESTROY, 20u) == 0));
    MUST(simple(DESTROY, 0x7FEFu) == 0);

    /* who goes on with what he never began gets an answer that is nobody's */
    arg = wish();
    MUST(domctl_once(CREATE, 0u, &arg, GOES_ON | 77u) == -XEN_ENOMEM);
    MUST((domctl_once(CREATE, 0u, &arg, GOES_ON | 2u) == 0) &&
         (domctl_once(DESTROY, 99u, &arg, GOES_ON | 1u) == 0));
    MUST(domctl_once(DESTROY, 99u, &arg, 0u) == -XEN_ESRCH);
    all_back();
}

/* A port that waits for who is gone waits for nobody: not for the next of that number. */
static void forgotten_run(void)
{
    struct xen_domctl arg = wish();
    union xen_evtchn_op status_of = { .status = { .dom = 0x7FF0u } };
    uint32_t port = 0u;
    uint32_t bound = 0u;

    boot();
    MUST((domctl(CREATE, 300u, &arg) == 0) && (unbound(tool, 300u, &port) == 0));
    union xen_evtchn_op theirs = { .alloc_unbound = { .dom = 300u, .remote_dom = 0x7FF0u } };

    MUST(op(tool, EVTCHNOP_ALLOC_UNBOUND, &theirs, 8u) == 0);
    MUST(bind(tool, 300u, theirs.alloc_unbound.port, &bound) == 0);
    MUST(simple(DESTROY, 300u) == 0);
    status_of.status.port = port;
    MUST(op(tool, EVTCHNOP_STATUS, &status_of, sizeof(status_of)) == 0);
    MUST((status_of.status.status == EVTCHNSTAT_UNBOUND) && (status_of.status.peer_dom == 0x7FF4u));
    status_of.status.port = bound;
    MUST(op(tool, EVTCHNOP_STATUS, &status_of, sizeof(status_of)) == 0);
    MUST((status_of.status.status == EVTCHNSTAT_UNBOUND) && (status_of.status.peer_dom == 0x7FF4u));
    MUST(unbound(tool, 300u, &bound) == -XEN_ESRCH);
    MUST((on_port(tool, EVTCHNOP_CLOSE, port, 0u) == 0));
    status_of.status.dom = 300u;
    MUST(op(tool, EVTCHNOP_STATUS, &status_of, sizeof(status_of)) == -XEN_ESRCH);
    MUST(on_port(tool, EVTCHNOP_CLOSE, status_of.status.port, 0u) == 0);
    all_back();
}

/* -- Destroyed at each step -- */

static void steps_run(void)
{
    struct xen_domctl arg;

    boot();
    for (uint32_t steps = 0u; steps < 60u; steps++) { /* breaths of the worker that makes it */
        arg = wish();
        MUST(domctl_once(CREATE, 0u, &arg, 0u) > 0);
        const uint32_t domid = (uint16_t)call_arg[1];

        breath_turns = true;
        for (uint32_t i = 0u; i < steps; i++) {
            for (cpuid_t cpu = 0u; cpu < CPUS; cpu++) {
                (void)fake_cpu_go(cpu);
            }
        }
        until_in_guest(tool);
        MUST(simple(DESTROY, domid) == 0);
        breath_turns = false;
        all_back();
    }
    for (uint32_t step = 0u; step < 5u; step++) { /* of what tools do with it */
        const uint32_t domid = make();
        struct vcpu *const vcpu = domain_by_id(domid)->vcpu[0];
        void *page = NULL;

        if (step > 0u) {
            union xen_evtchn_op port = { .alloc_unbound = { .dom = (uint16_t)domid, .remote_dom = 0x7FF0u } };
            uint32_t bound = 0u;

            MUST(op(tool, EVTCHNOP_ALLOC_UNBOUND, &port, 8u) == 0);
            MUST(grant_frame(vcpu->domain, 0u, &page) == HV_OK);
            MUST(bind(tool, (uint16_t)domid, port.alloc_unbound.port, &bound) == 0);
            before.ports++;
        }
        if (step > 1u) {
            MUST(context_set(domid, 0u) == 0);
        }
        if (step > 2u) {
            MUST(simple(UNPAUSE, domid) == 0);
            until_in_guest(vcpu);
        }
        if (step > 3u) { /* it ends by itself at that moment */
            guest_asks(vcpu, HAL_DOMAIN_CRASH);
        }
        MUST(simple(DESTROY, domid) == 0);
        all_back();
    }
}

/* -- Many -- */

static void cycles_run(void)
{
    boot();
    for (uint32_t i = 0u; i < 1000u; i++) {
        const uint32_t domid = make();

        if ((i % 3u) != 0u) {
            start(domid);
        }
        if ((i % 3u) == 2u) {
            guest_asks(domain_by_id(domid)->vcpu[0], HAL_DOMAIN_OFF);
        }
        MUST(simple(DESTROY, domid) == 0);
        if ((i % 100u) == 0u) {
            all_back();
        }
    }
    all_back();
}

/* -- Those that end again and again, and that cannot be made -- */

static uint32_t nr_shown(const char *what)
{
    uint32_t nr = 0u;

    for (const char *at = strstr(sim_shown(), what); at != NULL; at = strstr(at + 1, what)) {
        nr++;
    }
    return nr;
}

static void lines_run(void)
{
    static const struct {
        enum hal_power_request request;
        uint32_t reason;
    } ends[] = { { HAL_DOMAIN_OFF, 0u },   { HAL_DOMAIN_RESET, 1u },    { HAL_DOMAIN_SUSPEND, 2u },
                 { HAL_DOMAIN_CRASH, 3u }, { HAL_DOMAIN_WATCHDOG, 4u }, { HAL_DOMAIN_SOFT_RESET, 5u } };
    struct xen_domctl arg = wish();
    void *page[PLACES][128];

    boot();
    for (uint32_t i = 0u; i < 36u; i++) {
        const uint32_t domid = make();

        start(domid);
        const struct vcpu *const vcpu = domain_by_id(domid)->vcpu[0];

        guest_asks(vcpu, ends[i % ARRAY_LEN(ends)].request);
        fake_run();
        MUST(flags_of(domid) == (2u | 4u | 256u | (ends[i % ARRAY_LEN(ends)].reason << 16u)));
        MUST(simple(DESTROY, domid) == 0);
    }
    MUST((nr_shown(": asked for a soft reset") == 2u) && (nr_shown("the test") == 16u));
    all_back();

    for (uint32_t i = 0u; i < PLACES; i++) { /* places without pages */
        for (uint32_t n = 0u; n < 128u; n++) {
            page[i][n] = pool_alloc(&spare(i)->pool);
        }
    }
    for (uint32_t i = 0u; i < 100u; i++) {
        arg = wish();
        MUST(domctl(CREATE, 0u, &arg) == -XEN_ENOMEM);
    }
    MUST(nr_shown("not built, phase map failed") == PLACES);
    for (uint32_t i = 0u; i < PLACES; i++) {
        for (uint32_t n = 0u; n < 128u; n++) {
            pool_free(&spare(i)->pool, page[i][n]);
        }
    }
    fake_time_advance(1000u * MS);
    MUST(simple(DESTROY, make()) == 0);
    all_back();
}

/* -- A domain of the plan -- */

static void planned_run(void)
{
    struct domain *const d = (boot(), domain("domU2"));

    MUST((simple(DESTROY, 2u) == 0) && (d->state == DOMAIN_STOPPED) && told());
    MUST((simple(DESTROY, 2u) == -XEN_ESRCH) && (domain_nr_there() == 2u));
    MUST((domain_by_name("domU2") == d) && (make() == 4u));
    MUST(build_order(d, HAL_DOMAIN_RESET, "by the operator") == HV_OK);
    until(d, DOMAIN_RUNNING, 1u);
    MUST((flags_of(2u) & ~0x30u) == (2u | 256u));
    MUST(simple(DESTROY, 4u) == 0);
}

/* -- Tools that come anew. [test->req~store-links~1] -- */

static uint32_t cell(const void *tree, const char *name)
{
    const fdt32_t *const at =
        fdt_getprop(tree, fdt_path_offset(tree, "/bulkhead,store/domain@3"), name, NULL);

    MUST(at != NULL);
    return fdt32_to_cpu(*at);
}

static void found_run(void)
{
    static uint8_t tree[0x4000];
    struct domain *const d = (boot(), tool->domain);

    MUST(make() == 4u);
    struct domain *const made = domain("domain-4");

    made->param[HVM_PARAM_STORE_EVTCHN] = 5u;
    made->param[HVM_PARAM_CONSOLE_EVTCHN] = 6u;
    made->param[HVM_PARAM_CONSOLE_PFN] = 0x39000u;
    MUST(build_order(d, HAL_DOMAIN_RESET, "by the operator") == HV_OK);
    until(d, DOMAIN_RUNNING, 1u);
    MUST((made->state == DOMAIN_RUNNING) && (made->id == 4u));
    MUST(fake_guest_read(&d->hal.map, build_slot_of(d)->tree, tree, sizeof(tree)));
    MUST((cell(tree, "domid") == 4u) && (cell(tree, "store-port") == 5u));
    MUST((cell(tree, "console-port") == 6u) && (cell(tree, "console-ring") == 0x39000u));
    MUST(fdt_path_offset(tree, "/bulkhead,store/domain@4") < 0); /* nobody has that place */
    until_in_guest(tool);
    MUST((simple(DESTROY, 4u) == 0) && (simple(INFO_OF, 4u) == -XEN_ESRCH));
}

/* -- vuart="sbsa_uart". [test->req~console-tools~1] -- */

static int64_t vuart_op(uint32_t domid, uint32_t type, uint16_t server, uint32_t *port)
{
    struct xen_domctl arg = { .u.vuart_op = { .type = type, .gfn = 0x39003u, .console_domid = server } };
    const int64_t result = domctl(XEN_DOMCTL_VUART_OP, domid, &arg);

    *port = arg.u.vuart_op.evtchn;
    return result;
}

static void vuart_run(void)
{
    uint32_t port = 0;
    uint32_t mine = 0;

    boot();
    for (uint32_t life = 0; life < 2u; life++) {
        remember();
        const uint32_t domid = make();
        const struct domain *const d = domain_by_id(domid);
        struct xen_console_ring *const ring = d->ring[DOMAIN_CONSOLE];

        MUST((vuart_op(2u, 0u, 1u, &port) == -XEN_EOPNOTSUPP) &&
             (vuart_op(77u, 0u, 1u, &port) == -XEN_ESRCH));
        MUST((vuart_op(domid, 1u, 1u, &port) == -XEN_EOPNOTSUPP) &&
             (vuart_op(domid, 0u, 77u, &port) == -XEN_ESRCH));
        MUST(vuart_op(domid, 0u, 1u, &port) == 0);
        MUST((d->nr_windows == 1u) && (ring->out_prod == 0u));
        MUST(vuart_op(domid, 0u, 1u, &mine) == -XEN_EBUSY); /* it has one */
        MUST(bind(tool, (uint16_t)domid, port, &mine) == 0);
        forget(tool, mine);
        start(domid);
        MUST(vuart_op(domid, 0u, 1u, &port) == -XEN_EBUSY);
        uart_put(d->vcpu[0], 0u, 'x');
        MUST((ring->out_prod == 1u) && (ring->out[0] == (uint8_t)'x') && pending(tool, mine));
        MUST(on_port(tool, EVTCHNOP_CLOSE, mine, 0u) == 0);
        uart_put(d->vcpu[0], 0u, 'y'); /* it has no other console */
        MUST(ring->out_prod == 2u);
        MUST(simple(DESTROY, domid) == 0);
        all_back();
    }
}

#define TEST(name)                                                                                           \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        scenario(name##_run);                                                                                \
    }

TEST(life)
TEST(refused)
TEST(numbers)
TEST(forgotten)
TEST(steps)
TEST(cycles)
TEST(lines)
TEST(planned)
TEST(found)
TEST(vuart)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(life),      cmocka_unit_test(refused), cmocka_unit_test(numbers),
        cmocka_unit_test(forgotten), cmocka_unit_test(steps),   cmocka_unit_test(cycles),
        cmocka_unit_test(lines),     cmocka_unit_test(planned), cmocka_unit_test(found),
        cmocka_unit_test(vuart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
