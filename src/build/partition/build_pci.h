/* PCI functions of domains. Shared by the files of build/ only. */
#ifndef BUILD_PARTITION_BUILD_PCI_H
#define BUILD_PARTITION_BUILD_PCI_H

#include "domain/domain.h"
#include "hal/vplat.h"

/* Host bridges of the plan: buses numbered, every function on them quiet, those of domains placed. What
 * cannot be is told in the log and fails its domain's build. Boot. HV_NO_MEMORY, HV_LIMIT: no room for their
 * registers in the hypervisor's map. */
HV_MUST_CHECK enum hv_status build_pci_setup(const struct plan *plan);

/* The domain's bus with its functions, reset as far as they can be. Worker context; breathes. A failure is
 * logged. */
HV_MUST_CHECK enum hv_status build_pci(struct domain *domain);
/* They answer from now on. Any context. */
void build_pci_begin(struct domain *domain);
/* No DMA, no interrupts, no answers; what was under way has ended or waited for 100 ms in vain. Worker
 * context; breathes. */
void build_pci_undo(struct domain *domain);

/* The bus in the guest's tree, if the domain has one. */
void build_pci_tree(const struct domain *domain, const struct tree_sink *tree);
/* How much longer than without it the tree is at most. */
uint32_t build_pci_tree_bytes(const struct plan *plan);

#endif
