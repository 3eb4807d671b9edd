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
    return ((uint64_t)plan->nr_domains * DOMAIN_BYTES) + ((uint64_t)plan->nr_pv * LINK_BYTES);
}

static void begin(const struct tree_sink *t, const char *kind, uint32_t number)
{
    char name[NAME_BYTES];
    struct fmt_buf text;

    fmt_init(&text, name, sizeof(name));
    fmt_add(&text, "%s@%u", kind, number);
    t->begin(t->ctx, name);
}

/* Tools also have those that no xenstore serves. */
static void write_domain(const struct tree_sink *t, uint32_t i)
{
    const struct domain *const d = domain_table[i];
    const uint32_t port = evtchn_server_port(d, DOMAIN_CONSOLE);

    begin(t, "domain", i);
    tree_cell(t, "domid", d->id);
    tree_text(t, "name", d->plan->name);
    if (port != 0u) {
        tree_cell(t, "console-ring", (uint32_t)build_console_gfn(d));
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
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        const struct plan_domain *const d = &plan->domain[i];

        if ((d != domain) && (controls || ((d->enhanced >= PLAN_ENHANCED_ENABLED) &&
                                           ((d->role & PLAN_ROLE_XENSTORE) == 0u)))) {
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
