/* domctl: the life of a domain. [impl->req~toolstack~1] */
#include "hcall/control/hcall_control.h"

#include "build/build.h"

static int64_t pause(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    const bool paused = (op->cmd == XEN_DOMCTL_PAUSE);

    return ((domain != vcpu->domain) && build_pause(domain, paused)) ? 0 : -XEN_EINVAL;
}

const struct hcall_domctl_rule hcall_domctl_life[] = {
    { pause, XEN_DOMCTL_PAUSE, ROLE_DOMCTL, false },
    { pause, XEN_DOMCTL_UNPAUSE, ROLE_DOMCTL, false },
    { NULL, 0u, ROLE_DOMCTL, false },
};
