/* Between the files of hcall/ only. A hypercall first copies in and judges what the guest says, then acts;
 * its result is what Xen answers: >= 0 or -XEN_E... */
#ifndef HCALL_HCALL_H
#define HCALL_HCALL_H

#include "domain/role.h"
#include "hal/sync.h"

/* arg[0] to arg[4] as the guest passed them, which it finds as the call leaves them but for arg[0], the
 * result */
typedef int64_t hcall_fn(struct vcpu *vcpu, uint64_t *arg);

hcall_fn hcall_xen_version;
hcall_fn hcall_multicall;
hcall_fn hcall_console_io;
hcall_fn hcall_platform_op;
hcall_fn hcall_memory_op;
hcall_fn hcall_vm_assist;
hcall_fn hcall_vcpu_op;
hcall_fn hcall_sched_op;
hcall_fn hcall_event_channel_op;
hcall_fn hcall_hvm_op;
hcall_fn hcall_grant_table_op;
hcall_fn hcall_sysctl;
hcall_fn hcall_domctl;

/* A call that did only a bounded piece of its work, and has told in arg[] where to go on: the guest makes it
 * once more with that and `first` for arg[0]. What it returns is the call's result. */
int64_t hcall_again(struct vcpu *vcpu, uint64_t first);
/* The call of that number, one of a multicall: any but another multicall. */
int64_t hcall_one(struct vcpu *vcpu, uint64_t number, uint64_t *arg);

/* Between us and guest memory at a virtual address of the guest: 0 or -XEN_EFAULT. */
static inline int64_t hcall_read(const struct vcpu *vcpu, void *to, uint64_t from, uint64_t bytes)
{
    return (domain_copy_guest(vcpu, from, to, NULL, bytes) == HV_OK) ? 0 : -XEN_EFAULT;
}

static inline int64_t hcall_write(const struct vcpu *vcpu, uint64_t to, const void *from, uint64_t bytes)
{
    return (domain_copy_guest(vcpu, to, NULL, from, bytes) == HV_OK) ? 0 : -XEN_EFAULT;
}

/* How many pages a domain may have: as its toolstack said, or its plan */
uint64_t hcall_max_pages(const struct domain *domain);
/* memory_op, those that change a domain's map; the caller has event channels. */
int64_t hcall_physmap(struct vcpu *vcpu, uint64_t op, uint64_t start, uint64_t at);

#endif
