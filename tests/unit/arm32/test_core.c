/* The processor's own registers, as an Armv8-R guest finds them. [test->req~core-registers~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "a32_core.h"

#define CP15(op1, n, m, op2) ARM_SYSREG(3u, op1, n, m, op2)
#define GICD                 0xf0000000u
#define NOW                  0x123456789ULL

static void quiet(void **state)
{
    static const uint32_t poked[] = {
        CP15(0u, 9u, 1u, 0u),  CP15(0u, 9u, 1u, 2u),  CP15(1u, 9u, 1u, 0u),  CP15(1u, 9u, 1u, 2u),
        CP15(0u, 11u, 0u, 0u), CP15(0u, 15u, 0u, 0u), CP15(0u, 15u, 2u, 0u), CP15(1u, 15u, 3u, 1u),
        CP15(2u, 15u, 0u, 0u), CP15(0u, 9u, 12u, 0u), CP15(0u, 9u, 14u, 2u),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(poked) / sizeof(poked[0]); i++) {
        assert_true(a32_core_is(poked[i]));
        assert_true(a32_core_read(poked[i], GICD, NOW) == 0u);
    }
}

static void told(void **state)
{
    (void)state;
    assert_true(a32_core_is(CP15(1u, 15u, 3u, 0u)));
    assert_true(a32_core_read(CP15(1u, 15u, 3u, 0u), GICD, NOW) == GICD);
    assert_true(a32_core_is(CP15(0u, 9u, 13u, 0u)));
    assert_true(a32_core_read(CP15(0u, 9u, 13u, 0u), GICD, NOW) == 0x23456789u);
}

/* Those of HYP, other coprocessors, debug, what is translated to nothing: not here. */
static void others(void **state)
{
    (void)state;
    assert_false(a32_core_is(CP15(4u, 15u, 0u, 0u)));
    assert_false(a32_core_is(CP15(0u, 1u, 0u, 1u)));
    assert_false(a32_core_is(CP15(0u, 12u, 12u, 5u)));
    assert_false(a32_core_is(ARM_SYSREG(2u, 0u, 9u, 1u, 0u)));
    assert_false(a32_core_is(0u));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(quiet), cmocka_unit_test(told),
                                        cmocka_unit_test(others) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
