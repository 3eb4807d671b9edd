/* Xen's hypercalls, a file each. [impl->req~hypercalls~1] */
#include "hcall/hcall.h"

#include "abi/xen_control.h"
#include "hal/upcall.h"

static hcall_fn *const hcall_table[XEN_HYPERCALLS] = {
    [XEN_HCALL_PLATFORM_OP] = (CONFIG_CONTROL != 0) ? hcall_platform_op : NULL,
    [XEN_HCALL_MEMORY_OP] = hcall_memory_op,
    [XEN_HCALL_MULTICALL] = hcall_multicall,
    [XEN_HCALL_XEN_VERSION] = hcall_xen_version,
    [XEN_HCALL_CONSOLE_IO] = hcall_console_io,
    [XEN_HCALL_VM_ASSIST] = hcall_vm_assist,
    [XEN_HCALL_VCPU_OP] = hcall_vcpu_op,
    [XEN_HCALL_SCHED_OP] = hcall_sched_op,
    [XEN_HCALL_EVENT_CHANNEL_OP] = hcall_event_channel_op,
    [XEN_HCALL_HVM_OP] = hcall_hvm_op,
    [XEN_HCALL_GRANT_TABLE_OP] = (CONFIG_GRANTS != 0) ? hcall_grant_table_op : NULL,
    [XEN_HCALL_SYSCTL] = (CONFIG_CONTROL != 0) ? hcall_sysctl : NULL,
    [XEN_HCALL_DOMCTL] = (CONFIG_CONTROL != 0) ? hcall_domctl : NULL,
};

int64_t hcall_again(struct vcpu *vcpu, uint64_t first)
{
    if (vcpu->multicall == VCPU_NO_MULTICALL) {
        hal_vcpu_again(&vcpu->hal);
    } else {
        vcpu->multicall = VCPU_MULTICALL_AGAIN;
    }
    return (int64_t)first;
}

int64_t hcall_one(struct vcpu *vcpu, uint64_t number, uint64_t *arg)
{
    hcall_fn *const call = hcall_table[hal_index(number, XEN_HYPERCALLS)];

    return (call != NULL) ? call(vcpu, arg) : -(int64_t)XEN_ENOSYS;
}

void upcall_hypercall(struct hal_vcpu *vcpu, uint64_t number, uint64_t *arg)
{
    hcall_fn *call = hcall_table[hal_index(number, XEN_HYPERCALLS)]; /* 0 is none of Arm's */

    arg[0] = (uint64_t)((call != NULL) ? call(vcpu_of(vcpu), arg) : -(int64_t)XEN_ENOSYS);
}
