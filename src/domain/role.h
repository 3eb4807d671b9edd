/* Who may do what beyond its own domain, and with whom it may share. One table answers for all hypercalls.
 * Roles are the plan's (`capabilities`; the classic dom0 has all three); a domain without any is plain. */
#ifndef DOMAIN_ROLE_H
#define DOMAIN_ROLE_H

#include "domain/domain.h"

enum role_operation {
    ROLE_EVENT,     /* event channels of another domain: allocated, told of, reset */
    ROLE_GRANT,     /* another's grant table: asked about, set up */
    ROLE_MEMORY,    /* another's memory map and reservation */
    ROLE_FOREIGN,   /* another's frames and grant tables appear in the own map without a grant */
    ROLE_PARAM,     /* another's hvm parameters, set */
    ROLE_PARAM_GET, /* ... and read */
    ROLE_SHUTDOWN,  /* another domain is shut down, or its reason changed */
    ROLE_INFO,      /* domctl that only tells of a domain; VIRQ_DOM_EXC */
    ROLE_DOMCTL,    /* any other domctl */
    ROLE_SYSCTL,
    ROLE_PLATFORM, /* platform_op */
    ROLE_CONSOLE,  /* the host's console as it is, VIRQ_CONSOLE, VIRQ_CON_RING */
    ROLE_PHYSDEV,  /* physdev_op: what PCI devices the host has */
    ROLE_VERSION,  /* the hypervisor's command line, how it was made */
    ROLE_OPERATIONS
};

/* The first domain of this role; NULL: there is none. */
struct domain *role_holder(uint32_t role);

bool role_may(const struct domain *domain, enum role_operation operation);

/* May these two have event channels and grants with each other? One that serves all, or the plan says so. */
bool role_may_share(const struct domain *a, const struct domain *b);

/* The domain that a call is about: the caller's own (DOMID_SELF or its number) for anybody, another for who
 * has the role. 0, -XEN_ESRCH or -XEN_EPERM. The other may be in any state. */
HV_MUST_CHECK int64_t role_target(const struct vcpu *vcpu, uint32_t domid, enum role_operation operation,
                                  struct domain **target);

#endif
