/* [impl->dsn~memory-by-blocks~1] */
#include "mem/blocks.h"

#include "base/panic.h"
#include "base/spinlock.h"
#include "hal/sync.h"
#include "mem/heap.h"
#include "mem/ram.h"

#define EXTENTS_MAX  128u
#define EXTENT_MIN   MIB(64)
#define EXTENT_SHARE 64u /* of all RAM, is an extent at least */
#define FRESH_DIRTY  32u /* blocks that nobody had yet are handed to the scrubber at a time */

/* Numbered from 1; 0: none */
struct block {
    volatile uint32_t owner;
    volatile uint32_t pins;
    uint32_t next; /* of those of its owner alike, of those that are dirty, or free in its extent */
    uint32_t prev;
    uint16_t nr_in;
    uint16_t extent;
    volatile uint32_t out[BLOCK_PAGES / 32u];
};

/* Blocks [first, first + nr). Those from `fresh` on nobody had yet. */
struct extent {
    uint64_t base;
    uint64_t bytes; /* 0: there is none */
    uint32_t first;
    uint32_t nr;
    uint32_t fresh;
    uint32_t free; /* list of those that are zero */
    uint32_t nr_free;
    bool is_zero;  /* so are the fresh ones */
    uint32_t only; /* this owner's; 0: anybody's */
};

static struct spinlock blocks_lock = SPINLOCK(LOCK_MEM); /* extents, free and dirty blocks */
static struct block *blocks;
static uint64_t blocks_base; /* of number 1, in blocks */
static uint32_t blocks_nr;
static struct extent extents[EXTENTS_MAX];
static uint32_t extents_end;  /* behind the last one that ever was */
static uint64_t extent_bytes; /* of all */
static uint64_t nr_used;      /* blocks of domains */
static uint64_t nr_dirty;
static uint32_t dirty_first;
static volatile uint32_t ram_doubted;
static void (*on_dirty)(void);

static uint32_t nr_between(uint64_t base, uint64_t end)
{
    return (uint32_t)((bits_align_up(end, BLOCK_BYTES) / BLOCK_BYTES) - (base / BLOCK_BYTES));
}

uint32_t blocks_heap_pages(uint64_t base, uint64_t end)
{
    return hal_pages((nr_between(base, end) + 1ULL) * sizeof(struct block));
}

enum hv_status blocks_setup(uint64_t base, uint64_t end, bool is_zero, void (*dirty)(void))
{
    blocks = heap_alloc(blocks_heap_pages(base, end));
    blocks_base = base / BLOCK_BYTES;
    blocks_nr = (blocks != NULL) ? nr_between(base, end) : 0u;
    for (uint32_t i = 0; i < EXTENTS_MAX; i++) {
        extents[i] = (struct extent){ .bytes = 0u };
    }
    extents_end = 0u;
    extent_bytes = 0u;
    nr_used = 0u;
    nr_dirty = 0u;
    dirty_first = 0u;
    ram_doubted = is_zero ? 0u : 1u;
    on_dirty = dirty;
    return (blocks != NULL) ? HV_OK : HV_NO_MEMORY;
}

void blocks_doubt(void)
{
    hal_store_release32(&ram_doubted, 1u);
}

/* 0: none. Below the first the difference wraps and is too large. */
static inline uint32_t number_of(hpa_t frame)
{
    const uint64_t n = (frame.v / BLOCK_BYTES) - blocks_base;

    return (n < blocks_nr) ? ((uint32_t)n + 1u) : 0u;
}

hpa_t blocks_at(uint32_t block)
{
    return hpa((blocks_base + block - 1u) * BLOCK_BYTES);
}

/* -- Free and dirty: under blocks_lock -- */

static void dirty_push(uint32_t n)
{
    blocks[n].next = dirty_first;
    dirty_first = n;
    nr_dirty++;
}

static uint32_t extent_take(struct extent *e)
{
    uint32_t n = e->free;

    if (n != 0u) {
        e->free = blocks[n].next;
        e->nr_free--;
    } else if (e->is_zero && (e->fresh < e->nr)) {
        n = e->first + e->fresh;
        e->fresh++;
    } else {
        /* it has none */
    }
    return n;
}

static uint32_t free_take(uint32_t only)
{
    uint32_t n = 0;

    for (uint32_t i = 0; (i < extents_end) && (n == 0u); i++) {
        if ((extents[i].bytes != 0u) && (extents[i].only == only)) {
            n = extent_take(&extents[i]);
            blocks[n].extent = (uint16_t)i; /* of the one that is none, too */
        }
    }
    nr_used += (n != 0u) ? 1u : 0u;
    return n;
}

/* Blocks that nobody had yet are to be scrubbed. */
static void fresh_dirty(uint32_t only)
{
    uint32_t left = FRESH_DIRTY;

    for (uint32_t i = 0; (i < extents_end) && (left > 0u); i++) {
        struct extent *const e = &extents[i];

        while ((e->bytes != 0u) && (e->only == only) && !e->is_zero && (e->fresh < e->nr) && (left > 0u)) {
            blocks[e->first + e->fresh].extent = (uint16_t)i;
            dirty_push(e->first + e->fresh);
            e->fresh++;
            left--;
        }
    }
}

/* False: there are as many as there can be. */
static bool extent_add(uint64_t base, uint64_t bytes, uint32_t only)
{
    const struct extent made = { .base = base,
                                 .bytes = bytes,
                                 .first = number_of(hpa(base)),
                                 .nr = (uint32_t)(bytes / BLOCK_BYTES),
                                 .is_zero = hal_load_acquire32(&ram_doubted) == 0u,
                                 .only = only };
    const uint64_t flags = spin_lock(&blocks_lock);
    uint32_t i = 0;

    while ((i < EXTENTS_MAX) && (extents[i].bytes != 0u)) {
        i++;
    }
    if (i < EXTENTS_MAX) {
        extents[i] = made;
        extents_end = (uint32_t)bits_max(extents_end, i + 1u);
        extent_bytes += bytes;
    }
    spin_unlock(&blocks_lock, flags);
    return i < EXTENTS_MAX;
}

enum hv_status blocks_set_aside(uint64_t base, uint64_t bytes, uint32_t owner)
{
    return extent_add(base, bytes, owner) ? HV_OK : HV_LIMIT;
}

/* An extent more, of the host's free RAM. */
static bool extent_make(void)
{
    const uint64_t want = bits_max(
        EXTENT_MIN, bits_align_down(((uint64_t)blocks_nr * BLOCK_BYTES) / EXTENT_SHARE, BLOCK_BYTES));
    hpa_t base = hpa(0);
    uint64_t bytes = 0;
    bool good = ram_alloc(want, BLOCK_BYTES, BLOCK_BYTES, RAM_BLOCKS, &base, &bytes) == HV_OK;

    if (good && !extent_add(base.v, bytes, 0u)) {
        ram_release(base, bytes, RAM_BLOCKS);
        good = false;
    }
    return good;
}

/* *wait: none is free, and some are dirty. */
static uint32_t take_one(uint32_t only, bool *wait)
{
    const uint64_t flags = spin_lock(&blocks_lock);
    const uint32_t n = free_take(only);

    if ((n == 0u) && (nr_dirty == 0u)) {
        fresh_dirty(only);
    }
    *wait = (n == 0u) && (nr_dirty != 0u);
    spin_unlock(&blocks_lock, flags);
    return n;
}

/* -- A domain's -- */

static uint32_t *list_of(struct block_set *set, const struct block *b)
{
    return (b->nr_in == BLOCK_PAGES) ? &set->whole : &set->part;
}

static void list_add(struct block_set *set, uint32_t n)
{
    uint32_t *const first = list_of(set, &blocks[n]);

    blocks[n].prev = 0u;
    blocks[n].next = *first;
    if (*first != 0u) {
        blocks[*first].prev = n;
    }
    *first = n;
}

static void list_drop(struct block_set *set, uint32_t n)
{
    const struct block *const b = &blocks[n];

    if (b->prev == 0u) {
        *list_of(set, b) = b->next;
    } else {
        blocks[b->prev].next = b->next;
    }
    if (b->next != 0u) {
        blocks[b->next].prev = b->prev;
    }
}

enum hv_status blocks_take(struct block_set *set, bool in, hpa_t *at)
{
    const uint32_t only = set->apart ? set->owner : 0u;
    bool wait = false;
    uint32_t n = take_one(only, &wait);

    if ((n == 0u) && !wait && !set->apart && extent_make()) {
        n = take_one(only, &wait);
    }
    if (n == 0u) {
        if (wait) {
            on_dirty();
        }
        return wait ? HV_BUSY : HV_NO_MEMORY;
    }
    struct block *const b = &blocks[n];

    for (uint32_t i = 0; i < ARRAY_LEN(b->out); i++) {
        b->out[i] = in ? 0u : UINT32_MAX;
    }
    b->nr_in = in ? (uint16_t)BLOCK_PAGES : 0u;
    hal_store_release32(&b->owner, set->owner);
    list_add(set, n);
    set->nr++;
    set->nr_pages += b->nr_in;
    *at = blocks_at(n);
    return HV_OK;
}

static void give(struct block_set *set, uint32_t n)
{
    list_drop(set, n);
    set->nr--;
    set->nr_pages -= blocks[n].nr_in;
    hal_store_release32(&blocks[n].owner, 0u);
    const uint64_t flags = spin_lock(&blocks_lock);

    nr_used--;
    dirty_push(n);
    spin_unlock(&blocks_lock, flags);
}

void blocks_move(struct block_set *set, hpa_t frame, uint32_t nr, bool out)
{
    const uint32_t n = number_of(frame);
    struct block *const b = &blocks[n];

    list_drop(set, n);
    b->nr_in = (uint16_t)(out ? (b->nr_in - nr) : (b->nr_in + nr));
    set->nr_pages += out ? (0u - (uint64_t)nr) : nr;
    list_add(set, n);
    hal_barrier(); /* who pins and does not see the bits is seen */
    if ((b->nr_in == 0u) && (hal_load_acquire32(&b->pins) == 0u)) {
        give(set, n);
        on_dirty();
    }
}

hpa_t blocks_find_out(const struct block_set *set)
{
    const struct block *const b = &blocks[set->part];
    uint32_t i = 0;

    if (set->part == 0u) {
        return hpa(UINT64_MAX);
    }
    while (((i + 1u) < ARRAY_LEN(b->out)) && (b->out[i] == 0u)) {
        i++;
    }
    return hpa(blocks_at(set->part).v + (((i * 32u) + (uint64_t)__builtin_ctz(b->out[i])) << PAGE_SHIFT));
}

bool blocks_give(struct block_set *set, uint32_t most)
{
    for (uint32_t i = 0; (i < most) && (set->nr > 0u); i++) {
        give(set, (set->part != 0u) ? set->part : set->whole);
    }
    on_dirty();
    return set->nr > 0u;
}

uint32_t blocks_owner(hpa_t frame)
{
    const uint32_t n = number_of(frame);

    return (n != 0u) ? hal_load_acquire32(&blocks[n].owner) : 0u;
}

volatile uint32_t *blocks_out(hpa_t frame)
{
    return &blocks[number_of(frame)].out[(frame.v % BLOCK_BYTES) / (32u * PAGE_BYTES)];
}

void blocks_pin(hpa_t frame)
{
    (void)hal_fetch_add32(&blocks[number_of(frame)].pins, 1u);
    hal_barrier();
}

void blocks_unpin(hpa_t frame)
{
    (void)hal_fetch_add32(&blocks[number_of(frame)].pins, UINT32_MAX);
}

/* -- All of them -- */

uint64_t blocks_free_bytes(void)
{
    const uint64_t flags = spin_lock(&blocks_lock);
    uint64_t bytes = extent_bytes - ((nr_used + nr_dirty) * BLOCK_BYTES);

    for (uint32_t i = 0; i < EXTENTS_MAX; i++) {
        const struct extent *const e = &extents[i];

        bytes -= (e->only != 0u) ? (((e->nr - e->fresh) + (uint64_t)e->nr_free) * BLOCK_BYTES) : 0u;
    }
    spin_unlock(&blocks_lock, flags);
    return bytes + ram_bytes(RAM_FREE);
}

uint64_t blocks_dirty_bytes(void)
{
    const uint64_t flags = spin_lock(&blocks_lock);
    const uint64_t bytes = nr_dirty * BLOCK_BYTES;

    spin_unlock(&blocks_lock, flags);
    return bytes;
}

uint32_t blocks_dirty(void)
{
    const uint64_t flags = spin_lock(&blocks_lock);
    const uint32_t first = dirty_first;

    dirty_first = 0u;
    spin_unlock(&blocks_lock, flags);
    return first;
}

uint32_t blocks_clean(uint32_t block)
{
    struct block *const b = &blocks[block];
    const uint64_t flags = spin_lock(&blocks_lock);
    struct extent *const e = &extents[b->extent];
    const uint32_t next = b->next;

    b->next = e->free;
    e->free = block;
    e->nr_free++;
    nr_dirty--;
    spin_unlock(&blocks_lock, flags);
    return next;
}

void blocks_yield(void)
{
    for (uint32_t i = 0; i < EXTENTS_MAX; i++) {
        const uint64_t flags = spin_lock(&blocks_lock);
        const struct extent e = extents[i];
        const bool unused = (e.bytes != 0u) && (e.only == 0u) && (e.nr_free == e.fresh);

        if (unused) {
            extents[i].bytes = 0u;
            extent_bytes -= e.bytes;
        }
        spin_unlock(&blocks_lock, flags);
        if (unused) {
            ram_release(hpa(e.base), e.bytes, RAM_BLOCKS);
        }
    }
}
