/* Whether a CPU's protection regions suffice, where nothing translates. */
/* [impl->req~region-budget~1] */
#include "config/config_maker.h"

#define WHAT_MAX 96u

static void note_all(struct config_maker *m, uint32_t node, const struct hal_plan_region *list, uint32_t nr)
{
    for (uint32_t i = 0; i < nr; i++) {
        char what[WHAT_MAX];
        struct fmt_buf text;

        fmt_init(&text, what, sizeof(what));
        if (list[i].last != 0u) {
            fmt_add(&text, "%X to %X, ", list[i].base, list[i].last);
        }
        fmt_str(&text, list[i].what);
        config_note(m->report, node, "region", what);
    }
}

void config_regions_check(struct config_maker *m)
{
    const struct plan *const plan = m->plan;
    const uint32_t have = hal_plan_regions_max(plan);
    struct hal_plan_region list[HAL_PLAN_REGIONS_MAX];
    const uint32_t own = hal_plan_regions(plan, PLAN_NO_DOMAIN, list);
    const uint32_t left = (own < have) ? (have - own) : 0u;

    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        const uint32_t before = m->report->nr_faults;
        const uint32_t node = m->domain_node[i];
        const uint32_t nr = hal_plan_regions(plan, i, list);

        if (nr > left) {
            config_fault_say(m->report, node, "xen,static-mem",
                             "%u regions of memory and devices, expected at most %u of a CPU's %u", nr, left,
                             have);
            note_all(m, node, list, nr);
            note_all(m, node, list, hal_plan_regions(plan, PLAN_NO_DOMAIN, list));
            config_domain_blame(m, &m->plan->domain[i], before);
        }
    }
}
