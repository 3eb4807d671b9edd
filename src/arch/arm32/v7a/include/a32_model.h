/* The memory model's registers of a guest: Armv7-A's MMU. */
#ifndef ARCH_ARM32_V7A_A32_MODEL_H
#define ARCH_ARM32_V7A_A32_MODEL_H

#define A32_MODEL_WORDS(X)                                                                                   \
    X(ttbcr, A32_TTBCR)                                                                                      \
    X(dacr, A32_DACR)

#define A32_MODEL_SOME(X)

#define A32_MODEL_PAIRS(X)                                                                                   \
    X(ttbr0, A32_TTBR0)                                                                                      \
    X(ttbr1, A32_TTBR1)

#endif
