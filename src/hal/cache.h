/* Memory that somebody sees with caches off or through another path. Address ranges are the hypervisor's own
 * (windows included); bytes > 0; bounded by the range. Any context. */
#ifndef HAL_CACHE_H
#define HAL_CACHE_H

#include "hal/types.h"

/* Data written here becomes visible to an observer with caches off. */
void hal_cache_clean(const void *va, uint64_t bytes);
/* ... and no stale line of ours stays: before reading what such an observer wrote. */
void hal_cache_clean_invalidate(const void *va, uint64_t bytes);
/* Zeroes and cleans in one walk: memory is made ready for a new owner. va and bytes are page multiples. */
void hal_cache_zero(void *va, uint64_t bytes);
/* Copies (no overlap) and cleans in one walk. Worker context: it uses FP registers, which the worker has of
 * its own. */
void hal_cache_copy(void *dst, const void *src, uint64_t bytes);
/* Instructions written before (and cleaned) will be fetched by every CPU, at any address they are mapped
 * at. */
void hal_cache_instructions(void);

#endif
