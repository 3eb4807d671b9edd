/* The port's part of the plan. */
#ifndef HAL_ARCH_PLAN_H
#define HAL_ARCH_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_IOMMUS_MAX 4u

struct hal_plan_host {
    uint32_t
        intc_version; /* 2 or 3, of a compatible "bulkhead,fake-intc-2" or "-3"; decides how many vCPUs fit */
    bool has_power;   /* a node compatible with "bulkhead,fake-power" */
    bool identity;    /* "bulkhead,fake-mpu" */
    bool el1_mmu;     /* ... which has a property "vmsa", or a host without */
    uint32_t nr_iommus; /* nodes compatible with "bulkhead,fake-iommu" */
    uint32_t iommu_node[FAKE_IOMMUS_MAX];
};

#endif
