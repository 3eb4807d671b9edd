/* domctl: vCPUs, where they may run and how they do. [impl->req~toolstack~1] */
#include "hcall/control/hcall_control.h"

#include "build/build.h"
#include "evtchn/evtchn.h"
#include "hal/upcall.h"
#include "lib/string.h"
#include "sched/sched.h"

#define CREDIT_WEIGHT 256u

static int64_t vcpuinfo(const struct hcall_domctl *c)
{
    const uint32_t index = c->op->u.vcpuinfo.vcpu;
    const struct vcpu *const v =
        (index < c->domain->nr_vcpus) ? c->domain->vcpu[hal_index(index, HV_VCPUS_MAX)] : NULL;

    if (v == NULL) {
        return -XEN_ESRCH;
    }
    c->op->u.vcpuinfo.online = (v->state != VCPU_OFF) ? 1u : 0u;
    c->op->u.vcpuinfo.blocked = (v->state == VCPU_BLOCKED) ? 1u : 0u;
    c->op->u.vcpuinfo.running = (v->state == VCPU_RUNNING) ? 1u : 0u;
    c->op->u.vcpuinfo.cpu_time = sched_run_ns(v);
    c->op->u.vcpuinfo.cpu = v->cpu;
    return 0;
}

/* One that runs has none to show: who asks has paused the domain, or asks again. */
static int64_t context(const struct hcall_domctl *c)
{
    const uint32_t index = hal_index(c->op->u.vcpucontext.vcpu, c->domain->nr_vcpus);
    struct xen_vcpu_context to = { .flags = 0u };
    struct hal_registers r;

    if ((index != c->op->u.vcpucontext.vcpu) || (c->domain == c->vcpu->domain)) {
        return -XEN_EINVAL;
    }
    if ((c->domain->state != DOMAIN_RUNNING) || !sched_registers(c->domain->vcpu[index], &r)) {
        return -XEN_EBUSY;
    }
    to.flags = (c->domain->vcpu[index]->state != VCPU_OFF) ? XEN_VGCF_ONLINE : 0u;
    (void)memcpy(to.x, r.x, sizeof(to.x));
    to.pc = r.pc;
    to.cpsr = r.cpsr;
    to.spsr_el1 = r.spsr_el1;
    to.sp_el0 = r.sp_el0;
    to.sp_el1 = r.sp_el1;
    to.elr_el1 = r.elr_el1;
    to.sctlr = r.sctlr;
    to.tcr = r.tcr;
    to.ttbr0 = r.ttbr0;
    to.ttbr1 = r.ttbr1;
    return hcall_write(c->vcpu, c->op->u.vcpucontext.context, &to, sizeof(to));
}

/* Under null the plan's CPUs are kept for its vCPUs, also while those are off. */
static int64_t move(struct vcpu *v, uint64_t hard, uint64_t soft)
{
    const uint64_t allowed = hard & build_cpus(v->domain->plan, v->index);
    const enum hv_status status =
        (v->domain->state == DOMAIN_RUNNING) ? sched_affinity(v, allowed, soft) : HV_BUSY;
    int64_t result = 0;

    if (status != HV_OK) {
        result = (status == HV_INVALID) ? -XEN_EINVAL : -XEN_EBUSY;
    }
    return result;
}

/* What is told or changed of a vCPU; what goes out is in force. */
static int64_t affinity(const struct hcall_domctl *c)
{
    const uint32_t index = c->op->u.affinity.vcpu;
    const uint32_t flags = c->op->u.affinity.flags;
    const bool hard = (flags & XEN_AFFINITY_HARD) != 0u;
    const bool soft = (flags & XEN_AFFINITY_SOFT) != 0u;
    int64_t result = 0;

    if ((!hard && !soft) || (flags > (XEN_AFFINITY_HARD | XEN_AFFINITY_SOFT | XEN_AFFINITY_FORCE))) {
        return -XEN_EINVAL;
    }
    if (index >= c->domain->nr_vcpus) {
        return -XEN_ESRCH;
    }
    struct vcpu *const v = c->domain->vcpu[hal_index(index, HV_VCPUS_MAX)];

    if (c->op->cmd == XEN_DOMCTL_SETVCPUAFFINITY) {
        uint64_t to[2] = { v->affinity, ~v->avoids };

        result = hard ? hcall_read_bitmap(c->vcpu, &c->op->u.affinity.hard, &to[0]) : 0;
        if ((result == 0) && soft) {
            result = hcall_read_bitmap(c->vcpu, &c->op->u.affinity.soft, &to[1]);
        }
        if (result == 0) {
            result = move(v, to[0], to[1]);
        }
    }
    if ((result == 0) && hard) {
        result = hcall_write_bitmap(c->vcpu, &c->op->u.affinity.hard, v->affinity);
    }
    if ((result == 0) && soft) {
        result = hcall_write_bitmap(c->vcpu, &c->op->u.affinity.soft, ~v->avoids);
    }
    return result;
}

/* There is one node. */
static int64_t nodes(const struct hcall_domctl *c)
{
    uint64_t set = 1u;
    int64_t result = 0;

    if (c->op->cmd == XEN_DOMCTL_GETNODEAFFINITY) {
        return hcall_write_bitmap(c->vcpu, &c->op->u.nodes, set);
    }
    result = hcall_read_bitmap(c->vcpu, &c->op->u.nodes, &set);
    return ((result == 0) && ((set & 1u) == 0u)) ? -XEN_EINVAL : result;
}

/* What runs has no weights but equal ones, and no caps: to set that is no change. */
static int64_t scheduler(const struct hcall_domctl *c)
{
    const bool as_is = ((c->op->u.scheduler.weight == 0u) || (c->op->u.scheduler.weight == CREDIT_WEIGHT)) &&
                       ((c->op->u.scheduler.cap == 0u) || (c->op->u.scheduler.cap == UINT16_MAX));
    int64_t result = 0;

    if ((c->op->u.scheduler.sched_id != sched_abi_id()) || (c->op->u.scheduler.cmd > XEN_SCHEDOP_GETINFO)) {
        result = -XEN_EINVAL;
    } else if (sched_abi_id() != XEN_SCHEDULER_CREDIT) {
        /* null has nothing to tell or set */
    } else if (c->op->u.scheduler.cmd == XEN_SCHEDOP_GETINFO) {
        c->op->u.scheduler.weight = CREDIT_WEIGHT;
        c->op->u.scheduler.cap = 0u;
    } else {
        result = as_is ? 0 : -XEN_EOPNOTSUPP;
    }
    return result;
}

/* The power button means off: nobody would hear of it in the guest. */
static int64_t trigger(const struct hcall_domctl *c)
{
    int64_t result = 0;

    if (c->op->u.trigger.vcpu >= c->domain->nr_vcpus) {
        result = -XEN_ESRCH;
    } else if (c->op->u.trigger.trigger == XEN_TRIGGER_POWER) {
        upcall_domain_power(&c->domain->hal, HAL_DOMAIN_OFF, "trigger power");
    } else if (c->op->u.trigger.trigger == XEN_TRIGGER_RESET) {
        upcall_domain_power(&c->domain->hal, HAL_DOMAIN_RESET, "trigger reset");
    } else {
        result = -XEN_EOPNOTSUPP;
    }
    return result;
}

static int64_t time_offset(const struct hcall_domctl *c)
{
    evtchn_clock_shift(c->domain, c->op->u.time_offset.seconds);
    return 0;
}

const struct hcall_domctl_rule hcall_domctl_vcpu[] = {
    { vcpuinfo, XEN_DOMCTL_GETVCPUINFO, ROLE_DOMCTL, true },
    { context, XEN_DOMCTL_GETVCPUCONTEXT, ROLE_DOMCTL, false },
    { affinity, XEN_DOMCTL_GETVCPUAFFINITY, ROLE_DOMCTL, false },
    { affinity, XEN_DOMCTL_SETVCPUAFFINITY, ROLE_DOMCTL, false },
    { nodes, XEN_DOMCTL_GETNODEAFFINITY, ROLE_DOMCTL, false },
    { nodes, XEN_DOMCTL_SETNODEAFFINITY, ROLE_DOMCTL, false },
    { scheduler, XEN_DOMCTL_SCHEDULER_OP, ROLE_DOMCTL, true },
    { trigger, XEN_DOMCTL_SENDTRIGGER, ROLE_DOMCTL, false },
    { time_offset, XEN_DOMCTL_SETTIMEOFFSET, ROLE_DOMCTL, false },
    { hcall_domctl_absent, XEN_DOMCTL_SET_LLC_COLORS, ROLE_DOMCTL, false },
    { NULL, 0u, ROLE_DOMCTL, false },
};
