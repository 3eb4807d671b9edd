/* Guests' maps as lists of regions. The entries lie in pages of the domain's pool, so that running out of
 * them, and giving them back, happens here as with tables. */
#include "fake_private.h"
#include "hal/upcall.h"
#include "lib/string.h"

#define LIMIT       BIT64(40)
#define BLOCK_BYTES GIB(1) /* how far one look-up reaches */

struct fake_region {
    struct fake_region *next;
    uint64_t at;
    uint64_t to;
    uint64_t bytes;
    uint32_t perm;
    enum hal_memtype type;
};

#define REGIONS_A_PAGE ((PAGE_BYTES - sizeof(void *)) / sizeof(struct fake_region))

struct fake_region_page {
    struct fake_region_page *next;
    struct fake_region region[REGIONS_A_PAGE];
};

_Static_assert(sizeof(struct fake_region_page) <= PAGE_BYTES, "entries fill a page");

static struct hal_guestmap *live;

uint64_t hal_guestmap_limit(void)
{
    return LIMIT;
}

/* Makes sure that `wanted` free entries are there. */
static bool reserve(struct hal_guestmap *map, uint32_t wanted)
{
    uint32_t count = 0u;
    bool more = true;

    for (const struct fake_region *r = map->free; r != NULL; r = r->next) {
        count++;
    }
    while (more && (count < wanted)) {
        struct fake_region_page *const page = upcall_domain_page(map->owner);

        more = page != NULL;
        if (more) {
            page->next = map->pages;
            map->pages = page;
            for (uint32_t i = 0u; i < REGIONS_A_PAGE; i++) {
                page->region[i].next = map->free;
                map->free = &page->region[i];
            }
            count += (uint32_t)REGIONS_A_PAGE;
        }
    }
    return count >= wanted;
}

static struct fake_region *take(struct hal_guestmap *map)
{
    struct fake_region *const r = map->free;

    map->free = r->next;
    return r;
}

enum hv_status hal_guestmap_init(struct hal_guestmap *map, struct hal_domain *owner, uint16_t id)
{
    for (const struct hal_guestmap *m = live; m != NULL; m = m->next_live) {
        if ((m == map) || (m->id == id)) {
            fake_die("map %u is alive already", id);
        }
    }
    if ((id < 1u) || (id > 255u)) {
        return HV_INVALID;
    }
    *map = (struct hal_guestmap){ .owner = owner, .id = id };
    if (!reserve(map, 1u)) {
        return HV_NO_MEMORY;
    }
    map->live = true;
    map->next_live = live;
    live = map;
    return HV_OK;
}

void hal_guestmap_destroy(struct hal_guestmap *map)
{
    struct hal_guestmap **link = &live;

    while ((*link != NULL) && (*link != map)) {
        link = &(*link)->next_live;
    }
    if (*link == NULL) {
        fake_die("hal_guestmap_destroy() of a map that is not alive");
    }
    if (fake_iommu_leads_to(map)) {
        fake_die("hal_guestmap_destroy() of a map that a device may use");
    }
    *link = map->next_live;
    while (map->pages != NULL) {
        struct fake_region_page *const page = map->pages;

        map->pages = page->next;
        upcall_domain_page_free(map->owner, page);
    }
    map->first = NULL;
    map->free = NULL;
    map->live = false;
    map->nr_invalidations++;
}

static bool range_bad(uint64_t at, uint64_t bytes)
{
    return (bytes == 0u) || (((at | bytes) % PAGE_BYTES) != 0u) || (at >= LIMIT) || (bytes > (LIMIT - at));
}

/* The link that leads to the first region that ends behind `at` */
static struct fake_region **link_behind(struct hal_guestmap *map, uint64_t at)
{
    struct fake_region **link = &map->first;

    while ((*link != NULL) && (((*link)->at + (*link)->bytes) <= at)) {
        link = &(*link)->next;
    }
    return link;
}

enum hv_status hal_guestmap_map(struct hal_guestmap *map, gpa_t at, hpa_t to, uint64_t bytes, uint32_t perm,
                                enum hal_memtype type)
{
    if (range_bad(at.v, bytes) || ((to.v % PAGE_BYTES) != 0u) || (perm == 0u) || (perm > HAL_PERM_RWX) ||
        (!hal_guestmap_translates() && (at.v != to.v))) {
        return HV_INVALID;
    }
    struct fake_region **const link = link_behind(map, at.v);
    if ((*link != NULL) && ((*link)->at < (at.v + bytes))) {
        return HV_EXISTS;
    }
    if (!reserve(map, 1u)) {
        return HV_NO_MEMORY;
    }
    struct fake_region *const r = take(map);
    *r = (struct fake_region){ *link, at.v, to.v, bytes, perm, type };
    *link = r;
    return HV_OK;
}

/* Cuts the region that *link leads to at `at`, which lies inside it. */
static void split(struct hal_guestmap *map, struct fake_region *r, uint64_t at)
{
    struct fake_region *const rest = take(map);
    const uint64_t before = at - r->at;

    *rest = *r;
    rest->at += before;
    rest->to += before;
    rest->bytes -= before;
    r->bytes = before;
    r->next = rest;
}

enum hv_status hal_guestmap_unmap(struct hal_guestmap *map, gpa_t at, uint64_t bytes)
{
    const uint64_t end = at.v + bytes;

    if (range_bad(at.v, bytes)) {
        return HV_INVALID;
    }
    if (!reserve(map, 2u)) {
        return HV_NO_MEMORY;
    }
    struct fake_region **link = link_behind(map, at.v);
    if ((*link != NULL) && ((*link)->at < at.v)) {
        split(map, *link, at.v);
        link = &(*link)->next;
    }
    while ((*link != NULL) && ((*link)->at < end)) {
        struct fake_region *const r = *link;

        if ((r->at + r->bytes) > end) {
            split(map, r, end);
        }
        *link = r->next;
        r->next = map->free;
        map->free = r;
    }
    map->nr_invalidations++;
    return HV_OK;
}

void hal_guestmap_begin(struct hal_guestmap *map)
{
    map->begun++;
}

void hal_guestmap_end(struct hal_guestmap *map)
{
    map->begun--;
}

enum hv_status hal_guestmap_lookup(const struct hal_guestmap *map, gpa_t at, hpa_t *to, uint32_t *perm,
                                   uint64_t *bytes)
{
    const struct fake_region *r = map->first;

    while ((r != NULL) && ((r->at + r->bytes) <= at.v)) {
        r = r->next;
    }
    if ((r == NULL) || (r->at > at.v)) {
        *bytes = BLOCK_BYTES - (at.v % BLOCK_BYTES);
        *bytes = (r == NULL) ? *bytes : bits_min(*bytes, r->at - at.v);
        return (map->begun != 0u) ? HV_BUSY : HV_NOT_FOUND;
    }
    *to = hpa(r->to + (at.v - r->at));
    *perm = r->perm | ((r->type == HAL_MEM_DEVICE) ? HAL_PERM_DEV : 0u);
    *bytes = bits_min(r->bytes - (at.v - r->at), BLOCK_BYTES - (at.v % BLOCK_BYTES));
    return HV_OK;
}

void hal_guestmap_look(struct hal_guestmap *map, gpa_t at, struct hal_guestmap_page *page)
{
    *page = (struct hal_guestmap_page){ .perm = 0u };
    if (hal_guestmap_lookup(map, at, &page->to, &page->perm, &page->bytes) != HV_OK) {
        page->perm = 0u;
    }
}

enum hv_status hal_guestmap_put(struct hal_guestmap *map, gpa_t at, const struct hal_guestmap_page *page,
                                hpa_t to, uint32_t perm)
{
    enum hv_status status = HV_OK;

    if (!hal_guestmap_translates()) {
        return HV_NOT_SUPPORTED;
    }
    if (page->perm != 0u) {
        status = hal_guestmap_unmap(map, at, PAGE_BYTES);
    }
    if ((status == HV_OK) && (perm != 0u)) {
        status = hal_guestmap_map(map, at, to, PAGE_BYTES, perm, HAL_MEM_NORMAL);
    }
    return status;
}

/* -- For tests -- */

void fake_maps_reset(void)
{
    live = NULL;
}

uint32_t fake_maps_live(void)
{
    uint32_t count = 0u;

    for (const struct hal_guestmap *m = live; m != NULL; m = m->next_live) {
        count++;
    }
    return count;
}

static bool meets_other(const struct hal_guestmap *map, const struct fake_region *r)
{
    bool meets = false;

    for (const struct hal_guestmap *m = live; m != NULL; m = m->next_live) {
        for (const struct fake_region *q = m->first; q != NULL; q = q->next) {
            meets = meets || (((m != map) || (q != r)) && (q->type == HAL_MEM_NORMAL) &&
                              (q->to < (r->to + r->bytes)) && (r->to < (q->to + q->bytes)));
        }
    }
    return meets;
}

bool fake_maps_disjoint(void)
{
    bool good = true;

    for (const struct hal_guestmap *m = live; m != NULL; m = m->next_live) {
        for (const struct fake_region *r = m->first; r != NULL; r = r->next) {
            good = good && ((r->type != HAL_MEM_NORMAL) || !meets_other(m, r));
        }
    }
    return good;
}

bool fake_map_region(const struct hal_guestmap *map, uint32_t i, gpa_t *at, hpa_t *to, uint64_t *bytes,
                     uint32_t *perm)
{
    const struct fake_region *r = map->first;

    for (uint32_t n = 0u; (r != NULL) && (n < i); n++) {
        r = r->next;
    }
    if (r != NULL) {
        *at = gpa(r->at);
        *to = hpa(r->to);
        *bytes = r->bytes;
        *perm = r->perm;
    }
    return r != NULL;
}

/* The RAM at a guest's address; *bytes is cut to what is linear there. NULL if it may not be accessed so. */
static uint8_t *guest_ram(const struct hal_guestmap *map, gpa_t at, uint32_t wanted, uint64_t *bytes)
{
    hpa_t to = hpa(0u);
    uint32_t perm = 0u;
    uint64_t linear = 0u;
    uint8_t *found = NULL;

    if ((hal_guestmap_lookup(map, at, &to, &perm, &linear) == HV_OK) && ((perm & wanted) != 0u)) {
        *bytes = bits_min(*bytes, linear);
        found = fake_ram(to, *bytes);
    }
    return found;
}

bool fake_guest_read(const struct hal_guestmap *map, gpa_t at, void *to, uint64_t bytes)
{
    uint64_t done = 0u;
    bool good = true;

    while (good && (done < bytes)) {
        uint64_t part = bytes - done;
        const uint8_t *const from = guest_ram(map, gpa(at.v + done), HAL_PERM_R, &part);

        good = from != NULL;
        if (good) {
            (void)memcpy((uint8_t *)to + done, from, part);
            done += part;
        }
    }
    return good;
}

bool fake_guest_write(const struct hal_guestmap *map, gpa_t at, const void *from, uint64_t bytes)
{
    uint64_t done = 0u;
    bool good = true;

    while (good && (done < bytes)) {
        uint64_t part = bytes - done;
        uint8_t *const to = guest_ram(map, gpa(at.v + done), HAL_PERM_W, &part);

        good = to != NULL;
        if (good) {
            (void)memcpy(to, (const uint8_t *)from + done, part);
            done += part;
        }
    }
    return good;
}
