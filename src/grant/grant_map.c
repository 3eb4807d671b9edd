/* What a domain maps of others': by handles, of which it has a list. */
/* [impl->req~grants~1] */
#include "grant/grant_core.h"

#define HANDLES_A_BREATH 64u

static struct grant_handle *handle_at(const struct grant_table *gt, uint32_t number)
{
    struct grant_handle *const page = (struct grant_handle *)gt->handle.page[number / GRANT_HANDLES_A_PAGE];

    return &page[number % GRANT_HANDLES_A_PAGE];
}

/* Mapper's lock held. A handle that nobody has; NULL: there is none, or the pool is empty. */
static struct grant_handle *handle_take(struct grant_table *gt, uint32_t *number)
{
    struct grant_handle *handle = NULL;

    if (gt->free_handle != 0u) {
        *number = gt->free_handle - 1u;
        handle = handle_at(gt, *number);
        gt->free_handle = (uint32_t)handle->where;
    } else if (grant_page(gt, &gt->handle, gt->nr_handles / GRANT_HANDLES_A_PAGE) != NULL) {
        *number = gt->nr_handles;
        handle = handle_at(gt, *number);
        hal_store_release32(&gt->nr_handles, *number + 1u); /* its page can be found by now */
    } else {
        /* it is told */
    }
    return handle;
}

/* Likewise */
static void handle_give(struct grant_table *gt, struct grant_handle *handle, uint32_t number)
{
    handle->where = gt->free_handle;
    gt->free_handle = number + 1u;
}

static int16_t status_of(enum hv_status status)
{
    const bool lacks = (status == HV_NO_MEMORY) || (status == HV_LIMIT);

    return (status == HV_OK) ? GNTST_OKAY : (lacks ? GNTST_NO_SPACE : GNTST_GENERAL_ERROR);
}

/* The granter's lock held, the use claimed. */
static int16_t map(struct domain *mapper, const struct grant_use *use, struct xen_grant_map *m)
{
    struct grant_table *const gt = use->table;
    const uint64_t gfn = m->host_addr >> PAGE_SHIFT;
    const uint64_t flags = spin_lock(&mapper->lock);
    uint32_t number = 0;
    struct grant_handle *const handle = handle_take(mapper->grants, &number);
    int16_t status = GNTST_NO_SPACE;

    if (handle != NULL) {
        status = status_of(p2m_map_foreign(mapper, gfn, gt->domain, use->frame, !use->write));
        if (status == GNTST_OKAY) {
            handle->where = gfn | ((uint64_t)use->ref << HANDLE_GFN_BITS);
            handle->life = gt->life;
            handle->whom = HANDLE_USED | (use->write ? HANDLE_WRITES : 0u) | gt->domain->index;
            m->handle = number;
            m->dev_bus_addr = use->frame.v;
        } else {
            handle_give(mapper->grants, handle, number);
        }
    }
    spin_unlock(&mapper->lock, flags);
    return status;
}

int64_t grant_map(struct vcpu *vcpu, union xen_grant_op *arg)
{
    struct xen_grant_map *const m = &arg->map;
    struct domain *const mapper = vcpu->domain;
    struct grant_use use = { .table = grant_table_of(m->dom),
                             .ref = m->ref,
                             .write = (m->flags & GNTMAP_READONLY) == 0u,
                             .whole = true };

    if ((m->flags & GNTMAP_MASK & ~GNTMAP_READONLY) != GNTMAP_HOST_MAP) {
        m->status = GNTST_GENERAL_ERROR;
    } else if (use.table == NULL) {
        m->status = GNTST_BAD_DOMAIN;
    } else if (!role_may_share(mapper, use.table->domain)) {
        m->status = GNTST_PERMISSION_DENIED;
    } else {
        const uint64_t flags = spin_lock(&use.table->lock);

        m->status = grant_claim(&use, mapper);
        if (m->status == GNTST_OKAY) {
            m->status = map(mapper, &use, m);
            if (m->status != GNTST_OKAY) {
                grant_release(use.table, use.ref, use.write);
            }
        }
        spin_unlock(&use.table->lock, flags);
    }
    return 0;
}

/* The granter's lock held. Who uses the frame no more says so, unless that was another life's. */
static void handle_end(struct grant_table *gt, struct grant_handle *handle)
{
    if (gt->life == handle->life) {
        grant_release(gt, (uint32_t)(handle->where >> HANDLE_GFN_BITS), (handle->whom & HANDLE_WRITES) != 0u);
    }
    handle->whom = 0u;
}

static struct grant_table *granter_of(uint32_t whom)
{
    return domain_table[whom & HANDLE_WHOM_MASK]->grants;
}

/* The handle may be somebody else's by now, or nobody's. What the guest has put in the frame's place itself
 * stays there. */
static int16_t unmap(struct domain *mapper, uint32_t number, uint32_t whom, uint64_t gfn)
{
    struct grant_handle *const handle = handle_at(mapper->grants, number);
    struct grant_table *const gt = granter_of(whom);
    const uint64_t flags = spin_lock(&gt->lock);
    int16_t status = GNTST_BAD_HANDLE;

    if (handle->whom == whom) {
        const bool here = (handle->where & ((1ULL << HANDLE_GFN_BITS) - 1u)) == gfn;
        const uint64_t inner = spin_lock(&mapper->lock);
        const enum hv_status done = here ? p2m_unmap_foreign(mapper, gfn) : HV_INVALID;

        status = ((done == HV_OK) || (done == HV_NOT_FOUND)) ? GNTST_OKAY : GNTST_GENERAL_ERROR;
        if (status == GNTST_OKAY) {
            handle_end(gt, handle);
            handle_give(mapper->grants, handle, number);
        }
        spin_unlock(&mapper->lock, inner);
    }
    spin_unlock(&gt->lock, flags);
    return status;
}

int64_t grant_unmap(struct vcpu *vcpu, union xen_grant_op *arg)
{
    struct xen_grant_unmap *const u = &arg->unmap;
    const struct grant_table *const own = vcpu->domain->grants;
    const uint32_t nr = hal_load_acquire32(&own->nr_handles);
    const uint32_t number = hal_index(u->handle, nr);
    const uint32_t whom = (u->handle < nr) ? hal_load_acquire32(&handle_at(own, number)->whom) : 0u;

    u->status = (whom == 0u)           ? GNTST_BAD_HANDLE
                : (u->host_addr == 0u) ? GNTST_OKAY /* nothing else was mapped by it */
                                       : unmap(vcpu->domain, number, whom, u->host_addr >> PAGE_SHIFT);
    return 0;
}

void grant_handles_end(struct grant_table *gt, void (*breathe)(void))
{
    for (uint32_t number = 0; number < gt->nr_handles; number++) {
        struct grant_handle *const handle = handle_at(gt, number);

        if (handle->whom != 0u) {
            struct grant_table *const granter = granter_of(handle->whom);
            const uint64_t flags = spin_lock(&granter->lock);

            handle_end(granter, handle);
            spin_unlock(&granter->lock, flags);
        }
        if ((number % HANDLES_A_BREATH) == 0u) {
            breathe();
        }
    }
}
