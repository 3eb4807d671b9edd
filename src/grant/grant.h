/* Grant tables of the domains that have Xen's interface (xen,enhanced): what they let each other map and
 * copy. A granter's table lies in pages of its pool, which stay the table's for good once they are, as a
 * control domain may have mapped them. Entries are the guest's: each use of one reads it again, once. How
 * often an entry is in use is counted per entry, whom a domain maps by handle. Neither end waits for the
 * other: who ends takes back what it uses of others; handles on a granter that ended lead nowhere (the frames
 * are p2m's to revoke). */
#ifndef GRANT_GRANT_H
#define GRANT_GRANT_H

#include "abi/xen_grant.h"
#include "domain/domain.h"

/* Pages of the heap that grant_setup() takes; 0 for a domain without Xen's interface. */
uint32_t grant_pages(const struct plan_domain *plan);
/* Boot, once for each domain. domain->grants stays NULL if it has none. HV_NO_MEMORY. */
HV_MUST_CHECK enum hv_status grant_setup(struct domain *domain);

/* Worker context, no vCPU of the domain runs, no device of it either. A life begins: version 1, empty. */
void grant_begin(struct domain *domain);
/* ... and ends: on return nobody uses a frame by its grants who does not map it (p2m_revoke() is next), and
 * it holds no use of others' entries. Long; calls breathe() in between. Harmless for a domain that is
 * down. */
void grant_end(struct domain *domain, void (*breathe)(void));

/* Worker context, after p2m_revoke(), the domain is down: what is left of its table goes back to the pool. */
void grant_forget(struct domain *domain);

/* A grant that the guest finds there: ref < GNTTAB_NR_RESERVED_ENTRIES. Between grant_begin() and the first
 * instruction, or while version 1 is in use. HV_NO_MEMORY, HV_BUSY: the domain is down, or has version 2. */
HV_MUST_CHECK enum hv_status grant_seed(struct domain *domain, uint32_t ref, domid_t to, uint64_t gfn);

/* The page of the hypervisor's that is frame idx & ~GRANT_STATUS of the table (of its status frames), which
 * grows to have it. No lock of LOCK_GRANT or above held. HV_LIMIT: beyond max_grant_frames; HV_INVALID:
 * status frames and not version 2; HV_NO_MEMORY: the domain's pool is empty; HV_BUSY: it is down. */
#define GRANT_STATUS 0x80000000u
HV_MUST_CHECK enum hv_status grant_frame(struct domain *domain, uint64_t idx, void **page);
/* How many frames the table (the status frames) can have, and has. */
uint32_t grant_max_frames(const struct domain *domain, bool status);
uint32_t grant_nr_frames(const struct domain *domain, bool status);
/* So many mappings of others' frames it had at most at a time in this life. */
uint32_t grant_nr_handles(const struct domain *domain);

/* -- For hypercalls: the calling vCPU, its domain has a grant table; interrupts masked, no lock held. 0 (and
 * a status in the argument, and what else goes out), -XEN_E... or GRANT_AGAIN -- */
#define GRANT_AGAIN 1 /* not done yet: the guest makes the same call once more */
typedef int64_t grant_fn(struct vcpu *vcpu, union xen_grant_op *arg);
grant_fn grant_map;
grant_fn grant_unmap;
grant_fn grant_copy;
grant_fn grant_swap;
grant_fn grant_flush;
grant_fn grant_set_version;
uint32_t grant_version(const struct domain *domain);

#endif
