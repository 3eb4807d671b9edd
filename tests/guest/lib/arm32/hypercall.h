/* Xen's convention: the number in r12, the result in r0. */
#ifndef GUEST_HYPERCALL_H
#define GUEST_HYPERCALL_H

#include <stdint.h>

static inline uint64_t hypercall(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    register uint32_t r0 __asm__("r0") = (uint32_t)a;
    register uint32_t r1 __asm__("r1") = (uint32_t)b;
    register uint32_t r2 __asm__("r2") = (uint32_t)c;
    register uint32_t r12 __asm__("r12") = (uint32_t)number;

    __asm__ volatile(".arch_extension virt\n\thvc #0xEA1"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r12)
                     :
                     : "r3", "r4", "memory");
    return (uint64_t)(int64_t)(int32_t)r0;
}

#endif
