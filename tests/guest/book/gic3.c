/* GICv3 by the manual (IHI 0069H): system registers, interrupts masked by priority and never by the
 * processor, nesting, both groups, ending in two steps, a redistributor woken by the rules and found by
 * walking the frames. One CPU. */
#include "book.h"

const char book_name[] = "gic3";

#define ICC_IAR0    S3_0_C12_C8_0
#define ICC_EOIR0   S3_0_C12_C8_1
#define ICC_HPPIR0  S3_0_C12_C8_2
#define ICC_BPR0    S3_0_C12_C8_3
#define ICC_AP1R0   S3_0_C12_C9_0
#define ICC_DIR     S3_0_C12_C11_1
#define ICC_RPR     S3_0_C12_C11_3
#define ICC_SGI1R   S3_0_C12_C11_5
#define ICC_ASGI1R  S3_0_C12_C11_6
#define ICC_SGI0R   S3_0_C12_C11_7
#define ICC_IAR1    S3_0_C12_C12_0
#define ICC_EOIR1   S3_0_C12_C12_1
#define ICC_HPPIR1  S3_0_C12_C12_2
#define ICC_BPR1    S3_0_C12_C12_3
#define ICC_CTLR    S3_0_C12_C12_4
#define ICC_SRE     S3_0_C12_C12_5
#define ICC_IGRPEN0 S3_0_C12_C12_6
#define ICC_IGRPEN1 S3_0_C12_C12_7
#define ICC_PMR     S3_0_C4_C6_0

#define GICD(offset) REG32(GICD_BASE + (offset))
#define SGI(offset)  REG32(GICR_BASE + 0x10000u + (offset)) /* of the only redistributor */

#define IGROUP 0x080u
#define ISEN   0x100u
#define ICEN   0x180u
#define ISPEND 0x200u
#define ICPEND 0x280u
#define ISACT  0x300u
#define ICACT  0x380u
#define IPRIO  0x400u

#define SPI     40u
#define SPI_BIT (1u << (SPI - 32u))

static volatile uint32_t taken[1024];
static volatile uint32_t fast[1024];
static void (*volatile on_irq)(uint32_t id);
static volatile uint32_t order[16];
static volatile uint32_t nr_order;

static void send_self(uint32_t sgi)
{
    settle();
    WRITE_SYS(ICC_SGI1R, ((uint64_t)sgi << 24u) | 1u);
}

static void private_priority(uint32_t id, uint8_t value)
{
    REG8(GICR_BASE + 0x10000u + IPRIO + id) = value;
}

/* The handler masks by priority: the processor's mask goes as soon as the interrupt is acknowledged, and the
 * mask register keeps out what must not nest. */
void book_irq(struct frame *frame)
{
    const uint32_t id = (uint32_t)READ_SYS(ICC_IAR1);

    (void)frame;
    settle();
    if (id >= 1020u) {
        return;
    }
    taken[id]++;
    order[nr_order & 15u] = id;
    nr_order++;
    if (on_irq != NULL) {
        irq_open();
        on_irq(id);
        irq_close();
    }
    WRITE_SYS(ICC_EOIR1, id);
}

void book_fiq(struct frame *frame)
{
    const uint32_t id = (uint32_t)READ_SYS(ICC_IAR0);

    (void)frame;
    settle();
    if (id < 1020u) {
        fast[id]++;
        WRITE_SYS(ICC_EOIR0, id);
    }
}

static void wait_rwp(void)
{
    while ((GICD(0u) & 0x80000000u) != 0u) {
    }
}

static void start(void)
{
    const uint32_t lines = 32u * ((GICD(4u) & 31u) + 1u);
    uint32_t frames = 0u;
    uint64_t typer;

    MUST_BE((GICD(0xFFE8u) >> 4u) & 15u, 3u);
    MUST_BE(GICD(4u) & ((1u << 17u) | (1u << 16u)), 0u); /* no LPIs, no messages */
    MUST((((GICD(4u) >> 19u) & 31u) + 1u) >= 10u);
    do { /* which frame is ours, and how many are there? */
        typer = REG64(GICR_BASE + (0x20000u * frames) + 8u);
        frames++;
    } while (((typer & 0x10u) == 0u) && (frames < 128u));
    MUST_BE(frames, 1u);
    MUST_BE(typer & 1u, 0u); /* no physical LPIs */
    MUST_BE(typer >> 32u, READ_SYS(mpidr_el1) & 0xFFFFFFu);
    MUST_BE(REG32(GICR_BASE + 0x14u) & 6u, 6u); /* asleep */
    REG32(GICR_BASE + 0x14u) &= ~2u;
    while ((REG32(GICR_BASE + 0x14u) & 4u) != 0u) {
    }
    GICD(0u) = 0u;
    wait_rwp();
    for (uint32_t i = 32u; i < lines; i += 32u) {
        GICD(IGROUP + (i / 8u)) = ~0u;
        GICD(ICEN + (i / 8u)) = ~0u;
    }
    for (uint32_t i = 32u; i < lines; i += 4u) {
        GICD(IPRIO + i) = 0xA0A0A0A0u;
    }
    for (uint32_t i = 32u; i < lines; i += 16u) {
        GICD(0xC00u + (i / 4u)) = 0xAAAAAAAAu;
    }
    for (uint32_t i = 32u; i < lines; i++) {
        REG64(GICD_BASE + 0x6000u + (8u * i)) = 0u;
    }
    SGI(IGROUP) = ~0u;
    SGI(ICEN) = 0xFFFF0000u;
    SGI(ISEN) = 0xFFFFu;
    GICD(ISEN + 4u) = ~0u;
    GICD(0u) = 0x12u;
    wait_rwp();
    WRITE_SYS(ICC_SRE, READ_SYS(ICC_SRE) | 7u);
    MUST_BE(READ_SYS(ICC_SRE) & 1u, 1u);
    WRITE_SYS(ICC_PMR, 0xFFu);
    WRITE_SYS(ICC_BPR1, 0u);
    WRITE_SYS(ICC_CTLR, 0u);
    WRITE_SYS(ICC_IGRPEN1, 1u);
    irq_open(); /* and never closed again by the main program */
}

static void what_it_is(void)
{
    MUST_BE(GICD(0u), 0x52u); /* ARE, DS, group 1 */
    MUST_BE(READ_SYS(ICC_PMR), 0xF8u);
    MUST_BE((READ_SYS(ICC_CTLR) >> 8u) & 7u, 4u); /* five bits of priority */
    MUST_BE(READ_SYS(ICC_RPR), 0xFFu);
    MUST_BE(READ_SYS(ICC_IAR1), 1023u);
    MUST_BE(READ_SYS(ICC_HPPIR1), 1023u);
    /* with affinity routing on these are not there: no effect, and no abort */
    GICD(0x800u + SPI) = 0x01010101u;
    MUST_BE(GICD(0x800u + SPI), 0u);
    REG8(GICD_BASE + 0x800u + SPI) = 1u;
    MUST_BE(GICD(0x800u), 0u);
    GICD(0xF00u) = (2u << 24u) | 3u;
    GICD(0xF20u) = 0x01010101u;
    MUST_BE(GICD(0xF20u), 0u);
    GICD(ISEN) = ~0u;
    MUST_BE(GICD(ISEN), 0u);
    GICD(IPRIO) = 0x10101010u;
    MUST_BE(GICD(IPRIO), 0u);
    pause_ms(1u);
    MUST_BE(nr_order, 0u);
    /* LPI registers of a redistributor without LPIs */
    REG64(GICR_BASE + 0x70u) = 0x40000000u;
    MUST_BE(REG64(GICR_BASE + 0x70u), 0u);
    REG32(GICR_BASE) = 1u;
    MUST_BE(REG32(GICR_BASE) & 1u, 0u);
    REG64(GICD_BASE + 0x6000u + (8u * SPI)) = 0u;
    MUST_BE(REG64(GICD_BASE + 0x6000u + (8u * SPI)), 0u);
}

/* A critical section by priority: nothing of 0xA0 comes in, something of 0x20 does. */
static void by_priority(void)
{
    private_priority(4u, 0xA0u);
    private_priority(5u, 0x20u);
    taken[4] = 0u;
    taken[5] = 0u;
    WRITE_SYS(ICC_PMR, 0x80u);
    send_self(4u);
    send_self(5u);
    MUST(await(&taken[5], 1u));
    pause_ms(1u);
    MUST_BE(taken[4], 0u);
    MUST_BE(READ_SYS(ICC_HPPIR1), 4u);
    MUST_BE(SGI(ISPEND) & 0x30u, 0x10u);
    WRITE_SYS(ICC_PMR, 0xF0u);
    MUST(await(&taken[4], 1u));
    /* asleep: the mask register is opened first, the processor's mask keeps the handler out */
    irq_close();
    WRITE_SYS(ICC_PMR, 0x80u);
    WRITE_SYS(cntv_cval_el0, now() + ms(3u));
    WRITE_SYS(cntv_ctl_el0, 1u);
    private_priority(VIRT_IRQ, 0xA0u);
    SGI(ISEN) = 1u << VIRT_IRQ;
    WRITE_SYS(ICC_PMR, 0xF0u);
    while ((READ_SYS(cntv_ctl_el0) & 4u) == 0u) {
        sleep_until_irq();
    }
    pause_ms(1u);
    MUST_BE(READ_SYS(ICC_HPPIR1), VIRT_IRQ);
    MUST_BE((READ_SYS(isr_el1) >> 7u) & 1u, 1u);
    WRITE_SYS(cntv_ctl_el0, 0u);
    SGI(ICEN) = 1u << VIRT_IRQ;
    irq_open();
}

static volatile uint32_t rpr[5];
static volatile uint32_t apr;

static void nest(uint32_t id)
{
    rpr[id] = (uint32_t)READ_SYS(ICC_RPR);
    if ((id < 3u) && (taken[id] == 1u)) {
        send_self(id + 1u);
        pause_ms(1u);
        rpr[id] = (uint32_t)READ_SYS(ICC_RPR);
    } else if (id == 3u) {
        apr = (uint32_t)READ_SYS(ICC_AP1R0);
        send_self(1u); /* these two are active: pending again they wait for their own end */
        send_self(2u);
        send_self(4u);
        pause_ms(1u);
        MUST_BE(READ_SYS(ICC_HPPIR1), 4u);
        MUST_BE(SGI(ISACT) & 0x1Eu, 0x0Eu);
        MUST_BE(SGI(ISPEND) & 0x1Eu, 0x16u);
    } else {
        /* the second time */
    }
}

static void nested(void)
{
    static const uint32_t right[6] = { 1u, 2u, 3u, 2u, 1u, 4u };

    private_priority(1u, 0xC0u);
    private_priority(2u, 0x80u);
    private_priority(3u, 0x40u);
    private_priority(4u, 0xE0u);
    taken[4] = 0u;
    taken[1] = 0u;
    taken[2] = 0u;
    taken[3] = 0u;
    nr_order = 0u;
    on_irq = nest;
    send_self(1u);
    MUST(await(&taken[4], 1u));
    pause_ms(1u);
    on_irq = NULL;
    MUST_BE(nr_order, 6u);
    for (uint32_t i = 0u; i < 6u; i++) {
        MUST_BE(order[i], right[i]);
    }
    MUST_BE(rpr[1], 0xC0u);
    MUST_BE(rpr[2], 0x80u);
    MUST_BE(rpr[3], 0x40u);
    MUST(apr != 0u);
    MUST_BE(READ_SYS(ICC_AP1R0), 0u);
    MUST_BE(READ_SYS(ICC_RPR), 0xFFu);
}

static volatile uint32_t came_inside;

static void slow(uint32_t id)
{
    if (id == 1u) {
        send_self(2u);
        pause_ms(1u);
        came_inside = taken[2];
    }
}

static void grouped(void)
{
    private_priority(1u, 0x90u);
    private_priority(2u, 0x80u);
    on_irq = slow;
    for (uint32_t bpr = 3u; bpr <= 6u; bpr++) { /* in group 1 bits 7:bpr decide */
        WRITE_SYS(ICC_BPR1, bpr);
        MUST_BE(READ_SYS(ICC_BPR1), bpr);
        taken[1] = 0u;
        taken[2] = 0u;
        send_self(1u);
        MUST(await(&taken[2], 1u));
        pause_ms(1u);
        MUST_BE(came_inside, (bpr <= 4u) ? 1u : 0u);
    }
    WRITE_SYS(ICC_BPR1, 0u);
    on_irq = NULL;
}

static void two_steps(void)
{
    irq_close();
    WRITE_SYS(ICC_CTLR, READ_SYS(ICC_CTLR) | 2u);
    MUST_BE(READ_SYS(ICC_CTLR) & 2u, 2u);
    GICD(ISPEND + 4u) = SPI_BIT;
    settle();
    MUST_BE(READ_SYS(ICC_IAR1), SPI);
    WRITE_SYS(ICC_EOIR1, SPI);
    MUST_BE(READ_SYS(ICC_RPR), 0xFFu);
    MUST_BE(GICD(ISACT + 4u), SPI_BIT);
    GICD(ISPEND + 4u) = SPI_BIT;
    MUST_BE(GICD(ISPEND + 4u), SPI_BIT);
    MUST_BE(READ_SYS(ICC_IAR1), 1023u);
    GICD(ISPEND + 4u) = SPI_BIT << 1u;
    settle();
    MUST_BE(READ_SYS(ICC_IAR1), SPI + 1u);
    WRITE_SYS(ICC_EOIR1, SPI + 1u);
    WRITE_SYS(ICC_DIR, SPI);
    MUST_BE(GICD(ISACT + 4u), SPI_BIT * 2u);
    MUST_BE(READ_SYS(ICC_IAR1), SPI);
    WRITE_SYS(ICC_EOIR1, SPI);
    GICD(ICACT + 4u) = SPI_BIT;
    WRITE_SYS(ICC_DIR, SPI + 1u);
    settle();
    MUST_BE(GICD(ISACT + 4u), 0u);
    MUST_BE(READ_SYS(ICC_IAR1), 1023u);
    WRITE_SYS(ICC_CTLR, READ_SYS(ICC_CTLR) & ~2ULL);
    irq_open();
}

/* Group 0 comes as FIQ. */
static void fast_ones(void)
{
    GICD(0u) = 0x13u;
    WRITE_SYS(ICC_IGRPEN0, 1u);
    WRITE_SYS(ICC_BPR0, 0u);
    MUST_BE(READ_SYS(ICC_BPR0), 2u);
    SGI(IGROUP) = ~(1u << 6u);
    GICD(IGROUP + 4u) = ~SPI_BIT;
    MUST_BE(GICD(IGROUP + 4u), ~SPI_BIT);
    private_priority(6u, 0x60u);
    taken[6] = 0u;
    __asm__ volatile("msr daifset, #1" : : : "memory");
    WRITE_SYS(ICC_SGI1R,
              (6u << 24u) | 1u); /* not its group's register, but one security state: 12.2.21 table */
    WRITE_SYS(ICC_SGI0R, (6u << 24u) | 1u);
    settle();
    MUST_BE(READ_SYS(ICC_HPPIR0), 6u);
    MUST_BE(READ_SYS(ICC_IAR1), 1023u);
    __asm__ volatile("msr daifclr, #1" : : : "memory");
    MUST(await(&fast[6], 1u));
    GICD(ISPEND + 4u) = SPI_BIT;
    MUST(await(&fast[SPI], 1u));
    MUST_BE(taken[6], 0u);
    __asm__ volatile("msr daifset, #1" : : : "memory");
    SGI(IGROUP) = ~0u;
    GICD(IGROUP + 4u) = ~0u;
    WRITE_SYS(ICC_IGRPEN0, 0u);
    GICD(0u) = 0x12u;
}

/* More than there are list registers, in the order of their priorities, every one once. */
static void all_at_once(void)
{
    for (uint32_t id = 32u; id < 64u; id++) {
        REG8(GICD_BASE + IPRIO + id) = (uint8_t)((63u - id) * 8u);
        taken[id] = 0u;
    }
    WRITE_SYS(ICC_PMR, 0u);
    nr_order = 0u;
    GICD(ISPEND + 4u) = ~0u;
    MUST_BE(GICD(ISPEND + 4u), ~0u);
    WRITE_SYS(ICC_PMR, 0xFFu);
    MUST(await(&taken[33], 1u));
    for (uint32_t id = 33u; id < 64u; id++) { /* 32's is the lowest priority, which never comes by */
        MUST_BE(taken[id], 1u);
    }
    for (uint32_t i = 0u; i < 15u; i++) {
        MUST_BE(order[(16u + i) & 15u], 63u - 16u - i);
    }
    GICD(ICPEND + 4u) = ~0u;
    MUST_BE(GICD(ISPEND + 4u), 0u);
    MUST_BE(GICD(ISACT + 4u), 0u);
}

static void absent_targets(void)
{
    taken[8] = 0u;
    private_priority(8u, 0xA0u);
    settle();
    WRITE_SYS(ICC_SGI1R, (8u << 24u) | 0xFFFFu); /* of 16 only we are there */
    MUST(await(&taken[8], 1u));
    WRITE_SYS(ICC_SGI1R, (8u << 24u) | (1ULL << 40u) | 1u); /* all but us: nobody */
    WRITE_SYS(ICC_SGI1R, (8u << 24u) | (1ULL << 16u) | 1u); /* another cluster */
    WRITE_SYS(ICC_SGI1R, (8u << 24u) | (1ULL << 48u) | 1u); /* and a far one */
    WRITE_SYS(ICC_ASGI1R, (8u << 24u) | (1ULL << 40u));
    pause_ms(2u);
    MUST_BE(taken[8], 1u);
}

/* Routed to a CPU that is not there: waits, and comes when it is routed here. */
static void routed_away(void)
{
    REG8(GICD_BASE + IPRIO + SPI) = 0xA0u;
    taken[SPI] = 0u;
    REG64(GICD_BASE + 0x6000u + (8u * SPI)) = 0x100u;
    GICD(ISPEND + 4u) = SPI_BIT;
    pause_ms(1u);
    MUST_BE(taken[SPI], 0u);
    MUST_BE(GICD(ISPEND + 4u), SPI_BIT);
    REG32(GICD_BASE + 0x6000u + (8u * SPI)) = 0u; /* its lower half alone */
    MUST(await(&taken[SPI], 1u));
    MUST_BE(GICD(ISPEND + 4u), 0u);
}

void book_main(void)
{
    start();
    what_it_is();
    by_priority();
    nested();
    grouped();
    two_steps();
    fast_ones();
    absent_targets();
    routed_away();
    all_at_once();
}
