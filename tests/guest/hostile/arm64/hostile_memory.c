/* Addresses where nothing is, translation tables that lead nowhere, and maintenance of caches and tables
 * without end. */
#include "code.h"
#include "hostile.h"

#define BLOCK_NORMAL 0x705ULL
#define TABLE        3ULL
#define VA_BITS      39u
#define WILD_SLOT    500u /* entries of the first table that attacks may change */

extern uint64_t level1[512];
static uint64_t level2[512] __attribute__((aligned(4096)));
static uint64_t page[512] __attribute__((aligned(4096)));

static void changed(void)
{
    __asm__ volatile("dsb ish\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
}

/* Load, store, pair, fetch, translation */
static void touch(uint64_t at)
{
    void (*const there)(void) = (void (*)(void))(uintptr_t)at;

    for (uint32_t i = 0u; i < 6u; i++) {
        (void)code_run(i, at, 0u);
    }
    there();
    tried(7u);
}

static void touch_ready(void)
{
    static const uint32_t forms[] = {
        0xF9400001u, /* ldr x */
        0xF9000001u, /* str x */
        0xA9400C02u, /* ldp x */
        0x39000001u, /* strb */
        0xD5087800u, /* at s1e1r */
        0xD5087820u, /* at s1e1w */
    };

    for (uint32_t i = 0u; i < (sizeof(forms) / sizeof(forms[0])); i++) {
        code_put(i, forms[i]);
    }
    code_sync();
}

/* A store into our own RAM would be felt by ourselves only, but we want to go on. */
static bool is_ours(uint64_t at)
{
    const struct tree_node node = tree_path("memory");
    uint64_t base = 0u;
    uint64_t bytes = 0u;

    (void)tree_reg(&node, 0u, &base, &bytes);
    return (at >= (base - 0x1000u)) && (at < (base + bytes));
}

/* All of the guest physical space by powers of two, and around each region that we know */
static void wild_addresses(void)
{
    static const uint64_t regions[] = { 0x03001000u, 0x03011000u, 0x03020000u, 0x22000000u, 0x22001000u,
                                        0x22002000u, 0x22003000u, 0x38000000u, 0x40000000u, 0x200000000ULL };

    touch_ready();
    for (uint64_t i = 4u; i < 511u; i++) {
        level1[i] = (i << 30u) | BLOCK_NORMAL;
    }
    changed();
    for (uint32_t bit = 0u; bit < VA_BITS; bit++) {
        for (uint64_t below = 0u; below < 3u; below++) {
            const uint64_t at = (1ULL << bit) - (below * 8u) + (below * below);

            if (!is_ours(at) && (at < (511ULL << 30u))) {
                touch(at);
            }
        }
    }
    for (uint32_t i = 0u; i < (sizeof(regions) / sizeof(regions[0])); i++) {
        touch(regions[i] - 8u);
        touch(regions[i] - 0x1000u);
        if (!is_ours(regions[i])) {
            touch(regions[i] + 0xFF8u);
        }
    }
    for (uint64_t i = 0u; storm_goes(i, 1000u); i++) {
        const uint64_t at = random64() % (511ULL << 30u);

        if (!is_ours(at)) {
            touch(at);
        }
    }
}

/* Output addresses beyond our RAM, up to those of 40 bits and more, which no stage 2 knows */
static void wide_addresses(void)
{
    touch_ready();
    for (uint32_t bit = 31u; bit < 48u; bit++) {
        level1[WILD_SLOT] = (1ULL << bit) | BLOCK_NORMAL;
        changed();
        touch((uint64_t)WILD_SLOT << 30u);
    }
}

/* Tables in places that are none: nowhere, devices, the last page, beyond all addresses, loops of
 * themselves */
static void tables_nowhere(void)
{
    const uint64_t va = (uint64_t)WILD_SLOT << 30u;
    const uint64_t targets[] = { 0x00000000u,
                                 0x03001000u,
                                 0x03002000u,
                                 0x03020000u,
                                 0x22000000u,
                                 0x22002000u,
                                 0x30000000u,
                                 0x3FFFF000u,
                                 0xFFFFF000u,
                                 0x7FFFFFF000ULL,
                                 0xFFFFFFF000ULL,
                                 0xFFFFFFFFF000ULL,
                                 (uint64_t)(uintptr_t)level1,
                                 (uint64_t)(uintptr_t)level2 };

    touch_ready();
    for (uint32_t i = 0u; i < (sizeof(targets) / sizeof(targets[0])); i++) {
        level1[WILD_SLOT] = targets[i] | TABLE;
        for (uint32_t n = 0u; n < 512u; n++) {
            level2[n] = targets[i] | TABLE;
        }
        changed();
        touch(va);
        touch(va + 0x123456789u);
        level1[WILD_SLOT] = (uint64_t)(uintptr_t)level2 | TABLE; /* the next level instead */
        changed();
        touch(va);
        touch(va + 0x3FFFF8u);
    }
    /* entries of all kinds, changed while they are used */
    for (uint64_t i = 0u; storm_goes(i, 500u); i++) {
        level1[WILD_SLOT] = random64();
        changed();
        touch(va + (random64() & 0x3FFFFFF8u));
    }
    level1[WILD_SLOT] = 0u;
    changed();
}

static void maintenance(void)
{
    const uint64_t here = (uint64_t)(uintptr_t)page;

    for (uint64_t i = 0u; storm_goes(i, 3000u); i++) {
        __asm__ volatile("dc civac, %0\n\tdc cvau, %0\n\tic ivau, %0\n\tdc ivac, %0"
                         :
                         : "r"(here)
                         : "memory");
        __asm__ volatile(
            "tlbi vmalle1is\n\ttlbi vmalle1\n\ttlbi vaae1is, %0\n\ttlbi aside1is, %0\n\tic iallu\n\t"
            "ic ialluis\n\tdsb sy\n\tisb"
            :
            : "r"(here >> 12u)
            : "memory");
    }
    tried(storm(30000u));
}

static void set_way(void)
{
    for (uint64_t i = 0u; storm_goes(i, 4096u); i++) {
        const uint64_t operand = (i < 2048u) ? ((i << 5u) | ((i % 8u) << 1u)) : random64();

        __asm__ volatile("dc isw, %0\n\tdc csw, %0\n\tdc cisw, %0" : : "r"(operand) : "memory");
    }
    tried(3u * storm(4096u));
}

/* With our own caches and translation off and on again */
static void translation_off(void)
{
    const uint64_t sctlr = reg_read(sctlr_el1);

    for (uint64_t i = 0u; storm_goes(i, 200u); i++) {
        reg_write(sctlr_el1, sctlr & ~0x1005ULL);
        reg_write(sctlr_el1, sctlr);
    }
    tried(storm(400u));
}

const struct attack attacks_memory[] = {
    { "wild_addresses", wild_addresses, false },
    { "wide_addresses", wide_addresses, false },
    { "tables_nowhere", tables_nowhere, false },
    { "maintenance", maintenance, true },
    { "set_way", set_way, true },
    { "translation_off", translation_off, true },
    { NULL, NULL, false },
};
