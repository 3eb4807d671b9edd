/* Guests' maps: regions in, the same regions out, nothing else; and the domain's pages all come back.
 * [test->dsn~map-by-regions~1] */
#include "hal_suite.h"

#include "lib/bits.h"
#include "lib/string.h"

#define GUEST_AT    0x40000000ULL
#define MODEL_PAGES 1536u /* three 2 MiB blocks */

static struct hal_domain domain;
static struct {
    uint64_t to; /* 0 = not mapped */
    uint32_t perm;
} model[MODEL_PAGES];
static uint64_t lcg = 1u;

/* Where `at` leads on ports that cannot translate */
static hpa_t target(uint64_t at, uint64_t to)
{
    return hpa(hal_guestmap_translates() ? to : at);
}

static struct hal_guestmap *begin(uint32_t pages_max)
{
    suite_seen.domain_pages_max = suite_seen.domain_pages + pages_max;
    CHECK(hal_guestmap_init(&domain.map, &domain, 7u) == HV_OK);
    return &domain.map;
}

static void end(uint32_t pages_before)
{
    hal_guestmap_destroy(&domain.map);
    CHECK(suite_seen.domain_pages == pages_before);
    suite_seen.domain_pages_max = UINT32_MAX;
}

static bool leads(const struct hal_guestmap *map, uint64_t at, uint64_t to, uint32_t perm)
{
    hpa_t found = hpa(0u);
    uint32_t with = 0u;
    uint64_t bytes = 0u;

    return (hal_guestmap_lookup(map, gpa(at), &found, &with, &bytes) == HV_OK) && (found.v == to) &&
           (with == perm) && (bytes > 0u);
}

static bool leads_nowhere(const struct hal_guestmap *map, uint64_t at)
{
    hpa_t found = hpa(0u);
    uint32_t with = 0u;
    uint64_t bytes = 0u;

    return hal_guestmap_lookup(map, gpa(at), &found, &with, &bytes) == HV_NOT_FOUND;
}

/* Bytes that are mapped from `at` on: who follows the look-ups over the holes finds all of them. */
static uint64_t counted(const struct hal_guestmap *map, uint64_t at)
{
    uint64_t sum = 0u;
    uint64_t next = at;
    uint32_t steps = 0u;

    while ((next < hal_guestmap_limit()) && (steps < 100000u)) {
        hpa_t to = hpa(0u);
        uint32_t perm = 0u;
        uint64_t bytes = 0u;

        sum += (hal_guestmap_lookup(map, gpa(next), &to, &perm, &bytes) == HV_OK) ? bytes : 0u;
        CHECK(bytes > 0u);
        next += bytes;
        steps++;
    }
    return sum;
}

static void map_and_look(void)
{
    const uint32_t pages = suite_seen.domain_pages;
    struct hal_guestmap *const map = begin(32u);
    const uint64_t to = target(GUEST_AT, 0x80000000ULL).v;
    hpa_t found = hpa(0u);
    uint32_t perm = 0u;
    uint64_t bytes = 0u;

    CHECK(leads_nowhere(map, GUEST_AT));
    CHECK(leads_nowhere(map, 0u));
    CHECK(leads_nowhere(map, hal_guestmap_limit() - PAGE_BYTES));
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT), hpa(to), 3u * PAGE_BYTES, HAL_PERM_RWX, HAL_MEM_NORMAL) ==
          HV_OK);
    CHECK(leads(map, GUEST_AT, to, HAL_PERM_RWX));
    CHECK(leads(map, GUEST_AT + 0x2FFFu, to + 0x2FFFu, HAL_PERM_RWX)); /* within a page as well */
    CHECK(leads_nowhere(map, GUEST_AT - 1u));
    CHECK(leads_nowhere(map, GUEST_AT + (3u * PAGE_BYTES)));
    CHECK(hal_guestmap_lookup(map, gpa(GUEST_AT + 0x10u), &found, &perm, &bytes) == HV_OK);
    CHECK((bytes >= (PAGE_BYTES - 0x10u)) && (bytes <= ((3u * PAGE_BYTES) - 0x10u)));
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT + MIB(4)), hpa(target(GUEST_AT + MIB(4), 0x9000000u).v),
                           PAGE_BYTES, HAL_PERM_R | HAL_PERM_W, HAL_MEM_DEVICE) == HV_OK);
    CHECK(leads(map, GUEST_AT + MIB(4), target(GUEST_AT + MIB(4), 0x9000000u).v,
                HAL_PERM_R | HAL_PERM_W | HAL_PERM_DEV));
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT + MIB(6)), target(GUEST_AT + MIB(6), MIB(512)), PAGE_BYTES,
                           HAL_PERM_R, HAL_MEM_NORMAL) == HV_OK);
    CHECK(leads(map, GUEST_AT + MIB(6), target(GUEST_AT + MIB(6), MIB(512)).v, HAL_PERM_R));
    CHECK(counted(map, GUEST_AT) == (5u * PAGE_BYTES));
    end(pages);
}

static void nothing_twice(void)
{
    const uint32_t pages = suite_seen.domain_pages;
    struct hal_guestmap *const map = begin(32u);
    const uint64_t to = target(GUEST_AT, 0x80000000ULL).v;

    CHECK(hal_guestmap_map(map, gpa(GUEST_AT + PAGE_BYTES), hpa(to + PAGE_BYTES), PAGE_BYTES, HAL_PERM_RWX,
                           HAL_MEM_NORMAL) == HV_OK);
    /* over it, around it, from its middle on: refused, and nothing is changed */
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT + PAGE_BYTES), target(GUEST_AT + PAGE_BYTES, to), PAGE_BYTES,
                           HAL_PERM_R, HAL_MEM_NORMAL) == HV_EXISTS);
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT), hpa(to), MIB(4), HAL_PERM_R, HAL_MEM_NORMAL) == HV_EXISTS);
    CHECK(leads_nowhere(map, GUEST_AT));
    CHECK(leads_nowhere(map, GUEST_AT + (2u * PAGE_BYTES)));
    CHECK(leads_nowhere(map, GUEST_AT + MIB(2)));
    CHECK(leads(map, GUEST_AT + PAGE_BYTES, to + PAGE_BYTES, HAL_PERM_RWX));
    end(pages);
}

static void bad_ranges(void)
{
    const uint32_t pages = suite_seen.domain_pages;
    struct hal_guestmap *const map = begin(32u);
    const uint64_t limit = hal_guestmap_limit();

    CHECK(hal_guestmap_map(map, gpa(GUEST_AT + 1u), hpa(0u), PAGE_BYTES, HAL_PERM_R, HAL_MEM_NORMAL) ==
          HV_INVALID);
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT), hpa(8u), PAGE_BYTES, HAL_PERM_R, HAL_MEM_NORMAL) ==
          HV_INVALID);
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT), hpa(0u), PAGE_BYTES - 1u, HAL_PERM_R, HAL_MEM_NORMAL) ==
          HV_INVALID);
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT), hpa(0u), 0u, HAL_PERM_R, HAL_MEM_NORMAL) == HV_INVALID);
    CHECK(hal_guestmap_map(map, gpa(limit), hpa(0u), PAGE_BYTES, HAL_PERM_R, HAL_MEM_NORMAL) == HV_INVALID);
    CHECK(hal_guestmap_map(map, gpa(limit - PAGE_BYTES), hpa(0u), 2u * PAGE_BYTES, HAL_PERM_R,
                           HAL_MEM_NORMAL) == HV_INVALID);
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT), hpa(0u), ~(uint64_t)(PAGE_BYTES - 1u), HAL_PERM_R,
                           HAL_MEM_NORMAL) == HV_INVALID);
    CHECK(hal_guestmap_unmap(map, gpa(GUEST_AT + 1u), PAGE_BYTES) == HV_INVALID);
    CHECK(hal_guestmap_unmap(map, gpa(limit), PAGE_BYTES) == HV_INVALID);
    CHECK(leads_nowhere(map, GUEST_AT));
    CHECK(leads_nowhere(map, limit));
    CHECK(leads_nowhere(map, UINT64_MAX));
    /* the last page that can be mapped */
    CHECK(hal_guestmap_map(map, gpa(limit - PAGE_BYTES), target(limit - PAGE_BYTES, MIB(64)), PAGE_BYTES,
                           HAL_PERM_R, HAL_MEM_NORMAL) == HV_OK);
    CHECK(leads(map, limit - 1u, target(limit - PAGE_BYTES, MIB(64)).v + PAGE_BYTES - 1u, HAL_PERM_R));
    end(pages);
}

static void blocks_are_large(void)
{
    const uint32_t pages = suite_seen.domain_pages;
    struct hal_guestmap *const map = begin(64u);
    const uint64_t to = target(GUEST_AT, GIB(2)).v;
    hpa_t found = hpa(0u);
    uint32_t perm = 0u;
    uint64_t bytes = 0u;

    /* 1 GiB + 6 MiB, aligned alike: with 4 KiB pages alone this would take more than 500 tables. */
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT), hpa(to), GIB(1) + MIB(6), HAL_PERM_RWX, HAL_MEM_NORMAL) ==
          HV_OK);
    CHECK((suite_seen.domain_pages - pages) <= 6u);
    CHECK(leads(map, GUEST_AT + GIB(1) + MIB(5), to + GIB(1) + MIB(5), HAL_PERM_RWX));
    CHECK(hal_guestmap_lookup(map, gpa(GUEST_AT + PAGE_BYTES), &found, &perm, &bytes) == HV_OK);
    CHECK(bytes >= (MIB(2) - PAGE_BYTES)); /* a block at least */
    /* one page out of the middle */
    CHECK(hal_guestmap_unmap(map, gpa(GUEST_AT + MIB(32) + PAGE_BYTES), PAGE_BYTES) == HV_OK);
    CHECK(leads_nowhere(map, GUEST_AT + MIB(32) + PAGE_BYTES));
    CHECK(leads(map, GUEST_AT + MIB(32), to + MIB(32), HAL_PERM_RWX));
    CHECK(leads(map, GUEST_AT + MIB(32) + (2u * PAGE_BYTES), to + MIB(32) + (2u * PAGE_BYTES), HAL_PERM_RWX));
    CHECK(leads(map, GUEST_AT + MIB(34), to + MIB(34), HAL_PERM_RWX));
    CHECK(leads(map, GUEST_AT + MIB(512), to + MIB(512), HAL_PERM_RWX));
    end(pages);
}

static void memory_runs_out(void)
{
    const uint32_t pages = suite_seen.domain_pages;
    struct hal_guestmap *const map = begin(64u);
    const uint64_t to = target(GUEST_AT, GIB(2)).v;
    uint32_t allowed = 0u;
    enum hv_status status = HV_NO_MEMORY;

    /* A mapping for which more and more pages are there: each refusal leaves nothing behind. */
    while ((status == HV_NO_MEMORY) && (allowed < 64u)) {
        suite_seen.domain_pages_max = suite_seen.domain_pages + allowed;
        status = hal_guestmap_map(map, gpa(GUEST_AT + PAGE_BYTES), hpa(to + PAGE_BYTES), MIB(8), HAL_PERM_RWX,
                                  HAL_MEM_NORMAL);
        if (status == HV_NO_MEMORY) {
            CHECK(leads_nowhere(map, GUEST_AT + PAGE_BYTES));
            CHECK(leads_nowhere(map, GUEST_AT + MIB(4)));
            CHECK(leads_nowhere(map, GUEST_AT + MIB(8)));
        }
        allowed++;
    }
    CHECK(status == HV_OK);
    CHECK(leads(map, GUEST_AT + MIB(8), to + MIB(8), HAL_PERM_RWX));
    /* Splitting needs pages as well; without them all stays. */
    suite_seen.domain_pages_max = suite_seen.domain_pages;
    if (hal_guestmap_unmap(map, gpa(GUEST_AT + MIB(4) + PAGE_BYTES), PAGE_BYTES) == HV_NO_MEMORY) {
        CHECK(leads(map, GUEST_AT + MIB(4) + PAGE_BYTES, to + MIB(4) + PAGE_BYTES, HAL_PERM_RWX));
    } else {
        CHECK(leads_nowhere(map, GUEST_AT + MIB(4) + PAGE_BYTES));
    }
    CHECK(leads(map, GUEST_AT + MIB(4), to + MIB(4), HAL_PERM_RWX));
    end(pages);
    /* not even the empty map, if that has tables */
    suite_seen.domain_pages_max = suite_seen.domain_pages;
    CHECK(!hal_guestmap_translates() || (hal_guestmap_init(&domain.map, &domain, 7u) == HV_NO_MEMORY));
    CHECK(suite_seen.domain_pages == pages);
    suite_seen.domain_pages_max = UINT32_MAX;
}

static uint32_t draw(uint32_t below)
{
    lcg = (lcg * 6364136223846793005ULL) + 1442695040888963407ULL;
    return (uint32_t)(lcg >> 33u) % below;
}

/* Where regions are few there may be none left for the step; then nothing is changed. */
static bool done_or_full(enum hv_status status)
{
    CHECK((status == HV_OK) || ((status == HV_LIMIT) && !hal_guestmap_translates()));
    return status == HV_OK;
}

static void model_step(struct hal_guestmap *map)
{
    const uint32_t first = draw(MODEL_PAGES);
    const uint32_t most = (draw(4u) == 0u) ? MODEL_PAGES : 32u;
    const uint32_t nr = 1u + draw(((MODEL_PAGES - first) < most) ? (MODEL_PAGES - first) : most);
    const uint64_t at = GUEST_AT + ((uint64_t)first * PAGE_BYTES);
    const uint64_t to =
        target(at, GIB(4) + at + ((uint64_t)draw(3u) * MIB(2)) + ((uint64_t)draw(2u) * PAGE_BYTES)).v;
    const uint32_t perm = (1u + draw(7u)) | (hal_guestmap_translates() ? 0u : HAL_PERM_R);
    const uint64_t bytes = (uint64_t)nr * PAGE_BYTES;
    bool taken = false;

    for (uint32_t i = first; i < (first + nr); i++) {
        taken = taken || (model[i].to != 0u);
    }
    if (draw(2u) == 0u) {
        if (done_or_full(hal_guestmap_unmap(map, gpa(at), bytes))) {
            (void)memset(&model[first], 0, sizeof(model[0]) * nr);
        }
    } else if (taken) {
        CHECK(hal_guestmap_map(map, gpa(at), hpa(to), bytes, perm, HAL_MEM_NORMAL) == HV_EXISTS);
    } else if (done_or_full(hal_guestmap_map(map, gpa(at), hpa(to), bytes, perm, HAL_MEM_NORMAL))) {
        for (uint32_t i = 0u; i < nr; i++) {
            model[first + i].to = to + ((uint64_t)i * PAGE_BYTES);
            model[first + i].perm = perm;
        }
    } else {
        /* full */
    }
}

static bool model_agrees(const struct hal_guestmap *map)
{
    bool agrees = true;

    for (uint32_t i = 0u; i < MODEL_PAGES; i++) {
        const uint64_t at = GUEST_AT + ((uint64_t)i * PAGE_BYTES);

        agrees = agrees &&
                 ((model[i].to == 0u) ? leads_nowhere(map, at) : leads(map, at, model[i].to, model[i].perm));
    }
    return agrees;
}

static void random_regions(void)
{
    const uint32_t pages = suite_seen.domain_pages;
    struct hal_guestmap *const map = begin(64u);

    (void)memset(model, 0, sizeof(model));
    for (uint32_t i = 0u; i < 300u; i++) {
        model_step(map);
        if ((i % 10u) == 0u) {
            CHECK(model_agrees(map));
        }
    }
    CHECK(model_agrees(map));
    end(pages);
}

static void again_and_again(void)
{
    const uint32_t pages = suite_seen.domain_pages;

    for (uint32_t i = 0u; i < 3u; i++) {
        struct hal_guestmap *const map = begin(32u);

        CHECK(leads_nowhere(map, GUEST_AT));
        CHECK(hal_guestmap_map(map, gpa(GUEST_AT), target(GUEST_AT, GIB(2)), MIB(16), HAL_PERM_RWX,
                               HAL_MEM_NORMAL) == HV_OK);
        CHECK(leads(map, GUEST_AT + MIB(15), target(GUEST_AT, GIB(2)).v + MIB(15), HAL_PERM_RWX));
        end(pages);
    }
}

/* Between begin and end, which nest, what is missing is to be tried again, and what is there is told. */
static void changes(void)
{
    const uint32_t pages = suite_seen.domain_pages;
    struct hal_guestmap *const map = begin(32u);
    const uint64_t to = target(GUEST_AT, 0x80000000ULL).v;
    hpa_t found = hpa(0u);
    uint32_t perm = 0u;
    uint64_t bytes = 0u;

    CHECK(hal_guestmap_map(map, gpa(GUEST_AT), hpa(to), PAGE_BYTES, HAL_PERM_RWX, HAL_MEM_NORMAL) == HV_OK);
    hal_guestmap_begin(map);
    hal_guestmap_begin(map);
    CHECK(hal_guestmap_unmap(map, gpa(GUEST_AT), PAGE_BYTES) == HV_OK);
    CHECK(hal_guestmap_lookup(map, gpa(GUEST_AT), &found, &perm, &bytes) == HV_BUSY);
    hal_guestmap_end(map);
    CHECK(hal_guestmap_lookup(map, gpa(GUEST_AT), &found, &perm, &bytes) == HV_BUSY);
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT), hpa(to), PAGE_BYTES, HAL_PERM_R, HAL_MEM_NORMAL) == HV_OK);
    CHECK(leads(map, GUEST_AT, to, HAL_PERM_R));
    hal_guestmap_end(map);
    CHECK(leads(map, GUEST_AT, to, HAL_PERM_R));
    CHECK(leads_nowhere(map, GUEST_AT + PAGE_BYTES));
    end(pages);
}

static enum hv_status put(struct hal_guestmap *map, uint64_t at, uint64_t to, uint32_t perm)
{
    struct hal_guestmap_page page;

    hal_guestmap_look(map, gpa(at), &page);
    CHECK((page.perm == 0u) || leads(map, at, page.to.v, page.perm));
    return hal_guestmap_put(map, gpa(at), &page, hpa(to), perm);
}

/* A page at a time: in a block, in a hole, in the place of another. */
static void pages_put(void)
{
    const uint32_t pages = suite_seen.domain_pages;
    struct hal_guestmap *const map = begin(32u);
    const uint64_t to = 0x80000000ULL;

    if (!hal_guestmap_translates()) {
        CHECK(put(map, GUEST_AT, GUEST_AT, HAL_PERM_R) == HV_NOT_SUPPORTED);
        end(pages);
        return;
    }
    CHECK(hal_guestmap_map(map, gpa(GUEST_AT), hpa(to), MIB(4), HAL_PERM_RWX, HAL_MEM_NORMAL) == HV_OK);
    CHECK(put(map, GUEST_AT + PAGE_BYTES, 0x90000000ULL, HAL_PERM_R) == HV_OK);
    CHECK(leads(map, GUEST_AT, to, HAL_PERM_RWX) &&
          leads(map, GUEST_AT + PAGE_BYTES, 0x90000000ULL, HAL_PERM_R));
    CHECK(leads(map, GUEST_AT + (2u * PAGE_BYTES), to + (2u * PAGE_BYTES), HAL_PERM_RWX));
    CHECK(put(map, GUEST_AT + PAGE_BYTES, 0x91000000ULL, HAL_PERM_R | HAL_PERM_W) == HV_OK);
    CHECK(leads(map, GUEST_AT + PAGE_BYTES, 0x91000000ULL, HAL_PERM_R | HAL_PERM_W));
    CHECK(put(map, GUEST_AT + PAGE_BYTES, 0u, 0u) == HV_OK);
    CHECK(leads_nowhere(map, GUEST_AT + PAGE_BYTES));
    CHECK(put(map, GUEST_AT + PAGE_BYTES, 0u, 0u) == HV_OK);
    CHECK(put(map, GUEST_AT + PAGE_BYTES, to, HAL_PERM_RWX) == HV_OK);
    CHECK(leads(map, GUEST_AT + PAGE_BYTES, to, HAL_PERM_RWX));
    CHECK(put(map, GUEST_AT + GIB(1), to, HAL_PERM_R) == HV_OK); /* no table is there */
    CHECK(leads(map, GUEST_AT + GIB(1), to, HAL_PERM_R) &&
          leads_nowhere(map, GUEST_AT + GIB(1) + PAGE_BYTES));
    CHECK(counted(map, GUEST_AT) == (MIB(4) + PAGE_BYTES));
    suite_seen.domain_pages_max = suite_seen.domain_pages;
    if (put(map, GUEST_AT + MIB(2), to, HAL_PERM_R) == HV_NO_MEMORY) {
        CHECK(leads(map, GUEST_AT + MIB(2), to + MIB(2), HAL_PERM_RWX));
    }
    end(pages);
}

const struct suite_test suite_tests_map[] = {
    { "map_and_look", map_and_look },
    { "nothing_twice", nothing_twice },
    { "bad_ranges", bad_ranges },
    { "blocks_are_large", blocks_are_large },
    { "memory_runs_out", memory_runs_out },
    { "random_regions", random_regions },
    { "again_and_again", again_and_again },
    { "changes", changes },
    { "pages_put", pages_put },
    { NULL, NULL },
};
