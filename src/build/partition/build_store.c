/* How a domain meets its xenstore, and tools that have its console: a page with two rings that is the
 * hypervisor's and outlives the domain's lives, as the port beside it does, and the parameters that tell the
 * guest of both. */
/* [impl->req~store-page~1] */
#include "build/builder.h"

#include "domain/p2m.h"
#include "domain/role.h"
#include "evtchn/evtchn.h"
#include "grant/grant.h"
#include "hal/cache.h"
#include "hal/virq.h"
#include "sched/sched.h"

#define LATER UINT64_MAX /* in HVM_PARAM_STORE_PFN: an event will tell when there is a page */

/* Is the guest told of its page from the start? Tools that introduce domains bring it themselves, as Xen 4.20
 * has it: they clear it, so it must not be in use by then. */
static bool is_told(const struct domain *domain)
{
    const struct domain *const server = role_holder(PLAN_ROLE_XENSTORE);
    const bool tools = (server != NULL) && role_may(server, ROLE_DOMCTL);

    return (domain->plan->enhanced == PLAN_ENHANCED_ENABLED) && !tools;
}

/* Where tools look for it, or where the host has it for a domain whose memory is there, too. */
static uint64_t store_gfn(const struct domain *domain)
{
    const bool there = domain->plan->host_memory && is_told(domain);

    return there ? (hal_hypmap_hpa(domain->ring[DOMAIN_STORE]).v >> PAGE_SHIFT) : XENSTORE_MAGIC_GFN;
}

/* Whoever serves it may be in the midst of it. One that can reconnect drops what was of the last life;
 * another is not disturbed: it takes what is left of requests, and the guest passes over what was answered.
 * Nobody serves it: it is new. */
static void ring_begin(struct xen_store_ring *ring, bool is_first)
{
    if (!is_first && (ring->connection == XENSTORE_CONNECTED) &&
        ((ring->server_features & XENSTORE_FEATURE_RECONNECTION) == 0u)) {
        ring->rsp_cons = ring->rsp_prod;
    } else {
        (void)memset(ring, 0, sizeof(*ring));
        ring->connection = XENSTORE_RECONNECT;
    }
    hal_cache_clean(ring, sizeof(*ring));
}

uint64_t build_console_gfn(const struct domain *domain)
{
    return domain->plan->host_memory ? (hal_hypmap_hpa(domain->ring[DOMAIN_CONSOLE]).v >> PAGE_SHIFT)
                                     : CONSOLE_MAGIC_GFN;
}

static void console_hear(struct domain *domain)
{
    vpl011_hear(&build_slot_of(domain)->uart);
}

/* Its page outlives it, too. An emulated UART writes there itself; else the guest's own driver does, and what
 * that left there in disorder goes. */
/* [impl->req~console-tools~1] */
static void console_begin(struct domain *domain, struct xen_console_ring *ring)
{
    static const struct vpl011_ends ends = { evtchn_has_other, evtchn_tell_other };
    const uint32_t port = evtchn_server_port(domain, DOMAIN_CONSOLE);

    if (domain->plan->vpl011) {
        vpl011_lead(&build_slot_of(domain)->uart, ring, port, &ends);
        evtchn_divert(domain, console_hear);
    } else {
        domain->param[HVM_PARAM_CONSOLE_EVTCHN] = port;
        domain->param[HVM_PARAM_CONSOLE_PFN] = build_console_gfn(domain);
        ring->in_cons = ring->in_prod;
        if ((ring->out_prod - ring->out_cons) > sizeof(ring->out)) {
            ring->out_prod = ring->out_cons;
        }
    }
}

static bool vuart_is_there(const struct domain *domain, uint32_t port)
{
    (void)domain;
    (void)port;
    return true; /* it has no other console */
}

int64_t build_vuart(struct domain *domain, uint64_t gfn, domid_t server, uint32_t *port)
{
    static const struct vpl011_ends ends = { vuart_is_there, evtchn_tell_other };
    struct vpl011 *const uart = &build_slot_of(domain)->uart;
    struct xen_console_ring *const ring = domain->ring[DOMAIN_CONSOLE];
    const struct layout_uart at = layout_uart(build_plan(), domain->plan);
    const uint64_t flags = spin_lock(&domain->lock);
    int64_t result = -XEN_EBUSY;

    if (!domain->plan->spare || (ring == NULL)) {
        result = -XEN_EOPNOTSUPP;
    } else if ((domain->state == DOMAIN_RUNNING) && domain->paused && sched_domain_quiet(domain) &&
               (uart->domain == NULL)) {
        result = p2m_result(p2m_put_page(domain, gfn, ring, false));
    } else {
        /* it may run, or has one */
    }
    if (result == 0) {
        result = evtchn_offer(domain, server, port);
    }
    if (result == 0) {
        (void)memset(ring, 0, sizeof(*ring));
        vpl011_lead(uart, NULL, 0u, NULL);
        vpl011_lead(uart, ring, *port, &ends);
        evtchn_divert(domain, console_hear);
        result = (vpl011_attach(uart, domain, at.base, at.irq) == HV_OK) ? 0 : -XEN_EBUSY;
    }
    spin_unlock(&domain->lock, flags);
    return result;
}

/* The page appears in the guest's map, and its server may map it by a grant. */
static enum hv_status ring_put(struct domain *domain, enum domain_server server, uint64_t gfn)
{
    static const struct {
        uint32_t role;
        uint32_t ref;
    } by[DOMAIN_SERVERS] = { { PLAN_ROLE_XENSTORE, XENSTORE_GRANT_REF },
                             { PLAN_ROLE_CONTROL, CONSOLE_GRANT_REF } };
    const struct domain *const holder = role_holder(by[server].role);
    const uint64_t flags = spin_lock(&domain->lock);
    enum hv_status status = p2m_put_page(domain, gfn, domain->ring[server], false);

    spin_unlock(&domain->lock, flags);
    if ((CONFIG_GRANTS != 0) && (status == HV_OK) && (holder != NULL) &&
        (domain->plan->max_grant_frames > 0u)) {
        status = grant_seed(domain, by[server].ref, holder->id, gfn);
    }
    return status;
}

enum hv_status build_store(struct domain *domain)
{
    const bool is_first = (domain->param[HVM_PARAM_CALLBACK_IRQ] == 0u);
    enum hv_status status = HV_OK;

    if (domain->events == NULL) {
        return HV_OK;
    }
    if (is_first) {
        domain->param[HVM_PARAM_CALLBACK_IRQ] = XEN_CALLBACK_PPI | HAL_VIRQ_EVENTS;
        domain->param[HVM_PARAM_STORE_EVTCHN] = evtchn_server_port(domain, DOMAIN_STORE);
    }
    if (domain->ring[DOMAIN_STORE] != NULL) {
        const uint64_t gfn = store_gfn(domain);

        if (is_first) {
            domain->param[HVM_PARAM_STORE_PFN] = is_told(domain) ? gfn : LATER;
        }
        ring_begin(domain->ring[DOMAIN_STORE], is_first || is_told(domain)); /* who tells it can reconnect */
        status = ring_put(domain, DOMAIN_STORE, gfn);
    }
    if ((CONFIG_CONTROL != 0) && domain->plan->console_tools && (status == HV_OK)) {
        console_begin(domain, domain->ring[DOMAIN_CONSOLE]);
        status = ring_put(domain, DOMAIN_CONSOLE, build_console_gfn(domain));
    }
    return status;
}
