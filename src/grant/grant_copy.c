/* Between frames that are granted to the caller, and its own; and what it needs for devices that see no
 * caches. */
/* [impl->req~grants~1] */
#include "grant/grant_core.h"

#include "hal/cache.h"
#include "hal/hypmap.h"
#include "lib/string.h"

static int16_t end_claim(struct grant_use *use, const struct domain *by)
{
    struct grant_table *const gt = use->table;
    const uint64_t flags = spin_lock(&gt->lock);
    const int16_t status = grant_claim(use, by);

    gt->nr_copies += (status == GNTST_OKAY) ? 1u : 0u;
    spin_unlock(&gt->lock, flags);
    return status;
}

static void end_release(const struct grant_use *use)
{
    struct grant_table *const gt = use->table;

    if (gt != NULL) {
        const uint64_t flags = spin_lock(&gt->lock);

        grant_release(gt, use->ref, use->write);
        hal_store_release32(&gt->nr_copies, gt->nr_copies - 1u); /* its domain's end waits for this */
        spin_unlock(&gt->lock, flags);
    }
}

/* One end of a copy: an entry of somebody's, or a frame of the caller's own. use->table stays NULL for that,
 * and for what fails. */
static int16_t end_begin(struct domain *by, const struct xen_grant_copy_end *end, bool by_ref,
                         struct grant_use *use)
{
    const uint32_t domid = (end->domid == XEN_DOMID_SELF) ? by->id : end->domid;
    struct grant_table *const gt = grant_table_of(domid);
    int16_t status = GNTST_OKAY;

    use->first = 0u;
    use->end = PAGE_BYTES;
    if (!by_ref) {
        if (end->domid != XEN_DOMID_SELF) {
            status = GNTST_PERMISSION_DENIED;
        } else if (p2m_frame(by, end->ref, use->write, &use->frame) != HV_OK) {
            status = GNTST_BAD_PAGE;
        } else {
            /* it is the caller's, which runs */
        }
    } else if (gt == NULL) {
        status = GNTST_BAD_DOMAIN;
    } else if (!role_may_share(by, gt->domain)) {
        status = GNTST_PERMISSION_DENIED;
    } else {
        use->table = gt;
        use->ref = (uint32_t)end->ref;
        status = end_claim(use, by);
        use->table = (status == GNTST_OKAY) ? gt : NULL;
    }
    return status;
}

static bool is_inside(const struct grant_use *use, uint32_t offset, uint32_t bytes)
{
    return (offset >= use->first) && ((offset + bytes) <= use->end);
}

static int16_t bytes_copy(const struct xen_grant_copy *c, const struct grant_use *from,
                          const struct grant_use *to)
{
    uint64_t room = 0;

    if (((c->source.offset + (uint32_t)c->len) > PAGE_BYTES) ||
        ((c->dest.offset + (uint32_t)c->len) > PAGE_BYTES)) {
        return GNTST_BAD_COPY_ARG;
    }
    if (!is_inside(from, c->source.offset, c->len) || !is_inside(to, c->dest.offset, c->len)) {
        return GNTST_GENERAL_ERROR;
    }
    const uint8_t *const get =
        hal_hypmap_window(HAL_WINDOW_TRAP, hpa(from->frame.v + c->source.offset), HAL_HYPMAP_RO, &room);
    uint8_t *const put =
        hal_hypmap_window(HAL_WINDOW_TRAP2, hpa(to->frame.v + c->dest.offset), HAL_HYPMAP_RW, &room);

    (void)memcpy(put, get, c->len);
    hal_hypmap_window_close(HAL_WINDOW_TRAP2);
    hal_hypmap_window_close(HAL_WINDOW_TRAP);
    return GNTST_OKAY;
}

int64_t grant_copy(struct vcpu *vcpu, union xen_grant_op *arg)
{
    struct xen_grant_copy *const c = &arg->copy;
    struct grant_use from = { .table = NULL };
    struct grant_use to = { .write = true };

    c->status = end_begin(vcpu->domain, &c->source, (c->flags & GNTCOPY_SOURCE_GREF) != 0u, &from);
    if (c->status == GNTST_OKAY) {
        c->status = end_begin(vcpu->domain, &c->dest, (c->flags & GNTCOPY_DEST_GREF) != 0u, &to);
    }
    if (c->status == GNTST_OKAY) {
        c->status = bytes_copy(c, &from, &to);
    }
    end_release(&to);
    end_release(&from);
    return 0;
}

/* What is invalidated is cleaned, too: what lies behind the caches may be somebody's who had the frame
 * before. */
static void bytes_flush(hpa_t at, uint64_t bytes, bool invalidate)
{
    uint64_t room = 0;
    const void *const va = hal_hypmap_window(HAL_WINDOW_TRAP, at, HAL_HYPMAP_RO, &room);

    if (invalidate) {
        hal_cache_clean_invalidate(va, bytes);
    } else {
        hal_cache_clean(va, bytes);
    }
    hal_hypmap_window_close(HAL_WINDOW_TRAP);
}

int64_t grant_flush(struct vcpu *vcpu, union xen_grant_op *arg)
{
    const struct xen_grant_flush *const f = &arg->flush;
    const hpa_t frame = hpa(f->dev_bus_addr & ~(uint64_t)(PAGE_BYTES - 1u));
    const uint32_t known = GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL | GNTTAB_CACHE_SOURCE_GREF;
    int64_t result = 0;

    if ((f->offset >= PAGE_BYTES) || (((uint32_t)f->offset + f->length) > PAGE_BYTES) ||
        ((f->op & ~known) != 0u)) {
        result = -XEN_EINVAL;
    } else if ((f->length == 0u) || (f->op == 0u)) {
        /* nothing to do */
    } else if ((f->op & GNTTAB_CACHE_SOURCE_GREF) != 0u) {
        result = -XEN_EOPNOTSUPP;
    } else if (!p2m_reaches(vcpu->domain, frame)) {
        result = -XEN_EPERM;
    } else {
        bytes_flush(hpa(frame.v + f->offset), f->length, (f->op & GNTTAB_CACHE_INVAL) != 0u);
    }
    return result;
}
