/* The memory model's registers of a guest: Armv8-R's protection regions. */
#ifndef ARCH_ARM32_V8R_A32_MODEL_H
#define ARCH_ARM32_V8R_A32_MODEL_H

#define A32_MODEL_WORDS(X) X(prselr, A32_PRSELR)
#define A32_MODEL_PAIRS(X)

#endif
