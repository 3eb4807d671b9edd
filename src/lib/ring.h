/* Bytes into a ring whose size is a power of two. */
#ifndef LIB_RING_H
#define LIB_RING_H

#include <stdint.h>

#include "lib/string.h"

/* Writes from position `at` (counted for ever) on; bytes <= ring_bytes. */
static inline void ring_put(void *ring, uint32_t ring_bytes, uint64_t at, const char *text, uint32_t bytes)
{
    uint8_t *const to = ring;
    const uint32_t first = (uint32_t)(at % ring_bytes);
    const uint32_t to_edge = ring_bytes - first;
    const uint32_t n = (bytes < to_edge) ? bytes : to_edge;

    (void)memcpy(&to[first], text, n);
    (void)memcpy(to, &text[n], bytes - n);
}

#endif
