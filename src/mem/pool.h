/* Pages charged to one domain: reserved from the heap when the domain is first built, handed out and returned
 * one by one. */
#ifndef MEM_POOL_H
#define MEM_POOL_H

#include "base/spinlock.h"
#include "hal/types.h"

struct pool {
    struct spinlock lock;
    void *pages;     /* nr_pages contiguous */
    void *free_list; /* first word of a free page links the next */
    uint32_t nr_pages;
    uint32_t nr_free;
};

HV_MUST_CHECK enum hv_status pool_init(struct pool *pool, uint32_t nr_pages);
void *pool_alloc(struct pool *pool); /* zeroed; NULL when empty */
void pool_free(struct pool *pool, void *page);

#endif
