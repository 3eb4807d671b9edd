/* [impl->dsn~nothing-after-boot~1] */
#include "mem/heap.h"

#include "base/panic.h"
#include "base/spinlock.h"
#include "hal/upcall.h"
#include "lib/string.h"

#define EARLY_PAGES                                                                                          \
    8u /* before heap_init(): table pages for the device tree, the console and the heap itself */
#define WORD_BITS 64u

static struct spinlock heap_lock = SPINLOCK(LOCK_MEM);
static uint8_t early_page[EARLY_PAGES][PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static uint32_t early_used;
static uint8_t *heap_base;
static uint64_t heap_pages;
static uint64_t heap_free_pages;
static uint64_t *heap_used; /* one bit a page, set: in use; lies in the heap's first pages */
static uint64_t heap_first; /* no page below is free */
static bool heap_sealed;

static bool page_used(uint64_t page)
{
    return (heap_used[page / WORD_BITS] & BIT64(page % WORD_BITS)) != 0u;
}

static void page_mark(uint64_t page, uint64_t nr_pages, bool used)
{
    for (uint64_t i = page; i < (page + nr_pages); i++) {
        if (used) {
            heap_used[i / WORD_BITS] |= BIT64(i % WORD_BITS);
        } else {
            heap_used[i / WORD_BITS] &= ~BIT64(i % WORD_BITS);
        }
    }
}

void heap_init(void *va, uint64_t bytes)
{
    const uint64_t pages = bytes / PAGE_BYTES;
    const uint64_t map_bytes = bits_align_up(pages, WORD_BITS) / 8u;
    const uint64_t map_pages = bits_align_up(map_bytes, PAGE_BYTES) / PAGE_BYTES;

    ASSERT(pages > map_pages);
    heap_base = va;
    heap_used = va;
    (void)memset(va, 0, (size_t)(map_pages * PAGE_BYTES));
    heap_pages = pages;
    page_mark(0u, map_pages, true);
    heap_first = map_pages;
    heap_free_pages = pages - map_pages;
    heap_sealed = false;
}

/* First fit: the first of nr_pages free pages in a row, heap_pages if there are none. Bounded by heap_pages
 * steps. */
static uint64_t heap_find(uint32_t nr_pages)
{
    uint64_t run = 0;
    uint64_t at = heap_first;

    while (at < heap_pages) {
        if (((at % WORD_BITS) == 0u) && (heap_used[at / WORD_BITS] == UINT64_MAX)) {
            run = 0;
            at += WORD_BITS;
        } else {
            run = page_used(at) ? 0u : (run + 1u);
            at++;
            if (run == nr_pages) {
                return at - run;
            }
        }
    }
    return heap_pages;
}

static void *heap_take(uint32_t nr_pages)
{
    uint8_t *va = NULL;

    if (heap_base == NULL) {
        if (nr_pages <= (EARLY_PAGES - early_used)) {
            va = early_page[early_used];
            early_used += nr_pages;
        }
    } else if (nr_pages <= heap_free_pages) {
        const uint64_t page = heap_find(nr_pages);

        if (page < heap_pages) {
            page_mark(page, nr_pages, true);
            heap_free_pages -= nr_pages;
            heap_first = (page == heap_first) ? (page + nr_pages) : heap_first;
            va = &heap_base[page * PAGE_BYTES];
        }
    } else {
        va = NULL;
    }
    return va;
}

void *heap_alloc_as_is(uint32_t nr_pages)
{
    ASSERT((nr_pages != 0u) && !heap_sealed);
    const uint64_t flags = spin_lock(&heap_lock);
    void *va = heap_take(nr_pages);

    spin_unlock(&heap_lock, flags);
    return va;
}

void *heap_alloc(uint32_t nr_pages)
{
    void *const va = heap_alloc_as_is(nr_pages);

    if (va != NULL) {
        (void)memset(va, 0, (size_t)nr_pages * PAGE_BYTES);
    }
    return va;
}

void heap_free(void *va, uint32_t nr_pages)
{
    const uint8_t *first = va;
    const uint64_t at = (uint64_t)(uintptr_t)first;
    const uint64_t base = (uint64_t)(uintptr_t)heap_base;
    const uint64_t flags = spin_lock(&heap_lock);

    /* pages from before heap_init() are not worth collecting */
    if ((heap_base != NULL) && (at >= base) && (at < (base + (heap_pages * PAGE_BYTES)))) {
        const uint64_t page = (at - base) / PAGE_BYTES;

        ASSERT(((at % PAGE_BYTES) == 0u) && (nr_pages <= (heap_pages - page)));
        for (uint64_t i = page; i < (page + nr_pages); i++) {
            ASSERT(page_used(i));
        }
        page_mark(page, nr_pages, false);
        heap_free_pages += nr_pages;
        heap_first = bits_min(heap_first, page);
    }
    spin_unlock(&heap_lock, flags);
}

void heap_seal(void)
{
    heap_sealed = true;
}

uint64_t heap_free_bytes(void)
{
    return heap_free_pages * PAGE_BYTES;
}

void *upcall_heap_pages(uint32_t nr_pages)
{
    const uint64_t bytes = (uint64_t)nr_pages * PAGE_BYTES;
    const uint32_t spare = nr_pages - 1u;
    uint8_t *va = heap_sealed ? NULL : heap_alloc(nr_pages + spare);

    if ((va != NULL) && (spare > 0u)) {
        const uint64_t at = (uint64_t)(uintptr_t)va;
        const uint64_t before = bits_align_up(at, bytes) - at;

        heap_free(va, (uint32_t)(before / PAGE_BYTES));
        va = &va[before];
        heap_free(&va[bytes], spare - (uint32_t)(before / PAGE_BYTES));
    }
    return va;
}

void *upcall_heap_page(void)
{
    return heap_sealed ? NULL : heap_alloc(1u);
}
