/* What guests may reach, where there is no translation: guest physical is host physical. A map's regions are
 * programmed when one of its vCPUs is loaded; while one is, the map is not changed. Look-ups run beside
 * changes and know these by their count. */
/* [impl->req~memory-apart~1] [impl->dsn~map-by-regions~1] */
#include "hal/guestmap.h"
#include "hal/sync.h"
#include "mpu_cpu.h"
#include "mpu_regs.h"

static volatile uint32_t guestmap_versions; /* given away */

bool hal_guestmap_translates(void)
{
    return false;
}

uint64_t hal_guestmap_limit(void)
{
    return BIT64(MPU_BITS);
}

static void guestmap_changed(struct hal_guestmap *map)
{
    map->version = hal_fetch_add32(&guestmap_versions, 1u) + 1u;
}

enum hv_status hal_guestmap_init(struct hal_guestmap *map, struct hal_domain *owner, uint16_t id)
{
    (void)owner;
    if ((id == 0u) || (id > 255u)) {
        return HV_INVALID;
    }
    map->set.region = map->region;
    map->set.nr = 0u;
    map->set.max = mpu_guest_regions();
    map->id = id;
    map->begun = 0u;
    map->changing = 0u;
    guestmap_changed(map);
    return HV_OK;
}

void hal_guestmap_destroy(struct hal_guestmap *map)
{
    map->set.nr = 0u;
    map->set.max = 0u;
    guestmap_changed(map);
}

void hal_guestmap_begin(struct hal_guestmap *map)
{
    if (map->begun == 0u) {
        hal_store_release32(&map->changing, map->changing + 1u);
        hal_barrier();
    }
    map->begun++;
}

void hal_guestmap_end(struct hal_guestmap *map)
{
    map->begun--;
    if (map->begun == 0u) {
        hal_store_release32(&map->changing, map->changing + 1u);
    }
}

static bool guestmap_is_valid(uint64_t at, uint64_t bytes)
{
    const uint64_t limit = hal_guestmap_limit();

    return (((at | bytes) & (PAGE_BYTES - 1u)) == 0u) && (bytes != 0u) && (at < limit) &&
           (bytes <= (limit - at));
}

enum hv_status hal_guestmap_map(struct hal_guestmap *map, gpa_t at, hpa_t to, uint64_t bytes, uint32_t perm,
                                enum hal_memtype type)
{
    struct mpu_region r = { at.v, at.v + (bytes - 1u), MPU_GUEST };
    enum hv_status status = HV_INVALID;

    r.attr |= ((perm & HAL_PERM_W) != 0u) ? MPU_WRITE : 0u;
    r.attr |= ((perm & HAL_PERM_X) != 0u) ? MPU_EXEC : 0u;
    r.attr |= (type == HAL_MEM_DEVICE) ? MPU_DEVICE : 0u;
    if (guestmap_is_valid(at.v, bytes) && (at.v == to.v) && ((perm & HAL_PERM_R) != 0u)) {
        hal_guestmap_begin(map);
        status = mpu_add(&map->set, &r);
        guestmap_changed(map);
        hal_guestmap_end(map);
    }
    return status;
}

enum hv_status hal_guestmap_unmap(struct hal_guestmap *map, gpa_t at, uint64_t bytes)
{
    enum hv_status status = HV_INVALID;

    if (guestmap_is_valid(at.v, bytes)) {
        hal_guestmap_begin(map);
        status = mpu_remove(&map->set, at.v, at.v + (bytes - 1u));
        guestmap_changed(map);
        hal_guestmap_end(map);
    }
    return status;
}

enum hv_status hal_guestmap_lookup(const struct hal_guestmap *map, gpa_t at, hpa_t *to, uint32_t *perm,
                                   uint64_t *bytes)
{
    const uint32_t before = hal_load_acquire32(&map->changing);
    const struct mpu_region *const r = mpu_at(&map->set, at.v);
    uint64_t first = 0u;
    uint64_t last = hal_guestmap_limit() - 1u;

    if (r != NULL) {
        *to = hpa(at.v);
        *perm = HAL_PERM_R | (((r->attr & MPU_WRITE) != 0u) ? HAL_PERM_W : 0u) |
                (((r->attr & MPU_EXEC) != 0u) ? HAL_PERM_X : 0u) |
                (((r->attr & MPU_DEVICE) != 0u) ? HAL_PERM_DEV : 0u);
        last = r->limit;
    } else {
        mpu_clip(&map->set, at.v, &first, &last);
    }
    *bytes = (last - at.v) + 1u;
    hal_barrier();
    if ((r == NULL) && (((before & 1u) != 0u) || (hal_load_acquire32(&map->changing) != before))) {
        return HV_BUSY;
    }
    return (r != NULL) ? HV_OK : HV_NOT_FOUND;
}

/* It leads where it is. */
void hal_guestmap_look(struct hal_guestmap *map, gpa_t at, struct hal_guestmap_page *page)
{
    if (hal_guestmap_lookup(map, at, &page->to, &page->perm, &page->bytes) != HV_OK) {
        page->perm = 0u;
    }
}

enum hv_status hal_guestmap_put(struct hal_guestmap *map, gpa_t at, const struct hal_guestmap_page *page,
                                hpa_t to, uint32_t perm)
{
    (void)map;
    (void)at;
    (void)page;
    (void)to;
    (void)perm;
    return HV_NOT_SUPPORTED;
}
