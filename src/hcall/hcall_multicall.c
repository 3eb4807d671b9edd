/* multicall: several calls at once, each with a result of its own. A call that is not done is made once more,
 * with all that stand behind it. [impl->req~multicall~1] */
#include "hcall/hcall.h"

#include "hal/timer.h"
#include "sched/sched.h"

#define CALLS_AT_ONCE 8u
#define LONGEST_NS    20000u /* after so long no further one is begun: interrupts are masked */

/* True: it has to be made once more. */
static bool multicall_one(struct vcpu *vcpu, uint64_t at, int64_t *error)
{
    struct xen_multicall_entry entry;
    bool again = false;

    *error = hcall_read(vcpu, &entry, at, sizeof(entry));
    if (*error != 0) {
        return false;
    }
    vcpu->multicall = VCPU_IN_MULTICALL;
    entry.result = (uint64_t)((entry.op != XEN_HCALL_MULTICALL) ? hcall_one(vcpu, entry.op, entry.args)
                                                                : -(int64_t)XEN_EINVAL);
    again = vcpu->multicall == VCPU_MULTICALL_AGAIN;
    vcpu->multicall = VCPU_NO_MULTICALL;
    if (again) {
        entry.args[0] = entry.result;
        *error =
            hcall_write(vcpu, at + sizeof(entry.op) + sizeof(entry.result), entry.args, sizeof(entry.args));
    } else {
        *error = hcall_write(vcpu, at + sizeof(entry.op), &entry.result, sizeof(entry.result));
    }
    return again;
}

int64_t hcall_multicall(struct vcpu *vcpu, uint64_t *arg)
{
    int64_t error = 0;
    bool again = false;
    uint32_t left = (uint32_t)arg[1];
    const uint64_t end_ns = hal_timer_now_ns() + LONGEST_NS;

    /* what a call asks of the scheduler comes before the next one */
    for (uint32_t n = 0; (left > 0u) && (error == 0) && !again; n++) {
        again = (n == CALLS_AT_ONCE) || ((n > 0u) && (sched_requested() || (hal_timer_now_ns() >= end_ns)));
        if (!again) {
            again = multicall_one(vcpu, arg[0], &error);
            if (!again) {
                arg[0] += sizeof(struct xen_multicall_entry);
                left--;
            }
        }
    }
    arg[1] = left;
    return (again && (error == 0)) ? hcall_again(vcpu, arg[0]) : error;
}
