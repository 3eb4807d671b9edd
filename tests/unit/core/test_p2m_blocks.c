/* The memory of a domain that tools make: blocks that come from the host and go back.
 * [test->req~memory-changes-hands~1] */
#include "bench.h"

#include "domain/p2m_core.h"
#include "mem/ram.h"

#define RAM   0x80000000ULL
#define HEAP  (RAM + MIB(48))
#define HOST  MIB(32) /* from RAM on: blocks */
#define GUEST 0x40000000ULL
#define GFN   (GUEST >> PAGE_SHIFT)
#define POOL  32u
#define MAX   1024u /* pages */

static struct block_set sets[2];
static uint32_t nr_breaths;

static void breathe(void)
{
    nr_breaths++;
}

/* The scrubber is quick. */
static void dirty(void)
{
    for (uint32_t b = blocks_dirty(); b != 0u;) {
        b = blocks_clean(b);
    }
}

static struct domain *begin(uint32_t n)
{
    struct domain *const d = &bench_domain[n];
    const struct hal_domain_config config = { .nr_vcpus = 1u, .map_id = (uint16_t)(n + 1u) };

    if (d->pool.pages == NULL) {
        CHECK(pool_init(&d->pool, POOL) == HV_OK);
        spin_init(&d->lock, LOCK_DOMAIN);
    }
    d->plan = &bench_plan[n];
    d->id = (domid_t)(n + 1u);
    bench_plan[n].enhanced = PLAN_ENHANCED_NO_XENSTORE;
    sets[n] = (struct block_set){ .owner = n + 1u };
    d->blocks = &sets[n];
    d->nr_chunks = 0u;
    d->max_pages = MAX;
    CHECK(hal_domain_init(&d->hal, &config) == HV_OK);
    CHECK(p2m_begin(d, false) == HV_OK);
    return d;
}

static void end(struct domain *d)
{
    p2m_revoke(d, breathe);
    p2m_reset(d);
    hal_domain_destroy(&d->hal);
    CHECK(!blocks_give(d->blocks, 64u));
    CHECK(d->pool.nr_free == POOL);
    CHECK((d->blocks->nr == 0u) && (p2m_pages(d) == 0u));
}

static void setup(void)
{
    static bool is_there;
    uint64_t used = 0u;
    void *va = NULL;

    fake_reset();
    fake_cpu_set(OUTSIDE);
    fake_ram_setup(RAM, MIB(64));
    CHECK(hal_hypmap_heap(hpa(HEAP), MIB(8), &va, &used) == HV_OK);
    heap_init((uint8_t *)va + used, MIB(8) - used);
    if (!is_there) {
        CHECK(ram_add(hpa(RAM), HOST) == HV_OK);
        is_there = true;
    }
    for (uint32_t n = 0u; n < 2u; n++) {
        bench_domain[n].pool.pages = NULL;
        domain_table[n] = &bench_domain[n];
    }
    domain_count = 2u;
    CHECK(blocks_setup(RAM, RAM + HOST, true, dirty) == HV_OK);
}

static uint64_t at(struct domain *d, uint64_t gfn)
{
    hpa_t frame = hpa(0u);

    return (p2m_lookup(d, gfn, &frame) == HV_OK) ? frame.v : 0u;
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

/* What it may have, whole blocks and pages elsewhere; what it gives away is the host's, block by block. */
static void balloon_scenario(void)
{
    setup();
    struct domain *const d = begin(0u);

    CHECK(p2m_populate_block(d, GFN + 1u) == HV_NOT_SUPPORTED);
    CHECK(p2m_populate_block(d, GFN) == HV_OK);
    CHECK(p2m_populate_block(d, GFN) == HV_NOT_SUPPORTED); /* something is there */
    CHECK((p2m_pages(d) == BLOCK_PAGES) && (blocks_free_bytes() == (HOST - MIB(2))));
    CHECK(p2m_populate(d, 0x39000u) == HV_OK);
    CHECK(p2m_populate(d, 0x39000u) == HV_EXISTS);
    CHECK(p2m_populate_block(d, GFN + BLOCK_PAGES) == HV_NOT_SUPPORTED); /* more than it may */
    for (uint64_t i = 1u; i < BLOCK_PAGES; i++) {
        CHECK(p2m_populate(d, GFN + BLOCK_PAGES + i) == HV_OK);
    }
    CHECK(p2m_populate(d, GFN + BLOCK_PAGES) == HV_NO_MEMORY);
    CHECK((p2m_pages(d) == MAX) && (d->blocks->nr == 2u));
    /* a page back, and another in its place */
    CHECK(take(d, GFN + 7u, 1u) == HV_OK);
    CHECK((p2m_pages(d) == (MAX - 1u)) && (d->blocks->nr == 2u));
    CHECK(p2m_populate(d, GFN + BLOCK_PAGES) == HV_OK);
    CHECK(at(d, GFN + BLOCK_PAGES) == (RAM + (7u * PAGE_BYTES)));
    CHECK(take(d, GFN, 7u) == HV_OK);
    CHECK(take(d, GFN + 8u, BLOCK_PAGES - 8u) == HV_OK);
    CHECK(d->blocks->nr == 2u); /* one page of it is elsewhere */
    CHECK(take(d, GFN + BLOCK_PAGES, 1u) == HV_OK);
    CHECK((d->blocks->nr == 1u) && (blocks_free_bytes() == (HOST - MIB(2))));
    CHECK(take(d, GFN + BLOCK_PAGES + 1u, BLOCK_PAGES - 1u) == HV_OK);
    CHECK(take(d, 0x39000u, 1u) == HV_OK);
    CHECK((d->blocks->nr == 0u) && (blocks_free_bytes() == HOST) && (p2m_pages(d) == 0u));
    CHECK(take(d, GFN, 1u) == HV_NOT_FOUND);
    /* over one of its pages it puts something else, which the account does not tell: as in Xen, for good */
    void *const page = pool_alloc(&d->pool);

    CHECK(p2m_populate(d, GFN) == HV_OK);
    CHECK((p2m_put_page(d, GFN, page, false) == HV_OK) && (p2m_pages(d) == 1u));
    CHECK((take(d, GFN, 1u) == HV_OK) && (p2m_pages(d) == 1u));
    pool_free(&d->pool, page);
    CHECK((p2m_populate(d, GFN) == HV_OK) && (p2m_pages(d) == 2u));
    CHECK(take(d, GFN, 1u) == HV_OK);
    /* and up again; less is allowed now */
    CHECK(p2m_populate_block(d, GFN + (4u * BLOCK_PAGES)) == HV_OK);
    d->max_pages = 100u;
    CHECK(p2m_populate(d, GFN) == HV_NO_MEMORY);
    end(d);
    CHECK(blocks_free_bytes() == HOST);
}
ALONE(balloon)

/* A hostile one that keeps a page of each block has no more blocks than pages need that it may have. */
static void sparse_scenario(void)
{
    setup();
    struct domain *const d = begin(0u);
    uint32_t nr = 0u;

    for (uint64_t i = 0u; i < 16u; i++) {
        if (p2m_populate_block(d, GFN + (i * BLOCK_PAGES)) == HV_OK) {
            CHECK(take(d, GFN + (i * BLOCK_PAGES), BLOCK_PAGES - 1u) == HV_OK);
            nr++;
        }
    }
    CHECK((nr == 2u) && (p2m_pages(d) == 2u));
    end(d);
    CHECK(blocks_free_bytes() == HOST);
}
ALONE(sparse)

/* Another domain's map, or an address that is kept, holds a block with its owner; an end does not wait. */
static void mapped_scenario(void)
{
    setup();
    struct domain *const d = begin(0u);
    struct domain *const mapper = begin(1u);
    hpa_t frame = hpa(0u);

    CHECK(p2m_populate_block(d, GFN) == HV_OK);
    CHECK(p2m_frame(d, GFN + 3u, true, &frame) == HV_OK);
    CHECK(p2m_map_foreign(mapper, GFN, d, frame, false) == HV_OK);
    CHECK(take(d, GFN, BLOCK_PAGES) == HV_OK);
    CHECK((d->blocks->nr == 1u) && (p2m_pages(d) == 0u));
    CHECK(p2m_map_foreign(mapper, GFN + 1u, d, frame, false) == HV_BUSY); /* it is out */
    CHECK(p2m_unmap_foreign(mapper, GFN) == HV_OK);
    CHECK(p2m_populate(d, GFN) == HV_OK);
    CHECK(take(d, GFN, 1u) == HV_OK);
    CHECK(d->blocks->nr == 0u);
    /* of a frame that was its own, and of none */
    CHECK(p2m_map_foreign(mapper, GFN, d, frame, false) == HV_BUSY);
    CHECK(!p2m_hold(d, frame));
    CHECK(p2m_populate_block(d, GFN) == HV_OK);
    CHECK(p2m_hold(d, frame));
    CHECK(take(d, GFN, BLOCK_PAGES) == HV_OK);
    CHECK(d->blocks->nr == 1u);
    p2m_let_go(d, frame);
    CHECK(p2m_populate(d, GFN) == HV_OK);
    CHECK(p2m_frame(d, GFN, true, &frame) == HV_OK);
    CHECK(p2m_map_foreign(mapper, GFN, d, frame, false) == HV_OK);
    end(d); /* the mapper has a page of its own there now */
    CHECK(blocks_free_bytes() == HOST);
    CHECK((at(mapper, GFN) != frame.v) && (at(mapper, GFN) != 0u));
    /* a mapper that ends lets go */
    (void)begin(0u);
    CHECK(p2m_populate_block(d, GFN) == HV_OK);
    CHECK(p2m_frame(d, GFN, true, &frame) == HV_OK);
    CHECK(p2m_map_foreign(mapper, GFN, d, frame, false) == HV_OK);
    end(mapper);
    CHECK(take(d, GFN, BLOCK_PAGES) == HV_OK);
    CHECK(blocks_free_bytes() == HOST);
    end(d);
}
ALONE(mapped)

/* A pool that is empty, and a host that is. */
static void poor_scenario(void)
{
    setup();
    struct domain *const d = begin(0u);
    struct domain *const rich = begin(1u);
    void *page = NULL;
    uint32_t nr = 0u;

    rich->max_pages = HOST / PAGE_BYTES;
    while (p2m_populate_block(rich, GFN + ((uint64_t)nr * BLOCK_PAGES)) == HV_OK) {
        nr++;
    }
    CHECK(nr == (HOST / BLOCK_BYTES));
    CHECK(p2m_populate(d, GFN) == HV_NO_MEMORY);
    CHECK(p2m_populate_block(d, GFN) == HV_NO_MEMORY);
    end(rich);
    for (page = pool_alloc(&d->pool); page != NULL; page = pool_alloc(&d->pool)) {
        nr++;
    }
    nr = 0u;
    while (p2m_populate(d, GFN + (2u * (uint64_t)nr)) == HV_OK) {
        nr++;
    }
    CHECK((nr < MAX) && (p2m_pages(d) == nr) && (d->blocks->nr == 1u));
    CHECK(!blocks_give(d->blocks, 1u));
    CHECK(blocks_free_bytes() == HOST);
}
ALONE(poor)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(balloon),
        cmocka_unit_test(sparse),
        cmocka_unit_test(mapped),
        cmocka_unit_test(poor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
