/* The host's own power. */
#ifndef HAL_POWER_H
#define HAL_POWER_H

#include "hal/plan.h"

void hal_power_init(const struct hal_plan_host *host);
/* Return only if firmware cannot. Any context. */
void hal_power_off(void);
void hal_power_reset(void);

#endif
