/* Two domains: the first grants pages to the second (bootargs first=1), which maps, writes, copies and gives
 * them back; then the first ends its life while the second maps a page of it, which reads zeros from then on
 * and goes on with the next life. A line at the end of each step; FAIL is the end. */
#include "abi/xen_grant.h"
#include "xen.h"

#define GRANTER 1u
#define MAPPER  2u
#define FIRST   8u /* references: written by both, read only, in use when the first ends */
#define SECOND  9u
#define THIRD   10u
#define WORDS   (XEN_PAGE_BYTES / sizeof(uint32_t))
#define IN_USE  (GTF_READING | GTF_WRITING)
#define WRITTEN 0xC0DEu
#define SEEN    0xACCEu
#define GO      0x60u

/* Where others' pages appear: in the window of grants, behind the table */
#define AT(n) (XEN_GRANT_WINDOW + 0x100000u + ((uintptr_t)(n) * XEN_PAGE_BYTES))

static volatile uint32_t page[3][WORDS] __attribute__((aligned(XEN_PAGE_BYTES)));
static volatile uint32_t traps;

static void must(bool good, const char *what)
{
    if (!good) {
        print("GRANT FAIL: %s\n", what);
        for (;;) {
        }
    }
}

static int64_t grant_op(uint32_t op, void *arg)
{
    return xen_call(XEN_HCALL_GRANT_TABLE_OP, op, arg, 1u);
}

/* -- The first -- */

static volatile struct xen_grant_v1 *const table = (volatile struct xen_grant_v1 *)XEN_GRANT_WINDOW;

static void give(uint32_t ref, uint32_t n, uint32_t flags)
{
    table[ref].frame = (uint32_t)xen_gfn(page[n]);
    __atomic_store_n(&table[ref].flags_domid, (MAPPER << 16u) | GTF_PERMIT_ACCESS | flags, __ATOMIC_RELEASE);
}

/* As the header tells: only what nobody uses */
static void take_back(uint32_t ref)
{
    uint32_t head = table[ref].flags_domid;

    while (((head & IN_USE) != 0u) || !__atomic_compare_exchange_n(&table[ref].flags_domid, &head, 0u, false,
                                                                   __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
        head = table[ref].flags_domid;
    }
}

static void granter(void)
{
    struct xen_grant_query size = { .dom = XEN_DOMID_SELF };

    must((grant_op(GNTTABOP_QUERY_SIZE, &size) == 0) && (size.status == 0) && (size.max_nr_frames == 64u),
         "size");
    must(xen_place(XENMAPSPACE_GRANT_TABLE, 0u, XEN_GRANT_WINDOW / XEN_PAGE_BYTES) == 0, "the table");
    must(table[FIRST].flags_domid == 0u, "a table is empty");
    for (uint32_t i = 0u; i < WORDS; i++) {
        page[0][i] = 0x11111111u;
        page[1][i] = 0x22222222u;
        page[2][i] = 0x33333333u;
    }
    print("GRANT granter starts\n");
    give(SECOND, 1u, GTF_READONLY);
    give(FIRST, 0u, 0u);
    while (page[0][0] != WRITTEN) {
    }
    must((table[FIRST].flags_domid & IN_USE) == IN_USE, "it is known to be in use");
    page[0][1] = SEEN;
    take_back(FIRST);
    take_back(SECOND);
    must((page[0][2] == 0x22222222u) && (page[1][0] == 0x22222222u), "what was copied");
    print("GRANT granter has all back\n");
    give(THIRD, 2u, 0u);
    while (page[2][0] != GO) {
    }
    (void)firmware_call(PSCI_SYSTEM_RESET, 0u, 0u, 0u);
}

/* -- The second -- */

static bool skip(struct trap_frame *frame, uint64_t syndrome, uint64_t address)
{
    (void)address;
    trap_skip(frame);
    traps++;
    return (syndrome >> 26u) == CLASS_DATA_ABORT;
}

static volatile uint32_t *seen(uint32_t n)
{
    return (volatile uint32_t *)AT(n);
}

static int16_t map(uint32_t ref, uint32_t n, uint32_t flags, uint32_t *handle)
{
    struct xen_grant_map m = {
        .host_addr = AT(n), .flags = GNTMAP_HOST_MAP | flags, .ref = ref, .dom = GRANTER
    };

    must(grant_op(GNTTABOP_MAP_GRANT_REF, &m) == 0, "map");
    *handle = m.handle;
    return m.status;
}

static uint32_t map_when_granted(uint32_t ref, uint32_t n)
{
    uint32_t handle = 0u;

    while (map(ref, n, 0u, &handle) != GNTST_OKAY) {
    }
    return handle;
}

static void unmap(uint32_t handle, uint32_t n)
{
    struct xen_grant_unmap u = { .host_addr = AT(n), .handle = handle };

    must((grant_op(GNTTABOP_UNMAP_GRANT_REF, &u) == 0) && (u.status == GNTST_OKAY), "unmap");
    traps = 0u;
    (void)*seen(n);
    must(traps == 1u, "nothing is there any more");
}

static int16_t copy(uint64_t from, bool from_ref, uint64_t to, bool to_ref, uint16_t offset)
{
    struct xen_grant_copy c = { .source = { from, from_ref ? GRANTER : XEN_DOMID_SELF, 0u, 0u },
                                .dest = { to, to_ref ? GRANTER : XEN_DOMID_SELF, offset, 0u },
                                .len = 4u,
                                .flags = (from_ref ? GNTCOPY_SOURCE_GREF : 0u) |
                                         (to_ref ? GNTCOPY_DEST_GREF : 0u) };

    must(grant_op(GNTTABOP_COPY, &c) == 0, "copy");
    return c.status;
}

static void mapper(void)
{
    uint32_t other = 0u;
    uint32_t handle = map_when_granted(FIRST, 0u);

    trap_hook = skip;
    must((seen(0u)[0] == 0x11111111u) && (seen(0u)[WORDS - 1u] == 0x11111111u), "what is granted");
    must(map(SECOND, 1u, 0u, &other) == GNTST_GENERAL_ERROR, "no writing");
    must((map(SECOND, 1u, GNTMAP_READONLY, &other) == GNTST_OKAY) && (seen(1u)[0] == 0x22222222u), "reading");
    seen(1u)[0] = 1u;
    must((traps == 1u) && (seen(1u)[0] == 0x22222222u), "a write faults");
    must((copy(SECOND, true, xen_gfn(page[0]), false, 4u) == GNTST_OKAY) && (page[0][1] == 0x22222222u),
         "copied");
    must(copy(xen_gfn(page[0]), false, SECOND, true, 0u) == GNTST_GENERAL_ERROR, "no copying there");
    must(copy(SECOND, true, FIRST, true, 8u) == GNTST_OKAY, "from one to the other");
    unmap(other, 1u);
    seen(0u)[0] = WRITTEN;
    while (seen(0u)[1] != SEEN) {
    }
    unmap(handle, 0u);
    print("GRANT mapper gave all back\n");
    handle = map_when_granted(THIRD, 2u);
    must(seen(2u)[5] == 0x33333333u, "what is granted last");
    seen(2u)[0] = GO;
    while (seen(2u)[5] != 0u) {
    }
    seen(2u)[5] = 7u;
    must((seen(2u)[5] == 7u) && (seen(2u)[0] == 0u || seen(2u)[0] == GO), "a page of its own");
    print("GRANT mapper reads zeros\n");
    other = map_when_granted(FIRST, 0u);
    must(seen(0u)[0] == 0x11111111u, "the next life's");
    unmap(handle, 2u);
    must(seen(0u)[0] == 0x11111111u, "it stays");
    unmap(other, 0u);
    print("GRANT mapper ok\n");
}

void guest_main(void)
{
    if (tree_number("first", 0u) != 0u) {
        granter();
    } else {
        mapper();
    }
    for (;;) {
    }
}
