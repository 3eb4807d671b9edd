/* hvm_op: parameters of a domain, all of which say "there is none" so far. */
#include "hcall/hcall.h"

static int64_t hvm_get(struct vcpu *vcpu, uint64_t at)
{
    struct xen_hvm_param param = { .domid = 0u };
    int64_t result = hcall_read(vcpu, &param, at, sizeof(param));

    if ((result == 0) && !hcall_is_self(vcpu, param.domid)) {
        result = -XEN_EPERM;
    }
    if (result == 0) {
        switch (param.index) {
        case HVM_PARAM_CALLBACK_IRQ:
        case HVM_PARAM_STORE_PFN:
        case HVM_PARAM_STORE_EVTCHN:
        case HVM_PARAM_CONSOLE_PFN:
        case HVM_PARAM_CONSOLE_EVTCHN:
            param.value = 0u;
            result = hcall_write(vcpu, at, &param, sizeof(param));
            break;
        default:
            result = -XEN_EINVAL;
            break;
        }
    }
    return result;
}

int64_t hcall_hvm_op(struct vcpu *vcpu, uint64_t *arg)
{
    int64_t result = -XEN_ENOSYS;

    if (vcpu->domain->events == NULL) {
        /* it has none */
    } else if (arg[0] == HVMOP_GET_PARAM) {
        result = hvm_get(vcpu, arg[1]);
    } else if (arg[0] == HVMOP_SET_PARAM) {
        result = -XEN_EPERM;
    } else {
        /* it is not there */
    }
    return result;
}
