/* Loads and stores that no syndrome describes, as the assembler encodes them. [test->req~indexed-access~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "a32_insn.h"

#define NONE A32_INSN_NO_BASE

struct sample {
    uint32_t insn;
    bool write;
    uint32_t base;
    int32_t step;
    uint8_t width; /* 0: not one of them */
    uint8_t reg;
    bool sign_extend;
};

static const struct sample arm[] = {
    { 0xe4801004u, true, 0, 4, 4, 1, false },                    /* str r1, [r0], #4 */
    { 0xe4901004u, false, 0, 4, 4, 1, false },                   /* ldr r1, [r0], #4 */
    { 0xe5201004u, true, 0, -4, 4, 1, false },                   /* str r1, [r0, #-4]! */
    { 0xe45230ffu, false, 2, -255, 1, 3, false },                /* ldrb r3, [r2], #-255 */
    { 0xe0c010b2u, true, 0, 2, 2, 1, false },                    /* strh r1, [r0], #2 */
    { 0xe1f010f2u, false, 0, 2, 2, 1, true },                    /* ldrsh r1, [r0, #2]! */
    { 0xe05010d1u, false, 0, -1, 1, 1, true },                   /* ldrsb r1, [r0], #-1 */
    { 0xe1c420d0u, false, NONE, 0, 8, A32_PAIR(2, 3), false },   /* ldrd r2, r3, [r4] */
    { 0xe1c420d8u, false, NONE, 8, 8, A32_PAIR(2, 3), false },   /* ldrd r2, r3, [r4, #8] */
    { 0xe0c420f8u, true, 4, 8, 8, A32_PAIR(2, 3), false },       /* strd r2, r3, [r4], #8 */
    { 0xe18420d5u, false, NONE, 5, 8, A32_PAIR(2, 3), false },   /* ldrd r2, r3, [r4, r5] */
    { 0xe16421f0u, true, 4, -16, 8, A32_PAIR(2, 3), false },     /* strd r2, r3, [r4, #-16]! */
    { 0xe1c4c0d0u, false, NONE, 0, 8, A32_PAIR(12, 13), false }, /* ldrd r12, sp, [r4] */
    { 0xe16441f0u, true, NONE, 0, 0, 0, false },                 /* strd r4, r5, [r4, #-16]!: unpredictable */
    { 0xe1c430d0u, false, NONE, 0, 0, 0, false },                /* ldrd r3, r4, [r4]: odd, unpredictable */
    { 0xe1c4e0d0u, false, NONE, 0, 0, 0, false },                /* ldrd lr, pc, [r4] */
    { 0xe0c760d8u, false, NONE, 0, 0, 0, false },                /* ldrd r6, r7, [r7], #8 */
    { 0xe08420d5u, false, NONE, 0, 0, 0, false },                /* ldrd r2, r3, [r4], r5 */
    { 0xe4800004u, true, NONE, 0, 0, 0, false },                 /* str r0, [r0], #4 */
    { 0xe4801004u, false, NONE, 0, 0, 0, false },                /* a store, but the abort was a load's */
    { 0xe48d1004u, true, NONE, 0, 0, 0, false },                 /* str r1, [sp], #4 */
    { 0xe490f004u, false, NONE, 0, 0, 0, false },                /* ldr pc, [r0], #4 */
    { 0xe6801002u, true, NONE, 0, 0, 0, false },                 /* str r1, [r0], r2 */
    { 0xe08010b2u, true, NONE, 0, 0, 0, false },                 /* strh r1, [r0], r2 */
    { 0xe8900006u, false, NONE, 0, 0, 0, false },                /* ldm r0, {r1, r2} */
    { 0xe1901f9fu, false, NONE, 0, 0, 0, false },                /* ldrex r1, [r0] */
    { 0xf4d0f004u, false, NONE, 0, 0, 0, false },                /* pli [r0, #4] */
    { 0xe0010392u, true, NONE, 0, 0, 0, false },                 /* mul r1, r2, r3 */
    { 0xed900a00u, false, NONE, 0, 0, 0, false },                /* vldr s0, [r0] */
    { 0u, false, NONE, 0, 0, 0, false },
};

static const struct sample thumb[] = {
    { 0xf8401b04u, true, 0, 4, 4, 1, false },                   /* str r1, [r0], #4 */
    { 0xf8501b04u, false, 0, 4, 4, 1, false },                  /* ldr r1, [r0], #4 */
    { 0xf8401d04u, true, 0, -4, 4, 1, false },                  /* str r1, [r0, #-4]! */
    { 0xf81239ffu, false, 2, -255, 1, 3, false },               /* ldrb r3, [r2], #-255 */
    { 0xf8201b02u, true, 0, 2, 2, 1, false },                   /* strh r1, [r0], #2 */
    { 0xf9301f02u, false, 0, 2, 2, 1, true },                   /* ldrsh r1, [r0, #2]! */
    { 0xf9101901u, false, 0, -1, 1, 1, true },                  /* ldrsb r1, [r0], #-1 */
    { 0xf8501c04u, false, NONE, -4, 4, 1, false },              /* ldr r1, [r0, #-4] */
    { 0xf8501e04u, false, NONE, 4, 4, 1, false },               /* ldrt r1, [r0, #4] */
    { 0xe9d42700u, false, NONE, 0, 8, A32_PAIR(2, 7), false },  /* ldrd r2, r7, [r4] */
    { 0xe9542302u, false, NONE, -8, 8, A32_PAIR(2, 3), false }, /* ldrd r2, r3, [r4, #-8] */
    { 0xe8e42602u, true, 4, 8, 8, A32_PAIR(2, 6), false },      /* strd r2, r6, [r4], #8 */
    { 0xe9e426ffu, true, 4, 1020, 8, A32_PAIR(2, 6), false },   /* strd r2, r6, [r4, #1020]! */
    { 0xe9c42200u, true, NONE, 0, 8, A32_PAIR(2, 2), false },   /* strd r2, r2, [r4] */
    { 0xe9d42200u, false, NONE, 0, 0, 0, false },               /* ldrd r2, r2, [r4]: unpredictable */
    { 0xe8f44602u, false, NONE, 0, 0, 0, false },               /* ldrd r4, r6, [r4], #8 */
    { 0xe8f42402u, false, NONE, 0, 0, 0, false },               /* ldrd r2, r4, [r4], #8 */
    { 0xe9d42f00u, false, NONE, 0, 0, 0, false },               /* ldrd r2, pc, [r4] */
    { 0xe8501f00u, false, NONE, 0, 0, 0, false },               /* ldrex r1, [r0] */
    { 0xe8d0127fu, false, NONE, 0, 0, 0, false },               /* ldrexd r1, r2, [r0] */
    { 0xe8d0f001u, false, NONE, 0, 0, 0, false },               /* tbb [r0, r1] */
    { 0xe8900006u, false, NONE, 0, 0, 0, false },               /* ldm.w r0, {r1, r2} */
    { 0xf8c01004u, true, NONE, 0, 0, 0, false },                /* str.w r1, [r0, #4]: the syndrome has it */
    { 0xf8401002u, true, NONE, 0, 0, 0, false },                /* str.w r1, [r0, r2]: likewise */
    { 0xf8501804u, false, NONE, 0, 0, 0, false },               /* undefined: neither P nor W */
    { 0xf9501b04u, false, NONE, 0, 0, 0, false },               /* no signed words */
    { 0xf8701b04u, false, NONE, 0, 0, 0, false },               /* no size 3 */
    { 0xed900b00u, false, NONE, 0, 0, 0, false },               /* vldr d0, [r0] */
    { 0u, false, NONE, 0, 0, 0, false },
};

static void check(const struct sample *s, bool is_thumb)
{
    struct hal_exit exit = { .kind = HAL_EXIT_MEM_FAULT, .write = s->write };
    uint32_t step = 0u;
    const uint32_t base = a32_insn_describe(s->insn, is_thumb, &exit, &step);

    assert_int_equal(exit.width, s->width);
    assert_int_equal(exit.write, s->write);
    assert_int_equal(base, s->base);
    if (s->width != 0u) {
        assert_int_equal(exit.reg, s->reg);
        assert_int_equal((int32_t)step, s->step);
        assert_int_equal(exit.sign_extend, s->sign_extend);
    }
}

static void encodings(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof(arm) / sizeof(arm[0]); i++) {
        check(&arm[i], false);
    }
    for (uint32_t i = 0; i < sizeof(thumb) / sizeof(thumb[0]); i++) {
        check(&thumb[i], true);
    }
}

static void pairs(void **state)
{
    (void)state;
    assert_int_equal(A32_PAIR_LOW(A32_PAIR(2, 13)), 2);
    assert_int_equal(A32_PAIR_HIGH(A32_PAIR(2, 13)), 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(encodings), cmocka_unit_test(pairs) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
