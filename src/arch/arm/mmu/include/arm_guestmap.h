/* Stage 2 of one domain, on ports with an MMU. */
#ifndef ARCH_ARM_GUESTMAP_H
#define ARCH_ARM_GUESTMAP_H

#include "hal/types.h"

struct hal_domain;

struct hal_guestmap {
    uint64_t *root; /* one page; NULL = not initialised */
    struct hal_domain *owner;
    uint64_t vttbr; /* root's address and the VMID */
    uint32_t start_level;
    uint32_t ipa_bits;
    uint32_t smmus;      /* where streams led here once, by number */
    uint32_t begun;      /* calls of hal_guestmap_begin() without their end */
    uint32_t near_level; /* the table that the last look ended in, and where that was */
    uint64_t near_at;
    uint64_t *near;
    volatile uint32_t changing; /* odd: being changed, addresses are invalid for a moment */
};

#endif
