/* Pages for the hypervisor itself, from one linear range fixed at boot. Sealed once the system runs. */
#ifndef MEM_HEAP_H
#define MEM_HEAP_H

#include "hal/types.h"

/* Before heap_init() a few pages in .bss serve hal_hypmap_*. va, bytes: page multiples. */
void heap_init(void *va, uint64_t bytes);
/* nr_pages contiguous zeroed pages, NULL if none. First fit over a bitmap, bounded by the heap's pages. */
void *heap_alloc(uint32_t nr_pages);
/* The same, for who clears them when they are used. */
void *heap_alloc_as_is(uint32_t nr_pages);
void heap_free(void *va, uint32_t nr_pages);
/* From now on heap_alloc() panics: nothing allocates in a static system after boot. */
void heap_seal(void);
uint64_t heap_free_bytes(void);

#endif
