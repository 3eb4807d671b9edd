#include "guard.h"

#define WORDS 64u

static uint64_t pattern[WORDS] __attribute__((aligned(16)));
static uint64_t found[WORDS] __attribute__((aligned(16)));

#define FOUR(insn, a, b, c, d) insn " {v" #a ".2d-v" #d ".2d}, [%0], #64\n\t"

void guard_vectors_fill(void)
{
    const uint64_t *at = pattern;

    for (uint32_t i = 0u; i < WORDS; i++) {
        pattern[i] = 0x0123456789ABCDEFu * (i + 1u);
    }
    __asm__ volatile(FOUR("ld1", 0, 1, 2, 3) FOUR("ld1", 4, 5, 6, 7) FOUR("ld1", 8, 9, 10, 11)
                         FOUR("ld1", 12, 13, 14, 15) FOUR("ld1", 16, 17, 18, 19) FOUR("ld1", 20, 21, 22, 23)
                             FOUR("ld1", 24, 25, 26, 27) FOUR("ld1", 28, 29, 30, 31)
                     : "+r"(at)
                     :
                     : "memory");
}

bool guard_vectors_same(void)
{
    uint64_t *at = found;
    bool same = true;

    __asm__ volatile(FOUR("st1", 0, 1, 2, 3) FOUR("st1", 4, 5, 6, 7) FOUR("st1", 8, 9, 10, 11)
                         FOUR("st1", 12, 13, 14, 15) FOUR("st1", 16, 17, 18, 19) FOUR("st1", 20, 21, 22, 23)
                             FOUR("st1", 24, 25, 26, 27) FOUR("st1", 28, 29, 30, 31)
                     : "+r"(at)
                     :
                     : "memory");
    for (uint32_t i = 0u; i < WORDS; i++) {
        same = same && (((volatile uint64_t *)found)[i] == ((volatile uint64_t *)pattern)[i]);
    }
    return same;
}
