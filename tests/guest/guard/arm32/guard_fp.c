#include "guard.h"

#define WORDS 32u

static uint64_t pattern[WORDS] __attribute__((aligned(16)));
static uint64_t found[WORDS] __attribute__((aligned(16)));

void guard_vectors_fill(void)
{
    const uint64_t *at = pattern;

    for (uint32_t i = 0u; i < WORDS; i++) {
        pattern[i] = 0x0123456789ABCDEFu * (i + 1u);
    }
    __asm__ volatile("vldmia %0!, {d0-d15}\n\tvldmia %0!, {d16-d31}" : "+r"(at) : : "memory");
}

bool guard_vectors_same(void)
{
    uint64_t *at = found;
    bool same = true;

    __asm__ volatile("vstmia %0!, {d0-d15}\n\tvstmia %0!, {d16-d31}" : "+r"(at) : : "memory");
    for (uint32_t i = 0u; i < WORDS; i++) {
        same = same && (((volatile uint64_t *)found)[i] == ((volatile uint64_t *)pattern)[i]);
    }
    return same;
}
