/* A guest that uses Xen's interface as small kernels and boot loaders do, not as Linux does: two levels of
 * events only, the vcpu_info inside shared_info, pages put to places and taken away again in other orders.
 * Each way is one of a known kind (EDK2's, U-Boot's and Zephyr's for Xen, then a Linux started by one of
 * them), all in one life, and begins anew after the domain's reset. Bootargs: peer=<domid>, role=partner for
 * the other end. PV <way> ok; PV FAIL <what> otherwise; at the end PV life <n> faults=<n>. */
#include "pv.h"

#include "monitor.h"

#define WINDOW_GFN (XEN_GRANT_WINDOW / XEN_PAGE_BYTES)
#define PATIENCE_S 20u

uint16_t pv_peer;
static uint32_t faults;
static uint32_t way;
static volatile uint32_t came[XEN_2L_WORDS * 32u]; /* how often, by port */

static union page shared[4] __attribute__((aligned(XEN_PAGE_BYTES)));
static union page mailbox __attribute__((aligned(XEN_PAGE_BYTES)));
static union page place __attribute__((aligned(XEN_PAGE_BYTES)));
static union page info __attribute__((aligned(XEN_PAGE_BYTES)));
static union page fifo[2] __attribute__((aligned(XEN_PAGE_BYTES)));

static struct xen_shared_info *events; /* where shared_info is now */

void must(const char *what, int64_t is, int64_t wanted)
{
    if (is != wanted) {
        faults++;
        print("PV FAIL %s: %d, not %d (way %u)\n", what, (int32_t)is, (int32_t)wanted, way);
    }
}

bool wait_for(const volatile uint32_t *word, uint32_t wanted)
{
    const uint64_t until = timer_now() + (PATIENCE_S * timer_frequency());

    while ((*word != wanted) && (timer_now() < until)) {
        arch_yield();
    }
    return *word == wanted;
}

static struct xen_grant_v1 *table(uint32_t ref)
{
    return &((union page *)(uintptr_t)XEN_GRANT_WINDOW)->grant[ref];
}

static void take(uint32_t port)
{
    came[port]++;
}

static void on_interrupt(uint32_t intid)
{
    (void)intid;
    xen_upcall(events, take);
}

/* -- What each way does with its partner -- */

/* Polled or by interrupt: the partner's event on our port */
static void wait_event(uint32_t port, bool polled)
{
    const uint64_t until = timer_now() + (PATIENCE_S * timer_frequency());

    while ((came[port] == 0u) && (timer_now() < until)) {
        if (polled && (*(volatile uint8_t *)&events->vcpu_info.upcall_pending != 0u)) {
            xen_upcall(events, take);
        }
        arch_yield();
    }
    must("event", came[port] > 0u, 1);
}

static void check_pattern(uint32_t flags)
{
    uint32_t handle = 0u;
    uint32_t wrong = 0u;

    must("map", xen_grant_map(pv_peer, REF_PATTERN, (uintptr_t)&place, GNTMAP_HOST_MAP | flags, &handle),
         GNTST_OKAY);
    for (uint32_t i = 0u; i < (XEN_PAGE_BYTES / 4u); i++) {
        wrong += (((volatile union page *)&place)->word[i] != pattern(way, i)) ? 1u : 0u;
    }
    must("words that differ", wrong, 0);
    must("unmap", xen_grant_unmap((uintptr_t)&place, handle), GNTST_OKAY);
}

/* hole: the page for the mapping is given up first and populated afterwards, as Zephyr does; otherwise the
 * mapping takes its place, and a page is asked for afterwards all the same. */
static void exchange(bool polled, bool hole)
{
    const int64_t port = xen_event_alloc(pv_peer);

    must("alloc_unbound", port > 0, 1);
    came[port] = 0u;
    mailbox.mailbox = (struct mailbox){ MAILBOX_MAGIC, way, (uint32_t)port, 0u, 0u };
    xen_grant_give(table(REF_MAILBOX), pv_peer, xen_gfn(&mailbox), GTF_PERMIT_ACCESS);
    must("answer", wait_for(&mailbox.mailbox.answer, way), 1);
    wait_event((uint32_t)port, polled);
    if (hole) {
        must("remove", xen_remove(xen_gfn(&place)), 0);
    }
    check_pattern(hole ? GNTMAP_READONLY : 0u);
    must("populate", xen_populate(xen_gfn(&place)), 1);
    must("a page of zeros", ((volatile union page *)&place)->word[7], 0);
    place.word[7] = way;
    mailbox.mailbox.done = way;
    must("close", xen_event_port(EVTCHNOP_CLOSE, (uint32_t)port, 0u), 0);
    for (uint64_t until = timer_now() + (PATIENCE_S * timer_frequency());
         !xen_grant_end(table(REF_MAILBOX)) && (timer_now() < until);) {
        arch_yield();
    }
    must("the partner has let go", table(REF_MAILBOX)->flags_domid, 0);
}

/* An event to itself, of which nothing else is known */
static void loopback(bool polled)
{
    const int64_t port = xen_event_alloc(XEN_DOMID_SELF);
    const int64_t other = xen_event_bind(XEN_DOMID_SELF, (uint32_t)port);

    must("loopback", (port > 0) && (other > 0), 1);
    came[port] = 0u;
    must("send", xen_event_port(EVTCHNOP_SEND, (uint32_t)other, 0u), 0);
    wait_event((uint32_t)port, polled);
    must("close", xen_event_port(EVTCHNOP_CLOSE, (uint32_t)port, 0u), 0);
    must("unbound", xen_event_status((uint32_t)other), EVTCHNSTAT_UNBOUND);
    must("close", xen_event_port(EVTCHNOP_CLOSE, (uint32_t)other, 0u), 0);
}

static void share(union page *page)
{
    must("shared_info", xen_place(XENMAPSPACE_SHARED_INFO, 0u, xen_gfn(page)), 0);
    events = &page->shared;
}

static void unshare(union page *page)
{
    must("remove shared_info", xen_remove(xen_gfn(page)), 0);
    must("populate", xen_populate(xen_gfn(page)), 1);
    must("a page of zeros", ((volatile union page *)page)->word[3], 0);
    page->word[3] = way;
    must("the page", ((volatile union page *)page)->word[3], way);
}

/* From the last to the first, or the other way round */
static void grant_frames(uint32_t nr, bool downwards)
{
    for (uint32_t i = 0u; i < nr; i++) {
        const uint32_t frame = downwards ? (nr - 1u - i) : i;

        must("grant frame", xen_place(XENMAPSPACE_GRANT_TABLE, frame, WINDOW_GFN + frame), 0);
    }
}

static void grant_frames_gone(uint32_t nr)
{
    for (uint32_t i = nr; i > 0u; i--) {
        must("remove grant frame", xen_remove(WINDOW_GFN + i - 1u), 0);
    }
}

/* -- The ways -- */

/* Before anything else: parameters, an event of a guest without shared_info, which is there when that
 * comes */
static void early(void)
{
    static const uint32_t known[] = { HVM_PARAM_CONSOLE_EVTCHN, HVM_PARAM_CONSOLE_PFN, HVM_PARAM_STORE_EVTCHN,
                                      HVM_PARAM_STORE_PFN, HVM_PARAM_CALLBACK_IRQ };
    uint64_t value = 0u;
    int64_t port;
    int64_t other;

    for (uint32_t i = 0u; i < (sizeof(known) / sizeof(known[0])); i++) {
        must("get_param", xen_param(known[i], &value), 0);
    }
    must("set_param", xen_param_set(HVM_PARAM_STORE_PFN, 5u), -XEN_EPERM);
    must("version", xen_version(XENVER_VERSION, NULL), XEN_VERSION);
    port = xen_event_alloc(XEN_DOMID_SELF);
    other = xen_event_bind(XEN_DOMID_SELF, (uint32_t)port);
    must("send", xen_event_port(EVTCHNOP_SEND, (uint32_t)other, 0u), 0);
    share(&shared[0]);
    must("sent before", xen_port_pending(events, (uint32_t)port), 1);
    must("flag", events->vcpu_info.upcall_pending, 1);
    xen_upcall(events, take);
    must("taken", came[port], 1);
    must("close", xen_event_port(EVTCHNOP_CLOSE, (uint32_t)other, 0u), 0);
    must("close", xen_event_port(EVTCHNOP_CLOSE, (uint32_t)port, 0u), 0);
    must("a second place", xen_place(XENMAPSPACE_SHARED_INFO, 0u, xen_gfn(&shared[1])), -XEN_EBUSY);
    unshare(&shared[0]);
}

/* Four frames upwards, taken away downwards; polled */
static void as_edk2(void)
{
    share(&shared[1]);
    grant_frames(4u, false);
    loopback(true);
    exchange(true, false);
    grant_frames_gone(4u);
    unshare(&shared[1]);
}

/* One frame; everything is undone for the kernel that comes next, and done once more */
static void as_uboot(void)
{
    for (uint32_t i = 0u; i < 2u; i++) {
        share(&shared[2u - i]);
        loopback(true);
        grant_frames(1u, false);
        exchange(true, i == 0u);
        way++;
        grant_frames_gone(1u);
        unshare(&shared[2u - i]);
    }
}

/* By interrupt; more frames than it will ever use, the last first; a hole for each mapping */
static void as_zephyr(void)
{
    struct xen_grant_query query = { .dom = XEN_DOMID_SELF };

    share(&shared[3]);
    irq_enable(XEN_PPI_EVENTS, IRQ_PRIORITY_LOW, on_interrupt);
    arch_irq_open();
    loopback(false);
    must("query_size", xen_grant_op(GNTTABOP_QUERY_SIZE, &query, 1u), 0);
    must("query_size", (query.status == GNTST_OKAY) && (query.max_nr_frames >= 4u), 1);
    grant_frames(2u, true);
    exchange(false, true);
    arch_irq_mask();
    irq_disable(XEN_PPI_EVENTS);
}

/* A kernel that comes behind one of these, who undid nothing but shared_info: vcpu_info, then FIFO queues;
 * what came meanwhile is there. */
static void as_linux(void)
{
    union xen_evtchn_op arg = { .init_control = { xen_gfn(&fifo[0]), 0u, 0u, 0u, { 0u } } };
    const int64_t port = xen_event_alloc(XEN_DOMID_SELF);
    const int64_t other = xen_event_bind(XEN_DOMID_SELF, (uint32_t)port);

    unshare(&shared[3]);
    share(&shared[0]);
    must("vcpu_info", xen_vcpu_info(0u, xen_gfn(&info), 64u), 0);
    must("send", xen_event_port(EVTCHNOP_SEND, (uint32_t)other, 0u), 0);
    must("flag there", ((volatile union page *)&info)->byte[64], 1);
    must("init_control", xen_event(EVTCHNOP_INIT_CONTROL, &arg), 0);
    arg.expand_array.array_gfn = xen_gfn(&fifo[1]);
    must("expand_array", xen_event(EVTCHNOP_EXPAND_ARRAY, &arg), 0);
    must("send", xen_event_port(EVTCHNOP_SEND, (uint32_t)other, 0u), 0);
    must("in its word", (int64_t)(((volatile union page *)&fifo[1])->word[port] >> 31u), 1);
    grant_frames_gone(2u);
    grant_frames(3u, false);
}

/* The console without a ring, polled */
static void console(void)
{
    char text[16];
    int64_t got = xen_console_write("PV console written\n", 19u);

    must("write", got, 0);
    for (uint32_t i = 0u; (i < 1000u) && (got == 0); i++) {
        got = xen_console_read(text, 15u);
    }
    must("read", (got >= 0) && (got <= 15), 1);
}

static void run(const char *name, void (*function)(void))
{
    const uint32_t before = faults;

    way++;
    function();
    print("PV %s %s\n", name, (faults == before) ? "ok" : "BAD");
}

void guest_main(void)
{
    const char *const role = tree_argument("role");
    struct domain_status status = { DOMAIN_RUNNING, 0u, 0u };

    pv_peer = (uint16_t)tree_number("peer", 0u);
    if ((role != NULL) && (role[0] == 'p')) {
        partner();
    }
    (void)domain_status(tree_number("self", 0u), &status);
    way = (uint32_t)status.restarts * 100u;
    run("early", early);
    run("console", console);
    run("edk2", as_edk2);
    run("uboot", as_uboot);
    run("zephyr", as_zephyr);
    run("linux", as_linux);
    print("PV life %U faults=%u\n", status.restarts, faults);
    if (status.restarts < tree_number("lives", 0u)) {
        way++;
        mailbox.mailbox = (struct mailbox){ MAILBOX_MAGIC, way, 0u, 0u, 0u };
        xen_grant_give(table(REF_MAILBOX), pv_peer, xen_gfn(&mailbox), GTF_PERMIT_ACCESS);
        must("answer", wait_for(&mailbox.mailbox.answer, way), 1);
        (void)firmware_call(PSCI_SYSTEM_RESET, 0u, 0u, 0u);
    }
    for (;;) {
        arch_wait();
    }
}
