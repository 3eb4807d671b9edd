/* A guest's registers that only Armv7-A has: its MMU's, ThumbEE's. */
#ifndef ARCH_ARM32_V7A_A32_MODEL_H
#define ARCH_ARM32_V7A_A32_MODEL_H

#define A32_MODEL_WORDS(X)                                                                                   \
    X(ttbcr, A32_TTBCR)                                                                                      \
    X(dacr, A32_DACR)                                                                                        \
    X(teecr, A32_TEECR)                                                                                      \
    X(teehbr, A32_TEEHBR)

#define A32_MODEL_SOME(X)

#define A32_MODEL_PAIRS(X)                                                                                   \
    X(ttbr0, A32_TTBR0)                                                                                      \
    X(ttbr1, A32_TTBR1)

#endif
