/* platform_op: the control domain tells the time of day. [impl->req~wall-clock~1] */
#include "hcall/hcall.h"

#include "evtchn/evtchn.h"

#define NS_PER_S 1000000000ULL

int64_t hcall_platform_op(struct vcpu *vcpu, uint64_t *arg)
{
    struct xen_platform_settime op = { .cmd = 0u };
    int64_t result = hcall_read(vcpu, &op, arg[0], sizeof(op));

    if (result != 0) {
        /* it is told */
    } else if (op.interface_version != XENPF_INTERFACE_VERSION) {
        result = -XEN_EACCES;
    } else if (!role_may(vcpu->domain, ROLE_PLATFORM)) {
        result = -XEN_EPERM;
    } else if (op.cmd != XENPF_SETTIME64) {
        result = -XEN_ENOSYS;
    } else if (op.mbz != 0u) {
        result = -XEN_EINVAL;
    } else {
        evtchn_clock_set(vcpu->domain, (op.secs * NS_PER_S) + op.nsecs - op.system_time);
    }
    return result;
}
