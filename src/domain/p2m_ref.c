/* References: the pages of a map that lead to what is not its domain's own RAM, in a table by frame that the
 * mapper pays for. */
/* [impl->req~foreign-revoked~1] */
#include "domain/p2m_core.h"

#include "base/panic.h"

#define REVOKE_PIECE 16u /* pages that are led elsewhere at a time, with interrupts masked */

static struct p2m_ref *ref_at(const struct p2m *p2m, uint32_t i)
{
    return &p2m->page[(i - 1u) / P2M_REFS_A_PAGE][(i - 1u) % P2M_REFS_A_PAGE];
}

static uint16_t *bucket_of(struct p2m *p2m, uint64_t frame)
{
    return &p2m->bucket[((frame >> PAGE_SHIFT) ^ (frame >> 21u)) % P2M_BUCKETS];
}

/* Chains are bounded by P2M_CHAIN_MAX. */
struct p2m_ref *p2m_ref_find(struct p2m *p2m, hpa_t frame, uint64_t gfn, uint32_t but)
{
    struct p2m_ref *found = NULL;
    uint32_t i = *bucket_of(p2m, frame.v);

    while ((i != 0u) && (found == NULL)) {
        struct p2m_ref *const ref = ref_at(p2m, i);

        if ((ref->frame == frame.v) && ((gfn == P2M_NONE) || (ref->gfn == gfn)) && (i != but)) {
            found = ref;
        }
        i = ref->next;
    }
    return found;
}

/* A new one, in its bucket. HV_NO_MEMORY, HV_LIMIT. */
static enum hv_status ref_make(struct domain *domain, const struct p2m_ref *like, uint32_t *made)
{
    struct p2m *const p2m = domain->p2m;
    uint16_t *const bucket = bucket_of(p2m, like->frame);
    const uint32_t page = p2m->nr_refs / P2M_REFS_A_PAGE;
    uint32_t i = p2m->free;
    uint32_t nr = 0;

    for (uint32_t k = *bucket; (k != 0u) && (nr < P2M_CHAIN_MAX); k = ref_at(p2m, k)->next) {
        nr++;
    }
    if (nr == P2M_CHAIN_MAX) {
        return HV_LIMIT;
    }
    if (i != 0u) {
        p2m->free = ref_at(p2m, i)->next;
    } else if (page == P2M_REF_PAGES) {
        return HV_LIMIT;
    } else {
        if (p2m->page[page] == NULL) {
            p2m->page[page] = pool_alloc(&domain->pool);
        }
        if (p2m->page[page] == NULL) {
            return HV_NO_MEMORY;
        }
        p2m->nr_refs++;
        i = p2m->nr_refs;
    }
    *made = i;
    *ref_at(p2m, i) = *like;
    ref_at(p2m, i)->next = *bucket;
    *bucket = (uint16_t)i;
    return HV_OK;
}

static void ref_unlink(struct p2m *p2m, struct p2m_ref *ref)
{
    uint16_t *link = bucket_of(p2m, ref->frame);
    uint16_t i = 0;

    while (ref_at(p2m, *link) != ref) {
        link = &ref_at(p2m, *link)->next;
    }
    i = *link;
    *link = ref->next;
    ref->frame = 0u;
    ref->next = p2m->free;
    p2m->free = i;
}

/* A foreign frame is also where the host has it, as long as anything leads there: what devices of a domain
 * with a direct map are told. HV_EXISTS: something else is there. Taking it away does not fail otherwise. */
static __attribute__((noinline)) enum hv_status identity_lead(struct domain *domain, hpa_t frame)
{
    struct hal_guestmap *const map = &domain->hal.map;
    struct hal_guestmap_page page = { .perm = 0u };
    uint32_t wanted = 0;
    uint64_t rest = 0;
    enum hv_status status = HV_OK;

    /* Its own memory is there anyway. */
    if ((frame.v >= hal_guestmap_limit()) || (p2m_number(domain, frame.v, true, &rest) != P2M_NONE) ||
        (p2m_ref_find(domain->p2m, frame, frame.v >> PAGE_SHIFT, 0u) != NULL)) {
        return HV_OK;
    }
    for (uint32_t i = *bucket_of(domain->p2m, frame.v); i != 0u; i = ref_at(domain->p2m, i)->next) {
        const struct p2m_ref *const ref = ref_at(domain->p2m, i);

        if ((ref->frame == frame.v) && (ref->owner != NULL)) {
            wanted |= HAL_PERM_R | (ref->write ? HAL_PERM_W : 0u);
        }
    }
    hal_guestmap_look(map, gpa(frame.v), &page);
    if ((page.perm != 0u) && (page.to.v != frame.v)) {
        status = (wanted != 0u) ? HV_EXISTS : HV_OK;
    } else if (wanted != page.perm) {
        status = hal_guestmap_put(map, gpa(frame.v), &page, frame, wanted);
    } else {
        /* it is as it should be */
    }
    return status;
}

static inline enum hv_status identity_follow(struct domain *domain, hpa_t frame)
{
    return domain->p2m->identity ? identity_lead(domain, frame) : HV_OK;
}

void p2m_ref_drop(struct domain *domain, struct p2m_ref *ref)
{
    const hpa_t frame = hpa(ref->frame);
    const struct domain *const owner = ref->owner;
    const bool foreign = (owner != NULL);
    enum hv_status status = HV_OK;

    ref_unlink(domain->p2m, ref);
    if (foreign) {
        status = identity_follow(domain, frame);
        p2m_let_go(owner, frame);
        hal_store_release32(&domain->nr_foreign, domain->nr_foreign - 1u);
    }
    ASSERT((status == HV_OK) || (status == HV_EXISTS)); /* the guest has put something else there */
}

/* Leads gfn to ref->frame and keeps account of it. */
static enum hv_status ref_lead(struct domain *domain, const struct p2m_ref *ref, void *keep)
{
    uint32_t made = 0;
    enum hv_status status = ref_make(domain, ref, &made);

    if ((status == HV_OK) && (ref->owner != NULL)) {
        status = identity_follow(domain, hpa(ref->frame));
    }
    if (status == HV_OK) {
        status = p2m_lead(domain, ref->gfn, hpa(ref->frame), HAL_PERM_R | (ref->write ? HAL_PERM_W : 0u),
                          made, keep);
    }
    if ((status != HV_OK) && (made != 0u)) {
        ref_unlink(domain->p2m, ref_at(domain->p2m, made));
        (void)identity_follow(domain, hpa(ref->frame));
    }
    return status;
}

enum hv_status p2m_put_page(struct domain *domain, uint64_t gfn, void *va, bool keep)
{
    const struct p2m_ref ref = { .frame = hal_hypmap_hpa(va).v, .gfn = gfn, .write = true };

    if (domain->p2m == NULL) {
        return HV_INVALID;
    }
    if (p2m_ref_find(domain->p2m, hpa(ref.frame), P2M_NONE, 0u) != NULL) {
        return HV_EXISTS;
    }
    return ref_lead(domain, &ref, keep ? va : NULL);
}

static bool range_holds(uint64_t base, uint64_t bytes, hpa_t at)
{
    return (at.v - base) < bytes; /* wraps below and is too large then */
}

/* The owner is up, and the frame is its own and not out. It stays so until the mapper's lock is given back:
 * whoever ends the owner, or populates the frame, looks at mappers afterwards. */
static bool frame_is_good(const struct domain *owner, hpa_t frame)
{
    bool good = (hal_load_acquire32(&owner->reachable) != 0u);

    if (good) {
        uint64_t rest = 0;
        const uint64_t number = p2m_number(owner, frame.v, true, &rest);

        if (number != P2M_NONE) {
            good = !p2m_is_out(owner, number);
        } else {
            good = range_holds(owner->shared.to.v, owner->shared.bytes, frame) ||
                   range_holds(hal_hypmap_hpa(owner->pool.pages).v,
                               (uint64_t)owner->pool.nr_pages * PAGE_BYTES, frame) ||
                   p2m_is_ring(owner, frame);
        }
    }
    return good;
}

enum hv_status p2m_map_foreign(struct domain *mapper, uint64_t gfn, struct domain *owner, hpa_t frame,
                               bool readonly)
{
    const struct p2m_ref ref = { .frame = frame.v, .gfn = gfn, .owner = owner, .write = !readonly };
    struct p2m *const p2m = mapper->p2m;
    enum hv_status status = HV_BUSY;

    mapper->nr_foreign++;
    hal_barrier();
    if (p2m_blocks(owner) != NULL) {
        blocks_pin(frame);
    }
    if ((p2m != NULL) && frame_is_good(owner, frame)) {
        if (p2m->stand_in == NULL) {
            p2m->stand_in = pool_alloc(&mapper->pool);
        }
        status = (p2m->stand_in != NULL) ? ref_lead(mapper, &ref, NULL) : HV_NO_MEMORY;
    }
    if (status != HV_OK) {
        p2m_let_go(owner, frame);
        hal_store_release32(&mapper->nr_foreign, mapper->nr_foreign - 1u); /* it looks at the owner no more */
    }
    return status;
}

bool p2m_is_mapped(hpa_t frame)
{
    bool found = false;

    hal_barrier();
    for (uint32_t i = 0; (i < domain_count) && !found; i++) {
        struct domain *const mapper = domain_table[i];

        if (hal_load_acquire32(&mapper->nr_foreign) != 0u) {
            const uint64_t flags = spin_lock(&mapper->lock);

            const struct p2m_ref *const ref =
                (mapper->p2m != NULL) ? p2m_ref_find(mapper->p2m, frame, P2M_NONE, 0u) : NULL;

            found = (ref != NULL) && (ref->owner != NULL);
            spin_unlock(&mapper->lock, flags);
        }
    }
    return found;
}

/* A page of its map that leads there, but for its own RAM; P2M_NONE */
static uint64_t frame_gfn(struct domain *domain, hpa_t frame)
{
    const uint64_t flags = spin_lock(&domain->lock);
    const struct p2m_ref *const ref =
        (domain->p2m != NULL) ? p2m_ref_find(domain->p2m, frame, P2M_NONE, 0u) : NULL;
    const uint64_t gfn = (ref != NULL) ? ref->gfn : P2M_NONE;

    spin_unlock(&domain->lock, flags);
    return gfn;
}

bool p2m_reaches(struct domain *domain, hpa_t frame)
{
    uint64_t rest = 0;

    return (p2m_number(domain, frame.v, true, &rest) != P2M_NONE) || (frame_gfn(domain, frame) != P2M_NONE);
}

uint64_t p2m_page_gfn(struct domain *domain, const void *va)
{
    return frame_gfn(domain, hal_hypmap_hpa(va));
}

/* Leads those of REVOKE_PIECE references that lead to the owner's to the stand-in, but a server's to its
 * rings, which are the same in the next life. Nothing can run out: the tables are there. False: there
 * are no more. */
static bool piece_revoke(struct domain *mapper, const struct domain *owner, uint32_t first)
{
    const uint64_t flags = spin_lock(&mapper->lock);
    struct p2m *const p2m = mapper->p2m;
    const uint32_t nr = (p2m != NULL) ? p2m->nr_refs : 0u;
    const bool serves =
        !owner->plan->spare && ((mapper->plan->role & (PLAN_ROLE_XENSTORE | PLAN_ROLE_CONTROL)) != 0u);
    enum hv_status status = HV_OK;

    for (uint32_t i = first; (i <= nr) && (i < (first + REVOKE_PIECE)) && (status == HV_OK); i++) {
        struct p2m_ref *const ref = ref_at(p2m, i);

        if ((ref->frame != 0u) && (ref->owner == owner) && !(serves && p2m_is_ring(owner, hpa(ref->frame)))) {
            status = p2m_lead(mapper, ref->gfn, hal_hypmap_hpa(p2m->stand_in),
                              HAL_PERM_R | (ref->write ? HAL_PERM_W : 0u), 0u, NULL);
        }
    }
    spin_unlock(&mapper->lock, flags);
    ASSERT(status == HV_OK);
    return (first + REVOKE_PIECE) <= nr;
}

void p2m_revoke(struct domain *domain, void (*breathe)(void))
{
    const uint64_t flags = spin_lock(&domain->lock);

    hal_store_release32(&domain->reachable, 0u);
    spin_unlock(&domain->lock, flags);
    hal_barrier(); /* who does not see it is seen */
    for (uint32_t i = 0; i < domain_count; i++) {
        struct domain *const mapper = domain_table[i];
        uint32_t first = 1;
        bool more = (hal_load_acquire32(&mapper->nr_foreign) != 0u);

        while (more) {
            more = piece_revoke(mapper, domain, first);
            first += REVOKE_PIECE;
            breathe();
        }
    }
}

enum hv_status p2m_begin(struct domain *domain, bool identity)
{
    struct p2m *p2m = NULL;
    enum hv_status status = HV_OK;

    if ((domain->plan->enhanced != PLAN_ENHANCED_NONE) && hal_guestmap_translates()) {
        p2m = pool_alloc(&domain->pool);
        status = (p2m != NULL) ? HV_OK : HV_NO_MEMORY;
    }
    if (status == HV_OK) {
        const uint64_t flags = spin_lock(&domain->lock);

        if (p2m != NULL) {
            p2m->claim = P2M_NONE;
            p2m->identity = identity;
        }
        domain->p2m = p2m;
        hal_store_release32(&domain->reachable, 1u); /* after p2m: who looks without the lock */
        spin_unlock(&domain->lock, flags);
    }
    return status;
}

static void give_back(struct domain *domain, void *page)
{
    if (page != NULL) {
        pool_free(&domain->pool, page);
    }
}

void p2m_reset(struct domain *domain)
{
    const uint64_t flags = spin_lock(&domain->lock);
    struct p2m *const p2m = domain->p2m;

    domain->p2m = NULL;
    hal_store_release32(&domain->nr_foreign, 0u);
    spin_unlock(&domain->lock, flags);
    if (p2m != NULL) {
        for (uint32_t i = 1; i <= p2m->nr_refs; i++) {
            const struct p2m_ref *const ref = ref_at(p2m, i);

            if ((ref->frame != 0u) && (ref->owner != NULL)) {
                p2m_let_go(ref->owner, hpa(ref->frame));
            }
        }
        for (uint32_t i = 0; i < P2M_REF_PAGES; i++) {
            give_back(domain, p2m->page[i]);
        }
        for (uint32_t i = 0; i < P2M_TABLES; i++) {
            for (uint32_t k = 0; (k < P2M_OUT_PAGES) && (p2m->out[i] != NULL); k++) {
                give_back(domain, p2m->out[i][k]);
            }
            give_back(domain, (void *)(uintptr_t)p2m->out[i]);
        }
        give_back(domain, p2m->stand_in);
        give_back(domain, p2m);
    }
}
