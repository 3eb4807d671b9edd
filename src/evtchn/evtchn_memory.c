/* Pages that guest and hypervisor write together. They are the hypervisor's own and take the place of the
 * guest's page in its map, with what that held: so they stay valid whatever the guest does with its map, need
 * no window for an event, and no guest memory is mapped for good. The guest's page stays its own, unseen,
 * until the domain ends. Where nothing translates the guest's page stays what it is, and only shared_info can
 * be there: EVTCHN_ASIDE. */
#include "evtchn/evtchn_core.h"

#include "hal/guestmap.h"
#include "hal/hypmap.h"
#include "hal/sync.h"
#include "lib/string.h"

/* Where nothing is in a guest's memory map, and Xen puts its grant tables: shared_info may appear there
 * too. */
#define SPARE_FIRST (0x38000000ULL >> PAGE_SHIFT)
#define SPARE_END   (0x3A000000ULL >> PAGE_SHIFT)

static uint8_t *page_va(const struct evtchn_domain *ed, uint32_t i)
{
    return &ed->pages[(size_t)i * PAGE_BYTES];
}

/* Domain's lock held. Page i of ours appears at gfn. keep: with the contents of the guest's page. */
static int64_t page_put(struct evtchn_domain *ed, uint32_t i, uint64_t gfn, bool keep)
{
    struct hal_guestmap *const map = &ed->domain->hal.map;
    const gpa_t at = gpa(gfn << PAGE_SHIFT);

    hal_guestmap_begin(map);
    enum hv_status status = hal_guestmap_unmap(map, at, PAGE_BYTES);

    if ((status == HV_OK) && keep) {
        status = domain_copy_in(ed->domain, page_va(ed, i), at, PAGE_BYTES);
    }
    if (status == HV_OK) {
        status = hal_guestmap_map(map, at, hal_hypmap_hpa(page_va(ed, i)), PAGE_BYTES,
                                  HAL_PERM_R | HAL_PERM_W, HAL_MEM_NORMAL);
    }
    hal_guestmap_end(map);
    ed->page[i].gfn = (status == HV_OK) ? gfn : EVTCHN_NO_GFN;
    return (status == HV_OK) ? 0 : -XEN_ENOMEM;
}

struct xen_shared_info *evtchn_shared_open(const struct evtchn_domain *ed)
{
    void *shared = ed->shared;
    uint64_t room = 0;

    if (ed->abi == EVTCHN_ASIDE) {
        shared = hal_hypmap_window(HAL_WINDOW_TRAP2, ed->aside, HAL_HYPMAP_RW, &room);
    }
    return (struct xen_shared_info *)shared;
}

void evtchn_shared_close(const struct evtchn_domain *ed)
{
    if (ed->abi == EVTCHN_ASIDE) {
        hal_hypmap_window_close(HAL_WINDOW_TRAP2);
    }
}

/* Domain's lock held. The guest's page becomes what ours is by now. Who sends meanwhile sees the change, or
 * his bit is in ours before it is copied, as in pend_through(). */
static int64_t page_aside(struct evtchn_domain *ed, uint64_t gfn)
{
    const uint64_t flags = spin_lock(&ed->queues);

    ed->aside = hpa(gfn << PAGE_SHIFT);
    ed->abi = EVTCHN_ASIDE;
    hal_barrier();
    (void)memcpy(evtchn_shared_open(ed), ed->shared, PAGE_BYTES);
    evtchn_shared_close(ed);
    ed->page[0].gfn = gfn;
    spin_unlock(&ed->queues, flags);
    return 0;
}

void evtchn_shared_home(struct evtchn_domain *ed)
{
    const uint64_t flags = spin_lock(&ed->queues);

    ed->abi = (ed->abi == EVTCHN_ASIDE) ? EVTCHN_TWO_LEVEL : ed->abi;
    spin_unlock(&ed->queues, flags);
}

static uint32_t page_find(const struct evtchn_domain *ed, uint64_t gfn)
{
    uint32_t i = 0;

    while ((i < ed->nr_used) && (ed->page[i].gfn != gfn)) {
        i++;
    }
    return i;
}

static bool gfn_is_ram(const struct evtchn_domain *ed, uint64_t gfn)
{
    return (gfn < (UINT64_MAX >> PAGE_SHIFT)) && domain_has_page(ed->domain, gpa(gfn << PAGE_SHIFT));
}

void *evtchn_page_at(struct evtchn_domain *ed, uint64_t gfn, int64_t *error)
{
    const uint64_t flags = spin_lock(&ed->domain->lock);
    const uint32_t i = page_find(ed, gfn);
    const bool is_new = (i == ed->nr_used);

    *error = 0;
    if (!gfn_is_ram(ed, gfn) || !hal_guestmap_translates()) {
        *error = -XEN_EINVAL;
    } else if (is_new && (i == ed->nr_pages)) {
        *error = -XEN_ENOMEM;
    } else if (is_new) {
        *error = page_put(ed, i, gfn, true);
        ed->nr_used += (*error == 0) ? 1u : 0u;
    } else {
        /* another structure of the guest's is in the same page */
    }
    spin_unlock(&ed->domain->lock, flags);
    return (*error == 0) ? page_va(ed, i) : NULL;
}

int64_t evtchn_map_shared_info(struct domain *domain, uint64_t gfn)
{
    struct evtchn_domain *const ed = domain->events;
    const uint64_t flags = spin_lock(&domain->lock);
    const bool is_spare = (gfn >= SPARE_FIRST) && (gfn < SPARE_END);
    int64_t result;

    if (ed->page[0].gfn != EVTCHN_NO_GFN) {
        result = -XEN_EBUSY;
    } else if ((!is_spare && !gfn_is_ram(ed, gfn)) || (page_find(ed, gfn) != ed->nr_used) ||
               (is_spare && !hal_guestmap_translates())) {
        result = -XEN_EINVAL;
    } else if (!hal_guestmap_translates()) {
        result = page_aside(ed, gfn);
    } else {
        result = page_put(ed, 0u, gfn, false);
    }
    spin_unlock(&domain->lock, flags);
    return result;
}

int64_t evtchn_register_vcpu_info(struct vcpu *vcpu, uint64_t index, const struct xen_register_vcpu_info *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    const uint64_t last = PAGE_BYTES - sizeof(struct xen_vcpu_info);
    uint32_t i = 0;
    int64_t error = 0;
    uint8_t *page = NULL;

    if (index >= vcpu->domain->nr_vcpus) {
        return -XEN_ENOENT;
    }
    i = hal_index(index, vcpu->domain->nr_vcpus);
    if ((arg->offset > last) || ((arg->offset % 8u) != 0u) || ed->vcpu[i].is_registered ||
        (i != vcpu->index)) {
        return -XEN_EINVAL;
    }
    page = evtchn_page_at(ed, arg->mfn, &error);
    if (page != NULL) {
        struct xen_vcpu_info *const info = (struct xen_vcpu_info *)(void *)&page[arg->offset];

        /* All that the old place may say, and what came before there was any: the guest looks at
         * everything. */
        info->pending_sel[0] = UINT32_MAX;
        info->pending_sel[1] = UINT32_MAX;
        info->upcall_pending = 0u;
        ed->vcpu[i].is_registered = true;
        ed->vcpu[i].info = info;
        vcpu->event_flag = &info->upcall_pending;
        evtchn_tell(&ed->vcpu[i], info);
    }
    return error;
}

/* The domain's map has gone, or is new. */
void evtchn_memory_reset(struct evtchn_domain *ed)
{
    (void)memset(ed->pages, 0, (size_t)ed->nr_pages * PAGE_BYTES);
    for (uint32_t i = 0; i < ed->nr_pages; i++) {
        ed->page[i].gfn = EVTCHN_NO_GFN;
    }
    ed->nr_used = 1u; /* shared_info has its page, mapped or not */
    for (uint32_t i = 0; i < ed->domain->nr_vcpus; i++) {
        struct vcpu *const vcpu = ed->domain->vcpu[i];

        ed->vcpu[i].is_registered = false;
        ed->vcpu[i].info = (i == 0u) ? &ed->shared->vcpu_info : NULL;
        vcpu->event_flag = (i == 0u) ? &ed->shared->vcpu_info.upcall_pending : NULL;
    }
}
