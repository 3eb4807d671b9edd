/* The watchdogs that a domain has by hypercall (SCHEDOP_watchdog): when one is not set again in time the
 * domain is done with. */
#ifndef VDEV_PV_WATCHDOG_H
#define VDEV_PV_WATCHDOG_H

#include "domain/domain.h"

/* The call's result: number 0 takes one that is free, seconds 0 gives one back. expired() comes with no lock
 * held, on any CPU, in the same life. The domain runs; interrupts masked. */
int64_t pv_watchdog_set(struct domain *domain, uint32_t number, uint32_t seconds,
                        void (*expired)(struct domain *domain));
/* None is left on return. No vCPU of the domain runs. */
void pv_watchdog_end(struct domain *domain);

#endif
