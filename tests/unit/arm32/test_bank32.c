/* Which register a guest's mode sees under a number. [test->req~guest-registers~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "a32_regs.h"

#define NAME_OF(index, name) [index] = #name,
static const char *const names[A32_BANKED_NR] = { A32_BANKED(NAME_OF) };

static const struct {
    uint32_t mode;
    const char *suffix; /* of its own sp and lr */
} modes[] = { { 0x10u, "usr" }, { 0x11u, "fiq" }, { 0x12u, "irq" }, { 0x13u, "svc" },
              { 0x17u, "abt" }, { 0x1Bu, "und" }, { 0x1Fu, "usr" } };

static void has(uint32_t mode, uint32_t n, const char *what, const char *suffix)
{
    const uint32_t index = a32_bank_index(mode | 0x600001E0u, n); /* other bits of a CPSR mean nothing here */
    char name[16];

    assert_true(index < A32_BANKED_NR);
    (void)strcpy(name, what);
    (void)strcat(name, suffix);
    assert_string_equal(names[index], name);
}

static void each_mode(void **state)
{
    static const char *const high[] = { "r8_", "r9_", "r10_", "r11_", "r12_" };

    (void)state;
    for (size_t i = 0; i < (sizeof(modes) / sizeof(modes[0])); i++) {
        const uint32_t mode = modes[i].mode;
        const int is_user = strcmp(modes[i].suffix, "usr") == 0;

        has(mode, 13u, "sp_", modes[i].suffix);
        if (is_user) {
            assert_int_equal(a32_bank_index(mode, 14u), A32_IN_FRAME);
        } else {
            has(mode, 14u, "lr_", modes[i].suffix);
        }
        for (uint32_t n = 8u; n < 13u; n++) {
            if (mode == 0x11u) {
                has(mode, n, high[n - 8u], "fiq");
            } else {
                assert_int_equal(a32_bank_index(mode, n), A32_IN_FRAME);
            }
        }
        assert_int_equal(a32_bank_index(mode, 15u), A32_NOWHERE);
        assert_int_equal(a32_bank_index(mode, 31u), A32_NOWHERE);
    }
}

/* What a guest can put into a CPSR must lead nowhere else. */
static void any_mode(void **state)
{
    (void)state;
    for (uint32_t mode = 0u; mode < 32u; mode++) {
        for (uint32_t n = 8u; n < 33u; n++) {
            const uint32_t index = a32_bank_index(mode, n);

            assert_true((index < A32_BANKED_NR) || (index == A32_IN_FRAME) || (index == A32_NOWHERE));
            assert_true((index != A32_IN_FRAME) || (n < 15u));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(each_mode), cmocka_unit_test(any_mode) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
