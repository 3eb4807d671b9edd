/* sched_op: a vCPU gives its time away, waits, or ends its domain. */
#include "hcall/hcall.h"

#include "evtchn/evtchn.h"
#include "hal/upcall.h"
#include "sched/sched.h"

static int64_t sched_shutdown(struct vcpu *vcpu, uint64_t at)
{
    uint32_t reason = 0;
    enum hal_power_request request = HAL_DOMAIN_OFF;
    int64_t result = hcall_read(vcpu, &reason, at, sizeof(reason));

    switch (reason) {
    case SHUTDOWN_POWEROFF:
        request = HAL_DOMAIN_OFF;
        break;
    case SHUTDOWN_REBOOT:
        request = HAL_DOMAIN_RESET;
        break;
    case SHUTDOWN_CRASH:
        request = HAL_DOMAIN_CRASH;
        break;
    case SHUTDOWN_WATCHDOG:
        request = HAL_DOMAIN_WATCHDOG;
        break;
    default:
        result = (result == 0) ? -XEN_EINVAL : result; /* nobody could resume it */
        break;
    }
    if (result == 0) {
        upcall_domain_power(&vcpu->domain->hal, request, "SCHEDOP_shutdown");
    }
    return result;
}

static int64_t sched_poll(struct vcpu *vcpu, uint64_t at)
{
    struct xen_sched_poll poll = { .ports = 0u };
    uint32_t port[XEN_POLL_PORTS_MAX];
    int64_t result = hcall_read(vcpu, &poll, at, sizeof(poll));

    if ((result == 0) && (vcpu->domain->events == NULL)) {
        result = -XEN_ENOSYS;
    }
    if ((result == 0) && (poll.nr_ports > XEN_POLL_PORTS_MAX)) {
        result = -XEN_EINVAL;
    }
    if (result == 0) {
        result = hcall_read(vcpu, port, poll.ports, poll.nr_ports * sizeof(port[0]));
    }
    return (result == 0) ? evtchn_poll(vcpu, port, poll.nr_ports, poll.timeout) : result;
}

int64_t hcall_sched_op(struct vcpu *vcpu, uint64_t *arg)
{
    int64_t result = 0;

    switch (arg[0]) {
    case SCHEDOP_YIELD:
        sched_pass_turn(vcpu);
        break;
    case SCHEDOP_BLOCK:
        sched_block(vcpu);
        break;
    case SCHEDOP_SHUTDOWN:
        result = sched_shutdown(vcpu, arg[1]);
        break;
    case SCHEDOP_POLL:
        result = sched_poll(vcpu, arg[1]);
        break;
    default:
        result = -XEN_ENOSYS;
        break;
    }
    return result;
}
