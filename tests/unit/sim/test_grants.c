/* Grant tables of whole domains: each operation and what it refuses, uses that meet, both versions, limits,
 * and the ends of granters and mappers. [test->req~grants~1] [test->req~silo~1]
 * [test->req~guest-words-bounded~1] */
#include "sim_guest.h"

#include "abi/xen_grant.h"
#include "domain/p2m.h"
#include "grant/grant.h"
#include "grant/grant_core.h"

/* clang-format off */
#define GRANTS(version) \
    ENHANCED " max_grant_version = <" version ">; max_grant_frames = <3>; max_maptrack_frames = <1>;"
#define THREE(version) \
    BOARD("credit2") DOMAIN("1", "2", GRANTS(version) CHANNEL("a", "1", "5", "b")) \
    DOMAIN("2", "1", ENHANCED "max_maptrack_frames = <1>;" CHANNEL("b", "1", "9", "a")) \
    DOMAIN("3", "1", ENHANCED) BOARD_END
/* clang-format on */

#define TABLE    (GUEST_RAM + 0x110000ULL) /* of the granter: 3 frames */
#define STATES   (GUEST_RAM + 0x114000ULL) /* its status frames */
#define LIST     (GUEST_RAM + 0x115000ULL)
#define PAGE(n)  (GUEST_RAM + 0x120000ULL + ((n) * 0x1000ULL)) /* what is granted */
#define WINDOW   0x50000000ULL                                 /* where nothing is */
#define HERE(n)  (WINDOW + ((n) * 0x1000ULL))
#define SELF     0x7FF0u
#define HOST     2u
#define READONLY 4u

static struct vcpu *three;
static bool second; /* the granter's table is of version 2 */

/* -- Operations -- */

static int64_t many(const struct vcpu *vcpu, uint32_t number, void *arg, uint32_t each, uint32_t count)
{
    int64_t result = 0;
    const uint32_t before = vcpu->hal.nr_again;
    uint32_t n = 0u;

    put(vcpu, LIST, arg, (uint64_t)each * count);
    result = call(vcpu, 20u, number, place(vcpu, LIST), count);
    while ((vcpu->hal.nr_again - before) > n) {
        n++;
        MUST(n < 100u);
        MUST(call_number == 20u);
        MUST(call_arg[0] == number);
        result = call(vcpu, 20u, call_arg[0], call_arg[1], call_arg[2]);
    }
    get(vcpu, LIST, arg, (uint64_t)each * count);
    return result;
}

static int16_t map_as(const struct vcpu *vcpu, uint16_t dom, uint32_t ref, uint64_t at, uint32_t flags,
                      struct xen_grant_map *m)
{
    *m = (struct xen_grant_map){ .host_addr = at, .flags = flags, .ref = ref, .dom = dom, .status = 77 };
    MUST(many(vcpu, GNTTABOP_MAP_GRANT_REF, m, sizeof(*m), 1u) == 0);
    return m->status;
}

/* The second maps what the first grants. */
static int16_t map(uint32_t ref, uint64_t at, uint32_t flags, uint32_t *handle)
{
    struct xen_grant_map m;
    const int16_t status = map_as(two, 1u, ref, at, flags, &m);

    *handle = m.handle;
    return status;
}

static int16_t unmap_as(const struct vcpu *vcpu, uint32_t handle, uint64_t at)
{
    struct xen_grant_unmap u = { .host_addr = at, .handle = handle, .status = 77 };

    MUST(many(vcpu, GNTTABOP_UNMAP_GRANT_REF, &u, sizeof(u), 1u) == 0);
    return u.status;
}

#define unmap(handle, at) unmap_as(two, handle, at)

struct end {
    uint64_t ref;
    uint16_t domid;
    uint16_t offset;
    bool by_ref;
};

static int16_t copy_as(const struct vcpu *vcpu, struct end from, struct end to, uint16_t bytes)
{
    struct xen_grant_copy c = { .source = { from.ref, from.domid, from.offset, 0u },
                                .dest = { to.ref, to.domid, to.offset, 0u },
                                .len = bytes,
                                .flags = (from.by_ref ? 1u : 0u) | (to.by_ref ? 2u : 0u),
                                .status = 77 };

    MUST(many(vcpu, GNTTABOP_COPY, &c, sizeof(c), 1u) == 0);
    return c.status;
}

static struct end granted(uint32_t ref, uint16_t offset)
{
    return (struct end){ ref, 1u, offset, true };
}

static struct end own(const struct vcpu *vcpu, uint64_t at, uint16_t offset)
{
    return (struct end){ place(vcpu, at) >> 12u, SELF, offset, false };
}

static int64_t set_version(uint32_t version)
{
    uint32_t arg = version;

    return many(one, GNTTABOP_SET_VERSION, &arg, sizeof(arg), 1u);
}

/* -- The granter's table -- */

static void page_appears(struct hal_vcpu *hal, void *arg)
{
    const uint64_t *const what = arg; /* idx, gfn */
    struct domain *const d = vcpu_of(hal)->domain;
    void *page = NULL;

    MUST(grant_frame(d, what[0], &page) == HV_OK);
    const uint64_t flags = spin_lock(&d->lock);
    MUST(p2m_put_page(d, what[1], page, false) == HV_OK);
    spin_unlock(&d->lock, flags);
}

static void frame_appears(const struct vcpu *vcpu, uint64_t idx, uint64_t at)
{
    uint64_t what[2] = { idx, place(vcpu, at) >> 12u };

    fake_guest_call(cpu_of(vcpu), page_appears, what);
}

static uint64_t entry_at(uint32_t ref)
{
    return TABLE + (ref * (second ? 16u : 8u));
}

static void grant(uint32_t ref, uint16_t to, uint64_t at, uint16_t flags)
{
    const uint64_t gfn = place(one, at) >> 12u;

    if (second) {
        put(one, entry_at(ref) + 8u, &gfn, sizeof(gfn));
    } else {
        word_put(one, entry_at(ref) + 4u, (uint32_t)gfn);
    }
    word_put(one, entry_at(ref), (uint32_t)flags | ((uint32_t)to << 16u));
}

static uint32_t in_use(uint32_t ref)
{
    const uint64_t at = second ? (STATES + ((ref * 2u) & ~3u)) : entry_at(ref);
    const uint32_t seen = word(one, at) >> ((second && ((ref % 2u) != 0u)) ? 16u : 0u);

    return seen & 24u;
}

static void fill(const struct vcpu *vcpu, uint64_t at, uint8_t value)
{
    uint8_t bytes[4096];

    (void)memset(bytes, value, sizeof(bytes));
    put(vcpu, at, bytes, sizeof(bytes));
}

/* What the second sees at an address that is not its RAM */
static uint8_t seen(uint64_t at)
{
    uint8_t byte = 0u;

    MUST(fake_guest_read(&two->domain->hal.map, gpa(at), &byte, 1u));
    return byte;
}

static bool writes(uint64_t at, uint8_t value)
{
    return fake_guest_write(&two->domain->hal.map, gpa(at), &value, 1u);
}

static bool is_there(uint64_t at)
{
    uint8_t byte = 0u;

    return fake_guest_read(&two->domain->hal.map, gpa(at), &byte, 1u);
}

static void granter_ready(void)
{
    frame_appears(one, 0u, TABLE);
    frame_appears(one, 1u, TABLE + 0x1000u);
    frame_appears(one, 2u, TABLE + 0x2000u);
    for (uint32_t n = 0u; n < 8u; n++) {
        fill(one, PAGE(n), (uint8_t)(0x10u + n));
    }
}

static void start(const char *system)
{
    source = system;
    second = false;
    begin();
    three = domain("domU3")->vcpu[0];
    until(domain("domU3"), DOMAIN_RUNNING, 0u);
    until_in_guest(three);
    granter_ready();
}

/* Nobody uses anything of anybody. */
static void nothing_is_used(void)
{
    for (uint32_t i = 0u; i < domain_count; i++) {
        const struct grant_table *const gt = domain_table[i]->grants;

        MUST(gt->nr_pinned == 0u);
        MUST(gt->nr_copies == 0u);
        MUST(domain_table[i]->nr_foreign == 0u);
        for (uint32_t p = 0u; p < gt->pins.nr_max; p++) {
            const uint32_t *const pins = gt->pins.page[p];

            for (uint32_t k = 0u; (pins != NULL) && (k < 1024u); k++) {
                MUST(pins[k] == 0u);
            }
        }
        for (uint32_t h = 0u; h < gt->nr_handles; h++) {
            MUST(((struct grant_handle *)gt->handle.page[h / 256u])[h % 256u].whom == 0u);
        }
    }
}

/* -- Scenarios -- */

static void maps(void)
{
    uint32_t h[4];
    struct xen_grant_map m;

    start(THREE("1"));
    grant(8u, 2u, PAGE(0), 1u);
    grant(9u, 2u, PAGE(1), 1u | 4u);
    MUST(map(8u, HERE(0), HOST, &h[0]) == 0);
    MUST(seen(HERE(0)) == 0x10u);
    MUST(in_use(8u) == 24u);
    MUST(map_as(two, 1u, 8u, HERE(1), HOST | READONLY, &m) == 0);
    MUST(m.dev_bus_addr == (one->domain->chunk[0].to.v + (PAGE(0) - GUEST_RAM)));
    h[1] = m.handle;
    MUST(h[0] != h[1]);
    MUST(writes(HERE(0), 0x77u));
    MUST(seen(HERE(1)) == 0x77u);
    MUST(!writes(HERE(1), 1u));
    MUST(word(one, PAGE(0)) == 0x10101077u);
    /* both uses are counted, and told apart */
    MUST(unmap(h[0], HERE(0)) == 0);
    MUST(in_use(8u) == 8u);
    MUST(!is_there(HERE(0)));
    MUST(is_there(HERE(1)));
    MUST(unmap(h[1], HERE(1)) == 0);
    MUST(in_use(8u) == 0u);
    MUST(!is_there(HERE(1)));
    MUST(map(8u, HERE(1), HOST | READONLY, &h[0]) == 0);
    MUST(in_use(8u) == 8u);
    MUST(map(8u, HERE(2), HOST, &h[1]) == 0);
    MUST(in_use(8u) == 24u);
    MUST(unmap(h[1], HERE(2)) == 0);
    MUST(in_use(8u) == 8u);
    MUST(unmap(h[0], HERE(1)) == 0);
    /* read-only for both */
    MUST(map(9u, HERE(0), HOST, &h[0]) == GNTST_GENERAL_ERROR);
    MUST(in_use(9u) == 0u);
    MUST(map(9u, HERE(0), HOST | READONLY, &h[0]) == 0);
    MUST(in_use(9u) == 8u);
    MUST(!writes(HERE(0), 1u));
    /* in the place of RAM of its own: that is out, and zero when it comes back by itself in the next life */
    MUST(map(8u, place(two, PAGE(3)), HOST, &h[1]) == 0);
    MUST(seen(place(two, PAGE(3))) == 0x77u);
    MUST(unmap(h[1], place(two, PAGE(3))) == 0);
    MUST(!is_there(place(two, PAGE(3))));
    /* one in the place of another */
    MUST(map(8u, HERE(0), HOST, &h[1]) == 0);
    MUST(seen(HERE(0)) == 0x77u);
    MUST(writes(HERE(0), 0x10u));
    MUST(unmap(h[0], HERE(0)) == 0);
    MUST(unmap(h[1], HERE(0)) == 0);
    MUST(!is_there(HERE(0)));
    /* its own */
    grant(10u, 1u, PAGE(2), 1u);
    MUST(map_as(one, 1u, 10u, HERE(0), HOST, &m) == 0);
    MUST(in_use(10u) == 24u);
    MUST(unmap_as(one, m.handle, HERE(0)) == 0);
    MUST(in_use(10u) == 0u);
    MUST(word(one, PAGE(2)) == 0x12121212u);
    nothing_is_used();
}

static void map_errors(void)
{
    uint32_t h = 0u;
    uint32_t other = 0u;
    struct xen_grant_map m;

    start(THREE("1"));
    grant(8u, 2u, PAGE(0), 1u);
    for (uint32_t flags = 0u; flags < 32u; flags++) {
        const bool good = (flags & ~READONLY) == HOST;

        MUST(map(8u, HERE(0), flags, &h) == (good ? 0 : GNTST_GENERAL_ERROR));
        MUST(!good || (unmap(h, HERE(0)) == 0));
    }
    MUST(map(8u, HERE(0), HOST | 0xFFFF0000u, &h) == 0);
    MUST(unmap(h, HERE(0)) == 0); /* others' bits */
    MUST(map_as(two, 4u, 8u, HERE(0), HOST, &m) == GNTST_BAD_DOMAIN);
    MUST(map_as(two, 0u, 8u, HERE(0), HOST, &m) == GNTST_BAD_DOMAIN);
    MUST(map_as(two, SELF, 8u, HERE(0), HOST, &m) == GNTST_BAD_DOMAIN);
    grant(11u, 3u, PAGE(0), 1u);
    MUST(map_as(three, 1u, 11u, HERE(0), HOST, &m) == GNTST_PERMISSION_DENIED); /* these two do not share */
    MUST(map_as(two, 3u, 8u, HERE(0), HOST, &m) == GNTST_PERMISSION_DENIED);
    MUST(map(11u, HERE(0), HOST, &h) == GNTST_GENERAL_ERROR); /* another's */
    MUST(map(12u, HERE(0), HOST, &h) == GNTST_GENERAL_ERROR); /* nobody's */
    MUST(map(3u * 512u, HERE(0), HOST, &h) == GNTST_BAD_GNTREF);
    MUST(map(UINT32_MAX, HERE(0), HOST, &h) == GNTST_BAD_GNTREF);
    for (uint16_t type = 0u; type < 4u; type++) {
        grant(13u, 2u, PAGE(0), type);
        MUST(map(13u, HERE(0), HOST, &h) == ((type == 1u) ? 0 : GNTST_GENERAL_ERROR));
        MUST((type != 1u) || (unmap(h, HERE(0)) == 0));
    }
    grant(14u, 2u, GUEST_RAM + MEMORY_BYTES, 1u); /* there is nothing */
    MUST(map(14u, HERE(0), HOST, &h) == GNTST_BAD_PAGE);
    MUST(in_use(14u) == 0u);
    word_put(one, entry_at(14u) + 4u, (uint32_t)(place(one, SHARED) >> 12u)); /* ... or what is not its own */
    MUST(map(14u, HERE(0), HOST, &h) == GNTST_BAD_PAGE);
    word_put(one, entry_at(14u) + 4u, UINT32_MAX);
    MUST(map(14u, HERE(0), HOST | READONLY, &h) == GNTST_BAD_PAGE);
    /* what the second maps is not its own to grant, nor to copy into as its own */
    MUST(map(8u, HERE(0), HOST, &h) == 0);
    MUST(copy_as(two, (struct end){ HERE(0) >> 12u, SELF, 0u, false }, own(two, PAGE(0), 0u), 1u) ==
         GNTST_BAD_PAGE);
    MUST(call(two, 20u, GNTTABOP_QUERY_SIZE, HERE(0), 1u) == -XEN_EFAULT); /* nor for its arguments */
    MUST(unmap(h, HERE(1)) == GNTST_GENERAL_ERROR);
    MUST(unmap(h + 1u, HERE(0)) == GNTST_BAD_HANDLE);
    MUST(unmap(UINT32_MAX, HERE(0)) == GNTST_BAD_HANDLE);
    MUST(unmap(h, 0u) == 0);
    MUST(is_there(HERE(0)));
    MUST(in_use(8u) == 24u); /* nothing else is mapped by it */
    MUST(unmap(h, HERE(0)) == 0);
    MUST(unmap(h, HERE(0)) == GNTST_BAD_HANDLE);
    /* no such address: nothing is left of the attempt */
    MUST(map(8u, BIT64(40), HOST, &h) == GNTST_GENERAL_ERROR);
    MUST(in_use(8u) == 0u);
    MUST(map(8u, UINT64_MAX, HOST, &h) == GNTST_GENERAL_ERROR);
    MUST(in_use(8u) == 0u);
    MUST(map_as(one, 2u, 8u, place(one, SHARED), HOST, &m) == GNTST_BAD_GNTREF); /* the second has no table */
    /* the second's handles end */
    for (uint32_t i = 0u; i < 256u; i++) {
        MUST(map(8u, HERE(i), HOST, &other) == 0);
        MUST(other == i);
    }
    MUST(map(8u, HERE(256), HOST, &h) == GNTST_NO_SPACE);
    MUST(!is_there(HERE(256)));
    for (uint32_t i = 0u; i < 256u; i++) {
        MUST(unmap(i, HERE(i)) == 0);
    }
    MUST(in_use(8u) == 0u);
    nothing_is_used();
}

static void batches(void)
{
    static struct xen_grant_map m[70];
    static struct xen_grant_unmap u[70];
    static struct xen_grant_copy c[40];

    start(THREE("1"));
    for (uint32_t i = 0u; i < 70u; i++) {
        grant(8u + i, 2u, PAGE(i % 8u), (i == 33u) ? 0u : 1u);
        m[i] = (struct xen_grant_map){ .host_addr = HERE(i), .flags = HOST, .ref = 8u + i, .dom = 1u };
    }
    const uint32_t before = two->hal.nr_again;
    MUST(many(two, GNTTABOP_MAP_GRANT_REF, m, sizeof(m[0]), 70u) == 0);
    MUST((two->hal.nr_again - before) == 4u); /* a bounded piece at a time */
    for (uint32_t i = 0u; i < 70u; i++) {
        MUST(m[i].status == ((i == 33u) ? GNTST_GENERAL_ERROR : 0));
        MUST((i == 33u) ? !is_there(HERE(i)) : (seen(HERE(i)) == (0x10u + (i % 8u))));
        u[i] = (struct xen_grant_unmap){ .host_addr = HERE(i), .handle = (i == 33u) ? 9999u : m[i].handle };
    }
    MUST(many(two, GNTTABOP_UNMAP_GRANT_REF, u, sizeof(u[0]), 70u) == 0);
    for (uint32_t i = 0u; i < 70u; i++) {
        MUST(u[i].status == ((i == 33u) ? GNTST_BAD_HANDLE : 0));
        MUST(!is_there(HERE(i)));
    }
    for (uint32_t i = 0u; i < 40u; i++) {
        c[i] = (struct xen_grant_copy){ .source = { 8u + i, 1u, 0u, 0u },
                                        .dest = { place(two, PAGE(i % 8u)) >> 12u, SELF, (uint16_t)(i * 8u),
                                                  0u },
                                        .len = 8u,
                                        .flags = 1u };
    }
    MUST(many(two, GNTTABOP_COPY, c, sizeof(c[0]), 40u) == 0);
    for (uint32_t i = 0u; i < 40u; i++) {
        MUST(c[i].status == ((i == 33u) ? GNTST_GENERAL_ERROR : 0));
        MUST((i == 33u) || (word(two, PAGE(i % 8u) + (i * 8u)) == (0x10101010u + ((i % 8u) * 0x01010101u))));
    }
    nothing_is_used();
}

static void counts(void)
{
    uint32_t arg[6] = { 0u };

    start(THREE("1"));
    MUST(call(two, 20u, GNTTABOP_MAP_GRANT_REF, place(two, LIST), 0u) == 0);
    MUST(call(two, 20u, GNTTABOP_MAP_GRANT_REF, place(two, LIST), BIT32(31)) == -XEN_EINVAL);
    MUST(call(two, 20u, GNTTABOP_MAP_GRANT_REF, 0u, 1u) == -XEN_EFAULT);
    MUST(call(two, 20u, GNTTABOP_UNMAP_GRANT_REF, UINT64_MAX - 7u, INT32_MAX) == -XEN_EFAULT);
    MUST(call(two, 20u, GNTTABOP_QUERY_SIZE, place(two, LIST), 2u) == -XEN_EINVAL);
    for (uint32_t number = 0u; number < 40u; number++) {
        const bool known = (number < 13u) && (number != 3u) && (number != 4u) && (number != 7u);

        put(two, LIST, arg, sizeof(arg));
        MUST((call(two, 20u, number, place(two, LIST), 1u) == -XEN_ENOSYS) == !known);
    }
    MUST(call(two, 20u, BIT64(32), place(two, LIST), 1u) == -XEN_ENOSYS);
    nothing_is_used();
}

static void copies(void)
{
    const uint16_t page = 4096u;

    start(THREE("1"));
    grant(8u, 2u, PAGE(0), 1u);
    grant(9u, 2u, PAGE(1), 1u | 4u);
    fill(two, PAGE(0), 0xEEu);
    MUST(copy_as(two, granted(8u, 0u), own(two, PAGE(0), 0u), page) == 0);
    MUST(word(two, PAGE(0)) == 0x10101010u);
    MUST(word(two, PAGE(0) + 4092u) == 0x10101010u);
    fill(two, PAGE(0), 0xEEu);
    MUST(copy_as(two, own(two, PAGE(0), 4u), granted(8u, 4092u), 4u) == 0);
    MUST(word(one, PAGE(0) + 4092u) == 0xEEEEEEEEu);
    MUST(word(one, PAGE(0) + 4088u) == 0x10101010u);
    MUST(word(one, PAGE(1)) == 0x11111111u);
    MUST(copy_as(two, granted(9u, 0u), granted(8u, 8u), 4u) == 0);
    MUST(word(one, PAGE(0) + 8u) == 0x11111111u);
    MUST(copy_as(two, own(two, PAGE(0), 0u), own(two, PAGE(1), 0u), page) == 0);
    MUST(word(two, PAGE(1) + 4092u) == 0xEEEEEEEEu);
    MUST(copy_as(two, granted(8u, 0u), granted(8u, 16u), 8u) == 0);
    MUST(word(one, PAGE(0) + 16u) == 0x10101010u);
    MUST(copy_as(two, granted(8u, 100u), own(two, PAGE(0), 0u), 0u) == 0);
    /* both directions of "not allowed" */
    MUST(copy_as(two, own(two, PAGE(0), 0u), granted(9u, 0u), 4u) == GNTST_GENERAL_ERROR);
    MUST(copy_as(two, granted(8u, 4093u), own(two, PAGE(0), 0u), 4u) == GNTST_BAD_COPY_ARG);
    MUST(copy_as(two, granted(8u, 0u), own(two, PAGE(0), 1u), page) == GNTST_BAD_COPY_ARG);
    MUST(copy_as(two, granted(8u, 0xFFFFu), own(two, PAGE(0), 0u), 0xFFFFu) == GNTST_BAD_COPY_ARG);
    MUST(copy_as(two, granted(10u, 0u), own(two, PAGE(0), 0u), 4u) == GNTST_GENERAL_ERROR);
    MUST(copy_as(two, granted(99999u, 0u), own(two, PAGE(0), 0u), 4u) == GNTST_BAD_GNTREF);
    MUST(copy_as(two, (struct end){ 8u, 7u, 0u, true }, own(two, PAGE(0), 0u), 4u) == GNTST_BAD_DOMAIN);
    MUST(copy_as(two, (struct end){ place(one, PAGE(0)) >> 12u, 1u, 0u, false }, own(two, PAGE(0), 0u), 4u) ==
         GNTST_PERMISSION_DENIED);
    MUST(copy_as(two, (struct end){ UINT64_MAX, SELF, 0u, false }, own(two, PAGE(0), 0u), 4u) ==
         GNTST_BAD_PAGE);
    MUST(copy_as(two, granted(8u, 0u), (struct end){ WINDOW >> 12u, SELF, 0u, false }, 4u) == GNTST_BAD_PAGE);
    grant(11u, 3u, PAGE(0), 1u);
    MUST(copy_as(three, granted(11u, 0u), own(three, PAGE(0), 0u), 4u) == GNTST_PERMISSION_DENIED);
    /* its own by reference, under both names */
    grant(12u, 1u, PAGE(2), 1u);
    MUST(copy_as(one, (struct end){ 12u, SELF, 0u, true }, own(one, PAGE(3), 0u), 4u) == 0);
    MUST(copy_as(one, granted(12u, 0u), own(one, PAGE(3), 4u), 4u) == 0);
    MUST(word(one, PAGE(3)) == 0x12121212u);
    MUST(word(one, PAGE(3) + 4u) == 0x12121212u);
    MUST(in_use(8u) == 0u);
    MUST(in_use(9u) == 0u);
    MUST(in_use(12u) == 0u);
    nothing_is_used();
}

static void tables(void)
{
    struct xen_grant_query q = { .dom = SELF };
    struct xen_grant_setup s = { .dom = SELF, .nr_frames = 3u };
    struct xen_grant_swap w = { .ref_a = 8u, .ref_b = 600u };
    struct xen_grant_version v = { .dom = SELF };
    uint64_t list[3] = { 1u, 1u, 1u };
    uint32_t h = 0u;
    void *page = NULL;

    start(THREE("1"));
    MUST(many(one, GNTTABOP_QUERY_SIZE, &q, sizeof(q), 1u) == 0);
    MUST(q.status == 0);
    MUST(q.nr_frames == 3u);
    MUST(q.max_nr_frames == 3u);
    q.dom = 2u;
    MUST(many(two, GNTTABOP_QUERY_SIZE, &q, sizeof(q), 1u) == 0);
    MUST(q.nr_frames == 1u);
    MUST(q.max_nr_frames == 64u);
    q.dom = 1u;
    MUST(many(two, GNTTABOP_QUERY_SIZE, &q, sizeof(q), 1u) == 0);
    MUST(q.status == GNTST_PERMISSION_DENIED);
    q.dom = 9u;
    MUST(many(two, GNTTABOP_QUERY_SIZE, &q, sizeof(q), 1u) == 0);
    MUST(q.status == GNTST_BAD_DOMAIN);
    MUST(grant_frame(one->domain, 3u, &page) == HV_LIMIT);
    MUST(grant_frame(one->domain, BIT64(32), &page) == HV_LIMIT);
    MUST(grant_frame(one->domain, GRANT_STATUS, &page) == HV_INVALID);
    /* where the guest has its frames */
    s.frame_list = place(one, LIST) + 0x800u;
    put(one, LIST + 0x800u, list, sizeof(list));
    MUST(many(one, GNTTABOP_SETUP_TABLE, &s, sizeof(s), 1u) == 0);
    MUST(s.status == 0);
    get(one, LIST + 0x800u, list, sizeof(list));
    MUST(list[0] == (place(one, TABLE) >> 12u));
    MUST(list[2] == ((place(one, TABLE) >> 12u) + 2u));
    s.nr_frames = 4u;
    MUST(many(one, GNTTABOP_SETUP_TABLE, &s, sizeof(s), 1u) == 0);
    MUST(s.status == GNTST_GENERAL_ERROR);
    s.nr_frames = 1u;
    s.frame_list = 0u;
    MUST(many(one, GNTTABOP_SETUP_TABLE, &s, sizeof(s), 1u) == -XEN_EFAULT);
    /* versions */
    MUST(many(one, GNTTABOP_GET_VERSION, &v, sizeof(v), 1u) == 0);
    MUST(v.version == 1u);
    v.dom = 2u;
    MUST(many(one, GNTTABOP_GET_VERSION, &v, sizeof(v), 1u) == -XEN_EPERM);
    v.dom = 9u;
    MUST(many(one, GNTTABOP_GET_VERSION, &v, sizeof(v), 1u) == -XEN_ESRCH);
    MUST(set_version(1u) == 0);
    MUST(set_version(2u) == -XEN_ENOSYS);
    MUST(set_version(0u) == -XEN_EINVAL);
    MUST(set_version(3u) == -XEN_EINVAL);
    /* two entries change places */
    grant(8u, 2u, PAGE(0), 1u);
    grant(600u, 2u, PAGE(1), 5u);
    MUST(many(one, GNTTABOP_SWAP_GRANT_REF, &w, sizeof(w), 1u) == 0);
    MUST(w.status == 0);
    MUST(word(one, entry_at(8u)) == 0x20005u);
    MUST(word(one, entry_at(600u)) == 0x20001u);
    MUST(map(600u, HERE(0), HOST, &h) == 0);
    MUST(seen(HERE(0)) == 0x10u);
    MUST(many(one, GNTTABOP_SWAP_GRANT_REF, &w, sizeof(w), 1u) == 0);
    MUST(w.status == GNTST_EAGAIN);
    w.ref_b = 512u * 3u;
    MUST(many(one, GNTTABOP_SWAP_GRANT_REF, &w, sizeof(w), 1u) == 0);
    MUST(w.status == GNTST_BAD_GNTREF);
    MUST(many(two, GNTTABOP_SWAP_GRANT_REF, &w, sizeof(w), 1u) == 0);
    MUST(w.status == GNTST_BAD_GNTREF);
    MUST(unmap(h, HERE(0)) == 0);
    nothing_is_used();
}

static void caches(void)
{
    struct xen_grant_flush f = { .offset = 0u, .length = 64u, .op = 3u };
    struct xen_grant_map m;

    start(THREE("1"));
    grant(600u, 2u, PAGE(0), 1u);
    /* caches: what is one's own or mapped */
    MUST(map_as(two, 1u, 600u, HERE(1), HOST, &m) == 0);
    f.dev_bus_addr = m.dev_bus_addr;
    MUST(many(two, GNTTABOP_CACHE_FLUSH, &f, sizeof(f), 1u) == 0);
    MUST(many(one, GNTTABOP_CACHE_FLUSH, &f, sizeof(f), 1u) == 0);
    MUST(many(three, GNTTABOP_CACHE_FLUSH, &f, sizeof(f), 1u) == -XEN_EPERM);
    for (uint32_t n = 0u; n < 8u; n++) {
        static const struct xen_grant_flush bad[] = {
            { 0u, 4096u, 1u, 1u }, { 0u, 1u, 4096u, 1u }, { 0u, 0xFFFFu, 0xFFFFu, 1u }, { 0u, 0u, 8u, 4u }
        };
        struct xen_grant_flush g = (n < 4u) ? bad[n] : f;

        g.dev_bus_addr = (n < 4u) ? f.dev_bus_addr : ((n == 4u) ? UINT64_MAX : (n - 5u) * 0x8000000ULL);
        MUST(many(two, GNTTABOP_CACHE_FLUSH, &g, sizeof(g), 1u) == ((n < 4u) ? -XEN_EINVAL : -XEN_EPERM));
    }
    f.op = BIT32(31) | 1u;
    MUST(many(two, GNTTABOP_CACHE_FLUSH, &f, sizeof(f), 1u) == -XEN_EOPNOTSUPP);
    f.op = 0u;
    MUST(many(three, GNTTABOP_CACHE_FLUSH, &f, sizeof(f), 1u) == 0);
    f.op = 2u;
    MUST(unmap(m.handle, HERE(1)) == 0);
    MUST(many(two, GNTTABOP_CACHE_FLUSH, &f, sizeof(f), 1u) == -XEN_EPERM); /* no more */
    nothing_is_used();
}

/* A guest that changes entries while they are in use harms itself alone. */
static void lies(void)
{
    uint32_t h[3];

    start(THREE("1"));
    grant(8u, 2u, PAGE(0), 1u);
    MUST((map(8u, HERE(0), HOST, &h[0]) == 0) && (in_use(8u) == 24u));
    grant(8u, 2u, PAGE(1), 5u); /* another frame, for reading, and its flags are gone */
    MUST(map(8u, HERE(1), HOST, &h[1]) == GNTST_GENERAL_ERROR);
    MUST(map(8u, HERE(1), HOST | READONLY, &h[1]) == 0);
    MUST((seen(HERE(1)) == 0x11u) && (seen(HERE(0)) == 0x10u));
    grant(8u, 3u, PAGE(1), 1u); /* another domain */
    MUST(map(8u, HERE(2), HOST, &h[2]) == GNTST_GENERAL_ERROR);
    MUST(copy_as(two, granted(8u, 0u), own(two, PAGE(0), 0u), 4u) == GNTST_GENERAL_ERROR);
    MUST((unmap(h[0], HERE(0)) == 0) && (in_use(8u) == 8u));
    MUST((unmap(h[1], HERE(1)) == 0) && (in_use(8u) == 0u));
    grant(8u, 2u, PAGE(0), 1u | 24u); /* it says itself that it is in use */
    MUST((map(8u, HERE(0), HOST | READONLY, &h[0]) == 0) && (unmap(h[0], HERE(0)) == 0));
    MUST(in_use(8u) == 0u);
    nothing_is_used();
}

static void versions(void)
{
    uint32_t h[3];
    struct xen_grant_status_frames s = { .nr_frames = 1u, .dom = SELF };
    uint64_t list = 0u;

    start(THREE("2"));
    s.frame_list = place(one, LIST) + 0x800u;
    put(one, LIST + 0x800u, &list, sizeof(list));
    grant(1u, 2u, PAGE(1), 1u);
    grant(2u, 2u, PAGE(2), 3u);
    grant(8u, 2u, PAGE(0), 1u);
    MUST(map(8u, HERE(0), HOST, &h[0]) == 0);
    MUST(set_version(2u) == -XEN_EBUSY);
    MUST(map(1u, HERE(1), HOST, &h[1]) == 0);
    MUST(unmap(h[0], HERE(0)) == 0);
    MUST(many(one, GNTTABOP_GET_STATUS_FRAMES, &s, sizeof(s), 1u) == 0);
    MUST(s.status == GNTST_GENERAL_ERROR);
    MUST(set_version(2u) == 0);
    MUST(grant_version(one->domain) == 2u); /* the first few may be in use */
    second = true;
    frame_appears(one, GRANT_STATUS, STATES);
    MUST(many(one, GNTTABOP_GET_STATUS_FRAMES, &s, sizeof(s), 1u) == 0);
    MUST(s.status == 0);
    get(one, LIST + 0x800u, &list, sizeof(list));
    MUST(list == (place(one, STATES) >> 12u));
    MUST(word(one, entry_at(1u)) == 0x20001u);
    MUST(word(one, entry_at(1u) + 8u) == (place(one, PAGE(1)) >> 12u));
    MUST(word(one, entry_at(2u)) == 0u);
    MUST(in_use(1u) == 24u);
    MUST(word(one, entry_at(8u)) == 0u);
    MUST(unmap(h[1], HERE(1)) == 0);
    MUST(in_use(1u) == 0u);
    /* whole pages */
    grant(9u, 2u, PAGE(3), 1u);
    MUST(map(9u, HERE(0), HOST, &h[0]) == 0);
    MUST(in_use(9u) == 24u);
    MUST(seen(HERE(0)) == 0x13u);
    MUST(map(9u, HERE(1), HOST | READONLY, &h[1]) == 0);
    MUST(unmap(h[0], HERE(0)) == 0);
    MUST(in_use(9u) == 8u);
    MUST(word(one, entry_at(9u)) == 0x20001u);
    MUST(set_version(1u) == -XEN_EBUSY);
    MUST(unmap(h[1], HERE(1)) == 0);
    MUST(in_use(9u) == 0u);
    MUST(map(3u * 256u, HERE(0), HOST, &h[0]) == GNTST_BAD_GNTREF);
    /* parts of pages are copied only, and within their bounds */
    grant(10u, 2u, PAGE(4), 0x101u);
    word_put(one, entry_at(10u) + 4u, 100u | (50u << 16u));
    MUST(map(10u, HERE(0), HOST, &h[0]) == GNTST_GENERAL_ERROR);
    MUST(in_use(10u) == 0u);
    MUST(copy_as(two, granted(10u, 100u), own(two, PAGE(0), 0u), 50u) == 0);
    MUST(copy_as(two, granted(10u, 149u), own(two, PAGE(0), 0u), 1u) == 0);
    MUST(copy_as(two, granted(10u, 99u), own(two, PAGE(0), 0u), 1u) == GNTST_GENERAL_ERROR);
    MUST(copy_as(two, granted(10u, 150u), own(two, PAGE(0), 0u), 1u) == GNTST_GENERAL_ERROR);
    MUST(copy_as(two, own(two, PAGE(0), 0u), granted(10u, 100u), 51u) == GNTST_GENERAL_ERROR);
    word_put(one, entry_at(10u) + 4u, UINT32_MAX);
    MUST(copy_as(two, granted(10u, 4095u), own(two, PAGE(0), 0u), 2u) == GNTST_BAD_COPY_ARG);
    /* what another domain grants is not passed on */
    grant(11u, 2u, PAGE(4), 3u);
    MUST(copy_as(two, granted(11u, 0u), own(two, PAGE(0), 0u), 1u) == GNTST_GENERAL_ERROR);
    grant(3u, 2u, PAGE(5), 1u);
    word_put(one, entry_at(3u) + 12u, 1u); /* a frame number that version 1 has no words for */
    MUST(set_version(1u) == 0);
    MUST(set_version(1u) == 0);
    second = false;
    MUST(word(one, entry_at(1u)) == 0x20001u);
    MUST(word(one, entry_at(1u) + 4u) == (place(one, PAGE(1)) >> 12u));
    MUST(word(one, entry_at(3u)) == 0u);
    MUST(word(one, entry_at(9u)) == 0u);
    MUST(map(1u, HERE(0), HOST, &h[0]) == 0);
    MUST(seen(HERE(0)) == 0x11u);
    MUST(unmap(h[0], HERE(0)) == 0);
    nothing_is_used();
}

static void seeds(void)
{
    uint32_t h = 0u;

    start(THREE("2"));
    MUST(grant_seed(one->domain, 1u, 2u, place(one, PAGE(6)) >> 12u) == HV_OK);
    MUST(grant_seed(one->domain, 8u, 2u, 0u) == HV_BUSY);
    MUST(grant_seed(two->domain, 0u, 1u, 5u) == HV_OK); /* its table has not been seen yet */
    MUST((map(1u, HERE(0), HOST, &h) == 0) && (seen(HERE(0)) == 0x16u));
    MUST((unmap(h, HERE(0)) == 0) && (set_version(2u) == 0));
    MUST(grant_seed(one->domain, 1u, 2u, 0u) == HV_BUSY);
    guest_asks(one, HAL_DOMAIN_RESET);
    until(domain("domU1"), DOMAIN_RUNNING, 1u);
    MUST(map(1u, HERE(0), HOST, &h) == GNTST_BAD_GNTREF); /* gone with that life */
}

/* The ends of either, while the second maps what the first grants */
static void lives(void)
{
    uint32_t h[20];

    start(THREE("1"));
    for (uint32_t round = 1u; round < 4u; round++) {
        grant(8u, 2u, PAGE(0), 1u);
        MUST(map(8u, HERE(0), HOST, &h[0]) == 0);
        MUST(map(8u, HERE(1), HOST | READONLY, &h[1]) == 0);
        guest_asks(one, HAL_DOMAIN_RESET);
        until(domain("domU1"), DOMAIN_RUNNING, round);
        until_in_guest(one);
        /* zeros of its own, which it may use as before */
        MUST(seen(HERE(0)) == 0u);
        MUST(seen(HERE(1)) == 0u);
        MUST(writes(HERE(0), 9u));
        MUST(!writes(HERE(1), 1u));
        MUST(writes(HERE(0), 0u)); /* it is one page for all */
        MUST(map(8u, HERE(2), HOST, &h[2]) == GNTST_BAD_GNTREF);
        granter_ready();
        MUST(word(one, PAGE(0)) == 0x10101010u);
        grant(8u, 2u, PAGE(0), 1u);
        MUST(map(8u, HERE(2), HOST, &h[2]) == 0);
        MUST(in_use(8u) == 24u);
        MUST(seen(HERE(2)) == 0x10u);
        MUST(unmap(h[0], HERE(0)) == 0);
        MUST(unmap(h[1], HERE(1)) == 0);
        MUST(in_use(8u) == 24u);
        MUST(unmap(h[2], HERE(2)) == 0);
        MUST(in_use(8u) == 0u);
        MUST(!is_there(HERE(0)));
        nothing_is_used();
    }
    for (uint32_t round = 1u; round < 4u; round++) { /* the mapper's end */
        for (uint32_t i = 0u; i < 20u; i++) {
            grant(8u + i, 2u, PAGE(i % 8u), 1u);
            MUST(map(8u + i, HERE(i), HOST, &h[i]) == 0);
        }
        guest_asks(two, HAL_DOMAIN_RESET);
        until(domain("domU2"), DOMAIN_RUNNING, round);
        until_in_guest(two);
        for (uint32_t i = 0u; i < 20u; i++) {
            MUST(in_use(8u + i) == 0u);
            MUST(!is_there(HERE(i)));
            MUST(unmap(h[i], HERE(i)) == GNTST_BAD_HANDLE);
        }
        nothing_is_used();
    }
    /* both, the granter for good */
    MUST(map(8u, HERE(0), HOST, &h[0]) == 0);
    order(domain("domU1"), HAL_DOMAIN_OFF);
    until(domain("domU1"), DOMAIN_STOPPED, 3u);
    MUST(seen(HERE(0)) == 0u);
    MUST(map(8u, HERE(1), HOST, &h[1]) == GNTST_BAD_DOMAIN);
    MUST(copy_as(two, granted(8u, 0u), own(two, PAGE(0), 0u), 4u) == GNTST_BAD_DOMAIN);
    order(domain("domU2"), HAL_DOMAIN_OFF);
    order(domain("domU3"), HAL_DOMAIN_OFF);
    until(domain("domU2"), DOMAIN_STOPPED, 3u);
    until(domain("domU3"), DOMAIN_STOPPED, 0u);
    for (uint32_t i = 0u; i < domain_count; i++) { /* but for the frames of tables, which stay the table's */
        uint32_t kept = 0u;

        for (uint32_t p = 0u; p < domain_table[i]->grants->frame.nr_max; p++) {
            kept += (domain_table[i]->grants->frame.page[p] != NULL) ? 1u : 0u;
        }
        MUST(kept == ((i == 0u) ? 3u : 0u));
        MUST((domain_table[i]->pool.nr_free + kept) == domain_table[i]->pool.nr_pages);
    }
}

#define SCENARIO(name)                                                                                       \
    static void test_##name(void **state)                                                                    \
    {                                                                                                        \
        (void)state;                                                                                         \
        scenario(name);                                                                                      \
    }

SCENARIO(maps)
SCENARIO(map_errors)
SCENARIO(batches)
SCENARIO(counts)
SCENARIO(copies)
SCENARIO(tables)
SCENARIO(caches)
SCENARIO(lies)
SCENARIO(versions)
SCENARIO(seeds)
SCENARIO(lives)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maps),   cmocka_unit_test(test_map_errors), cmocka_unit_test(test_batches),
        cmocka_unit_test(test_counts), cmocka_unit_test(test_copies),     cmocka_unit_test(test_tables),
        cmocka_unit_test(test_caches), cmocka_unit_test(test_lies),       cmocka_unit_test(test_versions),
        cmocka_unit_test(test_seeds),  cmocka_unit_test(test_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
