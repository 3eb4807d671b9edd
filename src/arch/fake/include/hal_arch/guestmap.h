/* A guest's map as a sorted list of regions whose entries live in pages of the domain's pool, as tables
 * would. */
#ifndef HAL_ARCH_GUESTMAP_H
#define HAL_ARCH_GUESTMAP_H

#include <stdbool.h>
#include <stdint.h>

struct hal_domain;
struct fake_region;
struct fake_region_page;

struct hal_guestmap {
    struct hal_domain *owner;
    struct fake_region *first; /* by address */
    struct fake_region *free;
    struct fake_region_page *pages;
    uint16_t id;
    bool live;
    uint32_t begun;
    struct hal_guestmap *next_live; /* all maps of the process, for fake_maps_disjoint() */
    uint32_t nr_invalidations;
};

#endif
