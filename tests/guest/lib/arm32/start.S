/* Entry of a zImage: SVC mode (or HYP, which is left), MMU off, device tree in r2; vectors; entry of further
 * vCPUs. Position independent, in ARM state. */

#define STACK_BYTES 16384
#define MODE_SVC    0x13
#define MODE_HYP    0x1a
#define MASKED      0x1c0                   /* A, I and F */
#ifdef GUEST_THUMB
#define CODE_STATE  0x20                    /* of what C is compiled to */
#else
#define CODE_STATE  0
#endif

    .syntax unified
    .arm

.macro far reg, symbol
    ldr     \reg, 9f
8:  add     \reg, pc, \reg
    b       7f
9:  .word   \symbol - (8b + 8)
7:
.endm

    .section .head, "ax"
    .global image_start
image_start:
    b       start
    .rept   8
    nop
    .endr
    .word   0x016f2818                  /* a zImage */
    .word   0                           /* wherever it is */
    .word   file_end - image_start      /* .bss included */
    .word   0x04030201                  /* of this endianness */

    .text
start:
    cpsid   aif
    mov     r9, r2
    bl      mode_svc
    far     r0, bss_start
    far     r1, bss_end
    mov     r2, #0
1:  cmp     r0, r1
    strlo   r2, [r0], #4
    blo     1b
    /* addresses in data: each is an offset from where the image lies */
    far     r0, rel_start
    far     r1, rel_end
    far     r2, image_start
2:  cmp     r0, r1
    bhs     3f
    ldr     r3, [r0], #8                /* where; what kind: all are R_ARM_RELATIVE */
    ldr     r4, [r2, r3]
    add     r4, r4, r2
    str     r4, [r2, r3]
    b       2b
3:  far     r0, stacks + STACK_BYTES
    mov     sp, r0
    mov     r0, #1
    bl      cpu_ready
    mov     r0, r9
    bl      arch_main
4:  wfi
    b       4b

/* r0: the vCPU's number */
    .global secondary_start
    .type   secondary_start, %function
secondary_start:
    cpsid   aif
    mov     r9, r0
    bl      mode_svc
    far     r1, stacks + STACK_BYTES
    add     sp, r1, r9, lsl #14         /* STACK_BYTES */
    mov     r0, #0
    bl      cpu_ready
    mov     r0, r9
    mov     r1, #0
    bl      arch_secondary
    b       4b

/* Without a hypervisor some machines start in its mode. */
mode_svc:
    mrs     r0, cpsr
    and     r1, r0, #0x1f
    cmp     r1, #MODE_HYP
    bxne    lr
    mov     r0, #(MODE_SVC | MASKED)
    msr     spsr_cxsf, r0
    mrc     p15, 0, r0, c0, c0, 5
    mcr     p15, 4, r0, c0, c0, 5       @ VMPIDR
    mrc     p15, 4, r0, c12, c9, 5
    orr     r0, r0, #9
    mcr     p15, 4, r0, c12, c9, 5      @ ICC_HSRE
    mov     r0, #3
    mcr     p15, 4, r0, c14, c1, 0      @ CNTHCTL
    mov     r0, #0
    mov     r1, #0
    mcrr    p15, 4, r0, r1, c14         @ CNTVOFF
    msr     elr_hyp, lr
    eret

/* r0: whether this is the first vCPU. Vectors, coprocessors, memory. */
cpu_ready:
    push    {r4, lr}
    far     r1, vectors
    mcr     p15, 0, r1, c12, c0, 0      @ VBAR
    mrc     p15, 0, r1, c1, c0, 2
    orr     r1, r1, #(15 << 20)         @ CPACR: VFP and SIMD
    mcr     p15, 0, r1, c1, c0, 2
    isb
    /* When a hypervisor in AArch64 makes an exception, QEMU 10.0 has the handler see SPSR_svc instead of its
     * own mode's: then let it be what we mostly are. */
    ldr     r1, =(MODE_SVC | MASKED | CODE_STATE)
    msr     spsr_cxsf, r1
    mov     r1, #(1 << 30)
    .fpu    vfpv3
    vmsr    fpexc, r1
    bl      arch_memory_on
    pop     {r4, pc}

/* A frame as struct trap_frame has it, on the stack of SVC mode. What r0 to r12 hold is the interrupted
 * code's; lr is this mode's. */
    .macro  enter kind, back
    sub     lr, lr, #\back
    srsdb   sp!, #MODE_SVC
    cps     #MODE_SVC
    push    {r0-r12, lr}
    mov     r0, #\kind
    b       trap_entry
    .endm

    .balign 32
vectors:
    b       .
    b       vector_undefined
    b       vector_svc
    b       vector_fetch
    b       vector_data
    b       .
    b       vector_irq
    b       vector_fiq

vector_undefined:                       /* lr is 4 behind the instruction, in Thumb code 2 */
    srsdb   sp!, #MODE_SVC
    cps     #MODE_SVC
    push    {r0-r12, lr}
    ldr     r1, [sp, #60]
    ldr     r2, [sp, #56]
    tst     r1, #0x20
    subeq   r2, r2, #4
    subne   r2, r2, #2
    str     r2, [sp, #56]
    mov     r0, #1
    b       trap_entry
vector_svc:
    enter   2, 0
vector_fetch:
    enter   3, 4
vector_data:
    enter   4, 8
vector_irq:
    enter   6, 4
vector_fiq:
    enter   7, 4

trap_entry:
    clrex
    mov     r1, sp
    mov     r4, sp
    bic     sp, sp, #7
    bl      arch_trap
    mov     sp, r4
    pop     {r0-r12, lr}
    rfeia   sp!

/* What compilers call by themselves: copies, clearing */
    .macro  called name
    .global \name
    .type   \name, %function
\name:
    .endm
called __aeabi_memcpy
called __aeabi_memcpy4
called __aeabi_memcpy8
    b       memcpy
called __aeabi_memclr
called __aeabi_memclr4
called __aeabi_memclr8
    mov     r2, r1
    mov     r1, #0
    b       memset

/* 64-bit division: r1:r0 by r3:r2; the quotient in r1:r0, the remainder in r3:r2 */
called __aeabi_uldivmod
    push    {r4, lr}
    sub     sp, sp, #16
    add     r4, sp, #8
    str     r4, [sp]
    bl      arch_divide
    ldr     r2, [sp, #8]
    ldr     r3, [sp, #12]
    add     sp, sp, #16
    pop     {r4, pc}

    .section .bss
    .balign 16
stacks:
    .skip   STACK_BYTES * 8             /* GUEST_CPUS_MAX */
