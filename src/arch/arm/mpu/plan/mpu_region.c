/* [impl->dsn~map-by-regions~1] */
#include "mpu_region.h"

/* Halves what is left in each round: eight at most. */
uint32_t mpu_find(const struct mpu_set *set, uint64_t at)
{
    uint32_t low = 0u;
    uint32_t high = set->nr;

    while (low < high) {
        const uint32_t middle = (low + high) / 2u;

        if (set->region[middle].limit < at) {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct mpu_region *mpu_at(const struct mpu_set *set, uint64_t at)
{
    const uint32_t i = mpu_find(set, at);

    return ((i < set->nr) && (set->region[i].base <= at)) ? &set->region[i] : NULL;
}

static bool mpu_is_whole(uint64_t base, uint64_t limit)
{
    return (base <= limit) && ((base % MPU_GRANULE) == 0u) && ((limit % MPU_GRANULE) == (MPU_GRANULE - 1u));
}

/* There is room. */
static void mpu_insert(struct mpu_set *set, uint32_t at, const struct mpu_region *region)
{
    for (uint32_t i = set->nr; i > at; i--) {
        set->region[i] = set->region[i - 1u];
    }
    set->region[at] = *region;
    set->nr++;
}

static void mpu_drop(struct mpu_set *set, uint32_t at, uint32_t nr)
{
    for (uint32_t i = at + nr; i < set->nr; i++) {
        set->region[i - nr] = set->region[i];
    }
    set->nr -= nr;
}

enum hv_status mpu_add(struct mpu_set *set, const struct mpu_region *region)
{
    const uint32_t i = mpu_find(set, region->base);
    struct mpu_region *const above = (i < set->nr) ? &set->region[i] : NULL;
    struct mpu_region *const below = (i > 0u) ? &set->region[i - 1u] : NULL;
    const bool joins_below =
        (below != NULL) && (below->attr == region->attr) && ((region->base - below->limit) == 1u);
    const bool joins_above =
        (above != NULL) && (above->attr == region->attr) && ((above->base - region->limit) == 1u);
    enum hv_status status = HV_OK;

    if (!mpu_is_whole(region->base, region->limit)) {
        status = HV_INVALID;
    } else if ((above != NULL) && (above->base <= region->limit)) {
        status = HV_EXISTS;
    } else if (joins_below && joins_above) {
        below->limit = above->limit;
        mpu_drop(set, i, 1u);
    } else if (joins_below) {
        below->limit = region->limit;
    } else if (joins_above) {
        above->base = region->base;
    } else if (set->nr == set->max) {
        status = HV_LIMIT;
    } else {
        mpu_insert(set, i, region);
    }
    return status;
}

enum hv_status mpu_remove(struct mpu_set *set, uint64_t base, uint64_t limit)
{
    uint32_t i = mpu_find(set, base);
    uint32_t nr = 0u;

    if (!mpu_is_whole(base, limit)) {
        return HV_INVALID;
    }
    if ((i < set->nr) && (set->region[i].base < base)) {
        if (set->region[i].limit > limit) { /* out of its middle */
            const struct mpu_region rest = { limit + 1u, set->region[i].limit, set->region[i].attr };

            if (set->nr == set->max) {
                return HV_LIMIT;
            }
            mpu_insert(set, i + 1u, &rest);
        }
        set->region[i].limit = base - 1u;
        i++;
    }
    while (((i + nr) < set->nr) && (set->region[i + nr].limit <= limit)) {
        nr++;
    }
    mpu_drop(set, i, nr);
    if ((i < set->nr) && (set->region[i].base <= limit)) {
        set->region[i].base = limit + 1u;
    }
    return HV_OK;
}

void mpu_clip(const struct mpu_set *set, uint64_t at, uint64_t *base, uint64_t *limit)
{
    const uint32_t i = mpu_find(set, at);

    if (i < set->nr) {
        *limit = bits_min(*limit, set->region[i].base - 1u);
    }
    if (i > 0u) {
        *base = bits_max(*base, set->region[i - 1u].limit + 1u);
    }
}
