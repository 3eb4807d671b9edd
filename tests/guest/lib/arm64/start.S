/* Entry of an arm64 Image at EL1, MMU off, device tree in x0; vectors; entry of further vCPUs. Position
 * independent. */

#define STACK_BYTES 16384

.macro far reg, symbol
    adrp    \reg, \symbol
    add     \reg, \reg, :lo12:\symbol
.endm

    .section .head, "ax"
    .global image_start
image_start:
    b       start
    .word   0
    .quad   0                           /* text_offset */
    .quad   bss_end - . + 16            /* what it takes in memory, counted from image_start */
    .quad   0xa                         /* little-endian, 4 KiB pages, anywhere in RAM */
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .word   0

    .text
start:
    mov     x19, x0
    msr     daifset, #15
    /* .bss, in 16-byte steps */
    far     x0, bss_start
    far     x1, bss_end
1:  cmp     x0, x1
    b.hs    2f
    stp     xzr, xzr, [x0], #16
    b       1b
2:  /* addresses in data: each is an offset from where the image lies */
    far     x0, rela_start
    far     x1, rela_end
    far     x2, image_start
3:  cmp     x0, x1
    b.hs    4f
    ldp     x3, x4, [x0], #16           /* where, and what kind: all are R_AARCH64_RELATIVE */
    ldr     x5, [x0], #8
    add     x5, x5, x2
    str     x5, [x3, x2]
    b       3b
4:  far     x0, stacks + STACK_BYTES
    mov     sp, x0
    bl      arch_tables_make
    bl      mmu_on
    mov     x0, x19
    bl      arch_main
5:  wfi
    b       5b

/* x0: the vCPU's number. Its stack, the same tables. */
    .global secondary_start
secondary_start:
    msr     daifset, #15
    mov     x19, x0
    add     x0, x0, #1
    mov     x1, #STACK_BYTES
    far     x2, stacks
    madd    x0, x0, x1, x2
    mov     sp, x0
    bl      mmu_on
    mov     x0, x19
    bl      arch_secondary
    b       5b

mmu_on:
    far     x0, vectors
    msr     vbar_el1, x0
    mov     x0, #(3 << 20)              /* FP and SIMD without traps */
    msr     cpacr_el1, x0
    mov     x0, #0xff00                 /* attribute 0: device nGnRnE, 1: write-back */
    msr     mair_el1, x0
    /* 39-bit addresses, 4 KiB granule, write-back inner-shareable walks, no TTBR1; output at most 40 bits */
    mrs     x1, id_aa64mmfr0_el1
    and     x1, x1, #15
    cmp     x1, #2
    mov     x2, #2
    csel    x1, x1, x2, lo
    ldr     x0, =0x803519
    orr     x0, x0, x1, lsl #32
    msr     tcr_el1, x0
    far     x0, level1
    msr     ttbr0_el1, x0
    isb
    tlbi    vmalle1
    ic      iallu
    dsb     nsh
    isb
    mrs     x0, sctlr_el1
    mov     x1, #0x1005                 /* M, C, I */
    orr     x0, x0, x1
    bic     x0, x0, #2                  /* no alignment check: Device memory has its own */
    msr     sctlr_el1, x0
    isb
    ret

    .macro enter kind
    .balign 128
    sub     sp, sp, #272
    stp     x0, x1, [sp]
    mov     x0, #\kind
    b       trap_entry
    .endm

    .balign 2048
vectors:
    .rept 4
    enter   9
    .endr
    enter   0                           /* synchronous, EL1 with SP_EL1 */
    enter   1                           /* IRQ */
    enter   2
    enter   3
    .rept 8
    enter   9
    .endr

trap_entry:
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
    mov     x1, sp
    bl      arch_trap
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
    .balign 4096
    .global level1
level1:
    .skip   4096
stacks:
    .skip   STACK_BYTES * 8             /* GUEST_CPUS_MAX */
