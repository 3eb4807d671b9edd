/* What C cannot say: FP registers (the C code is compiled without them) and firmware calls. */
    .fpu    neon
    .text

#define FPEXC_EN  0x40000000
#define FP_FPSCR  256 /* behind d0-d31, then FPEXC */

/* r0: struct a32_fp; d16-d31 exist if MVFR0 says so */
.macro FP_REGISTERS op
    vmrs    r2, mvfr0
    \op     r0!, {d0-d15}
    and     r2, r2, #15
    cmp     r2, #2
    \op\()eq r0, {d16-d31}
.endm

/* void a32_fp_save(struct a32_fp *) */
    .global a32_fp_save
a32_fp_save:
    vmrs    r1, fpexc
    orr     r2, r1, #FPEXC_EN
    vmsr    fpexc, r2
    vmrs    r2, fpscr
    str     r2, [r0, #FP_FPSCR]
    str     r1, [r0, #FP_FPSCR + 4]
    FP_REGISTERS vstmia
    bx      lr

/* void a32_fp_load(const struct a32_fp *) */
    .global a32_fp_load
a32_fp_load:
    mov     r1, #FPEXC_EN
    vmsr    fpexc, r1
    ldr     r1, [r0, #FP_FPSCR]
    vmsr    fpscr, r1
    ldr     r1, [r0, #FP_FPSCR + 4]
    FP_REGISTERS vldmia
    vmsr    fpexc, r1
    bx      lr

/* uint32_t a32_mvfr(uint32_t n): MVFR0 or, if n is 1, MVFR1 */
    .global a32_mvfr
a32_mvfr:
    cmp     r0, #1
    vmrseq  r0, mvfr1
    vmrsne  r0, mvfr0
    bx      lr

/* uint64_t arm_smccc(enum arm_conduit, uint64_t f, uint64_t a1, uint64_t a2, uint64_t a3): SMC only; an HVC
 * here would come back to ourselves. The low words of f to a3 are at r2, [sp], [sp, #8], [sp, #16]. Not
 * supported is -1. */
    .arch_extension sec
    .global arm_smccc
arm_smccc:
    cmp     r0, #1 /* ARM_CONDUIT_SMC */
    bne     1f
    push    {r4-r7}
    mov     r0, r2
    ldr     r1, [sp, #16]
    ldr     r2, [sp, #24]
    ldr     r3, [sp, #32]
    mov     r4, #0
    mov     r5, #0
    mov     r6, #0
    mov     r7, #0
    smc     #0
    pop     {r4-r7}
    mov     r1, #0
    bx      lr
1:  mvn     r0, #0
    mov     r1, #0
    bx      lr
