/* A domain's memory page by page, where it has Xen's interface and a map that translates. Its frames lie in
 * its chunks and stay its own as long as it has memory, wherever its map leads: a guest may put others in
 * their place, and what was there is then "out" until it is populated again. A domain that was made by tools
 * has blocks instead (mem/blocks.h), of which one goes back to the host when all its frames are out. What can
 * be at a page of its map:
 *   1. a frame of its own, at its own place or elsewhere;    2. nothing;
 *   3. a page of the hypervisor's that is set aside for this domain (shared_info, grant tables, ...);
 *   4. a frame of another domain: foreign;                   5. a device, or a window on shared memory.
 * Who maps what is foreign pays for it, and keeps account of it: when the owner of a frame ends, all that
 * lead there are led to a page of the mapper's own (p2m_revoke()), so nobody waits for a mapper. A frame that
 * is out is not populated while anybody maps it.
 *
 * Results: HV_NO_MEMORY: the domain's pool is empty, nothing is changed; HV_INVALID: no such page; HV_DENIED:
 * a page of kind 5, which stays; HV_NOT_FOUND: nothing of that kind there; HV_BUSY: the domain is down, or to
 * be asked again. Unless told otherwise: any context with no lock of LOCK_DOMAIN or above held. */
#ifndef DOMAIN_P2M_H
#define DOMAIN_P2M_H

#include "domain/domain.h"

/* The same as Xen says it: 0 or -XEN_E... */
int64_t p2m_result(enum hv_status status);

/* -- The lives of a domain: worker context, no vCPU of it runs, no stream leads to its map -- */

/* Its map is there, with all its memory: from now on others may map it. identity: its devices find foreign
 * frames where the host has them, so those are to be there too (a direct map behind an IOMMU).
 * HV_NO_MEMORY. */
HV_MUST_CHECK enum hv_status p2m_begin(struct domain *domain, bool identity);
/* On return nobody else's map leads to what is the domain's, and none will, but for its servers'
 * to its rings. Long; calls breathe() in between. */
void p2m_revoke(struct domain *domain, void (*breathe)(void));
/* All that it maps is forgotten, and its pages go back to its pool. Its map goes next. Lets nobody wait. */
void p2m_reset(struct domain *domain);

/* -- Frames for others -- */

/* The frame that is the domain's at gfn now: of its RAM, or one of its rings. write: it may write there
 * itself. HV_INVALID: there is no such. */
HV_MUST_CHECK enum hv_status p2m_frame(struct domain *owner, uint64_t gfn, bool write, hpa_t *frame);

/* Mapper's lock held, for both.
 * The owner's frame (RAM, or a page of its pool or of domain->shared) appears at gfn of the mapper, in place
 * of what was there. HV_BUSY: the owner is down, or the frame is out by now; HV_LIMIT: it maps as much as it
 * may. */
HV_MUST_CHECK enum hv_status p2m_map_foreign(struct domain *mapper, uint64_t gfn, struct domain *owner,
                                             hpa_t frame, bool readonly);
/* Takes it away again, also when it was revoked. HV_NOT_FOUND: it is not there any more. */
HV_MUST_CHECK enum hv_status p2m_unmap_foreign(struct domain *domain, uint64_t gfn);
/* Does anybody else's map lead to this frame? */
bool p2m_is_mapped(hpa_t frame);
/* Is the frame the domain's own, or does its map lead there? */
bool p2m_reaches(struct domain *domain, hpa_t frame);
/* For who keeps a host address that the domain's map led to: its frame stays the domain's until p2m_let_go(),
 * or the domain's memory ends, whatever the guest gives away. False: it is the domain's no more. */
HV_MUST_CHECK bool p2m_hold(const struct domain *domain, hpa_t at);
static inline void p2m_let_go(const struct domain *domain, hpa_t at)
{
    if ((CONFIG_CONTROL != 0) && (domain->blocks != NULL)) {
        blocks_unpin(at);
    }
}
/* Where the domain's map has this page of the hypervisor's: gfn, or all ones */
uint64_t p2m_page_gfn(struct domain *domain, const void *va);

/* -- Pages of the hypervisor's: of the domain's pool or heap, for good or until they are removed -- */

/* Domain's lock held. The page at va appears at gfn, in place of what was there; keep: with the contents of
 * the domain's frame there (HV_NOT_FOUND: there is none). HV_EXISTS: the page is in the map already. */
HV_MUST_CHECK enum hv_status p2m_put_page(struct domain *domain, uint64_t gfn, void *va, bool keep);
/* Device page idx, which the domain has at this address, appears at gfn as well, for good. */
HV_MUST_CHECK enum hv_status p2m_put_device(struct domain *domain, uint64_t gfn, uint64_t idx);
/* Domain's lock held. What is at gfn: its frame. HV_NOT_FOUND. */
HV_MUST_CHECK enum hv_status p2m_lookup(struct domain *domain, uint64_t gfn, hpa_t *frame);

/* -- The guest's own doing -- */

/* Takes away what is at gfn and at most nr - 1 pages behind it; *done of them at least. Frames of its own are
 * out then. */
HV_MUST_CHECK enum hv_status p2m_take(struct domain *domain, uint64_t gfn, uint64_t nr, uint64_t *done);
/* A frame that is out is put to gfn, zero: its own, or where the domain has no memory of its own, any.
 * Nothing happens where a ring to a server is, or, with a direct map, its own frame. HV_EXISTS: there is
 * something else. HV_NO_MEMORY also: there is no such frame, or somebody maps it. */
HV_MUST_CHECK enum hv_status p2m_populate(struct domain *domain, uint64_t gfn);
/* So is a whole block of BLOCK_PAGES pages, which nobody scrubs any more: where nothing is at all of a domain
 * that has blocks, and may have so many. HV_BUSY also: the scrubber is about to make one. HV_NOT_SUPPORTED,
 * HV_NO_MEMORY: it has to be tried page by page. */
HV_MUST_CHECK enum hv_status p2m_populate_block(struct domain *domain, uint64_t gfn);
/* Pages that it has now */
uint64_t p2m_pages(const struct domain *domain);

#endif
