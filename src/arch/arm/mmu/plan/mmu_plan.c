/* hal/plan.h where tables translate: nothing is short. */
#include "hal/plan.h"

bool hal_plan_identity(const struct hal_plan_host *host)
{
    (void)host;
    return false;
}

bool hal_plan_el1_mmu(const struct hal_plan_host *host)
{
    (void)host;
    return true;
}

uint32_t hal_plan_regions(const struct plan *plan, uint32_t domain,
                          struct hal_plan_region list[HAL_PLAN_REGIONS_MAX])
{
    (void)plan;
    (void)domain;
    (void)list;
    return 0u;
}

uint32_t hal_plan_regions_max(const struct plan *plan)
{
    (void)plan;
    return 0u;
}
