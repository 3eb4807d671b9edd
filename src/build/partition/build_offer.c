/* Devices that nobody has (plan.offer[]), given to domains that tools made: a whole device to one domain,
 * from the first part that is given until that domain ends. */
/* [impl->req~devices-later~1] */
#include "build/partition/build_given.h"

#include "build/builder.h"
#include "domain/p2m.h"
#include "hal/iommu.h"
#include "hal/irq.h"
#include "hal/sync.h"
#include "sched/sched.h"

static volatile uint32_t owner[PLAN_OFFERS_MAX]; /* its index, + 1; 0: nobody */

uint32_t build_offer_owner(uint32_t offer)
{
    return (hal_load_acquire32(&owner[offer % PLAN_OFFERS_MAX]) - 1u) & PLAN_NO_DOMAIN;
}

void build_offers_return(const struct domain *domain)
{
    for (uint32_t i = 0; i < PLAN_OFFERS_MAX; i++) {
        (void)hal_compare_swap32(&owner[i], domain->index + 1u, 0u);
    }
}

/* Lock held: who ends a domain comes later and finds what it has. quiet: no vCPU of it may run meanwhile. */
static enum hv_status take(const struct domain *domain, uint32_t of, bool quiet)
{
    volatile uint32_t *const it = &owner[(of - PLAN_OFFER) % PLAN_OFFERS_MAX];
    const uint32_t me = domain->index + 1u;
    enum hv_status status = HV_BUSY;

    if (!domain->plan->spare) {
        status = HV_DENIED;
    } else if ((domain->state != DOMAIN_RUNNING) ||
               (quiet && (!domain->paused || !sched_domain_quiet(domain)))) {
        /* not now */
    } else if (hal_compare_swap32(it, 0u, me) || (hal_load_acquire32(it) == me)) {
        status = HV_OK;
    } else {
        /* another has it */
    }
    return status;
}

/* The window that all of these pages are in; NULL */
static const struct plan_window *window_of(uint64_t mfn, uint64_t nr)
{
    const struct plan *const plan = build_plan();
    const struct plan_window *found = NULL;

    for (uint32_t i = plan->nr_windows; i < plan_windows(plan); i++) {
        const uint64_t first = plan->window[i].host.base >> PAGE_SHIFT;
        const uint64_t pages = plan->window[i].host.bytes >> PAGE_SHIFT;

        if ((mfn >= first) && ((mfn - first) < pages) && (nr <= (pages - (mfn - first)))) {
            found = &plan->window[i];
        }
    }
    return found;
}

/* They are taken away from where they are. */
static enum hv_status unmap(struct domain *domain, uint64_t gfn, uint64_t mfn, uint64_t nr)
{
    enum hv_status status = HV_OK;

    for (uint64_t i = 0; (i < nr) && (status == HV_OK); i++) {
        hpa_t frame = hpa(0);

        status = p2m_lookup(domain, gfn + i, &frame);
        if ((status == HV_OK) && (frame.v != ((mfn + i) << PAGE_SHIFT))) {
            status = HV_NOT_FOUND;
        }
    }
    return (status == HV_OK) ? hal_guestmap_unmap(&domain->hal.map, gpa(gfn << PAGE_SHIFT), nr << PAGE_SHIFT)
                             : status;
}

enum hv_status build_offer_pages(struct domain *domain, enum build_offer_act act, uint64_t gfn, uint64_t mfn,
                                 uint64_t nr)
{
    const struct plan_window *const w = window_of(mfn, nr);
    const uint64_t limit = hal_guestmap_limit() >> PAGE_SHIFT;
    const uint64_t flags = spin_lock(&domain->lock);
    enum hv_status status = (w != NULL) ? take(domain, w->domain, false) : HV_DENIED;

    if ((status != HV_OK) || (act == BUILD_OFFER_TAKE)) {
        /* it is told, or done */
    } else if ((gfn >= limit) || (nr > (limit - gfn))) {
        status = HV_INVALID;
    } else if (act == BUILD_OFFER_USE) {
        status = hal_guestmap_map(&domain->hal.map, gpa(gfn << PAGE_SHIFT), hpa(mfn << PAGE_SHIFT),
                                  nr << PAGE_SHIFT, HAL_PERM_R | HAL_PERM_W, HAL_MEM_DEVICE);
    } else {
        status = unmap(domain, gfn, mfn, nr);
    }
    spin_unlock(&domain->lock, flags);
    return status;
}

enum hv_status build_offer_line(struct domain *domain, enum build_offer_act act, uint32_t irq)
{
    const struct plan *const plan = build_plan();
    const struct plan_line *line = NULL;
    enum hv_status status = HV_DENIED;

    for (uint32_t i = plan->nr_lines; i < plan_lines(plan); i++) {
        line = (plan->line[i].irq == irq) ? &plan->line[i] : line;
    }
    const uint64_t flags = spin_lock(&domain->lock);

    if (line != NULL) {
        status = take(domain, line->domain, act != BUILD_OFFER_TAKE);
    }
    if ((status == HV_OK) && (act == BUILD_OFFER_USE)) {
        status = hal_irq_route(irq, line->edge, &domain->hal, line->virq);
    }
    if ((status == HV_OK) && (act == BUILD_OFFER_LEAVE)) {
        hal_irq_unroute(irq, &domain->hal);
    }
    spin_unlock(&domain->lock, flags);
    return status;
}

/* All streams of the offer. What was attached before a failure is detached again. */
static enum hv_status streams_lead(struct domain *domain, uint32_t of, bool attach)
{
    const struct plan *const plan = build_plan();
    enum hv_status status = HV_NOT_SUPPORTED;

    for (uint32_t i = plan->nr_streams; (CONFIG_IOMMU != 0) && (i < plan_streams(plan)); i++) {
        const struct plan_stream *const s = &plan->stream[i];

        if ((s->domain == of) && ((status == HV_OK) || (status == HV_NOT_SUPPORTED))) {
            status = attach ? hal_iommu_attach(s->iommu, s->first, s->nr, &domain->hal.map)
                            : hal_iommu_detach(s->iommu, s->first, s->nr, &domain->hal.map);
        }
    }
    return status;
}

enum hv_status build_offer_device(struct domain *domain, enum build_offer_act act, const char *path)
{
    const struct plan *const plan = build_plan();
    enum hv_status status = HV_NOT_FOUND;
    uint32_t of = 0;

    while ((of < plan->nr_offers) && (strcmp(plan->offer[of].path, path) != 0)) {
        of++;
    }
    const uint64_t flags = spin_lock(&domain->lock);

    if (of == plan->nr_offers) {
        /* it is told */
    } else if (act == BUILD_OFFER_TAKE) {
        status = (build_offer_owner(of) == PLAN_NO_DOMAIN) ? HV_OK : HV_BUSY;
    } else {
        status = take(domain, PLAN_OFFER + of, false);
        if (status == HV_OK) {
            status = streams_lead(domain, PLAN_OFFER + of, act == BUILD_OFFER_USE);
        }
        if ((status != HV_OK) && (act == BUILD_OFFER_USE) && (build_offer_owner(of) == domain->index)) {
            (void)streams_lead(domain, PLAN_OFFER + of, false);
        }
    }
    spin_unlock(&domain->lock, flags);
    return status;
}
