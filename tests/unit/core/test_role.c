/* The table of roles, cell by cell, and who may share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "abi/xen.h"
#include "domain/role.h"
#include "lib/bits.h"

#define C PLAN_ROLE_CONTROL
#define H PLAN_ROLE_HARDWARE
#define X PLAN_ROLE_XENSTORE

#define DOMAINS 8u /* a domain for each set of roles, which is its index */

static struct plan_domain plans[DOMAINS];
static struct domain domains[DOMAINS];

static int make(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < DOMAINS; i++) {
        plans[i] = (struct plan_domain){ .role = i };
        domains[i] = (struct domain){ .id = (domid_t)i, .index = i, .plan = &plans[i] };
        domain_table[i] = &domains[i];
    }
    domain_count = DOMAINS;
    return 0;
}

/* [test->req~roles~1] */
static void the_table(void **state)
{
    static const uint32_t may[ROLE_OPERATIONS] = {
        [ROLE_EVENT] = C,   [ROLE_GRANT] = C,         [ROLE_MEMORY] = C,   [ROLE_FOREIGN] = C,
        [ROLE_PARAM] = C,   [ROLE_PARAM_GET] = C | X, [ROLE_SHUTDOWN] = C, [ROLE_INFO] = C | X,
        [ROLE_DOMCTL] = C,  [ROLE_SYSCTL] = C,        [ROLE_PLATFORM] = C, [ROLE_CONSOLE] = C | H,
        [ROLE_PHYSDEV] = H, [ROLE_VERSION] = C,
    };

    (void)state;
    for (uint32_t op = 0; op < (uint32_t)ROLE_OPERATIONS; op++) {
        assert_int_not_equal(may[op], 0);
        for (uint32_t role = 0; role < DOMAINS; role++) {
            struct vcpu vcpu = { .domain = &domains[role] };
            struct domain *target = NULL;
            const bool ok = (may[op] & role) != 0u;
            const uint32_t other = role ^ 1u;

            assert_int_equal(role_may(&domains[role], (enum role_operation)op), ok);
            assert_int_equal(role_target(&vcpu, other, (enum role_operation)op, &target),
                             ok ? 0 : -XEN_EPERM);
            assert_int_equal(role_target(&vcpu, role, (enum role_operation)op, &target), 0);
            assert_ptr_equal(target, &domains[role]);
            assert_int_equal(role_target(&vcpu, XEN_DOMID_SELF, (enum role_operation)op, &target), 0);
            assert_ptr_equal(target, &domains[role]);
            for (uint32_t none = DOMAINS; none < 0x20000u; none += (none < 64u) ? 1u : 97u) {
                const bool self = (none == XEN_DOMID_SELF);

                assert_int_equal(role_target(&vcpu, none, (enum role_operation)op, &target),
                                 self ? 0 : -XEN_ESRCH);
            }
            assert_int_equal(role_target(&vcpu, UINT32_MAX, (enum role_operation)op, &target), -XEN_ESRCH);
        }
    }
}

/* [test->req~silo~1] */
static void silo(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < DOMAINS; a++) {
        for (uint32_t b = 0; b < DOMAINS; b++) {
            const bool serves = ((a | b) & (C | X)) != 0u;

            assert_int_equal(role_may_share(&domains[a], &domains[b]), (a == b) || serves);
        }
    }
    plans[0].peers = BIT32(H);
    assert_true(role_may_share(&domains[0], &domains[H]));
    assert_false(role_may_share(&domains[H], &domains[0])); /* the plan says it at both, or not at all */
}

/* Without a domain 0 numbers begin at 1. */
static void numbers(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < DOMAINS; i++) {
        domains[i].id = (domid_t)(i + 1u);
    }
    assert_null(domain_by_id(0u));
    assert_ptr_equal(domain_by_id(1u), &domains[0]);
    assert_ptr_equal(domain_by_id(DOMAINS), &domains[DOMAINS - 1u]);
    assert_null(domain_by_id(DOMAINS + 1u));

    /* numbers come and go, two of them look alike at first, and no place without a domain is found */
    domain_id_set(&domains[2], XEN_DOMID_INVALID);
    assert_false(domain_is_there(&domains[2]));
    assert_null(domain_by_id(3u));
    assert_null(domain_by_id(XEN_DOMID_INVALID));
    domain_id_set(&domains[2], 2u + HV_DOMAINS_MAX);
    assert_ptr_equal(domain_by_id(2u + HV_DOMAINS_MAX), &domains[2]);
    assert_ptr_equal(domain_by_id(2u), &domains[1]);
    domain_id_set(&domains[2], XEN_DOMID_INVALID);
    assert_null(domain_by_id(2u + HV_DOMAINS_MAX));
    assert_ptr_equal(domain_by_id(2u), &domains[1]);
    assert_int_equal(domain_nr_there(), DOMAINS - 1u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_table, make),
        cmocka_unit_test_setup(silo, make),
        cmocka_unit_test_setup(numbers, make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
