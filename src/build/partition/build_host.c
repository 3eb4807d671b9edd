/* The tree of a hardware domain: the host's, without the nodes that the plan marks. */
/* [impl->req~control-domain~1] */
#include <libfdt.h>

#include "build/builder.h"
#include "build/partition/build_given.h"

/* Properties that speak of what the domain does not see */
static const char *const not_shown[] = {
    "iommus",  "iommu-map",    "iommu-map-mask",  "msi-parent",
    "msi-map", "msi-map-mask", "xen,passthrough", "linux,pci-probe-only"
};

struct host_walk {
    const struct plan *plan;
    const struct tree_sink *sink;
    uint32_t nr_intc; /* ranges of registers that the interrupt controller has for the domain */
    uint32_t node;    /* the present one, as config/ counts; UINT32_MAX before the first */
    uint32_t depth;   /* of open nodes */
    uint32_t hidden;  /* depth of an open node that is not shown; 0: there is none */
};

static bool is_marked(const uint8_t *mark, uint32_t node)
{
    return (node < PLAN_TREE_NODES) && ((mark[node / 8u] & BIT32(node % 8u)) != 0u);
}

static void node_begin(void *ctx, const char *name)
{
    struct host_walk *const w = ctx;

    w->node++;
    w->depth++;
    if ((w->hidden == 0u) && is_marked(w->plan->tree_kept, w->node)) {
        w->hidden = w->depth;
    } else if ((w->hidden == 0u) && (w->depth > 1u)) {
        w->sink->begin(w->sink->ctx, name);
        if (is_marked(w->plan->tree_others, w->node)) {
            w->sink->prop(w->sink->ctx, "status", "disabled", sizeof("disabled"));
        }
    } else {
        /* the root is begun, or nothing is shown here */
    }
}

static void node_end(void *ctx)
{
    struct host_walk *const w = ctx;

    if ((w->hidden == 0u) && (w->depth > 1u)) {
        w->sink->end(w->sink->ctx);
    }
    w->hidden = (w->hidden == w->depth) ? 0u : w->hidden;
    w->depth--;
}

/* As the domain's own controller has it: no interrupt, and only the registers that it has. */
static void intc_prop(const struct host_walk *w, const char *name, const void *data, uint32_t bytes)
{
    const uint32_t reg_bytes = w->nr_intc * w->plan->tree_intc_cells * (uint32_t)sizeof(fdt32_t);
    const fdt32_t nr_regions = cpu_to_fdt32(w->nr_intc - 1u);

    if (strcmp(name, "reg") == 0) {
        w->sink->prop(w->sink->ctx, name, data, (uint32_t)bits_min(bytes, reg_bytes));
    } else if (strcmp(name, "#redistributor-regions") == 0) {
        w->sink->prop(w->sink->ctx, name, &nr_regions, (uint32_t)sizeof(nr_regions));
    } else if (strcmp(name, "interrupts") != 0) {
        w->sink->prop(w->sink->ctx, name, data, bytes);
    } else {
        /* the hypervisor's */
    }
}

static void prop_copy(void *ctx, const char *name, const void *data, uint32_t bytes)
{
    const struct host_walk *const w = ctx;
    bool shown =
        (w->hidden == 0u) && !(is_marked(w->plan->tree_others, w->node) && (strcmp(name, "status") == 0));

    for (uint32_t i = 0; i < ARRAY_LEN(not_shown); i++) {
        shown = shown && (strcmp(name, not_shown[i]) != 0);
    }
    if (shown && (w->node == w->plan->tree_intc)) {
        intc_prop(w, name, data, bytes);
    } else if (shown) {
        w->sink->prop(w->sink->ctx, name, data, bytes);
    } else {
        /* nothing to the domain */
    }
}

void build_host_tree(const struct domain *domain, const struct tree_sink *sink)
{
    struct host_walk w = { build_plan(), sink, hal_vplat_intc_ranges(&domain->hal), UINT32_MAX, 0u, 0u };
    const struct tree_sink walk = { node_begin, prop_copy, node_end, &w };

    build_tree_copy(domain->plan->partial_tree, 0, &walk);
}
