/* The assembler half of a small real-time kernel, as such kernels ship it for this architecture: caches by
 * set and way at the start, the MMU, and a switch of tasks on the way out of an exception. Tasks run at EL1
 * with SP_EL0 for a stack of their own, the kernel runs with SP_EL1; one task runs at EL0. */

/* void rtos_caches(void): cleans and invalidates every level of data and unified cache by set and way. */
    .text
    .global rtos_caches
rtos_caches:
    mrs     x0, clidr_el1
    mov     x3, #0                      /* level * 2 */
1:  add     x2, x3, x3, lsr #1          /* level * 3 */
    lsr     x1, x0, x2
    and     x1, x1, #7
    cmp     x1, #2
    b.lt    4f                          /* no data cache here */
    msr     csselr_el1, x3
    isb
    mrs     x1, ccsidr_el1
    and     x2, x1, #7
    add     x2, x2, #4                  /* log2 of the line */
    ubfx    x4, x1, #3, #10             /* ways - 1 */
    clz     w5, w4
    ubfx    x7, x1, #13, #15            /* sets - 1 */
2:  mov     x9, x4
3:  lsl     x6, x9, x5
    orr     x11, x3, x6
    lsl     x6, x7, x2
    orr     x11, x11, x6
    dc      cisw, x11
    subs    x9, x9, #1
    b.ge    3b
    subs    x7, x7, #1
    b.ge    2b
4:  add     x3, x3, #2
    cmp     x3, #14
    b.lt    1b
    msr     csselr_el1, xzr
    dsb     sy
    ic      iallu
    dsb     sy
    isb
    ret

/* void rtos_mmu(uint64_t table, uint64_t mair, uint64_t tcr) */
    .global rtos_mmu
rtos_mmu:
    msr     mair_el1, x1
    msr     tcr_el1, x2
    msr     ttbr0_el1, x0
    isb
    tlbi    vmalle1
    dsb     nsh
    ic      iallu
    dsb     nsh
    isb
    mrs     x0, sctlr_el1
    ldr     x1, =0x1005
    orr     x0, x0, x1
    msr     sctlr_el1, x0
    isb
    ret

/* A task's saved state lies on its kernel stack: 32 SIMD registers, FPCR and FPSR, where it was and how, x0
 * and SP_EL0, x1 to x30. */
    .macro save
    stp     x29, x30, [sp, #-16]!
    stp     x27, x28, [sp, #-16]!
    stp     x25, x26, [sp, #-16]!
    stp     x23, x24, [sp, #-16]!
    stp     x21, x22, [sp, #-16]!
    stp     x19, x20, [sp, #-16]!
    stp     x17, x18, [sp, #-16]!
    stp     x15, x16, [sp, #-16]!
    stp     x13, x14, [sp, #-16]!
    stp     x11, x12, [sp, #-16]!
    stp     x9, x10, [sp, #-16]!
    stp     x7, x8, [sp, #-16]!
    stp     x5, x6, [sp, #-16]!
    stp     x3, x4, [sp, #-16]!
    stp     x1, x2, [sp, #-16]!
    mrs     x1, sp_el0
    stp     x0, x1, [sp, #-16]!
    mrs     x1, elr_el1
    mrs     x2, spsr_el1
    stp     x1, x2, [sp, #-16]!
    mrs     x1, fpcr
    mrs     x2, fpsr
    stp     x1, x2, [sp, #-16]!
    sub     sp, sp, #512
    stp     q0, q1, [sp]
    stp     q2, q3, [sp, #32]
    stp     q4, q5, [sp, #64]
    stp     q6, q7, [sp, #96]
    stp     q8, q9, [sp, #128]
    stp     q10, q11, [sp, #160]
    stp     q12, q13, [sp, #192]
    stp     q14, q15, [sp, #224]
    stp     q16, q17, [sp, #256]
    stp     q18, q19, [sp, #288]
    stp     q20, q21, [sp, #320]
    stp     q22, q23, [sp, #352]
    stp     q24, q25, [sp, #384]
    stp     q26, q27, [sp, #416]
    stp     q28, q29, [sp, #448]
    stp     q30, q31, [sp, #480]
    .endm

    .macro switch kind
    .balign 128
    b       \kind
    .endm

    .balign 2048
    .global rtos_vectors
rtos_vectors:
    switch  rtos_sync                   /* EL1 with SP_EL0: tasks */
    switch  rtos_interrupt
    switch  rtos_bad
    switch  rtos_bad
    switch  rtos_bad                    /* EL1 with SP_EL1: the kernel itself */
    switch  rtos_bad
    switch  rtos_bad
    switch  rtos_bad
    switch  rtos_sync                   /* EL0 */
    switch  rtos_interrupt
    switch  rtos_bad
    switch  rtos_bad
    switch  rtos_bad
    switch  rtos_bad
    switch  rtos_bad
    switch  rtos_bad

rtos_sync:
    save
    mov     x0, sp
    mrs     x1, esr_el1
    bl      rtos_on_sync
    b       rtos_leave
rtos_interrupt:
    save
    mov     x0, sp
    bl      rtos_on_irq
    b       rtos_leave
rtos_bad:
    mrs     x0, esr_el1
    mrs     x1, elr_el1
    bl      rtos_on_bad

/* void rtos_leave(void *state): into the task whose state lies there. */
    .global rtos_leave
rtos_leave:
    mov     sp, x0
    ldp     q0, q1, [sp]
    ldp     q2, q3, [sp, #32]
    ldp     q4, q5, [sp, #64]
    ldp     q6, q7, [sp, #96]
    ldp     q8, q9, [sp, #128]
    ldp     q10, q11, [sp, #160]
    ldp     q12, q13, [sp, #192]
    ldp     q14, q15, [sp, #224]
    ldp     q16, q17, [sp, #256]
    ldp     q18, q19, [sp, #288]
    ldp     q20, q21, [sp, #320]
    ldp     q22, q23, [sp, #352]
    ldp     q24, q25, [sp, #384]
    ldp     q26, q27, [sp, #416]
    ldp     q28, q29, [sp, #448]
    ldp     q30, q31, [sp, #480]
    add     sp, sp, #512
    ldp     x1, x2, [sp], #16
    msr     fpcr, x1
    msr     fpsr, x2
    ldp     x1, x2, [sp], #16
    msr     elr_el1, x1
    msr     spsr_el1, x2
    ldp     x0, x1, [sp], #16
    msr     sp_el0, x1
    ldp     x1, x2, [sp], #16
    ldp     x3, x4, [sp], #16
    ldp     x5, x6, [sp], #16
    ldp     x7, x8, [sp], #16
    ldp     x9, x10, [sp], #16
    ldp     x11, x12, [sp], #16
    ldp     x13, x14, [sp], #16
    ldp     x15, x16, [sp], #16
    ldp     x17, x18, [sp], #16
    ldp     x19, x20, [sp], #16
    ldp     x21, x22, [sp], #16
    ldp     x23, x24, [sp], #16
    ldp     x25, x26, [sp], #16
    ldp     x27, x28, [sp], #16
    ldp     x29, x30, [sp], #16
    eret

/* The user task: only computes and calls, in a page that EL0 may run but not write. x19 counts. */
    .section .user, "ax"
    .balign 4096
    .global rtos_user
rtos_user:
    mov     x19, #0
    fmov    d8, #1.0
    fmov    d9, #1.0
1:  fadd    d8, d8, d9
    add     x19, x19, #1
    mov     x0, x19
    fcvtzu  x1, d8
    mov     x2, #0
    svc     #1                          /* says how far it is: x0 + 1 is x1 */
    cbz     x2, 1b
    str     x0, [x2]                    /* the kernel put an address there that is not ours */
    b       1b
    .balign 4096
