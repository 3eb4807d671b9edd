/* Xen's hypercalls. [impl->req~hypercalls~1] */
#include "abi/xen.h"
#include "domain/domain.h"
#include "hal/sync.h"
#include "hal/upcall.h"
#include "sched/sched.h"

typedef int64_t hcall_fn(struct vcpu *vcpu, const uint64_t *arg);

static int64_t hcall_xen_version(struct vcpu *vcpu, const uint64_t *arg)
{
    int64_t result = -XEN_ENOSYS;

    (void)vcpu;
    if (arg[0] == XENVER_VERSION) {
        result = XEN_VERSION;
    } else if (arg[0] == XENVER_PAGESIZE) {
        result = (arg[1] == 0u) ? (int64_t)PAGE_BYTES : -XEN_EINVAL;
    } else {
        /* the others answer in guest memory */
    }
    return result;
}

static int64_t hcall_sched_op(struct vcpu *vcpu, const uint64_t *arg)
{
    int64_t result = -XEN_ENOSYS;

    if (arg[0] == SCHEDOP_YIELD) {
        sched_pass_turn(vcpu);
        result = 0;
    }
    return result;
}

static hcall_fn *const hcall_table[XEN_HYPERCALLS] = {
    [XEN_HCALL_XEN_VERSION] = hcall_xen_version,
    [XEN_HCALL_SCHED_OP] = hcall_sched_op,
};

void upcall_hypercall(struct hal_vcpu *vcpu, uint64_t number, uint64_t *arg)
{
    hcall_fn *call = hcall_table[hal_index(number, XEN_HYPERCALLS)]; /* 0 is none of Arm's */

    arg[0] = (uint64_t)((call != NULL) ? call(vcpu_of(vcpu), arg) : -(int64_t)XEN_ENOSYS);
}
