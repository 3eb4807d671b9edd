/* Memory: what the tree promises is there and was clean; everything else ends in an abort that tells the
 * truth. */
#include "probe.h"

#define NOWHERE      LAYOUT_NOWHERE
#define NOWHERE_CODE LAYOUT_CODE
#define WRITE_BIT    SYNDROME_WRITE
#define STATUS_MASK  SYNDROME_STATUS
#define EXTERNAL     STATUS_EXTERNAL

extern const char image_start[];
extern const char bss_end[];

static uint64_t ram_base;
static uint64_t ram_bytes;

static void ram_find(void)
{
    const struct tree_node node = tree_path("memory");

    EXPECT(tree_reg(&node, 0u, &ram_base, &ram_bytes));
#ifdef LAYOUT_RAM
    EXPECT_EQUAL(ram_base, LAYOUT_RAM);
#endif
    EXPECT(ram_bytes >= 0x1000000u);
}

static void ram_edges(void)
{
    volatile uint64_t *const last = (volatile uint64_t *)(uintptr_t)(ram_base + ram_bytes - 8u);

    probe_catch();
    *last = 0x55AA55AA55AA55AAULL;
    EXPECT_EQUAL(*last, 0x55AA55AA55AA55AAULL);
    *last = 0u;
    EXPECT_EQUAL(probe_trap.count, 0u);
}

static void ram_ends(void)
{
    probe_catch();
    (void)mmio_read32((uintptr_t)(ram_base + ram_bytes));
    EXPECT(probe_caught(CLASS_DATA_ABORT));
    EXPECT_EQUAL(probe_trap.address, ram_base + ram_bytes);
    probe_catch();
    (void)mmio_read32((uintptr_t)(ram_base - 4u));
    EXPECT(probe_caught(CLASS_DATA_ABORT));
}

/* What is neither our image nor the tree's neighbourhood holds nobody's old data. */
static void ram_was_clean(void)
{
    const uint64_t own = (uint64_t)(uintptr_t)bss_end;
    const uint64_t begin = (own + 0x1FFFFFu) & ~0x1FFFFFULL;
    const struct tree_node chosen = tree_path("chosen");
    const uint64_t tree = (uint64_t)(uintptr_t)chosen.at & ~0x1FFFFFULL;
    uint64_t dirty = 0u;

    for (uint64_t at = begin; at < (ram_base + ram_bytes); at += 64u) {
        const volatile uint64_t *const word = (const volatile uint64_t *)(uintptr_t)at;

        if (((at < tree) || (at >= (tree + 0x200000u))) && ((word[0] | word[3] | word[7]) != 0u)) {
            dirty = (dirty == 0u) ? at : dirty;
        }
    }
    EXPECT_EQUAL(dirty, 0u);
}

static void reads_abort(void)
{
    probe_catch();
    const uint64_t at = NOWHERE + 0x123u;
    (void)mmio_read8(at);
    EXPECT(probe_caught(CLASS_DATA_ABORT));
    EXPECT_EQUAL(probe_trap.address, at);
    EXPECT_EQUAL(probe_trap.syndrome & STATUS_MASK, EXTERNAL);
    EXPECT_EQUAL(probe_trap.syndrome & WRITE_BIT, 0u);
    EXPECT((probe_trap.syndrome & (1u << 25u)) != 0u); /* a 32-bit instruction */
    EXPECT((probe_trap.syndrome & (1u << 10u)) == 0u); /* the address is valid */
    EXPECT((probe_trap.syndrome & (1u << 24u)) == 0u); /* no instruction syndrome, that is for stage 2 */
    probe_catch();
    (void)mmio_read32(NOWHERE);
    EXPECT(probe_caught(CLASS_DATA_ABORT));
    probe_catch();
    (void)mmio_read32(NOWHERE + 0xFFCu);
    EXPECT(probe_caught(CLASS_DATA_ABORT));
    EXPECT_EQUAL(probe_trap.address, NOWHERE + 0xFFCu);
}

static void writes_abort(void)
{
    probe_catch();
    mmio_write32(NOWHERE + 8u, 1u);
    EXPECT(probe_caught(CLASS_DATA_ABORT));
    EXPECT_EQUAL(probe_trap.address, NOWHERE + 8u);
    EXPECT_EQUAL(probe_trap.syndrome & WRITE_BIT, WRITE_BIT);
    EXPECT_EQUAL(probe_trap.syndrome & STATUS_MASK, EXTERNAL);
    probe_catch();
    mmio_write8(NOWHERE + 3u, 1u);
    EXPECT(probe_caught(CLASS_DATA_ABORT));
    EXPECT_EQUAL(probe_trap.address, NOWHERE + 3u);
}

/* A pair has no syndrome that describes it. */
static void pairs_abort(void)
{
    probe_catch();
    mmio_read_pair(NOWHERE);
    EXPECT(probe_caught(CLASS_DATA_ABORT));
    probe_catch();
    mmio_write_pair(NOWHERE);
    EXPECT(probe_caught(CLASS_DATA_ABORT));
    EXPECT_EQUAL(probe_trap.syndrome & WRITE_BIT, WRITE_BIT);
}

static void fetches_abort(void)
{
    void (*const nowhere)(void) = (void (*)(void))(uintptr_t)NOWHERE_CODE;

    probe_catch();
    nowhere();
    EXPECT(probe_caught(CLASS_FETCH_ABORT));
    EXPECT_EQUAL(probe_trap.address, NOWHERE_CODE);
    EXPECT_EQUAL(probe_trap.pc, NOWHERE_CODE);
    EXPECT_EQUAL(probe_trap.syndrome & STATUS_MASK, EXTERNAL);
}

/* Between and behind the emulated devices */
static void gaps_abort(void)
{
    static const uint64_t gap[] = { LAYOUT_GAPS };

    for (uint32_t i = 0u; i < (sizeof(gap) / sizeof(gap[0])); i++) {
        probe_catch();
        (void)mmio_read32(gap[i]);
        EXPECT_EQUAL(probe_trap.count, 1u);
        EXPECT_EQUAL(probe_trap.address, gap[i]);
    }
}

const struct probe probes_memory[] = {
    { "ram_find", ram_find },       { "ram_edges", ram_edges },
    { "ram_ends", ram_ends },       { "ram_was_clean", ram_was_clean },
    { "reads_abort", reads_abort }, { "writes_abort", writes_abort },
    { "pairs_abort", pairs_abort }, { "fetches_abort", fetches_abort },
    { "gaps_abort", gaps_abort },   { NULL, NULL },
};
