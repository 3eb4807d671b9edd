/* event_channel_op */
#include "hcall/hcall.h"

#include "evtchn/evtchn.h"

static __attribute__((noinline)) int64_t event_other(struct vcpu *vcpu, uint64_t number, uint64_t at)
{
    const struct evtchn_operation *const op = &evtchn_operations[hal_index(number, EVTCHNOPS)];
    union xen_evtchn_op arg = { .status = { 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u } };
    int64_t result = (number < EVTCHNOPS) ? hcall_read(vcpu, &arg, at, op->in) : -XEN_ENOSYS;

    if (result == 0) {
        result = (op->act != NULL) ? op->act(vcpu, &arg) : -XEN_EOPNOTSUPP;
    }
    if (result == EVTCHN_AGAIN) {
        result = hcall_again(vcpu, number);
    } else if ((result == 0) && (op->out != 0u)) {
        result = hcall_write(vcpu, at, &arg, op->out);
    } else {
        /* it is told */
    }
    return result;
}

int64_t hcall_event_channel_op(struct vcpu *vcpu, uint64_t *arg)
{
    int64_t result = -XEN_ENOSYS;

    if (vcpu->domain->events == NULL) {
        /* it has none */
    } else if (arg[0] == EVTCHNOP_SEND) {
        const int64_t port = domain_read_guest_word(vcpu, arg[1]);

        result = (port >= 0) ? evtchn_send(vcpu, (uint32_t)port) : -XEN_EFAULT;
    } else {
        result = event_other(vcpu, arg[0], arg[1]);
    }
    return result;
}
