/* The memory model's registers of a guest: Armv8-R's protection regions (DDI 0568 E2.2). The regions' own are
 * named by number, which needs no PRSELR and no barrier. */
#ifndef ARCH_ARM32_V8R_A32_MODEL_H
#define ARCH_ARM32_V8R_A32_MODEL_H

/* Regions 2 * n and 2 * n + 1, of a row of 16 */
#define A32_MODEL_TWO(X, even, odd, row, crm)                                                                \
    X(prbar##even, "p15, " row ", %0, c6, c" crm ", 0")                                                      \
    X(prlar##even, "p15, " row ", %0, c6, c" crm ", 1")                                                      \
    X(prbar##odd, "p15, " row ", %0, c6, c" crm ", 4")                                                       \
    X(prlar##odd, "p15, " row ", %0, c6, c" crm ", 5")

/* What each of these processors has: 16 regions; and what some have more: 4, or 8 (MPUIR) */
#define A32_MODEL_WORDS(X)                                                                                   \
    X(prselr, A32_PRSELR)                                                                                    \
    A32_MODEL_TWO(X, 0, 1, "0", "8")                                                                         \
    A32_MODEL_TWO(X, 2, 3, "0", "9")                                                                         \
    A32_MODEL_TWO(X, 4, 5, "0", "10")                                                                        \
    A32_MODEL_TWO(X, 6, 7, "0", "11")                                                                        \
    A32_MODEL_TWO(X, 8, 9, "0", "12")                                                                        \
    A32_MODEL_TWO(X, 10, 11, "0", "13")                                                                      \
    A32_MODEL_TWO(X, 12, 13, "0", "14")                                                                      \
    A32_MODEL_TWO(X, 14, 15, "0", "15")
#define A32_MODEL_TO_20(X)                                                                                   \
    A32_MODEL_TWO(X, 16, 17, "1", "8")                                                                       \
    A32_MODEL_TWO(X, 18, 19, "1", "9")
#define A32_MODEL_TO_24(X)                                                                                   \
    A32_MODEL_TWO(X, 20, 21, "1", "10")                                                                      \
    A32_MODEL_TWO(X, 22, 23, "1", "11")
#define A32_MODEL_SOME(X)                                                                                    \
    A32_MODEL_TO_20(X)                                                                                       \
    A32_MODEL_TO_24(X)

#define A32_MODEL_PAIRS(X)

#endif
