/* domctl: the life of a domain. [impl->req~toolstack~1] [impl->req~made-domains~1] */
#include "hcall/control/hcall_control.h"

#include "build/build.h"
#include "hal/upcall.h"
#include "hal/vplat.h"
#include "lib/string.h"
#include "sched/sched.h"

#define NR_SPIS_MAX  992u
#define NR_SPIS_STEP 32u
#define PSR_MODE     0x1Fu
#define PSR_EL1H     0x05u
#define PSR_SVC      0x13u

static int64_t pause(const struct hcall_domctl *c)
{
    const bool paused = (c->op->cmd == XEN_DOMCTL_PAUSE);
    const bool done = (c->domain != c->vcpu->domain) && build_pause(c->domain, paused, true);

    return done ? 0 : ((c->domain->nr_pauses == DOMAIN_PAUSES_MAX) ? -XEN_EOVERFLOW : -XEN_EINVAL);
}

/* What Arm's domains have not got, or we have one of */
static bool asks_for_more(const struct xen_createdomain *c)
{
    return (c->sve_vl != 0u) || (c->tee_type != 0u) || (c->iommu_opts != 0u) || (c->altp2m_opts != 0u) ||
           (c->vmtrace_size != 0u);
}

/* As Xen on Arm judges it. */
static int64_t wish_of(const struct vcpu *vcpu, const struct xen_createdomain *c, struct build_wish *wish)
{
    const uint32_t required = XEN_CDF_HVM | XEN_CDF_HAP;
    const uint32_t versions = c->grant_opts & XEN_GRANT_VERSIONS;
    const uint32_t gic = hal_vplat_intc_version(&vcpu->domain->hal) - 1u; /* XEN_GIC_V2 is 1 */
    const bool good = !asks_for_more(c) && ((c->flags & ~XEN_CDF_IOMMU) == required) && (c->max_vcpus > 0u) &&
                      ((c->gic_version == XEN_GIC_NATIVE) || (c->gic_version == gic)) &&
                      (c->nr_spis <= NR_SPIS_MAX) && (versions > 0u) && (versions <= 2u) &&
                      (versions == c->grant_opts) && (c->max_evtchn_port > 0u);

    wish->pool = c->cpupool_id;
    wish->nr_vcpus = c->max_vcpus;
    wish->nr_spis = (uint32_t)bits_align_up(c->nr_spis, NR_SPIS_STEP);
    wish->max_grant_version = versions;
    wish->max_grant_frames = (c->max_grant_frames < 0) ? 0u : (uint32_t)c->max_grant_frames;
    wish->max_maptrack_frames = (c->max_maptrack_frames < 0) ? 0u : (uint32_t)c->max_maptrack_frames;
    (void)memcpy(wish->handle, c->handle, sizeof(wish->handle));
    return good ? 0 : -XEN_EINVAL;
}

static int64_t make_answer(enum hv_status status)
{
    return (status == HV_EXISTS)      ? -XEN_EEXIST
           : (status == HV_LIMIT)     ? -XEN_ENOMEM
           : (status == HV_NOT_FOUND) ? -XEN_ESRCH
           : (status == HV_BUSY)      ? -XEN_ENODEV
           : (status == HV_DENIED)    ? -XEN_ENOSPC
                                      : -XEN_EINVAL;
}

static int64_t create(const struct hcall_domctl *c)
{
    struct build_wish wish = { .domid = c->op->domain };
    struct domain *made = domain_by_id(c->op->pad[0]);
    int64_t result = HCALL_DOMCTL_AGAIN;

    if (c->op->pad[0] == 0u) {
        result = wish_of(c->vcpu, &c->op->u.create, &wish);
        if ((result == 0) && !build_has_booted()) {
            result = HCALL_DOMCTL_AGAIN;
        } else if (result == 0) {
            const enum hv_status status = build_make(&wish, &made);

            c->op->pad[0] = (status == HV_OK) ? made->id : 0u;
            if (status == HV_OK) {
                result = HCALL_DOMCTL_AGAIN;
            } else {
                result = make_answer(status);
            }
        } else {
            /* no such domain can be */
        }
    } else if (made == NULL) {
        result = -XEN_ENOMEM; /* a place's pool does not suffice, or another call has destroyed it */
    } else if (made->state != DOMAIN_BUILDING) {
        c->op->domain = made->id;
        c->op->u.create.gic_version = (uint8_t)(hal_vplat_intc_version(&c->vcpu->domain->hal) - 1u);
        c->op->u.create.clock_frequency = 0u;
        result = 0;
    } else {
        /* a worker is at it */
    }
    return result;
}

static int64_t destroy(const struct hcall_domctl *c)
{
    const bool serves =
        (c->domain != NULL) && ((c->domain->plan->role & (PLAN_ROLE_CONTROL | PLAN_ROLE_HARDWARE)) != 0u);
    int64_t result = HCALL_DOMCTL_AGAIN;

    if (c->domain == c->vcpu->domain) {
        result = -XEN_EINVAL;
    } else if (serves) {
        result = -XEN_EPERM;
    } else if (c->domain == NULL) {
        result = (c->op->pad[0] != 0u) ? 0 : -XEN_ESRCH;
    } else {
        const enum hv_status status = build_destroy(c->domain);

        c->op->pad[0] = 1u;
        result = (status == HV_BUSY) ? HCALL_DOMCTL_AGAIN : ((status == HV_OK) ? 0 : -XEN_EBUSY);
    }
    return result;
}

static int64_t max_vcpus(const struct hcall_domctl *c)
{
    return (c->op->u.max_vcpus == c->domain->nr_vcpus) ? 0 : -XEN_EINVAL;
}

/* Only where a kernel is entered: all other registers are as after a reset. */
static int64_t set_context(const struct hcall_domctl *c)
{
    struct xen_vcpu_context from;
    const uint32_t index = hal_index(c->op->u.vcpucontext.vcpu, c->domain->nr_vcpus);
    struct vcpu *const target = c->domain->vcpu[index];
    const bool wide = !c->domain->is_32bit;
    int64_t result = hcall_read(c->vcpu, &from, c->op->u.vcpucontext.context, sizeof(from));

    if (result != 0) {
        return result;
    }
    if ((index != c->op->u.vcpucontext.vcpu) || !c->domain->plan->spare ||
        ((from.cpsr & PSR_MODE) != (wide ? PSR_EL1H : PSR_SVC))) {
        return -XEN_EINVAL;
    }
    if ((c->domain->state != DOMAIN_RUNNING) || !c->domain->paused) {
        return -XEN_EBUSY;
    }
    sched_power_off(target);
    if ((from.flags & XEN_VGCF_ONLINE) != 0u) {
        enum hv_status status =
            hal_domain_width(&c->domain->hal, c->domain->is_32bit); /* it enters a kernel */

        if (status == HV_OK) {
            status = upcall_vcpu_start(&target->hal, from.pc, wide ? from.x[0] : from.x[2]);
        }
        result = (status == HV_OK) ? 0 : -XEN_EBUSY;
    }
    return result;
}

static int64_t set_width(const struct hcall_domctl *c)
{
    const bool is_32bit = (c->op->u.address_bits == 32u);
    const bool good = is_32bit || (c->op->u.address_bits == 64u);
    int64_t result = -XEN_EINVAL;

    if (good && c->domain->plan->spare && (c->domain->state == DOMAIN_RUNNING) && c->domain->paused &&
        (hal_domain_width(&c->domain->hal, is_32bit) == HV_OK)) {
        c->domain->is_32bit = is_32bit;
        result = 0;
    }
    return result;
}

static int64_t get_width(const struct hcall_domctl *c)
{
    c->op->u.address_bits = c->domain->is_32bit ? 32u : 64u;
    return 0;
}

/* [impl->req~console-tools~1] */
static int64_t vuart(const struct hcall_domctl *c)
{
    const struct domain *const server = domain_by_id(c->op->u.vuart_op.console_domid);

    return (c->op->u.vuart_op.cmd != XEN_DOMCTL_VUART_OP_INIT)        ? -XEN_EINVAL
           : (c->op->u.vuart_op.type != XEN_DOMCTL_VUART_TYPE_VPL011) ? -XEN_EOPNOTSUPP
           : ((server == NULL) || !role_may_share(c->domain, server))
               ? -XEN_ESRCH
               : build_vuart(c->domain, c->op->u.vuart_op.gfn, server->id, &c->op->u.vuart_op.evtchn);
}

const struct hcall_domctl_rule hcall_domctl_life[] = {
    { create, XEN_DOMCTL_CREATEDOMAIN, ROLE_DOMCTL, true },
    { destroy, XEN_DOMCTL_DESTROYDOMAIN, ROLE_DOMCTL, false },
    { pause, XEN_DOMCTL_PAUSE, ROLE_DOMCTL, false },
    { pause, XEN_DOMCTL_UNPAUSE, ROLE_DOMCTL, false },
    { max_vcpus, XEN_DOMCTL_MAX_VCPUS, ROLE_DOMCTL, false },
    { set_context, XEN_DOMCTL_SETVCPUCONTEXT, ROLE_DOMCTL, false },
    { set_width, XEN_DOMCTL_SET_ADDRESS_SIZE, ROLE_DOMCTL, false },
    { get_width, XEN_DOMCTL_GET_ADDRESS_SIZE, ROLE_DOMCTL, true },
    { vuart, XEN_DOMCTL_VUART_OP, ROLE_DOMCTL, true },
    { hcall_domctl_absent, XEN_DOMCTL_RESUMEDOMAIN, ROLE_DOMCTL, false },
    { NULL, 0u, ROLE_DOMCTL, false },
};
