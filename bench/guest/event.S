/* A flat arm64 Image that triggers each hypervisor event N times between the marks of bench/plugin/elmeter.c.
 * It uses the guest layout and ABI of Xen alone, so it runs unchanged on Xen (dom0less) and on ours. ROLE
 * chooses what it does: EVENTS, PAIR (two vCPUs), SLEEPER beside SPINNER, YIELDER beside YIELDER (two
 * domains), POSTER beside TAKER (two domains on a link), GRANTER (domain 1) beside GRANTEE (domain 2), TICK,
 * HAMMER (two vCPUs) and RESETTER (interference), TINY. */
#define EVENTS   1
#define PAIR     2
#define SLEEPER  3
#define SPINNER  4
#define TICK     5
#define HAMMER   6
#define RESETTER 7
#define TINY     8
#define YIELDER  9
#define POSTER   10
#define TAKER    11
#define GRANTER  12
#define GRANTEE  13

#define N        200
#define GICD     0x03001000
#define GICR     0x03020000
#define UART     0x22000000
#define SGI1R    S3_0_C12_C11_5
#define IAR1     S3_0_C12_C12_0
#define EOIR1    S3_0_C12_C12_1
#define HVC_XEN  0xea1
#define XEN_VERSION 17
#define SCHED_OP 29
#define MEMORY_OP 12
#define GRANT_OP 20
#define EVTCHN_OP 32
#define SHARED_INFO 0x38000000          /* where nothing is before */

#define TABLE    0x38000000             /* GRANTER's; where it has a page to grant, in RAM */
#define GRANTED  0x40400000
#define GRANT_REF 8
#define WINDOW   0x50000000             /* memory that POSTER and TAKER share: seen, waits, up */

#define TOUCHED  0x400000               /* offset in RAM of pages that nobody has touched */
#define NOWHERE  0x10000000             /* neither RAM nor a device */

    .macro MARK imm
    eor     xzr, x0, xzr, lsl #\imm
    .endm

    .macro LOADI r, v
    movz    \r, #((\v) & 0xffff)
    movk    \r, #(((\v) >> 16) & 0xffff), lsl #16
    .endm

    .macro PHASE n
    mov     x0, #\n
    MARK    1
    .endm

    /* An event, many times: PHASE_LOOP number ... PHASE_END */
    .macro PHASE_LOOP n, count=N
    PHASE   \n
    mov     x19, #\count
    MARK    3
1:
    .endm

    .macro PHASE_END
    MARK    4
    subs    x19, x19, #1
    b.ne    1b
    PHASE   0
    .endm

    .macro XEN number, arg0, arg1
    mov     x16, #\number
    mov     x0, #\arg0
    mov     x1, #\arg1
    hvc     #HVC_XEN
    .endm

    .macro XENP number, arg0, pointer
    mov     x16, #\number
    mov     x0, #\arg0
    adr     x1, \pointer
    hvc     #HVC_XEN
    .endm

    .macro TIMER ticks
    LOADI   x0, \ticks
    msr     cntv_tval_el0, x0
    mov     x0, #1
    msr     cntv_ctl_el0, x0
    .endm

    /* Until the interrupt handler has been here again; x27 = its count before */
    .macro AWAIT
2:  cmp     x27, x28
    b.eq    2b
    .endm

    /* The same, asleep: one that comes just before WFI ends it */
    .macro SLEEP
2:  msr     daifset, #2
    cmp     x27, x28
    b.ne    3f
    wfi
    msr     daifclr, #2
    isb
    b       2b
3:  msr     daifclr, #2
    .endm

    .text
    .global start
start:
    b       entry
    .long   0
    .quad   0, end - start, 0xa, 0, 0, 0
    .ascii  "ARM\x64"
    .long   0

entry:
    adr     x0, vectors
    msr     vbar_el1, x0
    mov     x0, #(3 << 20)              /* FP without traps of our own */
    msr     cpacr_el1, x0
    isb
    mov     x28, #0
#if ROLE == TINY
0:  wfi
    b       0b
#endif
    /* The interrupt controller: SGI 0 and 1, the virtual timer (27) */
    LOADI   x1, GICD
    mov     w0, #0x12                   /* ARE_NS, EnableGrp1NS */
    str     w0, [x1]
    LOADI   x1, GICR
    bl      gic_cpu
    /* Xen scrubs its free memory while CPUs idle: let it finish */
    msr     daifclr, #2
#if ROLE == EVENTS || ROLE == PAIR || ROLE == SLEEPER || ROLE == SPINNER || ROLE == YIELDER
    mov     x27, x28
    TIMER   62500000                    /* a second */
    SLEEP
#endif
    /* Is there Xen's hypercall? An undefined instruction sets x26. */
    mov     x26, #0
    XEN     XEN_VERSION, 0, 0
    mov     x25, #1                     /* and yield? */
    cbnz    x26, 3f
    XEN     SCHED_OP, 0, 0
    cmp     x0, #0
    cset    x25, ne
3:
#if ROLE == EVENTS
    bl      events
#elif ROLE == PAIR
    bl      pair
#elif ROLE == SLEEPER
    bl      sleeper
#elif ROLE == SPINNER
    bl      spinner
#elif ROLE == YIELDER
    bl      yielder
#elif ROLE == POSTER
    bl      poster
#elif ROLE == TAKER
    bl      taker
#elif ROLE == GRANTER
    bl      granter
#elif ROLE == GRANTEE
    bl      grantee
#elif ROLE == TICK
    bl      tick
#elif ROLE == HAMMER
    bl      hammer
#elif ROLE == RESETTER
    bl      resetter
#endif
    mov     x0, #99
    MARK    2
0:  wfi
    b       0b

/* x1: redistributor of this CPU */
gic_cpu:
    str     wzr, [x1, #0x14]
    add     x1, x1, #0x10000
    mov     w0, #-1
    str     w0, [x1, #0x80]
    LOADI   w0, 0xa0a0a0a0
    str     w0, [x1, #0x400]
    str     w0, [x1, #0x418]
    LOADI   w0, (1 << 27 | 3)
    str     w0, [x1, #0x100]
    mov     x0, #7
    msr     S3_0_C12_C12_5, x0          /* ICC_SRE_EL1 */
    isb
    mov     x0, #0xff
    msr     S3_0_C4_C6_0, x0            /* ICC_PMR_EL1 */
    mov     x0, #1
    msr     S3_0_C12_C12_7, x0          /* ICC_IGRPEN1_EL1 */
    isb
    ret

#if ROLE == EVENTS
events:
    msr     daifset, #2
    cbnz    x26, 4f
    PHASE_LOOP 1                        /* null hypercall: xen_version */
    XEN     XEN_VERSION, 0, 0
    PHASE_END
    PHASE_LOOP 2                        /* a hypercall that there is not */
    XEN     60, 0, 0
    PHASE_END
4:  PHASE_LOOP 3                        /* PSCI_VERSION */
    LOADI   x0, 0x84000000
    hvc     #0
    PHASE_END
    LOADI   x20, UART
    PHASE_LOOP 4                        /* vpl011 FR read */
    ldr     w1, [x20, #0x18]
    PHASE_END
    PHASE_LOOP 5                        /* vpl011 IMSC write */
    str     wzr, [x20, #0x38]
    PHASE_END
    LOADI   x20, GICD
    PHASE_LOOP 6                        /* GICD_TYPER read */
    ldr     w1, [x20, #4]
    PHASE_END
    mov     w1, #0x100                  /* SPI 40: nobody raises it */
    str     w1, [x20, #0x104]
    PHASE_LOOP 7                        /* GICD_ISENABLER write */
    str     w1, [x20, #0x104]
    PHASE_END
    msr     daifclr, #2
    PHASE_LOOP 8                        /* timer interrupt, CPU busy */
    mov     x27, x28
    TIMER   1000
    AWAIT
    PHASE_END
    mov     x9, #1
    PHASE_LOOP 9                        /* SGI to itself */
    mov     x27, x28
    msr     SGI1R, x9
    isb
    AWAIT
    PHASE_END
    PHASE_LOOP 10                       /* WFI until the timer */
    mov     x27, x28
    TIMER   20000
    SLEEP
    PHASE_END
    adr     x20, start
    add     x20, x20, #TOUCHED
    PHASE_LOOP 11                       /* a page's first touch */
    str     xzr, [x20]
    add     x20, x20, #4096
    PHASE_END
    cbnz    x25, 5f
    PHASE_LOOP 12                       /* yield, nobody else there */
    XEN     SCHED_OP, 0, 0
    PHASE_END
5:  cbnz    x26, 6f
    XENP    MEMORY_OP, 7, physmap       /* the shared page */
    cbnz    x0, 6f
    XENP    EVTCHN_OP, 6, unbound       /* a channel to itself */
    cbnz    x0, 6f
    ldr     w0, unbound + 4
    adr     x1, interdomain
    str     w0, [x1, #4]
    XENP    EVTCHN_OP, 0, interdomain
    cbnz    x0, 6f
    LOADI   x20, SHARED_INFO
    LOADI   x1, GICR + 0x10000
    mov     w0, #(1 << 31)              /* its interrupt */
    str     w0, [x1, #0x100]
    PHASE_LOOP 13                       /* event-channel send, to itself */
    strb    wzr, [x20]                  /* nothing pending: vCPU, selector, ports */
    str     xzr, [x20, #8]
    str     xzr, [x20, #48]
    mov     x27, x28
    XENP    EVTCHN_OP, 4, interdomain + 8
    AWAIT
    PHASE_END
6:  ret

    .balign 8
physmap:                                /* self, shared info, its page */
    .short  0x7ff0, 0
    .long   0
    .quad   0, SHARED_INFO >> 12
unbound:                                /* self, self, the port */
    .short  0x7ff0, 0x7ff0
    .long   0
interdomain:                            /* self, its port, ours */
    .long   0x7ff0, 0, 0
#endif

#if ROLE == PAIR
/* What the two share; MMU off, so every access reaches memory */
    .macro SHARED r, what
    adr     \r, \what
    .endm

pair:
    mov     x29, x30
    LOADI   x0, 0xC4000003              /* CPU_ON */
    mov     x1, #1
    adr     x2, second
    mov     x3, #0
    hvc     #0
    SHARED  x20, seen
    SHARED  x21, waits
    SHARED  x22, up
2:  yield
    ldr     w0, [x22]
    cbz     w0, 2b
    mov     x9, #2                     /* SGI 0 to the CPU with affinity 1 */
    PHASE_LOOP 20                       /* SGI to another vCPU that runs */
    bl      send
    PHASE_END
    mov     w0, #1
    str     w0, [x21]
    mov     x9, #2
    bl      send                        /* out of its busy loop */
    PHASE_LOOP 21                       /* SGI to another vCPU that waits */
    bl      send
    PHASE_END
    ret     x29

/* Gives the other CPU time to wait, sends, and gives it time until it has seen */
send:
    mov     x1, #50
3:  yield
    subs    x1, x1, #1
    b.ne    3b
    ldr     w0, [x20]
    msr     SGI1R, x9
    isb
4:  yield
    ldr     w1, [x20]
    cmp     w0, w1
    b.eq    4b
    ret

second:
    adr     x0, vectors
    msr     vbar_el1, x0
    isb
    mov     x28, #0
    LOADI   x1, GICR + 0x20000
    bl      gic_cpu
    SHARED  x20, seen
    SHARED  x21, waits
    SHARED  x22, up
    msr     daifclr, #2
    mov     w0, #1
    str     w0, [x22]
5:  str     w28, [x20]
    ldr     w0, [x21]
    cbnz    w0, 6f
    yield
    b       5b
6:  wfi
    b       5b

    .balign 64
seen:   .long   0
waits:  .long   0
up:     .long   0
#endif

#if ROLE == POSTER
/* Sends over a static channel to a vCPU of another domain, which runs, and then waits */
poster:
    mov     x29, x30
    LOADI   x20, WINDOW
2:  yield
    ldr     w0, [x20, #128]
    cbz     w0, 2b
    PHASE_LOOP 50                       /* event-channel send to a vCPU that runs */
    bl      post
    PHASE_END
    mov     w0, #1
    str     w0, [x20, #64]
    bl      post                        /* out of its busy loop */
    PHASE_LOOP 51                       /* event-channel send to a vCPU that waits */
    bl      post
    PHASE_END
    ret     x29

/* Gives the other time to wait, sends, and gives it time until it has seen */
post:
    mov     x1, #50
3:  yield
    subs    x1, x1, #1
    b.ne    3b
    ldr     w4, [x20]
    XENP    EVTCHN_OP, 4, channel
4:  yield
    ldr     w1, [x20]
    cmp     w4, w1
    b.eq    4b
    ret
channel:
    .long   10
#endif

#if ROLE == TAKER
taker:
    LOADI   x20, WINDOW
    LOADI   x21, SHARED_INFO
    XENP    MEMORY_OP, 7, physmap
    LOADI   x1, GICR + 0x10000
    mov     w0, #(1 << 31)
    str     w0, [x1, #0x100]
    mov     w0, #1
    str     w0, [x20, #128]
5:  strb    wzr, [x21]                  /* nothing pending: vCPU, selector, ports */
    str     xzr, [x21, #8]
    str     xzr, [x21, #48]
    str     w28, [x20]
    ldr     w0, [x20, #64]
    cbnz    w0, 6f
    yield
    b       5b
6:  wfi
    b       5b
    .balign 8
physmap:
    .short  0x7ff0, 0
    .long   0
    .quad   0, SHARED_INFO >> 12
#endif

#if ROLE == GRANTER
granter:
    XENP    MEMORY_OP, 7, physmap
    LOADI   x20, TABLE
    LOADI   x0, (GRANTED >> 12)
    str     w0, [x20, #(8 * GRANT_REF + 4)]
    LOADI   x0, (2 << 16 | 1)           /* domain 2 may */
    str     w0, [x20, #(8 * GRANT_REF)]
5:  wfi
    b       5b
    .balign 8
physmap:                                /* self, the first frame of the grant table, its page */
    .short  0x7ff0, 0
    .long   1
    .quad   0, TABLE >> 12
#endif

#if ROLE == GRANTEE
    .macro GRANT op, pointer
    mov     x16, #GRANT_OP
    mov     x0, #\op
    adr     x1, \pointer
    mov     x2, #1
    hvc     #HVC_XEN
    .endm

    /* Maps, and unmaps by the handle; leaves the status of the first in w4 */
    .macro MAP_UNMAP
    GRANT   0, map
    ldr     w3, map + 20
    ldrsh   w4, [x20]
    adr     x1, unmap
    str     w3, [x1, #16]
    GRANT   1, unmap
    .endm

grantee:
    mov     x29, x30
    adr     x20, map + 18
5:  yield                               /* until it is granted */
    MAP_UNMAP
    cbnz    w4, 5b
    PHASE_LOOP 60                       /* grant map and unmap of a page */
    MAP_UNMAP
    PHASE_END
    PHASE_LOOP 61                       /* grant copy of 4 KiB */
    GRANT   5, copy
    PHASE_END
    PHASE_LOOP 62                       /* ... of nothing: all but the copy itself */
    GRANT   5, none
    PHASE_END
    adr     x20, copy + 36              /* it did? */
    ldrsh   w4, [x20]
    cbnz    w4, .
    ret     x29

    .balign 8
map:                                    /* host_addr; host_map, ref; dom, status; handle; dev_bus_addr */
    .quad   WINDOW
    .long   2, GRANT_REF
    .short  1, 0
    .long   0
    .quad   0
unmap: /* host_addr, dev_bus_addr; handle; status */
    .quad   WINDOW, 0
    .long   0, 0
copy:   /* source: ref, domid, offset; dest: frame, self, offset; len, flags */
    .quad   GRANT_REF
    .short  1, 0, 0, 0
    .quad   GRANTED >> 12
    .short  0x7ff0, 0, 0, 0
    .short  4096, 1, 77, 0
none:
    .quad   GRANT_REF
    .short  1, 0, 0, 0
    .quad   GRANTED >> 12
    .short  0x7ff0, 0, 0, 0
    .short  0, 1, 0, 0
#endif

#if ROLE == SLEEPER
/* Floating point in use, then a wait that gives the CPU to the other domain */
sleeper:
    PHASE_LOOP 30, 100
    fmov    d0, #1.0
    fadd    d1, d0, d1
    mov     x27, x28
    TIMER   12500                       /* 200 us */
    SLEEP
    fadd    d1, d0, d1
    PHASE_END
    ret
#endif

#if ROLE == SPINNER
spinner:
    fmov    d0, #1.0
6:  mov     x1, #1000
7:  .rept   32
    fadd    d1, d0, d1
    .endr
    subs    x1, x1, #1
    b.ne    7b
    b       6b
#endif

#if ROLE == YIELDER
/* To each other for ever: neither has used more of the CPU, so no scheduler prefers one */
yielder:
    cbnz    x25, 5f
    fmov    d0, #1.0
    mrs     x20, cntvct_el0
    LOADI   x21, 625000                 /* 10 ms: until the other is there as well */
6:  XEN     SCHED_OP, 0, 0
    mrs     x0, cntvct_el0
    sub     x0, x0, x20
    cmp     x0, x21
    b.lo    6b
    PHASE_LOOP 31
    fadd    d1, d0, d1
    XEN     SCHED_OP, 0, 0
    PHASE_END
5:  ret
#endif

#if ROLE == TICK
/* 1 kHz, half a second of it */
tick:
    PHASE   40
    mov     x19, #500
    mrs     x20, cntvct_el0
    LOADI   x21, 62500
8:  add     x20, x20, x21
    mov     x27, x28
    msr     cntv_cval_el0, x20
    mov     x0, #1
    msr     cntv_ctl_el0, x0
    SLEEP
    mrs     x0, cntvct_el0
    sub     x0, x0, x20                 /* how late, in 16 ns */
    MARK    5
    fadd    d1, d0, d1
    subs    x19, x19, #1
    b.ne    8b
    ret
#endif

#if ROLE == HAMMER
/* Every trap there is, as fast as can be; the other vCPU is woken, and goes off and on */
hammer:
    LOADI   x20, UART
    LOADI   x21, GICD
    LOADI   x22, GICR
    mov     x23, #0
8:  cbnz    x26, 9f
    XEN     XEN_VERSION, 0, 0
9:  LOADI   x0, 0x84000000
    hvc     #0
    LOADI   x0, 0x84000000
    smc     #0
    LOADI   x0, 0xC4000004              /* AFFINITY_INFO */
    mov     x1, #0
    mov     x2, #0
    hvc     #0
    LOADI   x0, 0xC4000003              /* CPU_ON */
    mov     x1, #1
    adr     x2, second
    hvc     #0
    ldr     w1, [x20, #0x18]
    mov     w1, #'.'
    and     w2, w23, #1023
    mov     w3, #'\n'
    cmp     w2, #0
    csel    w1, w3, w1, eq
    and     w2, w23, #63
    cbnz    w2, 10f
    str     w1, [x20]
10: ldr     w1, [x21, #4]
    mov     w1, #-1
    str     w1, [x21, #0x104]           /* 32 SPIs at once: on, pending, off again */
    str     w1, [x21, #0x204]
    str     w1, [x21, #0x284]
    str     w1, [x21, #0x184]
    ldr     w1, [x21, #0x400]
    LOADI   x3, 0x10200
    ldr     w1, [x22, x3]
    LOADI   x3, NOWHERE
    ldr     w1, [x3]                    /* an abort of the guest's own */
    mov     x24, #3                     /* both vCPUs */
    mov     x27, x28
    msr     SGI1R, x24
    isb
    AWAIT
    mov     x27, x28
    TIMER   100                         /* 1.6 us for others */
    SLEEP
    fadd    d1, d0, d1
    add     x23, x23, #1
    b       8b

second:
    adr     x0, vectors
    msr     vbar_el1, x0
    isb
    LOADI   x1, GICR + 0x20000
    bl      gic_cpu
    msr     daifclr, #2
    mov     x28, #0
    mov     x24, #1
11: mov     x27, x28
    SLEEP
    msr     SGI1R, x24                  /* and back */
    isb
    cmp     x28, #32
    b.lo    11b
    LOADI   x0, 0x84000002              /* CPU_OFF */
    hvc     #0
    b       .
#endif

#if ROLE == RESETTER
/* A reset or, by chance, a crash */
resetter:
    mov     x27, x28
    TIMER   125000                      /* 2 ms */
    SLEEP
    mrs     x0, cntvct_el0
    tbz     x0, #0, 12f
    LOADI   x0, NOWHERE
    msr     vbar_el1, x0
    isb
    br      x0
12: LOADI   x0, 0x84000009              /* SYSTEM_RESET */
    hvc     #0
    b       .
#endif

    .balign 2048
vectors:
    .rept   4
    .balign 128
    b       .
    .endr
    .balign 128                         /* synchronous: the probe of Xen's hypercall, or an abort asked for */
    mrs     x2, esr_el1
    lsr     x2, x2, #26
    cbnz    x2, 1f
    mov     x26, #1
    b       2f
1:  cmp     x2, #0x25
    b.ne    .
2:  mrs     x2, elr_el1
    add     x2, x2, #4
    msr     elr_el1, x2
    eret
    .balign 128
    mrs     x2, IAR1
    cmp     x2, #27
    b.ne    1f
    msr     cntv_ctl_el0, xzr
1:  msr     EOIR1, x2
    add     x28, x28, #1
    eret
    .balign 2048
#if ROLE == RESETTER
    .fill   0x10000, 1, 0x5a            /* an image that takes time to check and copy */
#endif
end:
