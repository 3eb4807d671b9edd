/* Lines of emulated devices, and later of physical ones, into a domain: held to the rate that its plan
 * allows. */
#ifndef VIRQ_VIRQ_H
#define VIRQ_VIRQ_H

#include "domain/domain.h"

/* Once, before the domain is built for the first time. */
void virq_setup(struct domain *domain);
/* The devices are gone: nothing waits any more, and the next start begins with the whole rate. */
void virq_reset(struct domain *domain);

/* The level of a device's line changed. Rises beyond bulkhead,max-irq-rate wait; one whose line falls
 * meanwhile is dropped. Any context; LOCK_VDEV may be held. */
void virq_set_line(struct domain *domain, uint32_t intid, bool level);

#endif
