/* Between the hypercalls of a control domain's tools. */
#ifndef HCALL_CONTROL_HCALL_CONTROL_H
#define HCALL_CONTROL_HCALL_CONTROL_H

#include "abi/xen_control.h"
#include "hcall/hcall.h"

/* One domctl that is asked for. Creating and destroying need no domain of that number: NULL then. */
struct hcall_domctl {
    struct vcpu *vcpu;
    struct domain *domain;
    struct xen_domctl *op;
};

/* What is done with it. `answers`: *op goes back to the caller after a success. act() answers
 * HCALL_DOMCTL_AGAIN if the call is to be made once more, with op->pad[0] as it leaves that, 0 at first: a
 * caller that forges it gets an answer that is not meant for it. */
#define HCALL_DOMCTL_AGAIN 1
struct hcall_domctl_rule {
    int64_t (*act)(const struct hcall_domctl *c);
    uint32_t cmd;
    enum role_operation role;
    bool answers;
};

/* One sysctl. What a call has done so far goes with it: more[], both 0 at first, is the next one's after
 * HCALL_SYSCTL_AGAIN; one that makes it up harms nobody. After a success *op goes back. */
#define HCALL_SYSCTL_AGAIN 1
struct hcall_sysctl {
    struct vcpu *vcpu;
    struct xen_sysctl *op;
    uint64_t *more;
};

int64_t hcall_sysctl_cpupool(const struct hcall_sysctl *c);
int64_t hcall_sysctl_scheduler(const struct hcall_sysctl *c);

/* The families; behind the last rule of each is one without act. */
extern const struct hcall_domctl_rule hcall_domctl_device[];
extern const struct hcall_domctl_rule hcall_domctl_life[];
extern const struct hcall_domctl_rule hcall_domctl_memory[];
extern const struct hcall_domctl_rule hcall_domctl_sched[];
extern const struct hcall_domctl_rule hcall_domctl_vcpu[];

/* The answer to what there is nothing of here: -XEN_EOPNOTSUPP */
int64_t hcall_domctl_absent(const struct hcall_domctl *c);

/* What tools are told of a domain, in any state */
void hcall_domain_info(const struct domain *domain, struct xen_domaininfo *info);

/* The first 64 bits of a tool's bitmap; 0 or -XEN_EFAULT. */
int64_t hcall_read_bitmap(struct vcpu *vcpu, const struct xen_bitmap *from, uint64_t *bits);
/* The first 64 bits of a tool's bitmap, those behind them 0; 0 or -XEN_EFAULT. */
int64_t hcall_write_bitmap(struct vcpu *vcpu, const struct xen_bitmap *to, uint64_t bits);

#endif
