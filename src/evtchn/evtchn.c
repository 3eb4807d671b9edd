/* The lives of a domain's event channels, and the static ones that outlive them. */
/* [impl->req~static-channels~1] [impl->req~store-port~1] */
#include "evtchn/evtchn_core.h"

#include "hal/hypmap.h"
#include "mem/heap.h"

struct evtchn_domain *evtchn_table[HV_DOMAINS_MAX];
static const struct plan *evtchn_plan;
struct spinlock evtchn_lock = SPINLOCK(LOCK_EVTCHN);

_Static_assert(HV_DOMAINS_MAX <= (LINK_DOMAIN_MASK + 1u), "an index fits a link");
_Static_assert(HV_VCPUS_MAX < 256u, "a vCPU's number fits a byte of a port");

static uint32_t nr_ports(const struct plan_domain *plan)
{
    return (plan->role != 0u) ? EVTCHN_PORTS_MAX : PLAN_PORTS;
}

/* shared_info, the FIFO array, and for each vCPU its vcpu_info and its control block */
static uint32_t pages_shared(const struct plan_domain *plan)
{
    return 1u + (nr_ports(plan) / WORDS_A_PAGE) + (2u * plan->nr_vcpus);
}

/* The rings to the servers: to the xenstore domain, which itself has none, and to the tools */
static bool has_ring(const struct plan_domain *plan, uint32_t server)
{
    const bool stores =
        (plan->enhanced >= PLAN_ENHANCED_ENABLED) && ((plan->role & PLAN_ROLE_XENSTORE) == 0u);

    return ((server == (uint32_t)DOMAIN_STORE) ? stores : (plan->console_tools || plan->spare)) &&
           hal_guestmap_translates();
}

static uint32_t pages_served(const struct plan_domain *plan)
{
    return (has_ring(plan, (uint32_t)DOMAIN_STORE) ? 1u : 0u) +
           (has_ring(plan, (uint32_t)DOMAIN_CONSOLE) ? 1u : 0u);
}

static uint32_t bytes_own(const struct plan_domain *plan)
{
    return (uint32_t)(sizeof(struct evtchn_domain) + (nr_ports(plan) * sizeof(struct evtchn_port)) +
                      (plan->nr_vcpus * sizeof(struct evtchn_vcpu)) + (nr_ports(plan) / 8u) +
                      (plan->nr_vcpus * EVTCHN_FIFO_QUEUES * sizeof(uint16_t)));
}

uint32_t evtchn_pages(const struct plan_domain *plan)
{
    return (plan->enhanced == PLAN_ENHANCED_NONE)
               ? 0u
               : (hal_pages(bytes_own(plan)) + pages_shared(plan) + pages_served(plan));
}

static void poll_ends(struct timer *timer)
{
    struct evtchn_vcpu *const v =
        (struct evtchn_vcpu *)(void *)((uint8_t *)(void *)timer - offsetof(struct evtchn_vcpu, poll));

    sched_poll_over(v->vcpu);
}

void evtchn_init(const struct plan *plan)
{
    evtchn_plan = plan;
}

/* Ports of static channels are fixed by the plan: the first that are not are the servers', in their order. */
static uint32_t server_port(const struct plan_domain *plan, uint32_t index, uint32_t server)
{
    const bool has =
        (server == (uint32_t)DOMAIN_STORE) ? (plan->enhanced >= PLAN_ENHANCED_ENABLED) : plan->console_tools;
    uint32_t left = has ? (server + 1u) : 0u;
    uint32_t port = 0;

    while (left > 0u) { /* PLAN_CHANNELS_MAX + DOMAIN_SERVERS turns at most */
        bool taken = false;

        port++;
        for (uint32_t i = 0; i < (2u * evtchn_plan->nr_channels); i++) {
            const struct plan_channel *const c = &evtchn_plan->channel[i / 2u];

            taken = taken || ((c->domain[i % 2u] == index) && (c->port[i % 2u] == port));
        }
        left -= taken ? 0u : 1u;
    }
    return port;
}

static domid_t server_domid(uint32_t server)
{
    const uint32_t role = (server == (uint32_t)DOMAIN_STORE) ? PLAN_ROLE_XENSTORE : PLAN_ROLE_CONTROL;
    domid_t domid = XEN_DOMID_SELF;

    for (uint32_t i = evtchn_plan->nr_domains; i > 0u; i--) {
        if ((evtchn_plan->domain[i - 1u].role & role) != 0u) {
            domid = evtchn_plan->domain[i - 1u].domid;
        }
    }
    return domid;
}

enum hv_status evtchn_setup(struct domain *domain)
{
    const struct plan_domain *const d = domain->plan;
    const uint32_t nr_shared = pages_shared(d);
    struct evtchn_domain *ed = NULL;
    uint8_t *memory = NULL;

    if (d->enhanced == PLAN_ENHANCED_NONE) {
        return HV_OK;
    }
    memory = heap_alloc(evtchn_pages(d));
    if (memory == NULL) {
        return HV_NO_MEMORY;
    }
    domain->shared.to = hal_hypmap_hpa(memory);
    domain->shared.bytes = (uint64_t)nr_shared * PAGE_BYTES;
    for (uint32_t i = 0; i < DOMAIN_SERVERS; i++) {
        if (has_ring(d, i)) {
            domain->ring[i] = &memory[domain->shared.bytes];
            domain->shared.bytes += PAGE_BYTES;
        }
    }
    ed = (struct evtchn_domain *)(void *)&memory[domain->shared.bytes];
    ed->domain = domain;
    ed->index = domain->index & LINK_DOMAIN_MASK;
    ed->pages = memory;
    ed->nr_pages = nr_shared;
    ed->shared = (struct xen_shared_info *)(void *)memory;
    ed->array = (uint32_t *)(void *)&memory[PAGE_BYTES];
    ed->nr_ports = nr_ports(d);
    for (uint32_t i = 0; i < DOMAIN_SERVERS; i++) {
        ed->server_port[i] = server_port(d, ed->index, i);
    }
    ed->vcpu = (struct evtchn_vcpu *)(void *)evtchn_at(ed, ed->nr_ports);
    ed->used = (uint32_t *)(void *)&ed->vcpu[d->nr_vcpus];
    ed->tail = (uint16_t *)(void *)&ed->used[ed->nr_ports / 32u];
    spin_init(&ed->queues, LOCK_EVTCHN_QUEUE);
    spin_init(&ed->input_lock, LOCK_VDEV);
    work_setup(&ed->work, evtchn_fifo_work);
    for (uint32_t i = 0; i < d->nr_vcpus; i++) {
        ed->vcpu[i].vcpu = domain->vcpu[i];
        timer_setup(&ed->vcpu[i].poll, poll_ends);
    }
    evtchn_memory_reset(ed);
    domain->events = ed;
    evtchn_table[ed->index] = ed;
    return HV_OK;
}

/* Calls `what` for the ports of the domain's static channels; both ends of one that leads back to it. */
static void each_static(struct evtchn_domain *ed,
                        void (*what)(struct evtchn_domain *ed, uint32_t port, struct evtchn_domain *peer,
                                     uint32_t peer_port))
{
    for (uint32_t i = 0; i < evtchn_plan->nr_channels; i++) {
        const struct plan_channel *const c = &evtchn_plan->channel[i];

        for (uint32_t end = 0; end < 2u; end++) {
            if (c->domain[end] == ed->index) {
                what(ed, c->port[end], evtchn_table[c->domain[1u - end]], c->port[1u - end]);
            }
        }
    }
}

static void static_bind(struct evtchn_domain *ed, uint32_t port, struct evtchn_domain *peer,
                        uint32_t peer_port)
{
    struct evtchn_port *const p = evtchn_at(ed, port);

    /* one whose domain is not built at all is never up */
    p->queue = EVTCHN_FIFO_DEFAULT; /* of vCPU 0 */
    p->link = (peer != NULL) ? (evtchn_link_to(peer, peer_port) | LINK_STATIC)
                             : (evtchn_link_unbound(XEN_DOMID_SELF) | LINK_STATIC);
    ed->used[port / 32u] |= BIT32(port % 32u);
}

static void static_raise_peer(struct evtchn_domain *ed, uint32_t port, struct evtchn_domain *peer,
                              uint32_t peer_port)
{
    (void)ed;
    (void)port;
    if (peer != NULL) {
        evtchn_raise(peer->domain, peer_port);
    }
}

static void static_raise_both(struct evtchn_domain *ed, uint32_t port, struct evtchn_domain *peer,
                              uint32_t peer_port)
{
    if ((peer != NULL) && (peer->up != 0u)) {
        evtchn_raise(peer->domain, peer_port);
        evtchn_raise(ed->domain, port);
    }
}

static void server_port_begin(struct evtchn_domain *ed, uint32_t port, uint32_t server)
{
    struct evtchn_port *const p = evtchn_at(ed, port);
    const bool ours = (server == (uint32_t)DOMAIN_CONSOLE) && ed->domain->plan->vpl011;
    const uint64_t flags = spin_lock(&evtchn_lock);

    p->queue = EVTCHN_FIFO_DEFAULT;
    p->poller = 0u;
    p->was = 0u;
    p->waits = false;
    ed->used[port / 32u] |= BIT32(port % 32u);
    if (p->link == LINK_CLOSED) {
        p->link = evtchn_link_unbound(server_domid(server)) | LINK_STICKY | (ours ? LINK_OURS : 0u);
    }
    spin_unlock(&evtchn_lock, flags);
}

/* All ports are as never used, but those of servers keep who is bound to them. */
static void ports_forget(struct evtchn_domain *ed)
{
    for (uint32_t i = 0; i < ed->nr_ports; i++) {
        struct evtchn_port *const p = evtchn_at(ed, i);

        if ((p->link & LINK_STICKY) == 0u) {
            (void)memset(p, 0, sizeof(*p));
        }
    }
    (void)memset(ed->used, 0, ed->nr_ports / 8u);
    ed->used[0] = 1u; /* port 0 is none */
    for (uint32_t i = 0; i < DOMAIN_SERVERS; i++) {
        if (ed->server_port[i] != 0u) {
            server_port_begin(ed, ed->server_port[i], i);
        }
    }
}

bool evtchn_has_other(const struct domain *domain, uint32_t port)
{
    const struct evtchn_domain *const ed = domain->events;
    const uint32_t link = (ed != NULL) ? evtchn_at(ed, hal_index(port, ed->nr_ports))->link : LINK_CLOSED;

    return evtchn_link_leads(link) && (evtchn_link_domain(link)->up != 0u);
}

bool evtchn_tell_other(const struct domain *domain, uint32_t port)
{
    const bool has = evtchn_has_other(domain, port);

    if (has) {
        const uint32_t link = evtchn_at(domain->events, hal_index(port, domain->events->nr_ports))->link;

        evtchn_raise(evtchn_link_domain(link)->domain, link & LINK_PORT_MASK);
    }
    return has;
}

void evtchn_divert(struct domain *domain, void (*hear)(struct domain *domain))
{
    if (domain->events != NULL) {
        domain->events->hear = hear;
    }
}

/* Who is bound to the servers' ports hears of it. Not the domain: it may wait for the store's event to begin,
 * until the server has looked. */
static void servers_raise(const struct evtchn_domain *ed)
{
    for (uint32_t i = 0; i < DOMAIN_SERVERS; i++) {
        (void)evtchn_tell_other(ed->domain, ed->server_port[i]);
    }
}

uint32_t evtchn_server_port(const struct domain *domain, enum domain_server server)
{
    return (domain->events != NULL) ? domain->events->server_port[server] : 0u;
}

void evtchn_begin(struct domain *domain)
{
    struct evtchn_domain *const ed = domain->events;

    if (ed != NULL) {
        evtchn_fifo_reset(ed);
        evtchn_memory_reset(ed);
        ports_forget(ed);
        ed->reads_input = false; /* nobody sends input to one that is not up */
        ed->input_count = 0u;
        each_static(ed, static_bind);
        ed->clock_shift_ns = 0u;
        hal_store_release32(&ed->up, 1u);
        evtchn_clock_show(ed); /* who sets it meanwhile sees that it is up */
    }
}

void evtchn_announce(struct domain *domain)
{
    if (domain->events != NULL) {
        each_static(domain->events, static_raise_both);
        servers_raise(domain->events);
    }
}

void evtchn_domain_reset(struct domain *domain)
{
    struct evtchn_domain *const ed = domain->events;

    if ((ed != NULL) && (ed->up != 0u)) {
        hal_store_release32(&ed->up, 0u);
        evtchn_shared_home(ed);
        for (uint32_t port = 1; port < ed->nr_ports; port++) {
            evtchn_close(ed, port, LINK_STICKY);
        }
        for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
            timer_disarm(&ed->vcpu[i].poll);
        }
        each_static(ed, static_raise_peer);
        servers_raise(ed);
    }
}

/* 32 ports of a domain */
static void word_forget(const struct evtchn_domain *ed, uint32_t word, domid_t domid)
{
    const uint64_t flags = spin_lock(&evtchn_lock);

    for (uint32_t left = ed->used[word]; left != 0u; left &= left - 1u) { /* at most 32 */
        struct evtchn_port *const p = evtchn_at(ed, (word * 32u) + (uint32_t)__builtin_ctz(left));

        if (p->link == evtchn_link_unbound(domid)) {
            p->link = evtchn_link_unbound(XEN_DOMID_INVALID);
        }
    }
    spin_unlock(&evtchn_lock, flags);
}

void evtchn_forget(domid_t domid, void (*breathe)(void))
{
    for (uint32_t i = 0; i < HV_DOMAINS_MAX; i++) {
        const struct evtchn_domain *const ed = evtchn_table[i];

        for (uint32_t word = 0; (ed != NULL) && (word < (ed->nr_ports / 32u)); word++) {
            word_forget(ed, word, domid);
        }
        breathe();
    }
}

bool evtchn_other_end(const struct domain *domain, uint32_t port, const struct domain **peer,
                      uint32_t *peer_port, bool *is_static)
{
    const struct evtchn_domain *const ed = domain->events;
    const bool here = (ed != NULL) && (port < ed->nr_ports) && (ed->up != 0u);
    const uint32_t link = here ? evtchn_at(ed, port)->link : LINK_CLOSED;
    const struct evtchn_domain *to = NULL;

    if (evtchn_link_leads(link)) {
        to = evtchn_link_domain(link);
    }
    if ((to != NULL) && (to->up != 0u)) {
        *peer = to->domain;
        *peer_port = link & LINK_PORT_MASK;
        *is_static = (link & LINK_STATIC) != 0u;
        return true;
    }
    return false;
}
