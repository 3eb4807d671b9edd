/* Loads and stores with write-back, as the assembler encodes them. [test->req~indexed-access~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "a64_insn.h"

struct sample {
    uint32_t insn;
    bool write;
    uint32_t base; /* A64_INSN_NO_BASE: not one of them */
    uint64_t step;
    uint8_t width;
    uint8_t reg;
    bool sign_extend;
    bool wide;
};

static const struct sample samples[] = {
    { 0xB8004401u, true, 0, 4, 4, 1, false, false },              /* str w1, [x0], #4 */
    { 0xB8404401u, false, 0, 4, 4, 1, false, false },             /* ldr w1, [x0], #4 */
    { 0xB81FCC01u, true, 0, (uint64_t)-4, 4, 1, false, false },   /* str w1, [x0, #-4]! */
    { 0xF80085E3u, true, 15, 8, 8, 3, false, true },              /* str x3, [x15], #8 */
    { 0x3800141Fu, true, 0, 1, 1, 31, false, false },             /* strb wzr, [x0], #1 */
    { 0x38D00443u, false, 2, (uint64_t)-256, 1, 3, true, false }, /* ldrsb w3, [x2], #-256 */
    { 0x788FFC43u, false, 2, 255, 2, 3, true, true },             /* ldrsh x3, [x2, #255]! */
    { 0xB8804443u, false, 2, 4, 4, 3, true, true },               /* ldrsw x3, [x2], #4 */
    { 0xB8004401u, false, 31, 0, 0, 0, false, false },            /* a store, but the abort was a load's */
    { 0xB8404401u, true, 31, 0, 0, 0, false, false },             /* and the other way round */
    { 0xB80047E1u, true, 31, 0, 0, 0, false, false },             /* str w1, [sp], #4 */
    { 0xB8004400u, true, 31, 0, 0, 0, false, false },             /* str w0, [x0], #4: unpredictable */
    { 0xB8004001u, true, 31, 0, 0, 0, false, false },             /* stur w1, [x0, #4]: the syndrome has it */
    { 0xB8004801u, true, 31, 0, 0, 0, false, false },             /* sttr w1, [x0, #4] */
    { 0xB9000401u, true, 31, 0, 0, 0, false, false },             /* str w1, [x0, #4] */
    { 0xBC004401u, true, 31, 0, 0, 0, false, false },             /* str s1, [x0], #4 */
    { 0xB8C04401u, false, 31, 0, 0, 0, false, false }, /* unallocated: a word sign-extended to 32 bits */
    { 0xF8804401u, false, 31, 0, 0, 0, false, false }, /* unallocated */
    { 0x28810801u, true, 31, 0, 0, 0, false, false },  /* stp w1, w2, [x0], #8 */
    { 0xF8200001u, false, 31, 0, 0, 0, false, false }, /* ldadd x0, x1, [x0] */
    { 0u, false, 31, 0, 0, 0, false, false },
};

static void encodings(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        const struct sample *s = &samples[i];
        struct hal_exit exit = { .kind = HAL_EXIT_MEM_FAULT, .write = s->write };
        uint64_t step = 0;

        assert_int_equal(a64_insn_indexed(s->insn, &exit, &step), s->base);
        assert_int_equal(exit.width, s->width);
        assert_int_equal(exit.reg, s->reg);
        assert_true(step == s->step);
        assert_int_equal(exit.sign_extend, s->sign_extend);
        assert_int_equal(exit.write, s->write);
        if (!s->write && (s->base != A64_INSN_NO_BASE)) {
            assert_int_equal(exit.wide, s->wide);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(encodings) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
