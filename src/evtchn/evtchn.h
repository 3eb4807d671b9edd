/* Event channels of the domains that have Xen's interface (xen,enhanced): ports, the two ABIs of pending
 * words, delivery. All memory of a domain's channels is set aside at boot and stays its own for good: who
 * still sends to a life that ended writes into that memory and nothing else, so sending needs no lock for it.
 * Events are hints: a guest may find one that nobody sent.
 *
 * A static channel (xen,evtchn-v1) outlives its ends. While one end's domain is down its peer's port is
 * unbound and what is sent to it is dropped; when an end goes down, and when it is there again, the other
 * end's port is raised. Whoever comes back finds its own static ports raised as well. */
#ifndef EVTCHN_EVTCHN_H
#define EVTCHN_EVTCHN_H

#include "domain/domain.h"

#define EVTCHN_PORTS PLAN_PORTS /* with port 0, which is none */

/* Pages of the heap that evtchn_setup() takes; 0 for a domain without channels. */
uint32_t evtchn_pages(const struct plan_domain *plan);
/* Boot, before any domain is built. domain->events stays NULL for a domain without channels. HV_NO_MEMORY. */
HV_MUST_CHECK enum hv_status evtchn_setup(struct domain *domain, const struct plan *plan);

/* Worker context, no vCPU of the domain runs. The domain is (again) as after its first start: 2-level, no
 * ports but those of static channels, nothing pending. From now on it can be sent to. */
void evtchn_begin(struct domain *domain);
/* Worker context; the domain is about to run: both ends of its static channels are raised. */
void evtchn_announce(struct domain *domain);
/* Worker context; no vCPU of the domain runs. Peers' ends of its channels are unbound from now on and those
 * of static ones raised. Harmless for a domain that is down. */
void evtchn_domain_reset(struct domain *domain);

/* Raises a port of a domain, as a send from the other end does. Any context, no lock above LOCK_EVTCHN held;
 * nothing if the domain is down or has no such port. */
void evtchn_raise(struct domain *domain, uint32_t port);

#endif
