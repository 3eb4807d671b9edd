/* vcpu_op: where the guest and we share words about a vCPU. */
#include "hcall/hcall.h"

#include "domain/p2m.h"
#include "evtchn/evtchn.h"
#include "hal/upcall.h"
#include "sched/runstate.h"

static int64_t vcpu_info(struct vcpu *vcpu, uint64_t index, uint64_t at)
{
    struct xen_register_vcpu_info info = { .mfn = 0u };
    const int64_t result = hcall_read(vcpu, &info, at, sizeof(info));

    return (result == 0) ? evtchn_register_vcpu_info(vcpu, index, &info) : result;
}

/* The caller's own vCPU, or one that is not on: nobody else writes there. An area that is not in one piece is
 * written once: Linux does not go on when it is refused. */
static int64_t vcpu_runstate(struct vcpu *vcpu, uint64_t index, uint64_t at)
{
    static const struct xen_runstate_info running = { .state = (int32_t)RUNSTATE_RUNNING };
    struct vcpu *const of = vcpu->domain->vcpu[hal_index(index, vcpu->domain->nr_vcpus)];
    uint64_t va = 0;
    int64_t result = hcall_read(vcpu, &va, at, sizeof(va));

    if ((result == 0) && ((va % sizeof(va)) != 0u)) {
        result = -XEN_EFAULT;
    }
    if ((result == 0) && (of != vcpu) && upcall_vcpu_is_on(&of->hal)) {
        result = -XEN_EBUSY;
    }
    if (result == 0) {
        const hpa_t area = domain_reach_guest(vcpu, va, sizeof(running));

        if ((area.v != HAL_NOWHERE) && p2m_hold(vcpu->domain, area)) {
            const uint64_t before = of->runstate.area;

            runstate_tell(of, area);
            if (before != 0u) {
                p2m_let_go(vcpu->domain, hpa(before - 1u));
            }
        } else {
            result = hcall_write(vcpu, va, &running, sizeof(running));
        }
    }
    return result;
}

int64_t hcall_vcpu_op(struct vcpu *vcpu, uint64_t *arg)
{
    return (vcpu->domain->events == NULL)                     ? -XEN_ENOSYS
           : (arg[1] >= vcpu->domain->nr_vcpus)               ? -XEN_ENOENT
           : (arg[0] == VCPUOP_REGISTER_VCPU_INFO)            ? vcpu_info(vcpu, arg[1], arg[2])
           : (arg[0] == VCPUOP_REGISTER_RUNSTATE_MEMORY_AREA) ? vcpu_runstate(vcpu, arg[1], arg[2])
                                                              : -XEN_EINVAL;
}

/* What the hypervisor may do for a domain: say while it writes to a runstate area. Nothing else is Arm's. */
int64_t hcall_vm_assist(struct vcpu *vcpu, uint64_t *arg)
{
    int64_t result = 0;

    if ((arg[0] > VM_ASSIST_DISABLE) || (arg[1] != VM_ASSIST_RUNSTATE_FLAG)) {
        result = (arg[1] == VM_ASSIST_RUNSTATE_FLAG) ? -XEN_ENOSYS : -XEN_EINVAL;
    } else {
        vcpu->domain->runstate_flag = (arg[0] == VM_ASSIST_ENABLE);
    }
    return result;
}
