/* A guest that jumps to where nothing is, with exception vectors where nothing is: each exception that
 * answers would be refused as the jump was. */
#include "guest.h"

#define NOWHERE         0x18000000u
#define VECTORS_NOWHERE 0x10000000u

void guest_main(void)
{
    print("LOST goes\n");
    /* without the MMU, whose faults would be the guest's own */
    __asm__ volatile("mrs x2, sctlr_el1\n\t"
                     "bic x2, x2, #1\n\t"
                     "dsb sy\n\t"
                     "msr sctlr_el1, x2\n\t"
                     "msr vbar_el1, %0\n\t"
                     "isb\n\t"
                     "br %1"
                     :
                     : "r"((uint64_t)VECTORS_NOWHERE), "r"((uint64_t)NOWHERE)
                     : "x2", "memory");
    __builtin_unreachable();
}
