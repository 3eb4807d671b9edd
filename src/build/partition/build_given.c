/* Devices of the host that the plan gives to a domain: their registers in its map, their interrupts, and what
 * its partial tree says of them in its tree. */
/* [impl->req~device-registers~1] [impl->req~device-interrupts~1] [impl->req~partial-tree~1] */
#include <libfdt.h>

#include "build/builder.h"
#include "build/partition/build_given.h"
#include "hal/irq.h"

/* For a hardware domain, what its own tables say of a device holds; what is beyond the addresses of all
 * guests it goes without. */
static enum hv_status window_map(struct domain *domain, const struct plan_window *w)
{
    const bool is_rest = (domain->plan->role & PLAN_ROLE_HARDWARE) != 0u;
    const uint64_t limit = hal_guestmap_limit();
    const uint64_t bytes =
        is_rest ? bits_min(w->host.bytes, limit - bits_min(limit, w->at.v)) : w->host.bytes;

    return (bytes == 0u)
               ? HV_OK
               : hal_guestmap_map(&domain->hal.map, w->at, hpa(w->host.base), bytes, HAL_PERM_R | HAL_PERM_W,
                                  is_rest ? HAL_MEM_NORMAL : HAL_MEM_DEVICE);
}

enum hv_status build_given(struct domain *domain)
{
    enum hv_status status = HV_OK;

    for (uint32_t i = 0; (i < build_plan()->nr_windows) && (status == HV_OK); i++) {
        const struct plan_window *const w = &build_plan()->window[i];

        if (build_is_its(domain, w->domain)) {
            status = window_map(domain, w);
            work_breathe();
        }
    }
    for (uint32_t i = 0; (i < build_plan()->nr_lines) && (status == HV_OK); i++) {
        const struct plan_line *const l = &build_plan()->line[i];

        if (build_is_its(domain, l->domain)) {
            status = hal_irq_route(l->irq, l->edge, &domain->hal, l->virq);
            if ((status == HV_INVALID) || (status == HV_EXISTS)) {
                log_line("/chosen/%s: interrupt %u: found %s, expected one that can be given to it",
                         domain->plan->name, l->irq,
                         (status == HV_EXISTS) ? "it used by the hypervisor" : "no such interrupt");
            }
        }
    }
    if (status == HV_NO_MEMORY) {
        log_line("/chosen/%s: xen,domain-p2m-mem-mb: found %U KiB, expected more for its devices",
                 domain->plan->name, domain->plan->pool_bytes >> 10u);
    }
    return status;
}

/* The registers go with the map. */
void build_given_undo(struct domain *domain)
{
    for (uint32_t i = 0; i < plan_lines(build_plan()); i++) {
        if (build_is_its(domain, build_plan()->line[i].domain)) {
            hal_irq_unroute(build_plan()->line[i].irq, &domain->hal);
        }
    }
    if (CONFIG_CONTROL != 0) {
        build_offers_return(domain);
    }
}

/* -- The partial tree -- */

/* What tells us how to give a device is nothing to the guest. */
static bool is_ours(const char *name)
{
    return (strcmp(name, "xen,reg") == 0) || (strcmp(name, "xen,path") == 0) ||
           (strcmp(name, "xen,force-assign-without-iommu") == 0) || (strcmp(name, "bulkhead,virqs") == 0);
}

/* Each turn moves on in the blob. */
void build_tree_copy(const void *fdt, int node, const struct tree_sink *sink)
{
    uint32_t depth = 0;
    int at = node;

    do {
        int next = 0;
        int bytes = 0;
        const char *name = "";
        const struct fdt_property *prop;

        switch (fdt_next_tag(fdt, at, &next)) {
        case FDT_BEGIN_NODE:
            sink->begin(sink->ctx, fdt_get_name(fdt, at, NULL));
            depth++;
            break;
        case FDT_PROP:
            prop = fdt_get_property_by_offset(fdt, at, &bytes);
            name = (prop != NULL) ? fdt_string(fdt, (int)fdt32_ld(&prop->nameoff)) : "";
            if ((prop != NULL) && !is_ours(name)) {
                sink->prop(sink->ctx, name, prop->data, (uint32_t)bytes);
            }
            break;
        case FDT_END_NODE:
            sink->end(sink->ctx);
            depth--;
            break;
        default:
            /* FDT_NOP; FDT_END stands behind the root's end */
            break;
        }
        at = next;
    } while ((depth > 0u) && (at > 0));
}

bool build_given_tree(const struct plan_domain *plan, const struct tree_sink *sink)
{
    static const char *const copied[] = { "/passthrough", "/aliases" };
    const void *const fdt = plan->partial_tree;
    bool good = true;

    if (plan->partial.bytes > 0u) {
        good = (fdt != NULL) && (fdt_check_full(fdt, (size_t)plan->partial.bytes) == 0);
    }
    for (uint32_t i = 0; (i < ARRAY_LEN(copied)) && good && (fdt != NULL); i++) {
        const int node = fdt_path_offset(fdt, copied[i]);

        if (node > 0) {
            build_tree_copy(fdt, node, sink);
        }
    }
    return good;
}
