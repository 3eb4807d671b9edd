/* The real-time guest of the demonstration: a task released every millisecond by the virtual timer.
 *
 * Deadline k is first + k * period, absolute: the handler sets the comparator to the next one whatever the
 * time is. A handler that runs late leaves the comparator in the past, and the timer, whose line is a level,
 * interrupts again at once: each deadline has an interrupt of its own, so a late guest catches up one by one
 * and loses none. Lateness is the time from the deadline to the handler's first look at the counter.
 *
 * An expiry was missed if its interrupt never came: the comparator has been past for MARGIN and the guest,
 * interrupts open, has looked at the counter LOOKS times without being interrupted. Only then is it given up,
 * counted with all deadlines that passed meanwhile, and the timer set anew. So that a lost interrupt does not
 * leave the guest asleep, a second timer of lower priority rings when no tick came for two seconds. An
 * interrupt before its deadline is counted too and reported.
 *
 * Every 1000 deadlines a line tells the totals and the worst lateness since the last line. Of input only two
 * letters mean something: i prints that line at once, q powers the domain off. With crash=<n> it jumps to
 * where nothing is, vectors and all, after so many lines. */
#include "guest.h"

#define PERIODS_PER_SECOND 1000u
#define LOOKS              1000u
#define NOWHERE            0xB0000000u /* above all memory; its own map lets it be executed */
#define UART_IMSC          0x38u
#define UART_ICR           0x44u
#define UART_RX_BITS       0x50u /* receive, receive timeout */

static uint64_t frequency;
static uint64_t period;
static volatile uint64_t deadline;
static volatile uint64_t ticks;
static volatile uint64_t worst; /* counter units, since the last line */
static volatile bool watchdog_rang;
static volatile char typed;
static uint64_t missed;
static volatile uint64_t early;

static uint64_t to_ns(uint64_t counts)
{
    return ((counts / frequency) * 1000000000u) + (((counts % frequency) * 1000000000u) / frequency);
}

static void tick(uint32_t intid)
{
    const uint64_t now = timer_now();

    (void)intid;
    if (now < deadline) {
        early++;
    } else {
        if ((now - deadline) > worst) {
            worst = now - deadline;
        }
        ticks++;
        deadline += period;
        timer_virt_set(deadline);
    }
}

static void watchdog(uint32_t intid)
{
    (void)intid;
    watchdog_rang = true;
    timer_phys_stop();
}

static void watchdog_wind(void)
{
    timer_phys_set(timer_phys_now() + (2u * frequency));
}

static void input(uint32_t intid)
{
    char c;

    (void)intid;
    for (uint32_t i = 0u; (i < 64u) && console_get(&c); i++) {
        typed = c;
    }
    mmio_write32(console_base() + UART_ICR, UART_RX_BITS);
}

/* Interrupts are open. Decides whether the deadline that stands now was lost. */
static void look_for_lost(void)
{
    const uint64_t seen = ticks;
    uint32_t looks = 0u;

    while ((ticks == seen) && ((looks < LOOKS) || (timer_now() < (deadline + (frequency / 4u))))) {
        looks++;
    }
    if (ticks == seen) {
        arch_irq_mask();
        const uint64_t lost = ((timer_now() - deadline) / period) + 1u;

        missed += lost;
        deadline += lost * period;
        timer_virt_set(deadline);
        arch_irq_open();
    }
}

static void crash(void)
{
    void (*const nowhere)(void) = (void (*)(void))(uintptr_t)NOWHERE;

    reg_write(vbar_el1, NOWHERE);
    nowhere();
}

static void report(const char *name)
{
    arch_irq_mask();
    const uint64_t late = worst;
    const uint64_t count = ticks;

    worst = 0u;
    arch_irq_open();
    print("RT %s ticks=%U missed=%U worst=%U\n", name, count, missed, to_ns(late));
    if (early != 0u) {
        print("RT %s early=%U\n", name, early);
    }
}

void guest_main(void)
{
    const char *const name = tree_domain_name();
    const char *const crash_after = tree_argument("crash");
    uint32_t lines = (crash_after == NULL) ? 0u : (uint32_t)(crash_after[0] - '0');
    uint64_t next_line;

    frequency = timer_frequency();
    period = frequency / PERIODS_PER_SECOND;
    print("RT %s starts, GICv%u, counter %U Hz\n", name, irq_version(), frequency);
    irq_enable(timer_phys_irq(), IRQ_PRIORITY_LOW, watchdog);
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_HIGH, tick);
    if (console_irq() != 0u) {
        irq_enable(console_irq(), IRQ_PRIORITY_LOW, input);
        mmio_write32(console_base() + UART_IMSC, UART_RX_BITS);
    }
    deadline = timer_now() + period;
    next_line = deadline + (PERIODS_PER_SECOND * period);
    timer_virt_set(deadline);
    watchdog_wind();
    for (;;) {
        /* Masked until asleep, so that what comes between the questions and the sleep still ends it. */
        arch_irq_mask();
        if ((deadline < next_line) && !watchdog_rang && (typed == '\0')) {
            arch_wait();
        }
        arch_irq_open();
        if (watchdog_rang) {
            watchdog_rang = false;
            look_for_lost();
            watchdog_wind();
        }
        if (deadline >= next_line) {
            next_line += PERIODS_PER_SECOND * period;
            report(name);
            watchdog_wind();
            lines--;
            if (lines == 0u) {
                crash();
            }
        }
        if (typed == 'i') {
            report(name);
        }
        if (typed == 'q') {
            print("RT %s off\n", name);
            power_off();
        }
        typed = '\0';
    }
}
