/* The part of the fp kernel that is compiled for floating point. */
#include "book.h"

void fp_numbers(void);

void fp_numbers(void)
{
    double x = 2.0;

    for (uint32_t i = 0u; i < 6u; i++) { /* Newton's square root of 2 */
        x = (x + (2.0 / x)) / 2.0;
    }
    MUST_BE((uint64_t)(x * 1000000000.0), 1414213562u);
    WRITE_SYS(fpsr, 0u);
    __asm__ volatile("fdiv d0, %d0, %d1" : : "w"(1.0), "w"(0.0) : "d0");
    MUST_BE(READ_SYS(fpsr) & 0x1Fu, 2u); /* DZC */
    WRITE_SYS(fpcr, 3u << 22u);          /* towards zero */
    __asm__ volatile("fdiv %d0, %d1, %d2" : "=w"(x) : "w"(2.0), "w"(3.0));
    MUST_BE(READ_SYS(fpcr), 3u << 22u);
    union {
        double d;
        uint64_t u;
    } bits = { x };
    MUST_BE(bits.u, 0x3FE5555555555555u);
    WRITE_SYS(fpcr, 0u);
}
