/* What an A64 instruction is, as far as its price differs. */
#ifndef KINDS_H
#define KINDS_H
#include <stdint.h>

enum {
    C_ALU,
    C_LDST,
    C_EXCL,
    C_BR,
    C_MRS,
    C_MSR,
    C_GICMRS,
    C_GICMSR,
    C_ISB,
    C_DSB,
    C_DMB,
    C_TLBI,
    C_CACHE,
    C_AT,
    C_ERET,
    C_HINT,
    C_WFI,
    C_FP,
    NR_KINDS
};

extern const char *const kind_name[NR_KINDS];

int kind_of(uint32_t op);
/* ... in A32. */
int kind_of_arm(uint32_t op);
#endif
