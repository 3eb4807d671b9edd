    .text
    .global smp_begin
smp_begin:
    msr     daifset, #15
    mov     x19, x0
    mrs     x1, mpidr_el1
    and     x1, x1, #0xff
    adrp    x2, smp_stack
    add     x2, x2, :lo12:smp_stack
    add     x1, x1, #1
    add     x2, x2, x1, lsl #14
    mov     sp, x2
    adrp    x0, book_vectors
    add     x0, x0, :lo12:book_vectors
    msr     vbar_el1, x0
    bl      smp_mmu_on
    mov     x0, x19
    bl      smp_main
1:  wfi
    b       1b

    .global smp_mmu_on
smp_mmu_on:
    mov     x0, #0xff00                 /* attribute 0: device, 1: write-back */
    msr     mair_el1, x0
    ldr     x0, =0x200803519            /* 39 bits, 4 KiB, write-back inner-shareable walks, 40 bits out */
    msr     tcr_el1, x0
    adrp    x0, smp_table
    add     x0, x0, :lo12:smp_table
    dc      ivac, x0
    dsb     sy
    msr     ttbr0_el1, x0
    isb
    tlbi    vmalle1
    dsb     sy
    isb
    mrs     x0, sctlr_el1
    mov     x1, #0x1005
    orr     x0, x0, x1
    bic     x0, x0, #2
    msr     sctlr_el1, x0
    isb
    ret

    .section .bss
    .balign 4096
    .global smp_table
smp_table:
    .skip   4096
smp_stack:
    .skip   16384 * 4
