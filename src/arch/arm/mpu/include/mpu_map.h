/* What a domain may reach, as protection regions: PMSAv8. The CPU that loads one of its vCPUs programs
 * them. */
#ifndef ARCH_ARM_MPU_MPU_MAP_H
#define ARCH_ARM_MPU_MPU_MAP_H

#include "mpu_region.h"

#define MPU_CPU_REGIONS 32u /* that HPRENR has a bit for (DDI 0568 E2.2.5) */

struct hal_domain;

struct hal_guestmap {
    struct mpu_set set; /* max 0: not initialised */
    struct mpu_region region[MPU_CPU_REGIONS];
    uint32_t id;                /* VMID */
    uint32_t version;           /* of the regions, of all maps: no two states have the same */
    uint32_t begun;             /* calls of hal_guestmap_begin() without their end */
    volatile uint32_t changing; /* odd: being changed, addresses are invalid for a moment */
};

/* For hal_vcpu_load() and hal_vcpu_save(), on the CPU at hand with interrupts masked. */
void arm_guestmap_enter(const struct hal_guestmap *map);
void arm_guestmap_leave(void);

#endif
