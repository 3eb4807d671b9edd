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

#define EVTCHN_PORTS_MAX 4096u /* of one with a role (PLAN_ROLE_), PLAN_PORTS of others; port 0 is none */

/* Pages of the heap that evtchn_setup() takes; 0 for a domain without channels. */
uint32_t evtchn_pages(const struct plan_domain *plan);
/* Boot, before any domain is prepared; the plan stays. */
void evtchn_init(const struct plan *plan);
/* Boot, once for each domain, with its vCPUs. domain->events stays NULL if it has no channels.
 * HV_NO_MEMORY. */
HV_MUST_CHECK enum hv_status evtchn_setup(struct domain *domain);

/* Worker context, no vCPU of the domain runs. The domain is (again) as after its first start: 2-level, no
 * ports but those of static channels, nothing pending. From now on it can be sent to. */
void evtchn_begin(struct domain *domain);
/* Worker context; the domain is about to run: both ends of its static channels are raised. */
void evtchn_announce(struct domain *domain);
/* Worker context; no vCPU of the domain runs. Peers' ends of its channels are unbound from now on and those
 * of static ones raised. Harmless for a domain that is down. */
void evtchn_domain_reset(struct domain *domain);

/* That number is nobody's any more: a port that waited for it waits for nobody. Worker context; calls
 * breathe() in between. */
void evtchn_forget(domid_t domid, void (*breathe)(void));

/* Raises a port of a domain, as a send from the other end does. Any context, no lock above LOCK_EVTCHN held;
 * nothing if the domain is down or has no such port. */
void evtchn_raise(struct domain *domain, uint32_t port);

/* Raises the port of the domain that is bound to a virtual interrupt of the whole domain (VIRQ_), as
 * evtchn_raise() does; nothing if there is none. Who it is for, the caller knows. */
void evtchn_virq_raise(struct domain *domain, uint32_t virq);

/* The time of day, in ns since 1970, when this domain's counter was 0: all domains are told of it. */
void evtchn_clock_set(const struct domain *by, uint64_t ns);

/* ... which this domain is told with so many seconds added, for the rest of this life. */
void evtchn_clock_shift(struct domain *domain, uint64_t seconds);

/* A byte of the console's input for the domain, which reads it by hypercall and is told by VIRQ_CONSOLE.
 * False: it does not, having a UART. Any context, no lock above LOCK_EVTCHN held. */
bool evtchn_console_receive(struct domain *domain, uint8_t byte);
/* At most `room` of these; the domain reads so from now on. Interrupts masked. */
uint32_t evtchn_console_read(struct domain *domain, uint8_t *to, uint32_t room);

/* The port that the domain finds bound, or to be bound, to this server in each of its lives; 0: it has none.
 * Once bound it stays so over the domain's lives, until either end is closed; the other end is raised when a
 * life ends, and when the next is about to run. */
uint32_t evtchn_server_port(const struct domain *domain, enum domain_server server);

/* Who hears instead of the guest what is sent to its ports of the hypervisor's (an emulated console's).
 * Called in the sender's context, no lock held, also when the domain is down. NULL: nobody. */
void evtchn_divert(struct domain *domain, void (*hear)(struct domain *domain));
/* A new one of these, for that domain to bind to. 0, or -XEN_ENOSPC, -XEN_ESRCH. */
int64_t evtchn_offer(struct domain *domain, domid_t to, uint32_t *port);
/* Raises the other end of such a port, as evtchn_raise() does. False: there is none. */
bool evtchn_tell_other(const struct domain *domain, uint32_t port);
/* Is there one? Any context. */
bool evtchn_has_other(const struct domain *domain, uint32_t port);

/* The other end of a port while both domains are up; static: as the plan has it. False: there is none. For
 * reports. */
bool evtchn_other_end(const struct domain *domain, uint32_t port, const struct domain **peer,
                      uint32_t *peer_port, bool *is_static);

/* -- For hypercalls: the calling vCPU, interrupts masked, no lock held. Results are Xen's: >= 0 or -XEN_E...
 * -- */
/* The EVTCHNOP_: bytes of the argument that come in, and go out after a success. act: NULL if there is no
 * such thing here; the vCPU's domain has event channels. */
#define EVTCHN_AGAIN 1 /* not done yet: the guest makes the same call once more */
struct evtchn_operation {
    int64_t (*act)(struct vcpu *vcpu, union xen_evtchn_op *arg);
    uint8_t in;
    uint8_t out;
};
extern const struct evtchn_operation evtchn_operations[EVTCHNOPS];
/* The most frequent of these */
int64_t evtchn_send(struct vcpu *vcpu, uint32_t number);
int64_t evtchn_register_vcpu_info(struct vcpu *vcpu, uint64_t index,
                                  const struct xen_register_vcpu_info *arg);
/* The shared_info page appears at gfn. */
int64_t evtchn_map_shared_info(struct domain *domain, uint64_t gfn);
/* Waits until one of the ports is pending, at the latest until timeout_ns of the guest's counter (0: for
 * ever); may end early. */
int64_t evtchn_poll(struct vcpu *vcpu, const uint32_t *port, uint32_t nr_ports, uint64_t timeout_ns);

#endif
