/* domctl: devices of the host for a domain that tools made. [impl->req~devices-later~1] */
#include "hcall/control/hcall_control.h"

#include "build/partition/build_given.h"
#include "domain/p2m.h"
#include "lib/string.h"

#define FRAMES_MAX 64u

static int64_t said(enum hv_status status)
{
    return (status == HV_DENIED)                                        ? -XEN_EPERM
           : ((status == HV_NOT_FOUND) || (status == HV_NOT_SUPPORTED)) ? -XEN_ENODEV
                                                                        : p2m_result(status);
}

/* What a domain may use it keeps until it ends. */
static int64_t iomem_permission(const struct hcall_domctl *c)
{
    return (c->op->u.iomem.allow != 0u) ? said(build_offer_pages(c->domain, BUILD_OFFER_TAKE, 0u,
                                                                 c->op->u.iomem.mfn, c->op->u.iomem.nr))
                                        : -XEN_EOPNOTSUPP;
}

static int64_t irq_permission(const struct hcall_domctl *c)
{
    return (c->op->u.irq.allow != 0u) ? said(build_offer_line(c->domain, BUILD_OFFER_TAKE, c->op->u.irq.irq))
                                      : -XEN_EOPNOTSUPP;
}

static int64_t memory_mapping(const struct hcall_domctl *c)
{
    const enum build_offer_act act = (c->op->u.mapping.add != 0u) ? BUILD_OFFER_USE : BUILD_OFFER_LEAVE;
    const uint64_t nr = c->op->u.mapping.nr;

    return (nr == 0u) ? -XEN_EINVAL
           : (nr > FRAMES_MAX)
               ? -XEN_E2BIG
               : said(build_offer_pages(c->domain, act, c->op->u.mapping.gfn, c->op->u.mapping.mfn, nr));
}

/* An interrupt has the number that the host knows it by. */
static int64_t pt_irq(const struct hcall_domctl *c)
{
    const enum build_offer_act act =
        (c->op->cmd == XEN_DOMCTL_BIND_PT_IRQ) ? BUILD_OFFER_USE : BUILD_OFFER_LEAVE;
    const bool good =
        (c->op->u.pt_irq.type == XEN_PT_IRQ_TYPE_SPI) && (c->op->u.pt_irq.machine_irq == c->op->u.pt_irq.spi);

    return good ? said(build_offer_line(c->domain, act, c->op->u.pt_irq.machine_irq)) : -XEN_EINVAL;
}

static int64_t device(const struct hcall_domctl *c)
{
    static const enum build_offer_act acts[] = { [XEN_DOMCTL_ASSIGN_DEVICE] = BUILD_OFFER_USE,
                                                 [XEN_DOMCTL_TEST_ASSIGN_DEVICE] = BUILD_OFFER_TAKE,
                                                 [XEN_DOMCTL_DEASSIGN_DEVICE] = BUILD_OFFER_LEAVE };
    char path[PLAN_PATH_MAX];
    int64_t result = -XEN_EINVAL;

    (void)memset(path, 0, sizeof(path));
    if (c->op->u.device.kind != XEN_DOMCTL_DEV_DT) {
        result = -XEN_EOPNOTSUPP;
    } else if (c->op->u.device.bytes < sizeof(path)) {
        result = hcall_read(c->vcpu, path, c->op->u.device.path, c->op->u.device.bytes);
    } else {
        /* no node has a path like that */
    }
    return (result == 0) ? said(build_offer_device(c->domain, acts[c->op->cmd], path)) : result;
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
