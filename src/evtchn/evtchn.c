/* The lives of a domain's event channels, and the static ones that outlive them. */
/* [impl->req~static-channels~1] */
#include "evtchn/evtchn_core.h"

#include "hal/hypmap.h"
#include "hal/sync.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "sched/sched.h"

struct evtchn_domain *evtchn_table[HV_DOMAINS_MAX];
static const struct plan *evtchn_plan;
struct spinlock evtchn_lock = SPINLOCK(LOCK_EVTCHN);

_Static_assert(HV_DOMAINS_MAX <= (LINK_DOMAIN_MASK + 1u), "an index fits a link");
_Static_assert(HV_VCPUS_MAX < 256u, "a vCPU's number fits a byte of a port");

static uint32_t pages_of(uint64_t bytes)
{
    return (uint32_t)((bytes + (PAGE_BYTES - 1u)) >> PAGE_SHIFT);
}

/* shared_info, the FIFO array, and for each vCPU its vcpu_info and its control block */
static uint32_t pages_shared(const struct plan_domain *plan)
{
    return 2u + (2u * plan->nr_vcpus);
}

static uint32_t bytes_own(const struct plan_domain *plan)
{
    return (uint32_t)(sizeof(struct evtchn_domain) + (plan->nr_vcpus * sizeof(struct evtchn_vcpu)) +
                      (plan->nr_vcpus * EVTCHN_FIFO_QUEUES * sizeof(uint16_t)));
}

uint32_t evtchn_pages(const struct plan_domain *plan)
{
    return (plan->enhanced == PLAN_ENHANCED_NONE) ? 0u : (pages_of(bytes_own(plan)) + pages_shared(plan));
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
    ed = (struct evtchn_domain *)(void *)&memory[domain->shared.bytes];
    ed->domain = domain;
    ed->index = plan_index(evtchn_plan, d->domid) & LINK_DOMAIN_MASK;
    ed->pages = memory;
    ed->nr_pages = nr_shared;
    ed->shared = (struct xen_shared_info *)(void *)memory;
    ed->vcpu = (struct evtchn_vcpu *)(void *)&ed[1];
    ed->tail = (uint16_t *)(void *)&ed->vcpu[d->nr_vcpus];
    spin_init(&ed->queues, LOCK_EVTCHN_QUEUE);
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
    struct evtchn_port *const p = &ed->port[port];

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

void evtchn_begin(struct domain *domain)
{
    struct evtchn_domain *const ed = domain->events;

    if (ed != NULL) {
        evtchn_fifo_reset(ed);
        evtchn_memory_reset(ed);
        (void)memset(ed->port, 0, sizeof(ed->port));
        (void)memset(ed->used, 0, sizeof(ed->used));
        ed->used[0] = 1u; /* port 0 is none */
        each_static(ed, static_bind);
        hal_store_release32(&ed->up, 1u);
    }
}

void evtchn_announce(struct domain *domain)
{
    if (domain->events != NULL) {
        each_static(domain->events, static_raise_both);
    }
}

void evtchn_domain_reset(struct domain *domain)
{
    struct evtchn_domain *const ed = domain->events;

    if ((ed != NULL) && (ed->up != 0u)) {
        hal_store_release32(&ed->up, 0u);
        evtchn_shared_home(ed);
        for (uint32_t port = 1; port < EVTCHN_PORTS; port++) {
            evtchn_close(ed, port);
        }
        for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
            timer_disarm(&ed->vcpu[i].poll);
        }
        each_static(ed, static_raise_peer);
    }
}

bool evtchn_other_end(const struct domain *domain, uint32_t port, const struct domain **peer,
                      uint32_t *peer_port, bool *is_static)
{
    const struct evtchn_domain *const ed = domain->events;
    const bool here = (ed != NULL) && (port < EVTCHN_PORTS) && (ed->up != 0u);
    const uint32_t link = here ? ed->port[port].link : LINK_CLOSED;
    const struct evtchn_domain *to = NULL;

    if (evtchn_link_status(link) == evtchn_link_status(LINK_IS_TO)) {
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
