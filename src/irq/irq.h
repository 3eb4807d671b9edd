/* Handlers of the hypervisor's own interrupts. */
#ifndef IRQ_IRQ_H
#define IRQ_IRQ_H

#include "hal/irq.h"

#define IRQ_HANDLERS_MAX 32u

/* In a window an interrupt gets so many times, and about so much of the CPU's time; then it is masked for a
 * pause. A UART of 3 Mbaud with a FIFO of 16 comes less often. */
#define IRQ_WINDOW_NS       10000000ULL
#define IRQ_WINDOW_SPENT_NS 2000000ULL
#define IRQ_WINDOW_MAX      200u
#define IRQ_PAUSE_NS        8000000ULL

/* A shared interrupt, for this CPU. Boot only. handler runs with interrupts masked. HV_LIMIT, HV_EXISTS. */
HV_MUST_CHECK enum hv_status irq_register(uint32_t irq, bool edge, void (*handler)(void *ctx), void *ctx);

/* Has it a handler? It may be masked for a pause all the same. */
bool irq_is_handled(uint32_t irq);

/* This CPU takes what a CPU took that has stopped for good. */
void irq_adopt(cpuid_t from);

#endif
