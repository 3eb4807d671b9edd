/* grant_table_op: most operations come by the dozen, each with a status of its own. [impl->req~grants~1] */
#include "hcall/hcall.h"

#include "domain/p2m.h"
#include "grant/grant.h"
#include "hal/hypmap.h"
#include "lib/string.h"

#define OPS_AT_ONCE    16u
#define COPIES_AT_ONCE 8u /* their arguments lie on the stack */

/* Who asks about whose table: a domain with one, or a status */
static struct domain *grant_target(struct vcpu *vcpu, uint32_t domid, int64_t *result)
{
    struct domain *target = NULL;

    *result = role_target(vcpu, domid, ROLE_GRANT, &target);
    if ((*result == 0) && (target->grants == NULL)) {
        *result = -XEN_ESRCH;
    }
    return target;
}

static int16_t grant_status(int64_t result)
{
    return (result == 0) ? GNTST_OKAY : ((result == -XEN_EPERM) ? GNTST_PERMISSION_DENIED : GNTST_BAD_DOMAIN);
}

static int64_t grant_query(struct vcpu *vcpu, union xen_grant_op *arg)
{
    struct xen_grant_query *const q = &arg->query;
    int64_t result = 0;
    const struct domain *const target = grant_target(vcpu, q->dom, &result);

    q->status = grant_status(result);
    if (result == 0) {
        q->nr_frames = grant_nr_frames(target, false);
        q->max_nr_frames = grant_max_frames(target, false);
    }
    return 0;
}

static int64_t grant_get_version(struct vcpu *vcpu, union xen_grant_op *arg)
{
    int64_t result = 0;
    const struct domain *const target = grant_target(vcpu, arg->version.dom, &result);

    if (result == 0) {
        arg->version.version = grant_version(target);
    }
    return result;
}

/* Where the guest has each frame; all ones: nowhere. Bounded by the table's limit. */
static int64_t grant_list(struct vcpu *vcpu, struct domain *target, uint32_t kind, uint32_t nr, uint64_t list)
{
    int64_t result = 0;

    for (uint32_t i = 0; (i < nr) && (result == 0); i++) {
        void *page = NULL;
        const enum hv_status status = grant_frame(target, i | kind, &page);
        const uint64_t gfn = (status == HV_OK) ? p2m_page_gfn(target, page) : UINT64_MAX;

        result = hcall_write(vcpu, list + (i * sizeof(gfn)), &gfn, sizeof(gfn));
    }
    return result;
}

static int64_t grant_setup_table(struct vcpu *vcpu, union xen_grant_op *arg)
{
    struct xen_grant_setup *const s = &arg->setup;
    int64_t result = 0;
    struct domain *const target = grant_target(vcpu, s->dom, &result);

    s->status = grant_status(result);
    if ((result == 0) && (s->nr_frames > grant_max_frames(target, false))) {
        s->status = GNTST_GENERAL_ERROR;
    }
    return (s->status == GNTST_OKAY) ? grant_list(vcpu, target, 0u, s->nr_frames, s->frame_list) : 0;
}

static int64_t grant_status_list(struct vcpu *vcpu, union xen_grant_op *arg)
{
    struct xen_grant_status_frames *const s = &arg->status_frames;
    int64_t result = 0;
    struct domain *const target = grant_target(vcpu, s->dom, &result);

    s->status = grant_status(result);
    if ((result == 0) && (s->nr_frames > grant_nr_frames(target, true))) {
        s->status = GNTST_GENERAL_ERROR;
    }
    return (s->status == GNTST_OKAY) ? grant_list(vcpu, target, GRANT_STATUS, s->nr_frames, s->frame_list)
                                     : 0;
}

struct hcall_grant {
    grant_fn *one;
    uint8_t bytes; /* of the argument */
    uint8_t out;   /* what goes out begins there */
    bool is_batch;
    bool is_still; /* it uses no window of its own, and never fails as a whole */
};

#define ONE(fn, type, first_out)   { (fn), (uint8_t)sizeof(type), (uint8_t)(first_out), false, false }
#define BATCH(fn, type, first_out) { (fn), (uint8_t)sizeof(type), (uint8_t)(first_out), true, false }
#define STILL(fn, type, first_out) { (fn), (uint8_t)sizeof(type), (uint8_t)(first_out), true, true }

static const struct hcall_grant grants[GNTTABOPS] = {
    [GNTTABOP_MAP_GRANT_REF] = STILL(grant_map, struct xen_grant_map, offsetof(struct xen_grant_map, dom)),
    [GNTTABOP_UNMAP_GRANT_REF] =
        STILL(grant_unmap, struct xen_grant_unmap, offsetof(struct xen_grant_unmap, status)),
    [GNTTABOP_SETUP_TABLE] =
        ONE(grant_setup_table, struct xen_grant_setup, offsetof(struct xen_grant_setup, status)),
    [GNTTABOP_COPY] = BATCH(grant_copy, struct xen_grant_copy, offsetof(struct xen_grant_copy, status)),
    [GNTTABOP_QUERY_SIZE] = ONE(grant_query, struct xen_grant_query, 0u),
    [GNTTABOP_SET_VERSION] = ONE(grant_set_version, uint32_t, 0u),
    [GNTTABOP_GET_STATUS_FRAMES] =
        ONE(grant_status_list, struct xen_grant_status_frames, offsetof(struct xen_grant_status_frames, dom)),
    [GNTTABOP_GET_VERSION] = ONE(grant_get_version, struct xen_grant_version, 0u),
    [GNTTABOP_SWAP_GRANT_REF] =
        BATCH(grant_swap, struct xen_grant_swap, offsetof(struct xen_grant_swap, status)),
    [GNTTABOP_CACHE_FLUSH] = BATCH(grant_flush, struct xen_grant_flush, sizeof(struct xen_grant_flush)),
};

/* Elements in one page, seen through one window while nobody else uses it: of three words, or four, of which
 * the first two do not change. Each word is read once. */
static void grant_still(struct vcpu *vcpu, const struct hcall_grant *g, volatile uint64_t *at, uint32_t nr)
{
    const bool is_long = g->bytes == sizeof(struct xen_grant_map);
    volatile uint64_t *seen = at;

    for (uint32_t i = 0; i < nr; i++) {
        union xen_grant_op arg;

        arg.word[0] = seen[0];
        arg.word[1] = seen[1];
        arg.word[2] = seen[2];
        if (is_long) {
            arg.word[3] = seen[3];
        }
        (void)g->one(vcpu, &arg);
        seen[2] = arg.word[2];
        if (is_long) {
            seen[3] = arg.word[3];
        }
        seen = &seen[is_long ? 4u : 3u];
    }
    hal_hypmap_window_close(HAL_WINDOW_TRAP);
}

/* Of one operation, or of some as large as any in one page: 0, GRANT_AGAIN or -XEN_E... */
static int64_t grant_some(struct vcpu *vcpu, const struct hcall_grant *g, uint64_t at, uint32_t nr)
{
    /* filled before it is looked at, which the compiler's zeros would only delay */
    union xen_grant_op op[COPIES_AT_ONCE] __attribute__((uninitialized));
    const uint64_t bytes = (uint64_t)nr * g->bytes;
    const size_t out_bytes = (size_t)g->bytes - g->out;
    int64_t result = hcall_read(vcpu, op, at, bytes);

    for (uint32_t i = 0; (i < nr) && (result == 0); i++) {
        result = g->one(vcpu, &op[i]);
    }
    if ((result == 0) && (out_bytes != 0u)) {
        uint8_t *const seen = domain_guest_window(vcpu, at, bytes);

        for (uint32_t i = 0; (i < nr) && (seen != NULL); i++) {
            const uint8_t *const from = (const uint8_t *)(const void *)&op[i];

            (void)memcpy(&seen[(i * g->bytes) + g->out], &from[g->out], out_bytes);
        }
        if (seen != NULL) {
            hal_hypmap_window_close(HAL_WINDOW_TRAP);
        } else { /* one, across two pages; or they can't be written */
            const uint8_t *const from = (const uint8_t *)(const void *)op;

            result = hcall_write(vcpu, at + g->out, &from[g->out], out_bytes);
        }
    }
    return result;
}

static __attribute__((noinline)) int64_t grant_each(struct vcpu *vcpu, const struct hcall_grant *g,
                                                    uint64_t at, uint32_t nr)
{
    const bool is_large = g->bytes == sizeof(union xen_grant_op);
    int64_t result = 0;
    uint32_t done = 0;

    while ((done < nr) && (result == 0)) {
        const uint64_t from = at + ((uint64_t)done * g->bytes);
        const uint64_t in_page = (PAGE_BYTES - (from % PAGE_BYTES)) / g->bytes;
        const uint64_t most = bits_min(bits_min(nr - done, COPIES_AT_ONCE), in_page);
        const uint32_t some = is_large ? (uint32_t)bits_max(most, 1u) : 1u;

        result = grant_some(vcpu, g, from, some);
        done += some;
    }
    return result;
}

int64_t hcall_grant_table_op(struct vcpu *vcpu, uint64_t *arg)
{
    const struct hcall_grant *const g = &grants[hal_index(arg[0], GNTTABOPS)];
    const uint32_t count = (uint32_t)arg[2];
    const uint32_t piece = (uint32_t)bits_min(count, OPS_AT_ONCE);
    const uint64_t bytes = (uint64_t)piece * g->bytes;
    volatile uint64_t *seen = NULL;
    int64_t result = 0;

    if ((vcpu->domain->grants == NULL) || (arg[0] >= GNTTABOPS) || (g->one == NULL)) {
        return -XEN_ENOSYS;
    }
    if (((count >> 31u) != 0u) || (!g->is_batch && (count != 1u))) {
        return -XEN_EINVAL;
    }
    if (g->is_still && (piece != 0u) && ((arg[1] % sizeof(uint64_t)) == 0u)) {
        seen = domain_guest_window(vcpu, arg[1], bytes);
    }
    if (seen != NULL) {
        grant_still(vcpu, g, seen, piece);
    } else {
        result = grant_each(vcpu, g, arg[1], piece);
    }
    if ((result == 0) && (piece < count)) {
        arg[1] += bytes;
        arg[2] = (uint64_t)count - piece;
        result = GRANT_AGAIN;
    }
    return (result == GRANT_AGAIN) ? hcall_again(vcpu, arg[0]) : result;
}
