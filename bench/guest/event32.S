/* A flat 32-bit kernel that triggers each hypervisor event N times between the marks of
 * bench/plugin/elmeter.c, for Armv7-A and Armv8-R: MMU and MPU off, GICv3. ROLE chooses what it does, as in
 * event.S; GICD, GICR and UART are where the port's guests have them. */
#define EVENTS  1
#define PAIR    2
#define PASSER  3
#define TINY    8
#define YIELDER 9

#define N           200
#define HVC_XEN     0xea1
#define XEN_VERSION 17
#define SCHED_OP    29

    .syntax unified
    .arch_extension virt
    .arch_extension mp

    .macro MARK imm
    dbg     #\imm
    .endm

    .macro LOADI r, v
    movw    \r, #((\v) & 0xffff)
    movt    \r, #(((\v) >> 16) & 0xffff)
    .endm

    .macro PHASE n
    mov     r0, #\n
    MARK    1
    .endm

    .macro PHASE_LOOP n
    PHASE   \n
    mov     r10, #N
    MARK    3
1:
    .endm

    .macro PHASE_END
    MARK    4
    subs    r10, r10, #1
    bne     1b
    PHASE   0
    .endm

    .macro XEN number
    mov     r12, #\number
    mov     r0, #0
    mov     r1, #0
    hvc     #HVC_XEN
    .endm

    .macro TIMER ticks
    LOADI   r0, \ticks
    mcr     p15, 0, r0, c14, c3, 0      /* CNTV_TVAL */
    mov     r0, #1
    mcr     p15, 0, r0, c14, c3, 1      /* CNTV_CTL */
    .endm

    /* Until the interrupt handler has been here again; r8 = its count before, r9 = its count */
    .macro AWAIT
2:  cmp     r8, r9
    beq     2b
    .endm

    .macro SLEEP
2:  cpsid   i
    cmp     r8, r9
    bne     3f
    wfi
    cpsie   i
    isb
    b       2b
3:  cpsie   i
    .endm

    .text
    .arm
    .global start
start:
    adr     r0, vectors
    mcr     p15, 0, r0, c12, c0, 0
    isb
    mov     r9, #0
#if ROLE == TINY
0:  wfi
    b       0b
#endif
    LOADI   r1, GICD
    mov     r0, #0x12                   /* ARE, group 1 */
    str     r0, [r1]
    LOADI   r1, GICR
    bl      gic_cpu
    /* What follows a boot is over when a second is */
    cpsie   i
    mov     r8, r9
    TIMER   62500000
    SLEEP
    cpsid   i
#if ROLE == EVENTS
    bl      events
#elif ROLE == PAIR
    bl      pair
#elif ROLE == YIELDER
    bl      yielder
#elif ROLE == PASSER
7:  XEN     SCHED_OP                    /* gives each turn back */
    b       7b
#endif
    mov     r0, #99
    MARK    2
0:  wfi
    b       0b

/* r1: redistributor of this CPU */
gic_cpu:
    mov     r0, #0
    str     r0, [r1, #0x14]
    add     r1, r1, #0x10000
    mvn     r0, #0
    str     r0, [r1, #0x80]
    LOADI   r0, 0xa0a0a0a0
    str     r0, [r1, #0x400]
    str     r0, [r1, #0x418]
    LOADI   r0, (1 << 27 | 3)
    str     r0, [r1, #0x100]
    mov     r0, #7
    mcr     p15, 0, r0, c12, c12, 5     /* ICC_SRE */
    isb
    mov     r0, #0xff
    mcr     p15, 0, r0, c4, c6, 0       /* ICC_PMR */
    mov     r0, #1
    mcr     p15, 0, r0, c12, c12, 7     /* ICC_IGRPEN1 */
    isb
    bx      lr

/* SGI 0 to the CPUs in r5 */
    .macro SEND
    mov     r1, #0
    mcrr    p15, 0, r5, r1, c12         /* ICC_SGI1R */
    isb
    .endm

#if ROLE == EVENTS
events:
    mov     r11, lr
    PHASE_LOOP 1                        /* null hypercall: xen_version */
    XEN     XEN_VERSION
    PHASE_END
    PHASE_LOOP 2                        /* a hypercall that there is not */
    XEN     60
    PHASE_END
    PHASE_LOOP 3                        /* PSCI_VERSION */
    LOADI   r0, 0x84000000
    hvc     #0
    PHASE_END
    LOADI   r4, UART
    PHASE_LOOP 4                        /* vpl011 FR read */
    ldr     r1, [r4, #0x18]
    PHASE_END
    mov     r1, #0
    PHASE_LOOP 5                        /* vpl011 IMSC write */
    str     r1, [r4, #0x38]
    PHASE_END
    LOADI   r4, GICD
    PHASE_LOOP 6                        /* GICD_TYPER read */
    ldr     r1, [r4, #4]
    PHASE_END
    mov     r1, #0x100                  /* SPI 40: nobody raises it */
    str     r1, [r4, #0x104]
    PHASE_LOOP 7                        /* GICD_ISENABLER write */
    str     r1, [r4, #0x104]
    PHASE_END
    cpsie   i
    PHASE_LOOP 8                        /* timer interrupt, CPU busy */
    mov     r8, r9
    TIMER   1000
    AWAIT
    PHASE_END
    mov     r5, #1
    PHASE_LOOP 9                        /* SGI to itself */
    mov     r8, r9
    SEND
    AWAIT
    PHASE_END
    PHASE_LOOP 10                       /* WFI until the timer */
    mov     r8, r9
    TIMER   20000
    SLEEP
    PHASE_END
    PHASE_LOOP 12                       /* yield, nobody else there */
    XEN     SCHED_OP
    PHASE_END
    bx      r11
#endif

#if ROLE == PAIR
pair:
    mov     r11, lr
    LOADI   r0, 0x84000003              /* CPU_ON */
    mov     r1, #1
    adr     r2, second
    mov     r3, #0
    hvc     #0
    adr     r4, seen
    adr     r6, up
2:  yield
    ldr     r0, [r6]
    cmp     r0, #0
    beq     2b
    mov     r5, #2
    PHASE_LOOP 20                       /* SGI to another vCPU that runs */
    mov     r1, #50
3:  yield
    subs    r1, r1, #1
    bne     3b
    ldr     r0, [r4]
    SEND
4:  yield
    ldr     r1, [r4]
    cmp     r0, r1
    beq     4b
    PHASE_END
    bx      r11

second:
    adr     r0, vectors
    mcr     p15, 0, r0, c12, c0, 0
    LOADI   r1, (GICR + 0x20000)
    bl      gic_cpu
    mov     r9, #0
    mov     r0, #1
    adr     r6, up
    str     r0, [r6]
    adr     r4, seen
    cpsie   i
5:  str     r9, [r4]
    yield
    b       5b
    .balign 64
seen:
    .long   0
up:
    .long   0
#endif

#if ROLE == YIELDER
/* There and back is two switches */
yielder:
    mov     r11, lr
    mov     r10, #20480                 /* the other one will be there by then */
7:  XEN     SCHED_OP
    subs    r10, r10, #1
    bne     7b
    PHASE_LOOP 31
    XEN     SCHED_OP
    PHASE_END
    bx      r11
#endif

    .balign 32
vectors:
    b       .
    b       .
    b       .
    b       .
    b       .
    b       .
    b       irq
    b       .
irq:
    sub     lr, lr, #4
    mrc     p15, 0, sp, c12, c12, 0     /* ICC_IAR1; this mode's stack pointer is free */
    cmp     sp, #27
    bne     6f
    mov     sp, #0
    mcr     p15, 0, sp, c14, c3, 1      /* CNTV_CTL off */
    isb
    mov     sp, #27
6:  mcr     p15, 0, sp, c12, c12, 1
    isb
    add     r9, r9, #1
    subs    pc, lr, #0
