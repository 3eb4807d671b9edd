/* Entry of the boot CPU and of secondaries, MMU or MPU and data cache off. With an MMU: the Linux zImage
 * protocol (r2 = device tree) and PSCI CPU_ON. With an MPU all CPUs start here at once; the one with affinity
 * 0 goes on. */
#include "a32_asm.h"

#define MODE_MASK    0x1f
#define MODE_HYP     0x1a
#define HSCTLR_RES1  0x30c50830
#define MAILBOX_MASK 63

    .section .text.a32_head, "ax"
    .global a32_head
a32_head:
    .rept   8
    nop
    .endr
    b       a32_start
    .word   0x016f2818 /* zImage */
.if CONFIG_MPU
    .word   a32_head
    .word   arm_image_end
.else
    .word   0 /* 0x28: runs anywhere */
    .word   arm_image_bytes /* 0x2c: where it ends; bulkhead-image raises it to the whole file */
.endif
    .word   0x04030201
    .word   0, 0, 0
    .word   arm_image_bytes, 0 /* 0x40: without what bulkhead-image appends */
a32_payload_offset:
    .word   0, 0 /* 0x48: patched by bulkhead-image */

a32_start:
    cpsid   aif
    mov     r7, r2
    ADDRESS r6, a32_head
    mrs     r0, cpsr
    and     r0, r0, #MODE_MASK
    cmp     r0, #MODE_HYP
.if CONFIG_MPU
    bne     a32_stop
    mrc     p15, 0, r0, c0, c0, 5 /* MPIDR */
    lsls    r0, r0, #8
    bne     a32_parked
.else
    ADDRESS r5, refuse_mode
    bne     a32_refuse
.endif
    ADDRESS sp, arm_boot_stack_top
    bl      a32_mode_setup
    mov     r0, r6
    bl      a32_memory_map
.if !CONFIG_MPU
    ADDRESS r5, a32_refuse_place
    cmp     r0, #0
    bne     a32_refuse
.endif
    mov     r0, #0
    bl      a32_memory_on

    /* At the link address. .bss ends page aligned. */
    ldr     r0, =arm_bss_start
    ldr     r1, =arm_bss_end
    mov     r2, #0
    mov     r3, #0
    mov     r4, #0
    mov     r5, #0
1:
    .rept   8
    stmia   r0!, {r2-r5}
    .endr
    cmp     r0, r1
    blo     1b
    ldr     sp, =arm_boot_stack_top
    msr     sp_usr, sp /* for hal_cpu_init() */
    mov     r0, r7
    mov     r1, r6
    ldr     r2, a32_payload_offset
    bl      arm_early_boot
a32_stop:
    wfi
    b       a32_stop

.if CONFIG_MPU
/* Waits for hal_cpu_start(), without a stack: .bss is not clear yet. */
a32_parked:
    ldr     r1, =a32_mailbox
    lsr     r0, r0, #8
    and     r0, r0, #MAILBOX_MASK
1:  ldr     r7, [r1, r0, lsl #2]
    subs    r7, r7, #1
    bhs     a32_go
    wfe
    b       1b
.else
a32_refuse:
    ADDRESS sp, arm_boot_stack_top
    mov     r0, r7
    mov     r1, r5
    bl      arm_early_refuse
    b       a32_stop

/* r0 = cpuid_t */
    .global a32_secondary
a32_secondary:
    cpsid   aif
    mov     r7, r0
    mrs     r0, cpsr
    and     r0, r0, #MODE_MASK
    cmp     r0, #MODE_HYP
    bne     a32_stop
.endif
a32_go:
    bl      a32_mode_setup
    add     r0, r7, #1
    bl      a32_memory_on
    ldr     r0, =a32_secondary_stack
    ldr     sp, [r0, r7, lsl #2]
    msr     sp_usr, sp
    mov     r0, r7
    bl      upcall_cpu_boot
    b       a32_stop

/* HYP mode with MMU or MPU and caches off. */
a32_mode_setup:
    ldr     r0, =HSCTLR_RES1
    mcr     p15, 4, r0, c1, c0, 0 /* HSCTLR */
    ldr     r0, =a32_vectors
    mcr     p15, 4, r0, c12, c0, 0 /* HVBAR */
    mov     r0, #0
    mcr     p15, 4, r0, c13, c0, 2 /* HTPIDR */
    isb
    bx      lr
    .ltorg

.if !CONFIG_MPU
    .section .rodata.a32_head, "a"
refuse_mode:
    .asciz  "\r\nBulkhead needs HYP mode: this loader or machine started it in another.\r\n"
.endif
