#include "code.h"

#define RET 0xD65F03C0u

static uint32_t code[GUEST_CPUS_MAX][CODE_SLOTS * 2u] __attribute__((aligned(4096)));

void code_put(uint32_t slot, uint32_t instruction)
{
    code[cpu_number()][2u * slot] = instruction;
    code[cpu_number()][(2u * slot) + 1u] = RET;
}

void code_sync(void)
{
    const uintptr_t base = (uintptr_t)code[cpu_number()];

    /* lines have at least 16 bytes */
    for (uintptr_t at = base; at < (base + sizeof(code[0])); at += 16u) {
        __asm__ volatile("dc cvau, %0" : : "r"(at) : "memory");
    }
    __asm__ volatile("dsb ish" : : : "memory");
    for (uintptr_t at = base; at < (base + sizeof(code[0])); at += 16u) {
        __asm__ volatile("ic ivau, %0" : : "r"(at) : "memory");
    }
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

uint64_t code_run(uint32_t slot, uint64_t x0, uint64_t x1)
{
    uint64_t (*const function)(uint64_t a, uint64_t b) =
        (uint64_t (*)(uint64_t, uint64_t))(uintptr_t)&code[cpu_number()][2u * slot];

    return function(x0, x1);
}
