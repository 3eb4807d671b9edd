/* domctl: what tools of a control domain ask about one domain, and tell it. Each family of calls has a file.
 * [impl->req~toolstack~1] */
#include "hcall/control/hcall_control.h"

#include "domain/p2m.h"
#include "lib/string.h"
#include "sched/sched.h"

/* The second argument of a call that goes on, which guests else leave as it is: where, and that it does */
#define AGAIN        0xE50BULL /* with where, 32 bits: what every port has in a register */
#define AGAIN_LOW    16u
#define BITMAP_BYTES 32u /* of a tool's bitmap that we write; we have 64 CPUs */

/* What became of a domain that is down: the reason that a guest gives when it shuts down. */
static uint32_t end_of(const struct domain *domain)
{
    static const uint8_t reason[] = {
        [HAL_DOMAIN_OFF] = SHUTDOWN_POWEROFF,    [HAL_DOMAIN_RESET] = SHUTDOWN_REBOOT,
        [HAL_DOMAIN_CRASH] = SHUTDOWN_CRASH,     [HAL_DOMAIN_WATCHDOG] = SHUTDOWN_WATCHDOG,
        [HAL_DOMAIN_SUSPEND] = SHUTDOWN_SUSPEND, [HAL_DOMAIN_SOFT_RESET] = SHUTDOWN_SOFT_RESET
    };
    const uint32_t why = (domain->state == DOMAIN_FAILED) ? SHUTDOWN_CRASH : reason[domain->power_request];

    return XEN_DOMINF_SHUTDOWN | (why << XEN_DOMINF_REASON_LOW);
}

/* Answers what they are doing. Of a domain that is down those count that ever ran. */
static uint32_t vcpus_tell(const struct domain *domain, bool is_down, struct xen_domaininfo *info)
{
    bool ran = false;
    bool waits = true;

    for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
        const enum vcpu_state state = domain->vcpu[i]->state;
        const uint64_t run_ns = sched_run_ns(domain->vcpu[i]);

        info->cpu_time += run_ns;
        info->nr_online_vcpus += ((state != VCPU_OFF) || (is_down && (run_ns > 0u))) ? 1u : 0u;
        ran = ran || (state == VCPU_RUNNING);
        waits = waits && ((state == VCPU_OFF) || (state == VCPU_BLOCKED));
    }
    return (ran ? XEN_DOMINF_RUNNING : 0u) | (waits ? XEN_DOMINF_BLOCKED : 0u);
}

/* A domain between two lives is paused to who looks: it neither shut down nor dies, and keeps its number, its
 * name in xenstore and its connection there. */
static void state_tell(const struct domain *domain, struct xen_domaininfo *info)
{
    const enum domain_state state = domain->state;
    const bool is_down = (state == DOMAIN_STOPPED) || (state == DOMAIN_CRASHED) || (state == DOMAIN_FAILED);
    const uint32_t doing = vcpus_tell(domain, is_down, info);

    if (is_down) {
        info->flags |= end_of(domain);
    } else if (state == DOMAIN_RUNNING) {
        info->flags |= doing | (domain->paused ? XEN_DOMINF_PAUSED : 0u);
    } else {
        info->flags |= XEN_DOMINF_PAUSED;
    }
    info->flags |= domain->dying ? XEN_DOMINF_DYING : 0u;
}

void hcall_domain_info(const struct domain *domain, struct xen_domaininfo *info)
{
    const struct plan_domain *const plan = domain->plan;
    const bool xenstore = (plan->role & PLAN_ROLE_XENSTORE) != 0u;

    *info = (struct xen_domaininfo){
        .domain = domain->id,
        .flags = XEN_DOMINF_HVM | XEN_DOMINF_HAP | (xenstore ? XEN_DOMINF_XS_DOMAIN : 0u),
        .tot_pages = p2m_pages(domain),
        .max_pages = hcall_max_pages(domain),
        .shared_info_frame = UINT64_MAX,
        .max_vcpu_id = plan->nr_vcpus - 1u,
        .cpupool = domain->cpupool,
        .nr_spis = plan->nr_spis,
    };
    info->gpaddr_bits = (uint8_t)(64u - (uint32_t)__builtin_clzll(hal_guestmap_limit() - 1u));
    (void)memcpy(info->handle, domain->handle, sizeof(info->handle));
    state_tell(domain, info);
}

static uint32_t bitmap_bytes(const struct xen_bitmap *of)
{
    return (of->nr_bits / 8u) + (((of->nr_bits % 8u) != 0u) ? 1u : 0u);
}

int64_t hcall_read_bitmap(struct vcpu *vcpu, const struct xen_bitmap *from, uint64_t *bits)
{
    const uint64_t there = (from->nr_bits < 64u) ? (BIT64(from->nr_bits) - 1u) : UINT64_MAX;
    uint64_t word = 0;
    const int64_t result = hcall_read(vcpu, &word, from->bitmap, bits_min(bitmap_bytes(from), sizeof(word)));

    *bits = word & there;
    return result;
}

int64_t hcall_write_bitmap(struct vcpu *vcpu, const struct xen_bitmap *to, uint64_t bits)
{
    uint64_t words[BITMAP_BYTES / sizeof(bits)];

    (void)memset(words, 0, sizeof(words));
    words[0] = bits;
    return hcall_write(vcpu, to->bitmap, words, bits_min(bitmap_bytes(to), sizeof(words)));
}

static int64_t info(const struct hcall_domctl *c)
{
    hcall_domain_info(c->domain, &c->op->u.info);
    return 0;
}

/* The one that it has is for good: what tools keep of a domain goes by it, and they may come anew. */
static int64_t handle(const struct hcall_domctl *c)
{
    static const uint8_t none[sizeof(c->domain->handle)]; /* zeros */
    const bool has = memcmp(c->domain->handle, none, sizeof(none)) != 0;

    if (!has) {
        (void)memcpy(c->domain->handle, c->op->u.handle, sizeof(c->domain->handle));
    }
    return has ? -XEN_EPERM : 0;
}

/* Tools try these and go on if they are told that there is no such thing; a domain that is shut down has
 * nothing that it could go on from. */
int64_t hcall_domctl_absent(const struct hcall_domctl *c)
{
    (void)c;
    return -XEN_EOPNOTSUPP;
}

static const struct hcall_domctl_rule rules[] = {
    { info, XEN_DOMCTL_GETDOMAININFO, ROLE_INFO, true },
    { handle, XEN_DOMCTL_SETDOMAINHANDLE, ROLE_DOMCTL, false },
    { NULL, 0u, ROLE_DOMCTL, false },
};

/* One whose act is NULL: nobody knows it. Bounded by the rules that there are. */
static const struct hcall_domctl_rule *rule_of(uint32_t cmd)
{
    static const struct hcall_domctl_rule *const families[] = { rules,
                                                                hcall_domctl_life,
                                                                hcall_domctl_memory,
                                                                hcall_domctl_device,
                                                                hcall_domctl_vcpu,
                                                                hcall_domctl_sched };
    const struct hcall_domctl_rule *rule = &rules[ARRAY_LEN(rules) - 1u];

    for (uint32_t i = 0; (i < ARRAY_LEN(families)) && (rule->act == NULL); i++) {
        rule = families[i];
        while ((rule->act != NULL) && (rule->cmd != cmd)) {
            rule++;
        }
    }
    return rule;
}

int64_t hcall_domctl(struct vcpu *vcpu, uint64_t *arg)
{
    struct xen_domctl op;
    struct hcall_domctl c = { vcpu, NULL, &op };
    int64_t result = hcall_read(vcpu, &op, arg[0], sizeof(op));

    if (result != 0) {
        return result;
    }
    const struct hcall_domctl_rule *const rule = rule_of(op.cmd);

    if (op.interface_version != XEN_DOMCTL_VERSION) {
        return -XEN_EACCES;
    }
    if (!role_may(vcpu->domain, rule->role)) {
        return -XEN_EPERM;
    }
    c.domain = domain_by_id(op.domain);
    if ((c.domain == NULL) && (op.cmd != XEN_DOMCTL_CREATEDOMAIN) && (op.cmd != XEN_DOMCTL_DESTROYDOMAIN)) {
        return -XEN_ESRCH;
    }
    if (rule->act == NULL) {
        return -XEN_ENOSYS;
    }
    op.pad[0] = ((arg[1] >> AGAIN_LOW) == AGAIN) ? (uint16_t)arg[1] : 0u;
    result = rule->act(&c);
    if (result == HCALL_DOMCTL_AGAIN) {
        arg[1] = (AGAIN << AGAIN_LOW) | op.pad[0];
        sched_await_work(vcpu);
        return hcall_again(vcpu, arg[0]);
    }
    arg[1] = (op.pad[0] != 0u) ? 0u : arg[1]; /* not for another call */
    op.pad[0] = 0u;
    return ((result == 0) && rule->answers) ? hcall_write(vcpu, arg[0], &op, sizeof(op)) : result;
}
