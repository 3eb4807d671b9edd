/* What compilers for AArch32 call by themselves (Arm's run-time ABI, RTABI32): 64-bit division and shifts,
 * and the memory functions under names of its own. */
    .syntax unified
    .arm

.macro FUNCTION name
    .section .text.\name, "ax"
    .global \name
    .type   \name, %function
\name:
.endm

/* \low:\high becomes its negative where \sign is -1 */
.macro NEGATE_IF sign, low, high
    eor     \low, \low, \sign
    eor     \high, \high, \sign
    subs    \low, \low, \sign
    sbc     \high, \high, \sign
.endm

/* r1:r0 by r3:r2; the quotient in r1:r0, the remainder in r3:r2. One step a bit of the quotient, 64 at most.
 * A divisor of 0 gives some quotient. */
FUNCTION __aeabi_uldivmod
    orrs    r12, r1, r3
    bne     1f
    udiv    r12, r0, r2
    mls     r2, r12, r2, r0
    mov     r0, r12
    bx      lr
1:
    push    {r4-r8, lr}
    clz     r4, r3
    cmp     r3, #0
    clzeq   r5, r2
    addeq   r4, r5, #32
    clz     r5, r1
    cmp     r1, #0
    clzeq   r6, r0
    addeq   r5, r6, #32
    subs    r12, r4, r5 /* so far left goes the divisor */
    mov     r4, #0
    mov     r5, #0
    bmi     3f
    rsb     r6, r12, #32 /* a shift by 32 to 255 gives 0, and of a negative amount the low byte counts */
    sub     r7, r12, #32
    lsl     r3, r3, r12
    orr     r3, r3, r2, lsr r6
    orr     r3, r3, r2, lsl r7
    lsl     r2, r2, r12
2:
    adds    r4, r4, r4
    adc     r5, r5, r5
    subs    r7, r0, r2
    sbcs    r8, r1, r3
    movcs   r0, r7
    movcs   r1, r8
    orrcs   r4, r4, #1
    lsrs    r3, r3, #1
    rrx     r2, r2
    subs    r12, r12, #1
    bpl     2b
3:
    mov     r2, r0
    mov     r3, r1
    mov     r0, r4
    mov     r1, r5
    pop     {r4-r8, pc}

/* The same with signs: the remainder has the dividend's. */
FUNCTION __aeabi_ldivmod
    push    {r4-r6, lr}
    asr     r4, r1, #31
    asr     r6, r3, #31
    eor     r5, r4, r6
    NEGATE_IF r4, r0, r1
    NEGATE_IF r6, r2, r3
    bl      __aeabi_uldivmod
    NEGATE_IF r5, r0, r1
    NEGATE_IF r4, r2, r3
    pop     {r4-r6, pc}

/* r1:r0 shifted by r2, which is below 64 */
FUNCTION __aeabi_llsl
    sub     r3, r2, #32
    rsb     r12, r2, #32
    lsl     r1, r1, r2
    orr     r1, r1, r0, lsl r3
    orr     r1, r1, r0, lsr r12
    lsl     r0, r0, r2
    bx      lr
FUNCTION __aeabi_llsr
    sub     r3, r2, #32
    rsb     r12, r2, #32
    lsr     r0, r0, r2
    orr     r0, r0, r1, lsr r3
    orr     r0, r0, r1, lsl r12
    lsr     r1, r1, r2
    bx      lr

FUNCTION __aeabi_memcpy
    b       memcpy
FUNCTION __aeabi_memmove
    b       memmove
FUNCTION __aeabi_memclr
    mov     r2, #0
    b       __aeabi_memset
/* Where, how much, with what: not the order of memset(). */
FUNCTION __aeabi_memset
    mov     r12, r1
    mov     r1, r2
    mov     r2, r12
    b       memset

    .irp    name, memcpy, memmove, memclr, memset
    .irp    unit, 4, 8
    .global __aeabi_\name\unit
    .set    __aeabi_\name\unit, __aeabi_\name
    .endr
    .endr

/* How many zeros are below r1:r0's lowest one */
FUNCTION __ctzdi2
    cmp     r0, #0
    rbitne  r0, r0
    rbiteq  r0, r1
    clz     r0, r0
    addeq   r0, r0, #32
    bx      lr
