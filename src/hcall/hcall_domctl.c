/* domctl: what tools of a control domain ask about one domain, and tell it. [impl->req~toolstack~1] */
#include "hcall/hcall_control.h"

#include "build/build.h"
#include "domain/p2m.h"
#include "domain/role.h"
#include "hal/guestmap.h"
#include "hal/sync.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "sched/sched.h"

#define BITMAP_BYTES 32u /* of a tool's bitmap that we write; we have 64 CPUs */

typedef int64_t domctl_fn(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op);

/* What became of a domain that is down: the reason that a guest gives when it shuts down. */
static uint32_t end_of(const struct domain *domain)
{
    static const uint8_t reason[] = { [HAL_DOMAIN_OFF] = SHUTDOWN_POWEROFF,
                                      [HAL_DOMAIN_RESET] = SHUTDOWN_REBOOT,
                                      [HAL_DOMAIN_CRASH] = SHUTDOWN_CRASH,
                                      [HAL_DOMAIN_WATCHDOG] = SHUTDOWN_WATCHDOG };
    const uint32_t why = (domain->state == DOMAIN_FAILED) ? SHUTDOWN_CRASH : reason[domain->power_request];

    return XEN_DOMINF_SHUTDOWN | (why << XEN_DOMINF_REASON_LOW);
}

/* A domain between two lives is paused to who looks: it neither shut down nor dies, and keeps its number, its
 * name in xenstore and its connection there. */
static void state_tell(const struct domain *domain, struct xen_domaininfo *info)
{
    bool ran = false;
    bool waits = true;

    if ((domain->state == DOMAIN_STOPPED) || (domain->state == DOMAIN_CRASHED) ||
        (domain->state == DOMAIN_FAILED)) {
        info->flags |= end_of(domain);
    } else if (domain->state == DOMAIN_RUNNING) {
        for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
            const enum vcpu_state state = domain->vcpu[i]->state;

            info->cpu_time += sched_run_ns(domain->vcpu[i]);
            info->nr_online_vcpus += (state != VCPU_OFF) ? 1u : 0u;
            ran = ran || (state == VCPU_RUNNING);
            waits = waits && ((state == VCPU_OFF) || (state == VCPU_BLOCKED));
        }
        info->flags |= domain->paused ? XEN_DOMINF_PAUSED : 0u;
        info->flags |= (ran ? XEN_DOMINF_RUNNING : 0u) | (waits ? XEN_DOMINF_BLOCKED : 0u);
    } else {
        info->flags |= XEN_DOMINF_PAUSED;
    }
}

void hcall_domain_info(const struct domain *domain, struct xen_domaininfo *info)
{
    const struct plan_domain *const plan = domain->plan;
    const bool xenstore = (plan->role & PLAN_ROLE_XENSTORE) != 0u;

    *info = (struct xen_domaininfo){
        .domain = domain->id,
        .flags = XEN_DOMINF_HVM | XEN_DOMINF_HAP | (xenstore ? XEN_DOMINF_XS_DOMAIN : 0u),
        .tot_pages = p2m_pages(domain),
        .max_pages = (domain->max_pages != 0u) ? domain->max_pages : (plan->memory_bytes >> PAGE_SHIFT),
        .shared_info_frame = UINT64_MAX,
        .max_vcpu_id = plan->nr_vcpus - 1u,
        .gpaddr_bits = (uint8_t)(64u - (uint32_t)__builtin_clzll(hal_guestmap_limit() - 1u)),
        .nr_spis = plan->nr_spis,
    };
    (void)memcpy(info->handle, domain->handle, sizeof(info->handle));
    state_tell(domain, info);
}

int64_t hcall_write_bitmap(struct vcpu *vcpu, const struct xen_bitmap *to, uint64_t bits)
{
    const uint32_t bytes = (to->nr_bits / 8u) + (((to->nr_bits % 8u) != 0u) ? 1u : 0u);
    uint64_t words[BITMAP_BYTES / sizeof(bits)];

    (void)memset(words, 0, sizeof(words));
    words[0] = bits;
    return hcall_write(vcpu, to->bitmap, words, bits_min(bytes, sizeof(words)));
}

static int64_t pause(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    const bool paused = (op->cmd == XEN_DOMCTL_PAUSE);

    return ((domain != vcpu->domain) && build_pause(domain, paused)) ? 0 : -XEN_EINVAL;
}

static int64_t info(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    (void)vcpu;
    hcall_domain_info(domain, &op->u.info);
    return 0;
}

/* Memory is the plan's: this is what populating is judged by. */
static int64_t max_mem(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    (void)vcpu;
    domain->max_pages = op->u.max_mem.kib / (PAGE_BYTES / 1024u);
    return 0;
}

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

static int64_t handle(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    (void)vcpu;
    (void)memcpy(domain->handle, op->u.handle, sizeof(domain->handle));
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

static const struct {
    domctl_fn *act;
    uint32_t cmd;
    enum role_operation role;
    bool answers;
} rules[] = {
    { info, XEN_DOMCTL_GETDOMAININFO, ROLE_INFO, true },
    { pause, XEN_DOMCTL_PAUSE, ROLE_DOMCTL, false },
    { pause, XEN_DOMCTL_UNPAUSE, ROLE_DOMCTL, false },
    { max_mem, XEN_DOMCTL_MAX_MEM, ROLE_DOMCTL, false },
    { vcpuinfo, XEN_DOMCTL_GETVCPUINFO, ROLE_DOMCTL, true },
    { handle, XEN_DOMCTL_SETDOMAINHANDLE, ROLE_DOMCTL, false },
    { affinity, XEN_DOMCTL_GETVCPUAFFINITY, ROLE_DOMCTL, false },
    { nodes, XEN_DOMCTL_GETNODEAFFINITY, ROLE_DOMCTL, false },
};

int64_t hcall_domctl(struct vcpu *vcpu, uint64_t *arg)
{
    struct xen_domctl op = { .cmd = 0u };
    struct domain *domain = NULL;
    uint32_t i = 0;
    int64_t result = hcall_read(vcpu, &op, arg[0], sizeof(op));

    while ((i < ARRAY_LEN(rules)) && (rules[i].cmd != op.cmd)) {
        i++;
    }
    if (result != 0) {
        return result;
    }
    if (op.interface_version != XEN_DOMCTL_VERSION) {
        return -XEN_EACCES;
    }
    if (!role_may(vcpu->domain, (i < ARRAY_LEN(rules)) ? rules[i].role : ROLE_DOMCTL)) {
        return -XEN_EPERM;
    }
    domain = domain_by_id(op.domain);
    if (domain == NULL) {
        return -XEN_ESRCH;
    }
    if (i == ARRAY_LEN(rules)) {
        return -XEN_ENOSYS;
    }
    result = rules[i].act(vcpu, domain, &op);
    return ((result == 0) && rules[i].answers) ? hcall_write(vcpu, arg[0], &op, sizeof(op)) : result;
}
