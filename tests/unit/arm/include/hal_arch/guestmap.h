#ifndef HAL_ARCH_GUESTMAP_H
#define HAL_ARCH_GUESTMAP_H

#include "hal/types.h"

struct hal_domain;

struct hal_guestmap {
    uint64_t page[2][2]; /* what was mapped: from, to */
    uint32_t nr_pages;
    uint32_t smmus;
    uint64_t root;
    uint32_t ipa_bits;
    bool level0;
    uint16_t id;
};

#endif
