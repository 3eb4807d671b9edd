/* The made domain as its maker sees it: its console, its end, and what of it is left. */
#include "control.h"

#define LINE_BYTES 80u
#define PORTS      256u
#define LIST       16u

static char line[LINE_BYTES];
static uint32_t nr_line;
static uint32_t lies;
static struct maker view; /* the child, by the window's last page */
static uint32_t console_end;

/* -- Accounts -- */

static uint64_t host_free(void)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_PHYSINFO, .interface_version = XEN_SYSCTL_VERSION };

    must("physinfo", xen_call(XEN_HCALL_SYSCTL, (uintptr_t)&op, NULL, 0u), 0);
    return op.u.physinfo.free_pages + op.u.physinfo.scrub_pages;
}

static uint32_t nr_domains(void)
{
    static struct xen_domaininfo list[LIST];
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_GETDOMAININFOLIST,
                             .interface_version = XEN_SYSCTL_VERSION,
                             .u.list = { .max_domains = LIST, .buffer = (uintptr_t)list } };

    must("getdomaininfolist", xen_call(XEN_HCALL_SYSCTL, (uintptr_t)&op, NULL, 0u), 0);
    return op.u.list.num_domains;
}

struct account account_now(void)
{
    struct xen_domaininfo info = { .tot_pages = 0u };
    struct account now = { .free_pages = host_free(), .domains = nr_domains() };

    must("own info", maker_info((uint16_t)tree_number("self", 0u), &info), 0);
    now.own_pages = info.tot_pages;
    for (uint32_t port = 1u; port < PORTS; port++) {
        now.ports += (xen_event_status(port) > (int64_t)EVTCHNSTAT_CLOSED) ? 1u : 0u;
    }
    return now;
}

void account_must_be(const char *what, const struct account *before)
{
    const uint64_t until = timer_now() + (CONTROL_PATIENCE_S * timer_frequency());
    struct account now = account_now();

    while ((now.free_pages != before->free_pages) && (timer_now() < until)) {
        arch_yield();
        now = account_now();
    }
    must(what, (int64_t)now.free_pages, (int64_t)before->free_pages);
    must(what, (int64_t)now.own_pages, (int64_t)before->own_pages);
    must(what, now.ports, before->ports);
    must(what, now.domains, before->domains);
}

static void keys_press(const char *keys, uint32_t nr)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_DEBUG_KEYS,
                             .interface_version = XEN_SYSCTL_VERSION,
                             .u.debug_keys = { .keys = (uintptr_t)keys, .nr_keys = nr } };
    const uint64_t until = timer_now() + (CONTROL_PATIENCE_S * timer_frequency());
    int64_t result = xen_call(XEN_HCALL_SYSCTL, (uintptr_t)&op, NULL, 0u);

    while ((result == -XEN_EBUSY) && (timer_now() < until)) { /* the ones before are being answered */
        arch_yield();
        result = xen_call(XEN_HCALL_SYSCTL, (uintptr_t)&op, NULL, 0u);
    }
    must("keys", result, 0);
}

void account_tell(void)
{
    keys_press("meg", 3u);
    keys_press("", 0u);
}

/* -- Its console -- */

static volatile struct ring_console *ring(void)
{
    return (volatile struct ring_console *)view.window;
}

static bool begins(const char *text, const char *with)
{
    uint32_t i = 0u;

    while ((with[i] != '\0') && (text[i] == with[i])) {
        i++;
    }
    return with[i] == '\0';
}

/* A line is whole. */
static bool line_take(const char *until)
{
    line[nr_line] = '\0';
    for (uint32_t i = 0u; i < nr_line; i++) {
        lies += begins(&line[i], "zero=no") ? 1u : 0u;
    }
    if (tree_number("quiet", 0u) == 0u) {
        print("child: %s\n", line);
    }
    nr_line = 0u;
    return (until != NULL) && begins(line, until);
}

/* What it has written since the last time; the indexes are the child's words. */
static bool ring_drain(const char *until)
{
    const uint32_t to = ring()->out_prod;
    uint32_t from = ring()->out_cons;
    bool found = false;

    for (uint32_t n = 0u; (from != to) && (n < RING_OUT); n++) {
        const char c = ring()->out[from % RING_OUT];

        from++;
        if (c == '\n') {
            found = line_take(until) || found;
        } else if (nr_line < (LINE_BYTES - 1u)) {
            line[nr_line] = c;
            nr_line++;
        } else {
            /* too long */
        }
    }
    ring()->out_cons = from;
    return found;
}

void child_order(char what)
{
    ring()->in[0] = what;
    arch_barrier();
    ring()->in_prod = 1u;
}

uint32_t child_lies(void)
{
    return lies;
}

/* -- Its life -- */

int64_t child_make(char what, uint32_t nr_blocks, uint32_t nr_vcpus)
{
    child.nr_blocks = nr_blocks;
    child.nr_vcpus = nr_vcpus;
    tree_ram((uint64_t)nr_blocks << MAKER_BLOCK_BITS);
    int64_t result = maker_create(&child);

    if (result != 0) {
        print("CONTROL has no domain: %s\n", maker_step_name(child.nr_steps));
    }
    view = child;
    view.window = &child.window[(MAKER_WINDOW - 1u) * XEN_PAGE_BYTES];
    console_end = 0u;
    nr_line = 0u;
    if (result == 0) {
        must("console", maker_map(&view, MAKER_CONSOLE, 1u), 0);
        const int64_t port = xen_event_bind(child.domid, child.console_port);

        must("console's port", port > 0, 1);
        console_end = (uint32_t)port;
        if (what != '\0') {
            child_order(what);
        }
        result = maker_unpause(child.domid);
    }
    return result;
}

/* The hypervisor would tell by VIRQ_DOM_EXC, and the child by its port; who has nothing else to do looks. */
int64_t child_watch(const char *until)
{
    const uint64_t end = timer_now() + (CONTROL_PATIENCE_S * timer_frequency());
    struct xen_domaininfo info = { .flags = 0u };
    bool found = false;

    while (!found && ((info.flags & XEN_DOMINF_SHUTDOWN) == 0u) && (timer_now() < end)) {
        must("info", maker_info(child.domid, &info), 0);
        found = ring_drain(until);
        (void)xen_call(XEN_HCALL_SCHED_OP, SCHEDOP_YIELD, NULL, 0u);
    }
    return ((info.flags & XEN_DOMINF_SHUTDOWN) != 0u)
               ? (int64_t)((info.flags >> XEN_DOMINF_REASON_LOW) & 0xFFu)
               : -1;
}

void child_destroy(void)
{
    must("console's end", maker_let_go(&view, 1u), 0);
    must("destroy", maker_destroy(child.domid), 0);
    must("close", xen_event_port(EVTCHNOP_CLOSE, console_end, 0u), 0);
}
