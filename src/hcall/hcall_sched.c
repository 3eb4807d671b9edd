/* sched_op: a vCPU gives its time away, waits, or ends a domain. [impl->req~pv-watchdog~1] */
#include "hcall/hcall.h"

#include "evtchn/evtchn.h"
#include "hal/upcall.h"
#include "sched/sched.h"
#include "vdev/pv_watchdog.h"

/* What a reason means here; unknown ones are as good as off. */
static enum hal_power_request request_of(uint32_t reason)
{
    static const enum hal_power_request request[] = {
        [SHUTDOWN_POWEROFF] = HAL_DOMAIN_OFF,      [SHUTDOWN_REBOOT] = HAL_DOMAIN_RESET,
        [SHUTDOWN_SUSPEND] = HAL_DOMAIN_SUSPEND,   [SHUTDOWN_CRASH] = HAL_DOMAIN_CRASH,
        [SHUTDOWN_WATCHDOG] = HAL_DOMAIN_WATCHDOG, [SHUTDOWN_SOFT_RESET] = HAL_DOMAIN_SOFT_RESET,
    };

    return ((reason & 0xFFu) < ARRAY_LEN(request)) ? request[reason & 0xFFu] : HAL_DOMAIN_OFF;
}

static void power(struct domain *domain, uint32_t reason, const char *why)
{
    upcall_domain_power(&domain->hal, request_of(reason), why);
}

/* Now, or whenever it asks to be shut down. */
static int64_t sched_shutdown(struct vcpu *vcpu, uint64_t at, bool now)
{
    uint32_t reason = 0;
    const int64_t result = hcall_read(vcpu, &reason, at, sizeof(reason));

    if ((result == 0) && now) {
        power(vcpu->domain, reason, "SCHEDOP_shutdown");
    } else if ((result == 0) && (vcpu->domain->power_code == 0u)) {
        vcpu->domain->power_code = (uint32_t)request_of(reason) + 1u;
    } else {
        /* it is told, or was before */
    }
    return result;
}

static int64_t sched_remote_shutdown(struct vcpu *vcpu, uint64_t at)
{
    struct xen_sched_remote_shutdown of = { .domid = 0u };
    struct domain *target = NULL;
    int64_t result = hcall_read(vcpu, &of, at, sizeof(of));

    if (result == 0) {
        target = domain_by_id(of.domid); /* not DOMID_SELF */
        result = (target != NULL) ? role_target(vcpu, of.domid, ROLE_SHUTDOWN, &target) : -XEN_ESRCH;
    }
    if ((result == 0) && (target == vcpu->domain) && !role_may(target, ROLE_SHUTDOWN)) {
        result = -XEN_EPERM;
    }
    if (result == 0) {
        power(target, of.reason, "SCHEDOP_remote_shutdown");
    }
    return result;
}

static void watchdog_expired(struct domain *domain)
{
    power(domain, SHUTDOWN_WATCHDOG, "SCHEDOP_watchdog");
}

static int64_t sched_watchdog(struct vcpu *vcpu, uint64_t at)
{
    struct xen_sched_watchdog of = { .id = 0u };
    const int64_t result = hcall_read(vcpu, &of, at, sizeof(of));

    return (result == 0) ? pv_watchdog_set(vcpu->domain, of.id, of.timeout, watchdog_expired) : result;
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
    switch (arg[0]) {
    case SCHEDOP_YIELD:
        sched_pass_turn(vcpu);
        return 0;
    case SCHEDOP_BLOCK:
        sched_block(vcpu);
        return 0;
    case SCHEDOP_SHUTDOWN:
    case SCHEDOP_SHUTDOWN_CODE:
        return sched_shutdown(vcpu, arg[1], arg[0] == SCHEDOP_SHUTDOWN);
    case SCHEDOP_REMOTE_SHUTDOWN:
        return sched_remote_shutdown(vcpu, arg[1]);
    case SCHEDOP_WATCHDOG:
        return sched_watchdog(vcpu, arg[1]);
    case SCHEDOP_PIN_OVERRIDE: /* the hardware domain's on Xen; here affinity is the plan's alone */
        return -XEN_EPERM;
    case SCHEDOP_POLL:
        return sched_poll(vcpu, arg[1]);
    default:
        return -XEN_ENOSYS;
    }
}
