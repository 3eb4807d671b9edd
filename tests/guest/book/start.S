/* Where a kernel begins: EL1, MMU off, linked at the address where it has to lie. The linker fills the header
 * in, or leaves it all zero for a flat file. Exceptions save everything, so that handlers may nest. */
    .section .head, "ax"
    .global book_head
book_head:
    b       book_start
    .word   0
    .quad   book_text_offset
    .quad   book_image_size
    .quad   book_image_flags
    .quad   0, 0, 0
    .word   book_image_magic
    .word   0

    .text
book_start:
    msr     daifset, #15
    adrp    x0, book_head               /* where it lies, and where it was to lie */
    add     x0, x0, :lo12:book_head
    ldr     x1, =book_head
    sub     x20, x0, x1
    adrp    x0, bss_start
    add     x0, x0, :lo12:bss_start
    adrp    x1, bss_end
    add     x1, x1, :lo12:bss_end
1:  cmp     x0, x1
    b.hs    2f
    str     xzr, [x0], #8
    b       1b
2:  adrp    x0, book_stack_end
    add     sp, x0, :lo12:book_stack_end
    adrp    x0, book_vectors
    add     x0, x0, :lo12:book_vectors
    msr     vbar_el1, x0
    mov     x0, #(3 << 20)
    msr     cpacr_el1, x0
    isb
    mov     x0, x20
    bl      book_place
    bl      book_main
    bl      book_end

    .macro entry handler
    .balign 128
    sub     sp, sp, #272
    stp     x0, x1, [sp]
    adrp    x0, \handler
    add     x0, x0, :lo12:\handler
    b       save_all
    .endm

    .balign 2048
    .global book_vectors
book_vectors:
    .rept 4
    entry   book_sync
    .endr
    entry   book_sync
    entry   book_irq
    entry   book_fiq
    entry   book_sync
    .rept 8
    entry   book_sync
    .endr

save_all:
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    mrs     x2, elr_el1
    mrs     x3, spsr_el1
    stp     x30, x2, [sp, #240]
    str     x3, [sp, #256]
    mov     x2, x0
    mov     x0, sp
    blr     x2
    ldp     x30, x2, [sp, #240]
    ldr     x3, [sp, #256]
    msr     elr_el1, x2
    msr     spsr_el1, x3
    ldp     x28, x29, [sp, #224]
    ldp     x26, x27, [sp, #208]
    ldp     x24, x25, [sp, #192]
    ldp     x22, x23, [sp, #176]
    ldp     x20, x21, [sp, #160]
    ldp     x18, x19, [sp, #144]
    ldp     x16, x17, [sp, #128]
    ldp     x14, x15, [sp, #112]
    ldp     x12, x13, [sp, #96]
    ldp     x10, x11, [sp, #80]
    ldp     x8, x9, [sp, #64]
    ldp     x6, x7, [sp, #48]
    ldp     x4, x5, [sp, #32]
    ldp     x2, x3, [sp, #16]
    ldp     x0, x1, [sp]
    add     sp, sp, #272
    eret

    .section .bss
    .balign 16
    .skip   32768
book_stack_end:
