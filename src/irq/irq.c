/* [impl->dsn~irq-bounded~1] */
#include "irq/irq.h"

#include "base/log.h"
#include "base/percpu.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "time/timer.h"

#define IRQ_PAUSES_SAID 16u /* a few may have been a burst; then the log tells with each power of two */

struct irq_handler {
    struct timer timer; /* first; ends a pause */
    uint32_t irq;
    bool edge;
    cpuid_t cpu; /* who takes it */
    void (*handler)(void *ctx);
    void *ctx;
    /* of the CPU that takes it */
    uint64_t window_ns; /* when the window began */
    uint64_t spent_ns;  /* in its handler, in this window */
    uint32_t nr;        /* how often it came in this window */
    uint32_t nr_pauses;
};

static struct irq_handler irq_table[IRQ_HANDLERS_MAX];
static volatile uint32_t irq_nr; /* grows at boot only, after the entry is filled */

/* Bounded by IRQ_HANDLERS_MAX. */
static struct irq_handler *irq_find(uint32_t irq)
{
    const uint32_t nr = irq_nr;

    for (uint32_t i = 0; i < nr; i++) {
        if (irq_table[i].irq == irq) {
            return &irq_table[i];
        }
    }
    return NULL;
}

bool irq_is_handled(uint32_t irq)
{
    return irq_find(irq) != NULL;
}

static void irq_begin_window(struct irq_handler *entry, uint64_t now_ns)
{
    entry->window_ns = now_ns;
    entry->spent_ns = 0u;
    entry->nr = 0u;
}

/* The pause is over. On the CPU that takes the interrupt, so it goes on being delivered there. */
static void irq_resume(struct timer *timer)
{
    struct irq_handler *entry = (struct irq_handler *)(void *)timer;
    const uint32_t n = entry->nr_pauses + 1u;

    entry->nr_pauses = n;
    irq_begin_window(entry, hal_timer_now_ns());
    if ((hal_irq_enable(entry->irq, entry->edge) == HV_OK) && (n >= IRQ_PAUSES_SAID) &&
        ((n & (n - 1u)) == 0u)) {
        log_line("interrupt %u comes too often: masked for a moment %u times so far", entry->irq, n);
    }
}

enum hv_status irq_register(uint32_t irq, bool edge, void (*handler)(void *ctx), void *ctx)
{
    const uint32_t nr = irq_nr;

    if (irq_find(irq) != NULL) {
        return HV_EXISTS;
    }
    if (nr == IRQ_HANDLERS_MAX) {
        return HV_LIMIT;
    }
    timer_setup(&irq_table[nr].timer, irq_resume);
    irq_table[nr].irq = irq;
    irq_table[nr].edge = edge;
    irq_table[nr].cpu = cpu_id();
    irq_table[nr].handler = handler;
    irq_table[nr].ctx = ctx;
    irq_nr = nr + 1u;
    return hal_irq_enable(irq, edge);
}

void irq_adopt(cpuid_t from)
{
    hal_irq_adopt(from);
    for (uint32_t i = 0; i < irq_nr; i++) {
        if (irq_table[i].cpu == from) {
            irq_table[i].cpu = cpu_id();
            if (hal_irq_enable(irq_table[i].irq, irq_table[i].edge) != HV_OK) {
                log_line("interrupt %u does not come any more", irq_table[i].irq);
            }
        }
    }
}

/* A source that screams gets what a window allows; the rest of the CPU's time is its guests'. */
static void irq_handle(struct irq_handler *entry)
{
    const uint64_t now_ns = hal_timer_now_ns();

    if ((now_ns - entry->window_ns) >= IRQ_WINDOW_NS) {
        irq_begin_window(entry, now_ns);
    }
    entry->handler(entry->ctx);
    const uint64_t end_ns = hal_timer_now_ns();

    entry->spent_ns += end_ns - now_ns;
    entry->nr++;
    if ((entry->nr >= IRQ_WINDOW_MAX) || (entry->spent_ns >= IRQ_WINDOW_SPENT_NS)) {
        hal_irq_disable(entry->irq);
        timer_arm(&entry->timer, end_ns + IRQ_PAUSE_NS);
    }
}

void upcall_irq(uint32_t irq)
{
    struct irq_handler *entry = irq_find(irq);

    if (entry != NULL) {
        percpu_hold(); /* it stays active until its handler is done */
        irq_handle(entry);
        percpu_drop();
    } else {
        /* one line at most: it cannot come again */
        hal_irq_disable(irq);
        log_line("interrupt %u has no handler and is disabled", irq);
    }
}
