/* Devices of the host that a domain has. Worker context. */
#ifndef BUILD_PARTITION_BUILD_GIVEN_H
#define BUILD_PARTITION_BUILD_GIVEN_H

#include "domain/domain.h"
#include "hal/vplat.h"

/* A phase: registers are mapped, interrupts routed. Failures are logged. */
HV_MUST_CHECK enum hv_status build_given(struct domain *domain);
void build_given_undo(struct domain *domain);
/* What a control domain does with devices that the plan offers, for a domain that it made (build_offer.c).
 * The device is that domain's from then on, until it ends. HV_DENIED: no such device, or no such domain;
 * HV_BUSY: another has it, or not now. Any context, no lock of LOCK_DOMAIN or above held. */
enum build_offer_act {
    BUILD_OFFER_TAKE, /* no more than that */
    BUILD_OFFER_USE,
    BUILD_OFFER_LEAVE /* not used, and still its */
};
/* Pages of registers, at most 64 but for TAKE, in its map at gfn; further: p2m.h */
HV_MUST_CHECK enum hv_status build_offer_pages(struct domain *domain, enum build_offer_act act, uint64_t gfn,
                                               uint64_t mfn, uint64_t nr);
/* An interrupt; but for TAKE the domain is paused and on no CPU (HV_BUSY). Further: hal/irq.h */
HV_MUST_CHECK enum hv_status build_offer_line(struct domain *domain, enum build_offer_act act, uint32_t irq);
/* DMA of the device at that path of the host's tree; TAKE only asks if nobody has it. HV_NOT_FOUND: no such
 * device; HV_NOT_SUPPORTED: no IOMMU holds it. */
HV_MUST_CHECK enum hv_status build_offer_device(struct domain *domain, enum build_offer_act act,
                                                const char *path);
/* The domain has ended: interrupts, DMA and what its map held are gone. */
void build_offers_return(const struct domain *domain);
/* Hands a node and all below it to the sink, but for what tells us how to give a device. fdt_check_full()
 * found the blob whole. */
void build_tree_copy(const void *fdt, int node, const struct tree_sink *sink);
/* The nodes of its partial tree. False: it cannot be read. */
bool build_given_tree(const struct plan_domain *plan, const struct tree_sink *sink);
/* The nodes of the host's tree that a hardware domain sees, and the properties of its root. */
void build_host_tree(const struct domain *domain, const struct tree_sink *sink);

#endif
