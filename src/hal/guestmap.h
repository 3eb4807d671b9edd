/* What a guest may reach: regions with permissions and types, never table entries. struct hal_guestmap is the
 * port's (hal_arch/guestmap.h). The caller serialises changes of one map (domain's lock); look-ups by the
 * fault path may run beside. */
#ifndef HAL_GUESTMAP_H
#define HAL_GUESTMAP_H

#include "hal/types.h"
#include "hal_arch/guestmap.h"

#define HAL_PERM_R   1u
#define HAL_PERM_W   2u
#define HAL_PERM_X   4u
#define HAL_PERM_RWX 7u
#define HAL_PERM_DEV 8u /* hal_guestmap_lookup(): it is HAL_MEM_DEVICE */

enum hal_memtype { HAL_MEM_NORMAL, HAL_MEM_DEVICE };

/* false on MPU ports: there gpa must equal hpa, what is mapped can be read, a map has a few regions
 * (HV_LIMIT, nothing changed), and it is not changed while one of its vCPUs is loaded. */
bool hal_guestmap_translates(void);

/* One past the largest guest physical address this host can map. */
uint64_t hal_guestmap_limit(void);

/* An empty map. id: unique among live maps (VMID), 1 .. 255. Takes pages from upcall_domain_page(owner).
 * HV_NO_MEMORY. */
HV_MUST_CHECK enum hv_status hal_guestmap_init(struct hal_guestmap *map, struct hal_domain *owner,
                                               uint16_t id);

/* No stream is attached to it. Returns all table pages to the owner's pool and invalidates the TLBs of this
 * map on all CPUs. No vCPU runs in it. */
void hal_guestmap_destroy(struct hal_guestmap *map);

/* Page multiples; uses the largest blocks that alignment and size allow. Bounded by bytes / 2 MiB + 1024
 * steps for aligned ranges. HV_EXISTS: some part is mapped already (nothing is changed then). HV_NO_MEMORY:
 * undone. HV_INVALID. */
HV_MUST_CHECK enum hv_status hal_guestmap_map(struct hal_guestmap *map, gpa_t at, hpa_t to, uint64_t bytes,
                                              uint32_t perm, enum hal_memtype type);

/* Holes are fine. Splits blocks where needed (HV_NO_MEMORY, nothing changed; a device's access to a block
 * that is being split may be refused). TLBs are clean on return, IOMMUs' too: one that does not answer was
 * switched off. */
HV_MUST_CHECK enum hv_status hal_guestmap_unmap(struct hal_guestmap *map, gpa_t at, uint64_t bytes);

/* Around changes of the map of a domain that runs: what a guest finds missing between the two is to be tried
 * again (hal_guestmap_lookup() answers HV_BUSY), so a mapping can be taken away and another put there. */
void hal_guestmap_begin(struct hal_guestmap *map);
void hal_guestmap_end(struct hal_guestmap *map);

/* Where does `at` lead? *bytes: how far the mapping goes on, linear, from `at` (bounded by one block).
 * HV_NOT_FOUND: *bytes of nothing follow, or more. HV_BUSY: the map is being changed this moment; the guest's
 * access is to be tried again. */
HV_MUST_CHECK enum hv_status hal_guestmap_lookup(const struct hal_guestmap *map, gpa_t at, hpa_t *to,
                                                 uint32_t *perm, uint64_t *bytes);

/* One page of a map at hand, in the hands of who serialises its changes: nothing changes it between the two.
 * `at` is below the limit. What was there: perm 0 = nothing. */
struct hal_guestmap_page {
    hpa_t to;
    uint32_t perm;
    uint32_t level; /* the port's */
    uint64_t bytes; /* how far what was there goes on */
    uint64_t *entry;
};

void hal_guestmap_look(struct hal_guestmap *map, gpa_t at, struct hal_guestmap_page *page);

/* The page leads to normal memory at `to` from now on (perm 0: nowhere), whatever was there: as unmap and map
 * would do it between begin and end. HV_NO_MEMORY: nothing is changed. HV_NOT_SUPPORTED: nothing
 * translates. */
HV_MUST_CHECK enum hv_status hal_guestmap_put(struct hal_guestmap *map, gpa_t at,
                                              const struct hal_guestmap_page *page, hpa_t to, uint32_t perm);

#endif
