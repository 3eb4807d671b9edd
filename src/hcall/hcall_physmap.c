/* memory_op: what appears where in a domain's memory map. [impl->req~memory-op~1] */
#include "hcall/hcall.h"

#include "abi/xen_memory.h"
#include "domain/p2m.h"
#include "evtchn/evtchn.h"
#include "grant/grant.h"
#include "hal/hypmap.h"

#define PIECE 2u /* entries of a batch at a time */

/* One page of one map. */
struct physmap_page {
    struct domain *domain;
    uint32_t space;
    uint16_t foreign; /* XENMAPSPACE_GMFN_FOREIGN: whose */
    uint64_t idx;
    uint64_t gfn;
};

static int64_t put_grant(const struct physmap_page *page)
{
    void *frame = NULL;
    enum hv_status status =
        (page->domain->grants != NULL) ? grant_frame(page->domain, page->idx, &frame) : HV_INVALID;

    if (status == HV_OK) {
        const uint64_t flags = spin_lock(&page->domain->lock);

        status = p2m_put_page(page->domain, page->gfn, frame, false);
        spin_unlock(&page->domain->lock, flags);
    } else if (status == HV_LIMIT) {
        status = HV_INVALID;
    } else {
        /* as it is */
    }
    return p2m_result(status);
}

static enum hv_status map_foreign(struct domain *mapper, uint64_t gfn, struct domain *owner, hpa_t frame)
{
    const uint64_t flags = spin_lock(&mapper->lock);
    const enum hv_status status = p2m_map_foreign(mapper, gfn, owner, frame, false);

    spin_unlock(&mapper->lock, flags);
    return status;
}

static int64_t put_foreign(const struct vcpu *vcpu, const struct physmap_page *page)
{
    struct domain *owner = NULL;
    hpa_t frame = hpa(0);
    int64_t result = role_target(vcpu, page->foreign, ROLE_FOREIGN, &owner);

    if ((result == 0) && (owner == page->domain)) {
        result = -XEN_EINVAL;
    }
    if ((result == 0) && !role_may(page->domain, ROLE_FOREIGN)) {
        result = -XEN_EPERM;
    }
    if (result == 0) {
        enum hv_status status = p2m_frame(owner, page->idx, true, &frame);

        if (status == HV_OK) {
            status = map_foreign(page->domain, page->gfn, owner, frame);
        }
        result = p2m_result(status);
    }
    return result;
}

static int64_t put_page(const struct vcpu *vcpu, const struct physmap_page *page)
{
    switch (page->space) {
    case XENMAPSPACE_SHARED_INFO:
        return ((page->idx == 0u) && (page->domain->events != NULL))
                   ? evtchn_map_shared_info(page->domain, page->gfn)
                   : -XEN_EINVAL;
    case XENMAPSPACE_GRANT_TABLE:
        return (CONFIG_GRANTS != 0) ? put_grant(page) : -XEN_ENOSYS;
    case XENMAPSPACE_GMFN_FOREIGN:
        return put_foreign(vcpu, page);
    case XENMAPSPACE_DEV_MMIO:
        return p2m_result(p2m_put_device(page->domain, page->gfn, page->idx));
    default:
        return -XEN_ENOSYS;
    }
}

/* Whose map it is, and whether the caller may change it so */
static int64_t map_of(const struct vcpu *vcpu, uint32_t domid, uint32_t space, struct domain **domain)
{
    int64_t result = role_target(vcpu, domid, ROLE_MEMORY, domain);

    if ((result == 0) && (space == XENMAPSPACE_DEV_MMIO) &&
        ((*domain != vcpu->domain) || (((*domain)->plan->role & PLAN_ROLE_HARDWARE) == 0u))) {
        result = -XEN_EACCES;
    }
    return result;
}

static int64_t physmap_add(struct vcpu *vcpu, uint64_t at)
{
    struct xen_add_to_physmap add = { .domid = 0u };
    struct physmap_page page = { .domain = NULL };
    int64_t result = hcall_read(vcpu, &add, at, sizeof(add));

    page.space = add.space;
    page.idx = add.idx;
    page.gfn = add.gpfn;
    if (result != 0) {
        /* it is told */
    } else if (add.space == XENMAPSPACE_GMFN_FOREIGN) {
        result = -XEN_ENOSYS; /* a batch's alone */
    } else {
        result = map_of(vcpu, add.domid, add.space, &page.domain);
    }
    return (result == 0) ? put_page(vcpu, &page) : result;
}

/* Each entry has an answer of its own. */
static int64_t batch_one(struct vcpu *vcpu, const struct xen_add_to_physmap_batch *batch,
                         struct physmap_page *page, uint64_t i)
{
    int32_t error = 0;
    int64_t result = hcall_read(vcpu, &page->idx, batch->idxs + (i * sizeof(page->idx)), sizeof(page->idx));

    if (result == 0) {
        result = hcall_read(vcpu, &page->gfn, batch->gpfns + (i * sizeof(page->gfn)), sizeof(page->gfn));
    }
    if (result == 0) {
        error = (int32_t)put_page(vcpu, page);
        result = hcall_write(vcpu, batch->errs + (i * sizeof(error)), &error, sizeof(error));
    }
    return result;
}

static int64_t physmap_batch(struct vcpu *vcpu, uint64_t start, uint64_t at)
{
    struct xen_add_to_physmap_batch batch = { .domid = 0u };
    struct physmap_page page = { .domain = NULL };
    uint64_t i = start;
    int64_t result = hcall_read(vcpu, &batch, at, sizeof(batch));

    if ((result == 0) && (start > batch.size)) {
        result = -XEN_EILSEQ;
    }
    if ((result == 0) && (batch.space == XENMAPSPACE_GMFN_RANGE)) {
        result = -XEN_EOPNOTSUPP;
    }
    if (result == 0) {
        result = map_of(vcpu, batch.domid, batch.space, &page.domain);
    }
    if ((result == 0) && (batch.space != XENMAPSPACE_GMFN_FOREIGN) && (batch.foreign_domid != 0u)) {
        result = -XEN_EINVAL;
    }
    page.space = batch.space;
    page.foreign = batch.foreign_domid;
    while ((result == 0) && (i < bits_min(batch.size, start + PIECE))) {
        result = batch_one(vcpu, &batch, &page, i);
        i++;
    }
    return ((result == 0) && (i < batch.size))
               ? hcall_again(vcpu, (i << XENMEM_OP_BITS) | XENMEM_ADD_TO_PHYSMAP_BATCH)
               : result;
}

static int64_t physmap_remove(struct vcpu *vcpu, uint64_t at)
{
    struct xen_remove_from_physmap remove = { .domid = 0u };
    struct domain *domain = NULL;
    uint64_t done = 0;
    int64_t result = hcall_read(vcpu, &remove, at, sizeof(remove));

    if (result == 0) {
        result = role_target(vcpu, remove.domid, ROLE_MEMORY, &domain);
    }
    if (result == 0) {
        const enum hv_status status = p2m_take(domain, remove.gpfn, 1u, &done);

        result = ((status == HV_NOT_FOUND) || (status == HV_DENIED)) ? -XEN_ENOENT : p2m_result(status);
    }
    return result;
}

/* The frames of another domain's grant table appear where the list says, one after the other. */
static int64_t resource_map(struct vcpu *vcpu, const struct xen_mem_acquire_resource *r, struct domain *owner,
                            uint64_t start)
{
    const uint32_t status_frames = (r->id == XENMEM_RESOURCE_GRANT_STATUS) ? GRANT_STATUS : 0u;
    uint64_t i = start;
    int64_t result = 0;

    while ((result == 0) && (i < bits_min(r->nr_frames, start + PIECE))) {
        uint64_t gfn = 0;
        void *frame = NULL;

        result = hcall_read(vcpu, &gfn, r->frame_list + (i * sizeof(gfn)), sizeof(gfn));
        if (result == 0) {
            enum hv_status status = grant_frame(owner, (r->frame + i) | status_frames, &frame);

            if (status == HV_OK) {
                status = map_foreign(vcpu->domain, gfn, owner, hal_hypmap_hpa(frame));
            }
            result = p2m_result(status);
        }
        i++;
    }
    if (result != 0) {
        result = (i > 1u) ? -XEN_EIO : result; /* some are there */
    } else if (i < r->nr_frames) {
        result = hcall_again(vcpu, (i << XENMEM_OP_BITS) | XENMEM_ACQUIRE_RESOURCE);
    } else {
        /* all are */
    }
    return result;
}

/* How many frames it may have; 0: there is no such resource. */
static uint32_t resource_frames(const struct domain *owner, const struct xen_mem_acquire_resource *r)
{
    const bool is_grant = (r->type == XENMEM_RESOURCE_GRANT_TABLE) && (r->id <= XENMEM_RESOURCE_GRANT_STATUS);

    return (is_grant && (owner->grants != NULL))
               ? grant_max_frames(owner, r->id == XENMEM_RESOURCE_GRANT_STATUS)
               : 0u;
}

static int64_t physmap_acquire(struct vcpu *vcpu, uint64_t start, uint64_t at)
{
    struct xen_mem_acquire_resource r = { .domid = 0u };
    struct domain *owner = NULL;
    int64_t result = hcall_read(vcpu, &r, at, sizeof(r));

    if ((result == 0) &&
        ((r.pad != 0u) || (r.frame > UINT32_MAX) || (r.nr_frames > (UINT32_MAX - r.frame)))) {
        result = -XEN_EINVAL;
    }
    if (result == 0) {
        result = role_target(vcpu, r.domid, ROLE_FOREIGN, &owner);
    }
    if (result != 0) {
        /* it is told */
    } else if (owner == vcpu->domain) {
        result = -XEN_EPERM;
    } else if ((resource_frames(owner, &r) == 0u) || ((r.frame_list == 0u) && (r.nr_frames != 0u))) {
        result = -XEN_EINVAL;
    } else if (r.frame_list == 0u) {
        r.nr_frames = resource_frames(owner, &r);
        result = hcall_write(vcpu, at, &r, sizeof(r));
    } else {
        result = resource_map(vcpu, &r, owner, start);
    }
    return result;
}

int64_t hcall_physmap(struct vcpu *vcpu, uint64_t op, uint64_t start, uint64_t at)
{
    const bool moves = (vcpu->domain->p2m != NULL); /* pages can be put in others' place */
    int64_t result = -XEN_ENOSYS;

    if (op == XENMEM_ADD_TO_PHYSMAP) {
        result = physmap_add(vcpu, at);
    } else if (moves && (op == XENMEM_ADD_TO_PHYSMAP_BATCH)) {
        result = physmap_batch(vcpu, start, at);
    } else if (moves && (op == XENMEM_REMOVE_FROM_PHYSMAP)) {
        result = physmap_remove(vcpu, at);
    } else if ((CONFIG_GRANTS != 0) && moves && (op == XENMEM_ACQUIRE_RESOURCE)) {
        result = physmap_acquire(vcpu, start, at);
    } else if (moves && (op == XENMEM_EXCHANGE)) {
        result = -XEN_EINVAL; /* of a domain whose map translates no page can be taken so */
    } else {
        /* it is not there */
    }
    return result;
}
