/* For assembly of the AArch32 ports. */
#ifndef ARCH_ARM32_A32_ASM_H
#define ARCH_ARM32_A32_ASM_H

#ifdef __ASSEMBLY__

/* The address of a symbol where the code runs now */
/* clang-format off */
.macro ADDRESS reg, symbol
    movw    \reg, #:lower16:\symbol - .Lhere\@
    movt    \reg, #:upper16:\symbol - .Lhere\@
    .set    .Lhere\@, . + 8
    add     \reg, \reg, pc
.endm
/* clang-format on */

#endif

#endif
