/* memory_op: how much memory a domain has, and has at the moment. The frames are its own for good: what it
 * gives away waits for it (p2m.h). [impl->req~memory-op~1] */
#include "hcall/hcall.h"

#include "abi/xen_memory.h"
#include "domain/p2m.h"
#include "sched/sched.h"

#define PAGES_BITS 26u /* where a call goes on is told in pages, which fit the command of a 32-bit guest */

static bool has_blocks(const struct domain *domain)
{
    return (CONFIG_CONTROL != 0) && (domain->blocks != NULL);
}

/* Extents as large as Xen allows */
static uint32_t order_max(const struct domain *domain)
{
    return ((domain->plan->role & PLAN_ROLE_CONTROL) != 0u)    ? 18u
           : ((domain->plan->role & PLAN_ROLE_HARDWARE) != 0u) ? 10u
                                                               : 9u;
}

/* Does what is asked with a page of an extent, and as many behind it as go in one, of nr at most. */
static enum hv_status extent_do(struct domain *domain, uint64_t op, uint64_t gfn, uint64_t nr, uint64_t *done)
{
    enum hv_status status = HV_LIMIT; /* increase: there are no frames without a place */

    *done = 1;
    if (op == XENMEM_DECREASE_RESERVATION) {
        status = p2m_take(domain, gfn, nr, done);
    } else if (op == XENMEM_POPULATE_PHYSMAP) {
        status = (nr >= BLOCK_PAGES) ? p2m_populate_block(domain, gfn) : HV_NOT_SUPPORTED;
        if ((status == HV_OK) || (status == HV_BUSY)) {
            *done = BLOCK_PAGES;
        } else {
            status = p2m_populate(domain, gfn);
        }
    } else {
        /* it is told */
    }
    return status;
}

/* Whether anything is to be done at all */
static bool reservation_is_good(const struct vcpu *vcpu, const struct domain *domain, uint64_t op,
                                uint64_t start, const struct xen_memory_reservation *r)
{
    const bool populates = (op == XENMEM_POPULATE_PHYSMAP);

    return (r->extent_order <= order_max(vcpu->domain)) && (r->nr_extents < BIT64(PAGES_BITS)) &&
           ((r->nr_extents << r->extent_order) < BIT64(PAGES_BITS)) &&
           (start < (r->nr_extents << r->extent_order)) &&
           (!populates ||
            (((r->mem_flags & XENMEMF_POPULATE_ON_DEMAND) == 0u) &&
             ((r->extent_order == 0u) || domain->plan->spare || (domain->plan->nr_static == 0u))));
}

/* One run of pages of the first extent that is not done: *pages are. It may have to split a block. */
static enum hv_status extents_do(struct vcpu *vcpu, struct domain *domain, uint64_t op,
                                 const struct xen_memory_reservation *r, uint64_t *pages)
{
    const uint64_t extent = BIT64(r->extent_order);
    const uint64_t inside = *pages % extent;
    const uint64_t from = r->extent_start + ((*pages / extent) * sizeof(uint64_t));
    uint64_t gfn = 0;
    uint64_t done = 0;
    enum hv_status status = HV_INVALID;

    if ((hcall_read(vcpu, &gfn, from, sizeof(gfn)) == 0) && (gfn < (UINT64_MAX >> PAGE_SHIFT))) {
        status = extent_do(domain, op, gfn + inside, extent - inside, &done);
    }
    *pages += (status == HV_OK) ? done : 0u;
    if ((status == HV_BUSY) && (domain->p2m != NULL)) { /* of a domain that is up: to be asked again */
        sched_await_work(vcpu);
        status = HV_OK;
    }
    return status;
}

/* Answers how many extents were done. */
static int64_t memory_reserve(struct vcpu *vcpu, uint64_t op, uint64_t start, uint64_t at)
{
    struct xen_memory_reservation r = { .extent_start = 0u };
    struct domain *domain = NULL;
    uint64_t pages = start;
    enum hv_status status = HV_OK;
    int64_t result = hcall_read(vcpu, &r, at, sizeof(r));

    if (result == 0) {
        result = role_target(vcpu, r.domid, ROLE_MEMORY, &domain);
    }
    if ((result != 0) || !reservation_is_good(vcpu, domain, op, start, &r)) {
        return (result == -XEN_EPERM) ? result : 0;
    }
    status = extents_do(vcpu, domain, op, &r, &pages);
    return ((status == HV_OK) && (pages < (r.nr_extents << r.extent_order)))
               ? hcall_again(vcpu, (pages << XENMEM_OP_BITS) | op)
               : (int64_t)(pages >> r.extent_order);
}

uint64_t hcall_max_pages(const struct domain *domain)
{
    const bool of_plan = (domain->max_pages == 0u) && !has_blocks(domain);

    return of_plan ? (domain->plan->memory_bytes >> PAGE_SHIFT) : domain->max_pages;
}

/* Of a domain's own frames they are there; else the host has them now, which is no promise. */
static int64_t claim_judge(const struct domain *domain, uint64_t nr)
{
    const uint64_t has = p2m_pages(domain);

    return ((nr <= has) || (nr > hcall_max_pages(domain))) ? -XEN_EINVAL
           : (has_blocks(domain) &&
              ((nr - has) > ((blocks_free_bytes() + blocks_dirty_bytes()) >> PAGE_SHIFT)))
               ? -XEN_ENOMEM
               : 0;
}

/* Promises that a domain may have so many pages. */
static int64_t memory_claim(struct vcpu *vcpu, uint64_t start, uint64_t at)
{
    struct xen_memory_reservation r = { .extent_start = 0u };
    struct domain *domain = NULL;
    int64_t result = hcall_read(vcpu, &r, at, sizeof(r));

    if ((result == 0) &&
        ((start != 0u) || (r.extent_start != 0u) || (r.extent_order != 0u) || (r.mem_flags != 0u))) {
        result = -XEN_EINVAL;
    }
    if (result == 0) {
        result = role_target(vcpu, r.domid, ROLE_MEMORY, &domain);
    }
    if ((result == 0) && !role_may(vcpu->domain, ROLE_MEMORY)) {
        result = -XEN_EPERM;
    }
    if ((result == 0) && (r.nr_extents != 0u)) {
        result = claim_judge(domain, r.nr_extents);
    }
    return result;
}

static uint64_t memory_end(const struct domain *domain)
{
    uint64_t end = has_blocks(domain) ? (domain->blocks->end_gfn << PAGE_SHIFT) : 0u;

    for (uint32_t i = 0; i < domain->nr_chunks; i++) {
        end = bits_max(end, domain->chunk[i].at.v + domain->chunk[i].bytes);
    }
    return end >> PAGE_SHIFT;
}

static int64_t memory_tell(struct vcpu *vcpu, uint64_t op, uint64_t at)
{
    struct domain *domain = NULL;
    uint16_t domid = 0;
    int64_t result = hcall_read(vcpu, &domid, at, sizeof(domid));

    if (result == 0) {
        result = role_target(vcpu, domid, ROLE_MEMORY, &domain);
    }
    return (result != 0)                        ? result
           : (op == XENMEM_MAXIMUM_GPFN)        ? (int64_t)memory_end(domain) - 1
           : (op == XENMEM_CURRENT_RESERVATION) ? (int64_t)p2m_pages(domain)
                                                : (int64_t)hcall_max_pages(domain);
}

int64_t hcall_memory_op(struct vcpu *vcpu, uint64_t *arg)
{
    const uint64_t op = arg[0] & XENMEM_OP_MASK;
    const uint64_t start = arg[0] >> XENMEM_OP_BITS;

    switch (op) {
    case XENMEM_INCREASE_RESERVATION:
    case XENMEM_DECREASE_RESERVATION:
    case XENMEM_POPULATE_PHYSMAP:
        return (vcpu->domain->p2m != NULL) ? memory_reserve(vcpu, op, start, arg[1]) : -XEN_ENOSYS;
    case XENMEM_CURRENT_RESERVATION:
    case XENMEM_MAXIMUM_RESERVATION:
    case XENMEM_MAXIMUM_GPFN:
        return memory_tell(vcpu, op, arg[1]);
    case XENMEM_MAXIMUM_RAM_PAGE:
        return (int64_t)memory_end(vcpu->domain); /* nothing here tells of the host */
    case XENMEM_CLAIM_PAGES:
        return memory_claim(vcpu, start, arg[1]);
    default:
        return (vcpu->domain->events != NULL) ? hcall_physmap(vcpu, op, start, arg[1]) : -XEN_ENOSYS;
    }
}
