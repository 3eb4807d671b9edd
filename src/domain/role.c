/* [impl->req~roles~1] [impl->req~silo~1] */
#include "domain/role.h"

#define CONTROL  PLAN_ROLE_CONTROL
#define HARDWARE PLAN_ROLE_HARDWARE
#define XENSTORE PLAN_ROLE_XENSTORE

/* Any of these roles may. */
static const uint8_t table[ROLE_OPERATIONS] = {
    [ROLE_EVENT] = CONTROL,    [ROLE_GRANT] = CONTROL,           [ROLE_MEMORY] = CONTROL,
    [ROLE_FOREIGN] = CONTROL,  [ROLE_PARAM] = CONTROL,           [ROLE_PARAM_GET] = CONTROL | XENSTORE,
    [ROLE_SHUTDOWN] = CONTROL, [ROLE_INFO] = CONTROL | XENSTORE, [ROLE_DOMCTL] = CONTROL,
    [ROLE_SYSCTL] = CONTROL,   [ROLE_PLATFORM] = CONTROL,        [ROLE_CONSOLE] = CONTROL | HARDWARE,
    [ROLE_PHYSDEV] = HARDWARE, [ROLE_VERSION] = CONTROL,
};

struct domain *role_holder(uint32_t role)
{
    struct domain *found = NULL;

    for (uint32_t i = 0; (i < domain_count) && (found == NULL); i++) {
        if ((domain_table[i]->plan->role & role) != 0u) {
            found = domain_table[i];
        }
    }
    return found;
}

bool role_may(const struct domain *domain, enum role_operation operation)
{
    return (domain->plan->role & table[operation]) != 0u;
}

bool role_may_share(const struct domain *a, const struct domain *b)
{
    const uint32_t serves = PLAN_ROLE_CONTROL | PLAN_ROLE_XENSTORE;

    return (a == b) || (((a->plan->role | b->plan->role) & serves) != 0u) ||
           ((a->plan->peers & BIT32(b->index)) != 0u);
}

int64_t role_target(const struct vcpu *vcpu, uint32_t domid, enum role_operation operation,
                    struct domain **target)
{
    struct domain *const self = vcpu->domain;

    *target = (domid == XEN_DOMID_SELF) ? self : domain_by_id(domid);
    return (*target == NULL)                                   ? -XEN_ESRCH
           : ((*target != self) && !role_may(self, operation)) ? -XEN_EPERM
                                                               : 0;
}
