/* An emulated SBSA Generic Watchdog, revision 1 (Arm DEN0029, DEN0094): the first expiry raises an interrupt,
 * the second without a refresh in between is the domain's end. It counts as hal_domain_counter() does. */
#ifndef VDEV_WATCHDOG_H
#define VDEV_WATCHDOG_H

#include "domain/domain.h"

#define WATCHDOG_WINDOW_BYTES (2u * PAGE_BYTES) /* refresh frame, then control frame */

struct watchdog {
    struct timer timer; /* first */
    struct spinlock lock;
    struct domain *domain; /* NULL: none runs with it */
    void (*expired)(struct domain *domain);
    uint32_t irq;
    uint32_t status;  /* WCS */
    uint64_t offset;  /* WOR, ticks */
    uint64_t compare; /* WCV */
    uint64_t fired_ns;
    bool line;                /* the level last driven */
    volatile uint32_t ending; /* CPUs that are about to call expired(), or do: no new life meanwhile */
};

/* Once, before anything else. */
void watchdog_setup(struct watchdog *watchdog);
/* Reset; registers appear at `base` of the domain, which does not run yet. Enabled if the plan says so.
 * expired(): the second expiry, with no lock held, interrupts masked, on any CPU. HV_LIMIT, HV_EXISTS. */
HV_MUST_CHECK enum hv_status watchdog_attach(struct watchdog *watchdog, struct domain *domain, gpa_t base,
                                             uint32_t irq, void (*expired)(struct domain *domain));
/* The domain does not run any more. Harmless if nothing is attached. */
void watchdog_detach(struct watchdog *watchdog);
/* The domain runs from now on, newly started or resumed: it has at least a whole period. Any context. */
void watchdog_begin(struct watchdog *watchdog);

#endif
