/* GICv2 by the manual (IHI 0048B): handlers that open interrupts, priorities and groups of priorities, both
 * ways of ending an interrupt, both groups, and the registers that show and change what is pending and
 * active. One CPU; the first shared interrupt used is 40. */
#include "book.h"

const char book_name[] = "gic2";

#define GICD(offset) REG32(GICD_BASE + (offset))
#define GICC(offset) REG32(GICC_BASE + (offset))

#define CTLR   0x000u
#define TYPER  0x004u
#define SGIR   0xF00u
#define IGROUP 0x080u
#define ISEN   0x100u
#define ICEN   0x180u
#define ISPEND 0x200u
#define ICPEND 0x280u
#define ISACT  0x300u
#define ICACT  0x380u
#define IPRIO  0x400u
#define ITARG  0x800u
#define ICFG   0xC00u
#define CPEND  0xF10u
#define SPEND  0xF20u

#define C_PMR  0x04u
#define C_BPR  0x08u
#define C_IAR  0x0Cu
#define C_EOIR 0x10u
#define C_RPR  0x14u
#define C_HPP  0x18u
#define C_APR  0xD0u
#define C_IIDR 0xFCu
#define C_DIR  0x1000u

#define SPI     40u
#define SPI_BIT (1u << (SPI - 32u))

static volatile uint32_t taken[1024];
static volatile uint32_t last_token;
static void (*volatile on_irq)(uint32_t id);

static void priority(uint32_t id, uint8_t value)
{
    REG8(GICD_BASE + IPRIO + id) = value;
}

static void send_self(uint32_t sgi)
{
    settle();
    GICD(SGIR) = (2u << 24u) | sgi;
}

/* The usual handler: one interrupt, its function with interrupts as it likes, end. */
void book_irq(struct frame *frame)
{
    const uint32_t token = GICC(C_IAR);
    const uint32_t id = token & 0x3FFu;

    (void)frame;
    if (id >= 1020u) {
        return;
    }
    last_token = token;
    taken[id]++;
    if (on_irq != NULL) {
        on_irq(id);
    }
    irq_close();
    GICC(C_EOIR) = token;
}

static void start(void)
{
    const uint32_t lines = 32u * ((GICD(TYPER) & 31u) + 1u);
    volatile uint32_t *at;

    GICD(CTLR) = 0u;
    for (at = &GICD(ICEN); at < &GICD(ICEN + (lines / 8u)); at++) {
        *at = ~0u;
    }
    for (at = &GICD(ICPEND); at < &GICD(ICPEND + (lines / 8u)); at++) {
        *at = ~0u;
    }
    for (at = &GICD(IPRIO); at < &GICD(IPRIO + lines); at++) {
        *at = 0xA0A0A0A0u;
    }
    for (at = &GICD(ITARG + 32u); at < &GICD(ITARG + lines); at++) {
        *at = 0x01010101u;
    }
    for (at = &GICD(ICFG + 8u); at < &GICD(ICFG + (lines / 4u)); at++) {
        *at = 0xAAAAAAAAu;
    }
    GICD(ISEN) = 0xFFFFu;
    GICD(ISEN + 4u) = ~0u;
    GICD(CTLR) = 1u;
    GICC(C_PMR) = 0xFFu;
    GICC(C_BPR) = 0u;
    GICC(CTLR) = 1u;
    settle();
}

static void what_it_is(void)
{
    MUST_BE((GICD(TYPER) >> 5u) & 7u, 0u);
    MUST((GICD(TYPER) & 31u) >= 1u);
    MUST_BE((GICD(0xFE8u) >> 4u) & 15u, 2u);
    MUST_BE((GICC(C_IIDR) >> 16u) & 15u, 2u);
    MUST_BE(GICC(C_PMR), 0xF8u); /* the lowest three bits are not there */
    MUST_BE(GICC(C_BPR), 2u);    /* the least */
    MUST_BE(GICC(C_RPR) & 0xF8u, 0xF8u);
    MUST_BE(GICC(C_HPP) & 0x3FFu, 1023u);
    MUST_BE(GICC(C_IAR) & 0x3FFu, 1023u);
    MUST_BE(GICD(CTLR), 1u);
    MUST_BE(GICD(ITARG), 0x01010101u);
    MUST_BE(GICD(ITARG + SPI), 0x01010101u);
    GICD(ITARG) = 0xFFFFFFFFu; /* read only */
    MUST_BE(GICD(ITARG), 0x01010101u);
    REG8(GICD_BASE + ITARG + SPI) = 0xFEu; /* only CPUs that there are */
    MUST_BE(REG8(GICD_BASE + ITARG + SPI), 0u);
    REG8(GICD_BASE + ITARG + SPI) = 1u;
    MUST_BE(GICD(ICFG) & 0xAAAAAAAAu, 0xAAAAAAAAu); /* SGIs are edges */
    MUST_BE(GICD(ICFG + 8u), 0xAAAAAAAAu);
    MUST_BE(GICD(ISEN) & 0xFFFFu, 0xFFFFu);
}

/* -- Nesting -- */
static volatile uint32_t order[16];
static volatile uint32_t nr_order;
static volatile uint32_t running[4];
static volatile uint32_t back[4];
static volatile uint32_t waiting;
static volatile uint32_t active;
static volatile uint32_t pending;

static void note(uint32_t id)
{
    order[nr_order & 15u] = id;
    nr_order++;
}

/* 1 (0xC0) sends 2 (0x80), which sends 3 (0x40); 3 sends 1, 2 and 4 (0xE0), which have to wait. */
static void nest(uint32_t id)
{
    note(id);
    running[id & 3u] = GICC(C_RPR);
    irq_open();
    if ((id < 3u) && (taken[id] == 1u)) {
        send_self(id + 1u);
        pause_ms(1u);
        back[id & 3u] = GICC(C_RPR);
    } else if (id == 3u) {
        send_self(1u); /* these two are active: pending again they wait for their own end */
        send_self(2u);
        send_self(4u);
        pause_ms(1u);
        waiting = GICC(C_HPP) & 0x3FFu;
        active = GICD(ISACT) & 0x1Eu;
        pending = GICD(ISPEND) & 0x1Eu;
        back[3] = GICC(C_APR);
    } else {
        /* the second time */
    }
    note(id + 100u);
}

static void nested(void)
{
    priority(1u, 0xC0u);
    priority(2u, 0x80u);
    priority(3u, 0x40u);
    priority(4u, 0xE0u);
    taken[1] = 0u;
    taken[2] = 0u;
    taken[3] = 0u;
    on_irq = nest;
    send_self(1u);
    irq_open();
    MUST(await(&taken[4], 1u));
    pause_ms(2u);
    irq_close();
    on_irq = NULL;
    MUST_BE(taken[1], 2u);
    MUST_BE(taken[2], 2u);
    MUST_BE(taken[3], 1u);
    MUST_BE(taken[4], 1u);
    MUST_BE(nr_order, 12u);
    /* in: 1 2 3; out: 3 2, then the second 2 inside 1, out of 1, the second 1, and 4 last of all */
    static const uint32_t right[12] = { 1u, 2u, 3u, 103u, 102u, 2u, 102u, 101u, 1u, 101u, 4u, 104u };
    for (uint32_t i = 0u; i < 12u; i++) {
        MUST_BE(order[i], right[i]);
    }
    MUST_BE(running[3], 0x40u);
    MUST_BE(back[1], 0xC0u);
    MUST_BE(back[2], 0x80u);
    MUST(back[3] != 0u); /* GICC_APR0 shows three active priorities */
    MUST_BE(waiting, 4u);
    MUST_BE(active, 0x0Eu);
    MUST_BE(pending, 0x16u);
    MUST_BE(GICC(C_APR), 0u);
    MUST_BE(GICC(C_RPR) & 0xF8u, 0xF8u);
}

/* 0x80 and 0x90: one group of priorities or two, as the binary point has it. */
static volatile uint32_t came_inside;

static void slow(uint32_t id)
{
    if (id == 1u) {
        irq_open();
        send_self(2u);
        pause_ms(1u);
        came_inside = taken[2];
    }
}

static void binary_point(void)
{
    priority(1u, 0x90u);
    priority(2u, 0x80u);
    on_irq = slow;
    for (uint32_t bpr = 2u; bpr <= 5u; bpr++) {
        GICC(C_BPR) = bpr;
        MUST_BE(GICC(C_BPR), bpr);
        taken[1] = 0u;
        taken[2] = 0u;
        irq_open();
        send_self(1u);
        MUST(await(&taken[2], 1u));
        pause_ms(1u);
        irq_close();
        MUST_BE(came_inside, (bpr <= 3u) ? 1u : 0u);
        MUST_BE(taken[1] + taken[2], 2u);
    }
    GICC(C_BPR) = 0u;
    on_irq = NULL;
}

static void masked(void)
{
    priority(5u, 0x60u);
    taken[5] = 0u;
    GICC(C_PMR) = 0x60u; /* equal is masked */
    irq_open();
    send_self(5u);
    pause_ms(2u);
    MUST_BE(taken[5], 0u);
    MUST_BE(GICD(ISPEND) & 0x20u, 0x20u);
    GICC(C_PMR) = 0x68u;
    MUST(await(&taken[5], 1u));
    irq_close();
    GICC(C_PMR) = 0xFFu;
}

/* -- Ending in two steps -- */
static void two_steps(void)
{
    uint32_t first;
    uint32_t second;

    GICC(CTLR) = 0x201u; /* EOImode */
    MUST_BE(GICC(CTLR) & 0x201u, 0x201u);
    priority(SPI, 0xA0u);
    priority(SPI + 1u, 0xA0u);
    GICD(ISPEND + 4u) = SPI_BIT;
    settle();
    first = GICC(C_IAR);
    MUST_BE(first, SPI);
    GICC(C_EOIR) = first;
    MUST_BE(GICC(C_RPR) & 0xF8u, 0xF8u);
    MUST_BE(GICD(ISACT + 4u), SPI_BIT);
    GICD(ISPEND + 4u) = SPI_BIT; /* active and pending: not again before it is inactive */
    MUST_BE(GICD(ISPEND + 4u), SPI_BIT);
    MUST_BE(GICD(ISACT + 4u), SPI_BIT);
    MUST_BE(GICC(C_IAR), 1023u);
    GICD(ISPEND + 4u) = SPI_BIT << 1u; /* one of the same priority may come */
    settle();
    second = GICC(C_IAR);
    MUST_BE(second, SPI + 1u);
    GICC(C_EOIR) = second;
    MUST_BE(GICD(ISACT + 4u), SPI_BIT * 3u);
    GICC(C_DIR) = first; /* the other way round than they came */
    settle();
    MUST_BE(GICD(ISACT + 4u), SPI_BIT * 2u);
    first = GICC(C_IAR);
    MUST_BE(first, SPI);
    GICC(C_EOIR) = first;
    GICC(C_DIR) = second;
    GICD(ICACT + 4u) = SPI_BIT; /* at the distributor instead of GICC_DIR */
    settle();
    MUST_BE(GICD(ISACT + 4u), 0u);
    MUST_BE(GICC(C_IAR), 1023u);
    GICC(CTLR) = 1u;
}

/* -- Group 1, taken by GICC_AckCtl: QEMU has no GICV_AIAR -- */
static void groups(void)
{
    GICD(IGROUP + 4u) = SPI_BIT;
    MUST_BE(GICD(IGROUP + 4u), SPI_BIT);
    GICD(CTLR) = 3u;
    GICC(CTLR) = 3u;
    GICC(0x1Cu) = 4u; /* GICC_ABPR */
    MUST_BE(GICC(0x1Cu), 4u);
    GICD(ISPEND + 4u) = SPI_BIT;
    settle();
    MUST_BE(GICC(C_IAR), 1022u); /* there is one, of the other group */
    MUST_BE(GICC(C_HPP), 1022u);
    GICC(CTLR) = 7u; /* AckCtl: GICC_IAR takes both */
    settle();
    MUST_BE(GICC(C_IAR), SPI);
    GICC(C_EOIR) = SPI;
    GICD(IGROUP + 4u) = 0u;
    GICC(CTLR) = 1u;
    GICD(CTLR) = 1u;
}

/* -- SGIs by their senders -- */
static void senders(void)
{
    GICD(ISPEND) = 0x80u; /* has no effect on an SGI */
    settle();
    MUST_BE(GICD(ISPEND) & 0xFFFFu, 0u);
    REG8(GICD_BASE + SPEND + 7u) = 0x05u; /* CPUs 0 and 2 */
    settle();
    MUST_BE(GICD(ISPEND) & 0xFFFFu, 0x80u);
    MUST_BE(REG8(GICD_BASE + SPEND + 7u), 5u);
    MUST_BE(REG8(GICD_BASE + CPEND + 7u), 5u);
    MUST_BE(GICD(SPEND + 4u), 0x05000000u);
    REG8(GICD_BASE + CPEND + 7u) = 1u;
    settle();
    MUST_BE(REG8(GICD_BASE + SPEND + 7u), 4u);
    taken[7] = 0u;
    irq_open();
    MUST(await(&taken[7], 1u));
    irq_close();
    MUST_BE(last_token, (2u << 10u) | 7u);
    REG8(GICD_BASE + SPEND + 7u) = 0x0Au; /* 1 and 3: two interrupts */
    taken[7] = 0u;
    irq_open();
    MUST(await(&taken[7], 2u));
    pause_ms(1u);
    irq_close();
    MUST_BE(taken[7], 2u);
    MUST_BE(last_token, (3u << 10u) | 7u);
    REG8(GICD_BASE + SPEND + 7u) = 0xFFu;
    REG8(GICD_BASE + CPEND + 7u) = 0xFFu;
    settle();
    MUST_BE(GICD(ISPEND) & 0xFFFFu, 0u);
    MUST_BE(GICC(C_IAR), 1023u);
}

/* -- More at once than any list of a CPU interface holds -- */
static void crowd(uint32_t id)
{
    note(id);
}

static void all_at_once(void)
{
    for (uint32_t id = 32u; id < 64u; id++) { /* the higher the number, the more urgent */
        priority(id, (uint8_t)((63u - id) * 8u));
        taken[id] = 0u;
    }
    nr_order = 0u;
    for (uint32_t i = 0u; i < 16u; i++) {
        order[i] = 0u;
    }
    on_irq = crowd;
    GICC(C_PMR) = 0xFFu;
    GICD(ISPEND + 4u) = ~0u;
    MUST_BE(GICD(ISPEND + 4u), ~0u);
    irq_open();
    MUST(await(&taken[33], 1u));
    irq_close();
    on_irq = NULL;
    for (uint32_t id = 33u; id < 64u;
         id++) { /* 32's priority is the lowest of all, which GICC_PMR never lets by */
        MUST_BE(taken[id], 1u);
    }
    for (uint32_t i = 0u; i < 15u; i++) {
        MUST_BE(order[(16u + i) & 15u], 63u - 16u - i);
    }
    MUST_BE(taken[32], 0u);
    GICD(ICPEND + 4u) = ~0u;
    MUST_BE(GICD(ISPEND + 4u), 0u);
    MUST_BE(GICD(ISACT + 4u), 0u);
}

/* Enabled while pending, disabled while active, pended by software while a level. */
static void on_and_off(void)
{
    priority(SPI, 0xA0u);
    GICD(ICEN + 4u) = SPI_BIT;
    GICD(ISPEND + 4u) = SPI_BIT;
    settle();
    MUST_BE(GICC(C_IAR), 1023u);
    GICD(ISEN + 4u) = SPI_BIT;
    settle();
    MUST_BE(GICC(C_IAR), SPI);
    GICD(ICEN + 4u) = SPI_BIT;
    GICD(ISPEND + 4u) = SPI_BIT;
    GICC(C_EOIR) = SPI;
    settle();
    MUST_BE(GICC(C_IAR), 1023u);
    MUST_BE(GICD(ISPEND + 4u), SPI_BIT);
    GICD(ICFG + 8u) = 0u; /* levels */
    GICD(ICPEND + 4u) = SPI_BIT;
    GICD(ISEN + 4u) = SPI_BIT;
    GICD(ISPEND + 4u) = SPI_BIT;
    settle();
    MUST_BE(GICC(C_IAR), SPI);
    MUST_BE(GICD(ISPEND + 4u), 0u);
    GICC(C_EOIR) = SPI;
    settle();
    MUST_BE(GICC(C_IAR), 1023u);
    GICD(ICFG + 8u) = 0xAAAAAAAAu;
    GICD(CTLR) = 0u; /* nothing is forwarded */
    GICD(ISPEND + 4u) = SPI_BIT;
    settle();
    MUST_BE(GICC(C_IAR), 1023u);
    GICD(CTLR) = 1u;
    settle();
    MUST_BE(GICC(C_IAR), SPI);
    GICC(C_EOIR) = SPI;
}

void book_main(void)
{
    start();
    what_it_is();
    nested();
    binary_point();
    masked();
    two_steps();
    groups();
    senders();
    on_and_off();
    all_at_once();
}
