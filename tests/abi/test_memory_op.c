/* memory_op against Xen's public headers (libxen-dev 4.20). [test->req~memory-op~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* structs of one name on both sides */
#define xen_memory_reservation   ours_memory_reservation
#define xen_add_to_physmap       ours_add_to_physmap
#define xen_add_to_physmap_batch ours_add_to_physmap_batch
#define xen_remove_from_physmap  ours_remove_from_physmap
#define xen_mem_acquire_resource ours_mem_acquire_resource
#include "abi/xen_memory.h"
#undef xen_memory_reservation
#undef xen_add_to_physmap
#undef xen_add_to_physmap_batch
#undef xen_remove_from_physmap
#undef xen_mem_acquire_resource

#include "xen_headers.h"

#include <xen/memory.h>

#define SAME(ours, theirs, field)                                                                            \
    assert_int_equal(offsetof(ours, field), offsetof(theirs, field));                                        \
    assert_int_equal(sizeof(((ours *)NULL)->field), sizeof(((theirs *)NULL)->field))

static void numbers(void **state)
{
    (void)state;
    assert_int_equal(XENMEM_INCREASE_RESERVATION, XENMEM_increase_reservation);
    assert_int_equal(XENMEM_DECREASE_RESERVATION, XENMEM_decrease_reservation);
    assert_int_equal(XENMEM_MAXIMUM_RAM_PAGE, XENMEM_maximum_ram_page);
    assert_int_equal(XENMEM_CURRENT_RESERVATION, XENMEM_current_reservation);
    assert_int_equal(XENMEM_MAXIMUM_RESERVATION, XENMEM_maximum_reservation);
    assert_int_equal(XENMEM_POPULATE_PHYSMAP, XENMEM_populate_physmap);
    assert_int_equal(XENMEM_ADD_TO_PHYSMAP, XENMEM_add_to_physmap);
    assert_int_equal(XENMEM_EXCHANGE, XENMEM_exchange);
    assert_int_equal(XENMEM_MAXIMUM_GPFN, XENMEM_maximum_gpfn);
    assert_int_equal(XENMEM_REMOVE_FROM_PHYSMAP, XENMEM_remove_from_physmap);
    assert_int_equal(XENMEM_ADD_TO_PHYSMAP_BATCH, XENMEM_add_to_physmap_batch);
    assert_int_equal(XENMEM_CLAIM_PAGES, XENMEM_claim_pages);
    assert_int_equal(XENMEM_OP_BITS, 6); /* documented with the hypercall alone */
    assert_int_equal(XENMEM_ACQUIRE_RESOURCE, XENMEM_acquire_resource);
    assert_int_equal(XENMEMF_POPULATE_ON_DEMAND, XENMEMF_populate_on_demand);
    assert_int_equal(XENMEM_RESOURCE_GRANT_TABLE, XENMEM_resource_grant_table);
    assert_int_equal(XENMEM_RESOURCE_GRANT_STATUS, XENMEM_resource_grant_table_id_status);
    assert_int_equal(XENMAPSPACE_SHARED_INFO, XENMAPSPACE_shared_info);
    assert_int_equal(XENMAPSPACE_GRANT_TABLE, XENMAPSPACE_grant_table);
    assert_int_equal(XENMAPSPACE_GMFN_RANGE, XENMAPSPACE_gmfn_range);
    assert_int_equal(XENMAPSPACE_GMFN_FOREIGN, XENMAPSPACE_gmfn_foreign);
    assert_int_equal(XENMAPSPACE_DEV_MMIO, XENMAPSPACE_dev_mmio);
}

static void reservation(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct ours_memory_reservation), sizeof(struct xen_memory_reservation));
    SAME(struct ours_memory_reservation, struct xen_memory_reservation, extent_start);
    SAME(struct ours_memory_reservation, struct xen_memory_reservation, nr_extents);
    SAME(struct ours_memory_reservation, struct xen_memory_reservation, extent_order);
    SAME(struct ours_memory_reservation, struct xen_memory_reservation, mem_flags);
    SAME(struct ours_memory_reservation, struct xen_memory_reservation, domid);
}

static void physmap(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct ours_add_to_physmap), sizeof(struct xen_add_to_physmap));
    SAME(struct ours_add_to_physmap, struct xen_add_to_physmap, domid);
    SAME(struct ours_add_to_physmap, struct xen_add_to_physmap, size);
    SAME(struct ours_add_to_physmap, struct xen_add_to_physmap, space);
    SAME(struct ours_add_to_physmap, struct xen_add_to_physmap, idx);
    SAME(struct ours_add_to_physmap, struct xen_add_to_physmap, gpfn);
    assert_int_equal(sizeof(struct ours_add_to_physmap_batch), sizeof(struct xen_add_to_physmap_batch));
    SAME(struct ours_add_to_physmap_batch, struct xen_add_to_physmap_batch, domid);
    SAME(struct ours_add_to_physmap_batch, struct xen_add_to_physmap_batch, space);
    SAME(struct ours_add_to_physmap_batch, struct xen_add_to_physmap_batch, size);
    assert_int_equal(offsetof(struct ours_add_to_physmap_batch, foreign_domid),
                     offsetof(struct xen_add_to_physmap_batch, u.foreign_domid));
    SAME(struct ours_add_to_physmap_batch, struct xen_add_to_physmap_batch, idxs);
    SAME(struct ours_add_to_physmap_batch, struct xen_add_to_physmap_batch, gpfns);
    SAME(struct ours_add_to_physmap_batch, struct xen_add_to_physmap_batch, errs);
    assert_int_equal(sizeof(struct ours_remove_from_physmap), sizeof(struct xen_remove_from_physmap));
    SAME(struct ours_remove_from_physmap, struct xen_remove_from_physmap, domid);
    SAME(struct ours_remove_from_physmap, struct xen_remove_from_physmap, gpfn);
}

static void resource(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct ours_mem_acquire_resource), sizeof(struct xen_mem_acquire_resource));
    SAME(struct ours_mem_acquire_resource, struct xen_mem_acquire_resource, domid);
    SAME(struct ours_mem_acquire_resource, struct xen_mem_acquire_resource, type);
    SAME(struct ours_mem_acquire_resource, struct xen_mem_acquire_resource, id);
    SAME(struct ours_mem_acquire_resource, struct xen_mem_acquire_resource, nr_frames);
    SAME(struct ours_mem_acquire_resource, struct xen_mem_acquire_resource, pad);
    SAME(struct ours_mem_acquire_resource, struct xen_mem_acquire_resource, frame);
    SAME(struct ours_mem_acquire_resource, struct xen_mem_acquire_resource, frame_list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(reservation),
        cmocka_unit_test(physmap),
        cmocka_unit_test(resource),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
