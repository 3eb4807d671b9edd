/* [impl->dsn~ram-by-ranges~1] */
#include "mem/ram.h"

#include "base/panic.h"
#include "base/spinlock.h"
#include "lib/string.h"

/* Sorted and disjoint. FREE neighbours are merged; what was claimed stays as it was claimed, so that giving
 * it back never needs another entry. Every walk is bounded by RAM_RANGES_MAX. */
struct ram_range {
    uint64_t base;
    uint64_t end; /* one past the last byte */
    uint32_t owner;
};

static struct spinlock ram_lock = SPINLOCK(LOCK_MEM);
static struct ram_range ram_table[RAM_RANGES_MAX];
static uint32_t ram_nr;

/* The first range that ends above `at`; ram_nr if none. */
static uint32_t ram_find(uint64_t at)
{
    uint32_t i = 0;

    while ((i < ram_nr) && (ram_table[i].end <= at)) {
        i++;
    }
    return i;
}

static void ram_insert(uint32_t i, uint64_t base, uint64_t end, uint32_t owner)
{
    ASSERT(ram_nr < RAM_RANGES_MAX);
    (void)memmove(&ram_table[i + 1u], &ram_table[i], (ram_nr - i) * sizeof(ram_table[0]));
    ram_table[i].base = base;
    ram_table[i].end = end;
    ram_table[i].owner = owner;
    ram_nr++;
}

static void ram_drop(uint32_t i)
{
    ram_nr--;
    (void)memmove(&ram_table[i], &ram_table[i + 1u], (ram_nr - i) * sizeof(ram_table[0]));
}

/* Cuts the range that holds `at` inside itself in two. */
static void ram_cut(uint64_t at)
{
    const uint32_t i = ram_find(at);

    if ((i < ram_nr) && (ram_table[i].base < at)) {
        ram_insert(i, ram_table[i].base, at, ram_table[i].owner);
        ram_table[i + 1u].base = at;
    }
}

/* Two cuts need two free entries at most. */
static bool ram_can_cut(void)
{
    return (ram_nr + 2u) <= RAM_RANGES_MAX;
}

/* Gives all ranges in [base, end) to owner. */
static void ram_give(uint64_t base, uint64_t end, uint32_t owner)
{
    ram_cut(base);
    ram_cut(end);
    for (uint32_t i = ram_find(base); (i < ram_nr) && (ram_table[i].base < end); i++) {
        ram_table[i].owner = owner;
    }
}

static void ram_merge_free(void)
{
    uint32_t i = 1;

    while (i < ram_nr) {
        if ((ram_table[i].owner == RAM_FREE) && (ram_table[i - 1u].owner == RAM_FREE) &&
            (ram_table[i].base == ram_table[i - 1u].end)) {
            ram_table[i - 1u].end = ram_table[i].end;
            ram_drop(i);
        } else {
            i++;
        }
    }
}

static bool ram_is_range(uint64_t base, uint64_t bytes)
{
    return (bytes != 0u) && ((base % PAGE_BYTES) == 0u) && ((bytes % PAGE_BYTES) == 0u) &&
           ((base + bytes) > base);
}

enum hv_status ram_add(hpa_t base, uint64_t bytes)
{
    const uint64_t end = base.v + bytes;
    enum hv_status status = HV_OK;

    if (!ram_is_range(base.v, bytes)) {
        return HV_INVALID;
    }
    const uint64_t flags = spin_lock(&ram_lock);
    const uint32_t i = ram_find(base.v);

    if ((i < ram_nr) && (ram_table[i].base < end)) {
        status = HV_EXISTS;
    } else if (ram_nr == RAM_RANGES_MAX) {
        status = HV_LIMIT;
    } else {
        ram_insert(i, base.v, end, RAM_FREE);
        ram_merge_free();
    }
    spin_unlock(&ram_lock, flags);
    return status;
}

/* Are all parts of [base, end) that are RAM the owner's? */
static bool ram_all_of(uint64_t base, uint64_t end, uint32_t owner)
{
    for (uint32_t i = ram_find(base); (i < ram_nr) && (ram_table[i].base < end); i++) {
        if (ram_table[i].owner != owner) {
            return false;
        }
    }
    return true;
}

enum hv_status ram_claim(hpa_t base, uint64_t bytes, uint32_t owner)
{
    const uint64_t from = bits_align_down(base.v, PAGE_BYTES);
    const uint64_t end = bits_align_up(base.v + bytes, PAGE_BYTES);
    enum hv_status status = HV_OK;

    if (!ram_is_range(from, end - from)) {
        return HV_INVALID;
    }
    const uint64_t flags = spin_lock(&ram_lock);

    if (!ram_all_of(from, end, RAM_FREE)) {
        status = HV_BUSY;
    } else if (!ram_can_cut()) {
        status = HV_LIMIT;
    } else {
        ram_give(from, end, owner);
    }
    spin_unlock(&ram_lock, flags);
    return status;
}

/* Where the owner's ranges that hold `base` and follow without a gap end, at most `end`. */
static uint64_t ram_reach(uint64_t base, uint64_t end, uint32_t owner)
{
    uint64_t at = base;

    for (uint32_t i = ram_find(at); (i < ram_nr) && (at < end) && (ram_table[i].base <= at); i++) {
        if (ram_table[i].owner != owner) {
            break;
        }
        at = ram_table[i].end;
    }
    return bits_min(at, end);
}

enum hv_status ram_pass(hpa_t base, uint64_t bytes, uint32_t from, uint32_t to)
{
    const uint64_t end = base.v + bytes;
    enum hv_status status = HV_OK;

    if (!ram_is_range(base.v, bytes)) {
        return HV_INVALID;
    }
    const uint64_t flags = spin_lock(&ram_lock);

    if (ram_reach(base.v, end, from) < end) {
        status = HV_BUSY;
    } else if (!ram_can_cut()) {
        status = HV_LIMIT;
    } else {
        ram_give(base.v, end, to);
    }
    spin_unlock(&ram_lock, flags);
    return status;
}

/* What a free range can give: where it would begin, and how much, 0 if nothing. */
static uint64_t ram_offer(const struct ram_range *range, uint64_t align, uint64_t *base)
{
    const uint64_t from = bits_align_up(range->base, align);
    const bool fits = (range->owner == RAM_FREE) && (from >= range->base) && (from < range->end);

    *base = from;
    return fits ? (range->end - from) : 0u;
}

enum hv_status ram_alloc(uint64_t want_bytes, uint64_t min_bytes, uint64_t align, uint32_t owner, hpa_t *base,
                         uint64_t *bytes)
{
    const uint64_t want = bits_align_up(want_bytes, PAGE_BYTES);
    const uint64_t step = bits_max(align, PAGE_BYTES);
    uint64_t best_base = 0;
    uint64_t best_bytes = 0;
    enum hv_status status = HV_OK;
    const uint64_t flags = spin_lock(&ram_lock);

    for (uint32_t i = 0; (i < ram_nr) && (best_bytes < want); i++) {
        uint64_t from;
        const uint64_t offer = ram_offer(&ram_table[i], step, &from);

        if (offer > best_bytes) {
            best_bytes = offer;
            best_base = from;
        }
    }
    best_bytes = bits_min(best_bytes, want);
    if ((best_bytes == 0u) || (best_bytes < min_bytes) || !ram_can_cut()) {
        status = HV_NO_MEMORY;
    } else {
        ram_give(best_base, best_base + best_bytes, owner);
        *base = hpa(best_base);
        *bytes = best_bytes;
    }
    spin_unlock(&ram_lock, flags);
    return status;
}

void ram_release(hpa_t base, uint64_t bytes, uint32_t owner)
{
    const uint64_t end = base.v + bytes;
    const uint64_t flags = spin_lock(&ram_lock);

    ASSERT(ram_is_range(base.v, bytes));
    ASSERT(ram_reach(base.v, end, owner) == end);
    ram_give(base.v, end, RAM_FREE);
    ram_merge_free();
    spin_unlock(&ram_lock, flags);
}

uint32_t ram_owner(hpa_t at)
{
    const uint64_t flags = spin_lock(&ram_lock);
    const uint32_t i = ram_find(at.v);
    const bool known = (i < ram_nr) && (ram_table[i].base <= at.v);
    const uint32_t owner = known ? ram_table[i].owner : RAM_RESERVED;

    spin_unlock(&ram_lock, flags);
    return owner;
}

bool ram_range(hpa_t at, hpa_t *base, uint64_t *bytes, uint32_t *owner)
{
    const uint64_t flags = spin_lock(&ram_lock);
    const uint32_t i = ram_find(at.v);
    const bool found = (i < ram_nr);

    if (found) {
        *base = hpa(ram_table[i].base);
        *bytes = ram_table[i].end - ram_table[i].base;
        *owner = ram_table[i].owner;
    }
    spin_unlock(&ram_lock, flags);
    return found;
}

uint64_t ram_bytes(uint32_t owner)
{
    uint64_t sum = 0;
    const uint64_t flags = spin_lock(&ram_lock);

    for (uint32_t i = 0; i < ram_nr; i++) {
        if (ram_table[i].owner == owner) {
            sum += ram_table[i].end - ram_table[i].base;
        }
    }
    spin_unlock(&ram_lock, flags);
    return sum;
}
