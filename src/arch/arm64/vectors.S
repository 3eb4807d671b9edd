/* Exceptions taken to EL2 and the one way back. While a guest runs, SP_EL2 is the address of its frame; in
 * hypervisor-level contexts it is their stack. Handlers run on the CPU's stack with interrupts masked and x19
 * = struct hal_cpu. */
#include "a64_offsets.h"

#define EC_HVC64    0x16

/* x2 to x19 and x20 to x29 of the frame at \base; \op: stp or ldp */
.macro PAIRS_LOW op, base
    \op     x2, x3, [\base, #16]
    \op     x4, x5, [\base, #32]
    \op     x6, x7, [\base, #48]
    \op     x8, x9, [\base, #64]
    \op     x10, x11, [\base, #80]
    \op     x12, x13, [\base, #96]
    \op     x14, x15, [\base, #112]
    \op     x16, x17, [\base, #128]
    \op     x18, x19, [\base, #144]
.endm

.macro PAIRS_HIGH op, base
    \op     x20, x21, [\base, #160]
    \op     x22, x23, [\base, #176]
    \op     x24, x25, [\base, #192]
    \op     x26, x27, [\base, #208]
    \op     x28, x29, [\base, #224]
.endm

/* What a compiled handler may change (x0, x1 only if \all; x19 for the pair); it preserves the high ones. */
.macro SAVE_LOW base, all
    .if \all
    stp     x0, x1, [\base, #0]
    .endif
    PAIRS_LOW stp, \base
    str     x30, [\base, #240]
.endm

/* x2 to x30, then x0 and x1; \base may be x0 */
.macro LOAD base, all
    .if \all
    PAIRS_HIGH ldp, \base
    .endif
    PAIRS_LOW ldp, \base
    ldr     x30, [\base, #240]
    ldp     x0, x1, [\base, #0]
.endm

/* The rest of the way from a guest: x0 = its frame, pc and pstate saved, on the CPU's stack */
.macro TO_STACK
    mrs     x2, elr_el2
    mrs     x3, spsr_el2
    mrs     x4, tpidr_el2
    mov     x0, sp
    ldr     x5, [x4, #CPU_STACK_TOP]
    stp     x2, x3, [x0, #FRAME_PC]
    mov     sp, x5
.endm

/* Interrupts and hypercalls do not concern x19 to x29: they stay where they are unless something else is
 * entered (a64_leave). */
.macro FROM_GUEST handler
    .balign 128
    SAVE_LOW sp, 1
    TO_STACK
    bl      \handler
    b       a64_leave
.endm

.macro FROM_GUEST_SYNC
    .balign 128
    SAVE_LOW sp, 1
    mrs     x1, esr_el2
    ubfx    x2, x1, #26, #6
    cmp     x2, #EC_HVC64
    b.ne    a64_sync
    TO_STACK
    bl      a64_trap_hvc
    b       a64_leave
.endm

.macro FROM_SELF label
    .balign 128
    b       \label
.endm

.macro BROKEN code
    .balign 128
    msr     tpidr_el0, x0 /* the guest's, lost: this CPU will not run one again */
    mov     x0, #\code
    b       a64_broken
.endm

    .section .text.a64_vectors, "ax"
    .balign 2048
    .global a64_vectors
a64_vectors:
    BROKEN  0 /* SP_EL0 is never selected here */
    BROKEN  0
    BROKEN  0
    BROKEN  0
    BROKEN  1
    FROM_SELF a64_self_irq
    FROM_SELF a64_self_irq
    FROM_SELF a64_self_serror
    FROM_GUEST_SYNC
    FROM_GUEST arm_irq_entry
    FROM_GUEST arm_irq_entry
    FROM_GUEST a64_trap_serror
    .balign 128
    SAVE_LOW sp, 1 /* AArch32 */
    b       a64_sync32
    FROM_GUEST arm_irq_entry
    FROM_GUEST arm_irq_entry
    FROM_GUEST a64_trap_serror
    .balign 128

/* uint64_t a64_serror_take(void): the only place where a handler lets SErrors in. The barrier makes those of
 * earlier accesses pending; ESB (a NOP without RAS) those that are still deferred. */
    .global a64_serror_take
a64_serror_take:
    mov     x0, #0
    dsb     sy
    msr     daifclr, #4
    hint    #16 /* ESB */
    isb
a64_serror_taken:
    msr     daifset, #4
    ret

/* An SError out of the hypervisor's own code: expected there, else the end. */
a64_self_serror:
    msr     tpidr_el0, x0
    msr     tpidrro_el0, x1
    mrs     x0, elr_el2
    adr     x1, a64_serror_take
    sub     x0, x0, x1
    cmp     x0, #(a64_serror_taken - a64_serror_take)
    b.hi    1f
    adr     x1, a64_serror_taken
    msr     elr_el2, x1
    mrs     x0, esr_el2
    eret
1:  mrs     x1, tpidrro_el0
    mov     x0, #2
    b       a64_broken

/* An interrupt out of a hypervisor-level context */
a64_self_irq:
    stp     x0, x1, [sp, #-16]!
    mrs     x0, tpidr_el2
    ldr     x0, [x0, #CPU_CURRENT]
    SAVE_LOW x0, 0
    PAIRS_HIGH stp, x0
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x0]
    mov     x4, sp
    str     x4, [x0, #FRAME_SP]
    mrs     x1, elr_el2
    mrs     x2, spsr_el2
    stp     x1, x2, [x0, #FRAME_PC]
    mrs     x19, tpidr_el2
    ldr     x3, [x19, #CPU_STACK_TOP]
    mov     sp, x3
    bl      arm_irq_entry
    b       a64_enter

/* Everything else that a guest does. What may need its registers by number comes second. */
a64_sync:
    TO_STACK
    bl      a64_trap_quick
    cbnz    w0, a64_leave
    mrs     x3, tpidr_el2
    ldr     x0, [x3, #CPU_CURRENT]
    mrs     x1, esr_el2
    PAIRS_HIGH stp, x0
    mov     x19, x3
    bl      a64_trap_sync
    b       a64_enter

a64_sync32:
    TO_STACK
    mrs     x1, esr_el2
    PAIRS_HIGH stp, x0
    mov     x19, x4
    bl      a64_trap_sync32
    b       a64_enter

/* Back to the guest that was interrupted if nothing else is wanted. */
a64_leave:
    mrs     x3, tpidr_el2
    ldr     w2, [x3, #CPU_EXIT_WORK]
    ldr     x0, [x3, #CPU_CURRENT]
    cbnz    w2, 1f
    ldp     x1, x2, [x0, #FRAME_PC]
    mov     sp, x0
    msr     elr_el2, x1
    msr     spsr_el2, x2
    LOAD    sp, 0
    eret
    dsb     nsh /* nothing is speculated past the return */
    isb
1:  PAIRS_HIGH stp, x0
    mov     x19, x3

/* The one way to anything: x19 = struct hal_cpu, on the CPU's stack, interrupts masked. */
a64_enter:
    ldr     w0, [x19, #CPU_EXIT_WORK]
    cbnz    w0, 3f
    ldr     x0, [x19, #CPU_CURRENT]
    ldp     x1, x2, [x0, #FRAME_PC]
    msr     elr_el2, x1
    msr     spsr_el2, x2
    tbnz    w2, #3, 2f
    mov     sp, x0
    LOAD    sp, 1
    eret
    dsb     nsh
    isb
2:  ldr     x1, [x0, #FRAME_SP]
    mov     sp, x1
    LOAD    x0, 1
    eret
    dsb     nsh
    isb
3:  bl      upcall_exit_work
    b       a64_enter

    .global hal_cpu_run
hal_cpu_run:
    msr     daifset, #3
    mrs     x19, tpidr_el2
    ldr     x0, [x19, #CPU_STACK_TOP]
    mov     sp, x0
    mov     x29, #0
    b       a64_enter

/* To be entered again it needs what the procedure call standard preserves. */
    .global hal_context_yield
hal_context_yield:
    mrs     x2, daif
    msr     daifset, #3
    mrs     x1, tpidr_el2
    ldr     x0, [x1, #CPU_CURRENT]
    stp     x18, x19, [x0, #144]
    PAIRS_HIGH stp, x0
    str     x30, [x0, #240]
    mov     x3, sp
    str     x3, [x0, #FRAME_SP]
    orr     x2, x2, #1
    orr     x2, x2, #8 /* EL2h */
    stp     x30, x2, [x0, #FRAME_PC]
    mov     x19, x1
    ldr     x3, [x19, #CPU_STACK_TOP]
    mov     sp, x3
    bl      upcall_reschedule
    b       a64_enter

/* Our own code faulted: x0 = code, its value in TPIDR_EL0. The stack may be what broke, so there is one stack
 * for this, for the first CPU that needs it; whoever comes second, the same CPU included, stops. Guest
 * registers serve as scratch. */
a64_broken:
    msr     tpidrro_el0, x1
    msr     tpidr_el1, x2
    msr     sp_el0, x3
    adrp    x1, a64_broken_claim
    add     x1, x1, :lo12:a64_broken_claim
    mov     w2, #1
1:  ldaxr   w3, [x1]
    cbnz    w3, 4f
    stlxr   w3, w2, [x1]
    cbnz    w3, 1b
    adrp    x1, a64_broken_frame
    add     x1, x1, :lo12:a64_broken_frame
    SAVE_LOW x1, 0
    PAIRS_HIGH stp, x1
    mrs     x2, tpidr_el1
    mrs     x3, sp_el0
    stp     x2, x3, [x1, #16]
    mrs     x2, tpidr_el0
    mrs     x3, tpidrro_el0
    stp     x2, x3, [x1]
    mov     x2, sp
    str     x2, [x1, #FRAME_SP]
    mrs     x2, elr_el2
    mrs     x3, spsr_el2
    stp     x2, x3, [x1, #FRAME_PC]
    adrp    x2, a64_broken_stack_top
    add     x2, x2, :lo12:a64_broken_stack_top
    mov     sp, x2
    mov     x29, #0
    bl      a64_trap_broken
4:  msr     daifset, #0xf
5:  wfi
    b       5b

    .section .bss.a64_broken, "aw", %nobits
    .balign 16
a64_broken_stack:
    .skip   4096
a64_broken_stack_top:
a64_broken_frame:
    .skip   FRAME_BYTES
    .balign 4
    .global a64_broken_claim
a64_broken_claim:
    .skip   4
