/* event_channel_op */
#include "hcall/hcall.h"

#include "evtchn/evtchn.h"

/* What of the argument comes in, and goes out when the operation succeeded */
struct hcall_event {
    uint8_t in;
    uint8_t out;
};

static const struct hcall_event events[EVTCHNOPS] = {
    [EVTCHNOP_BIND_INTERDOMAIN] = { 12u, 12u },
    [EVTCHNOP_BIND_VIRQ] = { 12u, 12u },
    [EVTCHNOP_BIND_PIRQ] = { 0u, 0u },
    [EVTCHNOP_CLOSE] = { 4u, 0u },
    [EVTCHNOP_SEND] = { 4u, 0u },
    [EVTCHNOP_STATUS] = { 8u, 24u },
    [EVTCHNOP_ALLOC_UNBOUND] = { 8u, 8u },
    [EVTCHNOP_BIND_IPI] = { 4u, 8u },
    [EVTCHNOP_BIND_VCPU] = { 8u, 0u },
    [EVTCHNOP_UNMASK] = { 4u, 0u },
    [EVTCHNOP_RESET] = { 2u, 0u },
    [EVTCHNOP_INIT_CONTROL] = { 16u, 24u },
    [EVTCHNOP_EXPAND_ARRAY] = { 8u, 0u },
    [EVTCHNOP_SET_PRIORITY] = { 8u, 0u },
};

static __attribute__((noinline)) int64_t event_other(struct vcpu *vcpu, uint64_t number, uint64_t at)
{
    const uint32_t op = hal_index(number, EVTCHNOPS);
    union xen_evtchn_op arg = { .status = { 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u } };
    int64_t result = (number < EVTCHNOPS) ? hcall_read(vcpu, &arg, at, events[op].in) : -XEN_ENOSYS;

    if (result == 0) {
        result = evtchn_operate(vcpu, op, &arg);
    }
    if (result == EVTCHN_AGAIN) {
        result = hcall_again(vcpu, number);
    } else if ((result == 0) && (events[op].out != 0u)) {
        result = hcall_write(vcpu, at, &arg, events[op].out);
    } else {
        /* the number tells all */
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
