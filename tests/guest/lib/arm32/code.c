#include "code.h"

#define RETURN 0xE12FFF1Eu /* bx lr */

static uint32_t code[GUEST_CPUS_MAX][CODE_SLOTS * 2u] __attribute__((aligned(4096)));

void code_put(uint32_t slot, uint32_t instruction)
{
    code[cpu_number()][2u * slot] = instruction;
    code[cpu_number()][(2u * slot) + 1u] = RETURN;
}

void code_sync(void)
{
    const uintptr_t base = (uintptr_t)code[cpu_number()];

    /* lines have at least 16 bytes */
    for (uintptr_t at = base; at < (base + sizeof(code[0])); at += 16u) {
        __asm__ volatile("mcr p15, 0, %0, c7, c11, 1" : : "r"(at) : "memory"); /* DCCMVAU */
    }
    __asm__ volatile("dsb ish\n\tmcr p15, 0, %0, c7, c1, 0\n\tmcr p15, 0, %0, c7, c5, 6\n\tdsb ish\n\tisb"
                     :
                     : "r"(0u)
                     : "memory"); /* ICIALLUIS, BPIALL */
}

uint64_t code_run(uint32_t slot, uint64_t r0, uint64_t r1)
{
    uint32_t (*const function)(uint32_t a, uint32_t b) =
        (uint32_t (*)(uint32_t, uint32_t))(uintptr_t)&code[cpu_number()][2u * slot];

    return function((uint32_t)r0, (uint32_t)r1);
}
