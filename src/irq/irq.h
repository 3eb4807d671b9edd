/* Handlers of the hypervisor's own interrupts. */
#ifndef IRQ_IRQ_H
#define IRQ_IRQ_H

#include "hal/irq.h"
#include "lib/status.h"

#define IRQ_HANDLERS_MAX 32u

/* Boot only. handler runs with interrupts masked. HV_LIMIT, HV_EXISTS. */
HV_MUST_CHECK enum hv_status irq_register(uint32_t irq, bool edge, void (*handler)(void *ctx), void *ctx);

#endif
