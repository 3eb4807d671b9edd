/* memory_op as guests make it: what each operation answers, in pieces, with bad arguments, on others.
 * [test->req~memory-op~1] [test->req~multicall~1] [test->req~roles~1] */
#include "sim_guest.h"

#include "domain/p2m.h"

/* clang-format off */
#define SYSTEM \
    BOARD("credit2") DOMAIN("1", "1", " capabilities = <1>;" ENHANCED CHANNEL("a", "1", "5", "b")) \
    DOMAIN("2", "1", ENHANCED CHANNEL("b", "1", "9", "a")) DOMAIN("3", "1", "") BOARD_END
/* clang-format on */

#define LIST  (GUEST_RAM + 0x110000ULL)
#define LIST2 (GUEST_RAM + 0x112000ULL)
#define LIST3 (GUEST_RAM + 0x114000ULL)
#define GFN   (GUEST_RAM >> 12u)
#define HOLE  0x50000ULL /* a gfn where nothing is */
#define PAGES ((int64_t)(MEMORY_BYTES >> 12u))
#define SELF  0x7FF0u

static uint32_t pieces;

/* Until it is done */
static int64_t memory_op(const struct vcpu *vcpu, uint64_t op, const void *arg, uint64_t bytes)
{
    uint32_t before = vcpu->hal.nr_again;
    int64_t result = 0;

    put(vcpu, ARGS, arg, bytes);
    result = call(vcpu, 12u, op, place(vcpu, ARGS), 0u);
    pieces = 1u;
    while (vcpu->hal.nr_again != before) {
        before = vcpu->hal.nr_again;
        MUST(((uint64_t)result & 63u) == (op & 63u));
        result = call(vcpu, 12u, (uint64_t)result, call_arg[1], 0u);
        pieces++;
    }
    return result;
}

static int64_t reserve(const struct vcpu *vcpu, uint64_t op, uint16_t domid, uint64_t nr, uint32_t order)
{
    const struct xen_memory_reservation r = {
        .extent_start = LIST, .nr_extents = nr, .extent_order = order, .domid = domid
    };

    return memory_op(vcpu, op, &r, sizeof(r));
}

static void list(const struct vcpu *vcpu, uint64_t at, uint64_t first, uint64_t step, uint32_t nr)
{
    for (uint32_t i = 0u; i < nr; i++) {
        const uint64_t gfn = first + (i * step);

        put(vcpu, at + (i * 8u), &gfn, sizeof(gfn));
    }
}

static int64_t tell(const struct vcpu *vcpu, uint64_t op, uint16_t domid)
{
    return memory_op(vcpu, op, &domid, sizeof(domid));
}

static void reservations(void)
{
    uint64_t gfn = 0u;

    source = SYSTEM;
    begin();
    MUST(tell(two, XENMEM_CURRENT_RESERVATION, SELF) == PAGES);
    list(two, LIST, GFN + 300u, 1u, 40u);
    MUST(reserve(two, XENMEM_DECREASE_RESERVATION, SELF, 40u, 0u) == 40);
    MUST(pieces >= 4u); /* a bounded piece at a time */
    MUST(tell(two, XENMEM_CURRENT_RESERVATION, SELF) == (PAGES - 40));
    MUST(tell(two, XENMEM_MAXIMUM_RESERVATION, SELF) == PAGES);
    MUST(reserve(two, XENMEM_DECREASE_RESERVATION, SELF, 40u, 0u) == 0); /* they are gone */
    MUST(reserve(two, XENMEM_INCREASE_RESERVATION, SELF, 40u, 0u) == 0); /* none is without a place */
    MUST(reserve(two, XENMEM_POPULATE_PHYSMAP, SELF, 39u, 0u) == 39);
    MUST((pieces >= 9u) && (tell(two, XENMEM_CURRENT_RESERVATION, SELF) == (PAGES - 1)));
    list(two, LIST, GFN + 340u, (uint64_t)-2LL, 3u); /* there; there; ... */
    MUST(reserve(two, XENMEM_POPULATE_PHYSMAP, SELF, 3u, 0u) == 0);
    list(two, LIST, GFN + 339u, 4u, 2u); /* the first is not, the second is */
    MUST(reserve(two, XENMEM_POPULATE_PHYSMAP, SELF, 2u, 0u) == 1);
    /* extents: half of the second is beyond the memory */
    list(two, LIST, GFN + 504u, 8u, 2u);
    MUST(reserve(two, XENMEM_DECREASE_RESERVATION, SELF, 2u, 3u) == 1);
    MUST(tell(two, XENMEM_CURRENT_RESERVATION, SELF) == (PAGES - 10));
    MUST(reserve(two, XENMEM_POPULATE_PHYSMAP, SELF, 2u, 3u) == 1);
    /* lists and numbers at the end of all things, orders beyond what this domain may */
    list(two, LIST, UINT64_MAX, 1u, 2u);
    MUST(reserve(two, XENMEM_DECREASE_RESERVATION, SELF, 2u, 0u) == 0);
    MUST(reserve(two, XENMEM_DECREASE_RESERVATION, SELF, 1u, 9u) == 0);
    MUST(reserve(two, XENMEM_POPULATE_PHYSMAP, SELF, 1u, 10u) == 0);
    MUST(reserve(two, XENMEM_DECREASE_RESERVATION, SELF, 1u, UINT32_MAX) == 0);
    MUST(reserve(two, XENMEM_DECREASE_RESERVATION, SELF, UINT64_MAX, 0u) == 0);
    MUST(reserve(two, XENMEM_DECREASE_RESERVATION | ~63ULL, SELF, 1u, 0u) == 0);
    const struct xen_memory_reservation bad = { .extent_start = UINT64_MAX - 7u,
                                                .nr_extents = 4u,
                                                .domid = SELF };
    MUST(memory_op(two, XENMEM_POPULATE_PHYSMAP, &bad, sizeof(bad)) == 0);
    MUST(call(two, 12u, XENMEM_POPULATE_PHYSMAP, UINT64_MAX - 3u, 0u) == 0);
    /* others: who has the role */
    list(two, LIST, GFN + 400u, 1u, 1u);
    MUST(reserve(two, XENMEM_DECREASE_RESERVATION, 1u, 1u, 0u) == -XEN_EPERM);
    MUST(reserve(two, XENMEM_DECREASE_RESERVATION, 99u, 1u, 0u) == 0);
    list(one, LIST, GFN + 400u, 1u, 1u);
    MUST(reserve(one, XENMEM_DECREASE_RESERVATION, 2u, 1u, 0u) == 1);
    MUST(tell(one, XENMEM_CURRENT_RESERVATION, 2u) == (PAGES - 1));
    MUST(!fake_guest_read(&two->domain->hal.map, gpa((GFN + 400u) << 12u), &gfn, sizeof(gfn)));
    MUST(reserve(one, XENMEM_DECREASE_RESERVATION, 3u, 1u, 0u) == 0); /* its map stays as it was built */
    MUST(tell(one, XENMEM_MAXIMUM_GPFN, 3u) == (int64_t)(GFN + (uint64_t)PAGES - 1u));
    MUST((tell(two, XENMEM_MAXIMUM_GPFN, 1u) == -XEN_EPERM) &&
         (tell(two, XENMEM_MAXIMUM_GPFN, 77u) == -XEN_ESRCH));
    /* promises */
    const struct xen_memory_reservation claim = { .nr_extents = (uint64_t)PAGES, .domid = 2u };
    MUST(memory_op(two, XENMEM_CLAIM_PAGES, &claim, sizeof(claim)) == -XEN_EPERM);
    MUST(memory_op(one, XENMEM_CLAIM_PAGES, &claim, sizeof(claim)) == 0);
    const struct xen_memory_reservation more = { .nr_extents = (uint64_t)PAGES + 1u, .domid = 2u };
    MUST(memory_op(one, XENMEM_CLAIM_PAGES, &more, sizeof(more)) == -XEN_EINVAL);
    list(one, LIST, GFN + 400u, 1u, 1u);
    MUST(reserve(one, XENMEM_POPULATE_PHYSMAP, 2u, 1u, 0u) == 1);
    MUST(memory_op(two, XENMEM_EXCHANGE, &more, sizeof(more)) == -XEN_EINVAL);
    MUST(memory_op(two, 63u, &more, sizeof(more)) == -XEN_ENOSYS);
}

static int64_t batch(const struct vcpu *vcpu, uint16_t domid, uint16_t space, uint16_t foreign, uint16_t size)
{
    const struct xen_add_to_physmap_batch b = { .domid = domid,
                                                .space = space,
                                                .size = size,
                                                .foreign_domid = foreign,
                                                .idxs = LIST,
                                                .gpfns = LIST2,
                                                .errs = LIST3 };

    return memory_op(vcpu, XENMEM_ADD_TO_PHYSMAP_BATCH, &b, sizeof(b));
}

static int64_t unmap(const struct vcpu *vcpu, uint16_t domid, uint64_t gfn)
{
    const struct xen_remove_from_physmap r = { .domid = domid, .gpfn = gfn };

    return memory_op(vcpu, XENMEM_REMOVE_FROM_PHYSMAP, &r, sizeof(r));
}

static uint32_t seen(const struct vcpu *vcpu, uint64_t gfn)
{
    uint32_t value = UINT32_MAX;

    (void)fake_guest_read(&vcpu->domain->hal.map, gpa(gfn << 12u), &value, sizeof(value));
    return value;
}

static void maps(void)
{
    source = SYSTEM;
    begin();
    for (uint32_t i = 0u; i < 10u; i++) {
        word_put(two, GUEST_RAM + ((200u + i) * 0x1000ULL), 1000u + i);
    }
    list(one, LIST, GFN + 200u, 1u, 10u);
    list(one, LIST2, HOLE, 1u, 10u);
    list(one, LIST + 72u, 0x77777u, 0u, 1u); /* the last is nowhere */
    MUST(batch(one, SELF, XENMAPSPACE_GMFN_FOREIGN, 2u, 10u) == 0);
    MUST(pieces == 5u);
    for (uint32_t i = 0u; i < 9u; i++) {
        MUST((seen(one, HOLE + i) == (1000u + i)) && (word(one, LIST3 + (i * 4u)) == 0u));
    }
    MUST(word(one, LIST3 + 36u) == (uint32_t)-XEN_EINVAL);
    MUST(unmap(one, SELF, HOLE) == 0);
    MUST((unmap(one, SELF, HOLE) == -XEN_ENOENT) && (seen(one, HOLE) == UINT32_MAX));
    /* who may not, whom there is not, and what is refused as a whole */
    list(two, LIST, GFN + 200u, 1u, 1u);
    list(two, LIST2, HOLE, 1u, 1u);
    MUST((batch(two, SELF, XENMAPSPACE_GMFN_FOREIGN, 1u, 1u) == 0) &&
         (word(two, LIST3) == (uint32_t)-XEN_EPERM));
    MUST((batch(one, SELF, XENMAPSPACE_GMFN_FOREIGN, 1u, 1u) == 0) &&
         (word(one, LIST3) == (uint32_t)-XEN_EINVAL));
    MUST((batch(one, SELF, XENMAPSPACE_GMFN_FOREIGN, 9u, 1u) == 0) &&
         (word(one, LIST3) == (uint32_t)-XEN_ESRCH));
    MUST(batch(two, 1u, XENMAPSPACE_GMFN_FOREIGN, 1u, 1u) == -XEN_EPERM);
    MUST(batch(one, SELF, XENMAPSPACE_GMFN_RANGE, 0u, 1u) == -XEN_EOPNOTSUPP);
    MUST(batch(one, SELF, XENMAPSPACE_DEV_MMIO, 0u, 1u) == -XEN_EACCES);
    MUST(batch(one, SELF, XENMAPSPACE_SHARED_INFO, 2u, 1u) == -XEN_EINVAL);
    MUST(batch(one, SELF, XENMAPSPACE_GMFN_FOREIGN, 2u, 0u) == 0);
    const struct xen_add_to_physmap single = { .domid = SELF,
                                               .space = XENMAPSPACE_GMFN_FOREIGN,
                                               .gpfn = HOLE };
    MUST(memory_op(one, XENMEM_ADD_TO_PHYSMAP, &single, sizeof(single)) == -XEN_ENOSYS);
    /* a domain's pages are nobody's arguments but its own */
    MUST(call(one, 12u, XENMEM_CURRENT_RESERVATION, (HOLE + 1u) << 12u, 0u) == -XEN_EFAULT);
    /* the grant table of another one, with a number of its own for each frame */
    struct xen_mem_acquire_resource r = { .domid = 2u, .type = XENMEM_RESOURCE_GRANT_TABLE };
    MUST(memory_op(two, XENMEM_ACQUIRE_RESOURCE, &r, sizeof(r)) == -XEN_EPERM);
    MUST((memory_op(one, XENMEM_ACQUIRE_RESOURCE, &r, sizeof(r)) == 0) && (word(one, ARGS + 8u) == 64u));
    list(one, LIST, HOLE + 32u, 1u, 2u);
    r.frame_list = LIST;
    r.nr_frames = 2u;
    MUST(memory_op(one, XENMEM_ACQUIRE_RESOURCE, &r, sizeof(r)) == 0);
    MUST((seen(one, HOLE + 32u) == 0u) && (seen(one, HOLE + 33u) == 0u));
    r.domid = 3u; /* has none */
    MUST(memory_op(one, XENMEM_ACQUIRE_RESOURCE, &r, sizeof(r)) == -XEN_EINVAL);
    r.domid = 2u;
    r.frame = UINT32_MAX;
    MUST(memory_op(one, XENMEM_ACQUIRE_RESOURCE, &r, sizeof(r)) == -XEN_EINVAL);
    /* its own, and one of a domain without a table */
    struct xen_add_to_physmap table = { .domid = SELF, .space = XENMAPSPACE_GRANT_TABLE, .gpfn = 0x38000u };
    MUST(memory_op(two, XENMEM_ADD_TO_PHYSMAP, &table, sizeof(table)) == 0);
    table.gpfn = 0x38001u;
    MUST(memory_op(two, XENMEM_ADD_TO_PHYSMAP, &table, sizeof(table)) == -XEN_EBUSY);
    table.idx = 64u;
    MUST(memory_op(two, XENMEM_ADD_TO_PHYSMAP, &table, sizeof(table)) == -XEN_EINVAL);
    table.domid = 3u;
    MUST(memory_op(one, XENMEM_ADD_TO_PHYSMAP, &table, sizeof(table)) == -XEN_EINVAL);
    /* the owner crashes: what is left of it is zero, and goes as ever */
    MUST(seen(one, HOLE + 1u) == 1001u);
    guest_asks(two, HAL_DOMAIN_RESET);
    until(two->domain, DOMAIN_RUNNING, 1u);
    MUST((seen(one, HOLE + 1u) == 0u) && (one->domain->nr_foreign == 0u));
    MUST(unmap(one, SELF, HOLE + 1u) == 0);
    MUST(tell(one, XENMEM_CURRENT_RESERVATION, 2u) == PAGES);
}

static void test_reservations(void **state)
{
    (void)state;
    scenario(reservations);
}

static void test_maps(void **state)
{
    (void)state;
    scenario(maps);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_reservations), cmocka_unit_test(test_maps) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
