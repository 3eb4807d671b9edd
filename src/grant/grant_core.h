/* Between the files of grant/ only. What is called with a table's lock held says so.
 * An entry is the guest's, which may change it at any moment: it is read once, and its use made known in it
 * by a bounded number of attempts. What we know of it ourselves is only how often it is in use (its pins). */
#ifndef GRANT_GRANT_CORE_H
#define GRANT_GRANT_CORE_H

#include "domain/p2m.h"
#include "domain/role.h"
#include "grant/grant.h"
#include "hal/sync.h"

#define GRANT_PINS_A_PAGE    1024u
#define GRANT_STATUS_A_PAGE  2048u
#define GRANT_HANDLES_A_PAGE 256u
#define GRANT_FRAMES_MAX     1024u /* of a table, and pages of handles, whatever the plan allows */
#define GRANT_HANDLES_MAX    1024u

/* How often an entry is in use for reading only, and for writing */
struct grant_pins {
    uint16_t readers;
    uint16_t writers;
};

/* What a handle maps; under the granter's lock while it is in use. */
struct grant_handle {
    uint64_t where;         /* gfn in the mapper, above it the entry; free: the next free one, + 1 */
    uint32_t life;          /* the granter's */
    volatile uint32_t whom; /* HANDLE_USED, HANDLE_WRITES, index of the granter; 0: free */
};
#define HANDLE_USED      BIT32(31)
#define HANDLE_WRITES    BIT32(30)
#define HANDLE_WHOM_MASK 0x1Fu
#define HANDLE_GFN_BITS  40u

_Static_assert(HV_DOMAINS_MAX <= (HANDLE_WHOM_MASK + 1u), "an index fits a handle");

/* Pointers to pages, each made when it is first needed: NULL before. */
struct grant_pages {
    void **page;
    uint32_t nr_max;
};

struct grant_table {
    struct spinlock lock;
    struct domain *domain;
    bool up;
    uint32_t life;
    uint32_t version;             /* 0: it is being changed, and nothing is granted */
    uint32_t next_version;        /* then */
    uint32_t nr_empty;            /* ... and so many frames are empty by now */
    uint32_t nr_frames;           /* as the guest knows */
    uint32_t nr_pinned;           /* entries in use but for the reserved ones */
    volatile uint32_t nr_copies;  /* of its frames that are going on */
    volatile uint32_t nr_handles; /* ever given to it as a mapper */
    uint32_t free_handle;         /* + 1; 0: none */
    struct grant_pages frame;
    struct grant_pages status;
    struct grant_pages pins;
    struct grant_pages handle;
};

/* One use of an entry */
struct grant_use {
    struct grant_table *table;
    uint32_t ref;
    bool write;
    bool whole;     /* in: for a mapping, so a part of a page does not do */
    hpa_t frame;    /* out */
    uint32_t first; /* out: bytes [first, end) of it */
    uint32_t end;
};

static inline bool grant_is_used(const struct grant_pins *pins)
{
    return (pins->readers != 0u) || (pins->writers != 0u);
}

/* -- grant.c; lock held -- */
/* The table of the domain of that number; NULL: it has none. */
struct grant_table *grant_table_of(uint32_t domid);
void grant_pages_zero(const struct grant_pages *pages);
/* NULL: the pool is empty. */
void *grant_page_make(const struct grant_table *gt, void **slot);

/* A page of these, made if it is not there yet; NULL: the pool is empty, or there is no such. */
static inline void *grant_page(const struct grant_table *gt, const struct grant_pages *pages, uint32_t i)
{
    void **const slot = &pages->page[i];

    if (i >= pages->nr_max) {
        return NULL;
    }
    return (*slot != NULL) ? *slot : grant_page_make(gt, slot);
}

/* An entry takes 8 bytes, or 16. */
static inline uint32_t grant_entry_shift(uint32_t version)
{
    return version + 2u;
}

static inline uint32_t grant_nr_refs(const struct grant_table *gt)
{
    return (gt->version == 0u) ? 0u : (gt->nr_frames << (PAGE_SHIFT - grant_entry_shift(gt->version)));
}

/* How often that entry is in use; NULL as above. ref < grant_nr_refs(). */
static inline struct grant_pins *grant_pins_of(const struct grant_table *gt, uint32_t ref)
{
    struct grant_pins *const pins = grant_page(gt, &gt->pins, ref / GRANT_PINS_A_PAGE);

    return (pins != NULL) ? &pins[ref % GRANT_PINS_A_PAGE] : NULL;
}

/* -- grant_entry.c; lock held -- */
/* The entry's words; NULL: the guest has never had that frame of the table. ref < grant_nr_refs(). */
volatile uint32_t *grant_entry(const struct grant_table *gt, uint32_t ref);
/* Begins a use of what the entry grants to `by`: GNTST_. */
int16_t grant_claim(struct grant_use *use, const struct domain *by);
void grant_release(struct grant_table *gt, uint32_t ref, bool write);

/* -- grant_map.c -- */
/* Worker context: ends what the domain uses of others. */
void grant_handles_end(struct grant_table *gt, void (*breathe)(void));

#endif
