/* Who owns which range of host RAM: one sorted table of ranges, no array over all RAM.
 * Memory that changes owner is scrubbed by the caller (build/) before it is handed on. */
#ifndef MEM_RAM_H
#define MEM_RAM_H

#include "hal/types.h"

#define RAM_RANGES_MAX 512u

/* Owners below RAM_OWNER_DOMAIN are ours; a domain owns as RAM_OWNER_DOMAIN + domid. */
#define RAM_FREE         0u
#define RAM_IMAGE        1u
#define RAM_HEAP         2u
#define RAM_TREE         3u
#define RAM_MODULE       4u
#define RAM_RESERVED     5u
#define RAM_SHARED       6u
#define RAM_UNUSED       7u /* beside a static heap: nobody gets it */
#define RAM_BLOCKS       8u /* mem/blocks.h has it */
#define RAM_OWNER_DOMAIN 0x10000u

/* Adds a bank, all RAM_FREE. Sorted or not; HV_EXISTS if it overlaps a bank, HV_LIMIT if the table is
 * full. */
HV_MUST_CHECK enum hv_status ram_add(hpa_t base, uint64_t bytes);
/* Gives [base, base + bytes) to owner; parts outside RAM are ignored. HV_BUSY if any part has another owner
 * than FREE. */
HV_MUST_CHECK enum hv_status ram_claim(hpa_t base, uint64_t bytes, uint32_t owner);
/* Gives what `from` owns to another owner. HV_BUSY: not all of [base, base + bytes) is RAM of `from`. Whole
 * pages. */
HV_MUST_CHECK enum hv_status ram_pass(hpa_t base, uint64_t bytes, uint32_t from, uint32_t to);
/* The best free piece for at most want_bytes: aligned to `align` (power of two) at base; lowest address that
 * fits whole, else the largest. *bytes: what was found and claimed, a page multiple. HV_NO_MEMORY if nothing
 * of at least min_bytes is free. */
HV_MUST_CHECK enum hv_status ram_alloc(uint64_t want_bytes, uint64_t min_bytes, uint64_t align,
                                       uint32_t owner, hpa_t *base, uint64_t *bytes);
/* Back to RAM_FREE. The range is owned by `owner` entirely, else panic. */
void ram_release(hpa_t base, uint64_t bytes, uint32_t owner);
uint32_t ram_owner(hpa_t at);
/* The first range that ends above `at`, free or as it was claimed; false: there is none. */
bool ram_range(hpa_t at, hpa_t *base, uint64_t *bytes, uint32_t *owner);
/* Sum of the ranges of one owner, bytes. */
uint64_t ram_bytes(uint32_t owner);

#endif
