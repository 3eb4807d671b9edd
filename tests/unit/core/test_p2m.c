/* Domains' memory page by page: what a map holds, frames that are out, what is foreign, and what becomes of
 * it when an owner or a mapper ends. [test->req~memory-op~1] [test->req~foreign-revoked~1] */
#include "bench.h"

#include "domain/p2m_core.h"

#define RAM   0x80000000ULL
#define HEAP  (RAM + MIB(48))
#define GUEST 0x40000000ULL
#define GFN   (GUEST >> PAGE_SHIFT)
#define FRAME(n)                                                                                             \
    (RAM + ((uint64_t)(n) * MIB(8))) /* where domain n's memory lies: 4 MiB, and 2 MiB behind a gap */
#define PAGES     1536u
#define ELSEWHERE (0x30000000ULL >> PAGE_SHIFT)
#define POOL      32u

static uint32_t nr_breaths;

static void breathe(void)
{
    nr_breaths++;
}

static struct domain *begin(uint32_t n, bool enhanced, bool identity)
{
    struct domain *const d = &bench_domain[n];
    const struct hal_domain_config config = { .nr_vcpus = 1u, .map_id = (uint16_t)(n + 1u) };

    if (d->pool.pages == NULL) {
        CHECK(pool_init(&d->pool, POOL) == HV_OK);
        spin_init(&d->lock, LOCK_DOMAIN);
    }
    d->plan = &bench_plan[n];
    d->id = (domid_t)(n + 1u);
    bench_plan[n].enhanced = enhanced ? PLAN_ENHANCED_NO_XENSTORE : PLAN_ENHANCED_NONE;
    bench_plan[n].host_memory = identity;
    bench_plan[n].memory_bytes = (uint64_t)PAGES * PAGE_BYTES;
    d->chunk[0] = (struct domain_chunk){ gpa(identity ? FRAME(n) : GUEST), hpa(FRAME(n)), MIB(4) };
    d->chunk[1] = (struct domain_chunk){ gpa(identity ? (FRAME(n) + MIB(5)) : (GUEST + MIB(4))),
                                         hpa(FRAME(n) + MIB(5)), MIB(2) };
    d->nr_chunks = 2u;
    CHECK(hal_domain_init(&d->hal, &config) == HV_OK);
    for (uint32_t i = 0u; i < d->nr_chunks; i++) {
        CHECK(hal_guestmap_map(&d->hal.map, d->chunk[i].at, d->chunk[i].to, d->chunk[i].bytes, HAL_PERM_RWX,
                               HAL_MEM_NORMAL) == HV_OK);
    }
    CHECK(p2m_begin(d, identity) == HV_OK);
    domain_table[n] = d;
    domain_count = (domain_count > n) ? domain_count : (n + 1u);
    return d;
}

static void end(struct domain *d)
{
    p2m_revoke(d, breathe);
    p2m_reset(d);
    hal_domain_destroy(&d->hal);
    CHECK(d->pool.nr_free == POOL); /* nothing is left behind */
    CHECK(d->nr_foreign == 0u);
}

static void setup(void)
{
    uint64_t used = 0u;
    void *va = NULL;

    fake_reset();
    fake_cpu_set(OUTSIDE);
    fake_ram_setup(RAM, MIB(64));
    CHECK(hal_hypmap_heap(hpa(HEAP), MIB(8), &va, &used) == HV_OK);
    heap_init((uint8_t *)va + used, MIB(8) - used);
    domain_count = 0u;
}

static uint64_t at(struct domain *d, uint64_t gfn)
{
    hpa_t frame = hpa(0u);

    return (p2m_lookup(d, gfn, &frame) == HV_OK) ? frame.v : 0u;
}

static bool writes(const struct domain *d, uint64_t gfn, uint32_t value)
{
    return fake_guest_write(&d->hal.map, gpa(gfn << PAGE_SHIFT), &value, sizeof(value));
}

static uint32_t reads(const struct domain *d, uint64_t gfn)
{
    uint32_t value = UINT32_MAX;

    (void)fake_guest_read(&d->hal.map, gpa(gfn << PAGE_SHIFT), &value, sizeof(value));
    return value;
}

static enum hv_status take(struct domain *d, uint64_t gfn, uint64_t nr)
{
    enum hv_status status = HV_OK;
    uint64_t left = nr;

    while ((left > 0u) && (status == HV_OK)) {
        uint64_t done = 0u;

        status = p2m_take(d, gfn + (nr - left), left, &done);
        CHECK((status != HV_OK) || ((done > 0u) && (done <= left)));
        left -= done;
    }
    return status;
}

static enum hv_status map(struct domain *mapper, uint64_t gfn, struct domain *owner, uint64_t owner_gfn,
                          bool readonly)
{
    hpa_t frame = hpa(0u);
    const enum hv_status status = p2m_frame(owner, owner_gfn, !readonly, &frame);

    return (status == HV_OK) ? p2m_map_foreign(mapper, gfn, owner, frame, readonly) : status;
}

/* Does any map but the owner's lead to its memory? */
static bool others_reach(const struct domain *owner)
{
    bool found = false;

    for (uint32_t n = 0u; n < domain_count; n++) {
        gpa_t where = gpa(0u);
        hpa_t to = hpa(0u);
        uint64_t bytes = 0u;
        uint32_t perm = 0u;

        for (uint32_t i = 0u; (domain_table[n] != owner) &&
                              fake_map_region(&domain_table[n]->hal.map, i, &where, &to, &bytes, &perm);
             i++) {
            found = found || ((to.v < (FRAME(owner - bench_domain) + MIB(7))) &&
                              ((to.v + bytes) > FRAME(owner - bench_domain)));
        }
    }
    return found;
}

static void holes_scenario(void)
{
    setup();
    struct domain *const d = begin(0u, true, false);

    CHECK(p2m_pages(d) == PAGES);
    CHECK(writes(d, GFN + 5u, 0xABCDu));
    CHECK(take(d, GFN + 5u, 1u) == HV_OK);
    CHECK((at(d, GFN + 5u) == 0u) && !writes(d, GFN + 5u, 1u) && writes(d, GFN + 4u, 1u) &&
          writes(d, GFN + 6u, 1u));
    CHECK(p2m_pages(d) == (PAGES - 1u));
    CHECK(take(d, GFN + 5u, 1u) == HV_NOT_FOUND);
    CHECK(p2m_populate(d, GFN + 6u) == HV_EXISTS);
    CHECK(p2m_populate(d, GFN + 5u) == HV_OK);
    CHECK((at(d, GFN + 5u) == (FRAME(0) + (5u * PAGE_BYTES))) && (reads(d, GFN + 5u) == 0u));
    CHECK(p2m_pages(d) == PAGES);
    /* over the gap between its pieces of memory, and everything at once */
    CHECK(take(d, GFN + 1020u, 10u) == HV_OK);
    CHECK((at(d, GFN + 1019u) != 0u) && (at(d, GFN + 1020u) == 0u) && (at(d, GFN + 1029u) == 0u) &&
          (at(d, GFN + 1030u) == (FRAME(0) + MIB(5) + (6u * PAGE_BYTES))));
    for (uint64_t i = 1020u; i < 1030u; i++) {
        CHECK(p2m_populate(d, GFN + i) == HV_OK);
    }
    CHECK(at(d, GFN + 1024u) == (FRAME(0) + MIB(5)));
    CHECK(take(d, GFN, PAGES) == HV_OK);
    CHECK(p2m_pages(d) == 0u);
    for (uint64_t i = 0u; i < PAGES; i++) {
        CHECK(p2m_populate(d, GFN + i) == HV_OK);
        CHECK(reads(d, GFN + i) == 0u);
    }
    CHECK(p2m_pages(d) == PAGES);
    CHECK(take(d, GFN + PAGES, 1u) == HV_NOT_FOUND);
    CHECK(take(d, UINT64_MAX, 1u) == HV_INVALID);
    CHECK(p2m_populate(d, UINT64_MAX >> PAGE_SHIFT) == HV_INVALID);
    end(d);
    /* whose map stays as it was built */
    struct domain *const plain = begin(1u, false, false);
    uint64_t done = 0u;

    CHECK(p2m_take(plain, GFN, 1u, &done) == HV_BUSY);
    CHECK(p2m_populate(plain, ELSEWHERE) == HV_BUSY);
    CHECK(p2m_pages(plain) == PAGES);
    end(plain);
    CHECK(p2m_populate(d, GFN) == HV_BUSY); /* it is down */
}
ALONE(holes)

static void elsewhere_scenario(void)
{
    setup();
    struct domain *const d = begin(0u, true, false);

    CHECK(p2m_populate(d, ELSEWHERE) == HV_NO_MEMORY); /* it never has more than its own */
    CHECK(take(d, GFN + 1100u, 2u) == HV_OK);
    CHECK(p2m_populate(d, ELSEWHERE) == HV_OK);
    CHECK(at(d, ELSEWHERE) == (FRAME(0) + MIB(5) + (76u * PAGE_BYTES)));
    CHECK(p2m_populate(d, GFN + 1100u) == HV_NO_MEMORY); /* that frame is elsewhere */
    CHECK(p2m_populate(d, GFN + 1101u) == HV_OK);
    CHECK(p2m_populate(d, ELSEWHERE + 1u) == HV_NO_MEMORY);
    CHECK(take(d, ELSEWHERE, 1u) == HV_OK);
    CHECK(p2m_populate(d, GFN + 1100u) == HV_OK);
    CHECK(p2m_pages(d) == PAGES);
    end(d);
}
ALONE(elsewhere)

static void pages_scenario(void)
{
    setup();
    struct domain *const d = begin(0u, true, false);
    uint8_t *const page = pool_alloc(&d->pool);
    uint8_t *const other = pool_alloc(&d->pool);

    CHECK(writes(d, GFN + 7u, 0x1234u));
    CHECK(p2m_put_page(d, GFN + 7u, page, true) == HV_OK);
    CHECK((at(d, GFN + 7u) == hal_hypmap_hpa(page).v) && (reads(d, GFN + 7u) == 0x1234u));
    CHECK(writes(d, GFN + 7u, 0x5678u) && (page[0] == 0x78u));
    CHECK(p2m_put_page(d, GFN + 8u, page, false) == HV_EXISTS);     /* one place at a time */
    CHECK(p2m_put_page(d, ELSEWHERE, other, true) == HV_NOT_FOUND); /* nothing to keep there */
    CHECK(p2m_put_page(d, ELSEWHERE, other, false) == HV_OK);
    CHECK(p2m_unmap_foreign(d, ELSEWHERE) == HV_NOT_FOUND);
    CHECK(take(d, GFN + 7u, 1u) == HV_OK);
    CHECK((at(d, GFN + 7u) == 0u) && (p2m_pages(d) == PAGES));
    CHECK(p2m_put_page(d, ELSEWHERE, page, false) == HV_OK); /* in place of the other, which is free again */
    CHECK(p2m_put_page(d, GFN + 8u, other, false) == HV_OK);
    CHECK(take(d, ELSEWHERE, 1u) == HV_OK);
    CHECK(p2m_put_page(d, ELSEWHERE + 1u, page, false) == HV_OK);
    CHECK(p2m_put_page(d, UINT64_MAX, other, false) != HV_OK);
    CHECK(p2m_populate(d, GFN + 7u) == HV_OK); /* its own frame waited */
    CHECK((reads(d, GFN + 7u) == 0u) && (p2m_pages(d) == PAGES));
    CHECK(!p2m_is_mapped(hal_hypmap_hpa(page)));
    p2m_revoke(d, breathe);
    p2m_reset(d);
    hal_domain_destroy(&d->hal);
    pool_free(&d->pool, page);
    pool_free(&d->pool, other);
    CHECK(d->pool.nr_free == POOL);
}
ALONE(pages)

static void foreign_scenario(void)
{
    setup();
    struct domain *const owner = begin(0u, true, false);
    struct domain *const mapper = begin(1u, true, false);
    hpa_t frame = hpa(0u);

    CHECK(writes(owner, GFN + 3u, 42u));
    CHECK(map(mapper, ELSEWHERE, owner, GFN + 3u, false) == HV_OK);
    CHECK((reads(mapper, ELSEWHERE) == 42u) && writes(mapper, ELSEWHERE, 43u) &&
          (reads(owner, GFN + 3u) == 43u));
    CHECK(map(mapper, GFN + 9u, owner, GFN + 3u, true) == HV_OK); /* over its own memory, to be read only */
    CHECK((reads(mapper, GFN + 9u) == 43u) && !writes(mapper, GFN + 9u, 1u));
    CHECK(mapper->nr_foreign == 2u);
    CHECK(p2m_is_mapped(hpa(FRAME(0) + (3u * PAGE_BYTES))) && !p2m_is_mapped(hpa(FRAME(0))));
    CHECK(p2m_populate(mapper, GFN + 9u) == HV_EXISTS);
    /* the owner gives it away: it stays where it is mapped, and the owner does not have it again */
    CHECK(take(owner, GFN + 3u, 1u) == HV_OK);
    CHECK(p2m_populate(owner, GFN + 3u) == HV_NO_MEMORY);
    CHECK(p2m_populate(owner, ELSEWHERE) == HV_NO_MEMORY);
    CHECK(reads(mapper, ELSEWHERE) == 43u);
    CHECK(p2m_unmap_foreign(mapper, ELSEWHERE) == HV_OK);
    CHECK((at(mapper, ELSEWHERE) == 0u) && (p2m_unmap_foreign(mapper, ELSEWHERE) == HV_NOT_FOUND));
    CHECK(p2m_populate(owner, GFN + 3u) == HV_NO_MEMORY); /* one is left */
    CHECK(p2m_unmap_foreign(mapper, GFN + 9u) == HV_OK);
    CHECK((p2m_populate(owner, GFN + 3u) == HV_OK) && (reads(owner, GFN + 3u) == 0u));
    CHECK((p2m_populate(mapper, GFN + 9u) == HV_OK) && (mapper->nr_foreign == 0u));
    /* other ways to lose one: given away, and something else put there */
    CHECK(map(mapper, ELSEWHERE, owner, GFN + 3u, false) == HV_OK);
    CHECK(map(mapper, ELSEWHERE, owner, GFN + 4u, true) == HV_OK);
    CHECK(map(mapper, ELSEWHERE, owner, GFN + 4u, false) == HV_OK);
    CHECK((mapper->nr_foreign == 1u) && !p2m_is_mapped(hpa(FRAME(0) + (3u * PAGE_BYTES))));
    CHECK(writes(mapper, ELSEWHERE, 1u));
    CHECK(take(mapper, ELSEWHERE, 1u) == HV_OK);
    CHECK((mapper->nr_foreign == 0u) && (p2m_pages(mapper) == PAGES));
    /* what cannot be had: a page that is not there or may not be written, one that went out meanwhile */
    CHECK(p2m_frame(owner, ELSEWHERE, false, &frame) == HV_INVALID);
    CHECK(p2m_frame(owner, UINT64_MAX, false, &frame) == HV_INVALID);
    CHECK(map(mapper, ELSEWHERE, owner, GFN + 3u, false) == HV_OK);
    CHECK(p2m_frame(mapper, ELSEWHERE, false, &frame) == HV_INVALID); /* what it maps is not its to give */
    CHECK(p2m_frame(owner, GFN + 5u, true, &frame) == HV_OK);
    CHECK(take(owner, GFN + 5u, 1u) == HV_OK);
    CHECK(p2m_map_foreign(mapper, ELSEWHERE + 1u, owner, frame, false) == HV_BUSY);
    CHECK(p2m_map_foreign(mapper, ELSEWHERE + 1u, owner, hpa(FRAME(2)), false) ==
          HV_BUSY); /* not the owner's */
    CHECK(p2m_map_foreign(mapper, UINT64_MAX, owner, hpa(FRAME(0)), false) == HV_INVALID);
    CHECK((at(mapper, ELSEWHERE + 1u) == 0u) && (mapper->nr_foreign == 1u));
    /* what the table cannot hold */
    mapper->p2m->nr_refs = P2M_REF_PAGES * P2M_REFS_A_PAGE;
    CHECK(map(mapper, ELSEWHERE + 2u, owner, GFN, false) == HV_OK); /* those that are free first */
    while (mapper->p2m->free != 0u) {
        CHECK(map(mapper, ELSEWHERE + 2u + mapper->p2m->free, owner, GFN, false) == HV_OK);
    }
    CHECK(map(mapper, ELSEWHERE + 9u, owner, GFN, false) == HV_LIMIT);
    mapper->p2m->nr_refs = 8u;
    /* a domain without this interface can be mapped, and maps nothing */
    struct domain *const plain = begin(2u, false, false);

    CHECK(map(mapper, ELSEWHERE + 20u, plain, GFN + 1u, false) == HV_OK);
    CHECK(map(plain, ELSEWHERE, owner, GFN, false) == HV_BUSY);
    end(plain);
    CHECK(!others_reach(plain) && others_reach(owner));
    CHECK(p2m_frame(plain, GFN, false, &frame) == HV_BUSY);
    end(mapper);
    end(owner);
}
ALONE(foreign)

static void revoke_scenario(void)
{
    setup();
    struct domain *const owner = begin(0u, true, false);
    struct domain *const a = begin(1u, true, false);
    struct domain *const b = begin(2u, true, false);
    hpa_t frame = hpa(0u);

    for (uint64_t i = 0u; i < 40u; i++) { /* in the middle of large blocks, and where nothing was */
        CHECK(map(a, GFN + 600u + i, owner, GFN + i, (i % 2u) == 0u) == HV_OK);
        CHECK(map(b, ELSEWHERE + i, owner, GFN + 1030u - i, false) == HV_OK);
    }
    CHECK(map(a, ELSEWHERE, b, GFN, false) == HV_OK);
    owner->ring[DOMAIN_STORE] = pool_alloc(&owner->pool); /* stays with whoever serves it */
    const hpa_t store = hal_hypmap_hpa(owner->ring[DOMAIN_STORE]);

    bench_plan[b->plan - bench_plan].role = PLAN_ROLE_XENSTORE;
    CHECK(p2m_map_foreign(b, ELSEWHERE + 50u, owner, store, false) == HV_OK);
    CHECK(p2m_map_foreign(a, ELSEWHERE + 50u, owner, store, false) == HV_OK);
    CHECK(writes(owner, GFN + 1u, 77u) && (reads(a, GFN + 601u) == 77u));
    nr_breaths = 0u;
    p2m_revoke(owner, breathe);
    CHECK(nr_breaths >= 6u); /* in pieces */
    CHECK(!others_reach(owner) && others_reach(b));
    CHECK((reads(a, GFN + 601u) == 0u) && writes(a, GFN + 601u, 5u) && !writes(a, GFN + 600u, 5u));
    CHECK((at(a, GFN + 601u) == at(a, GFN + 639u)) && (at(a, GFN + 601u) != at(b, ELSEWHERE)));
    CHECK((reads(b, ELSEWHERE) == 0u) && (reads(owner, GFN + 1u) == 77u));
    CHECK((a->nr_foreign == 1u) && (b->nr_foreign == 1u) && (at(b, ELSEWHERE + 50u) == store.v));
    CHECK(at(a, ELSEWHERE + 50u) == at(a, GFN + 601u));
    CHECK(p2m_unmap_foreign(a, ELSEWHERE + 50u) == HV_OK);
    CHECK(p2m_unmap_foreign(b, ELSEWHERE + 50u) == HV_OK);
    pool_free(&owner->pool, owner->ring[DOMAIN_STORE]);
    owner->ring[DOMAIN_STORE] = NULL;
    CHECK(p2m_frame(owner, GFN, false, &frame) == HV_BUSY);
    CHECK(p2m_map_foreign(a, ELSEWHERE + 1u, owner, hpa(FRAME(0)), false) == HV_BUSY);
    for (uint64_t i = 0u; i < 40u; i++) { /* what was mapped is unmapped as ever */
        CHECK(p2m_unmap_foreign(a, GFN + 600u + i) == HV_OK);
        CHECK(p2m_unmap_foreign(a, GFN + 600u + i) == HV_NOT_FOUND);
        CHECK(p2m_populate(a, GFN + 600u + i) == HV_OK);
    }
    CHECK(take(b, ELSEWHERE, 1u) == HV_OK); /* or given away, or something is put there */
    CHECK(map(b, ELSEWHERE + 1u, a, GFN, false) == HV_OK);
    end(owner);
    CHECK(begin(0u, true, false) == owner);
    CHECK(map(b, ELSEWHERE + 2u, owner, GFN, false) == HV_OK);
    /* a mapper's end: nobody maps the owner's any more, and nobody waits */
    CHECK(p2m_is_mapped(hpa(FRAME(0))) && p2m_is_mapped(hpa(FRAME(1))));
    end(b);
    CHECK(!p2m_is_mapped(hpa(FRAME(0))) && !p2m_is_mapped(hpa(FRAME(1))));
    CHECK(at(a, ELSEWHERE) != FRAME(2));
    end(a);
    end(owner);
}
ALONE(revoke)

/* With fewer and fewer pages in the pool: what is refused changes nothing. */
static void runs_out_scenario(void)
{
    setup();
    struct domain *const owner = begin(0u, true, false);
    struct domain *const d = begin(1u, true, false);
    void *kept[POOL];
    void *page = pool_alloc(&owner->pool);
    uint32_t nr = 0u;

    while ((kept[nr] = pool_alloc(&d->pool)) != NULL) {
        nr++;
    }
    /* Each needs tables, a page of bits, of references or to stand in. */
    for (uint32_t free = 0u; free < 3u; free++) {
        CHECK((free == 0u) || (take(d, GFN + 100u, 1u) == HV_NO_MEMORY));
        CHECK(map(d, GFN + 101u, owner, GFN, false) == HV_NO_MEMORY);
        CHECK(map(d, ELSEWHERE, owner, GFN, false) == HV_NO_MEMORY);
        CHECK((d->nr_foreign == 0u) && !others_reach(owner));
        CHECK((at(d, GFN + 100u) == (FRAME(1) + (100u * PAGE_BYTES))) && writes(d, GFN + 101u, 1u));
        CHECK((at(d, ELSEWHERE) == 0u) && (p2m_pages(d) == PAGES));
        if (free < 2u) {
            nr--;
            pool_free(&d->pool, kept[nr]);
        }
        if (free == 0u) {
            CHECK(p2m_put_page(d, GFN + 102u, page, true) == HV_NO_MEMORY);
            CHECK(at(d, GFN + 102u) == (FRAME(1) + (102u * PAGE_BYTES)));
        }
    }
    while (nr > 0u) {
        nr--;
        pool_free(&d->pool, kept[nr]);
    }
    CHECK(map(d, GFN + 101u, owner, GFN, false) == HV_OK);
    CHECK(take(d, GFN + 100u, 1u) == HV_OK);
    end(d);
    pool_free(&owner->pool, page);
    end(owner);
}
ALONE(runs_out)

static void identity_scenario(void)
{
    setup();
    struct domain *const owner = begin(0u, true, false);
    struct domain *const d = begin(1u, true, true);
    const uint64_t there = FRAME(0) >> PAGE_SHIFT;

    CHECK(map(d, ELSEWHERE, owner, GFN, true) == HV_OK);
    CHECK((at(d, there) == FRAME(0)) && !writes(d, there, 1u));
    CHECK(map(d, ELSEWHERE + 1u, owner, GFN, false) == HV_OK);
    CHECK(writes(d, there, 9u) && (reads(owner, GFN) == 9u));
    CHECK(take(d, there, 1u) == HV_DENIED); /* it is not the guest's to take away */
    CHECK(map(d, there, owner, GFN + 1u, false) == HV_DENIED);
    CHECK(p2m_unmap_foreign(d, there) == HV_NOT_FOUND);
    CHECK(p2m_unmap_foreign(d, ELSEWHERE + 1u) == HV_OK);
    CHECK((at(d, there) == FRAME(0)) && !writes(d, there, 1u));
    CHECK(p2m_unmap_foreign(d, ELSEWHERE) == HV_OK);
    CHECK(at(d, there) == 0u);
    /* where the guest has put something else, the frame cannot be mapped */
    CHECK(map(d, there, owner, GFN + 1u, false) == HV_OK);
    CHECK(map(d, ELSEWHERE, owner, GFN, false) == HV_EXISTS);
    CHECK((at(d, ELSEWHERE) == 0u) && (at(d, there) == (FRAME(0) + PAGE_BYTES)) && (d->nr_foreign == 1u));
    CHECK(at(d, there + 1u) == (FRAME(0) + PAGE_BYTES));
    /* a frame at the place where the host has it */
    CHECK(p2m_unmap_foreign(d, there) == HV_OK);
    CHECK(at(d, there + 1u) == 0u);
    CHECK(map(d, there + 2u, owner, GFN + 2u, false) == HV_OK);
    CHECK(map(d, ELSEWHERE + 2u, owner, GFN + 2u, false) == HV_OK);
    CHECK(p2m_unmap_foreign(d, there + 2u) == HV_OK);
    CHECK(at(d, there + 2u) == (FRAME(0) + (2u * PAGE_BYTES))); /* for its devices */
    CHECK(map(d, ELSEWHERE + 3u, owner, GFN + 3u, false) == HV_OK);
    /* ... where something else comes, or nothing any more, while it is mapped elsewhere too */
    CHECK(map(d, there + 5u, owner, GFN + 5u, false) == HV_OK);
    CHECK(map(d, ELSEWHERE + 5u, owner, GFN + 5u, false) == HV_OK);
    CHECK(map(d, there + 5u, owner, GFN + 6u, false) == HV_OK);
    CHECK(at(d, there + 5u) == (FRAME(0) + (6u * PAGE_BYTES)));
    CHECK(p2m_unmap_foreign(d, ELSEWHERE + 5u) == HV_OK);
    CHECK(map(d, there + 7u, owner, GFN + 7u, false) == HV_OK);
    CHECK(map(d, ELSEWHERE + 7u, owner, GFN + 7u, false) == HV_OK);
    p2m_revoke(owner, breathe);
    CHECK(!others_reach(owner));
    CHECK((at(d, there + 2u) == 0u) && (at(d, there + 3u) == 0u) && (at(d, ELSEWHERE + 2u) != 0u));
    end(owner);
    /* its own memory is where the host has it, or nowhere */
    CHECK(take(d, (FRAME(1) >> PAGE_SHIFT) + 4u, 1u) == HV_OK);
    CHECK(p2m_populate(d, ELSEWHERE + 9u) == HV_NO_MEMORY);
    CHECK(p2m_populate(d, (FRAME(1) >> PAGE_SHIFT) + 4u) == HV_OK);
    CHECK(p2m_populate(d, (FRAME(1) >> PAGE_SHIFT) + 4u) == HV_OK); /* as builders do */
    end(d);
}
ALONE(identity)

/* A domain maps a frame of its own a second time, as with a grant to itself. */
static void itself_scenario(void)
{
    setup();
    struct domain *const d = begin(0u, true, false);
    struct domain *const direct = begin(1u, true, true);
    const uint64_t own = FRAME(1) >> PAGE_SHIFT;

    CHECK(map(direct, ELSEWHERE, direct, own + 2u, true) == HV_OK);
    CHECK(writes(direct, own + 2u, 4u) && (reads(direct, ELSEWHERE) == 4u));
    CHECK(p2m_unmap_foreign(direct, ELSEWHERE) == HV_OK);
    CHECK(writes(direct, own + 2u, 5u));
    end(direct);
    CHECK(map(d, ELSEWHERE, d, GFN + 2u, false) == HV_OK);
    CHECK(writes(d, ELSEWHERE, 3u) && (reads(d, GFN + 2u) == 3u));
    CHECK(take(d, ELSEWHERE, 1u) == HV_OK);
    CHECK((reads(d, GFN + 2u) == 3u) && (p2m_pages(d) == PAGES)); /* it is not out */
    CHECK(map(d, ELSEWHERE, d, GFN + 2u, false) == HV_OK);
    CHECK(take(d, GFN + 2u, 1u) == HV_OK);
    CHECK(p2m_populate(d, GFN + 2u) == HV_NO_MEMORY);
    CHECK(p2m_unmap_foreign(d, ELSEWHERE) == HV_OK);
    CHECK(p2m_populate(d, GFN + 2u) == HV_OK);
    CHECK(map(d, ELSEWHERE, d, GFN + 2u, false) == HV_OK);
    end(d);
}
ALONE(itself)

static void devices_scenario(void)
{
    setup();
    struct domain *const d = begin(0u, true, false);
    const uint64_t device = 0x9000000u >> PAGE_SHIFT;

    CHECK(hal_guestmap_map(&d->hal.map, gpa(device << PAGE_SHIFT), hpa(device << PAGE_SHIFT), 2u * PAGE_BYTES,
                           HAL_PERM_R | HAL_PERM_W, HAL_MEM_DEVICE) == HV_OK);
    CHECK(take(d, device, 1u) == HV_DENIED);
    CHECK(p2m_populate(d, device) == HV_EXISTS);
    CHECK(p2m_put_device(d, ELSEWHERE, GFN) == HV_INVALID);
    CHECK(p2m_put_device(d, ELSEWHERE, device + 2u) == HV_INVALID);
    CHECK(p2m_put_device(d, ELSEWHERE, device + 1u) == HV_OK);
    CHECK(at(d, ELSEWHERE) == ((device + 1u) << PAGE_SHIFT));
    CHECK(take(d, ELSEWHERE, 1u) == HV_DENIED);
    end(d);
}
ALONE(devices)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holes),    cmocka_unit_test(elsewhere), cmocka_unit_test(pages),
        cmocka_unit_test(foreign),  cmocka_unit_test(revoke),    cmocka_unit_test(runs_out),
        cmocka_unit_test(identity), cmocka_unit_test(itself),    cmocka_unit_test(devices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
