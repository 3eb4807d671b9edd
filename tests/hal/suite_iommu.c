/* What devices reach, with one device behind an IOMMU that copies eight bytes from one address to another.
 * Machines without one skip this. [test->req~dma-apart~1] */
#include "hal_suite.h"

#include "lib/bits.h"

#define GUEST_AT 0x40000000ULL
#define WORD_AT  0x80u
#define FIRST    0x1111222233334444ULL
#define SECOND   0x5555666677778888ULL
#define MINE     suite_machine.stream /* of the device */

static struct hal_domain domain[2];

static bool absent(void)
{
    return suite_machine.copy == NULL;
}

/* A word in the i-th block of 2 MiB of the scratch memory */
static volatile uint64_t *word(uint32_t i)
{
    uint64_t bytes = 0u;
    uint8_t *const at = hal_hypmap_window(
        HAL_WINDOW_WORK_DST, hpa(suite_machine.scratch.v + (i * HAL_WINDOW_BYTES)), HAL_HYPMAP_RW, &bytes);

    return (volatile uint64_t *)(void *)&at[WORD_AT];
}

/* A map whose page at GUEST_AT is the block's first; the next one is the same, but read-only. */
static struct hal_guestmap *begin(uint32_t i)
{
    struct hal_guestmap *const map = &domain[i].map;
    const hpa_t block = hpa(suite_machine.scratch.v + (i * HAL_WINDOW_BYTES));

    suite_seen.domain_pages_max = UINT32_MAX;
    CHECK(hal_guestmap_init(map, &domain[i], (uint16_t)(21u + i)) == HV_OK);
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT), block, PAGE_BYTES, HAL_PERM_RWX, HAL_MEM_NORMAL) == HV_OK);
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT + PAGE_BYTES), block, PAGE_BYTES, HAL_PERM_R, HAL_MEM_NORMAL) ==
          HV_OK);
    return map;
}

static void copy(uint64_t from, uint64_t to)
{
    suite_machine.copy(from + WORD_AT, to + WORD_AT);
}

/* Faults that are told now, the last of them in suite_seen.fault */
static uint32_t faults(void)
{
    suite_seen.iommu_faults = 0u;
    for (uint32_t i = 0u; (i < 8u) && hal_iommu_service(0u); i++) {
        /* more */
    }
    return suite_seen.iommu_faults;
}

static void told_at(uint64_t at)
{
    CHECK(faults() > 0u);
    CHECK(suite_seen.fault.stream == MINE);
    CHECK((suite_seen.fault.at.v & ~(uint64_t)(PAGE_BYTES - 1u)) == at);
}

static void streams_reserved(void)
{
    struct hal_guestmap *map;

    if (absent()) {
        return;
    }
    CHECK(hal_iommu_reserve(0u, MINE, 1u) == HV_OK);
    CHECK(hal_iommu_reserve(0u, MINE, 2u) == HV_OK); /* again, and more */
    CHECK(hal_iommu_reserve(0u, 256u, 1024u) == HV_OK);
    CHECK(hal_iommu_reserve(0u, SUITE_STREAMS, 1u) == HV_NOT_SUPPORTED);
    CHECK(hal_iommu_reserve(0u, SUITE_STREAMS - 1u, 2u) == HV_NOT_SUPPORTED);
    CHECK(hal_iommu_reserve(0u, UINT32_MAX, UINT32_MAX) == HV_NOT_SUPPORTED);
    map = begin(0u);
    CHECK(hal_iommu_attach(0u, SUITE_STREAMS, 1u, map) == HV_NOT_SUPPORTED);
    CHECK(hal_iommu_attach(0u, 1280u, 1u, map) == HV_NOT_SUPPORTED); /* was not reserved */
    CHECK(hal_iommu_detach(0u, MINE, 1u, map) == HV_OK);             /* nor attached */
    hal_guestmap_destroy(map);
}

static void refused_until_attached(void)
{
    if (absent()) {
        return;
    }
    *word(0u) = FIRST;
    (void)faults();
    copy(GUEST_AT, suite_machine.scratch.v);
    CHECK(*word(0u) == FIRST);
}

static void sees_what_the_guest_sees(void)
{
    struct hal_guestmap *map;
    const uint64_t beside = GUEST_AT + (2u * PAGE_BYTES);

    if (absent()) {
        return;
    }
    map = begin(0u);
    CHECK(hal_iommu_attach(0u, MINE, 1u, map) == HV_OK);
    (void)faults();
    word(0u)[0] = FIRST;
    word(0u)[1] = 0u;
    copy(GUEST_AT, GUEST_AT + 8u);
    CHECK(word(0u)[1] == FIRST);
    CHECK(faults() == 0u);
    word(0u)[0] = SECOND;
    copy(GUEST_AT, GUEST_AT + PAGE_BYTES + 8u); /* the same memory, not for writing */
    CHECK(word(0u)[1] == FIRST);
    told_at(GUEST_AT + PAGE_BYTES);
    *word(1u) = FIRST;
    copy(GUEST_AT, suite_machine.scratch.v + HAL_WINDOW_BYTES); /* host addresses mean nothing */
    CHECK(*word(1u) == FIRST);
    told_at(suite_machine.scratch.v + HAL_WINDOW_BYTES);
    /* what is mapped anew is there, what is unmapped is gone: at once */
    CHECK(hal_guestmap_map(map, gpa(beside), hpa(suite_machine.scratch.v + HAL_WINDOW_BYTES), PAGE_BYTES,
                           HAL_PERM_RWX, HAL_MEM_NORMAL) == HV_OK);
    copy(GUEST_AT, beside);
    CHECK(*word(1u) == SECOND);
    CHECK(hal_guestmap_unmap(map, gpa(beside), PAGE_BYTES) == HV_OK);
    *word(1u) = FIRST;
    copy(GUEST_AT, beside);
    CHECK(*word(1u) == FIRST);
    told_at(beside);
    CHECK(hal_iommu_detach(0u, MINE, 1u, map) == HV_OK);
    hal_guestmap_destroy(map);
}

static void another_map_another_memory(void)
{
    struct hal_guestmap *map[2];

    if (absent()) {
        return;
    }
    map[0] = begin(0u);
    map[1] = begin(1u);
    *word(0u) = FIRST;
    *word(1u) = SECOND;
    CHECK(hal_iommu_attach(0u, MINE, 1u, map[0]) == HV_OK);
    copy(GUEST_AT, GUEST_AT + 8u);
    CHECK(word(0u)[1] == FIRST);
    CHECK(hal_iommu_detach(0u, MINE, 1u, map[0]) == HV_OK);
    (void)faults();
    word(0u)[1] = 0u;
    copy(GUEST_AT, GUEST_AT + 8u);
    CHECK(word(0u)[1] == 0u); /* cut off, and nothing is said of it */
    CHECK(faults() == 0u);
    word(1u)[1] = 0u;
    CHECK(hal_iommu_attach(0u, MINE, 1u, map[1]) == HV_OK);
    copy(GUEST_AT, GUEST_AT + 8u);
    CHECK(word(0u)[1] == 0u);
    CHECK(word(1u)[1] == SECOND);
    CHECK(hal_iommu_detach(0u, MINE, 1u, map[1]) == HV_OK);
    hal_guestmap_destroy(map[0]);
    hal_guestmap_destroy(map[1]);
}

static bool next_run(uint32_t *at, uint32_t first, uint32_t nr, uint16_t id)
{
    uint32_t found = 0u;
    uint16_t of = 0u;
    bool good = hal_iommu_walk(0u, at, &found, &of);

    good = good && (*at == first) && (found == nr) && (of == id);
    *at += found;
    return good;
}

static void walk_tells(void)
{
    struct hal_guestmap *map[2];
    uint32_t at = 0u;
    uint32_t nr = 0u;
    uint16_t id = 0u;

    if (absent()) {
        return;
    }
    map[0] = begin(0u);
    map[1] = begin(1u);
    CHECK(!hal_iommu_walk(0u, &at, &nr, &id));
    at = 0u;
    CHECK(hal_iommu_attach(0u, 256u, 1024u, map[0]) == HV_OK); /* whole tables: they are shared */
    CHECK(hal_iommu_attach(0u, MINE, 1u, map[0]) == HV_OK);
    CHECK(hal_iommu_attach(0u, MINE + 1u, 1u, map[1]) == HV_OK);
    CHECK(next_run(&at, MINE, 1u, 21u));
    CHECK(next_run(&at, MINE + 1u, 1u, 22u));
    CHECK(next_run(&at, 256u, 1024u, 21u));
    CHECK(!hal_iommu_walk(0u, &at, &nr, &id));
    CHECK(hal_iommu_detach(0u, 256u, 1024u, map[0]) == HV_OK);
    at = 0u;
    CHECK(next_run(&at, MINE, 1u, 21u));
    CHECK(hal_iommu_detach(0u, MINE, 1u, map[0]) == HV_OK);
    CHECK(hal_iommu_detach(0u, MINE + 1u, 1u, map[1]) == HV_OK);
    at = 0u;
    CHECK(!hal_iommu_walk(0u, &at, &nr, &id));
    hal_guestmap_destroy(map[0]);
    hal_guestmap_destroy(map[1]);
}

const struct suite_test suite_tests_iommu[] = {
    { "streams_reserved", streams_reserved },
    { "refused_until_attached", refused_until_attached },
    { "sees_what_the_guest_sees", sees_what_the_guest_sees },
    { "another_map_another_memory", another_map_another_memory },
    { "walk_tells", walk_tells },
    { NULL, NULL },
};
