/* Properties and nodes of /chosen that are not a domain's. */
/* [impl->req~unknown-refused~1] */
#include "config/control/config_control.h"

static void take_string(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    if (!dt_is_string(v)) {
        config_take_refuse(t, rule, v);
    }
}

#define DOM0_ONLY "it in a domain's node, or here beside the modules of a dom0"

/* A dom0's, read where domains are */
static void take_dom0(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    if ((CONFIG_CONTROL == 0) || !config_dom0_has(t->m)) {
        config_take_refuse(t, rule, v);
    }
}

static const char *const control_reset[] = { "host", "domain", NULL };
static const char *const on_panic[] = { "halt", "reboot", "park", NULL }; /* as enum plan_panic */

#define FIELD(field) CONFIG_FIELD(struct plan, field)
#define FLAG(field)  CONFIG_FLAG(struct plan, field)

static const struct config_rule chosen_rule[] = {
    CONFIG_RULE("xen,xen-bootargs", take_string, "one string"),
    CONFIG_RULE("bulkhead,scheduler", take_string, CONFIG_SCHEDULERS),
    CONFIG_RULE("bulkhead,major-frame-us", NULL, ""),
    CONFIG_RULE("bulkhead,admission", NULL, ""),
    CONFIG_RULE("bulkhead,weight", take_dom0, DOM0_ONLY),
    CONFIG_RULE("bulkhead,cap", take_dom0, DOM0_ONLY),
    CONFIG_RULE("bulkhead,period-us", take_dom0, DOM0_ONLY),
    CONFIG_RULE("bulkhead,budget-us", take_dom0, DOM0_ONLY),
    CONFIG_RULE("bulkhead,no-extratime", take_dom0, DOM0_ONLY),
    CONFIG_RULE("bulkhead,windows", take_dom0, DOM0_ONLY),
    { "bulkhead,on-panic", config_take_word, "halt, reboot or park", .words = on_panic, FIELD(on_panic) },
    { "bulkhead,partial-boot", config_take_flag, CONFIG_NO_VALUE, FLAG(partial_boot) },
    { "bulkhead,clean-memory", config_take_flag, CONFIG_NO_VALUE, FLAG(clean_memory) },
    { "bulkhead,report", config_take_flag, CONFIG_NO_VALUE, FLAG(report) },
    CONFIG_RULE("stdout-path", take_string, "one string"),
    CONFIG_RULE("xen,dom0-bootargs", take_string, "one string"),
    { "bulkhead,control-reset", config_take_word, "host or domain", .words = control_reset,
      FLAG(control_alone) },
    CONFIG_RULE("bulkhead,spare-domains", (CONFIG_CONTROL != 0) ? config_take_spares : config_take_refuse,
                CONFIG_SPARES_EXPECTED),
    CONFIG_RULE("xen,static-heap", config_take_static_heap, "whole multiples of 64 KiB of the host's memory"),
    CONFIG_RULE("xen,uefi-cfg-load", config_take_refuse,
                "no such property (booting as a UEFI program is not supported yet)"),
};

/* Nodes that are a fault where they stand, but not beside the modules of a dom0 */
static const struct {
    const char *compatible;
    const char *expected;
} refused[] = {
    { "multiboot,module", "modules inside a domain's node only: this port has no control domains" },
    { "xen,multiboot-module", "modules inside a domain's node only: this port has no control domains" },
    { "xen,evtchn-v1", "such a node in a domain's node, or beside the modules of a dom0" },
    { "xen,domain-shared-memory-v1", "such a node in a domain's node, or beside the modules of a dom0" },
    { "xen,vcpu", "such a node in a domain's node, or beside the modules of a dom0" },
};

/* True, and the fault, if this is one. */
static bool refuse_node(struct config_maker *m, uint32_t node)
{
    const bool dom0 = (CONFIG_CONTROL != 0) && config_dom0_has(m);
    uint32_t i = 0;

    while ((i < ARRAY_LEN(refused)) && !dt_compatible(m->ix, node, refused[i].compatible)) {
        i++;
    }
    if ((i < ARRAY_LEN(refused)) && !dom0) {
        config_fault_prop(m->report, node, "compatible", refused[i].expected);
    }
    return i < ARRAY_LEN(refused);
}

void config_chosen_check(struct config_maker *m)
{
    struct config_target t = { m, m->chosen, NULL };

    if (m->chosen != DT_NONE) {
        config_rules_apply(&t, chosen_rule, ARRAY_LEN(chosen_rule));
        for (uint32_t n = dt_first_child(m->ix, m->chosen); n != DT_NONE; n = dt_next_sibling(m->ix, n)) {
            if (!dt_enabled(m->ix, n) || dt_compatible(m->ix, n, "xen,domain") ||
                dt_compatible(m->ix, n, CONFIG_POOL)) {
                /* switched off, or looked at as what it is */
            } else if (!refuse_node(m, n) && (dt_has(m->ix, n, "memory") || dt_has(m->ix, n, "cpus"))) {
                config_fault_prop(m->report, n, "compatible", "\"xen,domain\" of a node with memory or cpus");
            } else {
                /* nothing of ours */
            }
        }
    }
}
