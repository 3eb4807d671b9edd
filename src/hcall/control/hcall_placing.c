/* domctl: vCPUs, where they may run and how they do. [impl->req~toolstack~1] */
#include "hcall/control/hcall_control.h"

#include "evtchn/evtchn.h"
#include "hal/upcall.h"
#include "lib/string.h"
#include "sched/cpupool.h"
#include "sched/sched.h"

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

/* The pool's CPUs among those; 0: it is gone this moment */
static uint64_t of_pool(const struct domain *domain, uint64_t cpus)
{
    struct sched_pool_facts facts;

    return (sched_pool_facts(domain->cpupool, &facts) == HV_OK) ? (cpus & facts.cpus) : 0u;
}

static int64_t move(struct vcpu *v, uint64_t hard, uint64_t soft)
{
    const bool runs = (v->domain->state == DOMAIN_RUNNING);
    const enum hv_status status = runs ? sched_affinity(v, hard, soft) : HV_BUSY;

    return (status == HV_OK) ? 0 : ((status == HV_INVALID) ? -XEN_EINVAL : -XEN_EBUSY);
}

/* What is told or changed of a vCPU. After a change that is what it has by it: soft affinity counts among the
 * hard one's CPUs, both among the pool's. */
static int64_t affinity(const struct hcall_domctl *c)
{
    const uint32_t index = c->op->u.affinity.vcpu;
    const uint32_t flags = c->op->u.affinity.flags;
    const bool hard = (flags & XEN_AFFINITY_HARD) != 0u;
    const bool soft = (flags & XEN_AFFINITY_SOFT) != 0u;
    uint64_t told[2];
    int64_t result = 0;

    if ((!hard && !soft) || (flags > (XEN_AFFINITY_HARD | XEN_AFFINITY_SOFT | XEN_AFFINITY_FORCE))) {
        return -XEN_EINVAL;
    }
    if (index >= c->domain->nr_vcpus) {
        return -XEN_ESRCH;
    }
    struct vcpu *const v = c->domain->vcpu[hal_index(index, HV_VCPUS_MAX)];

    told[0] = v->affinity;
    told[1] = ~v->avoids;
    if (c->op->cmd == XEN_DOMCTL_SETVCPUAFFINITY) {
        result = hard ? hcall_read_bitmap(c->vcpu, &c->op->u.affinity.hard, &told[0]) : 0;
        if ((result == 0) && soft) {
            result = hcall_read_bitmap(c->vcpu, &c->op->u.affinity.soft, &told[1]);
        }
        if (result == 0) {
            result = move(v, told[0], told[1]);
        }
        told[0] = of_pool(c->domain, told[0]);
        told[1] &= told[0];
    }
    if ((result == 0) && hard) {
        result = hcall_write_bitmap(c->vcpu, &c->op->u.affinity.hard, told[0]);
    }
    if ((result == 0) && soft) {
        result = hcall_write_bitmap(c->vcpu, &c->op->u.affinity.soft, told[1]);
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
    { trigger, XEN_DOMCTL_SENDTRIGGER, ROLE_DOMCTL, false },
    { time_offset, XEN_DOMCTL_SETTIMEOFFSET, ROLE_DOMCTL, false },
    { hcall_domctl_absent, XEN_DOMCTL_SET_LLC_COLORS, ROLE_DOMCTL, false },
    { NULL, 0u, ROLE_DOMCTL, false },
};
