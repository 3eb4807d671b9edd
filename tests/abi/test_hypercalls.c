/* Numbers of hypercalls against Xen's public headers (libxen-dev 4.20). [test->req~hypercalls~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "abi/xen.h"

enum {
    OUR_XEN_VERSION = XEN_HCALL_XEN_VERSION,
    OUR_SCHED_OP = XEN_HCALL_SCHED_OP,
    OUR_EINVAL = XEN_EINVAL,
    OUR_ENOSYS = XEN_ENOSYS,
    OUR_VERSION = XENVER_VERSION,
    OUR_PAGESIZE = XENVER_PAGESIZE,
    OUR_YIELD = SCHEDOP_YIELD,
};
#undef XEN_EINVAL /* the headers have enumerators of these names */
#undef XEN_ENOSYS

#include "xen_headers.h"

#include <xen/errno.h>
#include <xen/sched.h>
#include <xen/version.h>

static void numbers(void **state)
{
    (void)state;
    assert_int_equal(OUR_XEN_VERSION, __HYPERVISOR_xen_version);
    assert_int_equal(OUR_SCHED_OP, __HYPERVISOR_sched_op);
    assert_true((XEN_HYPERCALLS > __HYPERVISOR_arch_7) && (XEN_HYPERCALLS < 128u));
    assert_int_equal(OUR_VERSION, XENVER_version);
    assert_int_equal(OUR_PAGESIZE, XENVER_pagesize);
    assert_int_equal(OUR_YIELD, SCHEDOP_yield);
}

static void errors(void **state)
{
    (void)state;
    assert_int_equal(OUR_EINVAL, XEN_EINVAL);
    assert_int_equal(OUR_ENOSYS, XEN_ENOSYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
