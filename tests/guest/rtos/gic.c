/* Interrupts and timers as an RTOS's drivers use them. */
#include "rtos.h"

#define SGI_A   3u
#define SGI_FIQ 5u
#define CNTV    27u
#define CNTP    30u

volatile uint32_t irq_count[64];
volatile uint32_t fiq_count;
static uint64_t cntp_next;
static uint32_t period;

uint32_t *rtos_on_fiq(uint32_t *state);
bool rtos_interrupt(void);

void gic_enable(uint32_t intid)
{
    REG32(GICR_SGI + 0x100u) = 1u << intid;
}

void gic_disable(uint32_t intid)
{
    REG32(GICR_SGI + 0x180u) = 1u << intid;
    while ((REG32(GICR_BASE) & 8u) != 0u) {
        /* RWP */
    }
}

/* True: tasks change. */
bool rtos_interrupt(void)
{
    const uint32_t intid = GET(0, 12, 12, 0) & 0xffffffu; /* ICC_IAR1 */
    bool is_tick = false;

    if (intid < 64u) {
        irq_count[intid]++;
    }
    if (intid == CNTP) {
        cntp_next += period;
        SET64(2, 14, cntp_next); /* CNTP_CVAL */
        is_tick = true;
    } else if (intid == CNTV) {
        SET(0, 14, 3, 0, period); /* CNTV_TVAL */
    }
    __asm__ volatile("dsb");
    if (intid < 1020u) {
        SET(0, 12, 12, 1, intid); /* ICC_EOIR1 */
    }
    return is_tick;
}

uint32_t *rtos_on_fiq(uint32_t *state)
{
    const uint32_t intid = GET(0, 12, 8, 0); /* ICC_IAR0 */

    fiq_count += (intid == SGI_FIQ) ? 1u : 0x100u;
    SET(0, 12, 8, 1, intid);
    return state;
}

void gic_begin(void)
{
    REG32(GICD_BASE) = 2u; /* group 1; affinity routing cannot be off, says the core's manual */
    while ((REG32(GICD_BASE) & 0x80000000u) != 0u) {
        /* RWP */
    }
    REG32(GICR_BASE + 0x14u) &= ~2u;
    while ((REG32(GICR_BASE + 0x14u) & 4u) != 0u) {
        /* ChildrenAsleep */
    }
    REG32(GICR_SGI + 0x180u) = 0xffffffffu;
    REG32(GICR_SGI + 0x280u) = 0xffffffffu;
    REG32(GICR_SGI + 0x80u) = 0xffffffffu;
    REG32(GICR_SGI + 0xd00u) = 0xffffffffu; /* IGROUPMODR */
    REG32(GICR_SGI + 0xc04u) = 0u;
    if ((GET(0, 12, 12, 5) & 1u) == 0u) {
        SET(0, 12, 12, 5, 7u); /* ICC_SRE */
    }
    SET(0, 4, 6, 0, 0xf0u);                     /* ICC_PMR */
    SET(0, 12, 12, 3, 0u);                      /* ICC_BPR1 */
    SET(0, 12, 12, 4, GET(0, 12, 12, 4) & ~2u); /* ICC_CTLR: EOI drops and deactivates */
    SET(0, 12, 12, 7, 1u);                      /* ICC_IGRPEN1 */
}

static void sgi(uint32_t intid)
{
    SET64(0, 12, ((uint64_t)intid << 24u) | 1u); /* ICC_SGI1R */
}

static void sgi_check(void)
{
    uint32_t seen = irq_count[SGI_A];

    gic_enable(SGI_A);
    sgi(SGI_A);
    tell("pending", (GET(0, 12, 12, 2) & 0xffffffu) == SGI_A, GET(0, 12, 12, 2)); /* ICC_HPPIR1 */
    __asm__ volatile("wfi"); /* wakes although interrupts are masked */
    irq_open();
    irq_close();
    tell("sgi", irq_count[SGI_A] == (seen + 1u), irq_count[SGI_A]);
    SET(0, 4, 6, 0, 0x20u);
    sgi(SGI_A);
    irq_open();
    irq_close();
    tell("priority-mask", irq_count[SGI_A] == (seen + 1u), irq_count[SGI_A]);
    SET(0, 4, 6, 0, 0xf0u);
    irq_open();
    irq_close();
    tell("unmasked", irq_count[SGI_A] == (seen + 2u), irq_count[SGI_A]);
    tell("running-priority", GET(0, 12, 11, 3) == 0xffu, GET(0, 12, 11, 3)); /* ICC_RPR */
}

static void fiq_check(void)
{
    REG32(GICR_SGI + 0x80u) &= ~(1u << SGI_FIQ);
    REG32(GICD_BASE) = 3u;
    SET(0, 12, 12, 6, 1u); /* ICC_IGRPEN0 */
    gic_enable(SGI_FIQ);
    SET64(2, 12, ((uint64_t)SGI_FIQ << 24u) | 1u); /* ICC_SGI0R */
    irq_open();
    irq_close();
    tell("group-0-is-fiq", fiq_count == 1u, fiq_count);
}

void gic_check(void)
{
    const uint32_t ctlr = REG32(GICD_BASE);
    uint32_t typer[2];
    uint64_t pair;
    uint32_t sum = 0u;

    tell("gicd-ctlr", (ctlr & 0x52u) == 0x52u, ctlr); /* DS, ARE, group 1 */
    tell("gicd-pidr2", (REG32(GICD_BASE + 0xffe8u) & 0xf0u) == 0x30u, REG32(GICD_BASE + 0xffe8u));
    rtos_pair_arm(GICR_BASE + 8u, typer);
    tell("gicr-typer-pair-arm", (typer[1] == 0u) && (typer[0] == REG32(GICR_BASE + 8u)), typer[0]);
    __asm__ volatile("ldrd %Q0, %R0, [%1]" : "=r"(pair) : "r"(GICR_BASE + 8u));
    tell("gicr-typer-pair-thumb", (uint32_t)pair == typer[0], (uint32_t)pair);
    rtos_fill_arm(GICR_SGI + 0x400u, 0xa0a0a0a0u, 8u);
    for (uint32_t n = 0u; n < 8u; n++) {
        sum += (REG32(GICR_SGI + 0x400u + (4u * n)) == 0xa0a0a0a0u) ? 1u : 0u;
    }
    tell("moving-base-arm", sum == 8u, sum);
    __asm__ volatile("1:\tstr %1, [%0], #4\n\tsubs %2, %2, #1\n\tbne 1b"
                     : "+r"((uint32_t){ GICR_SGI + 0x400u }), "+r"((uint32_t){ 0x80808080u }),
                       "+r"((uint32_t){ 8u })
                     :
                     : "cc", "memory");
    tell("moving-base-thumb", REG32(GICR_SGI + 0x41cu) == 0x80808080u, REG32(GICR_SGI + 0x41cu));
    *(volatile uint8_t *)(uintptr_t)(GICR_SGI + 0x400u + CNTP) = 0x60u;
    sgi_check();
    fiq_check();
}

/* A thousand ticks a second, thirty of them, by compare value or by timer value. */
static void timer_check(const char *what, uint32_t intid)
{
    const uint64_t begin = GET64(0, 14); /* CNTPCT */
    const uint32_t seen = irq_count[intid];
    const uint64_t limit = begin + (GET(0, 14, 0, 0) * 10ULL);
    uint64_t took;

    gic_enable(intid);
    if (intid == CNTP) {
        cntp_next = begin + period;
        SET64(2, 14, cntp_next);
        SET(0, 14, 2, 1, 1u); /* CNTP_CTL */
    } else {
        SET(0, 14, 3, 0, period);
        SET(0, 14, 3, 1, 1u);
    }
    irq_open();
    while (((irq_count[intid] - seen) < 30u) && (GET64(0, 14) < limit)) {
        __asm__ volatile("wfi");
    }
    irq_close();
    took = GET64(0, 14) - begin;
    if (intid == CNTP) {
        SET(0, 14, 2, 1, 0u);
    } else {
        SET(0, 14, 3, 1, 0u);
    }
    gic_disable(intid);
    tell(what, ((irq_count[intid] - seen) >= 30u) && (took >= (period * 30ULL)), irq_count[intid] - seen);
}

void timers_check(void)
{
    period = GET(0, 14, 0, 0) / 1000u; /* CNTFRQ */
    tell("cntfrq", period != 0u, period);
    SET(0, 14, 1, 0, 3u); /* CNTKCTL: both counters for EL0 */
    tell("counters-run", GET64(0, 14) != GET64(0, 14), 0u);
    tell("virtual-counter", GET64(1, 14) <= GET64(0, 14), 0u);
    timer_check("physical-timer", CNTP);
    timer_check("virtual-timer", CNTV);
}
