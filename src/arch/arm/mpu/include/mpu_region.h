/* Protection regions of PMSAv8 as a sorted set, and their two encodings: pure code, for as many regions as
 * the architecture can have. */
#ifndef ARCH_ARM_MPU_MPU_REGION_H
#define ARCH_ARM_MPU_MPU_REGION_H

#include "hal/types.h"

#define MPU_GRANULE     64u
#define MPU_REGIONS_MAX 255u /* (H)MPUIR.DREGION is 8 bits wide (DDI 0568 E2.2) */

/* What a region allows, and its memory. EL2 may read all of them. */
#define MPU_WRITE  BIT32(0)
#define MPU_EXEC   BIT32(1)
#define MPU_GUEST  BIT32(2) /* EL1 and EL0 as well */
#define MPU_DEVICE BIT32(3) /* else normal, write-back, inner shareable */

/* As MPU_MAIR0 numbers them: normal write-back, read and write allocate; Device-nGnRE */
#define MPU_MAIR0 0x000004FFu

struct mpu_region {
    uint64_t base;  /* granule aligned */
    uint64_t limit; /* its last byte */
    uint32_t attr;
};

/* Sorted, disjoint, no two neighbours that touch are alike. */
struct mpu_set {
    struct mpu_region *region;
    uint32_t nr;
    uint32_t max; /* elements of region[] */
};

/* The first region that ends at or behind `at`; nr: none. */
uint32_t mpu_find(const struct mpu_set *set, uint64_t at);

/* The region that holds `at`; NULL: none. */
const struct mpu_region *mpu_at(const struct mpu_set *set, uint64_t at);

/* Both change nothing when they fail: HV_INVALID (not whole granules), HV_LIMIT (more than max regions).
 * Adding: HV_EXISTS (part of it is in the set). Removing: holes are fine. */
HV_MUST_CHECK enum hv_status mpu_add(struct mpu_set *set, const struct mpu_region *region);
HV_MUST_CHECK enum hv_status mpu_remove(struct mpu_set *set, uint64_t base, uint64_t limit);

/* Cuts *base and *limit to what lies around `at` outside of all regions; no region holds it. */
void mpu_clip(const struct mpu_set *set, uint64_t at, uint64_t *base, uint64_t *limit);

/* AP[2:1]: 0 read-write for EL2 alone, 1 for all, 2 read-only for EL2 alone, 3 for all */
static inline uint32_t mpu_ap(uint32_t attr)
{
    return (((attr & MPU_WRITE) != 0u) ? 0u : 2u) | (((attr & MPU_GUEST) != 0u) ? 1u : 0u);
}

static inline uint32_t mpu_sh(uint32_t attr)
{
    return ((attr & MPU_DEVICE) != 0u) ? 2u : 3u;
}

static inline uint32_t mpu_index(uint32_t attr)
{
    return ((attr & MPU_DEVICE) != 0u) ? 1u : 0u;
}

/* PMSAv8-32: HPRBAR and HPRLAR (DDI 0568 E2.2). Enabled. */
static inline uint32_t mpu_bar32(const struct mpu_region *r)
{
    const uint32_t xn = ((r->attr & MPU_EXEC) != 0u) ? 0u : 1u;

    return (uint32_t)r->base | (mpu_sh(r->attr) << 3u) | (mpu_ap(r->attr) << 1u) | xn;
}

static inline uint32_t mpu_lar32(const struct mpu_region *r)
{
    return ((uint32_t)r->limit & ~(MPU_GRANULE - 1u)) | (mpu_index(r->attr) << 1u) | 1u;
}

/* PMSAv8-64: PRBAR_EL2 and PRLAR_EL2 (DDI 0600 G1.3). Enabled; PRLAR_EL2.NS is 0, this EL2 is Secure. */
static inline uint64_t mpu_bar64(const struct mpu_region *r)
{
    const uint64_t xn = ((r->attr & MPU_EXEC) != 0u) ? 0u : 2u;
    const uint64_t sh = mpu_sh(r->attr);
    const uint64_t ap = mpu_ap(r->attr);

    return r->base | (sh << 4u) | (ap << 2u) | xn;
}

static inline uint64_t mpu_lar64(const struct mpu_region *r)
{
    const uint64_t granule = MPU_GRANULE;
    const uint64_t index = mpu_index(r->attr);

    return (r->limit & ~(granule - 1u)) | (index << 1u) | 1u;
}

#endif
