/* What xenstore and control domains are told: which domains there are, and what each has from another. */
/* [impl->req~store-links~1] */
#include "build/partition/build_pv.h"

#include "build/builder.h"
#include "evtchn/evtchn.h"

#define NAME_BYTES 16u

#define DOMAIN_BYTES 192u /* of a node, with its domain's name */
#define LINK_BYTES   320u /* with a path */

uint64_t build_pv_tree_bytes(const struct plan *plan)
{
    return ((uint64_t)(plan->nr_domains + plan->spares.nr) * DOMAIN_BYTES) +
           ((uint64_t)plan->nr_pv * LINK_BYTES);
}

static void begin(const struct tree_sink *t, const char *kind, uint32_t number)
{
    char name[NAME_BYTES];
    struct fmt_buf text;

    fmt_init(&text, name, sizeof(name));
    fmt_add(&text, "%s@%u", kind, number);
    t->begin(t->ctx, name);
}

/* Tools also have those that no xenstore serves, and those that they made in an earlier life. */
static void write_domain(const struct tree_sink *t, uint32_t i)
{
    const struct domain *const d = domain_table[i];
    const bool spare = d->plan->spare;
    const uint32_t store =
        spare ? (uint32_t)d->param[HVM_PARAM_STORE_EVTCHN] : evtchn_server_port(d, DOMAIN_STORE);
    const uint32_t port =
        spare ? (uint32_t)d->param[HVM_PARAM_CONSOLE_EVTCHN] : evtchn_server_port(d, DOMAIN_CONSOLE);

    begin(t, "domain", i);
    tree_cell(t, "domid", domain_number(d));
    tree_text(t, "name", d->plan->name);
    if (store != 0u) {
        tree_cell(t, "store-port", store);
    }
    if (port != 0u) {
        tree_cell(t, "console-ring",
                  (uint32_t)(spare ? d->param[HVM_PARAM_CONSOLE_PFN] : build_console_gfn(d)));
        tree_cell(t, "console-port", port);
    }
    t->end(t->ctx);
}

void build_pv_tree(const struct plan_domain *domain, const struct tree_sink *t)
{
    const struct plan *const plan = build_plan();
    const bool controls = (domain->role & PLAN_ROLE_CONTROL) != 0u;

    if (!controls && ((domain->role & PLAN_ROLE_XENSTORE) == 0u)) {
        return;
    }
    t->begin(t->ctx, "bulkhead,store");
    for (uint32_t i = 0; i < domain_count; i++) {
        const struct plan_domain *const d = domain_table[i]->plan;
        const bool there = !d->spare || domain_is_there(domain_table[i]);

        if ((d != domain) && there &&
            (controls ||
             ((d->enhanced >= PLAN_ENHANCED_ENABLED) && ((d->role & PLAN_ROLE_XENSTORE) == 0u)))) {
            write_domain(t, i);
        }
    }
    for (uint32_t i = 0; i < plan->nr_pv; i++) {
        const struct plan_pv *const pv = &plan->pv[i];

        begin(t, pv->net ? "net" : "disk", i);
        tree_cell(t, "frontend", plan->domain[pv->domain].domid);
        tree_cell(t, "backend", plan->domain[pv->backend].domid);
        tree_cell(t, "handle", pv->handle);
        tree_cell(t, "read-only", pv->read_only ? 1u : 0u);
        tree_text(t, "text", pv->text);
        t->end(t->ctx);
    }
    t->end(t->ctx);
}
