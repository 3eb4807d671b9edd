/* Every place of the address space that is not this domain's, and maintenance of caches without end; own
 * tables (MMU) or regions (MPU) that lead anywhere. */
#include "code.h"
#include "hostile.h"
#include "hostile_arch.h"
#include "xen.h"

#define FORMS    7u
#define STRIDE   0x40000u
#define EDGE     64u
#define OWN_MOST 8u

static struct {
    uint64_t base;
    uint64_t end;
} own[OWN_MOST];
static uint32_t nr_own;
static uint32_t reached;
static uint32_t page[1024] __attribute__((aligned(4096)));

static void own_add(struct tree_node node)
{
    uint64_t base;
    uint64_t bytes;

    for (uint32_t i = 0u; (node.at != NULL) && (nr_own < OWN_MOST) && tree_reg(&node, i, &base, &bytes);
         i++) {
        own[nr_own].base = base;
        own[nr_own].end = base + bytes;
        nr_own++;
    }
}

bool hostile_is_ours(uint64_t at)
{
    bool ours = false;

    if (nr_own == 0u) {
        own_add(tree_path("memory"));
        own_add(tree_compatible((irq_version() == 3u) ? "arm,gic-v3" : "arm,gic-400"));
        own_add(tree_compatible("arm,cortex-a15-gic"));
        own_add(tree_compatible("arm,sbsa-uart"));
        own_add(tree_compatible("arm,sbsa-gwdt"));
    }
    for (uint32_t i = 0u; i < nr_own; i++) {
        ours = ours || ((at >= own[i].base) && (at < own[i].end));
    }
    return ours;
}

static void touch_ready(void)
{
    static const uint32_t forms[FORMS] = {
        0xE5900000u, /* ldr r0, [r0] */
        0xE5D00000u, /* ldrb */
        0xE890000Cu, /* ldm */
        0xE5801000u, /* str */
        0xE5C01000u, /* strb */
        0xE880000Cu, /* stm */
        0xE12FFF30u, /* blx: to where it leads */
    };

    for (uint32_t i = 0u; i < FORMS; i++) {
        code_put(i, forms[i]);
    }
    code_sync();
}

/* Loads, stores, a fetch: each has to end in a trap. */
static void touch(uint64_t at)
{
    void (*const there)(void) = (void (*)(void))(uintptr_t)(at & ~3ULL);

    for (uint32_t i = 0u; i < (FORMS - 1u); i++) {
        const uint64_t before = traps[cpu_number()];

        (void)code_run(i, at, 0x5A5A5A5Au);
        if ((traps[cpu_number()] == before) && (reached < 16u)) {
            reached++;
            print("HOSTILE-REACHED %X by form %u\n", at, i);
        }
    }
    there();
    tried(FORMS);
}

static bool is_foreign(uint64_t at)
{
    const bool alias = (HOSTILE_ALIAS != 0u) && (at >= HOSTILE_ALIAS);

    return !hostile_is_ours(at) && (!alias || !hostile_is_ours(at - HOSTILE_ALIAS));
}

static void touch_foreign(uint64_t at)
{
    const uint64_t word = at & ~3ULL;

    if ((at <= UINT32_MAX) && is_foreign(word) && is_foreign(word + 4u)) {
        touch(word);
    }
}

/* The whole space at a stride; then what lies around every edge that there may be. */
static void every_place(void)
{
    static const uint64_t edges[] = { 0x00000000u, 0x00008000u, 0x08000000u, 0x10000000u, 0x20000000u,
                                      0x20200000u, 0x40000000u, 0x80000000u, 0xE0000000u, 0xE0205000u,
                                      0xE7C00000u, 0xF0000000u, 0xF0100000u, 0xF0120000u, 0xFFFFFFC0u };

    touch_ready();
    hostile_alias();
    for (uint64_t at = 0u; at <= UINT32_MAX; at += STRIDE) {
        touch_foreign(at + (random64() % STRIDE));
    }
    (void)hostile_is_ours(0u);
    for (uint32_t i = 0u; i < (nr_own + (sizeof(edges) / sizeof(edges[0]))); i++) {
        const uint64_t base = (i < nr_own) ? own[i].base : edges[i - nr_own];
        const uint64_t end = (i < nr_own) ? own[i].end : (edges[i - nr_own] + 0x1000u);

        for (uint64_t n = 0u; n < (2u * EDGE); n += 4u) {
            touch_foreign((base + n) - EDGE);
            touch_foreign((end + n) - EDGE);
        }
    }
    print("HOSTILE reached=%u\n", reached);
}

#if GUEST_MPU

/* Regions of our own of any form, over what is nobody's or the hypervisor's, used while they change */
static void any_regions(void)
{
    const uint32_t nr = (uint32_t)((reg_read(mpuir) >> 8u) & 0xFFu);

    touch_ready();
    for (uint64_t i = 0u; storm_goes(i, 500u); i++) {
        const uint32_t n = 2u + (uint32_t)(random64() % (nr - 2u));

        reg_write(prselr, n);
        reg_write(prbar, 0xE0000000u | (uint32_t)random64());
        reg_write(prlar, 0xE0000000u | (uint32_t)random64());
        touch_foreign(0xE0000000u | (random64() & 0x1FFFFFFCu));
        tried(2u);
    }
    for (uint32_t n = 2u; n < nr; n++) {
        reg_write(prselr, n);
        reg_write(prlar, 0u);
    }
    for (uint64_t i = 0u; storm_goes(i, 200u); i++) {
        reg_write(prselr, random64()); /* beyond what there is */
        (void)reg_read(prbar);
        (void)reg_read(prlar);
    }
    reg_write(prselr, 0u);
    tried(storm(600u));
}

/* The MPU off, where the default map is all there is; with it and the background region */
static void regions_off(void)
{
    const uint64_t sctlr = reg_read(sctlr_el1);

    for (uint64_t i = 0u; storm_goes(i, 200u); i++) {
        reg_write(sctlr_el1, sctlr & ~0x1005ULL);
        (void)mmio_read32(LAYOUT_NOWHERE);
        reg_write(sctlr_el1, sctlr | (1u << 17u));
        (void)mmio_read32(LAYOUT_NOWHERE);
        reg_write(sctlr_el1, sctlr);
    }
    tried(storm(1000u));
}

#else

#define TABLE        3ULL
#define BLOCK_NORMAL 0x745ULL
#define ADDRESS_LOW  0xFFFFF000u
#define WILD         3u /* the fourth GiB */
#define WILD_AT      0xC0000000u

extern uint64_t level1[512];
static uint64_t level2[512] __attribute__((aligned(4096)));

static void changed(void)
{
    __asm__ volatile("dsb ish\n\tmcr p15, 0, %0, c8, c3, 0\n\tdsb ish\n\tisb" : : "r"(0u) : "memory");
}

/* Output addresses of up to 40 bits, and tables in places that are none */
static void any_regions(void)
{
    static const uint64_t targets[] = { 0x00000000u,     0x03001000u,    0x03020000u, 0x22000000u,
                                        0x30000000u,     0x3FFFF000u,    0xFFFFF000u, 0x7FFFFFF000ULL,
                                        0xFFFFFFF000ULL, 0x8000000000ULL };

    touch_ready();
    for (uint32_t bit = 31u; bit < 40u; bit++) {
        (void)xen_remove((1ULL << bit) / XEN_PAGE_BYTES); /* earlier attacks put pages there */
        level1[WILD] = (1ULL << bit) | BLOCK_NORMAL;
        changed();
        touch(WILD_AT);
        touch(WILD_AT + 0x3FFFFFF0u);
    }
    for (uint32_t i = 0u; i < (sizeof(targets) / sizeof(targets[0])); i++) {
        level1[WILD] = targets[i] | TABLE;
        for (uint32_t n = 0u; n < 512u; n++) {
            level2[n] = targets[i] | TABLE;
        }
        changed();
        touch(WILD_AT);
        level1[WILD] = (uintptr_t)level2 | TABLE; /* the next level instead */
        changed();
        touch(WILD_AT + 0x345678u);
    }
    for (uint64_t i = 0u; storm_goes(i, 500u); i++) {
        level1[WILD] = random64();
        if (((level1[WILD] & TABLE) == TABLE) && hostile_is_ours(level1[WILD] & ADDRESS_LOW)) {
            continue; /* a walk that qemu-system-arm, where addresses have 32 bits, never gets through */
        }
        changed();
        (void)code_run(0u, WILD_AT + (random64() & 0x3FFFFFF8u), 0u);
        (void)code_run(3u, WILD_AT + (random64() & 0x3FFFFFF8u), 0u);
    }
    level1[WILD] = ((uint64_t)WILD << 30u) | BLOCK_NORMAL;
    changed();
}

static void regions_off(void)
{
    const uint64_t sctlr = reg_read(sctlr_el1);

    for (uint64_t i = 0u; storm_goes(i, 200u); i++) {
        reg_write(sctlr_el1, sctlr & ~0x1005ULL);
        reg_write(sctlr_el1, sctlr);
    }
    tried(storm(400u));
}

#endif

static void maintenance(void)
{
    const uint32_t here = (uint32_t)(uintptr_t)page;

    for (uint64_t i = 0u; storm_goes(i, 3000u); i++) {
        __asm__ volatile("mcr p15, 0, %0, c7, c14, 1\n\t" /* DCCIMVAC */
                         "mcr p15, 0, %0, c7, c11, 1\n\t" /* DCCMVAU */
                         "mcr p15, 0, %0, c7, c5, 1\n\t"  /* ICIMVAU */
                         "mcr p15, 0, %0, c7, c5, 0\n\t"  /* ICIALLU */
                         "mcr p15, 0, %0, c7, c1, 0\n\t"  /* ICIALLUIS */
                         "dsb sy\n\tisb"
                         :
                         : "r"(here)
                         : "memory");
    }
    tried(storm(15000u));
}

static void set_way(void)
{
    for (uint64_t i = 0u; storm_goes(i, 4096u); i++) {
        const uint32_t operand =
            (i < 2048u) ? (uint32_t)((i << 5u) | ((i % 8u) << 1u)) : (uint32_t)random64();

        __asm__ volatile("mcr p15, 0, %0, c7, c6, 2\n\t"
                         "mcr p15, 0, %0, c7, c10, 2\n\t"
                         "mcr p15, 0, %0, c7, c14, 2"
                         :
                         : "r"(operand)
                         : "memory");
    }
    tried(3u * storm(4096u));
}

const struct attack attacks_memory[] = {
    { "every_place", every_place, false }, { "any_regions", any_regions, false },
    { "maintenance", maintenance, true },  { "set_way", set_way, true },
    { "regions_off", regions_off, true },  { NULL, NULL, false },
};
