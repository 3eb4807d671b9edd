/* Grant tables against Xen's public headers (libxen-dev 4.20). [test->req~hypercalls~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "abi/xen_grant.h"

/* Names that the headers have as well, as ours say */
static const uint32_t ours[] = { GNTTAB_NR_RESERVED_ENTRIES, GNTTAB_RESERVED_XENSTORE, GNTTAB_CACHE_CLEAN,
                                 GNTTAB_CACHE_INVAL, GNTTAB_CACHE_SOURCE_GREF };
#undef GNTTAB_NR_RESERVED_ENTRIES
#undef GNTTAB_RESERVED_XENSTORE
#undef GNTTAB_CACHE_CLEAN
#undef GNTTAB_CACHE_INVAL
#undef GNTTAB_CACHE_SOURCE_GREF

#include "xen_headers.h"

#include <xen/grant_table.h>

#define SIZE(our, their) assert_int_equal(sizeof(struct our), sizeof(their))
#define BYTES(s, field)  sizeof(((s *)NULL)->field)
#define SAME(our, our_field, their, their_field)                                                             \
    do {                                                                                                     \
        assert_int_equal(offsetof(struct our, our_field), offsetof(their, their_field));                     \
        assert_int_equal(BYTES(struct our, our_field), BYTES(their, their_field));                           \
    } while (0)
#define SAME_NAME(our, their, field) SAME(our, field, their, field)

static void operations(void **state)
{
    (void)state;
    assert_int_equal(GNTTABOP_MAP_GRANT_REF, GNTTABOP_map_grant_ref);
    assert_int_equal(GNTTABOP_UNMAP_GRANT_REF, GNTTABOP_unmap_grant_ref);
    assert_int_equal(GNTTABOP_SETUP_TABLE, GNTTABOP_setup_table);
    assert_int_equal(GNTTABOP_COPY, GNTTABOP_copy);
    assert_int_equal(GNTTABOP_QUERY_SIZE, GNTTABOP_query_size);
    assert_int_equal(GNTTABOP_SET_VERSION, GNTTABOP_set_version);
    assert_int_equal(GNTTABOP_GET_STATUS_FRAMES, GNTTABOP_get_status_frames);
    assert_int_equal(GNTTABOP_GET_VERSION, GNTTABOP_get_version);
    assert_int_equal(GNTTABOP_SWAP_GRANT_REF, GNTTABOP_swap_grant_ref);
    assert_int_equal(GNTTABOP_CACHE_FLUSH, GNTTABOP_cache_flush);
    assert_int_equal(GNTTABOPS, GNTTABOP_cache_flush + 1); /* the last */
}

static void statuses(void **state)
{
    (void)state;
    assert_int_equal(GNTST_OKAY, GNTST_okay);
    assert_int_equal(GNTST_GENERAL_ERROR, GNTST_general_error);
    assert_int_equal(GNTST_BAD_DOMAIN, GNTST_bad_domain);
    assert_int_equal(GNTST_BAD_GNTREF, GNTST_bad_gntref);
    assert_int_equal(GNTST_BAD_HANDLE, GNTST_bad_handle);
    assert_int_equal(GNTST_BAD_VIRT_ADDR, GNTST_bad_virt_addr);
    assert_int_equal(GNTST_PERMISSION_DENIED, GNTST_permission_denied);
    assert_int_equal(GNTST_BAD_PAGE, GNTST_bad_page);
    assert_int_equal(GNTST_BAD_COPY_ARG, GNTST_bad_copy_arg);
    assert_int_equal(GNTST_EAGAIN, GNTST_eagain);
    assert_int_equal(GNTST_NO_SPACE, GNTST_no_space);
}

static void flags(void **state)
{
    (void)state;
    assert_int_equal(GTF_TYPE_MASK, GTF_type_mask);
    assert_int_equal(GTF_PERMIT_ACCESS, GTF_permit_access);
    assert_int_equal(GTF_READONLY, GTF_readonly);
    assert_int_equal(GTF_READING, GTF_reading);
    assert_int_equal(GTF_WRITING, GTF_writing);
    assert_int_equal(GTF_SUB_PAGE, GTF_sub_page);
    assert_int_equal(GNTMAP_HOST_MAP, GNTMAP_host_map);
    assert_int_equal(GNTMAP_READONLY, GNTMAP_readonly);
    assert_int_equal(GNTMAP_MASK, GNTMAP_device_map | GNTMAP_host_map | GNTMAP_readonly |
                                      GNTMAP_application_map | GNTMAP_contains_pte);
    assert_int_equal(GNTCOPY_SOURCE_GREF, GNTCOPY_source_gref);
    assert_int_equal(GNTCOPY_DEST_GREF, GNTCOPY_dest_gref);
    assert_int_equal(ours[0], GNTTAB_NR_RESERVED_ENTRIES);
    assert_int_equal(ours[1], GNTTAB_RESERVED_XENSTORE);
    assert_int_equal(ours[2], GNTTAB_CACHE_CLEAN);
    assert_int_equal(ours[3], GNTTAB_CACHE_INVAL);
    assert_true(ours[4] == GNTTAB_CACHE_SOURCE_GREF);
}

/* Flags are the lower half of our word, the domain its upper half. */
static void entries(void **state)
{
    (void)state;
    SIZE(xen_grant_v1, struct grant_entry_v1);
    SAME_NAME(xen_grant_v1, struct grant_entry_v1, frame);
    assert_int_equal(offsetof(struct grant_entry_v1, flags), offsetof(struct xen_grant_v1, flags_domid));
    assert_int_equal(offsetof(struct grant_entry_v1, domid), 2);
    SIZE(xen_grant_v2, union grant_entry_v2);
    assert_int_equal(offsetof(union grant_entry_v2, hdr.domid), 2);
    assert_int_equal(offsetof(struct xen_grant_v2, frame), offsetof(union grant_entry_v2, full_page.frame));
    SAME(xen_grant_v2, frame, union grant_entry_v2, sub_page.frame);
    SAME(xen_grant_v2, page_off, union grant_entry_v2, sub_page.page_off);
    SAME(xen_grant_v2, length, union grant_entry_v2, sub_page.length);
}

static void mapping(void **state)
{
    (void)state;
    SIZE(xen_grant_map, struct gnttab_map_grant_ref);
    SAME_NAME(xen_grant_map, struct gnttab_map_grant_ref, flags);
    SAME_NAME(xen_grant_map, struct gnttab_map_grant_ref, ref);
    SAME_NAME(xen_grant_map, struct gnttab_map_grant_ref, dom);
    SAME_NAME(xen_grant_map, struct gnttab_map_grant_ref, status);
    SAME_NAME(xen_grant_map, struct gnttab_map_grant_ref, handle);
    SAME_NAME(xen_grant_map, struct gnttab_map_grant_ref, dev_bus_addr);
    SIZE(xen_grant_unmap, struct gnttab_unmap_grant_ref);
    SAME_NAME(xen_grant_unmap, struct gnttab_unmap_grant_ref, dev_bus_addr);
    SAME_NAME(xen_grant_unmap, struct gnttab_unmap_grant_ref, handle);
    SAME_NAME(xen_grant_unmap, struct gnttab_unmap_grant_ref, status);
}

static void tables(void **state)
{
    (void)state;
    SIZE(xen_grant_setup, struct gnttab_setup_table);
    SAME_NAME(xen_grant_setup, struct gnttab_setup_table, nr_frames);
    SAME_NAME(xen_grant_setup, struct gnttab_setup_table, status);
    SAME_NAME(xen_grant_setup, struct gnttab_setup_table, frame_list);
    SIZE(xen_grant_status_frames, struct gnttab_get_status_frames);
    SAME_NAME(xen_grant_status_frames, struct gnttab_get_status_frames, dom);
    SAME_NAME(xen_grant_status_frames, struct gnttab_get_status_frames, status);
    SAME_NAME(xen_grant_status_frames, struct gnttab_get_status_frames, frame_list);
    SIZE(xen_grant_query, struct gnttab_query_size);
    SAME_NAME(xen_grant_query, struct gnttab_query_size, nr_frames);
    SAME_NAME(xen_grant_query, struct gnttab_query_size, max_nr_frames);
    SAME_NAME(xen_grant_query, struct gnttab_query_size, status);
    SIZE(xen_grant_version, struct gnttab_get_version);
    SAME_NAME(xen_grant_version, struct gnttab_get_version, version);
    assert_int_equal(sizeof(struct gnttab_set_version), 4);
}

static void others(void **state)
{
    (void)state;
    SIZE(xen_grant_copy, struct gnttab_copy);
    SAME(xen_grant_copy, source, struct gnttab_copy, source);
    SAME(xen_grant_copy, dest, struct gnttab_copy, dest);
    SAME_NAME(xen_grant_copy, struct gnttab_copy, len);
    SAME_NAME(xen_grant_copy, struct gnttab_copy, flags);
    SAME_NAME(xen_grant_copy, struct gnttab_copy, status);
    assert_int_equal(sizeof(struct xen_grant_copy_end), sizeof(((struct gnttab_copy *)NULL)->source));
    SAME(xen_grant_copy_end, domid, struct gnttab_copy, source.domid);
    SAME(xen_grant_copy_end, offset, struct gnttab_copy, source.offset);
    SIZE(xen_grant_swap, struct gnttab_swap_grant_ref);
    SAME_NAME(xen_grant_swap, struct gnttab_swap_grant_ref, ref_b);
    SAME_NAME(xen_grant_swap, struct gnttab_swap_grant_ref, status);
    SIZE(xen_grant_flush, struct gnttab_cache_flush);
    SAME_NAME(xen_grant_flush, struct gnttab_cache_flush, offset);
    SAME_NAME(xen_grant_flush, struct gnttab_cache_flush, length);
    SAME_NAME(xen_grant_flush, struct gnttab_cache_flush, op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations), cmocka_unit_test(statuses), cmocka_unit_test(flags),
        cmocka_unit_test(entries),    cmocka_unit_test(mapping),  cmocka_unit_test(tables),
        cmocka_unit_test(others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
