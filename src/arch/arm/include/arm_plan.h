/* What the Arm ports take from the host's device tree. Plain data, filled by arch/arm/plan, read by the
 * drivers. */
#ifndef ARCH_ARM_PLAN_H
#define ARCH_ARM_PLAN_H

#include "hal/types.h"

#define ARM_REDIST_REGIONS_MAX 16u
#define ARM_SMMUS_MAX          4u
#define ARM_SMMU_LINES         2u
#define ARM_CPU_NAME_MAX       32u /* with NUL */

/* Where a guest finds its interrupt controller: [0] the distributor, from [1] on the CPU interface (GICv2) or
 * regions of redistributors (GICv3) */
struct arm_gic_map {
    struct range range[1u + ARM_REDIST_REGIONS_MAX];
    uint32_t nr_ranges;
    uint64_t stride; /* from redistributor to redistributor */
};

/* An SMMUv3 (binding iommu/arm,smmu-v3.yaml) */
struct arm_smmu {
    uint32_t node; /* in the host's tree */
    uint64_t base;
    uint32_t irq[ARM_SMMU_LINES]; /* of events and of errors; may be one; 0 = none: it is polled */
    bool edge[ARM_SMMU_LINES];
};

enum arm_conduit { ARM_CONDUIT_NONE, ARM_CONDUIT_SMC, ARM_CONDUIT_HVC };

/* interrupt-controller and timer nodes (bindings arm,gic, arm,gic-v3, arm,armv8-timer), psci node */
struct arm_plan_host {
    uint32_t gic_version; /* 2 or 3 */
    struct range gicd;
    struct range gicc; /* GICv2 CPU interface */
    struct range gich; /* GICv2 hypervisor interface */
    struct range gicv; /* GICv2 virtual CPU interface */
    struct range gicr[ARM_REDIST_REGIONS_MAX];
    uint32_t nr_gicr;
    uint64_t gicr_stride; /* 0 = the architecture's (128 KiB, 256 KiB with VLPIs by GICR_TYPER) */
    struct arm_smmu smmu[ARM_SMMUS_MAX];
    uint32_t nr_smmus;
    uint32_t ppi_maintenance; /* INTIDs, 16 .. 31 */
    uint32_t ppi_virt_timer;
    uint32_t ppi_hyp_timer;
    uint32_t ppi_phys_timer;
    uint32_t timer_frequency; /* clock-frequency of the timer node, 0 = none given */
    enum arm_conduit psci_conduit;
    uint32_t psci_cpu_on;     /* function id */
    uint32_t psci_system_off; /* 0 = absent (PSCI 0.1) */
    uint32_t psci_system_reset;
    uint64_t sp805; /* bulkhead,host-power: the registers of what resets a host without firmware; 0 = none */
    bool sp805_off; /* ... and is all there is to switch it off */
    char cpu_compatible[ARM_CPU_NAME_MAX]; /* of the first CPU's node */
};

/* The map of a domain with that many vCPUs, at the addresses of arm_layout.h or the host's: if is_direct, and
 * always where nothing translates. Answers how many vCPUs it has room for; what is not needed for nr_vcpus is
 * left out. */
uint32_t arm_plan_gic_map(const struct arm_plan_host *host, bool is_direct, uint32_t nr_vcpus,
                          struct arm_gic_map *out);

#endif
