/* domctl: devices of the host for a domain that tools made. [impl->req~devices-later~1] */
#include "hcall/control/hcall_control.h"

#include "build/partition/build_given.h"
#include "domain/p2m.h"
#include "lib/string.h"

#define FRAMES_MAX 64u

static int64_t said(enum hv_status status)
{
    int64_t result = p2m_result(status);

    if (status == HV_DENIED) {
        result = -XEN_EPERM;
    } else if ((status == HV_NOT_FOUND) || (status == HV_NOT_SUPPORTED)) {
        result = -XEN_ENODEV;
    } else {
        /* as Xen says it */
    }
    return result;
}

/* What a domain may use it keeps until it ends. */
static int64_t iomem_permission(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    (void)vcpu;
    return (op->u.iomem.allow != 0u)
               ? said(build_offer_pages(domain, BUILD_OFFER_TAKE, 0u, op->u.iomem.mfn, op->u.iomem.nr))
               : -XEN_EOPNOTSUPP;
}

static int64_t irq_permission(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    (void)vcpu;
    return (op->u.irq.allow != 0u) ? said(build_offer_line(domain, BUILD_OFFER_TAKE, op->u.irq.irq))
                                   : -XEN_EOPNOTSUPP;
}

static int64_t memory_mapping(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    const enum build_offer_act act = (op->u.mapping.add != 0u) ? BUILD_OFFER_USE : BUILD_OFFER_LEAVE;
    const uint64_t nr = op->u.mapping.nr;
    int64_t result = -XEN_E2BIG;

    (void)vcpu;
    if (nr == 0u) {
        result = -XEN_EINVAL;
    } else if (nr <= FRAMES_MAX) {
        result = said(build_offer_pages(domain, act, op->u.mapping.gfn, op->u.mapping.mfn, nr));
    } else {
        /* in several calls, please */
    }
    return result;
}

/* An interrupt has the number that the host knows it by. */
static int64_t pt_irq(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    const enum build_offer_act act =
        (op->cmd == XEN_DOMCTL_BIND_PT_IRQ) ? BUILD_OFFER_USE : BUILD_OFFER_LEAVE;
    const bool good =
        (op->u.pt_irq.type == XEN_PT_IRQ_TYPE_SPI) && (op->u.pt_irq.machine_irq == op->u.pt_irq.spi);

    (void)vcpu;
    return good ? said(build_offer_line(domain, act, op->u.pt_irq.machine_irq)) : -XEN_EINVAL;
}

static int64_t device(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    static const enum build_offer_act acts[] = { [XEN_DOMCTL_ASSIGN_DEVICE] = BUILD_OFFER_USE,
                                                 [XEN_DOMCTL_TEST_ASSIGN_DEVICE] = BUILD_OFFER_TAKE,
                                                 [XEN_DOMCTL_DEASSIGN_DEVICE] = BUILD_OFFER_LEAVE };
    char path[PLAN_PATH_MAX];
    int64_t result = -XEN_EINVAL;

    (void)memset(path, 0, sizeof(path));
    if (op->u.device.kind != XEN_DOMCTL_DEV_DT) {
        result = -XEN_EOPNOTSUPP;
    } else if (op->u.device.bytes < sizeof(path)) {
        result = hcall_read(vcpu, path, op->u.device.path, op->u.device.bytes);
    } else {
        /* no node has a path like that */
    }
    return (result == 0) ? said(build_offer_device(domain, acts[op->cmd], path)) : result;
}

const struct hcall_domctl_rule hcall_domctl_device[] = {
    { iomem_permission, XEN_DOMCTL_IOMEM_PERMISSION, ROLE_DOMCTL, false },
    { irq_permission, XEN_DOMCTL_IRQ_PERMISSION, ROLE_DOMCTL, false },
    { memory_mapping, XEN_DOMCTL_MEMORY_MAPPING, ROLE_DOMCTL, false },
    { pt_irq, XEN_DOMCTL_BIND_PT_IRQ, ROLE_DOMCTL, false },
    { pt_irq, XEN_DOMCTL_UNBIND_PT_IRQ, ROLE_DOMCTL, false },
    { device, XEN_DOMCTL_ASSIGN_DEVICE, ROLE_DOMCTL, false },
    { device, XEN_DOMCTL_TEST_ASSIGN_DEVICE, ROLE_DOMCTL, false },
    { device, XEN_DOMCTL_DEASSIGN_DEVICE, ROLE_DOMCTL, false },
    { NULL, 0u, ROLE_DOMCTL, false },
};
