/* [impl->req~memory-op~1] [impl->req~driver-domain~1] */
#include "domain/p2m_core.h"

#include "hal/cache.h"
#include "lib/string.h"

int64_t p2m_result(enum hv_status status)
{
    static const uint8_t errors[] = {
        [HV_OK] = 0,
        [HV_INVALID] = XEN_EINVAL,
        [HV_NO_MEMORY] = XEN_ENOMEM,
        [HV_NOT_FOUND] = XEN_EINVAL,
        [HV_EXISTS] = XEN_EBUSY,
        [HV_BUSY] = XEN_EBUSY,
        [HV_DENIED] = XEN_EINVAL,
        [HV_LIMIT] = XEN_ENOMEM,
    };

    return ((uint32_t)status < ARRAY_LEN(errors)) ? -(int64_t)errors[status] : -XEN_EINVAL;
}

/* Bounded by DOMAIN_CHUNKS_MAX. Of a block's frames the number is the host's, wherever the guest has them. */
uint64_t p2m_number(const struct domain *domain, uint64_t at, bool by_host, uint64_t *rest)
{
    uint64_t before = 0;
    uint64_t number = P2M_NONE;

    for (uint32_t i = 0; (i < domain->nr_chunks) && (number == P2M_NONE); i++) {
        const struct domain_chunk *const chunk = &domain->chunk[i];
        const uint64_t offset = at - (by_host ? chunk->to.v : chunk->at.v); /* wraps below: too large then */

        if (offset < chunk->bytes) {
            number = before + (offset >> PAGE_SHIFT);
            *rest = (chunk->bytes - offset) >> PAGE_SHIFT;
        }
        before += chunk->bytes >> PAGE_SHIFT;
    }
    if ((number == P2M_NONE) && by_host && (p2m_blocks(domain) != NULL) &&
        (blocks_owner(hpa(at)) == domain->blocks->owner)) {
        number = at >> PAGE_SHIFT;
        *rest = BLOCK_PAGES - (number % BLOCK_PAGES);
    }
    return number;
}

/* Bounded likewise. The number is one of the domain's frames. */
static hpa_t number_frame(const struct domain *domain, uint64_t number)
{
    uint64_t offset = number << PAGE_SHIFT;
    uint32_t i = 0;

    if (p2m_blocks(domain) != NULL) {
        return hpa(offset);
    }
    while (((i + 1u) < domain->nr_chunks) && (offset >= domain->chunk[i].bytes)) {
        offset -= domain->chunk[i].bytes;
        i++;
    }
    return hpa(domain->chunk[i].to.v + offset);
}

/* The word that has a frame's bit. make: NULL if the pool is empty, or the frame beyond what can be told. */
static volatile uint32_t *out_word(struct domain *domain, uint64_t number, bool make)
{
    const uint64_t page = number / P2M_OUT_BITS;
    const uint64_t top = page / P2M_OUT_PAGES;
    void *volatile *volatile *const table = &domain->p2m->out[(top < P2M_TABLES) ? top : 0u];
    volatile uint32_t *words = NULL;

    if (make && (p2m_blocks(domain) == NULL) && (top < P2M_TABLES) && (*table == NULL)) {
        *table = pool_alloc(&domain->pool);
    }
    if ((top < P2M_TABLES) && (*table != NULL)) {
        void *volatile *const bits = &(*table)[page % P2M_OUT_PAGES];

        if (make && (*bits == NULL)) {
            void *const zero = pool_alloc(&domain->pool);

            hal_barrier(); /* who looks without the lock finds zeros */
            *bits = zero;
        }
        words = *bits;
    }
    if ((words == NULL) && (p2m_blocks(domain) != NULL)) {
        return blocks_out(hpa(number << PAGE_SHIFT));
    }
    return (words != NULL) ? &words[(number % P2M_OUT_BITS) / 32u] : NULL;
}

bool p2m_is_out(const struct domain *domain, uint64_t number)
{
    const volatile uint32_t *word = NULL;

    if (domain->p2m != NULL) {
        word = out_word((struct domain *)(uintptr_t)domain, number, false);
    }
    return (word != NULL) && ((*word & BIT32(number % 32u)) != 0u);
}

/* Marks nr frames of one page of bits, for which there is memory. */
static void out_set(struct domain *domain, uint64_t number, uint64_t nr, bool is_out)
{
    uint64_t n = number;

    while (n < (number + nr)) {
        volatile uint32_t *const word = out_word(domain, n, false);
        const uint64_t step = bits_min((number + nr) - n, 32u - (n % 32u));
        const uint32_t mask = (uint32_t)(GENMASK64(step - 1u, 0u) << (n % 32u));

        *word = is_out ? (*word | mask) : (*word & ~mask);
        n += step;
    }
    domain->p2m->hint = number;
    if (p2m_blocks(domain) != NULL) {
        blocks_move(domain->blocks, number_frame(domain, number), (uint32_t)nr, is_out);
    }
}

static bool gfn_is_good(uint64_t gfn)
{
    return gfn < (hal_guestmap_limit() >> PAGE_SHIFT);
}

/* gfn is good. perm 0: nothing is there. */
static void look(struct domain *domain, uint64_t gfn, struct hal_guestmap_page *page)
{
    hal_guestmap_look(&domain->hal.map, gpa(gfn << PAGE_SHIFT), page);
}

enum hv_status p2m_lookup(struct domain *domain, uint64_t gfn, hpa_t *frame)
{
    struct hal_guestmap_page page = { .perm = 0u };

    if (gfn_is_good(gfn)) {
        look(domain, gfn, &page);
        *frame = page.to;
    }
    return (page.perm != 0u) ? HV_OK : HV_NOT_FOUND;
}

static void page_copy(void *to, hpa_t from)
{
    uint64_t room = 0;

    (void)memcpy(to, hal_hypmap_window(HAL_WINDOW_TRAP, from, HAL_HYPMAP_RO, &room), PAGE_BYTES);
    hal_hypmap_window_close(HAL_WINDOW_TRAP);
}

/* What a page of a map holds */
struct p2m_held {
    struct hal_guestmap_page page;
    uint64_t number; /* of its own frame; P2M_NONE */
    uint64_t nr;     /* so many alike follow, with itself; 0: nothing is there */
    struct p2m_ref *ref;
};

/* HV_DENIED, HV_NO_MEMORY: it can't be taken away. */
static enum hv_status hold(struct domain *domain, uint64_t gfn, uint32_t but, struct p2m_held *held)
{
    struct p2m *const p2m = domain->p2m;
    uint64_t rest = 0;
    enum hv_status status = HV_OK;

    held->number = P2M_NONE;
    held->ref = NULL;
    held->nr = 0u;
    look(domain, gfn, &held->page);
    if (held->page.perm == 0u) {
        return HV_OK;
    }
    held->nr = held->page.bytes >> PAGE_SHIFT;
    held->ref = p2m_ref_find(p2m, held->page.to, gfn, but); /* first: what it maps of others may be its own */
    if (held->ref == NULL) {
        held->number = p2m_number(domain, held->page.to.v, true, &rest);
    }
    if (held->number != P2M_NONE) {
        held->nr = bits_min(bits_min(held->nr, rest), P2M_OUT_BITS - (held->number % P2M_OUT_BITS));
        status = (out_word(domain, held->number, true) != NULL) ? HV_OK : HV_NO_MEMORY;
    } else {
        held->nr = 1u;
        status = ((held->ref != NULL) || p2m_is_stand_in(p2m, held->page.to)) ? HV_OK : HV_DENIED;
    }
    return status;
}

/* It has been taken out of the map. */
static void held_leave(struct domain *domain, const struct p2m_held *held)
{
    if (held->number != P2M_NONE) {
        out_set(domain, held->number, held->nr, true);
        domain->p2m->covered += held->nr;
    }
    if (held->ref != NULL) {
        p2m_ref_drop(domain, held->ref);
    }
}

enum hv_status p2m_lead(struct domain *domain, uint64_t gfn, hpa_t to, uint32_t perm, uint32_t fresh,
                        void *keep)
{
    struct hal_guestmap *const map = &domain->hal.map;
    const gpa_t at = gpa(gfn << PAGE_SHIFT);
    struct p2m_held held;
    enum hv_status status = gfn_is_good(gfn) ? hold(domain, gfn, fresh, &held) : HV_INVALID;

    if ((status == HV_OK) && (keep != NULL) && ((held.nr == 0u) || (held.number == P2M_NONE))) {
        status = HV_NOT_FOUND;
    }
    if (status != HV_OK) {
        return status;
    }
    held.nr = bits_min(held.nr, 1u);
    if (keep != NULL) { /* what the guest's other CPUs write goes there until nothing is */
        hal_guestmap_begin(map);
        status = hal_guestmap_put(map, at, &held.page, hpa(0), 0u);
        if (status == HV_OK) {
            page_copy(keep, held.page.to);
            look(domain, gfn, &held.page);
        }
    }
    if (status == HV_OK) {
        status = hal_guestmap_put(map, at, &held.page, to, perm);
    }
    if (keep != NULL) {
        hal_guestmap_end(map);
    }
    if (status == HV_OK) {
        held_leave(domain, &held);
    }
    return status;
}

enum hv_status p2m_unmap_foreign(struct domain *domain, uint64_t gfn)
{
    struct p2m_held held = { .nr = 0u };
    enum hv_status status = HV_NOT_FOUND;
    bool is_it = false;

    if ((domain->p2m != NULL) && gfn_is_good(gfn) && (hold(domain, gfn, 0u, &held) == HV_OK)) {
        is_it = (held.ref != NULL) ? (held.ref->owner != NULL)
                                   : ((held.nr != 0u) && p2m_is_stand_in(domain->p2m, held.page.to));
    }
    if (is_it) {
        status = hal_guestmap_put(&domain->hal.map, gpa(gfn << PAGE_SHIFT), &held.page, hpa(0), 0u);
    }
    if (status == HV_OK) {
        held_leave(domain, &held);
    }
    return status;
}

enum hv_status p2m_take(struct domain *domain, uint64_t gfn, uint64_t nr, uint64_t *done)
{
    const uint64_t flags = spin_lock(&domain->lock);
    struct p2m_held held = { .nr = 0u };
    enum hv_status status = HV_INVALID;

    if (domain->p2m == NULL) {
        status = HV_BUSY;
    } else if (gfn_is_good(gfn)) {
        status = hold(domain, gfn, 0u, &held);
    } else {
        /* no such page */
    }
    if ((status == HV_OK) && (held.nr == 0u)) {
        status = HV_NOT_FOUND;
    }
    held.nr = bits_min(held.nr, nr);
    if (status == HV_OK) {
        status = hal_guestmap_unmap(&domain->hal.map, gpa(gfn << PAGE_SHIFT), held.nr << PAGE_SHIFT);
    }
    if (status == HV_OK) {
        held_leave(domain, &held);
        if (held.number != P2M_NONE) {
            domain->p2m->covered -= held.nr;
            domain->p2m->given += held.nr;
        }
        *done = held.nr;
    }
    spin_unlock(&domain->lock, flags);
    return status;
}

/* One that is out: its own if the domain has memory of its own at gfn; else one that went out with others not
 * long ago. P2M_NONE. */
static uint64_t out_choose(struct domain *domain, uint64_t gfn)
{
    struct p2m *const p2m = domain->p2m;
    uint64_t rest = 0;
    uint64_t number = p2m_number(domain, gfn << PAGE_SHIFT, false, &rest);

    if (number != P2M_NONE) {
        number = p2m_is_out(domain, number) ? number : P2M_NONE;
    } else if (!domain->plan->host_memory) {
        const uint64_t first = bits_align_down(p2m->hint, P2M_OUT_BITS);
        const volatile uint32_t *const word = out_word(domain, first, false);
        uint32_t i = 0;

        while ((word != NULL) && (i < (P2M_OUT_BITS / 32u)) && (word[i] == 0u)) {
            i++;
        }
        if ((word != NULL) && (i < (P2M_OUT_BITS / 32u))) {
            number = first + (i * 32u) + (uint32_t)__builtin_ctz(word[i]);
        }
    } else {
        /* memory is where the host has it, or nowhere */
    }
    return number;
}

/* What a toolstack allows; 0: it did not say, and a domain of the plan has what that says. */
static bool may_have(const struct domain *domain, uint64_t nr)
{
    const bool unlimited = (domain->max_pages == 0u) && (p2m_blocks(domain) == NULL);

    return unlimited || ((p2m_pages(domain) + nr) <= domain->max_pages);
}

/* One that is out, or of a block more. All are in where there is none, so a guest has no more blocks than its
 * pages need at most. */
static enum hv_status frame_choose(struct domain *domain, uint64_t gfn, uint64_t *number)
{
    enum hv_status status = may_have(domain, 1u) ? HV_OK : HV_NO_MEMORY;

    if (p2m_blocks(domain) != NULL) {
        hpa_t at = blocks_find_out(domain->blocks);

        if ((status == HV_OK) && (at.v == HAL_NOWHERE)) {
            status = blocks_take(domain->blocks, false, &at);
        }
        *number = at.v >> PAGE_SHIFT;
        domain->blocks->end_gfn = bits_max(domain->blocks->end_gfn, gfn + 1u);
    } else {
        *number = out_choose(domain, gfn);
        status = (*number != P2M_NONE) ? status : HV_NO_MEMORY;
    }
    return status;
}

/* What builders of domains populate without looking: the page of xenstore, too, which a domain that lived
 * before its tools has. */
static bool is_wanted(const struct domain *domain, uint64_t gfn, hpa_t frame)
{
    return (gfn == XENSTORE_MAGIC_GFN) || (domain->plan->host_memory && (frame.v == (gfn << PAGE_SHIFT)));
}

/* number P2M_NONE: nothing is to be done. */
static enum hv_status claim(struct domain *domain, uint64_t gfn, uint64_t *number, hpa_t *frame)
{
    const uint64_t flags = spin_lock(&domain->lock);
    struct p2m *const p2m = domain->p2m;
    enum hv_status status = HV_OK;

    if ((p2m == NULL) || (p2m->claim != P2M_NONE)) {
        status = HV_BUSY;
    } else if (!gfn_is_good(gfn)) {
        status = HV_INVALID;
    } else if (p2m_lookup(domain, gfn, frame) == HV_OK) {
        status = is_wanted(domain, gfn, *frame) ? HV_OK : HV_EXISTS;
        *number = P2M_NONE;
    } else {
        status = frame_choose(domain, gfn, number);
    }
    if ((status == HV_OK) && (*number != P2M_NONE)) {
        *frame = number_frame(domain, *number);
        p2m->claim = *number;
        if (p2m_blocks(domain) != NULL) {
            blocks_pin(*frame);
        }
    }
    spin_unlock(&domain->lock, flags);
    return status;
}

/* The claim is kept until others' maps have been looked at, for which the lock is given away: a frame that is
 * out is not mapped anew. */
enum hv_status p2m_populate(struct domain *domain, uint64_t gfn)
{
    uint64_t number = 0;
    hpa_t frame = hpa(0);
    enum hv_status status = claim(domain, gfn, &number, &frame);

    if ((status == HV_OK) && (number != P2M_NONE)) {
        const bool mapped = p2m_is_mapped(frame);
        const uint64_t flags = spin_lock(&domain->lock);
        struct p2m *const p2m = domain->p2m;

        if ((p2m == NULL) || (p2m->claim != number)) {
            status = HV_BUSY; /* this is another life */
        } else {
            uint64_t room = 0;

            if (!mapped) {
                hal_cache_zero(hal_hypmap_window(HAL_WINDOW_TRAP, frame, HAL_HYPMAP_RW, &room), PAGE_BYTES);
                hal_hypmap_window_close(HAL_WINDOW_TRAP);
            }
            status = mapped ? HV_NO_MEMORY : p2m_lead(domain, gfn, frame, HAL_PERM_RWX, 0u, NULL);
            p2m->claim = P2M_NONE;
        }
        if (status == HV_OK) {
            out_set(domain, number, 1u, false);
            p2m->given -= bits_min(p2m->given, 1u);
        }
        spin_unlock(&domain->lock, flags);
        p2m_let_go(domain, frame);
    }
    return status;
}

enum hv_status p2m_populate_block(struct domain *domain, uint64_t gfn)
{
    const uint64_t flags = spin_lock(&domain->lock);
    struct block_set *const set = p2m_blocks(domain);
    struct hal_guestmap_page page = { .perm = 0u };
    hpa_t at = hpa(0);
    enum hv_status status = HV_NOT_SUPPORTED;

    if (domain->p2m == NULL) {
        status = HV_BUSY;
    } else if ((set != NULL) && gfn_is_good(gfn) && ((gfn % BLOCK_PAGES) == 0u)) {
        look(domain, gfn, &page);
        if ((page.perm == 0u) && (page.bytes >= BLOCK_BYTES) && may_have(domain, BLOCK_PAGES) &&
            (set->nr < ((domain->max_pages + (BLOCK_PAGES - 1u)) / BLOCK_PAGES))) {
            status = blocks_take(set, true, &at);
        }
    } else {
        /* it has chunks, or this is a part of a block */
    }
    if (status == HV_OK) {
        status = hal_guestmap_map(&domain->hal.map, gpa(gfn << PAGE_SHIFT), at, BLOCK_BYTES, HAL_PERM_RWX,
                                  HAL_MEM_NORMAL);
        if (status == HV_OK) {
            set->end_gfn = bits_max(set->end_gfn, gfn + BLOCK_PAGES);
        } else {
            out_set(domain, at.v >> PAGE_SHIFT, BLOCK_PAGES, true);
        }
    }
    spin_unlock(&domain->lock, flags);
    return status;
}

uint64_t p2m_pages(const struct domain *domain)
{
    const struct p2m *const p2m = domain->p2m; /* once: it may go now; its page stays */

    if (p2m_blocks(domain) != NULL) { /* Xen counts those over which something was put, for good */
        return domain->blocks->nr_pages + ((p2m != NULL) ? p2m->covered : 0u);
    }
    return (domain->plan->memory_bytes >> PAGE_SHIFT) - ((p2m != NULL) ? p2m->given : 0u);
}

enum hv_status p2m_frame(struct domain *owner, uint64_t gfn, bool write, hpa_t *frame)
{
    const uint64_t flags = spin_lock(&owner->lock);
    const uint32_t wanted = write ? HAL_PERM_W : HAL_PERM_R;
    struct hal_guestmap_page page = { .perm = 0u };
    uint64_t rest = 0;

    if ((owner->reachable != 0u) && gfn_is_good(gfn)) {
        look(owner, gfn, &page);
    }
    const bool own = ((page.perm & wanted) != 0u) &&
                     ((p2m_number(owner, page.to.v, true, &rest) != P2M_NONE) || p2m_is_ring(owner, page.to));
    enum hv_status status = own ? HV_OK : HV_INVALID;

    if (owner->reachable == 0u) {
        status = HV_BUSY;
    }
    *frame = page.to;
    spin_unlock(&owner->lock, flags);
    return status;
}

bool p2m_hold(const struct domain *domain, hpa_t at)
{
    uint64_t rest = 0;
    bool held = true;

    if (p2m_blocks(domain) != NULL) {
        blocks_pin(at);
        const uint64_t number = p2m_number(domain, at.v, true, &rest);

        held = (number != P2M_NONE) && !p2m_is_out(domain, number);
        if (!held) {
            blocks_unpin(at);
        }
    }
    return held;
}

enum hv_status p2m_put_device(struct domain *domain, uint64_t gfn, uint64_t idx)
{
    const uint64_t flags = spin_lock(&domain->lock);
    struct hal_guestmap_page page = { .perm = 0u };
    enum hv_status status = HV_INVALID;

    if ((domain->p2m != NULL) && gfn_is_good(idx)) {
        look(domain, idx, &page);
    }
    if (((page.perm & HAL_PERM_DEV) != 0u) && (page.to.v == (idx << PAGE_SHIFT))) {
        status = p2m_lead(domain, gfn, page.to, HAL_PERM_R | HAL_PERM_W, 0u, NULL);
    }
    spin_unlock(&domain->lock, flags);
    return status;
}
