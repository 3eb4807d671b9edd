/* domctl: vCPUs, where they may run and how they do. [impl->req~toolstack~1] */
#include "hcall/control/hcall_control.h"

#include "hal/sync.h"
#include "sched/sched.h"

static int64_t vcpuinfo(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    const uint32_t index = op->u.vcpuinfo.vcpu;
    const struct vcpu *const v =
        (index < domain->nr_vcpus) ? domain->vcpu[hal_index(index, HV_VCPUS_MAX)] : NULL;

    (void)vcpu;
    if (v == NULL) {
        return -XEN_ESRCH;
    }
    op->u.vcpuinfo.online = (v->state != VCPU_OFF) ? 1u : 0u;
    op->u.vcpuinfo.blocked = (v->state == VCPU_BLOCKED) ? 1u : 0u;
    op->u.vcpuinfo.running = (v->state == VCPU_RUNNING) ? 1u : 0u;
    op->u.vcpuinfo.cpu_time = sched_run_ns(v);
    op->u.vcpuinfo.cpu = v->cpu;
    return 0;
}

static int64_t affinity(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    const uint32_t index = op->u.affinity.vcpu;
    const uint32_t flags = op->u.affinity.flags;
    int64_t result = 0;

    if ((flags == 0u) || ((flags & ~(XEN_AFFINITY_HARD | XEN_AFFINITY_SOFT)) != 0u)) {
        return -XEN_EINVAL;
    }
    if (index >= domain->nr_vcpus) {
        return -XEN_ESRCH;
    }
    if ((flags & XEN_AFFINITY_HARD) != 0u) {
        result = hcall_write_bitmap(vcpu, &op->u.affinity.hard,
                                    domain->vcpu[hal_index(index, HV_VCPUS_MAX)]->affinity);
    }
    if ((result == 0) && ((flags & XEN_AFFINITY_SOFT) != 0u)) {
        result = hcall_write_bitmap(vcpu, &op->u.affinity.soft, UINT64_MAX);
    }
    return result;
}

/* There is one node. */
static int64_t nodes(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    (void)domain;
    return hcall_write_bitmap(vcpu, &op->u.nodes, 1u);
}

const struct hcall_domctl_rule hcall_domctl_vcpu[] = {
    { vcpuinfo, XEN_DOMCTL_GETVCPUINFO, ROLE_DOMCTL, true },
    { affinity, XEN_DOMCTL_GETVCPUAFFINITY, ROLE_DOMCTL, false },
    { nodes, XEN_DOMCTL_GETNODEAFFINITY, ROLE_DOMCTL, false },
    { NULL, 0u, ROLE_DOMCTL, false },
};
