/* Pages that guest and hypervisor write together. They are the hypervisor's own and take the place of the
 * guest's page in its map, with what that held: so they stay valid whatever the guest does with its map, need
 * no window for an event, and no guest memory is mapped for good. The guest's page stays its own, unseen,
 * until the domain ends. Where nothing translates the guest's page stays what it is, and only shared_info can
 * be there: EVTCHN_ASIDE. */
#include "evtchn/evtchn_core.h"

#include "domain/p2m.h"
#include "hal/hypmap.h"

/* The page of ours that is at gfn: its number; ed->nr_used: none. Domain's lock held. */
static uint32_t page_find(const struct evtchn_domain *ed, uint64_t gfn)
{
    hpa_t frame = hpa(0);
    const uint64_t base = hal_hypmap_hpa(ed->pages).v;
    const bool found = (p2m_lookup(ed->domain, gfn, &frame) == HV_OK) && (frame.v >= base);

    return found ? (uint32_t)bits_min((frame.v - base) >> PAGE_SHIFT, ed->nr_used) : ed->nr_used;
}

static uint8_t *page_va(const struct evtchn_domain *ed, uint32_t i)
{
    return &ed->pages[(size_t)i * PAGE_BYTES];
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
    spin_unlock(&ed->queues, flags);
    return 0;
}

void evtchn_shared_home(struct evtchn_domain *ed)
{
    const uint64_t flags = spin_lock(&ed->queues);

    ed->abi = (ed->abi == EVTCHN_ASIDE) ? EVTCHN_TWO_LEVEL : ed->abi;
    spin_unlock(&ed->queues, flags);
}

void *evtchn_page_at(struct evtchn_domain *ed, uint64_t gfn, int64_t *error)
{
    const uint64_t flags = spin_lock(&ed->domain->lock);
    const uint32_t i = page_find(ed, gfn);

    *error = 0;
    if (i < ed->nr_used) {
        /* another structure of the guest's is in the same page */
    } else if (i == ed->nr_pages) {
        *error = -XEN_ENOMEM;
    } else {
        *error = p2m_result(p2m_put_page(ed->domain, gfn, page_va(ed, i), true));
        ed->nr_used += (*error == 0) ? 1u : 0u;
    }
    spin_unlock(&ed->domain->lock, flags);
    return (*error == 0) ? page_va(ed, i) : NULL;
}

int64_t evtchn_array_grow(struct evtchn_domain *ed, uint64_t gfn)
{
    const uint64_t flags = spin_lock(&ed->domain->lock);
    const uint32_t words = ed->nr_words;
    const uint32_t i = 1u + (words / WORDS_A_PAGE);
    const uint32_t now = page_find(ed, gfn);
    /* A page of the array is there since before a reset, or another's. */
    const int64_t result = (words == ed->nr_ports) ? -XEN_ENOSPC
                           : (now == ed->nr_used)
                               ? p2m_result(p2m_put_page(ed->domain, gfn, page_va(ed, i), true))
                               : ((now == i) ? 0 : -XEN_EINVAL);

    if (result == 0) {
        evtchn_fifo_words(ed, words, words + WORDS_A_PAGE);
    }
    spin_unlock(&ed->domain->lock, flags);
    return result;
}

int64_t evtchn_map_shared_info(struct domain *domain, uint64_t gfn)
{
    struct evtchn_domain *const ed = domain->events;
    const uint64_t flags = spin_lock(&domain->lock);
    const int64_t result = hal_guestmap_translates()
                               ? p2m_result(p2m_put_page(domain, gfn, ed->shared, false))
                           : (ed->abi == EVTCHN_ASIDE)    ? -XEN_EBUSY /* it has one, for good */
                           : domain_has_page(domain, gfn) ? page_aside(ed, gfn)
                                                          : -XEN_EINVAL;

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
    ed->nr_used = 1u + (ed->nr_ports / WORDS_A_PAGE); /* those have their pages, mapped or not */
    for (uint32_t i = 0; i < ed->domain->nr_vcpus; i++) {
        struct vcpu *const vcpu = ed->domain->vcpu[i];

        (void)memset(&vcpu->runstate, 0, sizeof(vcpu->runstate));
        for (uint32_t v = 0; v < XEN_NR_VIRQS; v++) {
            ed->vcpu[i].virq[v] = 0u;
        }
        ed->vcpu[i].is_registered = false;
        ed->vcpu[i].info = (i == 0u) ? &ed->shared->vcpu_info : NULL;
        vcpu->event_flag = (i == 0u) ? &ed->shared->vcpu_info.upcall_pending : NULL;
    }
}
