/* The port's part of the plan. */
#ifndef HAL_ARCH_PLAN_H
#define HAL_ARCH_PLAN_H

#include "arm_plan.h"

struct hal_plan_host {
    struct arm_plan_host arm;
};

#endif
