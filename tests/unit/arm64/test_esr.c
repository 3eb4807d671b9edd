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
    assert_int_equal(a64_esr_ec(esr), A64_EC_DABT);
    assert_int_equal(a64_esr_insn_bytes(esr), 4);
    assert_int_equal(a64_esr_fault(esr), 1);
    assert_true(a64_esr_has_ipa(esr));
    a64_esr_access(esr, &exit);
    assert_true(exit.write);
    assert_int_equal(exit.width, 4);
    assert_int_equal(exit.reg, 3);
    assert_false(exit.wide);
}

static void not_described(void **state)
{
    struct hal_exit exit = { .kind = HAL_EXIT_MEM_FAULT };

    (void)state;
    a64_esr_access(DABT(0x47u), &exit); /* no ISV: a pair, an atomic, write-back */
    assert_int_equal(exit.width, 0);
    assert_true(exit.write);
    a64_esr_access(DABT(ISV | 0x80u | 0x40u | 0x07u), &exit); /* on the guest's own table walk */
    assert_int_equal(exit.width, 0);
    assert_false(exit.write);
    a64_esr_access(DABT(0x100u | 0x40u | 0x07u), &exit); /* a cache operation writes nothing */
    assert_false(exit.write);
    assert_false(a64_esr_has_ipa(DABT(0x0Fu))); /* permission fault */
    assert_true(a64_esr_has_ipa(DABT(0x8Fu)));  /* the same on a walk */
}

static void extension(void **state)
{
    (void)state;
    assert_int_equal(a64_load_extend(0xFFFFFF80u, 1, false, true), 0x80);
    assert_true(a64_load_extend(0x80u, 1, true, true) == 0xFFFFFFFFFFFFFF80ULL);
    assert_int_equal(a64_load_extend(0x80u, 1, true, false), 0xFFFFFF80);
    assert_true(a64_load_extend(0x8000u, 2, true, true) == 0xFFFFFFFFFFFF8000ULL);
    assert_int_equal(a64_load_extend(0x7FFFu, 2, true, true), 0x7FFF);
    assert_true(a64_load_extend(0x80000000u, 4, true, true) == 0xFFFFFFFF80000000ULL);
    assert_true(a64_load_extend(0x123456789ABCDEF0ULL, 8, true, true) == 0x123456789ABCDEF0ULL);
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
    assert_int_equal(a64_esr_ec(a64_abort_esr(store, el1h)), 0x25);
    assert_int_equal(a64_esr_ec(a64_abort_esr(store, el0)), 0x24);
    assert_int_equal(a64_abort_esr(store, el1h) & 0x3F, A64_DFSC_EXTERNAL);
    assert_true((a64_abort_esr(store, el1h) & 0x40u) != 0u);
    /* interrupts masked, EL1h, flags kept; PAN set unless SCTLR_EL1.SPAN */
    assert_int_equal(a64_exception_pstate(0x60000004u, A64_SCTLR_EL1_SPAN, true), 0x600003C5);
    assert_true((a64_exception_pstate(0x60000004u, 0, true) & A64_PSTATE_PAN) != 0u);
    assert_true((a64_exception_pstate(0x60000004u, 0, false) & A64_PSTATE_PAN) == 0u);
}

/* A Thumb IT block of three: each emulated instruction moves it on, the last one ends it. */
static void it_block(void **state)
{
    uint64_t pstate = 0x30; /* A32, Thumb */
    uint64_t it = 0x0C;     /* condition 0, three left: mask 1100 -> 1000 -> end */

    (void)state;
    pstate |= ((it >> 2) << 10) | ((it & 3u) << 25);
    pstate = a64_it_advance(pstate);
    assert_int_equal((bits_field(pstate, 15, 10) << 2) | bits_field(pstate, 26, 25), 0x18);
    pstate = a64_it_advance(pstate);
    assert_int_equal((bits_field(pstate, 15, 10) << 2) | bits_field(pstate, 26, 25), 0);
    assert_int_equal(pstate, 0x30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(word_store), cmocka_unit_test(not_described), cmocka_unit_test(extension),
        cmocka_unit_test(injected),   cmocka_unit_test(it_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
