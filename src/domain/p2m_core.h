/* Between the files of p2m only. All under the lock of the domain that maps, unless told otherwise. */
#ifndef DOMAIN_P2M_CORE_H
#define DOMAIN_P2M_CORE_H

#include "domain/p2m.h"
#include "hal/hypmap.h"
#include "hal/sync.h"

#define P2M_REFS_A_PAGE 128u
#define P2M_REF_PAGES   248u
#define P2M_BUCKETS     512u
#define P2M_CHAIN_MAX   512u /* references in a bucket: walks are with the lock held */
#define P2M_TABLES      24u
#define P2M_OUT_BITS    (8u * PAGE_BYTES)             /* frames of one page of bits */
#define P2M_OUT_PAGES   (PAGE_BYTES / sizeof(void *)) /* of one table */
#define P2M_NONE        UINT64_MAX

/* A page of the map that leads to what is not its domain's RAM. Numbered from 1; 0: none */
struct p2m_ref {
    uint64_t frame; /* host address; 0: not in use */
    uint64_t gfn;
    struct domain *owner; /* NULL: the page is the hypervisor's, for this domain */
    uint16_t next;        /* of the same bucket, or of those not in use */
    bool write;
};

/* A page of the domain's pool */
struct p2m {
    void *volatile
        *volatile out[P2M_TABLES]; /* tables of pages of bits: the n-th frame is out; NULL: none is */
    uint64_t given;                /* so many went out by the guest's own wish ... */
    uint64_t covered;              /* ... and so many as something took their place */
    uint64_t hint;                 /* a frame that went out not long ago */
    uint64_t claim;                /* a frame that is out and about to be populated; P2M_NONE */
    void *stand_in;                /* where revoked pages lead */
    uint16_t nr_refs;              /* numbers ever used */
    uint16_t free;                 /* first of those not in use */
    bool identity; /* its devices find foreign frames where the host has them: each has a second page there */
    uint16_t bucket[P2M_BUCKETS];
    struct p2m_ref *page[P2M_REF_PAGES];
};

_Static_assert((sizeof(struct p2m_ref) * P2M_REFS_A_PAGE) <= PAGE_BYTES, "references fill a page");
_Static_assert(sizeof(struct p2m) <= PAGE_BYTES, "it is a page");

/* -- p2m.c -- */
/* Any lock, or none, while the frames stay the domain's: a page of its memory by its number. By guest's or
 * host's address: P2M_NONE: it is none; *rest: how many follow in a row, with itself. */
uint64_t p2m_number(const struct domain *domain, uint64_t at, bool by_host, uint64_t *rest);
/* Is the frame of this number out? No lock needed while the domain is reachable. */
bool p2m_is_out(const struct domain *domain, uint64_t number);
/* Leads gfn to a frame, or nowhere (perm 0). What was there goes: a frame of its own is out, a reference
 * dropped, but not `fresh`. keep, if not NULL, gets the contents of its own frame, which must be there. */
HV_MUST_CHECK enum hv_status p2m_lead(struct domain *domain, uint64_t gfn, hpa_t to, uint32_t perm,
                                      uint32_t fresh, void *keep);

/* What the domain has instead of chunks; NULL */
static inline struct block_set *p2m_blocks(const struct domain *domain)
{
    return (CONFIG_CONTROL != 0) ? domain->blocks : NULL;
}

static inline bool p2m_is_ring(const struct domain *domain, hpa_t frame)
{
    bool is = false;

    for (uint32_t i = 0; i < DOMAIN_SERVERS; i++) {
        is = is || ((domain->ring[i] != NULL) && (hal_hypmap_hpa(domain->ring[i]).v == frame.v));
    }
    return is;
}

static inline bool p2m_is_stand_in(const struct p2m *p2m, hpa_t frame)
{
    return (p2m->stand_in != NULL) && (hal_hypmap_hpa(p2m->stand_in).v == frame.v);
}

/* -- p2m_ref.c -- */
/* gfn P2M_NONE: wherever it is. All that lead to one frame have the same owner. */
struct p2m_ref *p2m_ref_find(struct p2m *p2m, hpa_t frame, uint64_t gfn, uint32_t but);
void p2m_ref_drop(struct domain *domain, struct p2m_ref *ref);

#endif
