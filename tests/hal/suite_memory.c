/* The hypervisor's own map: windows, linear addresses, caches, the guard.
 * [test->req~stack-guards~1] [test->req~no-standing-map~1] */
#include "hal_suite.h"

#include "hal/cache.h"
#include "hal/cpu.h"
#include "hal/hypmap.h"
#include "lib/bits.h"
#include "lib/string.h"

static uint8_t image_page[3][PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));

static hpa_t scratch(uint64_t offset)
{
    return hpa(suite_machine.scratch.v + offset);
}

static void windows_show_memory(void)
{
    uint64_t bytes = 0u;
    volatile uint64_t *w = hal_hypmap_window(HAL_WINDOW_WORK_DST, scratch(0x1238u), HAL_HYPMAP_RW, &bytes);

    CHECK(bytes == (HAL_WINDOW_BYTES - 0x1238u));
    *w = 0x1122334455667788ULL;
    const volatile uint64_t *r =
        hal_hypmap_window(HAL_WINDOW_WORK_SRC, scratch(0x1238u), HAL_HYPMAP_RO, &bytes);
    CHECK((r != w) || !hal_guestmap_translates());
    CHECK(*r == 0x1122334455667788ULL);
    *w = 1u;
    CHECK(*r == 1u);

    /* The last byte of a window, and the next block through the same slot */
    w = hal_hypmap_window(HAL_WINDOW_WORK_DST, scratch(HAL_WINDOW_BYTES - 8u), HAL_HYPMAP_RW, &bytes);
    CHECK(bytes == 8u);
    *w = 7u;
    w = hal_hypmap_window(HAL_WINDOW_WORK_DST, scratch(HAL_WINDOW_BYTES), HAL_HYPMAP_RW, &bytes);
    CHECK(bytes == HAL_WINDOW_BYTES);
    *w = 9u;
    r = hal_hypmap_window(HAL_WINDOW_WORK_SRC, scratch(HAL_WINDOW_BYTES - 8u), HAL_HYPMAP_RO, &bytes);
    CHECK(*r == 7u);
    r = hal_hypmap_window(HAL_WINDOW_WORK_SRC, scratch(HAL_WINDOW_BYTES), HAL_HYPMAP_RO, &bytes);
    CHECK(*r == 9u);
    hal_hypmap_window_close(HAL_WINDOW_WORK_SRC);
    hal_hypmap_window_close(HAL_WINDOW_WORK_SRC);
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
}

static void windows_reopen(void)
{
    uint64_t bytes = 0u;

    /* Each look through a slot that showed something else before; a stale translation would show that. */
    for (uint32_t i = 0u; i < 16u; i++) {
        volatile uint64_t *const w = hal_hypmap_window(
            HAL_WINDOW_WORK_DST, scratch((i % 4u) * HAL_WINDOW_BYTES), HAL_HYPMAP_RW, &bytes);

        if (i >= 4u) {
            CHECK(*w == (100u + (i - 4u)));
        }
        *w = 100u + i;
    }
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
}

static void trap_windows(void)
{
    const uint64_t flags = hal_cpu_irq_save();
    uint64_t bytes = 0u;
    volatile uint32_t *const a = hal_hypmap_window(HAL_WINDOW_TRAP, scratch(0u), HAL_HYPMAP_RW, &bytes);
    volatile uint32_t *const b =
        hal_hypmap_window(HAL_WINDOW_TRAP2, scratch(HAL_WINDOW_BYTES), HAL_HYPMAP_RW, &bytes);

    *a = 1u;
    *b = 2u;
    CHECK((*a == 1u) && (*b == 2u));
    hal_hypmap_window_close(HAL_WINDOW_TRAP2);
    hal_hypmap_window_close(HAL_WINDOW_TRAP);
    hal_cpu_irq_restore(flags);
}

static void image_is_linear(void)
{
    const uint64_t first = hal_hypmap_hpa(&image_page[0][0]).v;

    CHECK((first % PAGE_BYTES) == 0u);
    CHECK(hal_hypmap_hpa(&image_page[2][5]).v == (first + (2u * PAGE_BYTES) + 5u));
}

static void zeroing(void)
{
    uint64_t bytes = 0u;
    uint8_t *const w = hal_hypmap_window(HAL_WINDOW_WORK_DST, scratch(0u), HAL_HYPMAP_RW, &bytes);
    bool zero = true;

    (void)memset(w, 0xA5, 4u * PAGE_BYTES);
    hal_cache_clean(w, 4u * PAGE_BYTES);
    hal_cache_zero(&w[PAGE_BYTES], 2u * PAGE_BYTES);
    for (uint32_t i = 0u; i < (2u * PAGE_BYTES); i++) {
        zero = zero && (w[PAGE_BYTES + i] == 0u);
    }
    CHECK(zero);
    CHECK((w[PAGE_BYTES - 1u] == 0xA5u) && (w[3u * PAGE_BYTES] == 0xA5u));
    hal_cache_clean_invalidate(&w[1], 1u);
    CHECK(w[1] == 0xA5u);
    hal_cache_instructions();
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
}

/* Any alignment of either side, pieces that are shorter and longer than what goes in one turn. */
static void copying(void)
{
    static const uint32_t sizes[] = { 1u, 63u, 256u, 700u, 4095u };
    uint64_t bytes = 0u;
    uint8_t *const w = hal_hypmap_window(HAL_WINDOW_WORK_DST, scratch(0u), HAL_HYPMAP_RW, &bytes);
    uint8_t *const from = &w[8u * PAGE_BYTES];
    bool same = true;

    for (uint32_t i = 0u; i < (2u * PAGE_BYTES); i++) {
        from[i] = (uint8_t)((i * 7u) + (i >> 8u));
    }
    for (uint32_t at = 0u; at < 80u; at += 13u) {
        for (uint32_t s = 0u; s < ARRAY_LEN(sizes); s++) {
            (void)memset(w, 0x5A, 2u * PAGE_BYTES);
            hal_cache_copy(&w[64u + at], &from[at / 2u], sizes[s]);
            same = same && (memcmp(&w[64u + at], &from[at / 2u], sizes[s]) == 0);
            same = same && (w[63u + at] == 0x5Au) && (w[64u + at + sizes[s]] == 0x5Au);
        }
    }
    CHECK(same);
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
}

/* The heap goes on behind the pages that the suite gives away. */
static void guard(void)
{
    uint8_t *const below = &suite_machine.pages[SUITE_PAGES * PAGE_BYTES];

    below[PAGE_BYTES - 1u] = 1u;
    below[2u * PAGE_BYTES] = 2u;
    CHECK(hal_hypmap_guard(&below[PAGE_BYTES], cpu_id()) == HV_OK);
    CHECK((below[PAGE_BYTES - 1u] == 1u) && (below[2u * PAGE_BYTES] == 2u));
}

/* What is mapped for good lies where no other test opens a window. */
static hpa_t for_good(uint64_t offset)
{
    return scratch(SUITE_SCRATCH_BYTES - HAL_WINDOW_BYTES + offset);
}

static void readonly_map(void)
{
    uint64_t bytes = 0u;
    const void *va = NULL;
    volatile uint64_t *const w =
        hal_hypmap_window(HAL_WINDOW_WORK_DST, for_good(0x3008u), HAL_HYPMAP_RW, &bytes);

    *w = 0xABCDu;
    CHECK(hal_hypmap_readonly(for_good(0x3008u), 3u * PAGE_BYTES, &va) == HV_OK);
    CHECK(*(const volatile uint64_t *)va == 0xABCDu);
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
}

static void standing_map(void)
{
    uint64_t bytes = 0u;
    void *va = NULL;
    const volatile uint64_t *const r =
        hal_hypmap_window(HAL_WINDOW_WORK_SRC, for_good(0x7010u), HAL_HYPMAP_RO, &bytes);

    CHECK(hal_hypmap_memory(for_good(0x7010u), 2u * PAGE_BYTES, &va) == HV_OK);
    volatile uint64_t *const w = va;
    *w = 0x5AFEu;
    w[(2u * PAGE_BYTES / sizeof(*w)) - 1u] = 1u;
    hal_cache_clean(va, 2u * PAGE_BYTES);
    CHECK(*r == 0x5AFEu);
    hal_hypmap_window_close(HAL_WINDOW_WORK_SRC);
}

const struct suite_test suite_tests_memory[] = {
    { "windows_show_memory", windows_show_memory },
    { "windows_reopen", windows_reopen },
    { "trap_windows", trap_windows },
    { "image_is_linear", image_is_linear },
    { "zeroing", zeroing },
    { "readonly_map", readonly_map },
    { "standing_map", standing_map },
    { "copying", copying },
    { "guard", guard },
    { NULL, NULL },
};
