/* Grant tables: every argument, entries that change while they are used, versions that change while pages are
 * mapped, tables put anywhere, all that there is used up; against itself, and against the neighbour, who
 * grants a page to read (REF_READ) and one to write (REF_WRITE). Where an answer would be a way through it is
 * judged: HOSTILE-REACHED. */
#include "hostile.h"

#include "monitor.h"
#include "xen.h"

#define WINDOW_GFN (XEN_GRANT_WINDOW / XEN_PAGE_BYTES)
#define ENTRIES    512u
#define NEIGHBOUR  2u
#define BATCH      64u
#define NR_OPS     16u
#define NR_PLACES  4u

/* What one vCPU maps to and grants */
union page {
    uint64_t word[XEN_PAGE_BYTES / 8u];
    uint8_t byte[XEN_PAGE_BYTES];
};
static union page places[GUEST_CPUS_MAX][NR_PLACES] __attribute__((aligned(XEN_PAGE_BYTES)));
static union page given[NR_PLACES] __attribute__((aligned(XEN_PAGE_BYTES)));
static struct xen_grant_map batch[GUEST_CPUS_MAX][BATCH];
static volatile bool has_table;

static void reached(const char *what)
{
    print("HOSTILE-REACHED %s\n", what);
}

static struct xen_grant_v1 *entry(uint32_t ref)
{
    return &((struct xen_grant_v1 *)(uintptr_t)XEN_GRANT_WINDOW)[ref % ENTRIES];
}

static int64_t grant_op(uint64_t op, volatile void *arg, uint64_t count)
{
    return attempt(XEN_HCALL_GRANT_TABLE_OP, op, (uintptr_t)arg, count);
}

static uint64_t place_of_own(void)
{
    return (uintptr_t)&places[cpu_number()][random64() % NR_PLACES];
}

/* Where pages may be, and where none can be; the last are beyond what a page number of any guest is */
static uint64_t any_gfn(void)
{
    const uint64_t list[] = { WINDOW_GFN,
                              WINDOW_GFN + (random64() & 0xFFFu),
                              place_of_own() / XEN_PAGE_BYTES,
                              (uintptr_t)&given[random64() % NR_PLACES] / XEN_PAGE_BYTES,
                              0u,
                              LAYOUT_GICD / XEN_PAGE_BYTES,
                              XEN_MAGIC_STORE / XEN_PAGE_BYTES,
                              LAYOUT_NOWHERE / XEN_PAGE_BYTES,
                              (1ULL << 28u) - 1u,
                              1ULL << 28u,
                              1ULL << 36u,
                              (UINT64_MAX >> 12u) - 1u,
                              UINT64_MAX >> 12u,
                              UINT64_MAX };

    return list[random64() % (sizeof(list) / sizeof(list[0]))];
}

static uint64_t any_address(void)
{
    const uint64_t how = random64();
    uint64_t address = place_of_own();

    if ((how & 7u) == 0u) {
        address = any_gfn() << 12u;
    } else if ((how & 7u) == 1u) {
        address += how & 0xFFFu;
    } else {
        /* a place of its own */
    }
    return address;
}

static uint16_t any_domain(void)
{
    static const uint16_t list[] = { XEN_DOMID_SELF, XEN_DOMID_SELF, 1u,      NEIGHBOUR, NEIGHBOUR, 0u, 3u,
                                     0x7FF1u,        0x7FF2u,        0x7FF4u, 0xFFFFu };

    return list[random64() % (sizeof(list) / sizeof(list[0]))];
}

static uint32_t any_ref(void)
{
    static const uint32_t list[] = {
        0u,   1u,        ENTRIES - 1u, ENTRIES,     (64u * ENTRIES) - 1u, 64u * ENTRIES,
        256u, 1u << 17u, 1u << 26u,    0x7FFFFFFFu, UINT32_MAX - 1u,      UINT32_MAX
    };
    const uint64_t how = random64();

    return ((how & 3u) == 0u) ? list[(how >> 8u) % (sizeof(list) / sizeof(list[0]))] : ((how >> 8u) & 31u);
}

static uint16_t edge(void)
{
    static const uint16_t list[] = { 0u, 1u, 8u, 4095u, 4096u, 4097u, 0x8000u, 0xFFFFu };

    return list[random64() % (sizeof(list) / sizeof(list[0]))];
}

/* An entry says something else: by bytes that are written in any order */
static void flip(void)
{
    volatile struct xen_grant_v1 *const e = entry(random64() & 31u);

    e->frame = (uint32_t)any_gfn();
    e->flags_domid = ((uint32_t)any_domain() << 16u) | ((uint32_t)random64() & 0x1FFu);
}

/* The frame is there from the first attack on; a mapping may have taken its place. */
static void table_on(void)
{
    tried(1u);
    if (cpu_number() == 0u) {
        const bool placed = xen_place(XENMAPSPACE_GRANT_TABLE, 0u, WINDOW_GFN) == 0;

        has_table = has_table || placed;
        if (!has_table) {
            print("HOSTILE has no grant table\n");
        }
    }
}

/* -- GT-1, GT-4: maps, unmaps, copies, while entries change and pages come and go -- */

static void map_any(uint32_t nr)
{
    struct xen_grant_map *const map = batch[cpu_number()];

    for (uint32_t i = 0u; i < nr; i++) {
        map[i] = (struct xen_grant_map){
            .host_addr = any_address(),
            .flags = ((random64() & 7u) == 0u) ? (uint32_t)random64()
                                               : (GNTMAP_HOST_MAP | ((uint32_t)random64() & GNTMAP_READONLY)),
            .ref = any_ref(),
            .dom = any_domain()
        };
    }
    (void)grant_op(GNTTABOP_MAP_GRANT_REF, map, nr);
}

static void unmap_any(uint32_t nr)
{
    struct xen_grant_unmap unmap[8];

    for (uint32_t i = 0u; i < nr; i++) {
        const struct xen_grant_map *const map = &batch[cpu_number()][random64() % BATCH];

        unmap[i] =
            (struct xen_grant_unmap){ .host_addr = ((random64() & 7u) == 0u) ? any_address() : map->host_addr,
                                      .dev_bus_addr = random64() & 1u,
                                      .handle = ((random64() & 7u) == 0u) ? any_ref() : map->handle };
    }
    (void)grant_op(GNTTABOP_UNMAP_GRANT_REF, unmap, nr);
}

static struct xen_grant_copy_end any_end(void)
{
    const bool small = (random64() & 3u) != 0u;

    return (struct xen_grant_copy_end){ .ref = small ? any_ref() : any_gfn(),
                                        .domid = any_domain(),
                                        .offset = edge() };
}

static void copy_any(uint32_t nr)
{
    struct xen_grant_copy copy[8];

    for (uint32_t i = 0u; i < nr; i++) {
        copy[i] = (struct xen_grant_copy){
            .source = any_end(), .dest = any_end(), .len = edge(), .flags = (uint16_t)(random64() & 7u)
        };
    }
    (void)grant_op(GNTTABOP_COPY, copy, nr);
}

/* What was mapped is touched: it may be gone by now, or forbidden. */
static void touch(void)
{
    volatile union page *const page = (volatile union page *)(uintptr_t)place_of_own();

    page->word[random64() % 512u] = page->word[random64() % 512u] + 1u;
}

static void page_comes_or_goes(void)
{
    const uint64_t gfn = ((random64() & 1u) != 0u)
                             ? (place_of_own() / XEN_PAGE_BYTES)
                             : ((uintptr_t)&given[random64() % NR_PLACES] / XEN_PAGE_BYTES);

    tried(1u);
    if ((random64() & 1u) != 0u) {
        (void)xen_remove(gfn);
    } else {
        (void)xen_populate(gfn);
    }
}

static void turn(uint64_t i)
{
    struct xen_grant_swap swap = { any_ref(), any_ref(), 0, 0u };
    struct xen_grant_flush flush = { random64() & 63u, edge(), edge(), (uint32_t)random64() };

    switch (i % 8u) {
    case 0u:
        map_any(1u + (random64() % BATCH));
        break;
    case 1u:
    case 2u:
        unmap_any(8u);
        break;
    case 3u:
        copy_any(8u);
        break;
    case 4u:
        touch();
        break;
    case 5u:
        page_comes_or_goes();
        break;
    case 6u:
        (void)grant_op(GNTTABOP_SWAP_GRANT_REF, &swap, 1u);
        break;
    default:
        (void)grant_op(GNTTABOP_CACHE_FLUSH, &flush, 1u);
        break;
    }
}

static void storms(void)
{
    table_on();
    for (uint64_t i = 0u; storm_goes(i, 5000u); i++) {
        if (has_table && ((cpu_number() == 1u) || (hostile_cpus() == 1u))) {
            flip();
        }
        if (cpu_number() != 1u) {
            turn(i);
        }
    }
}

/* Entries change as fast as they can while everybody maps, unmaps and copies by them: no look at one may
 * last. */
static void words(void)
{
    table_on();
    for (uint64_t i = 0u; has_table && storm_goes(i, 20000u); i++) {
        if (cpu_number() == 1u) {
            entry(8u)->flags_domid = (XEN_DOMID_SELF << 16u) | (uint32_t)(i & 31u);
        } else if ((i & 15u) == 0u) {
            const struct xen_grant_copy_end from = { 8u, XEN_DOMID_SELF, 0u, 0u };
            const struct xen_grant_copy_end to = { (uintptr_t)&places[cpu_number()][0] / XEN_PAGE_BYTES,
                                                   XEN_DOMID_SELF, 0u, 0u };

            (void)xen_grant_copy(&from, &to, 64u, GNTCOPY_SOURCE_GREF);
            (void)xen_grant_map(XEN_DOMID_SELF, 8u, (uintptr_t)&places[cpu_number()][1], GNTMAP_HOST_MAP,
                                &batch[cpu_number()][0].handle);
            (void)xen_grant_unmap((uintptr_t)&places[cpu_number()][1], batch[cpu_number()][0].handle);
            tried(3u);
        } else {
            /* another look at the same */
        }
    }
}

/* -- GT-2: versions, status frames, while others use the table -- */

static void versions(void)
{
    table_on();
    for (uint64_t i = 0u; storm_goes(i, 500u); i++) {
        uint32_t version = 1u + ((uint32_t)i % 2u);
        uint64_t frames[4];
        struct xen_grant_status_frames status = { (uint32_t)(random64() & 3u), any_domain(), 0,
                                                  (uintptr_t)frames };

        if (cpu_number() == 0u) {
            version = ((random64() & 7u) == 0u) ? (uint32_t)random64() : version;
            (void)grant_op(GNTTABOP_SET_VERSION, &version, 1u);
            (void)grant_op(GNTTABOP_GET_STATUS_FRAMES, &status, 1u);
            tried(1u);
            (void)xen_place(XENMAPSPACE_GRANT_TABLE, 0x80000000u | (random64() & 3u), WINDOW_GFN + 80u);
        } else {
            turn(i);
        }
    }
    if (cpu_number() == 0u) {
        uint32_t one = 1u;

        (void)grant_op(GNTTABOP_SET_VERSION, &one, 1u); /* refused as long as something is mapped */
    }
}

/* -- GT-5: frames of the table put anywhere, taken away from anywhere -- */

static void frames(void)
{
    static const uint64_t list[] = { 1u,          63u,         64u,         65u,
                                     0x7FFFFFFFu, 0x80000000u, 0x80000001u, 0x8000003Fu,
                                     UINT32_MAX,  1ULL << 32u, UINT64_MAX };

    for (uint64_t i = 0u; storm_goes(i, 1000u); i++) {
        const uint64_t idx = list[random64() % (sizeof(list) / sizeof(list[0]))];

        tried(2u);
        (void)xen_place((uint32_t)(random64() & 7u), idx, any_gfn());
        (void)xen_remove(((random64() & 1u) != 0u) ? any_gfn() : (WINDOW_GFN + 1u + (random64() & 0x7Fu)));
    }
}

/* -- GT-3: numbers of elements, and all there is used up -- */

static void counts(void)
{
    static const uint64_t list[] = { 0u,          1u,          63u,         4096u,       UINT32_MAX,
                                     1ULL << 32u, 1ULL << 58u, 1ULL << 59u, 1ULL << 63u, UINT64_MAX - 1u,
                                     UINT64_MAX };
    uint32_t handle = 0u;
    uint32_t mapped = 0u;

    /* behind the list is nothing */
    const bool ends = xen_remove(xen_gfn(&places[cpu_number()][2])) == 0;

    for (uint32_t op = 0u; ends && (op < NR_OPS); op++) {
        for (uint32_t i = 0u; i < (sizeof(list) / sizeof(list[0])); i++) {
            for (uint32_t w = 0u; w < (XEN_PAGE_BYTES / 8u); w++) {
                places[cpu_number()][1].word[w] = random64() & 0x7FF7FFu;
            }
            (void)grant_op(op, &places[cpu_number()][1], list[i]);
            (void)grant_op(op, &places[cpu_number()][1].byte[XEN_PAGE_BYTES - 8u], list[i]);
            (void)grant_op(op, (volatile void *)(uintptr_t)(UINT64_MAX - 15u), list[i]);
        }
    }
    if (ends) {
        (void)xen_populate(xen_gfn(&places[cpu_number()][2]));
    }
    if (has_table && (cpu_number() == 0u)) {
        xen_grant_give(entry(20u), XEN_DOMID_SELF, xen_gfn(&given[0]), GTF_PERMIT_ACCESS);
        while ((mapped < 100000u) && (xen_grant_map(XEN_DOMID_SELF, 20u, (uintptr_t)&places[0][2],
                                                    GNTMAP_HOST_MAP, &handle) == GNTST_OKAY)) {
            mapped++;
            tried(1u);
        }
        for (uint32_t i = 0u; i <= mapped; i++) {
            (void)xen_grant_unmap((uintptr_t)&places[0][2], i);
        }
    }
}

/* -- What the neighbour granted -- */

/* To read only; a page that is not granted at all; and the one that may be written, until this domain ends
 * with it */
static void neighbours_pages(void)
{
    static const uint32_t refs[] = { GUARD_REF_READ, GUARD_REF_WRITE + 1u, 0u, 1u, 511u };
    const struct xen_grant_copy_end own = { xen_gfn(&given[1]), XEN_DOMID_SELF, 0u, 0u };
    volatile union page *const page = &places[cpu_number()][3];
    uint32_t handle = 0u;

    for (uint32_t i = 0u; i < (sizeof(refs) / sizeof(refs[0])); i++) {
        const struct xen_grant_copy_end theirs = { refs[i], NEIGHBOUR, 0u, 0u };

        tried(2u);
        if (xen_grant_map(NEIGHBOUR, refs[i], (uintptr_t)page, GNTMAP_HOST_MAP, &handle) == GNTST_OKAY) {
            reached("a neighbour's page for writing");
        }
        if (xen_grant_copy(&own, &theirs, 64u, GNTCOPY_DEST_GREF) == GNTST_OKAY) {
            reached("a neighbour's page by a copy");
        }
    }
    if (xen_grant_map(NEIGHBOUR, GUARD_REF_READ, (uintptr_t)page, GNTMAP_HOST_MAP | GNTMAP_READONLY,
                      &handle) == GNTST_OKAY) {
        const uint64_t before = page->word[9];

        page->word[9] = ~before; /* traps */
        if (page->word[9] != before) {
            reached("a neighbour's page that it maps to read");
        }
        (void)xen_grant_unmap((uintptr_t)page, handle);
    }
    if (xen_grant_map(NEIGHBOUR, GUARD_REF_WRITE, (uintptr_t)page, GNTMAP_HOST_MAP, &handle) == GNTST_OKAY) {
        page->word[9] = random64();
    }
}

const struct attack attacks_grants[] = {
    { "grant_storms", storms, true },
    { "grant_words", words, true },
    { "grant_versions", versions, true },
    { "grant_frames", frames, true },
    { "grant_counts", counts, true },
    { "grant_neighbour", neighbours_pages, true },
    { NULL, NULL, false },
};
