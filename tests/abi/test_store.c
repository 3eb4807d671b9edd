/* Hvm parameters and the page of xenstore against Xen's public headers (libxen-dev 4.20).
 * [test->req~store-page~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "abi/xen.h"

/* Names that the headers have as well, as ours say */
static const uint32_t connections[] = { XENSTORE_CONNECTED, XENSTORE_RECONNECT };
#undef XENSTORE_CONNECTED
#undef XENSTORE_RECONNECT
#undef HVM_PARAM_CALLBACK_IRQ
#undef HVM_PARAM_STORE_PFN
#undef HVM_PARAM_STORE_EVTCHN
#undef HVM_PARAM_CONSOLE_PFN
#undef HVM_PARAM_CONSOLE_EVTCHN
#define xen_hvm_param      ours_hvm_param
#define xen_add_to_physmap ours_add_to_physmap

#include "xen_headers.h"

#include <xen/grant_table.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/io/xs_wire.h>

#define SIZE(our, their) assert_int_equal(sizeof(struct our), sizeof(their))
#define BYTES(s, field)  sizeof(((s *)NULL)->field)
#define SAME_NAME(our, their, field)                                                                         \
    do {                                                                                                     \
        assert_int_equal(offsetof(struct our, field), offsetof(their, field));                               \
        assert_int_equal(BYTES(struct our, field), BYTES(their, field));                                     \
    } while (0)

static void params(void **state)
{
    const uint64_t type = (uint64_t)HVM_PARAM_CALLBACK_TYPE_PPI << 56u;
    const uint64_t how = (uint64_t)HVM_PARAM_CALLBACK_TYPE_PPI_FLAG_LOW_LEVEL << 8u;

    (void)state;
    assert_int_equal(HVM_PARAM_MONITOR_RING, HVM_PARAM_MONITOR_RING_PFN);
    assert_true(XEN_HVM_PARAMS <= HVM_NR_PARAMS);
    assert_true(XEN_CALLBACK_PPI == (type | how));
}

static void console_page(void **state)
{
    (void)state;
    assert_int_equal(CONSOLE_MAGIC_GFN, GUEST_MAGIC_BASE >> 12);
    assert_int_equal(CONSOLE_GRANT_REF, GNTTAB_RESERVED_CONSOLE);
    SIZE(xen_console_ring, struct xencons_interface);
    SAME_NAME(xen_console_ring, struct xencons_interface, out);
    SAME_NAME(xen_console_ring, struct xencons_interface, in_cons);
    SAME_NAME(xen_console_ring, struct xencons_interface, in_prod);
    SAME_NAME(xen_console_ring, struct xencons_interface, out_cons);
    SAME_NAME(xen_console_ring, struct xencons_interface, out_prod);
}

static void page(void **state)
{
    (void)state;
    assert_int_equal(connections[0], XENSTORE_CONNECTED);
    assert_int_equal(connections[1], XENSTORE_RECONNECT);
    assert_int_equal(XENSTORE_FEATURE_RECONNECTION, XENSTORE_SERVER_FEATURE_RECONNECTION);
    assert_int_equal(XENSTORE_MAGIC_GFN, (GUEST_MAGIC_BASE >> 12) + 1);
    assert_int_equal(XENSTORE_GRANT_REF, GNTTAB_RESERVED_XENSTORE);
    SIZE(xen_store_ring, struct xenstore_domain_interface);
    SAME_NAME(xen_store_ring, struct xenstore_domain_interface, rsp);
    SAME_NAME(xen_store_ring, struct xenstore_domain_interface, req_cons);
    SAME_NAME(xen_store_ring, struct xenstore_domain_interface, req_prod);
    SAME_NAME(xen_store_ring, struct xenstore_domain_interface, rsp_cons);
    SAME_NAME(xen_store_ring, struct xenstore_domain_interface, rsp_prod);
    SAME_NAME(xen_store_ring, struct xenstore_domain_interface, server_features);
    SAME_NAME(xen_store_ring, struct xenstore_domain_interface, connection);
    SAME_NAME(xen_store_ring, struct xenstore_domain_interface, error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(params),
        cmocka_unit_test(page),
        cmocka_unit_test(console_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
