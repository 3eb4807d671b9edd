#ifndef HAL_ARCH_VCPU_H
#define HAL_ARCH_VCPU_H

#include "hal/types.h"
#include "hal_arch/context.h"
#include "hal_arch/guestmap.h"
#include "arm_vcpu.h"

struct hal_domain {
    struct hal_guestmap map;
    struct arm_domain arm;
};

struct hal_vcpu {
    struct hal_frame frame;
    struct hal_domain *domain;
    uint32_t index;
    struct arm_vcpu arm;
};

#endif
