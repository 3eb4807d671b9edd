/* How a domain meets its xenstore: a page with two rings that is the hypervisor's and outlives the domain's
 * lives, as the port beside it does, and the parameters that tell the guest of both. */
#include "build/builder.h"

#include "domain/role.h"
#include "hal/cache.h"
#include "hal/guestmap.h"
#include "hal/virq.h"
#include "lib/string.h"

#define LATER UINT64_MAX /* in HVM_PARAM_STORE_PFN: an event will tell when there is a page */

/* Does the guest see its page from the start? Tools that introduce domains bring it themselves, as Xen 4.20
 * has it: they clear it, so it is better not in use by then. */
static bool has_page(const struct domain *domain)
{
    const struct domain *const server = role_holder(PLAN_ROLE_XENSTORE);
    const bool tools = (server != NULL) && role_may(server, ROLE_DOMCTL);

    return (domain->plan->enhanced == PLAN_ENHANCED_ENABLED) && !tools;
}

/* One with memory at host addresses has its page so too, unless tools found room where they look for it. */
static uint64_t store_gfn(const struct domain *domain)
{
    const bool there =
        domain->plan->host_memory && (domain->param[HVM_PARAM_STORE_PFN] != XENSTORE_MAGIC_GFN);

    return there ? (hal_hypmap_hpa(domain->store).v >> PAGE_SHIFT) : XENSTORE_MAGIC_GFN;
}

static void params_begin(struct domain *domain)
{
    domain->param[HVM_PARAM_CALLBACK_IRQ] = XEN_CALLBACK_PPI | HAL_VIRQ_EVENTS;
    if (domain->store != NULL) {
        domain->param[HVM_PARAM_STORE_PFN] = has_page(domain) ? store_gfn(domain) : LATER;
    }
}

/* Whoever serves it may be in the midst of it. One that can reconnect drops what was of the last life;
 * another is not disturbed: it takes what is left of requests, and the guest passes over what it answers.
 * Nobody serves it: it is new. */
static void ring_begin(struct xen_store_ring *ring)
{
    if ((ring->connection == XENSTORE_CONNECTED) &&
        ((ring->server_features & XENSTORE_FEATURE_RECONNECTION) == 0u)) {
        ring->rsp_cons = ring->rsp_prod;
    } else {
        (void)memset(ring, 0, sizeof(*ring));
        ring->connection = XENSTORE_RECONNECT;
    }
}

enum hv_status build_store(struct domain *domain)
{
    struct xen_store_ring *const ring = domain->store;
    enum hv_status status = HV_OK;

    if (domain->events == NULL) {
        return HV_OK;
    }
    if (domain->param[HVM_PARAM_CALLBACK_IRQ] == 0u) {
        params_begin(domain); /* its first life */
        if (ring != NULL) {
            ring->connection = XENSTORE_RECONNECT;
        }
    }
    if ((ring != NULL) && (domain->param[HVM_PARAM_STORE_PFN] != LATER)) {
        ring_begin(ring);
        hal_cache_clean(ring, sizeof(*ring));
        status = hal_guestmap_map(&domain->hal.map, gpa(store_gfn(domain) << PAGE_SHIFT),
                                  hal_hypmap_hpa(ring), PAGE_BYTES, HAL_PERM_R | HAL_PERM_W, HAL_MEM_NORMAL);
    }
    return status;
}
