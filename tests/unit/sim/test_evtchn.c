/* Event channels of whole domains: both ABIs, ports, static channels over the lives of their ends, and guests
 * that write where they should not. [test->req~event-channels~1] [test->req~static-channels~1]
 * [test->req~guest-words-bounded~1] [test->req~hypercalls~1] */
#include "sim_guest.h"

#include "evtchn/evtchn.h"

/* clang-format off */
#define HALF \
    BOARD("credit2") "bulkhead,partial-boot;" DOMAIN("1", "1", ENHANCED CHANNEL("a", "1", "5", "b")) \
    DOMAIN("2", "1", ENHANCED "bulkhead,unknown;" CHANNEL("b", "1", "9", "a")) BOARD_END
#define DIRECT(n, more) \
    "domU" n " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; direct-map;" \
    " xen,static-mem = <0 0x8" n "400000 0x400000>; memory = <0 4096>; cpus = <1>;" ON_CRASH ENHANCED more \
    " module@8" n "000000 { compatible = \"multiboot,kernel\", \"multiboot,module\";" \
    "  reg = <0 0x8" n "000000 0x1000>; bootargs = \"\"; }; };"
#define IDENTITY \
    BOARD("credit2") DIRECT("1", CHANNEL("a", "1", "5", "b") CHANNEL("c", "2", "700", "d")) \
    DIRECT("2", CHANNEL("b", "1", "9", "a") CHANNEL("d", "2", "1023", "c")) \
    "}; mpu { compatible = \"bulkhead,fake-mpu\"; }; };"
/* clang-format on */

/* -- 2-level -- */

static void two_level(void)
{
    begin();
    MUST(status(one, 5u) == EVTCHNSTAT_INTERDOMAIN);
    MUST(status(one, 6u) == EVTCHNSTAT_CLOSED);
    MUST(send(one, 5u) == 0);
    MUST(pending(two, 9u) && hears(two, SHARED));
    MUST(send(one, 5u) == 0); /* pending still: nothing is told twice */
    MUST(!hears(two, SHARED));
    forget(two, 9u);
    MUST(send(one, 700u) == 0);
    MUST(pending(two, 1023u));
    MUST(word(two, SHARED + 8u) == BIT32(15u)); /* 64 ports a bit */
    MUST(hears(two, SHARED));

    /* masked: pending, not told, until unmasked */
    word_put(two, SHARED + MASK, BIT32(9u));
    MUST(send(one, 5u) == 0);
    MUST(pending(two, 9u) && !hears(two, SHARED));
    MUST(on_port(two, EVTCHNOP_UNMASK, 9u, 0u) == 0);
    MUST((word(two, SHARED + MASK) == 0u) && hears(two, SHARED));
    MUST(on_port(two, EVTCHNOP_UNMASK, 9u, 0u) == 0);
    MUST(!hears(two, SHARED));

    MUST(send(one, 6u) == -XEN_EINVAL);
    MUST(send(one, 0u) == -XEN_EINVAL);
    MUST(send(one, 1024u) == -XEN_EINVAL);
    MUST(send(one, UINT32_MAX) == -XEN_EINVAL);
    MUST(on_port(one, EVTCHNOP_CLOSE, 5u, 0u) == -XEN_EINVAL); /* static */
    MUST(on_port(one, EVTCHNOP_SET_PRIORITY, 5u, 3u) == -XEN_ENOSYS);
}

/* Where nothing translates the page is the guest's own, as it was mapped; each life has to name one, and till
 * then, and afterwards, nobody writes to its memory. */
static void aside(void)
{
    struct xen_add_to_physmap spare = { .domid = 0x7FF0u, .gpfn = 0x38000u };
    union xen_evtchn_op control = { .init_control = { .control_gfn = 0u, .offset = 0u, .vcpu = 0u } };
    uint8_t before[PAGE_BYTES];
    uint8_t after[PAGE_BYTES];

    source = IDENTITY;
    two_level();
    put(one, ARGS, &spare, sizeof(spare));
    MUST(call(one, 12u, XENMEM_ADD_TO_PHYSMAP, place(one, ARGS), 0u) != 0);
    control.init_control.control_gfn = place(one, CONTROL) >> 12u;
    MUST(op(one, EVTCHNOP_INIT_CONTROL, &control, sizeof(control)) == -XEN_EINVAL);

    guest_asks(two, HAL_DOMAIN_CRASH);
    until(two->domain, DOMAIN_RUNNING, 1u);
    until_in_guest(two);
    get(two, SHARED, before, sizeof(before));
    MUST(send(one, 5u) == 0);
    get(two, SHARED, after, sizeof(after));
    MUST(memcmp(before, after, sizeof(after)) == 0);
    share(two);
    MUST(pending(two, 9u));
    forget(two, 9u);
    (void)hears(two, SHARED);
    MUST(send(one, 5u) == 0);
    MUST(pending(two, 9u) && hears(two, SHARED));
}

static void ports(void)
{
    uint32_t mine = 0u;
    uint32_t theirs = 0u;
    uint32_t last = 0u;

    begin();
    MUST(unbound(one, 2u, &mine) == 0);
    MUST((mine == 1u) && (status(one, mine) == EVTCHNSTAT_UNBOUND));
    MUST(send(one, mine) == 0); /* to nobody */
    MUST(bind(two, 1u, mine + 1u, &theirs) == -XEN_EINVAL);
    MUST(bind(two, 1u, 5u, &theirs) == -XEN_EINVAL);
    MUST(bind(two, 1u, 0u, &theirs) == -XEN_EINVAL);
    MUST(bind(two, 1u, 70000u, &theirs) == -XEN_EINVAL);
    MUST(bind(two, 3u, mine, &theirs) == -XEN_EPERM); /* nothing links it with that one */
    MUST(bind(two, 77u, mine, &theirs) == -XEN_ESRCH);
    MUST(bind(two, 1u, mine, &theirs) == 0);
    MUST(pending(two, theirs) && hears(two, SHARED)); /* what came before may be lost */
    MUST(bind(two, 1u, mine, &last) == -XEN_EINVAL);
    MUST((status(one, mine) == EVTCHNSTAT_INTERDOMAIN) && (status(two, theirs) == EVTCHNSTAT_INTERDOMAIN));
    MUST((send(two, theirs) == 0) && pending(one, mine) && hears(one, SHARED));
    MUST(on_port(two, EVTCHNOP_CLOSE, theirs, 0u) == 0);
    MUST(!pending(two, theirs));
    MUST((status(one, mine) == EVTCHNSTAT_UNBOUND) && (status(two, theirs) == EVTCHNSTAT_CLOSED));
    MUST(on_port(two, EVTCHNOP_CLOSE, theirs, 0u) == -XEN_EINVAL);
    MUST(on_port(one, EVTCHNOP_BIND_VCPU, mine, 2u) == -XEN_ENOENT);
    MUST(on_port(one, EVTCHNOP_BIND_VCPU, mine, 1u) == 0);
}

/* Channels to itself and between its own vCPUs, all that there are, and what is refused */
static void more_ports(void)
{
    uint32_t mine = 0u;
    uint32_t theirs = 0u;
    uint32_t last = 0u;
    uint32_t n = 0u;

    begin();
    MUST(unbound(two, 0x7FF0u, &mine) == 0);
    MUST((bind(two, 0x7FF0u, mine, &theirs) == 0) && (mine != theirs));
    (void)hears(two, SHARED);
    MUST((send(two, theirs) == 0) && pending(two, mine) && hears(two, SHARED));
    MUST(on_port(two, EVTCHNOP_BIND_IPI, 1u, 0u) == -XEN_ENOENT);
    uint32_t ipi[2] = { 0u, 0u };
    MUST(op(two, EVTCHNOP_BIND_IPI, ipi, sizeof(ipi)) == 0);
    MUST(status(two, ipi[1]) == EVTCHNSTAT_IPI);
    MUST((send(two, ipi[1]) == 0) && pending(two, ipi[1]) && hears(two, SHARED));
    MUST(on_port(two, EVTCHNOP_BIND_VCPU, ipi[1], 0u) == -XEN_EINVAL);

    /* all that there are, and again after a reset that takes several calls */
    while (unbound(one, 2u, &last) == 0) {
        n++;
    }
    MUST(unbound(one, 2u, &last) == -XEN_ENOSPC);
    MUST(n == (1023u - 2u));
    uint32_t self = 0x7FF0u;
    const uint32_t again = one->hal.nr_again;
    for (n = 0u; (n < 100u) && (op(one, EVTCHNOP_RESET, &self, 4u) != 0); n++) {
        MUST(call_arg[0] == EVTCHNOP_RESET);
    }
    MUST((n == 63u) && ((one->hal.nr_again - again) == n));
    MUST((status(one, 5u) == EVTCHNSTAT_INTERDOMAIN) && (status(one, 1u) == EVTCHNSTAT_CLOSED));
    uint32_t other = 2u;
    MUST(op(one, EVTCHNOP_RESET, &other, 4u) == -XEN_EPERM);

    MUST(op(one, EVTCHNOP_BIND_PIRQ, &other, 4u) == -XEN_EOPNOTSUPP);
    MUST(call(one, 32u, EVTCHNOPS, ARGS, 0u) == -XEN_ENOSYS);
    MUST(call(one, 32u, UINT64_MAX, ARGS, 0u) == -XEN_ENOSYS);
    MUST(call(one, 32u, EVTCHNOP_SEND, 0x1000u, 0u) == -XEN_EFAULT);
    MUST(call(one, 32u, EVTCHNOP_STATUS, UINT64_MAX - 2u, 0u) == -XEN_EFAULT);
    MUST(call(domain("domU3")->vcpu[0], 32u, EVTCHNOP_SEND, ARGS, 0u) == -XEN_ENOSYS);
}

/* -- FIFO -- */

static void control(const struct vcpu *vcpu, uint64_t at, uint32_t index, int64_t expected)
{
    union xen_evtchn_op arg = {
        .init_control = { .control_gfn = at >> 12u, .offset = (uint32_t)(at & 0xFFFu), .vcpu = index }
    };

    MUST(op(vcpu, EVTCHNOP_INIT_CONTROL, &arg, sizeof(arg)) == expected);
    MUST((expected != 0) || (arg.init_control.link_bits == 17u));
}

static int64_t array(const struct vcpu *vcpu, uint64_t at)
{
    uint64_t gfn = at >> 12u;

    return op(vcpu, EVTCHNOP_EXPAND_ARRAY, &gfn, sizeof(gfn));
}

static uint32_t event(const struct vcpu *vcpu, uint32_t port)
{
    return word(vcpu, ARRAY + (port * 4u));
}

/* Takes the first of a queue as a guest does; 0 if it is empty. *head is the guest's. */
static uint32_t take(const struct vcpu *vcpu, uint32_t priority, uint32_t *head)
{
    uint32_t port = *head;
    uint32_t w = 0u;

    if (port == 0u) {
        port = word(vcpu, CONTROL + 8u + (priority * 4u));
    }
    if (port != 0u) {
        w = event(vcpu, port);
        MUST((w & 0xA0000000u) == 0xA0000000u);
        word_put(vcpu, ARRAY + (port * 4u), w & ~(0xA0000000u | 0x1FFFFu));
        *head = w & 0x1FFFFu;
        if (*head == 0u) {
            word_put(vcpu, CONTROL, word(vcpu, CONTROL) & ~BIT32(priority));
            word_put(vcpu, CONTROL + 8u + (priority * 4u), 0u);
        }
    }
    return port;
}

static uint32_t head;
static uint32_t first; /* two's ports, */
static uint32_t second;
static uint32_t from_one[2]; /* and where one sends to them */

static void fifo_begin(void)
{
    begin();
    MUST(unbound(two, 1u, &first) == 0);
    MUST(bind(one, 2u, first, &from_one[0]) == 0);
    MUST(unbound(two, 1u, &second) == 0);
    MUST(bind(one, 2u, second, &from_one[1]) == 0);
    MUST(array(two, ARRAY) == -XEN_EOPNOTSUPP);
    MUST(send(one, 5u) == 0); /* pending when the ABI changes: taken over */
    (void)hears(two, SHARED);
    control(two, CONTROL + 4u, 0u, -XEN_EINVAL);
    control(two, CONTROL + 0xFC0u, 0u, -XEN_EINVAL);
    control(two, CONTROL, 1u, -XEN_ENOENT);
    control(two, 0x30000000u, 0u, -XEN_EINVAL);
    control(two, CONTROL, 0u, 0);
    control(two, CONTROL, 0u, -XEN_EINVAL);
    fake_run();
    MUST(array(two, UINT64_MAX) == -XEN_EINVAL);
    MUST(array(two, ARRAY) == 0);
    MUST(array(two, ARRAY) == -XEN_ENOSPC);
    fake_run();
    MUST(hears(two, SHARED));
    MUST((take(two, 7u, &head) == 9u) && (head == 0u));
}

static void fifo(void)
{
    fifo_begin();
    /* in their order, each priority a queue */
    MUST(on_port(two, EVTCHNOP_SET_PRIORITY, second, 16u) == -XEN_EINVAL);
    MUST(on_port(two, EVTCHNOP_SET_PRIORITY, second, 3u) == 0);
    MUST((send(one, 5u) == 0) && (send(one, from_one[0]) == 0) && (send(one, from_one[1]) == 0));
    MUST((send(one, 5u) == 0) && (send(one, 700u) == 0)); /* the first is on its queue already */
    MUST(hears(two, SHARED) && (word(two, CONTROL) == (BIT32(7) | BIT32(3))));
    MUST(take(two, 7u, &head) == 9u);
    MUST(take(two, 7u, &head) == first);
    MUST((take(two, 7u, &head) == 1023u) && (head == 0u));
    MUST((take(two, 3u, &head) == second) && (head == 0u));

    /* masked and unmasked */
    word_put(two, ARRAY + (9u * 4u), 0x40000000u);
    MUST(send(one, 5u) == 0);
    MUST((event(two, 9u) == 0xC0000000u) && !hears(two, SHARED));
    MUST(on_port(two, EVTCHNOP_UNMASK, 9u, 0u) == 0);
    MUST((event(two, 9u) == 0xA0000000u) && hears(two, SHARED) && (take(two, 7u, &head) == 9u));

    /* moved to another queue after it was the last of one: what follows there is not lost */
    MUST(send(one, from_one[0]) == 0);
    MUST(take(two, 7u, &head) == first);
    MUST(on_port(two, EVTCHNOP_SET_PRIORITY, first, 2u) == 0);
    MUST((send(one, from_one[0]) == 0) && (send(one, 5u) == 0));
    MUST((take(two, 2u, &head) == first) && (head == 0u));
    MUST((take(two, 7u, &head) == 9u) && (head == 0u));
    (void)hears(two, SHARED);
}

static void fifo_lies(void)
{
    fifo_begin();
    /* words full of lies lead nowhere else: queues are found again by what the hypervisor knows itself */
    for (uint32_t lie = 0u; lie < 32u; lie++) {
        const uint32_t neighbour = word(one, SHARED + 0x800u);

        uint32_t words[1024];

        for (uint32_t p = 0u; p < 1024u; p++) {
            words[p] = (p * 0x9E3779B1u) ^ (lie * 0x85EBCA6Bu);
        }
        put(two, ARRAY, words, sizeof(words));
        for (uint32_t q = 0u; q < 17u; q++) {
            word_put(two, CONTROL + (q * 4u), UINT32_MAX - (q * lie));
        }
        MUST((send(one, 5u) == 0) && (send(one, 700u) == 0) && (send(one, from_one[1]) == 0));
        (void)on_port(two, EVTCHNOP_UNMASK, 9u, 0u);
        MUST(word(one, SHARED + 0x800u) == neighbour);
    }
    /* after a reset it is as it was */
    uint32_t self = 0x7FF0u;
    MUST(op(two, EVTCHNOP_RESET, &self, 4u) == 0);
    forget(two, 9u);
    (void)hears(two, SHARED);
    MUST((send(one, 5u) == 0) && pending(two, 9u) && hears(two, SHARED));
    control(two, CONTROL, 0u, 0);
    MUST(array(two, ARRAY) == 0);
}

/* -- Pages -- */

static int64_t info(const struct vcpu *vcpu, uint64_t index, uint64_t at)
{
    struct xen_register_vcpu_info arg = { .mfn = at >> 12u, .offset = (uint32_t)(at & 0xFFFu) };

    put(vcpu, ARGS, &arg, sizeof(arg));
    return call(vcpu, 24u, VCPUOP_REGISTER_VCPU_INFO, index, ARGS);
}

static void pages(void)
{
    struct xen_add_to_physmap add = { .domid = 0x7FF0u, .gpfn = 0x38000u };
    const uint32_t mark = 0x12345678u;
    uint32_t n = 0u;

    begin();
    put(one, ARGS, &add, sizeof(add));
    MUST(call(one, 12u, XENMEM_ADD_TO_PHYSMAP, ARGS, 0u) == -XEN_EBUSY);
    add.space = 2u; /* XENMAPSPACE_gmfn is not Arm's */
    put(one, ARGS, &add, sizeof(add));
    MUST(call(one, 12u, XENMEM_ADD_TO_PHYSMAP, ARGS, 0u) == -XEN_ENOSYS);

    word_put(one, INFO + 0x800u, mark);
    for (uint64_t offset = 4096u - 47u; offset < 4096u; offset++) {
        MUST(info(one, 0u, INFO + offset) == -XEN_EINVAL);
    }
    MUST(info(one, 0u, INFO + 4u) == -XEN_EINVAL);
    MUST(info(one, 2u, INFO) == -XEN_ENOENT);
    MUST(info(one, UINT64_MAX, INFO) == -XEN_ENOENT);
    MUST(info(one, 1u, INFO) == -XEN_EINVAL); /* another's */
    MUST(info(one, 0u, 0x38000000u) == -XEN_EINVAL);
    MUST(info(one, 0u, INFO) == 0);
    MUST(word(one, INFO + 0x800u) == mark); /* what else is in the page stays */
    MUST(hears(one, INFO));                 /* all is looked at once */
    MUST(info(one, 0u, INFO + 64u) == -XEN_EINVAL);
    MUST((send(two, 9u) == 0) && pending(one, 5u));
    MUST((word(one, INFO) == 1u) && (word(one, SHARED) == 0u) && hears(one, INFO));

    /* arguments in such a page are read from where the guest sees them */
    uint32_t port[2] = { 5u, 0u };
    put(one, INFO + 0x900u, port, sizeof(port));
    MUST(call(one, 32u, EVTCHNOP_UNMASK, INFO + 0x900u, 0u) == 0);
    word_put(one, INFO + 0x900u, 6u);
    MUST(call(one, 32u, EVTCHNOP_UNMASK, INFO + 0x900u, 0u) == -XEN_EINVAL);

    /* pages are not without end: control blocks and resets that never come back */
    uint32_t self = 0x7FF0u;
    union xen_evtchn_op arg = { .init_control = { .vcpu = 0u } };
    int64_t result = 0;
    for (; (n < 20u) && (result == 0); n++) {
        arg.init_control.control_gfn = (CONTROL >> 12u) + n;
        result = op(one, EVTCHNOP_INIT_CONTROL, &arg, sizeof(arg));
        MUST(op(one, EVTCHNOP_RESET, &self, 4u) == 0);
    }
    MUST((result == -XEN_ENOMEM) && (n == 4u));
    MUST(fake_maps_disjoint());
}

/* -- The other calls -- */

static void others(void)
{
    uint32_t features[2] = { 0u, 7u };
    uint16_t self = 0x7FF0u;
    struct xen_hvm_param param = { .domid = 0x7FF0u, .index = HVM_PARAM_STORE_EVTCHN, .value = 5u };
    char text[24];

    begin();
    put(one, ARGS, features, sizeof(features));
    MUST(call(one, 17u, XENVER_GET_FEATURES, ARGS, 0u) == 0);
    MUST(word(one, ARGS + 4u) == (BIT32(0) | BIT32(2) | BIT32(14) | BIT32(16)));
    word_put(one, ARGS, 1u);
    MUST(call(one, 17u, XENVER_GET_FEATURES, ARGS, 0u) == -XEN_EINVAL);
    MUST(call(one, 17u, XENVER_CAPABILITIES, ARGS, 0u) == 0);
    get(one, ARGS, text, sizeof(text));
    MUST(strcmp(text, "xen-3.0-aarch64 ") == 0);
    MUST(call(one, 17u, XENVER_CAPABILITIES2, 0u, 0u) == 17);
    word_put(one, ARGS, 16u);
    MUST(call(one, 17u, XENVER_CAPABILITIES2, ARGS, 0u) == -XEN_ENOBUFS);
    word_put(one, ARGS, 17u);
    MUST(call(one, 17u, XENVER_CAPABILITIES2, ARGS, 0u) == 17);
    get(one, ARGS + 4u, text, sizeof(text));
    MUST(strcmp(text, "xen-3.0-aarch64 ") == 0);
    MUST(call(one, 17u, XENVER_COMMANDLINE, ARGS, 0u) == 0);
    get(one, ARGS, text, sizeof(text));
    MUST(strcmp(text, "<denied>") == 0);
    MUST(call(one, 17u, XENVER_GUEST_HANDLE, 0x1000u, 0u) == -XEN_EFAULT);

    put(one, ARGS, &self, sizeof(self));
    MUST(call(one, 12u, XENMEM_CURRENT_RESERVATION, ARGS, 0u) == (int64_t)(MEMORY_BYTES >> 12u));
    MUST(call(one, 12u, XENMEM_MAXIMUM_RESERVATION | 64u, ARGS, 0u) == (int64_t)(MEMORY_BYTES >> 12u));
    MUST(call(one, 12u, XENMEM_MAXIMUM_GPFN, ARGS, 0u) ==
         (int64_t)(((GUEST_RAM + MEMORY_BYTES) >> 12u) - 1u));
    self = 2u;
    put(one, ARGS, &self, sizeof(self));
    MUST(call(one, 12u, XENMEM_CURRENT_RESERVATION, ARGS, 0u) == -XEN_EPERM);

    put(one, ARGS, &param, sizeof(param));
    MUST(call(one, 34u, HVMOP_GET_PARAM, ARGS, 0u) == 0);
    get(one, ARGS, &param, sizeof(param));
    MUST(param.value == 0u);
    MUST(call(one, 34u, HVMOP_SET_PARAM, ARGS, 0u) == -XEN_EPERM);
    param.index = 5u;
    put(one, ARGS, &param, sizeof(param));
    MUST(call(one, 34u, HVMOP_GET_PARAM, ARGS, 0u) == -XEN_EINVAL);

    uint64_t area = INFO;
    put(one, ARGS, &area, sizeof(area));
    MUST(call(one, 24u, VCPUOP_REGISTER_RUNSTATE_MEMORY_AREA, 0u, ARGS) == 0);
    MUST(word(one, INFO) == 0u);
    MUST(call(one, 24u, 3u, 0u, ARGS) == -XEN_EINVAL);
}

/* -- SCHEDOP_poll -- */

static int64_t poll_for(const struct vcpu *vcpu, uint32_t port, uint64_t timeout_ns)
{
    struct xen_sched_poll arg = { .ports = ARGS + 64u, .nr_ports = 1u, .timeout = timeout_ns };

    put(vcpu, ARGS, &arg, sizeof(arg));
    word_put(vcpu, ARGS + 64u, port);
    return call(vcpu, 29u, SCHEDOP_POLL, ARGS, 0u);
}

static void polls(void)
{
    begin();
    word_put(two, SHARED + MASK, BIT32(9u));
    MUST(poll_for(two, 8u, 0u) == -XEN_EINVAL);
    MUST(poll_for(two, 9u, 0u) == 0);
    fake_run();
    MUST(cpu_of(two) == HV_CPUS_MAX); /* it sleeps, */
    fake_time_advance(50u * MS);
    MUST(cpu_of(two) == HV_CPUS_MAX);
    MUST(send(one, 5u) == 0); /* and is woken without an interrupt */
    fake_run();
    MUST((cpu_of(two) < CPUS) && pending(two, 9u) && !fake_guest_pending(&two->hal, EVENTS));
    MUST(poll_for(two, 9u, 0u) == 0); /* pending: does not wait */
    fake_run();
    MUST(cpu_of(two) < CPUS);
    forget(two, 9u);
    MUST(poll_for(two, 9u, 1u) == 0); /* the time is over */
    fake_run();
    MUST(cpu_of(two) < CPUS);
    MUST(poll_for(two, 9u, hal_timer_now_ns() + (3u * MS)) == 0);
    fake_run();
    MUST(cpu_of(two) == HV_CPUS_MAX);
    fake_time_advance(4u * MS);
    MUST(cpu_of(two) < CPUS);
    MUST(poll_for(two, 9u, UINT64_MAX) == 0);
    fake_run();
    MUST(cpu_of(two) == HV_CPUS_MAX);
    MUST(send(one, 5u) == 0);
    fake_run();
    MUST(cpu_of(two) < CPUS);
}

/* -- Lives -- */

static void lives(void)
{
    uint32_t port = 0u;
    uint32_t theirs = 0u;

    begin();
    MUST(unbound(one, 2u, &port) == 0);
    MUST(bind(two, 1u, port, &theirs) == 0);
    control(two, CONTROL, 0u, 0);
    (void)hears(one, SHARED);
    for (uint32_t life = 1u; life <= 3u; life++) {
        const struct account before = account(domain("domU2"));

        guest_asks(two, HAL_DOMAIN_RESET);
        until(domain("domU2"), DOMAIN_RUNNING, life);
        until_in_guest(two);
        MUST(pending(one, 5u) && hears(one, SHARED));
        MUST((status(one, port) == EVTCHNSTAT_UNBOUND) && (status(one, 5u) == EVTCHNSTAT_INTERDOMAIN));
        MUST((status(two, theirs) == EVTCHNSTAT_CLOSED) && (status(two, 9u) == EVTCHNSTAT_INTERDOMAIN));
        share(two); /* it is as after its first start */
        MUST(pending(two, 9u) && pending(two, 1023u) && hears(two, SHARED));
        forget(one, 5u);
        MUST((send(two, 9u) == 0) && pending(one, 5u) && hears(one, SHARED));
        forget(one, 5u);
        const struct account after = account(domain("domU2"));
        account_same(&before, &after);
    }
    MUST(build_order(domain("domU2"), HAL_DOMAIN_OFF, "by the operator") == HV_OK);
    until(domain("domU2"), DOMAIN_STOPPED, 3u);
    MUST(pending(one, 5u) && hears(one, SHARED) && (status(one, 5u) == EVTCHNSTAT_UNBOUND));
    MUST(send(one, 5u) == 0);
    MUST(bind(one, 2u, 9u, &port) == -XEN_ESRCH);
    MUST(fake_windows_open() == 0u);
}

/* The other end's domain is never built: the channel is there, and leads to nobody. */
static void alone(void)
{
    uint32_t port = 0u;

    power_on(HALF, CPUS, kernels_put);
    one = domain("domU1")->vcpu[0];
    until(domain("domU1"), DOMAIN_RUNNING, 0u);
    until_in_guest(one);
    MUST(domain("domU2")->state == DOMAIN_FAILED);
    share(one);
    MUST(!pending(one, 5u)); /* nobody came */
    MUST((status(one, 5u) == EVTCHNSTAT_UNBOUND) && (send(one, 5u) == 0));
    MUST(on_port(one, EVTCHNOP_CLOSE, 5u, 0u) == -XEN_EINVAL);
    MUST(on_port(one, EVTCHNOP_UNMASK, 5u, 0u) == 0);
    MUST(bind(one, 2u, 9u, &port) == -XEN_ESRCH);
    MUST(bind(one, 0x7FF0u, 5u, &port) == -XEN_EINVAL); /* the port is no free end */
    guest_asks(one, HAL_DOMAIN_RESET);
    until(domain("domU1"), DOMAIN_RUNNING, 1u);
    until_in_guest(one);
    share(one);
    MUST(!pending(one, 5u) && (status(one, 5u) == EVTCHNSTAT_UNBOUND) && (send(one, 5u) == 0));
}

static void test_two_level(void **state)
{
    (void)state;
    scenario(two_level);
}

static void test_aside(void **state)
{
    (void)state;
    scenario(aside);
}

static void test_ports(void **state)
{
    (void)state;
    scenario(ports);
}

static void test_fifo(void **state)
{
    (void)state;
    scenario(fifo);
}

static void test_more_ports(void **state)
{
    (void)state;
    scenario(more_ports);
}

static void test_fifo_lies(void **state)
{
    (void)state;
    scenario(fifo_lies);
}

static void test_pages(void **state)
{
    (void)state;
    scenario(pages);
}

static void test_others(void **state)
{
    (void)state;
    scenario(others);
}

static void test_polls(void **state)
{
    (void)state;
    scenario(polls);
}

static void test_lives(void **state)
{
    (void)state;
    scenario(lives);
}

static void test_alone(void **state)
{
    (void)state;
    scenario(alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_level), cmocka_unit_test(test_aside), cmocka_unit_test(test_ports),
        cmocka_unit_test(test_fifo),      cmocka_unit_test(test_pages), cmocka_unit_test(test_others),
        cmocka_unit_test(test_polls),     cmocka_unit_test(test_lives), cmocka_unit_test(test_more_ports),
        cmocka_unit_test(test_fifo_lies), cmocka_unit_test(test_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
