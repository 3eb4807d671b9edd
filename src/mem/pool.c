/* [impl->dsn~pages-charged~1] */
#include "mem/pool.h"

#include "base/panic.h"
#include "lib/string.h"
#include "mem/heap.h"

/* The first word of a free page is the address of the next one. */
static void page_push(struct pool *pool, void *page)
{
    (void)memcpy(page, &pool->free_list, sizeof(pool->free_list));
    pool->free_list = page;
    pool->nr_free++;
}

enum hv_status pool_init(struct pool *pool, uint32_t nr_pages)
{
    uint8_t *pages = NULL;

    spin_init(&pool->lock, LOCK_MEM);
    pool->free_list = NULL;
    pool->nr_free = 0;
    pool->nr_pages = 0;
    pool->pages = NULL;
    if (nr_pages == 0u) {
        return HV_OK;
    }
    pages = heap_alloc_as_is(nr_pages);
    if (pages == NULL) {
        return HV_NO_MEMORY;
    }
    pool->pages = pages;
    pool->nr_pages = nr_pages;
    for (uint32_t i = nr_pages; i > 0u; i--) { /* the lowest page is handed out first */
        page_push(pool, &pages[((size_t)i - 1u) * PAGE_BYTES]);
    }
    return HV_OK;
}

void *pool_alloc(struct pool *pool)
{
    const uint64_t flags = spin_lock(&pool->lock);
    void *page = pool->free_list;

    if (page != NULL) {
        (void)memcpy(&pool->free_list, page, sizeof(pool->free_list));
        pool->nr_free--;
    }
    spin_unlock(&pool->lock, flags);
    if (page != NULL) {
        (void)memset(page, 0, PAGE_BYTES);
    }
    return page;
}

void pool_free(struct pool *pool, void *page)
{
    const uint8_t *first = pool->pages;
    const uint8_t *given = page;
    const uint64_t offset = (uint64_t)(uintptr_t)given - (uint64_t)(uintptr_t)first;
    const uint64_t flags = spin_lock(&pool->lock);

    /* below the pool the difference wraps and is too large as well */
    ASSERT(((offset % PAGE_BYTES) == 0u) && ((offset / PAGE_BYTES) < pool->nr_pages));
    ASSERT(pool->nr_free < pool->nr_pages);
    page_push(pool, page);
    spin_unlock(&pool->lock, flags);
}
