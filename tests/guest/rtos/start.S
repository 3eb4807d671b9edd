/* How the kernel begins, its two vector tables, and its switch of tasks. */
    .syntax unified
    .fpu neon-fp-armv8
    .arch_extension virt

#define MODE_USR 0x10
#define MODE_FIQ 0x11
#define MODE_IRQ 0x12
#define MODE_SVC 0x13
#define MODE_ABT 0x17
#define MODE_HYP 0x1a
#define MODE_UND 0x1b
#define MODE_SYS 0x1f
#define STACK    1024

/* Thumb, as the entry address says. At HYP it prepares EL1 as a board's start-up code does, and drops to
 * it. */
    .section .start, "ax"
    .thumb
    .thumb_func
    .global rtos_entry
rtos_entry:
    mrs r4, cpsr
    mrc p15, 0, r0, c0, c0, 5
    ands r0, r0, #0xff
    beq 2f
1:  wfi
    b 1b
2:  and r0, r4, #0x1f
    cmp r0, #MODE_HYP
    bne rtos_el1
    ldr r0, =0xb783             /* HACTLR: all that EL1 can be given */
    mcr p15, 4, r0, c1, c0, 1
    mov r0, #0
    mcr p15, 4, r0, c1, c1, 0   /* HCR */
    mcr p15, 4, r0, c1, c1, 2   /* HCPTR */
    mov r0, #3
    mcr p15, 4, r0, c14, c1, 0  /* CNTHCTL: both of the physical timer */
    mov r0, #0xf
    mcr p15, 4, r0, c12, c9, 5  /* ICC_HSRE */
    isb
    mov r0, #(0x1e0 | MODE_SVC)
    msr spsr_cxsf, r0
    ldr r0, =rtos_el1
    msr elr_hyp, r0
    dsb
    isb
    eret

    .thumb_func
    .global rtos_el1
rtos_el1:
    cpsid aif
    ldr r0, =rtos_stacks
    .irp mode, MODE_FIQ, MODE_IRQ, MODE_ABT, MODE_UND, MODE_SVC
    cps #\mode
    add r0, r0, #STACK
    mov sp, r0
    .endr
    cps #MODE_SYS
    add r0, r0, #(4 * STACK)
    mov sp, r0
    ldr r0, =rtos_bss
    ldr r1, =rtos_user_end
    mov r2, #0
3:  str r2, [r0], #4
    cmp r0, r1
    blo 3b
    mov r0, r4
    bl rtos_main
4:  wfi
    b 4b
    .ltorg

    .section .vectors, "ax"
    .arm
    .global rtos_vectors
rtos_vectors:
    b .
    b on_undef
    b on_svc
    b on_prefetch
    b on_data
    b .
    b on_irq
    b on_fiq

/* The same in Thumb, for SCTLR.TE: an instruction in either state leads to the handlers in A32. */
    .section .vectors_thumb, "ax"
    .thumb
    .global rtos_vectors_thumb
rtos_vectors_thumb:
    b.w .
    b.w 11f
    b.w 12f
    b.w 13f
    b.w 14f
    b.w .
    b.w 16f
    b.w 17f
    .macro to_arm label, handler
    .thumb
    .balign 4
\label:
    bx pc
    nop
    .arm
    b \handler
    .endm
    to_arm 11, on_undef
    to_arm 12, on_svc
    to_arm 13, on_prefetch
    to_arm 14, on_data
    to_arm 16, on_irq
    to_arm 17, on_fiq

    .text
    .arm
/* Notes what happened and goes on at rtos_recover in system mode. */
    .macro fault kind
    push {r0-r3}
    mov r0, #\kind
    mov r1, lr
    mrs r2, spsr
    ldr r3, =rtos_fault
    stm r3, {r0, r1, r2}
    ldr r3, =rtos_recover
    ldr r3, [r3]
    ldr r0, =0x0600fc3f         /* IT, mode and T */
    bic r2, r2, r0
    orr r2, r2, #MODE_SYS
    tst r3, #1
    orrne r2, r2, #0x20
    msr spsr_cxsf, r2
    bic lr, r3, #1
    pop {r0-r3}
    movs pc, lr
    .endm

    .type on_undef, %function
on_undef:
    fault 1
    .type on_prefetch, %function
on_prefetch:
    fault 3
/* A task at EL0 that touches what it may not is noted and goes on behind its instruction of four bytes. */
    .type on_data, %function
on_data:
    push {r0, r1}
    mrs r0, spsr
    and r0, r0, #0x1f
    cmp r0, #MODE_USR
    ldreq r0, =rtos_user_faults
    ldreq r1, [r0]
    addeq r1, r1, #1
    streq r1, [r0]
    pop {r0, r1}
    subseq pc, lr, #4
    fault 4

/* All of a task's registers go to its own stack; C chooses a stack to go on with. */
    .macro switch handler
    cps #MODE_SYS
    push {r0-r12, lr}
    vpush {d0-d15}
    vpush {d16-d31}
    vmrs r1, fpscr
    push {r0, r1}
    mov r0, sp
    bic sp, sp, #7
    bl \handler
    mov sp, r0
    pop {r0, r1}
    vmsr fpscr, r1
    vpop {d16-d31}
    vpop {d0-d15}
    pop {r0-r12, lr}
    rfeia sp!
    .endm
    .type on_svc, %function
on_svc:
    srsdb sp!, #MODE_SYS
    switch rtos_on_svc
    .type on_irq, %function
on_irq:
    sub lr, lr, #4
    srsdb sp!, #MODE_SYS
    switch rtos_on_irq
    .type on_fiq, %function
on_fiq:
    sub lr, lr, #4
    srsdb sp!, #MODE_SYS
    switch rtos_on_fiq

/* int rtos_attempt(void (*what)(uint32_t), uint32_t argument): 1 if it ended in an exception */
    .global rtos_attempt
    .type rtos_attempt, %function
rtos_attempt:
    push {r4-r11, lr}
    ldr r2, =rtos_recover
    ldr r3, =10f
    str r3, [r2]
    ldr r2, =attempt_sp
    str sp, [r2]
    mov r3, r0
    mov r0, r1
    blx r3
    mov r0, #0
    b 9f
10: ldr r2, =attempt_sp
    ldr sp, [r2]
    mov r0, #1
9:  ldr r2, =rtos_recover
    ldr r3, =rtos_lost
    str r3, [r2]
    pop {r4-r11, pc}

/* A device's registers as compilers read them, in A32. */
    .global rtos_pair_arm
    .type rtos_pair_arm, %function
rtos_pair_arm:                  /* (address, out[2]) */
    ldrd r2, r3, [r0]
    strd r2, r3, [r1]
    bx lr
    .global rtos_fill_arm
    .type rtos_fill_arm, %function
rtos_fill_arm:                  /* (address, value, words) */
    str r1, [r0], #4
    subs r2, r2, #1
    bne rtos_fill_arm
    bx lr

/* All floating-point registers from a number, and how many differ. */
    .global rtos_fp_fill
    .type rtos_fp_fill, %function
rtos_fp_fill:
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    vdup.32 q\n, r0
    add r0, r0, #1
    .endr
    bx lr
    .global rtos_fp_check
    .type rtos_fp_check, %function
rtos_fp_check:
    push {r4, lr}
    mov r3, #0
    .irp d, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
    vmov.32 r1, d\d[0]
    cmp r1, r0
    addne r3, r3, #1
    add r0, r0, #1
    .endr
    vmov r1, r2, d31
    sub r0, r0, #1
    cmp r2, r0
    addne r3, r3, #1
    mov r0, r3
    pop {r4, pc}
    .ltorg

    .bss
    .balign 8
attempt_sp:
    .space 8
    .global rtos_stacks
rtos_stacks:
    .space 9 * STACK
