/* domctl: how much memory a domain may have, and what tools do about it. [impl->req~toolstack~1] */
#include "hcall/control/hcall_control.h"

#include "domain/p2m.h"
#include "hal/cache.h"
#include "hal/hypmap.h"

#define FLUSHES   8u      /* pages at a time */
#define FLUSH_MAX 262144u /* of a call, as in Xen */

/* This is what populating is judged by. */
static int64_t max_mem(const struct hcall_domctl *c)
{
    c->domain->max_pages = c->op->u.max_mem.kib / (PAGE_BYTES / 1024u);
    return 0;
}

/* A guest's tables come from its pool, which is made at boot. */
static int64_t pool_get(const struct hcall_domctl *c)
{
    c->op->u.mempool_bytes = (uint64_t)c->domain->pool.nr_pages * PAGE_BYTES;
    return 0;
}

static int64_t pool_set(const struct hcall_domctl *c)
{
    return ((c->op->u.mempool_bytes % PAGE_BYTES) == 0u) ? 0 : -XEN_EINVAL;
}

/* What the caller has written there is seen by a guest that begins with its caches off. */
static int64_t cacheflush(const struct hcall_domctl *c)
{
    const uint64_t first = c->op->u.cacheflush.start_pfn;
    const uint64_t nr = c->op->u.cacheflush.nr_pfns;
    const uint64_t from = (uint64_t)c->op->pad[0] * FLUSHES;
    const uint64_t end = bits_min(nr, from + FLUSHES);

    if ((nr > FLUSH_MAX) || ((first + nr) < first)) {
        return -XEN_EINVAL;
    }
    for (uint64_t i = from; i < end; i++) {
        hpa_t frame = hpa(0);
        uint64_t room = 0;

        if (p2m_frame(c->domain, first + i, false, &frame) == HV_OK) {
            hal_cache_clean_invalidate(hal_hypmap_window(HAL_WINDOW_TRAP, frame, HAL_HYPMAP_RO, &room),
                                       PAGE_BYTES);
            hal_hypmap_window_close(HAL_WINDOW_TRAP);
        }
    }
    c->op->pad[0]++;
    return (end < nr) ? HCALL_DOMCTL_AGAIN : 0;
}

const struct hcall_domctl_rule hcall_domctl_memory[] = {
    { max_mem, XEN_DOMCTL_MAX_MEM, ROLE_DOMCTL, false },
    { pool_get, XEN_DOMCTL_GET_PAGING_MEMPOOL, ROLE_DOMCTL, true },
    { pool_set, XEN_DOMCTL_SET_PAGING_MEMPOOL, ROLE_DOMCTL, false },
    { cacheflush, XEN_DOMCTL_CACHEFLUSH, ROLE_DOMCTL, false },
    { NULL, 0u, ROLE_DOMCTL, false },
};
