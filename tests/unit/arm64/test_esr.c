/* Syndromes as the manual's tables encode them, and what an injected exception does to a guest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "a64_esr.h"

#define DABT(iss) ((0x24ULL << 26) | BIT64(25) | (uint64_t)(iss))
#define ISV       0x1000000u

/* A store of w3 to an emulated register: ISV, word, SRT 3, WnR, translation fault at level 3. */
static void word_store(void **state)
{
    const uint64_t esr = DABT(ISV | (2u << 22) | (3u << 16) | 0x40u | 0x07u);
    struct hal_exit exit = { .kind = HAL_EXIT_MEM_FAULT };

    (void)state;
    assert_int_equal(arm_esr_ec(esr), ARM_EC_DABT);
    assert_int_equal(arm_esr_insn_bytes(esr), 4);
    assert_int_equal(arm_esr_fault(esr), 1);
    assert_true(arm_esr_has_ipa(esr));
    arm_esr_access(esr, &exit);
    assert_true(exit.write);
    assert_int_equal(exit.width, 4);
    assert_int_equal(exit.reg, 3);
    assert_false(exit.wide);
}

static void not_described(void **state)
{
    struct hal_exit exit = { .kind = HAL_EXIT_MEM_FAULT };

    (void)state;
    arm_esr_access(DABT(0x47u), &exit); /* no ISV: a pair, an atomic, write-back */
    assert_int_equal(exit.width, 0);
    assert_true(exit.write);
    arm_esr_access(DABT(ISV | 0x80u | 0x40u | 0x07u), &exit); /* on the guest's own table walk */
    assert_int_equal(exit.width, 0);
    assert_false(exit.write);
    arm_esr_access(DABT(0x100u | 0x40u | 0x07u), &exit); /* a cache operation writes nothing */
    assert_false(exit.write);
    assert_false(arm_esr_has_ipa(DABT(0x0Fu))); /* permission fault */
    assert_true(arm_esr_has_ipa(DABT(0x8Fu)));  /* the same on a walk */
}

static void extension(void **state)
{
    (void)state;
    assert_int_equal(arm_load_extend(0xFFFFFF80u, 1, false, true), 0x80);
    assert_true(arm_load_extend(0x80u, 1, true, true) == 0xFFFFFFFFFFFFFF80ULL);
    assert_int_equal(arm_load_extend(0x80u, 1, true, false), 0xFFFFFF80);
    assert_true(arm_load_extend(0x8000u, 2, true, true) == 0xFFFFFFFFFFFF8000ULL);
    assert_int_equal(arm_load_extend(0x7FFFu, 2, true, true), 0x7FFF);
    assert_true(arm_load_extend(0x80000000u, 4, true, true) == 0xFFFFFFFF80000000ULL);
    assert_true(arm_load_extend(0x123456789ABCDEF0ULL, 8, true, true) == 0x123456789ABCDEF0ULL);
}

static void injected(void **state)
{
    const uint64_t el1h = 0x5, el1t = 0x4, el0 = 0x0, el0_a32 = 0x10;
    const uint64_t store = DABT(ISV | 0x40u | 0x07u);

    (void)state;
    assert_int_equal(a64_vector_offset(el1h), 0x200);
    assert_int_equal(a64_vector_offset(el1t), 0x000);
    assert_int_equal(a64_vector_offset(el0), 0x400);
    assert_int_equal(a64_vector_offset(el0_a32), 0x600);
    assert_int_equal(arm_esr_ec(a64_abort_esr(store, el1h)), 0x25);
    assert_int_equal(arm_esr_ec(a64_abort_esr(store, el0)), 0x24);
    assert_int_equal(a64_abort_esr(store, el1h) & 0x3F, ARM_DFSC_EXTERNAL);
    assert_true((a64_abort_esr(store, el1h) & 0x40u) != 0u);
    /* interrupts masked, EL1h, flags kept; PAN set unless SCTLR_EL1.SPAN */
    assert_int_equal(a64_exception_pstate(0x60000004u, A64_SCTLR_EL1_SPAN, true), 0x600003C5);
    assert_true((a64_exception_pstate(0x60000004u, 0, true) & A64_PSTATE_PAN) != 0u);
    assert_true((a64_exception_pstate(0x60000004u, 0, false) & A64_PSTATE_PAN) == 0u);
}

/* A fetch that its own exception would repeat. [test->req~vectors-nowhere~1] */
static void vectors_nowhere(void **state)
{
    const uint64_t el1h = 0x3C5, el1t = 0x3C4, el0 = 0x3C0, el1h_of_a32 = 0x15;
    const uint64_t fetch = (0x20ULL << 26) | BIT64(25) | 0x05u;
    const uint64_t vbar = 0x10000000;

    (void)state;
    assert_true(a64_abort_repeats(fetch, el1h, vbar + 0x200, vbar));
    assert_false(a64_abort_repeats(fetch, el1h, vbar + 0x204, vbar));
    assert_false(a64_abort_repeats(fetch, el1h, vbar, vbar));
    assert_false(a64_abort_repeats(fetch, el1t, vbar, vbar)); /* the next one is at 0x200 */
    assert_false(a64_abort_repeats(fetch, el0, vbar + 0x400, vbar));
    assert_false(a64_abort_repeats(fetch, el1h_of_a32, vbar + 0x200, vbar));
    assert_false(a64_abort_repeats(DABT(0x05u), el1h, vbar + 0x200, vbar));
}

/* External aborts are not for stage 2, SErrors tell how bad they are. [test->req~errors-attributed~1] */
static void errors(void **state)
{
    const uint64_t serror = 0x2FULL << 26;

    (void)state;
    for (uint64_t dfsc = 0x10; dfsc <= 0x1F; dfsc++) {
        assert_true(arm_esr_fault(DABT(dfsc)) > ARM_FAULT_PERMISSION);
    }
    assert_int_equal(arm_esr_fault(DABT(0x0Fu)), ARM_FAULT_PERMISSION);
    assert_true(arm_esr_far_is_bad(DABT(0x410u)));
    assert_false(arm_esr_far_is_bad(DABT(0x10u)));
    assert_false(arm_esr_far_is_bad(DABT(0x407u)));
    assert_true(a64_serror_is_corrected(serror | (6u << 10) | 0x11u));
    assert_false(a64_serror_is_corrected(serror | (2u << 10) | 0x11u)); /* restartable */
    assert_false(a64_serror_is_corrected(serror | 0x11u));              /* uncontainable */
    assert_false(a64_serror_is_corrected(serror | (6u << 10)));         /* not categorised */
    assert_false(a64_serror_is_corrected(serror | BIT64(24) | (6u << 10) | 0x11u));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(word_store), cmocka_unit_test(not_described),   cmocka_unit_test(extension),
        cmocka_unit_test(injected),   cmocka_unit_test(vectors_nowhere), cmocka_unit_test(errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
