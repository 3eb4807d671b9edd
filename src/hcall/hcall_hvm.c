/* hvm_op: what a domain is told of its xenstore and console, and the toolstack with it. */
#include "hcall/hcall.h"

#define HVM_READ     1u /* by the domain itself; tools may read and set all that is there */
#define HVM_TOOLS    2u
#define HVM_NO_PARAM 3u

static const uint8_t params[XEN_HVM_PARAMS] = {
    [HVM_PARAM_CALLBACK_IRQ] = HVM_READ | HVM_TOOLS,   [HVM_PARAM_STORE_PFN] = HVM_READ | HVM_TOOLS,
    [HVM_PARAM_STORE_EVTCHN] = HVM_READ | HVM_TOOLS,   [HVM_PARAM_CONSOLE_PFN] = HVM_READ | HVM_TOOLS,
    [HVM_PARAM_CONSOLE_EVTCHN] = HVM_READ | HVM_TOOLS, [HVM_PARAM_MONITOR_RING] = HVM_TOOLS,
};

static int64_t judge(const struct domain *caller, const struct domain *domain, uint32_t index, bool set)
{
    const uint8_t may = params[index];
    const bool denied = (domain == caller) && (set || ((may & HVM_READ) == 0u));

    return (may == 0u) ? -XEN_EINVAL : (denied ? -XEN_EPERM : 0);
}

int64_t hcall_hvm_op(struct vcpu *vcpu, uint64_t *arg)
{
    const bool set = (arg[0] == HVMOP_SET_PARAM);
    struct xen_hvm_param param = { .domid = 0u };
    struct domain *domain = NULL;
    uint32_t index = 0;
    int64_t result = -XEN_ENOSYS;

    if ((vcpu->domain->events == NULL) || (!set && (arg[0] != HVMOP_GET_PARAM))) {
        return result;
    }
    result = hcall_read(vcpu, &param, arg[1], sizeof(param));
    index = (param.index < XEN_HVM_PARAMS) ? hal_index(param.index, XEN_HVM_PARAMS) : HVM_NO_PARAM;
    if (result == 0) {
        result = role_target(vcpu, param.domid, set ? ROLE_PARAM : ROLE_PARAM_GET, &domain);
    }
    if (result == 0) {
        result = judge(vcpu->domain, domain, index, set);
    }
    if ((result == 0) && set) {
        domain->param[index] = param.value;
    } else if (result == 0) {
        /* nobody can be connected while it is down, which builders are not to try */
        param.value =
            ((index == HVM_PARAM_STORE_EVTCHN) && (domain->p2m == NULL)) ? 0u : domain->param[index];
        result = hcall_write(vcpu, arg[1], &param, sizeof(param));
    } else {
        /* it is told */
    }
    return result;
}
