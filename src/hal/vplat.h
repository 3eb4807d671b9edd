/* The platform a guest sees, described for its device tree. The port names nodes and properties, build/
 * writes them. */
#ifndef HAL_VPLAT_H
#define HAL_VPLAT_H

#include "hal/vcpu.h"
#include "lib/tree.h"

/* Writes the port's nodes of the guest's root: cpus, interrupt controller (of phandle intc; not if the tree
 * has_intc), timer, firmware.
 * Root cells are 2/2 and the root's interrupt-parent is written by the caller. nr_vcpus and versions are the
 * domain's. */
void hal_vplat_tree(const struct hal_domain *domain, uint32_t intc, bool has_intc,
                    const struct tree_sink *tree);
/* The architecture's version of its interrupt controller, which is the host's */
uint32_t hal_vplat_intc_version(const struct hal_domain *domain);
/* How many ranges of registers the guest's interrupt controller has. */
uint32_t hal_vplat_intc_ranges(const struct hal_domain *domain);

#define HAL_VPLAT_PHANDLE_INTC 65000u /* unless a guest's partial tree has another */

/* The guest-visible id of a vCPU (Arm: MPIDR affinity; Aff0 = index & 15, Aff1 = index >> 4). */
uint64_t hal_vplat_cpu_hwid(uint32_t index);

#endif
