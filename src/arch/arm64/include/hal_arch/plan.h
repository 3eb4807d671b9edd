/* The port's part of the plan. */
#ifndef HAL_ARCH_PLAN_H
#define HAL_ARCH_PLAN_H

#include "arm_plan.h"

#define ARM_PLAN_CPU_ON 0xC4000003u /* PSCI by the 64-bit convention (DEN 0022) */

struct hal_plan_host {
    struct arm_plan_host arm;
};

#endif
