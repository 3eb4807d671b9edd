/* An emulated UART: Arm's SBSA UART, with the other PL011 registers (Arm DDI 0183) accepted and without
 * effect. A character that is sent goes to the domain's console at once if that takes it, and waits in a FIFO
 * of 32 otherwise; received ones wait in another. It may be led to tools of a control domain: as long as one
 * of them serves its ring, that takes what is sent, and what comes there is received, too. */
#ifndef VDEV_VPL011_H
#define VDEV_VPL011_H

#include "domain/domain.h"
#include "vdev/console_ring.h"

#define VPL011_FIFO         32u
#define VPL011_PLAIN_REGS   19u
#define VPL011_WINDOW_BYTES PAGE_BYTES

/* Who is at the other end of a ring: evtchn/ */
struct vpl011_ends {
    bool (*is_there)(const struct domain *domain, uint32_t port);
    bool (*tell)(const struct domain *domain, uint32_t port);
};

struct vpl011 {
    struct spinlock lock;
    struct domain *domain; /* NULL: no domain runs on it, what is received is dropped */
    uint32_t irq;
    bool line;                  /* the level last driven */
    bool overrun;               /* characters were lost since the last one was stored */
    uint16_t fifo[VPL011_FIFO]; /* as DR shows them */
    uint32_t head;
    uint32_t count;
    uint8_t tx[VPL011_FIFO];
    uint32_t tx_head;
    uint32_t tx_count;
    uint64_t tx_lost;                  /* written although TXFF said no */
    uint32_t mask;                     /* IMSC */
    uint32_t latched;                  /* TXRIS, OERIS: set by events, cleared by ICR */
    uint32_t errors;                   /* RSR */
    uint16_t plain[VPL011_PLAIN_REGS]; /* by offset / 4: registers that do nothing */
    struct console_ring ring;          /* page NULL: it is led nowhere; fixed while attached */
    uint32_t port;
    const struct vpl011_ends *ends;
};

/* Once, before anything else. */
void vpl011_setup(struct vpl011 *uart);
/* Before it is attached: this page and port lead to tools. NULL: nothing does any more. */
void vpl011_lead(struct vpl011 *uart, struct xen_console_ring *page, uint32_t port,
                 const struct vpl011_ends *ends);
/* Reset; registers appear at `base` of the domain, which does not run yet. HV_LIMIT, HV_EXISTS. */
HV_MUST_CHECK enum hv_status vpl011_attach(struct vpl011 *uart, struct domain *domain, gpa_t base,
                                           uint32_t irq);
/* The domain does not run any more; it forgets its windows itself. Harmless if nothing is attached. */
void vpl011_detach(struct vpl011 *uart);

/* A character for the guest: the receiver of the domain's console. ctx: the struct vpl011. Any context. */
void vpl011_receive(void *ctx, uint8_t c);
/* The domain's console takes more again. */
void vpl011_transmit(void *ctx);
/* The other end of the ring has read, written, come or gone. Any context, no lock of LOCK_EVTCHN or above. */
void vpl011_hear(struct vpl011 *uart);

#endif
