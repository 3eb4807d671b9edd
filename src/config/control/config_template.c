/* Templates: domains that the tree declares and a control domain makes, by their UUID. */
/* [impl->req~templates~1] */
#include "config/control/config_control.h"

#define UUID_TEXT   37u /* "01234567-89ab-cdef-0123-456789abcdef" and its NUL */
#define BLOCK_BYTES MIB(2)

void config_take_uuid(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    uint8_t *const uuid = t->domain->uuid;
    bool good = dt_is_string(v) && (v->bytes == UUID_TEXT);
    uint32_t nr = 0;
    uint32_t any = 0;

    for (uint32_t i = 0; good && (i < (UUID_TEXT - 1u)); i++) {
        const char c = (char)v->data[i];
        const uint32_t value = config_hex(c);

        if ((i == 8u) || (i == 13u) || (i == 18u) || (i == 23u)) {
            good = (c == '-');
        } else {
            good = (value < 16u);
            uuid[nr / 2u] = (uint8_t)(((uint32_t)uuid[nr / 2u] << 4u) | (value % 16u));
            any |= value;
            nr++;
        }
    }
    t->domain->has_uuid = good && (any != 0u);
    if (!t->domain->has_uuid) {
        config_take_refuse(t, rule, v);
    }
}

/* What stands against a template; NULL: nothing */
static const char *template_judge(const struct config_maker *m, const struct plan_domain *d, uint32_t node)
{
    uint64_t all = 0;

    for (uint32_t i = 0; i < d->nr_static; i++) {
        const struct range *const r = &m->plan->static_mem[d->static_first + i];

        all |= r->base | r->bytes;
    }
    return ((m->roles & PLAN_ROLE_CONTROL) == 0u) ? "it beside a control domain only, which makes the domain"
           : !dt_has(m->ix, node, "bulkhead,uuid")
               ? "bulkhead,uuid beside it, by which the control domain names it"
           : ((d->kernel.name != NULL) || (d->ramdisk.name != NULL))
               ? "no kernel and no ramdisk: the control domain brings them"
           : ((d->role != 0u) || d->vpl011 || d->direct_map || dt_has(m->ix, node, "xen,enhanced"))
               ? "a domain without capabilities, vpl011, direct-map and xen,enhanced"
           : (!dt_has(m->ix, node, "xen,static-mem") || ((all % BLOCK_BYTES) != 0u))
               ? "xen,static-mem beside it, of whole 2 MiB"
               : NULL;
}

void config_template_check(struct config_maker *m, uint32_t domain)
{
    const struct plan_domain *const d = &m->plan->domain[domain];
    const uint32_t node = m->domain_node[domain];
    const char *const expected = d->spare ? template_judge(m, d, node) : NULL;

    if (expected != NULL) {
        config_fault_prop(m->report, node, "bulkhead,template", expected);
    }
    for (const struct plan_domain *o = m->plan->domain; (o != d) && d->has_uuid; o++) {
        if (o->has_uuid && (memcmp(o->uuid, d->uuid, sizeof(d->uuid)) == 0)) {
            config_fault_prop(m->report, node, "bulkhead,uuid", "one that no other domain has");
        }
    }
}
