/* The memory of domains that a control domain makes, by hypercall: given and taken, never more than allowed,
 * scrubbed, all back in the end. [test->req~memory-changes-hands~1] [test->req~memory-scrubbed~1] */
#include "sim_guest.h"

#include "abi/xen_control.h"
#include "mem/blocks.h"

/* clang-format off */
#define TOOLS BOARD("credit2") " bulkhead,spare-domains = <3 1 512>;" \
    DOMAIN("1", "2", " capabilities = <5>; xen,enhanced = \"no-xenstore\";") \
    DOMAIN("2", "1", " xen,enhanced = \"no-xenstore\";") DOMAIN("3", "1", "") BOARD_END
/* clang-format on */

#define CREATE   1u
#define DESTROY  2u
#define INFO_OF  5u
#define MAX_MEM  11u
#define FLUSH    71u
#define POOL_GET 85u
#define POOL_SET 86u
#define BUFFER   (GUEST_RAM + 0x106000ULL)
#define MADE_GFN 0x40000u /* where libxl puts memory */
#define MAGIC    0x39000u
#define BLOCK    512u

static struct vcpu *tool;

/* Makes a call as often as it wants to be made, while time goes on. */
static int64_t again(uint64_t number, uint64_t first, uint64_t second)
{
    uint64_t arg[2] = { first, second };
    uint32_t before;
    int64_t result;

    do {
        before = tool->hal.nr_again;
        result = call(tool, number, arg[0], arg[1], 0u);
        arg[0] = (uint64_t)result;
        arg[1] = call_arg[1];
        if (tool->hal.nr_again != before) {
            fake_time_advance(MS / 10u);
            until_in_guest(tool);
        }
    } while (tool->hal.nr_again != before);
    return result;
}

static int64_t domctl(uint32_t cmd, uint32_t domid, struct xen_domctl *arg)
{
    uint64_t goes_on = 0u;
    uint32_t before;
    int64_t result;

    arg->cmd = cmd;
    arg->interface_version = 0x17u;
    arg->domain = (uint16_t)domid;
    put(tool, ARGS, arg, sizeof(*arg));
    do {
        before = tool->hal.nr_again;
        result = call(tool, 36u, place(tool, ARGS), goes_on, 0u);
        goes_on = call_arg[1];
        if (tool->hal.nr_again != before) {
            fake_time_advance(MS / 10u);
            until_in_guest(tool);
        }
    } while (tool->hal.nr_again != before);
    get(tool, ARGS, arg, sizeof(*arg));
    return result;
}

static uint32_t make(uint64_t max_kib)
{
    struct xen_domctl arg = { .u.create = { .flags = 3u,
                                            .max_vcpus = 1u,
                                            .max_evtchn_port = 1023u,
                                            .max_grant_frames = 64,
                                            .max_maptrack_frames = -1,
                                            .grant_opts = 1u } };

    MUST(domctl(CREATE, 0u, &arg) == 0);
    const uint32_t domid = arg.domain;

    arg.u.max_mem.kib = max_kib;
    MUST(domctl(MAX_MEM, domid, &arg) == 0);
    return domid;
}

static void destroy(uint32_t domid)
{
    struct xen_domctl arg = { .cmd = 0u };

    MUST(domctl(DESTROY, domid, &arg) == 0);
}

/* Extents of an order, one behind the other */
static int64_t reserve(uint32_t number, uint32_t domid, uint64_t gfn, uint32_t nr, uint32_t order)
{
    struct xen_memory_reservation r = {
        .extent_start = place(tool, BUFFER), .nr_extents = nr, .extent_order = order, .domid = (uint16_t)domid
    };

    for (uint32_t i = 0u; i < nr; i++) {
        const uint64_t at = gfn + ((uint64_t)i << order);

        put(tool, BUFFER + (i * sizeof(at)), &at, sizeof(at));
    }
    put(tool, ARGS, &r, sizeof(r));
    return again(12u, number, place(tool, ARGS));
}

static int64_t populate(uint32_t domid, uint64_t gfn, uint32_t nr, uint32_t order)
{
    return reserve(XENMEM_POPULATE_PHYSMAP, domid, gfn, nr, order);
}

static int64_t decrease(uint32_t domid, uint64_t gfn, uint32_t nr, uint32_t order)
{
    return reserve(XENMEM_DECREASE_RESERVATION, domid, gfn, nr, order);
}

static int64_t pages(uint32_t domid)
{
    const uint16_t id = (uint16_t)domid;

    put(tool, ARGS, &id, sizeof(id));
    return again(12u, XENMEM_CURRENT_RESERVATION, place(tool, ARGS));
}

/* As tools are told, in pages; both together: it may be being scrubbed. */
static uint64_t free_pages(uint64_t *scrub)
{
    struct xen_sysctl arg = { .cmd = 3u, .interface_version = 0x15u };

    put(tool, ARGS, &arg, sizeof(arg));
    MUST(call(tool, 35u, place(tool, ARGS), 0u, 0u) == 0);
    get(tool, ARGS, &arg, sizeof(arg));
    if (scrub != NULL) {
        *scrub = arg.u.physinfo.scrub_pages;
    }
    return arg.u.physinfo.free_pages + arg.u.physinfo.scrub_pages;
}

static bool all_zero(const struct domain *d, uint64_t gfn, uint64_t nr)
{
    uint64_t found = 0u;

    for (uint64_t at = gfn << 12u; at < ((gfn + nr) << 12u); at += 512u) {
        uint64_t value = 0u;

        MUST(fake_guest_read(&d->hal.map, gpa(at), &value, sizeof(value)));
        found |= value;
    }
    return found == 0u;
}

static void dirty(const struct domain *d, uint64_t gfn, uint64_t nr)
{
    const uint64_t value = 0xDEADBEEFULL;

    for (uint64_t at = gfn << 12u; at < ((gfn + nr) << 12u); at += 512u) {
        MUST(fake_guest_write(&d->hal.map, gpa(at), &value, sizeof(value)));
    }
}

static void boot(void)
{
    source = TOOLS;
    begin();
    tool = one;
    fake_time_advance(10u * MS);
}

/* As libxl gives it: orders that are too large, blocks, then pages; and magic pages elsewhere. */
static void given_run(void)
{
    boot();
    const uint64_t before = free_pages(NULL);
    const uint32_t domid = make(6u * 1024u + 64u);
    struct domain *const d = domain_by_id(domid);
    struct xen_domctl arg = { .cmd = 0u };

    MUST(populate(domid, MADE_GFN, 1u, 18u) == 0);
    destroy(domid); /* with what that took */
    MUST(free_pages(NULL) == before);

    const uint32_t second = make(6u * 1024u + 64u);

    MUST((d == domain_by_id(second)) && (second != domid));
    MUST(populate(second, MADE_GFN, 2u, 9u) == 2);
    MUST(populate(second, MADE_GFN + (2u * BLOCK), 500u, 0u) == 500);
    MUST(populate(second, MAGIC, 4u, 0u) == 4);
    MUST((populate(second, MAGIC + 1u, 1u, 0u) == 1) &&
         (populate(second, MAGIC, 1u, 0u) == 0)); /* xenstore's */
    MUST((pages(second) == 1528) && (d->blocks->nr == 3u));
    MUST(all_zero(d, MADE_GFN, 1524u) && all_zero(d, MAGIC, 4u));
    MUST(free_pages(NULL) == (before - (3u * BLOCK)));
    MUST(populate(second, MADE_GFN + 1524u, 100u, 0u) == 24); /* 1552 are allowed */
    MUST(populate(second, MADE_GFN + (8u * BLOCK), 1u, 9u) == 0);
    MUST((domctl(INFO_OF, second, &arg) == 0) && (arg.u.info.tot_pages == 1552u) &&
         (arg.u.info.max_pages == 1552u));
    MUST(again(12u, XENMEM_MAXIMUM_GPFN, place(tool, ARGS)) > 0);
    MUST((domctl(POOL_GET, second, &arg) == 0) && (arg.u.mempool_bytes == (512u << 10u)));
    arg.u.mempool_bytes = 4095u;
    MUST(domctl(POOL_SET, second, &arg) == -XEN_EINVAL);
    arg.u.mempool_bytes = 1u << 20u;
    MUST(domctl(POOL_SET, second, &arg) == 0);
    arg.u.cacheflush.start_pfn = MADE_GFN - 10u; /* holes are fine */
    arg.u.cacheflush.nr_pfns = 2000u;
    MUST(domctl(FLUSH, second, &arg) == 0);
    arg.u.cacheflush.nr_pfns = UINT64_MAX;
    MUST(domctl(FLUSH, second, &arg) == -XEN_EINVAL);
    destroy(second);
    MUST(free_pages(NULL) == before);
}

/* Down and up: the host has what the domain gave. */
static void balloon_run(void)
{
    boot();
    const uint64_t before = free_pages(NULL);
    const uint32_t domid = make(8u * 1024u);
    struct domain *const d = domain_by_id(domid);

    MUST(populate(domid, MADE_GFN, 4u, 9u) == 4);
    dirty(d, MADE_GFN, 4u * BLOCK);
    for (uint64_t gfn = MADE_GFN + BLOCK; gfn < (MADE_GFN + (3u * BLOCK));
         gfn += 256u) { /* as a balloon does */
        MUST(decrease(domid, gfn, 256u, 0u) == 256);
    }
    MUST((pages(domid) == (2 * (int64_t)BLOCK)) && (free_pages(NULL) == (before - (2u * BLOCK))));
    MUST(populate(domid, MADE_GFN + BLOCK, 300u, 0u) == 300);
    MUST(all_zero(d, MADE_GFN + BLOCK, 300u));
    MUST(free_pages(NULL) == (before - (3u * BLOCK)));
    MUST(populate(domid, MADE_GFN + (2u * BLOCK), 1u, 9u) == 1);
    MUST((pages(domid) == (int64_t)((3u * BLOCK) + 300u)) && all_zero(d, MADE_GFN + (2u * BLOCK), BLOCK));
    destroy(domid);
    MUST(free_pages(NULL) == before);
}

/* What one had is not seen by the next, in whatever order the scrubber and the tools come. */
static void pattern_run(void)
{
    boot();
    const uint64_t before = free_pages(NULL);
    uint64_t scrub = 0u;

    for (uint32_t round = 0u; round < 10u; round++) {
        const uint32_t domid = make(16u * 1024u);
        struct domain *const d = domain_by_id(domid);

        MUST(populate(domid, MADE_GFN, 8u, 9u) == 8);
        MUST(all_zero(d, MADE_GFN, 8u * BLOCK));
        dirty(d, MADE_GFN, 8u * BLOCK);
        if ((round % 2u) == 0u) { /* a part of it goes before it ends */
            MUST(decrease(domid, MADE_GFN, 3u, 9u) == 3);
        }
        destroy(domid);
        MUST(free_pages(NULL) == before);
    }
    for (uint32_t i = 0u; i < 1000u; i++) {
        fake_time_advance(MS);
        until_in_guest(tool);
    }
    MUST((free_pages(&scrub) == before) && (scrub == 0u));
}

/* The host runs out, and has it all again. */
static void host_run(void)
{
    boot();
    const uint64_t before = free_pages(NULL);
    const uint32_t domid = make(1u << 30u);
    uint64_t nr = 0u;

    while (populate(domid, MADE_GFN + (nr * BLOCK), 1u, 9u) == 1) {
        nr++;
    }
    MUST((nr > 4u) && ((nr * BLOCK) <= before) && (free_pages(NULL) == (before - (nr * BLOCK))));
    MUST(populate(domid, MAGIC, 1u, 0u) == 0);
    const uint32_t other = make(4096u);

    MUST(populate(other, MADE_GFN, 1u, 0u) == 0);
    MUST(decrease(domid, MADE_GFN, 1u, 9u) == 1);
    MUST(populate(other, MADE_GFN, 1u, 0u) == 1);
    MUST(all_zero(domain_by_id(other), MADE_GFN, 1u));
    destroy(domid);
    destroy(other);
    MUST(free_pages(NULL) == before);
}

#define TEST(name)                                                                                           \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        scenario(name##_run);                                                                                \
    }

TEST(given)
TEST(balloon)
TEST(pattern)
TEST(host)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given),
        cmocka_unit_test(balloon),
        cmocka_unit_test(pattern),
        cmocka_unit_test(host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
