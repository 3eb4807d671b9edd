/* Entries: what they grant, and to whom it is known that they are in use. */
/* [impl->req~grants~1] [impl->req~guest-words-bounded~1] */
#include "grant/grant_core.h"

#include "lib/string.h"

/* A guest that writes an entry without end makes our own writing fail without end: it has itself to thank. */
#define TRIES         64u
#define IN_USE        (GTF_READING | GTF_WRITING)
#define FRAMES_A_CALL 16u /* a change of version goes on with the next one */

volatile uint32_t *grant_entry(const struct grant_table *gt, uint32_t ref)
{
    const uint32_t offset = ref << grant_entry_shift(gt->version);
    uint32_t *const page = (uint32_t *)gt->frame.page[offset / PAGE_BYTES];

    return (page != NULL) ? &page[(offset % PAGE_BYTES) / sizeof(uint32_t)] : NULL;
}

/* Version 2: where the guest reads whether the entry is in use; NULL as ever */
static volatile uint16_t *status_of(const struct grant_table *gt, uint32_t ref)
{
    uint16_t *const page = grant_page(gt, &gt->status, ref / GRANT_STATUS_A_PAGE);

    return (page != NULL) ? &page[ref % GRANT_STATUS_A_PAGE] : NULL;
}

static uint32_t use_flags(bool write)
{
    return write ? IN_USE : GTF_READING;
}

static bool permits(const struct grant_use *use, uint32_t head, uint32_t domid)
{
    const bool is_part = (use->table->version == 2u) && ((head & GTF_SUB_PAGE) != 0u);

    return ((head & GTF_TYPE_MASK) == GTF_PERMIT_ACCESS) && ((head >> 16u) == domid) &&
           (!use->write || ((head & GTF_READONLY) == 0u)) && (!use->whole || !is_part);
}

/* The guest takes an entry back by clearing its flags if they do not say that it is in use. The head that
 * permits this use and is marked now; 0: it does not, or would not stand still. */
static uint32_t mark(const struct grant_use *use, volatile uint32_t *entry, volatile uint16_t *status,
                     uint32_t domid)
{
    const uint32_t flags = use_flags(use->write);
    uint32_t head = hal_load_acquire32(entry);
    bool done = false;

    for (uint32_t left = TRIES; (left > 0u) && !done && permits(use, head, domid); left--) {
        const uint32_t was = head;

        if (status != NULL) {
            *status |= (uint16_t)flags;
            hal_barrier();
            head = hal_load_acquire32(entry);
            done = head == was;
        } else if (((head & flags) == flags) || hal_try_swap32(entry, head, head | flags)) {
            done = true;
        } else {
            head = hal_load_acquire32(entry);
        }
    }
    return done ? head : 0u;
}

/* The entry's flags become what its pins say. */
static void tell(const struct grant_table *gt, uint32_t ref, const struct grant_pins *pins)
{
    volatile uint32_t *const entry = grant_entry(gt, ref);
    const uint32_t flags = grant_is_used(pins) ? use_flags(pins->writers != 0u) : 0u;
    bool done = (entry == NULL);

    hal_barrier(); /* what was done with the frame comes first */
    if (gt->version == 2u) {
        volatile uint16_t *const status = status_of(gt, ref);

        if (status != NULL) {
            *status = (uint16_t)flags;
        }
        done = true;
    }
    for (uint32_t left = TRIES; (left > 0u) && !done; left--) {
        const uint32_t head = *entry;
        const uint32_t wanted = (head & ~IN_USE) | flags;

        done = (head == wanted) || hal_try_swap32(entry, head, wanted);
    }
}

/* What the entry says beyond its head, which is marked. */
static uint64_t entry_frame(struct grant_use *use, const volatile uint32_t *entry, uint32_t head)
{
    uint64_t gfn = entry[1];

    use->first = 0u;
    use->end = PAGE_BYTES;
    if (use->table->version == 2u) {
        if ((head & GTF_SUB_PAGE) != 0u) {
            use->first = (uint32_t)gfn & 0xFFFFu;
            use->end = use->first + (uint32_t)(gfn >> 16u);
        }
        gfn = entry[2] | ((uint64_t)entry[3] << 32u);
    }
    return gfn;
}

static inline void pins_count(struct grant_table *gt, uint32_t ref, struct grant_pins *pins, bool write,
                              uint32_t by)
{
    const bool was = grant_is_used(pins);

    if (write) {
        pins->writers = (uint16_t)(pins->writers + by);
    } else {
        pins->readers = (uint16_t)(pins->readers + by);
    }
    if ((ref >= GNTTAB_NR_RESERVED_ENTRIES) && (was != grant_is_used(pins))) {
        gt->nr_pinned += by;
    }
}

#define ONE_LESS UINT32_MAX

/* Marks and counts; the granter pays for what that takes. */
static int16_t claim(struct grant_use *use, volatile uint32_t *entry, uint32_t domid)
{
    struct grant_table *const gt = use->table;
    struct grant_pins *const pins = grant_pins_of(gt, use->ref);
    volatile uint16_t *const status = (gt->version == 2u) ? status_of(gt, use->ref) : NULL;
    int16_t result = GNTST_GENERAL_ERROR;

    if ((pins == NULL) || ((gt->version == 2u) && (status == NULL))) {
        return GNTST_NO_SPACE;
    }
    if ((pins->readers == UINT16_MAX) || (pins->writers == UINT16_MAX)) {
        return GNTST_GENERAL_ERROR;
    }
    const uint32_t head = mark(use, entry, status, domid);

    if (head != 0u) {
        const uint64_t gfn = entry_frame(use, entry, head);

        result = (p2m_frame(gt->domain, gfn, use->write, &use->frame) == HV_OK) ? GNTST_OKAY : GNTST_BAD_PAGE;
    }
    if (result == GNTST_OKAY) {
        pins_count(gt, use->ref, pins, use->write, 1u);
    } else {
        tell(gt, use->ref, pins);
    }
    return result;
}

int16_t grant_claim(struct grant_use *use, const struct domain *by)
{
    struct grant_table *const gt = use->table;
    const uint32_t nr = gt->up ? grant_nr_refs(gt) : 0u;
    int16_t result = GNTST_GENERAL_ERROR;

    if (!gt->up) {
        result = GNTST_BAD_DOMAIN;
    } else if (use->ref >= nr) {
        result = GNTST_BAD_GNTREF;
    } else {
        use->ref = hal_index(use->ref, nr);
        volatile uint32_t *const entry = grant_entry(gt, use->ref);

        if ((entry != NULL) && permits(use, *entry, by->id)) {
            result = claim(use, entry, by->id);
        }
    }
    return result;
}

void grant_release(struct grant_table *gt, uint32_t ref, bool write)
{
    struct grant_pins *const pins = grant_pins_of(gt, ref);

    if (pins != NULL) { /* it was there when it was claimed */
        pins_count(gt, ref, pins, write, ONE_LESS);
        if (gt->version != 0u) {
            tell(gt, ref, pins);
        }
    }
}

/* -- What the guest has done with its own table -- */

/* Lock held. */
static int16_t swap(const struct grant_table *gt, uint32_t a, uint32_t b)
{
    volatile uint32_t *const entry[2] = { grant_entry(gt, a), grant_entry(gt, b) };
    const struct grant_pins *const pins[2] = { grant_pins_of(gt, a), grant_pins_of(gt, b) };

    if ((entry[0] == NULL) || (entry[1] == NULL)) {
        return GNTST_BAD_GNTREF;
    }
    if ((pins[0] == NULL) || (pins[1] == NULL)) {
        return GNTST_NO_SPACE;
    }
    if (grant_is_used(pins[0]) || grant_is_used(pins[1])) {
        return GNTST_EAGAIN;
    }
    for (uint32_t i = 0; i < (gt->version * 2u); i++) {
        const uint32_t word = entry[0][i];

        entry[0][i] = entry[1][i];
        entry[1][i] = word;
    }
    return GNTST_OKAY;
}

int64_t grant_swap(struct vcpu *vcpu, union xen_grant_op *arg)
{
    struct grant_table *const gt = vcpu->domain->grants;
    const uint64_t flags = spin_lock(&gt->lock);
    const uint32_t nr = grant_nr_refs(gt);
    const uint32_t a = hal_index(arg->swap.ref_a, nr);
    const uint32_t b = hal_index(arg->swap.ref_b, nr);
    const bool known = (arg->swap.ref_a < nr) && (arg->swap.ref_b < nr);

    arg->swap.status = known ? swap(gt, a, b) : GNTST_BAD_GNTREF;
    spin_unlock(&gt->lock, flags);
    return 0;
}

/* Lock held. Nothing is granted until the last frame is empty, but what the reserved entries grant stays: one
 * that the other version has no words for does not. */
static void version_begin(struct grant_table *gt, uint32_t version)
{
    uint32_t head[GNTTAB_NR_RESERVED_ENTRIES];
    uint64_t gfn[GNTTAB_NR_RESERVED_ENTRIES];
    const bool is_there = gt->frame.page[0] != NULL;

    for (uint32_t ref = 0; (ref < GNTTAB_NR_RESERVED_ENTRIES) && is_there; ref++) {
        const volatile uint32_t *const entry = grant_entry(gt, ref);
        struct grant_use use = { .table = gt };

        head[ref] = entry[0] & ~IN_USE;
        gfn[ref] = entry_frame(&use, entry, head[ref]);
        if (((head[ref] & GTF_TYPE_MASK) != GTF_PERMIT_ACCESS) || (use.end != PAGE_BYTES) ||
            (gfn[ref] > UINT32_MAX)) {
            head[ref] = 0u;
        }
    }
    grant_pages_zero(&gt->status);
    gt->version = version;
    if (is_there) {
        (void)memset(gt->frame.page[0], 0, PAGE_BYTES);
    }
    for (uint32_t ref = 0; (ref < GNTTAB_NR_RESERVED_ENTRIES) && is_there; ref++) {
        volatile uint32_t *const entry = grant_entry(gt, ref);

        entry[(version == 1u) ? 1u : 2u] = (uint32_t)gfn[ref];
        const struct grant_pins *const pins = grant_pins_of(gt, ref);

        entry[0] = head[ref];
        if (pins != NULL) {
            tell(gt, ref, pins);
        }
    }
    gt->version = 0u;
    gt->next_version = version;
    gt->nr_empty = 1u;
}

/* Lock held. True: done. */
static bool version_goes_on(struct grant_table *gt)
{
    for (uint32_t n = 0; (n < FRAMES_A_CALL) && (gt->nr_empty < gt->frame.nr_max); n++) {
        if (gt->frame.page[gt->nr_empty] != NULL) {
            (void)memset(gt->frame.page[gt->nr_empty], 0, PAGE_BYTES);
        }
        gt->nr_empty++;
    }
    if (gt->nr_empty >= gt->frame.nr_max) {
        gt->version = gt->next_version;
    }
    return gt->version != 0u;
}

int64_t grant_set_version(struct vcpu *vcpu, union xen_grant_op *arg)
{
    struct grant_table *const gt = vcpu->domain->grants;
    const uint32_t version = arg->set_version;
    int64_t result = 0;

    if ((version != 1u) && (version != 2u)) {
        return -XEN_EINVAL;
    }
    if (version > vcpu->domain->plan->max_grant_version) {
        return -XEN_ENOSYS;
    }
    const uint64_t flags = spin_lock(&gt->lock);

    if (gt->version == version) {
        /* so it is */
    } else if ((gt->version != 0u) && (gt->nr_pinned != 0u)) {
        result = -XEN_EBUSY;
    } else if ((gt->version != 0u) && (version == 2u) && (grant_page(gt, &gt->status, 0u) == NULL)) {
        result = -XEN_ENOMEM;
    } else {
        if (gt->version != 0u) {
            version_begin(gt, version);
        }
        result = (version_goes_on(gt) && (gt->version == version)) ? 0 : GRANT_AGAIN;
    }
    spin_unlock(&gt->lock, flags);
    return result;
}
