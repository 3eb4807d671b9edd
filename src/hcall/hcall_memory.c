/* memory_op: a domain's memory is fixed; it may ask how much it is, and where it shares a page with us. */
#include "hcall/hcall.h"

#include "evtchn/evtchn.h"
#include "lib/bits.h"

static int64_t memory_add(struct vcpu *vcpu, uint64_t at)
{
    struct xen_add_to_physmap add = { .domid = 0u };
    int64_t result = hcall_read(vcpu, &add, at, sizeof(add));

    if (result != 0) {
        /* it is told */
    } else if (!hcall_is_self(vcpu, add.domid)) {
        result = -XEN_EPERM;
    } else if ((add.space != XENMAPSPACE_SHARED_INFO) || (vcpu->domain->events == NULL)) {
        result = -XEN_ENOSYS;
    } else if (add.idx != 0u) {
        result = -XEN_EINVAL;
    } else {
        result = evtchn_map_shared_info(vcpu->domain, add.gpfn);
    }
    return result;
}

static int64_t memory_tell(struct vcpu *vcpu, uint64_t op, uint64_t at)
{
    const struct domain *const domain = vcpu->domain;
    uint64_t end = 0;
    uint16_t domid = 0;
    int64_t result = hcall_read(vcpu, &domid, at, sizeof(domid));

    if ((result == 0) && !hcall_is_self(vcpu, domid)) {
        result = -XEN_EPERM;
    }
    if ((result == 0) && (op == XENMEM_MAXIMUM_GPFN)) {
        for (uint32_t i = 0; i < domain->nr_chunks; i++) {
            end = bits_max(end, domain->chunk[i].at.v + domain->chunk[i].bytes);
        }
        result = (int64_t)(end >> PAGE_SHIFT) - 1;
    } else if (result == 0) {
        result = (int64_t)(domain->plan->memory_bytes >> PAGE_SHIFT);
    } else {
        /* it is told */
    }
    return result;
}

int64_t hcall_memory_op(struct vcpu *vcpu, uint64_t *arg)
{
    const uint64_t op = arg[0] & XENMEM_OP_MASK;
    int64_t result = -XEN_ENOSYS;

    if (op == XENMEM_ADD_TO_PHYSMAP) {
        result = memory_add(vcpu, arg[1]);
    } else if ((op == XENMEM_CURRENT_RESERVATION) || (op == XENMEM_MAXIMUM_RESERVATION) ||
               (op == XENMEM_MAXIMUM_GPFN)) {
        result = memory_tell(vcpu, op, arg[1]);
    } else {
        /* it is not there */
    }
    return result;
}
