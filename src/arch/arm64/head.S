/* Entry of the boot CPU (Linux arm64 Image protocol: MMU off, x0 = device tree) and of secondaries (PSCI
 * CPU_ON). */

#define EL2              (2 << 2) /* CurrentEL */
#define HCR_HOST         0x80000038 /* RW AMO IMO FMO */
#define HCR_E2H_BIT      34
#define CPTR_HOST        0x33ff /* RES1; SVE and SME trapped, FP not */
#define SCTLR_M_C_I      0x1005
#define SCTLR_RES1       0x30c50830
#define SCTLR_ON         (SCTLR_RES1 | SCTLR_M_C_I | 0x80008) /* WXN, SA */
#define MAIR_VALUE       0x04ff /* 0 write-back, 1 device nGnRE */
#define TCR_VALUE        0x80803510 /* RES1, inner shareable write-back walks, 4 KiB, T0SZ 16 */

.macro ADDRESS reg, symbol
    adrp    \reg, \symbol
    add     \reg, \reg, :lo12:\symbol
.endm

/* dc \op over [\start, \end), both of whole pages; lines of up to 512 bytes; clobbers start, x8, x9 */
.macro CACHE_RANGE op, start, end
    mrs     x8, ctr_el0
    ubfx    x8, x8, #16, #4
    mov     x9, #4
    lsl     x8, x9, x8
    sub     x9, x8, #1
    bic     \start, \start, x9
9:
    .rept   8
    dc      \op, \start
    add     \start, \start, x8
    .endr
    cmp     \start, \end
    b.lo    9b
    dsb     sy
.endm

    .section .text.a64_head, "ax"
    .global a64_head
a64_head:
    b       a64_start
    .word   0
    .quad   0 /* text_offset */
    .quad   arm_image_bytes
    .quad   0xa /* little endian, 4 KiB, anywhere */
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .word   0
    .quad   arm_image_bytes /* 0x40: without what bulkhead-image appends */
a64_payload_offset:
    .quad   0 /* 0x48: patched by bulkhead-image */

a64_start:
    msr     daifset, #0xf
    mov     x20, x0
    adr     x19, a64_head
    ADDRESS x21, refuse_level
    mrs     x0, CurrentEL
    cmp     x0, #EL2
    b.ne    a64_refuse

    /* What a loader wrote or left behind goes to memory before caches are off, and no stale line of the image
     * stays. */
    mov     x0, x19
    ADDRESS x1, arm_image_end
    CACHE_RANGE civac, x0, x1
    bl      arm_level_setup
    ADDRESS x21, refuse_e2h
    cbnz    x0, a64_refuse

    ADDRESS x0, arm_boot_stack_top
    mov     sp, x0
    mov     x0, x19
    bl      arm_early_map
    ADDRESS x21, refuse_place
    cbnz    w0, a64_refuse
    ADDRESS x0, arm_tables
    ADDRESS x1, arm_image_end
    CACHE_RANGE ivac, x0, x1
    bl      a64_mmu_on

    /* At the link address. .bss ends page aligned. */
    ADDRESS x0, arm_bss_start
    ADDRESS x1, arm_bss_end
1:
    .rept   8
    stp     xzr, xzr, [x0], #16
    .endr
    cmp     x0, x1
    b.lo    1b
    ADDRESS x0, arm_boot_stack_top
    mov     sp, x0
    msr     sp_el0, x0 /* for hal_cpu_init() */
    mov     x29, #0
    mov     x0, x20
    mov     x1, x19
    ldr     x2, a64_payload_offset
    bl      arm_early_boot
    b       a64_stop

a64_refuse:
    ADDRESS x0, arm_boot_stack_top
    mov     sp, x0
    mov     x0, x20
    mov     x1, x21
    bl      arm_early_refuse
a64_stop:
    wfi
    b       a64_stop

/* PSCI enters here with the MMU off; x0 = cpuid_t. */
    .global a64_secondary
a64_secondary:
    msr     daifset, #0xf
    mov     x20, x0
    mrs     x0, CurrentEL
    cmp     x0, #EL2
    b.ne    a64_stop
    bl      arm_level_setup
    cbnz    x0, a64_stop
    bl      a64_mmu_on
    ADDRESS x0, a64_secondary_stack
    ldr     x0, [x0, x20, lsl #3]
    mov     sp, x0
    msr     sp_el0, x0
    mov     x29, #0
    mov     x0, x20
    bl      upcall_cpu_boot
    b       a64_stop

/* EL2 with MMU and caches off, E2H clear, FP usable. x0 != 0: this CPU cannot clear E2H (no FEAT_E2H0). */
arm_level_setup:
    msr     spsel, #1
    mrs     x0, sctlr_el2
    mov     x1, #SCTLR_M_C_I
    bic     x0, x0, x1
    msr     sctlr_el2, x0
    isb
    ldr     x0, =HCR_HOST
    msr     hcr_el2, x0
    isb
    mrs     x0, hcr_el2
    and     x0, x0, #(1 << HCR_E2H_BIT)
    ldr     x1, =CPTR_HOST
    msr     cptr_el2, x1
    msr     tpidr_el2, xzr
    ldr     x1, =SCTLR_RES1
    msr     sctlr_el2, x1
    isb
    tlbi    alle2
    ic      iallu
    dsb     nsh
    isb
    ret

/* Switches on the map that early.c built; returns to the caller at its link address. Clobbers x0-x2. */
a64_mmu_on:
    ADDRESS x0, arm_tables
    msr     ttbr0_el2, x0
    ldr     x0, =MAIR_VALUE
    msr     mair_el2, x0
    ldr     x0, =TCR_VALUE
    mrs     x1, id_aa64mmfr0_el1
    and     x1, x1, #0xf
    mov     x2, #5 /* 48 bits; more needs another format */
    cmp     x1, x2
    csel    x1, x1, x2, lo
    orr     x0, x0, x1, lsl #16
    msr     tcr_el2, x0
    ldr     x0, =a64_vectors
    msr     vbar_el2, x0
    isb
    tlbi    alle2
    dsb     nsh
    isb
    ldr     x0, =SCTLR_ON
    msr     sctlr_el2, x0
    isb
    ldr     x0, =a64_head
    adr     x1, a64_head
    sub     x0, x0, x1
    add     x30, x30, x0
    ret
    .ltorg

    .section .rodata.a64_head, "a"
refuse_level:
    .asciz  "\r\nBulkhead needs EL2: this loader or machine started it at another exception level.\r\n"
refuse_e2h:
    .asciz  "\r\nBulkhead needs EL2 without VHE: this CPU cannot clear HCR_EL2.E2H.\r\n"
refuse_place:
    .asciz  "\r\nBulkhead must be loaded at a 2 MiB boundary below 255 TiB.\r\n"
