#include "irq/irq.h"

#include "base/log.h"
#include "base/spinlock.h"
#include "hal/upcall.h"

struct irq_handler {
    uint32_t irq;
    void (*handler)(void *ctx);
    void *ctx;
};

static struct irq_handler irq_table[IRQ_HANDLERS_MAX];
static volatile uint32_t irq_nr; /* grows at boot only, after the entry is filled */

/* Bounded by IRQ_HANDLERS_MAX. */
static const struct irq_handler *irq_find(uint32_t irq)
{
    const uint32_t nr = irq_nr;

    for (uint32_t i = 0; i < nr; i++) {
        if (irq_table[i].irq == irq) {
            return &irq_table[i];
        }
    }
    return NULL;
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
    irq_table[nr].irq = irq;
    irq_table[nr].handler = handler;
    irq_table[nr].ctx = ctx;
    irq_nr = nr + 1u;
    return hal_irq_enable(irq, edge);
}

void upcall_irq(uint32_t irq)
{
    const struct irq_handler *entry = irq_find(irq);

    if (entry != NULL) {
        entry->handler(entry->ctx);
    } else {
        /* one line at most: it cannot come again */
        hal_irq_disable(irq);
        log_line("interrupt %u has no handler and is disabled", irq);
    }
}
