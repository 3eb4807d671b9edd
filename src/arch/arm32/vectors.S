/* Exceptions taken to HYP mode and the one way back. While a guest runs, SP_hyp is the end of the registers
 * in its frame, so that a push saves them there; in hypervisor-level contexts it is their stack. Handlers run
 * on the CPU's stack with interrupts masked and r4 = struct hal_cpu. */
#include "a32_offsets.h"

#define MODE_MASK 0x1f
#define MODE_HYP  0x1a
#define EC_HVC32  0x12

.macro HTPIDR op, reg
    \op     p15, 4, \reg, c13, c0, 2
.endm

.macro HSR reg
    mrc     p15, 4, \reg, c5, c2, 0
.endm

    .section .text.a32_vectors, "ax"
    .balign 32
    .global a32_vectors
a32_vectors:
    b       a32_self_other
    b       a32_self_undef
    b       a32_self_other
    b       a32_self_fetch
    b       a32_self_data
    b       a32_guest
    b       a32_irq
    b       a32_irq

/* Everything that a guest does. An HVC's return address is the next instruction. */
a32_guest:
    push    {r0-r12, lr}
    HTPIDR  mrc, r4
    HSR     r1
    mrs     r2, elr_hyp
    mrs     r3, spsr
    mov     r0, sp
    strd    r2, r3, [sp, #FRAME_PC]
    ldr     sp, [r4, #CPU_STACK_TOP]
    lsr     r2, r1, #26
    cmp     r2, #EC_HVC32
    bne     1f
    bl      a32_trap_hvc
    b       a32_enter
1:  bl      a32_trap_sync
    b       a32_enter

/* An interrupt, out of a guest or of a hypervisor-level context, whose registers go on from its stack to its
 * frame. */
a32_irq:
    push    {r0-r12, lr}
    mrs     r2, elr_hyp
    mrs     r3, spsr
    HTPIDR  mrc, r4
    and     r1, r3, #MODE_MASK
    cmp     r1, #MODE_HYP
    beq     2f
    strd    r2, r3, [sp, #FRAME_PC]
1:  ldr     sp, [r4, #CPU_STACK_TOP]
    bl      arm_irq_entry

/* The one way to anything: r4 = struct hal_cpu, on the CPU's stack, interrupts masked. Exclusive accesses are
 * never half done across it (DDI 0406 A3.4.4). */
    .global a32_enter
a32_enter:
    ldr     r1, [r4, #CPU_EXIT_WORK]
    ldr     r0, [r4, #CPU_CURRENT]
    cmp     r1, #0
    bne     3f
    ldrd    r2, r3, [r0, #FRAME_PC]
    ldr     sp, [r0, #FRAME_SP]
    msr     elr_hyp, r2
    msr     spsr_hyp, r3
    clrex
    ldm     r0, {r0-r12, lr}
    eret
2:  ldr     r0, [r4, #CPU_CURRENT]
    pop     {r5-r11}
    stm     r0!, {r5-r11}
    pop     {r5-r11}
    stm     r0, {r5-r11}
    sub     r0, r0, #28
    str     sp, [r0, #FRAME_SP]
    strd    r2, r3, [r0, #FRAME_PC]
    b       1b
3:  bl      upcall_exit_work
    b       a32_enter

    .global hal_cpu_run
hal_cpu_run:
    cpsid   if
    HTPIDR  mrc, r4
    ldr     sp, [r4, #CPU_STACK_TOP]
    b       a32_enter

/* To be entered again it needs what the procedure call standard preserves. */
    .global hal_context_yield
hal_context_yield:
    mrs     r3, cpsr
    cpsid   if
    HTPIDR  mrc, r1
    ldr     r0, [r1, #CPU_CURRENT]
    mov     r2, lr
    add     r12, r0, #16
    stm     r12, {r4-r11}
    str     sp, [r0, #FRAME_SP]
    strd    r2, r3, [r0, #FRAME_PC]
    mov     r4, r1
    ldr     sp, [r4, #CPU_STACK_TOP]
    bl      upcall_reschedule
    b       a32_enter

/* uint32_t a32_abort_take(void): the only place where a handler lets asynchronous aborts in. The barrier
 * makes those of earlier accesses pending. */
    .global a32_abort_take
a32_abort_take:
    mov     r0, #0
    dsb     sy
    cpsie   a
    isb
a32_abort_taken:
    cpsid   a
    bx      lr

/* An abort of the hypervisor's own: expected there, else the end. Guest registers serve as scratch. */
a32_self_data:
    msr     sp_usr, r0
    msr     sp_svc, r1
    mrs     r0, elr_hyp
    ldr     r1, =a32_abort_take
    sub     r0, r0, r1
    cmp     r0, #(a32_abort_taken - a32_abort_take)
    bhi     1f
    add     r1, r1, #(a32_abort_taken - a32_abort_take)
    msr     elr_hyp, r1
    HSR     r0
    eret
1:  mrs     r1, sp_svc
    mov     r0, #2
    b       a32_broken
a32_self_undef:
    msr     sp_usr, r0
    mov     r0, #1
    b       a32_broken
a32_self_fetch:
    msr     sp_usr, r0
    mov     r0, #3
    b       a32_broken
a32_self_other:
    msr     sp_usr, r0
    mov     r0, #0

/* Our own code faulted: r0 = code, its value in SP_usr. The stack may be what broke, so there is one stack
 * for this, for the first CPU that needs it; whoever comes second, the same CPU included, stops. */
a32_broken:
    msr     sp_svc, r1
    msr     lr_svc, r2
    msr     sp_abt, r3
    ldr     r1, =a32_broken_claim
    mov     r2, #1
1:  ldrex   r3, [r1]
    cmp     r3, #0
    bne     2f
    strex   r3, r2, [r1]
    cmp     r3, #0
    bne     1b
    ldr     r1, =a32_broken_frame
    add     r2, r1, #16
    stm     r2, {r4-r12, lr}
    str     sp, [r1, #FRAME_SP]
    mrs     r2, sp_usr
    mrs     r3, sp_svc
    strd    r2, r3, [r1]
    mrs     r2, lr_svc
    mrs     r3, sp_abt
    strd    r2, r3, [r1, #8]
    mrs     r2, elr_hyp
    mrs     r3, spsr
    strd    r2, r3, [r1, #FRAME_PC]
    ldr     sp, =a32_broken_stack_top
    bl      a32_trap_broken
2:  cpsid   aif
3:  wfi
    b       3b
    .ltorg

    .section .bss.a32_broken, "aw", %nobits
    .balign 16
a32_broken_stack:
    .skip   4096
a32_broken_stack_top:
a32_broken_frame:
    .skip   FRAME_BYTES
    .balign 4
    .global a32_broken_claim
a32_broken_claim:
    .skip   4
