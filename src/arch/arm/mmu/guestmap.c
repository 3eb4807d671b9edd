/* Stage 2 of guests (DDI 0487 D8.2.2, D8.14). Table pages are the domain's, in the heap, and go back when the
 * map is destroyed. Changes are serialised by the caller; look-ups run beside them and see whole
 * descriptors. */
/* [impl->req~memory-apart~1] [impl->dsn~map-by-regions~1] */
#include "arm_mmu.h"
#include "arm_port.h"
#include "hal/cache.h"
#include "hal/guestmap.h"
#include "hal/hypmap.h"
#include "hal/sync.h"
#include "hal/upcall.h"

#define FLUSH_PAGES_MAX 32u /* more leaves than this are flushed with the whole VMID */

static uint64_t guestmap_empty[ARM_PTE_ENTRIES] __attribute__((aligned(PAGE_BYTES)));

bool hal_guestmap_translates(void)
{
    return true;
}

uint64_t hal_guestmap_limit(void)
{
    static uint64_t limit; /* the same on all CPUs, whoever comes first */

    if (limit == 0u) {
        limit = 1ULL << arm_ipa_bits(arm_pa_bits());
    }
    return limit;
}

void arm_guestmap_init_cpu(void)
{
    arm_vtcr_write(arm_ipa_bits(arm_pa_bits()));
    arm_guestmap_leave();
}

/* VMID 0 is nobody's. A CPU that runs no vCPU must not walk the tables of one that may go away. */
void arm_guestmap_leave(void)
{
    arm_vttbr_write(hal_hypmap_hpa(guestmap_empty).v);
}

/* What was written at va is there for SMMUs that look past the caches. */
static void guestmap_reveal(const void *va, uint64_t bytes)
{
    if ((CONFIG_IOMMU != 0) && smmu_sees_memory) {
        hal_cache_clean(va, bytes);
    }
}

static void guestmap_store(uint64_t *entry, uint64_t pte)
{
    hal_store_release64(entry, pte);
    guestmap_reveal(entry, sizeof(*entry));
}

/* A new table, empty; NULL: the pool is. */
static uint64_t *guestmap_table(const struct hal_guestmap *map)
{
    uint64_t *const table = (uint64_t *)upcall_domain_page(map->owner);

    if (table != NULL) {
        guestmap_reveal(table, PAGE_BYTES);
    }
    return table;
}

/* TLB entries of the map for nr_pages pages from ipa on, on all CPUs; 0 pages: all of them. The VMID is that
 * of VTTBR, borrowed with interrupts masked. */
static void guestmap_flush(const struct hal_guestmap *map, uint64_t ipa, uint32_t nr_pages)
{
    const uint64_t irqs = hal_cpu_irq_save();
    const uint64_t saved = arm_vttbr_read();

    arm_vttbr_write(map->vttbr);
    arm_tlb_flush_guest(ipa, nr_pages);
    arm_vttbr_write(saved);
    hal_cpu_irq_restore(irqs);
    if (CONFIG_IOMMU != 0) {
        smmu_flush(map->smmus, arm_stage2_of(map).id);
    }
}

/* A descriptor, its table and level, from a table of *level on: the leaf or the invalid one for ipa. Four
 * rounds at most. */
static inline uint64_t *guestmap_walk(uint64_t **table, uint64_t ipa, uint32_t *level)
{
    uint32_t l = *level;
    uint32_t shift = arm_level_shift(l);
    uint64_t *entry = &(*table)[(uint32_t)(ipa >> shift) & (ARM_PTE_ENTRIES - 1u)];
    uint64_t pte = hal_load_acquire64(entry);

    while (arm_pte_is_table(pte, l)) {
        shift -= ARM_PTE_BITS;
        l++;
        *table = arm_heap_at(arm_pte_output(pte));
        entry = &(*table)[(uint32_t)(ipa >> shift) & (ARM_PTE_ENTRIES - 1u)];
        pte = hal_load_acquire64(entry);
    }
    *level = l;
    return entry;
}

static inline uint64_t *guestmap_find(const struct hal_guestmap *map, uint64_t ipa, uint32_t *level)
{
    uint64_t *table = map->root;

    *level = map->start_level;
    return guestmap_walk(&table, ipa, level);
}

/* Bytes from ipa to the end of what an entry of level covers. */
static uint64_t guestmap_rest(uint64_t ipa, uint32_t level)
{
    return arm_level_bytes(level) - (ipa & (arm_level_bytes(level) - 1u));
}

static bool guestmap_range_valid(uint64_t at, uint64_t bytes)
{
    const uint64_t limit = hal_guestmap_limit();

    return (((at | bytes) & (PAGE_BYTES - 1u)) == 0u) && (bytes != 0u) && (at < limit) &&
           (bytes <= (limit - at));
}

enum hv_status hal_guestmap_init(struct hal_guestmap *map, struct hal_domain *owner, uint16_t id)
{
    if ((id == 0u) || (id > 255u)) {
        return HV_INVALID;
    }
    map->owner = owner;
    map->smmus = 0u;
    map->root = guestmap_table(map);
    if (map->root == NULL) {
        return HV_NO_MEMORY;
    }
    map->begun = 0u;
    map->changing = 0u;
    map->ipa_bits = arm_ipa_bits(arm_pa_bits());
    map->start_level = arm_ipa_start_level(map->ipa_bits);
    map->near = map->root;
    map->near_at = 0u;
    map->near_level = map->start_level;
    map->vttbr = ((uint64_t)id << ARM_VTTBR_VMID_LOW) | hal_hypmap_hpa(map->root).v;
    guestmap_flush(map, 0u, 0u);
    return HV_OK;
}

void hal_guestmap_destroy(struct hal_guestmap *map)
{
    uint64_t *table[ARM_LEVEL_LEAF + 1u];
    uint32_t next[ARM_LEVEL_LEAF + 1u] = { 0u, 0u, 0u, 0u };
    const uint32_t start = map->start_level;
    uint32_t level = start;

    if (map->root == NULL) {
        return;
    }
    guestmap_flush(map, 0u, 0u);
    table[start] = map->root;
    /* Depth first; each table's entries are looked at once, tables of leaves not at all. */
    while (level >= start) {
        if ((next[level] == ARM_PTE_ENTRIES) || (level == ARM_LEVEL_LEAF)) {
            upcall_domain_page_free(map->owner, table[level]);
            next[level] = 0u;
            if (level == start) {
                break;
            }
            level--;
        } else {
            const uint64_t pte = table[level][next[level]];

            next[level]++;
            if (arm_pte_is_table(pte, level)) {
                level++;
                table[level] = arm_heap_at(arm_pte_output(pte));
            }
        }
    }
    map->root = NULL;
}

static bool guestmap_is_empty(const struct hal_guestmap *map, uint64_t at, uint64_t bytes)
{
    bool is_empty = true;
    uint64_t done = 0u;

    while (is_empty && (done < bytes)) {
        uint32_t level = 0u;
        const uint64_t *entry = guestmap_find(map, at + done, &level);

        is_empty = !arm_pte_is_valid(*entry);
        done += guestmap_rest(at + done, level);
    }
    return is_empty;
}

/* The descriptor for a leaf as large as alignment, size and existing tables allow; makes the tables above it.
 * NULL: the pool is empty. Four rounds at most. */
static uint64_t *guestmap_make(struct hal_guestmap *map, uint64_t ipa, uint64_t pa, uint64_t bytes,
                               uint32_t *level)
{
    uint64_t *table = map->root;

    for (uint32_t l = map->start_level; l < ARM_LEVEL_LEAF; l++) {
        uint64_t *entry = &table[arm_pte_index(ipa, l)];
        const uint64_t size = arm_level_bytes(l);

        if (!arm_pte_is_valid(*entry)) {
            uint64_t *page;

            if ((l != 0u) && (((ipa | pa) & (size - 1u)) == 0u) && (bytes >= size)) {
                *level = l;
                return entry;
            }
            page = guestmap_table(map);
            if (page == NULL) {
                return NULL;
            }
            guestmap_store(entry, arm_pte_table(hal_hypmap_hpa(page).v));
        }
        table = arm_heap_at(arm_pte_output(*entry));
    }
    *level = ARM_LEVEL_LEAF;
    return &table[arm_pte_index(ipa, ARM_LEVEL_LEAF)];
}

/* Takes the leaves of a range away, which has no partly covered block; the caller flushes. */
static void guestmap_clear(const struct hal_guestmap *map, uint64_t at, uint64_t bytes)
{
    uint64_t done = 0u;

    while (done < bytes) {
        uint32_t level = 0u;
        uint64_t *entry = guestmap_find(map, at + done, &level);

        if (arm_pte_is_valid(*entry)) {
            guestmap_store(entry, 0u);
        }
        done += guestmap_rest(at + done, level);
    }
}

enum hv_status hal_guestmap_map(struct hal_guestmap *map, gpa_t at, hpa_t to, uint64_t bytes, uint32_t perm,
                                enum hal_memtype type)
{
    const uint64_t attributes = arm_s2_attributes(perm, type);
    const uint64_t pa_limit = 1ULL << arm_pa_bits();
    uint64_t done = 0u;

    if (!guestmap_range_valid(at.v, bytes) || ((to.v & (PAGE_BYTES - 1u)) != 0u) || (to.v >= pa_limit) ||
        (bytes > (pa_limit - to.v)) || ((perm & HAL_PERM_RWX) == 0u)) {
        return HV_INVALID;
    }
    if (!guestmap_is_empty(map, at.v, bytes)) {
        return HV_EXISTS;
    }
    while (done < bytes) {
        uint32_t level = 0u;
        uint64_t *entry = guestmap_make(map, at.v + done, to.v + done, bytes - done, &level);

        if (entry == NULL) {
            guestmap_clear(map, at.v, done);
            guestmap_flush(map, 0u, 0u);
            return HV_NO_MEMORY;
        }
        guestmap_store(entry, arm_pte_leaf(to.v + done, level, attributes));
        done += arm_level_bytes(level);
    }
    /* A fault is never cached: the tables only have to be visible to the walkers (D8.13.1). */
    arm_dsb_ishst();
    return HV_OK;
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

/* Makes ipa the beginning of a leaf (or of a hole): at most two blocks are replaced by tables of the same
 * meaning, each through an invalid entry (D8.14.1). A guest that faults meanwhile finds `changing` set. */
static enum hv_status guestmap_split(struct hal_guestmap *map, uint64_t ipa)
{
    for (uint32_t l = 0u; l < ARM_LEVEL_LEAF; l++) {
        uint32_t level = 0u;
        uint64_t *entry = guestmap_find(map, ipa, &level);
        const uint64_t pte = *entry;
        uint64_t *table;

        if (!arm_pte_is_leaf(pte, level) || ((ipa & (arm_level_bytes(level) - 1u)) == 0u)) {
            break;
        }
        table = (uint64_t *)upcall_domain_page(map->owner);
        if (table == NULL) {
            return HV_NO_MEMORY;
        }
        const uint64_t step = arm_level_bytes(level + 1u);
        uint64_t leaf = arm_pte_leaf(arm_pte_output(pte), level + 1u, pte);

        for (uint32_t i = 0u; i < ARM_PTE_ENTRIES; i += 2u) { /* nothing carries beyond the address */
            table[i] = leaf;
            table[i + 1u] = leaf + step;
            leaf += 2u * step;
        }
        guestmap_reveal(table, PAGE_BYTES);
        hal_guestmap_begin(map);
        guestmap_store(entry, 0u);
        guestmap_flush(map, 0u, 0u);
        guestmap_store(entry, arm_pte_table(hal_hypmap_hpa(table).v));
        arm_dsb_ishst();
        hal_guestmap_end(map);
    }
    return HV_OK;
}

enum hv_status hal_guestmap_unmap(struct hal_guestmap *map, gpa_t at, uint64_t bytes)
{
    if (!guestmap_range_valid(at.v, bytes)) {
        return HV_INVALID;
    }
    enum hv_status status = guestmap_split(map, at.v);

    if ((status == HV_OK) && ((at.v + bytes) < hal_guestmap_limit())) {
        status = guestmap_split(map, at.v + bytes);
    }
    if (status != HV_OK) {
        return status;
    }
    guestmap_clear(map, at.v, bytes);
    guestmap_flush(map, at.v,
                   (bytes <= ((uint64_t)FLUSH_PAGES_MAX * PAGE_BYTES)) ? (uint32_t)(bytes >> PAGE_SHIFT)
                                                                       : 0u);
    return HV_OK;
}

/* What is said by an entry of a table of level. */
static inline void guestmap_seen(uint32_t level, gpa_t at, uint64_t *entry, struct hal_guestmap_page *page)
{
    const uint64_t bytes = arm_level_bytes(level);
    const uint64_t pte = *entry;
    const uint64_t offset = at.v & (bytes - 1u);

    page->entry = entry;
    page->level = level;
    page->bytes = bytes - offset;
    page->perm = arm_pte_is_leaf(pte, level) ? arm_s2_perm(pte) : 0u;
    page->to = hpa(arm_pte_output(pte) + offset);
}

static __attribute__((noinline)) void guestmap_look_far(struct hal_guestmap *map, gpa_t at,
                                                        struct hal_guestmap_page *page)
{
    map->near = map->root;
    map->near_level = map->start_level;
    map->near_at = at.v;
    uint64_t *const entry = guestmap_walk(&map->near, at.v, &map->near_level);

    guestmap_seen(map->near_level, at, entry, page);
}

/* In the table where the last one ended, if it can be: tables stay as long as the map does. */
void hal_guestmap_look(struct hal_guestmap *map, gpa_t at, struct hal_guestmap_page *page)
{
    const uint32_t level = map->near_level;
    const uint32_t shift = arm_level_shift(level);
    uint64_t *const entry = &map->near[(uint32_t)(at.v >> shift) & (ARM_PTE_ENTRIES - 1u)];

    if ((((at.v ^ map->near_at) >> (shift + ARM_PTE_BITS)) != 0u) || arm_pte_is_table(*entry, level)) {
        guestmap_look_far(map, at, page);
    } else {
        guestmap_seen(level, at, entry, page);
    }
}

/* Where there is no table for pages yet, or a block */
static __attribute__((noinline)) enum hv_status guestmap_put_new(struct hal_guestmap *map, gpa_t at,
                                                                 bool is_there, hpa_t to, uint32_t perm)
{
    enum hv_status status = HV_OK;

    hal_guestmap_begin(map);
    if (is_there) {
        status = hal_guestmap_unmap(map, at, PAGE_BYTES);
    }
    if ((status == HV_OK) && (perm != 0u)) {
        status = hal_guestmap_map(map, at, to, PAGE_BYTES, perm, HAL_MEM_NORMAL);
    }
    hal_guestmap_end(map);
    return status;
}

enum hv_status hal_guestmap_put(struct hal_guestmap *map, gpa_t at, const struct hal_guestmap_page *page,
                                hpa_t to, uint32_t perm)
{
    if (page->level != ARM_LEVEL_LEAF) {
        return guestmap_put_new(map, at, page->perm != 0u, to, perm);
    }
    if (page->perm != 0u) { /* through an invalid entry (D8.14.1) */
        hal_guestmap_begin(map);
        guestmap_store(page->entry, 0u);
        guestmap_flush(map, at.v, 1u);
    }
    if (perm != 0u) {
        guestmap_store(page->entry,
                       arm_pte_leaf(to.v, ARM_LEVEL_LEAF, arm_s2_attributes(perm, HAL_MEM_NORMAL)));
        arm_dsb_ishst();
    }
    if (page->perm != 0u) {
        hal_guestmap_end(map);
    }
    return HV_OK;
}

enum hv_status hal_guestmap_lookup(const struct hal_guestmap *map, gpa_t at, hpa_t *to, uint32_t *perm,
                                   uint64_t *bytes)
{
    const uint32_t before = hal_load_acquire32(&map->changing);
    uint32_t level = 0u;

    if ((at.v >> map->ipa_bits) != 0u) {
        return HV_NOT_FOUND;
    }
    const uint64_t pte = hal_load_acquire64(guestmap_find(map, at.v, &level));

    *bytes = guestmap_rest(at.v, level);
    if (!arm_pte_is_leaf(pte, level)) {
        hal_barrier();
        return (((before & 1u) != 0u) || (hal_load_acquire32(&map->changing) != before)) ? HV_BUSY
                                                                                         : HV_NOT_FOUND;
    }
    const uint64_t offset = at.v & (arm_level_bytes(level) - 1u);

    *to = hpa(arm_pte_output(pte) + offset);
    *perm = arm_s2_perm(pte);
    return HV_OK;
}
