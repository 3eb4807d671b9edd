/* What runs before the MMU is on, at the address of loading, and the step from there to upcall_boot(). With
 * the MMU off every access is to device memory: naturally aligned, and addresses are taken relative to the
 * program counter only, so no table of pointers may be read. */
/* [impl->req~refuses-el1~1] */
#include "arm_early.h"
#include "arm_mmu.h"
#include "arm_port.h"
#include "hal/mmio.h"
#include "hal/upcall.h"

struct arm_tables arm_tables __attribute__((section(".early.tables"), aligned(PAGE_BYTES)));
uint64_t arm_image_pa;

/* Device tree blobs, version 17 (Devicetree Specification 0.4, chapter 5) */
#define FDT_MAGIC      0xD00DFEEDu
#define FDT_BEGIN_NODE 1u
#define FDT_END_NODE   2u
#define FDT_PROP       3u
#define FDT_NOP        4u
#define FDT_BYTES_MAX  0x200000u
#define FDT_DEPTH_MAX  8u

#define PL011_DR      0x00u
#define PL011_FR      0x18u
#define PL011_FR_TXFF BIT32(5)
#define PL011_SPINS   100000u

struct early_walk {
    uint64_t base;
    uint32_t strings;
    uint32_t total;
    uint32_t depth;
    uint32_t cells[FDT_DEPTH_MAX + 1u]; /* #address-cells that a node sets for its children */
    uint64_t reg;                       /* of the node at hand */
    bool is_uart;
};

static uint64_t early_address(const uint8_t *symbol)
{
    return (uint64_t)(uintptr_t)symbol;
}

static void early_map_pages(uint64_t image_pa, uint64_t from, uint64_t to, uint64_t attributes)
{
    uint64_t *l3 = &arm_tables.image_l3[0][0];

    for (uint64_t pa = from; pa < to; pa += PAGE_BYTES) {
        l3[(pa - image_pa) >> PAGE_SHIFT] = arm_pte_leaf(pa, ARM_LEVEL_LEAF, attributes);
    }
}

static uint64_t early_table(const uint64_t *table)
{
    return arm_pte_table((uint64_t)(uintptr_t)table);
}

uint32_t arm_early_map(uintptr_t image_pa)
{
    struct arm_tables *t = &arm_tables;
    uint64_t *words = &t->root[0];
    const uint32_t first = arm_pte_index(ARM_VA_IMAGE, 2u);
    const uint64_t guard = early_address(arm_boot_guard);

    for (uint32_t i = 0u; i < (sizeof(*t) / sizeof(*words)); i++) {
        words[i] = 0u;
    }
    t->l1[arm_pte_index(ARM_VA_IMAGE, 1u)] = early_table(t->image_l2);
    t->l1[arm_pte_index(ARM_VA_WINDOWS, 1u)] = early_table(t->window_l2);
    t->l1[arm_pte_index(ARM_VA_FIXED, 1u)] = early_table(t->fixed_l2);
    t->l1[arm_pte_index(ARM_VA_HEAP, 1u)] = early_table(t->heap_l2);
    for (uint32_t i = 0u; i < ARM_IMAGE_L3_PAGES; i++) {
        t->image_l2[first + i] = early_table(t->image_l3[i]);
    }
    for (uint32_t i = 0u; i < ARM_FIXED_L3_PAGES; i++) {
        t->fixed_l2[i] = early_table(t->fixed_l3[i]);
    }
    early_map_pages(image_pa, image_pa, early_address(arm_text_end), ARM_S1_TEXT);
    early_map_pages(image_pa, early_address(arm_text_end), early_address(arm_rodata_end), ARM_S1_RO);
    early_map_pages(image_pa, early_address(arm_rodata_end), guard, ARM_S1_RW);
    early_map_pages(image_pa, guard + PAGE_BYTES, early_address(arm_image_end), ARM_S1_RW);
    return arm_map_identity(t, image_pa) ? 0u : 1u;
}

void arm_early_boot(uintptr_t tree, uintptr_t image_pa, uintptr_t payload_offset)
{
    const uint64_t bytes = early_address(arm_image_end) - early_address(arm_image_start);
    const struct hal_boot boot = {
        .image_base = hpa(image_pa),
        .image_bytes = bytes,
        .payload = hpa((payload_offset != 0u) ? (image_pa + payload_offset) : 0u),
        .tree = hpa(tree),
        .cpu_hwid = arm_cpu_hwid(),
    };

    arm_image_pa = image_pa;
    upcall_boot(&boot);
}

/* A refusal before there is a console: the first PL011 of the tree is taken to be one. */

static uint32_t early_byte(uint64_t address)
{
    return hal_mmio_read8((const volatile uint8_t *)(uintptr_t)address);
}

static uint32_t early_word(const struct early_walk *walk, uint32_t offset)
{
    const uint64_t at = walk->base + offset;

    if (offset > (walk->total - 4u)) {
        return 0u;
    }
    return (early_byte(at) << 24u) | (early_byte(at + 1u) << 16u) | (early_byte(at + 2u) << 8u) |
           early_byte(at + 3u);
}

/* Whether the tree's bytes at offset begin with text and its terminating zero. */
static bool early_equal(const struct early_walk *walk, uint32_t offset, const char *text, uint32_t bytes)
{
    bool same = (offset <= walk->total) && (bytes <= (walk->total - offset));

    for (uint32_t i = 0u; same && (i < bytes); i++) {
        same = (early_byte(walk->base + offset + i) == (uint32_t)(uint8_t)text[i]);
    }
    return same;
}

static void early_property(struct early_walk *walk, uint32_t value, uint32_t length, uint32_t name_offset)
{
    static const char address_cells[] = "#address-cells";
    static const char compatible[] = "compatible";
    static const char pl011[] = "arm,pl011";
    static const char reg[] = "reg";
    const uint32_t name = walk->strings + name_offset;

    if (early_equal(walk, name, address_cells, sizeof(address_cells))) {
        walk->cells[walk->depth] = early_word(walk, value);
    } else if (early_equal(walk, name, compatible, sizeof(compatible))) {
        walk->is_uart = early_equal(walk, value, pl011, sizeof(pl011));
    } else if (early_equal(walk, name, reg, sizeof(reg)) && (length >= 4u) && (walk->depth > 0u)) {
        walk->reg = early_word(walk, value);
        if ((walk->cells[walk->depth - 1u] == 2u) && (length >= 8u)) {
            walk->reg = (walk->reg << 32u) | early_word(walk, value + 4u);
        }
    }
}

/* One token at offset; answers the offset of the next, 0 at the end or when lost. Offsets only grow. */
static uint32_t early_token(struct early_walk *walk, uint32_t offset)
{
    const uint32_t token = early_word(walk, offset);
    uint32_t next = offset + 4u;

    if (token == FDT_BEGIN_NODE) {
        while ((next < walk->total) && (early_byte(walk->base + next) != 0u)) {
            next++;
        }
        next = (next + 4u) & ~3u;
        walk->depth++;
        walk->is_uart = false;
        walk->reg = 0u;
        if (walk->depth > FDT_DEPTH_MAX) {
            return 0u;
        }
        walk->cells[walk->depth] = 2u;
    } else if (token == FDT_PROP) {
        const uint32_t length = early_word(walk, offset + 4u);

        if (length > walk->total) {
            return 0u;
        }
        early_property(walk, offset + 12u, length, early_word(walk, offset + 8u));
        next = (offset + 12u + length + 3u) & ~3u;
    } else if ((token == FDT_END_NODE) && (walk->depth > 1u)) {
        walk->depth--;
    } else if (token != FDT_NOP) {
        return 0u;
    } else {
        next = offset + 4u;
    }
    return next;
}

/* Address of the first node whose first compatible is arm,pl011; 0 = none. */
static uint64_t early_find_uart(uint64_t tree)
{
    struct early_walk walk = { .base = tree, .total = 40u };

    if ((tree == 0u) || ((tree & 7u) != 0u) || (early_word(&walk, 0u) != FDT_MAGIC)) {
        return 0u;
    }
    walk.total = early_word(&walk, 4u);
    if ((walk.total < 40u) || (walk.total > FDT_BYTES_MAX)) {
        return 0u;
    }
    uint32_t offset = early_word(&walk, 8u);

    walk.strings = early_word(&walk, 12u);
    if (walk.strings > walk.total) {
        return 0u;
    }
    /* each round moves on by a word at least */
    while ((offset != 0u) && (offset < walk.total)) {
        const bool closes = early_word(&walk, offset) == FDT_END_NODE;
        const bool opens = early_word(&walk, offset) == FDT_BEGIN_NODE;

        if ((closes || opens) && walk.is_uart && (walk.reg != 0u)) {
            return walk.reg;
        }
        offset = early_token(&walk, offset);
    }
    return 0u;
}

void arm_early_refuse(uintptr_t tree, const char *why)
{
    const uint64_t uart = early_find_uart(tree);
    const volatile uint8_t *flags = (const volatile uint8_t *)(uintptr_t)(uart + PL011_FR);
    volatile uint8_t *data = (volatile uint8_t *)(uintptr_t)(uart + PL011_DR);

    for (const char *c = why; (uart != 0u) && (*c != '\0'); c++) {
        for (uint32_t spin = 0u; spin < PL011_SPINS; spin++) {
            if ((hal_mmio_read32(flags) & PL011_FR_TXFF) == 0u) {
                break;
            }
        }
        hal_mmio_write32(data, (uint32_t)(uint8_t)*c);
    }
}
