#include "domain/domain.h"

#include "hal/sync.h"
#include "hal/upcall.h"
#include "lib/string.h"

struct domain *domain_table[HV_DOMAINS_MAX];
uint32_t domain_count;

struct domain *domain_by_name(const char *name)
{
    for (uint32_t i = 0; i < domain_count; i++) {
        if ((domain_number(domain_table[i]) != XEN_DOMID_INVALID) &&
            (strcmp(domain_table[i]->plan->name, name) == 0)) {
            return domain_table[i];
        }
    }
    return NULL;
}

/* Where to look first: two numbers that are alike here are seldom in use at a time */
static volatile uint8_t places[HV_DOMAINS_MAX];

void domain_id_set(struct domain *domain, domid_t id)
{
    domain->id = id;
    if (id != XEN_DOMID_INVALID) {
        places[id % HV_DOMAINS_MAX] = (uint8_t)domain->index;
    }
}

struct domain *domain_by_id(uint32_t domid)
{
    struct domain *domain = domain_table[places[domid % HV_DOMAINS_MAX]];

    if ((domain != NULL) && (domain->id != domid)) {
        domain = NULL;
        for (uint32_t i = 0; (i < domain_count) && (domain == NULL); i++) {
            domain = (domain_table[i]->id == domid) ? domain_table[i] : NULL;
        }
    }
    return (domid != XEN_DOMID_INVALID) ? domain : NULL;
}

uint32_t domain_nr_there(void)
{
    uint32_t nr = 0;

    for (uint32_t i = 0; i < domain_count; i++) {
        nr += domain_is_there(domain_table[i]) ? 1u : 0u;
    }
    return nr;
}

static bool windows_overlap(const struct mmio_window *a, const struct mmio_window *b)
{
    const uint64_t gap_a = b->base.v - a->base.v; /* one of the two wraps */
    const uint64_t gap_b = a->base.v - b->base.v;

    return (gap_a < a->bytes) || (gap_b < b->bytes);
}

enum hv_status domain_add_window(struct domain *domain, const struct mmio_window *window)
{
    if ((window->bytes == 0u) || ((window->base.v + window->bytes) < window->base.v)) {
        return HV_INVALID;
    }
    for (uint32_t i = 0; i < domain->nr_windows; i++) {
        if (windows_overlap(&domain->window[i], window)) {
            return HV_EXISTS;
        }
    }
    if (domain->nr_windows == DOMAIN_MMIO_MAX) {
        return HV_LIMIT;
    }
    domain->window[domain->nr_windows] = *window;
    domain->nr_windows++;
    return HV_OK;
}

const char *domain_state_name(enum domain_state state)
{
    static const char name[][9] = {
        [DOMAIN_NEW] = "new",           [DOMAIN_BUILDING] = "building", [DOMAIN_RUNNING] = "running",
        [DOMAIN_STOPPING] = "stopping", [DOMAIN_STOPPED] = "stopped",   [DOMAIN_CRASHED] = "crashed",
        [DOMAIN_FAILED] = "failed"
    };

    return name[state];
}

void *upcall_domain_page(struct hal_domain *domain)
{
    return pool_alloc(&domain_of(domain)->pool);
}

void upcall_domain_page_free(struct hal_domain *domain, void *page)
{
    pool_free(&domain_of(domain)->pool, page);
}

struct hal_vcpu *upcall_vcpu(const struct hal_domain *domain, uint32_t index)
{
    const struct domain *of = (const struct domain *)(const void *)domain;

    return (index < of->nr_vcpus) ? &of->vcpu[index]->hal : NULL;
}

void upcall_domain_report(struct hal_domain *domain, uint64_t progress)
{
    domain_of(domain)->progress = progress;
}

/* [impl->req~monitor-calls~1] [impl->req~shared-revoked~1] */
enum hv_status upcall_domain_status(const struct hal_domain *caller, uint64_t domid,
                                    struct hal_domain_status *out)
{
    const struct domain *of = (const struct domain *)(const void *)caller;

    if (!of->plan->monitor && (of->plan->peers == 0u)) {
        return HV_DENIED;
    }
    for (uint32_t i = 0; i < domain_count; i++) {
        const struct domain *domain = domain_table[i];
        const bool may = of->plan->monitor || ((of->plan->peers & BIT32(i)) != 0u);

        if (may && (domain_number(domain) == domid) && (domid != XEN_DOMID_INVALID)) {
            out->state = (uint64_t)domain->state;
            out->nr_restarts = domain->nr_restarts;
            out->progress = domain->progress;
            return HV_OK;
        }
    }
    return HV_NOT_FOUND;
}
