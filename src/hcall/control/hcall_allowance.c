/* domctl: how much memory a domain may have. [impl->req~toolstack~1] */
#include "hcall/control/hcall_control.h"

/* Memory is the plan's: this is what populating is judged by. */
static int64_t max_mem(struct vcpu *vcpu, struct domain *domain, struct xen_domctl *op)
{
    (void)vcpu;
    domain->max_pages = op->u.max_mem.kib / (PAGE_BYTES / 1024u);
    return 0;
}

const struct hcall_domctl_rule hcall_domctl_memory[] = {
    { max_mem, XEN_DOMCTL_MAX_MEM, ROLE_DOMCTL, false },
    { NULL, 0u, ROLE_DOMCTL, false },
};
