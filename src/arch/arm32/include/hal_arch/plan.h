/* The port's part of the plan. */
#ifndef HAL_ARCH_PLAN_H
#define HAL_ARCH_PLAN_H

#include "arm_plan.h"

#define ARM_PLAN_CPU_ON 0x84000003u /* PSCI by the 32-bit convention (DEN 0022) */

struct hal_plan_host {
    struct arm_plan_host arm;
};

#endif
