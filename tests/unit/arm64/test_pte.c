/* Descriptors of both stages: what is encoded is read back, at every level, and never names another
 * address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "arm_pte.h"

static void geometry(void **state)
{
    (void)state;
    assert_int_equal(arm_level_bytes(3), 0x1000);
    assert_int_equal(arm_level_bytes(2), 0x200000);
    assert_int_equal(arm_level_bytes(1), 0x40000000);
    assert_int_equal(arm_level_bytes(0), 0x8000000000);
    assert_int_equal(arm_pte_index(0x40201000, 3), 1);
    assert_int_equal(arm_pte_index(0x40201000, 2), 1);
    assert_int_equal(arm_pte_index(0x40201000, 1), 1);
    assert_int_equal(arm_pte_index(0xFFFFFFFFFFFF, 0), 511);
}

static void leaves(void **state)
{
    (void)state;
    for (uint32_t level = 1; level <= 3; level++) {
        for (uint32_t perm = 1; perm <= HAL_PERM_RWX; perm++) {
            const uint64_t pa = 0x0000FEDCC0000000ULL & ~(arm_level_bytes(level) - 1u);
            const uint64_t pte = arm_pte_leaf(pa, level, arm_s2_attributes(perm, HAL_MEM_NORMAL));

            assert_true(arm_pte_is_valid(pte));
            assert_true(arm_pte_is_leaf(pte, level));
            assert_false(arm_pte_is_table(pte, level));
            assert_int_equal(arm_pte_output(pte), pa);
            assert_int_equal(arm_s2_perm(pte), perm);
            assert_int_equal(pte & 0x3FC, 0x3 << 8 | 0xF << 2 | ((perm & 1u) != 0u ? 0x40 : 0) |
                                              ((perm & 2u) != 0u ? 0x80 : 0));
            assert_int_equal(pte & 3u, (level == 3) ? 3 : 1);
        }
    }
    /* attributes taken from one level's leaf serve another level's */
    const uint64_t block = arm_pte_leaf(0x40000000, 2, arm_s2_attributes(HAL_PERM_R, HAL_MEM_DEVICE));
    const uint64_t page = arm_pte_leaf(0x40001000, 3, block);

    assert_int_equal(arm_pte_output(page), 0x40001000);
    assert_int_equal(arm_s2_perm(page), HAL_PERM_R | HAL_PERM_DEV);
    assert_int_equal((page >> 2) & 0xF, 1);
}

static void tables(void **state)
{
    (void)state;
    for (uint32_t level = 0; level < 3; level++) {
        const uint64_t pte = arm_pte_table(0x80003000);

        assert_true(arm_pte_is_table(pte, level));
        assert_false(arm_pte_is_leaf(pte, level));
        assert_int_equal(arm_pte_output(pte), 0x80003000);
    }
    assert_false(arm_pte_is_valid(0));
    assert_false(arm_pte_is_table(2, 1));
}

/* Nothing that we map for ourselves is writable and executable. */
static void own_attributes(void **state)
{
    const uint64_t all[] = { ARM_S1_TEXT, ARM_S1_RO, ARM_S1_RW, ARM_S1_DEVICE };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const bool writable = (all[i] & ARM_PTE_S1_RO) == 0u;
        const bool executable = (all[i] & ARM_PTE_XN) == 0u;

        assert_false(writable && executable);
    }
}

static void sizes(void **state)
{
    static const uint32_t pa[] = { 32, 36, 40, 42, 44, 48, 48, 48 };
    static const uint32_t ipa[] = { 32, 36, 39, 39, 44, 48, 48, 48 };

    (void)state;
    for (uint32_t range = 0; range < ARRAY_LEN(pa); range++) {
        assert_int_equal(arm_pa_bits_of(range), pa[range]);
        assert_int_equal(arm_ipa_bits(pa[range]), ipa[range]);
        assert_int_equal(arm_ipa_start_level(ipa[range]), (ipa[range] > 39) ? 0 : 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geometry),       cmocka_unit_test(leaves), cmocka_unit_test(tables),
        cmocka_unit_test(own_attributes), cmocka_unit_test(sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
