/* What C cannot say: FP registers (the C code is compiled without them), CRCs and firmware calls. */
#include "a64_offsets.h"

    .arch armv8-a+fp+simd+crc
    .text

.macro FP_PAIRS op
    \op     q0, q1, [x0, #0]
    \op     q2, q3, [x0, #32]
    \op     q4, q5, [x0, #64]
    \op     q6, q7, [x0, #96]
    \op     q8, q9, [x0, #128]
    \op     q10, q11, [x0, #160]
    \op     q12, q13, [x0, #192]
    \op     q14, q15, [x0, #224]
    \op     q16, q17, [x0, #256]
    \op     q18, q19, [x0, #288]
    \op     q20, q21, [x0, #320]
    \op     q22, q23, [x0, #352]
    \op     q24, q25, [x0, #384]
    \op     q26, q27, [x0, #416]
    \op     q28, q29, [x0, #448]
    \op     q30, q31, [x0, #480]
.endm

/* void a64_fp_save(struct hal_fp *) */
    .global a64_fp_save
a64_fp_save:
    FP_PAIRS stp
    mrs     x1, fpcr
    mrs     x2, fpsr
    str     x1, [x0, #FP_FPCR]
    str     x2, [x0, #FP_FPCR + 8]
    ret

/* void a64_fp_load(const struct hal_fp *) */
    .global a64_fp_load
a64_fp_load:
    FP_PAIRS ldp
    ldr     x1, [x0, #FP_FPCR]
    ldr     x2, [x0, #FP_FPCR + 8]
    msr     fpcr, x1
    msr     fpsr, x2
    ret

/* void a64_copy_lines(void *dst, const void *src, uint64_t bytes): dst a multiple of 64, bytes one of 256
 * and not 0. Each line is cleaned while it is at hand. */
    .global a64_copy_lines
a64_copy_lines:
    .rept   4
    ldp     q0, q1, [x1], #64
    ldp     q2, q3, [x1, #-32]
    stp     q0, q1, [x0]
    stp     q2, q3, [x0, #32]
    dc      cvac, x0
    add     x0, x0, #64
    .endr
    subs    x2, x2, #256
    b.ne    a64_copy_lines
    ret

/* uint32_t a64_crc32c(uint32_t crc, const void *data, uint64_t bytes): bytes a multiple of 64 and not 0.
 * Nothing is inverted. */
    .global a64_crc32c
a64_crc32c:
    .rept   4
    ldp     x3, x4, [x1], #16
    crc32cx w0, w0, x3
    crc32cx w0, w0, x4
    .endr
    subs    x2, x2, #64
    b.ne    a64_crc32c
    ret

/* uint64_t arm_smccc(enum arm_conduit, f, a1, a2, a3): SMC only; an HVC here would come back to ourselves.
 * SMCCC 1.2 2.6: x18 to x30 survive. Not supported is -1. */
    .global arm_smccc
arm_smccc:
    cmp     w0, #1 /* ARM_CONDUIT_SMC */
    b.ne    1f
    mov     x0, x1
    mov     x1, x2
    mov     x2, x3
    mov     x3, x4
    mov     x4, #0
    mov     x5, #0
    mov     x6, #0
    mov     x7, #0
    smc     #0
    ret
1:  mov     x0, #-1
    ret
