/* domctl: what a domain's vCPUs get of their pool's CPUs. [impl->req~toolstack~1] */
#include "hcall/control/hcall_control.h"

#include "sched/params.h"
#include "sched/cpupool.h"

#define LEAVE_CAP    UINT16_MAX /* as it is, and so does a weight of 0 */
#define AT_ONCE      8u         /* vCPUs; more in further calls of which each goes on from the one before */
#define ELEMENTS_MAX 64u        /* that a call has to do with; the tool goes on behind these */

static int64_t answer(enum hv_status status)
{
    return (status == HV_OK) ? 0 : ((status == HV_LIMIT) ? -XEN_ENOSPC : -XEN_EINVAL);
}

/* credit, credit2 */
static int64_t share(const struct hcall_domctl *c)
{
    struct sched_share s;
    int64_t result = 0;

    sched_share_get(c->domain, &s);
    if (c->op->u.scheduler.cmd == XEN_SCHEDOP_GETINFO) {
        c->op->u.scheduler.weight = (uint16_t)s.weight;
        c->op->u.scheduler.cap = (uint16_t)s.cap;
    } else if (c->op->u.scheduler.cmd == XEN_SCHEDOP_PUTINFO) {
        s.weight = (c->op->u.scheduler.weight != 0u) ? c->op->u.scheduler.weight : s.weight;
        s.cap = (c->op->u.scheduler.cap != LEAVE_CAP) ? c->op->u.scheduler.cap : s.cap;
        result = answer(sched_share_set(c->domain, &s));
    } else {
        result = -XEN_EINVAL; /* a vCPU has nothing of its own */
    }
    return result;
}

static int64_t rt_set(struct vcpu *vcpu, const struct xen_sched_rt *to)
{
    const struct sched_rt rt = { to->period, to->budget, (to->flags & XEN_SCHEDRT_EXTRA) != 0u };

    return answer(sched_rt_set(vcpu, &rt));
}

static void rt_tell(const struct sched_rt *rt, struct xen_sched_rt *to)
{
    *to = (struct xen_sched_rt){ rt->period_us, rt->budget_us, rt->extra ? XEN_SCHEDRT_EXTRA : 0u };
}

/* All vCPUs alike, up to one that its pool has no room for. */
static int64_t rt_set_all(const struct hcall_domctl *c)
{
    const uint32_t end = (uint32_t)bits_min(c->op->pad[0] + AT_ONCE, c->domain->nr_vcpus);
    int64_t result = 0;

    for (uint32_t i = c->op->pad[0]; (i < end) && (result == 0); i++) {
        result = rt_set(c->domain->vcpu[hal_index(i, HV_VCPUS_MAX)], &c->op->u.sched_rt.rt);
    }
    if ((result == 0) && (end < c->domain->nr_vcpus)) {
        c->op->pad[0] = (uint16_t)end;
        result = HCALL_DOMCTL_AGAIN;
    }
    return result;
}

static int64_t rt_element(const struct hcall_domctl *c, uint32_t i)
{
    const uint64_t at = c->op->u.sched_vcpus.vcpus + (i * sizeof(struct xen_sched_vcpu));
    struct xen_sched_vcpu element;
    struct sched_rt rt;
    int64_t result = hcall_read(c->vcpu, &element, at, sizeof(element));

    if (result != 0) {
        return result;
    }
    if (element.vcpuid >= c->domain->nr_vcpus) {
        return -XEN_EINVAL;
    }
    struct vcpu *const vcpu = c->domain->vcpu[hal_index(element.vcpuid, HV_VCPUS_MAX)];

    if (c->op->u.scheduler.cmd == XEN_SCHEDOP_PUTVCPUINFO) {
        result = rt_set(vcpu, &element.rt);
    } else {
        sched_rt_get(vcpu, &rt);
        rt_tell(&rt, &element.rt);
        result = hcall_write(c->vcpu, at, &element, sizeof(element));
    }
    return result;
}

/* What goes out of a success is how many elements that was for. */
static int64_t rt_elements(const struct hcall_domctl *c)
{
    const uint32_t nr = (uint32_t)bits_min(c->op->u.sched_vcpus.nr_vcpus, ELEMENTS_MAX);
    const uint32_t end = (uint32_t)bits_min(c->op->pad[0] + AT_ONCE, nr);
    int64_t result = 0;

    for (uint32_t i = c->op->pad[0]; (i < end) && (result == 0); i++) {
        result = rt_element(c, i);
    }
    if ((result == 0) && (end < nr)) {
        c->op->pad[0] = (uint16_t)end;
        result = HCALL_DOMCTL_AGAIN;
    } else {
        c->op->u.sched_vcpus.nr_vcpus = nr;
    }
    return result;
}

static int64_t realtime(const struct hcall_domctl *c)
{
    static const struct sched_rt usual = { SCHED_RT_PERIOD_US, SCHED_RT_BUDGET_US, true };
    const uint32_t cmd = c->op->u.scheduler.cmd;
    int64_t result = 0;

    if (cmd == XEN_SCHEDOP_GETINFO) {
        rt_tell(&usual, &c->op->u.sched_rt.rt); /* as in Xen: vCPUs may differ */
    } else if (cmd == XEN_SCHEDOP_PUTINFO) {
        result = rt_set_all(c);
    } else {
        result = rt_elements(c);
    }
    return result;
}

static int64_t scheduler(const struct hcall_domctl *c)
{
    const uint32_t id = c->op->u.scheduler.sched_id;
    int64_t result = 0;

    if ((id != sched_pool_abi_id(c->domain)) || (c->op->u.scheduler.cmd > XEN_SCHEDOP_GETVCPUINFO)) {
        result = -XEN_EINVAL;
    } else if ((id == XEN_SCHEDULER_CREDIT) || (id == XEN_SCHEDULER_CREDIT2)) {
        result = share(c);
    } else if (id == XEN_SCHEDULER_RTDS) {
        result = realtime(c);
    } else {
        /* null, arinc653: there is nothing to tell or set of a domain */
    }
    return result;
}

const struct hcall_domctl_rule hcall_domctl_sched[] = {
    { scheduler, XEN_DOMCTL_SCHEDULER_OP, ROLE_DOMCTL, true },
    { NULL, 0u, ROLE_DOMCTL, false },
};
