/* hal/plan.h where protection regions stand in for tables: what a CPU's regions go to, before there is one.
 * mpu_hypmap.c and mpu_guestmap.c do the same at run time, in the same order of magnitude and never more. */
/* [impl->req~region-budget~1] */
#include "config/plan.h"
#include "mpu_cpu.h"

#define PLAN_STACKS 3u /* of a CPU, each above a guard: handlers', the worker's, idle's */

bool hal_plan_identity(const struct hal_plan_host *host)
{
    (void)host;
    return true;
}

/* AArch32's R profile has protection regions only (Arm DDI 0568); one of AArch64 may have both. */
bool hal_plan_el1_mmu(const struct hal_plan_host *host)
{
    (void)host;
    return false;
}

uint32_t hal_plan_regions_max(const struct plan *plan)
{
    (void)plan;
    return MPU_PLANNED;
}

struct plan_list {
    struct hal_plan_region *region;
    uint32_t nr;
};

static void plan_put(struct plan_list *list, const char *what, uint64_t base, uint64_t bytes)
{
    if (list->nr < HAL_PLAN_REGIONS_MAX) {
        struct hal_plan_region *const r = &list->region[list->nr];

        r->base = base;
        r->last = (bytes == 0u) ? 0u : (base + (bytes - 1u));
        r->what = what;
        list->nr++;
    }
}

/* Partial trees may lie in one row with the tree; that is known when it is packed. */
static void plan_own(const struct plan *plan, struct plan_list *list)
{
    const struct arm_plan_host *const arm = &plan->host.arm;

    plan_put(list, "the hypervisor's code", 0u, 0u);
    plan_put(list, "its data", 0u, 0u);
    plan_put(list, "its heap", 0u, 0u);
    for (uint32_t i = 0u; i < PLAN_STACKS; i++) {
        plan_put(list, "its heap, above a stack's guard", 0u, 0u);
    }
    plan_put(list, "the device tree", 0u, 0u);
    plan_put(list, "interrupt controller", arm->gicd.base, arm->gicd.bytes);
    for (uint32_t i = 0u; i < arm->nr_gicr; i++) {
        plan_put(list, "interrupt controller", arm->gicr[i].base, arm->gicr[i].bytes);
    }
    if (plan->console.kind != PLAN_CONSOLE_NONE) {
        plan_put(list, "console", plan->console.base.v, plan->console.bytes);
    }
    if (plan->log_keep.bytes != 0u) {
        plan_put(list, "bulkhead,log", plan->log_keep.base, plan->log_keep.bytes);
    }
    for (uint32_t i = 0u; i < plan->nr_domains; i++) {
        if (plan->domain[i].partial.bytes != 0u) {
            plan_put(list, "a partial tree", 0u, 0u);
        }
    }
}

/* What is refused for other reasons does not count. */
static void plan_add(struct mpu_set *set, uint64_t base, uint64_t bytes, uint32_t attr)
{
    const struct mpu_region r = { base, base + (bytes - 1u), attr | MPU_GUEST | MPU_WRITE };

    const enum hv_status status = mpu_add(set, &r);

    (void)status;
}

static const char *plan_what(uint32_t attr)
{
    const char *const normal = ((attr & MPU_EXEC) != 0u) ? "memory" : "shared memory";

    return ((attr & MPU_DEVICE) != 0u) ? "device" : normal;
}

static void plan_domain(const struct plan *plan, uint32_t domain, struct plan_list *list)
{
    const struct plan_domain *const d = &plan->domain[domain];
    struct mpu_region room[HAL_PLAN_REGIONS_MAX];
    struct mpu_set set = { room, 0u, HAL_PLAN_REGIONS_MAX };

    for (uint32_t i = 0u; i < d->nr_static; i++) {
        const struct range *const r = &plan->static_mem[d->static_first + i];

        plan_add(&set, r->base, r->bytes, MPU_EXEC);
    }
    for (uint32_t i = 0u; i < plan->nr_shm_uses; i++) {
        if (plan->shm_use[i].domain == domain) {
            plan_add(&set, plan->shm_use[i].at.v, plan->shm_use[i].bytes, 0u);
        }
    }
    for (uint32_t i = 0u; i < plan->nr_windows; i++) {
        if (plan->window[i].domain == domain) {
            plan_add(&set, plan->window[i].host.base, plan->window[i].host.bytes, MPU_DEVICE);
        }
    }
    for (uint32_t i = 0u; i < set.nr; i++) {
        plan_put(list, plan_what(room[i].attr), room[i].base, (room[i].limit - room[i].base) + 1u);
    }
}

uint32_t hal_plan_regions(const struct plan *plan, uint32_t domain,
                          struct hal_plan_region list[HAL_PLAN_REGIONS_MAX])
{
    struct plan_list all = { list, 0u };

    if (domain < plan->nr_domains) {
        plan_domain(plan, domain, &all);
    } else {
        plan_own(plan, &all);
    }
    return all.nr;
}
