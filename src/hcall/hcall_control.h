/* Between the hypercalls of a control domain's tools. */
#ifndef HCALL_HCALL_CONTROL_H
#define HCALL_HCALL_CONTROL_H

#include "abi/xen_control.h"
#include "hcall/hcall.h"

/* What tools are told of a domain, in any state */
void hcall_domain_info(const struct domain *domain, struct xen_domaininfo *info);

/* The first 64 bits of a tool's bitmap, those behind them 0; 0 or -XEN_EFAULT. */
int64_t hcall_write_bitmap(struct vcpu *vcpu, const struct xen_bitmap *to, uint64_t bits);

#endif
