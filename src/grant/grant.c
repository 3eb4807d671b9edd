/* The lives of grant tables, and their pages. */
/* [impl->req~grants~1] */
#include "grant/grant_core.h"

#include "hal/cpu.h"
#include "lib/string.h"
#include "mem/heap.h"

static uint32_t frames_max(const struct plan_domain *plan)
{
    return (uint32_t)bits_min(plan->max_grant_frames, GRANT_FRAMES_MAX);
}

/* How many pages each of the four can have */
static void limits(const struct plan_domain *plan, uint32_t nr[4])
{
    const uint64_t frames = frames_max(plan);

    nr[0] = (uint32_t)frames;
    nr[1] = hal_pages(frames * (PAGE_BYTES / sizeof(struct xen_grant_v2)) * sizeof(uint16_t));
    nr[2] = hal_pages(frames * (PAGE_BYTES / sizeof(struct xen_grant_v1)) * sizeof(struct grant_pins));
    nr[3] = (uint32_t)bits_min(plan->max_maptrack_frames, GRANT_HANDLES_MAX);
}

uint32_t grant_pages(const struct plan_domain *plan)
{
    uint32_t nr[4];

    limits(plan, nr);
    return (plan->enhanced == PLAN_ENHANCED_NONE)
               ? 0u
               : hal_pages(sizeof(struct grant_table) +
                           ((uint64_t)(nr[0] + nr[1] + nr[2] + nr[3]) * sizeof(void *)));
}

enum hv_status grant_setup(struct domain *domain)
{
    const uint32_t pages = grant_pages(domain->plan);
    struct grant_table *const gt = (pages != 0u) ? heap_alloc(pages) : NULL;
    void **page = NULL;
    uint32_t nr[4];

    if (gt == NULL) {
        return (pages == 0u) ? HV_OK : HV_NO_MEMORY;
    }
    limits(domain->plan, nr);
    page = (void **)(void *)&gt[1];
    gt->frame = (struct grant_pages){ page, nr[0] };
    gt->status = (struct grant_pages){ &page[nr[0]], nr[1] };
    gt->pins = (struct grant_pages){ &page[nr[0] + nr[1]], nr[2] };
    gt->handle = (struct grant_pages){ &page[nr[0] + nr[1] + nr[2]], nr[3] };
    gt->domain = domain;
    spin_init(&gt->lock, LOCK_GRANT);
    domain->grants = gt;
    return HV_OK;
}

struct grant_table *grant_table_of(uint32_t domid)
{
    const struct domain *const domain = domain_by_id(domid);

    return (domain != NULL) ? domain->grants : NULL;
}

void *grant_page_make(const struct grant_table *gt, void **slot)
{
    *slot = pool_alloc(&gt->domain->pool);
    return *slot;
}

void grant_begin(struct domain *domain)
{
    struct grant_table *const gt = domain->grants;

    if (gt != NULL) {
        const uint64_t flags = spin_lock(&gt->lock);
        uint32_t nr[4];

        limits(domain->plan, nr);
        gt->frame.nr_max = nr[0];
        gt->status.nr_max = nr[1];
        gt->pins.nr_max = nr[2];
        gt->handle.nr_max = nr[3];
        gt->version = 1u;
        gt->nr_frames = 0u;
        gt->nr_pinned = 0u;
        gt->up = true;
        spin_unlock(&gt->lock, flags);
    }
}

void grant_pages_zero(const struct grant_pages *pages)
{
    for (uint32_t i = 0; i < pages->nr_max; i++) {
        if (pages->page[i] != NULL) {
            (void)memset(pages->page[i], 0, PAGE_BYTES);
        }
    }
}

static void pages_free(struct grant_table *gt, const struct grant_pages *pages)
{
    for (uint32_t i = 0; i < pages->nr_max; i++) {
        if (pages->page[i] != NULL) {
            pool_free(&gt->domain->pool, pages->page[i]);
            pages->page[i] = NULL;
        }
    }
}

void grant_end(struct domain *domain, void (*breathe)(void))
{
    struct grant_table *const gt = domain->grants;

    if ((gt == NULL) || !gt->up) {
        return;
    }
    const uint64_t flags = spin_lock(&gt->lock);

    gt->up = false;
    gt->life++;
    spin_unlock(&gt->lock, flags);
    /* Ends: each is another CPU's, in a hypercall with interrupts masked. */
    while (hal_load_acquire32(&gt->nr_copies) != 0u) {
        hal_cpu_relax();
    }
    grant_handles_end(gt, breathe);
    pages_free(gt, &gt->handle);
    pages_free(gt, &gt->pins);
    grant_pages_zero(&gt->frame);
    grant_pages_zero(&gt->status);
    gt->nr_handles = 0u;
    gt->free_handle = 0u;
}

void grant_forget(struct domain *domain)
{
    struct grant_table *const gt = domain->grants;

    if (gt != NULL) {
        pages_free(gt, &gt->frame);
        pages_free(gt, &gt->status);
    }
}

/* Lock held. */
static enum hv_status frame_at(struct grant_table *gt, uint64_t idx, void **page)
{
    const bool is_status = (idx & GRANT_STATUS) != 0u;
    const struct grant_pages *const pages = is_status ? &gt->status : &gt->frame;
    const uint32_t i = hal_index(idx & ~(uint64_t)GRANT_STATUS, pages->nr_max);

    if (!gt->up) {
        return HV_BUSY;
    }
    if (is_status && (gt->version != 2u)) {
        return HV_INVALID;
    }
    if (i != (idx & ~(uint64_t)GRANT_STATUS)) {
        return HV_LIMIT;
    }
    *page = grant_page(gt, pages, i);
    if ((*page != NULL) && !is_status) {
        gt->nr_frames = (uint32_t)bits_max(gt->nr_frames, (uint64_t)i + 1u);
    }
    return (*page != NULL) ? HV_OK : HV_NO_MEMORY;
}

enum hv_status grant_frame(struct domain *domain, uint64_t idx, void **page)
{
    struct grant_table *const gt = domain->grants;
    const uint64_t flags = spin_lock(&gt->lock);
    const enum hv_status status = (gt->frame.nr_max != 0u) ? frame_at(gt, idx, page) : HV_LIMIT;

    spin_unlock(&gt->lock, flags);
    return status;
}

enum hv_status grant_seed(struct domain *domain, uint32_t ref, domid_t to, uint64_t gfn)
{
    struct grant_table *const gt = domain->grants;
    const uint64_t flags = spin_lock(&gt->lock);
    void *page = NULL;
    enum hv_status status =
        ((gt->version == 1u) && (ref < GNTTAB_NR_RESERVED_ENTRIES) && (gt->frame.nr_max != 0u))
            ? frame_at(gt, 0u, &page)
            : HV_BUSY;

    if (status == HV_OK) {
        struct xen_grant_v1 *const entry = &((struct xen_grant_v1 *)page)[ref % GNTTAB_NR_RESERVED_ENTRIES];

        entry->frame = (uint32_t)gfn;
        hal_store_release32(&entry->flags_domid, GTF_PERMIT_ACCESS | ((uint32_t)to << 16u));
    }
    spin_unlock(&gt->lock, flags);
    return status;
}

uint32_t grant_max_frames(const struct domain *domain, bool status)
{
    const struct grant_table *const gt = domain->grants;

    return status ? gt->status.nr_max : gt->frame.nr_max;
}

/* A table has its first frame from the beginning, whether it is there yet or not. */
uint32_t grant_nr_frames(const struct domain *domain, bool status)
{
    const struct grant_table *const gt = domain->grants;
    const uint64_t frames = bits_min(bits_max(gt->nr_frames, 1u), gt->frame.nr_max);
    const uint64_t states =
        (gt->version == 2u)
            ? hal_pages(frames * (PAGE_BYTES / sizeof(struct xen_grant_v2)) * sizeof(uint16_t))
            : 0u;

    return (uint32_t)(status ? states : frames);
}

uint32_t grant_nr_handles(const struct domain *domain)
{
    return domain->grants->nr_handles;
}

uint32_t grant_version(const struct domain *domain)
{
    return domain->grants->version;
}
