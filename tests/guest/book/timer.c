/* The generic timer by the manual (D11 of DDI 0487): a tick that only moves the comparator and never touches
 * the control register again, on both timers; one that reloads the 32-bit view; a tickless sleeper; and what
 * lies far ahead or behind. */
#include "book.h"

const char book_name[] = "timer";

#define TICKS 100u

static volatile uint32_t virt_ticks;
static volatile uint32_t phys_ticks;
static volatile uint32_t virt_again; /* interrupts that a handler left asserted */
static volatile uint64_t virt_next;
static volatile uint64_t phys_next;
static volatile bool early;
static volatile bool stopped; /* what comes now expired before that, with interrupts closed */
static uint64_t period;

/* What the handlers do. */
static enum { MOVE_CVAL, RELOAD_TVAL, LEAVE_TWICE, MASK } volatile way;

static void virtual_tick(void)
{
    const bool is_due = (READ_SYS(cntv_ctl_el0) & 7u) == 5u; /* enabled, not masked by anybody, met */

    early = early || (!stopped && (!is_due || (now() < virt_next)));
    switch (way) {
    case MOVE_CVAL:
        virt_next += period;
        WRITE_SYS(cntv_cval_el0, virt_next);
        break;
    case RELOAD_TVAL:
        virt_next = now();
        WRITE_SYS(cntv_tval_el0, period);
        break;
    case LEAVE_TWICE:
        virt_again++;
        if (virt_again == 3u) {
            virt_next += ms(1000000u);
            WRITE_SYS(cntv_cval_el0, virt_next);
        }
        break;
    default:
        WRITE_SYS(cntv_ctl_el0, 3u);
        break;
    }
    virt_ticks++;
}

static void physical_tick(void)
{
    early =
        early || (!stopped && (((READ_SYS(cntp_ctl_el0) & 7u) != 5u) || (READ_SYS(cntpct_el0) < phys_next)));
    phys_next += period;
    WRITE_SYS(cntp_cval_el0, phys_next);
    phys_ticks++;
}

void book_irq(struct frame *frame)
{
    const uint32_t token = gic_take();
    const uint32_t id = token & 0x3FFu;

    (void)frame;
    if (id == VIRT_IRQ) {
        virtual_tick();
    } else if (id == PHYS_IRQ) {
        physical_tick();
    } else {
        /* not ours */
    }
    if (id < 1020u) {
        gic_done(token);
    }
}

static void virtual_start(uint64_t at)
{
    WRITE_SYS(cntv_ctl_el0, 0u);
    virt_ticks = 0u;
    virt_next = at;
    stopped = false;
    WRITE_SYS(cntv_cval_el0, at);
    WRITE_SYS(cntv_ctl_el0, 1u);
}

static void physical_start(uint64_t at)
{
    phys_ticks = 0u;
    phys_next = at;
    WRITE_SYS(cntp_cval_el0, at);
    WRITE_SYS(cntp_ctl_el0, 1u);
}

static void stop(void)
{
    stopped = true;
    WRITE_SYS(cntv_ctl_el0, 0u);
    WRITE_SYS(cntp_ctl_el0, 0u);
}

/* Each deadline once, one by one, however late. */
static void only_comparators(void)
{
    const uint64_t virt_first = now() + period;
    const uint64_t phys_first = READ_SYS(cntpct_el0) + (period / 2u);

    way = MOVE_CVAL;
    virtual_start(virt_first);
    physical_start(phys_first);
    MUST(await(&virt_ticks, TICKS));
    MUST(await(&phys_ticks, TICKS));
    MUST_BE(READ_SYS(cntv_ctl_el0) & 3u, 1u);
    MUST_BE(READ_SYS(cntp_ctl_el0) & 3u, 1u);
    irq_close();
    MUST_BE(virt_next, virt_first + (virt_ticks * period));
    MUST_BE(phys_next, phys_first + (phys_ticks * period));
    MUST_BE(READ_SYS(cntv_cval_el0), virt_next);
    MUST_BE(READ_SYS(cntp_cval_el0), phys_next);
    stop();
    settle();
    irq_open();
    MUST(!early);
}

static void only_reloads(void)
{
    way = RELOAD_TVAL;
    virt_ticks = 0u;
    virt_next = now();
    stopped = false;
    WRITE_SYS(cntv_tval_el0, period);
    WRITE_SYS(cntv_ctl_el0, 1u);
    MUST(await(&virt_ticks, 20u));
    stop();
    MUST(!early);
}

/* A level: what the handler leaves asserted comes again as soon as it is ended. */
static void level(void)
{
    way = LEAVE_TWICE;
    virt_again = 0u;
    virtual_start(now() + period);
    MUST(await(&virt_ticks, 3u));
    pause_ms(3u);
    MUST_BE(virt_ticks, 3u);
    MUST_BE(READ_SYS(cntv_ctl_el0), 1u);
    way = MASK;
    virtual_start(now() + period);
    MUST(await(&virt_ticks, 1u));
    pause_ms(3u);
    MUST_BE(virt_ticks, 1u);
    MUST_BE(READ_SYS(cntv_ctl_el0), 7u);
    WRITE_SYS(cntv_ctl_el0, 1u); /* unmasked: it is still asserted */
    MUST(await(&virt_ticks, 2u));
    stop();
    pause_ms(1u);
    MUST_BE(virt_ticks, 2u);
}

static void far_and_near(void)
{
    way = MASK;
    virtual_start(~0ULL); /* never */
    pause_ms(2u);
    MUST_BE(virt_ticks, 0u);
    MUST_BE(READ_SYS(cntv_ctl_el0), 1u);
    virt_next = 0u;
    WRITE_SYS(cntv_cval_el0, 0u); /* long ago */
    MUST(await(&virt_ticks, 1u));
    virtual_start(~0ULL);
    WRITE_SYS(cntv_tval_el0, 0x7FFFFFFFu); /* the farthest that the 32-bit view can say */
    MUST(READ_SYS(cntv_cval_el0) > (now() + 0x70000000u));
    MUST_BE(READ_SYS(cntv_tval_el0) >> 28u, 7u);
    pause_ms(2u);
    MUST_BE(virt_ticks, 0u);
    virt_next = 0u;
    WRITE_SYS(cntv_tval_el0, 0xFFFFFFFFu); /* -1: has passed */
    MUST(await(&virt_ticks, 1u));
    stop();
    MUST_BE(READ_SYS(cntv_ctl_el0), 0u);
    WRITE_SYS(cntp_cval_el0, ~0ULL);
    WRITE_SYS(cntp_ctl_el0, 1u);
    WRITE_SYS(cntp_tval_el0, 0x7FFFFFFFu);
    MUST(READ_SYS(cntp_cval_el0) > (READ_SYS(cntpct_el0) + 0x70000000u));
    WRITE_SYS(cntp_ctl_el0, 3u);
    WRITE_SYS(cntp_tval_el0, 0xFFFFF000u); /* a little while ago */
    MUST_BE(READ_SYS(cntp_ctl_el0), 7u);
    MUST_BE((READ_SYS(cntp_tval_el0) >> 31u) & 1u, 1u);
    stop();
}

/* Tickless: sleeps with interrupts masked, as idle loops do, until each of a list of moments. */
static void tickless(void)
{
    static const uint32_t nap_ms[] = { 1u, 7u, 30u, 2u, 90u };

    way = MASK;
    for (uint32_t i = 0u; i < 5u; i++) {
        const uint64_t at = now() + ms(nap_ms[i]);

        irq_close();
        virtual_start(at);
        while ((READ_SYS(cntv_ctl_el0) & 4u) == 0u) {
            sleep_until_irq();
        }
        MUST(now() >= at);
        MUST_BE(virt_ticks, 0u);
        irq_open();
        MUST(await(&virt_ticks, 1u));
    }
    stop();
}

void book_main(void)
{
    period = ms(2u);
    gic_start();
    gic_enable(VIRT_IRQ, 0x80u);
    gic_enable(PHYS_IRQ, 0x60u);
    irq_open();
    MUST(READ_SYS(cntfrq_el0) >= 1000000u);
    only_comparators();
    only_reloads();
    level();
    far_and_near();
    tickless();
    MUST(!early);
}
