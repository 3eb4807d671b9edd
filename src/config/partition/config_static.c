/* Memory that the tree fixes: a domain's, the hypervisor's, and domains that see the host's addresses. */
/* [impl->req~static-memory~1] [impl->req~static-heap~1] [impl->req~direct-map~1] */
#include "config/config_maker.h"

#include "config/partition/layout.h"

#define STATIC_MEM "xen,static-mem"
#define HEAP_ALIGN KIB(64)
#define SPI_FIRST  32u
#define UART_BYTES PAGE_BYTES
#define SPIS_STEP  32u

/* A list of address and size */
struct range_list {
    const char *prop;
    uint32_t node;
    uint32_t ac;
    uint32_t sc;
    uint32_t nr;
    struct dt_value v;
};

/* False and a fault if it is none, or longer than `most`. */
static bool list_open(struct config_maker *m, struct range_list *list, uint32_t most, const char *too_many)
{
    const bool cells = (list->ac >= 1u) && (list->ac <= 2u) && (list->sc >= 1u) && (list->sc <= 2u);
    const uint32_t entry = cells ? ((list->ac + list->sc) * 4u) : 1u;
    const bool good = cells && (list->v.bytes > 0u) && ((list->v.bytes % entry) == 0u);

    list->nr = list->v.bytes / entry;
    if (!good) {
        config_fault(m->report, list->node, list->prop, &list->v,
                     "pairs of address and size, of 1 or 2 cells each as #address-cells and #size-cells say");
    } else if (list->nr > most) {
        config_fault_say(m->report, list->node, list->prop, "%u, expected %s", list->nr, too_many);
    } else {
        /* good */
    }
    return good && (list->nr <= most);
}

static void range_fault(struct config_maker *m, uint32_t node, const char *prop, const struct range *r,
                        const char *expected)
{
    config_fault_say(m->report, node, prop, "%X bytes at %X, expected %s", r->bytes, r->base, expected);
}

static bool list_range(struct config_maker *m, const struct range_list *list, uint32_t i, uint64_t align,
                       const char *expected, struct range *out)
{
    const uint32_t at = i * (list->ac + list->sc);
    const struct range r = { dt_cells(&list->v, at, list->ac), dt_cells(&list->v, at + list->ac, list->sc) };
    bool good = (r.bytes > 0u) && (((r.base | r.bytes) % align) == 0u) && config_inside_ram(m->plan, &r);

    if (good) {
        good = config_claim(m, list->node, list->prop, &r, list->prop);
    } else {
        range_fault(m, list->node, list->prop, &r, expected);
    }
    *out = r;
    return good;
}

void config_take_static_heap(struct config_target *t, const struct config_rule *rule,
                             const struct dt_value *v)
{
    struct plan *const plan = t->m->plan;
    struct range_list list = {
        rule->name, t->node, dt_address_cells(t->m->ix, DT_ROOT), dt_size_cells(t->m->ix, DT_ROOT), 0u, *v
    };

    if (list_open(t->m, &list, PLAN_STATIC_HEAP_MAX, "at most 16 ranges")) {
        for (uint32_t i = 0; i < list.nr; i++) {
            if (list_range(t->m, &list, i, HEAP_ALIGN, rule->expected,
                           &plan->static_heap[plan->nr_static_heap])) {
                plan->nr_static_heap++;
            }
        }
    }
}

static void static_mem(struct config_maker *m, struct plan_domain *d, const struct range_list *list)
{
    struct plan *const plan = m->plan;
    uint64_t sum = 0;
    bool good = true;

    d->static_first = plan->nr_static_mem;
    for (uint32_t i = 0; i < list->nr; i++) {
        struct range *const r = &plan->static_mem[plan->nr_static_mem];

        if (list_range(m, list, i, PAGE_BYTES, "whole pages of the host's memory", r)) {
            sum += r->bytes;
            plan->nr_static_mem++;
            d->nr_static++;
        } else {
            good = false;
        }
    }
    if (good && (d->memory_bytes > 0u) && (sum != d->memory_bytes)) {
        config_fault_say(m->report, list->node, "memory", "%U, expected %U, the KiB of xen,static-mem",
                         d->memory_bytes >> 10u, sum >> 10u);
    }
}

/* Its memory leaves its emulated devices alone. */
static void memory_places(struct config_maker *m, const struct plan_domain *d, uint32_t node)
{
    for (uint32_t i = 0; i < d->nr_static; i++) {
        const struct range *const bank = &m->plan->static_mem[d->static_first + i];

        if (layout_device(m->plan, d, bank)) {
            range_fault(m, node, STATIC_MEM, bank, "memory that no emulated device has, for direct-map");
        }
    }
}

/* The watchdog, which stays where it is, and what the domain sees at host addresses are apart. */
static void direct_places(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    const struct hal_guest_layout *const layout = hal_plan_layout();
    const struct range frames = { layout->watchdog_base.v, 2u * PAGE_BYTES };
    const bool watchdog = d->watchdog;
    bool meets = d->vpl011 && (layout_uart(m->plan, d).irq == layout->watchdog_irq);

    d->watchdog = false; /* what else has its place? */
    meets = meets || layout_device(m->plan, d, &frames);
    d->watchdog = watchdog;
    if (watchdog && meets) {
        config_fault_prop(m->report, node, "bulkhead,watchdog-ms",
                          "none with direct-map where the host's devices are at its address or interrupt");
    }
}

static void direct_map(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    const struct plan_console *const c = &m->plan->console;
    const uint32_t most = hal_plan_vcpus_max(&m->plan->host, true);

    if (d->nr_vcpus > most) {
        config_fault_say(m->report, node, "cpus", "%u, expected at most %u with direct-map on this host",
                         d->nr_vcpus, most);
    }
    if (d->vpl011) {
        if ((c->kind == PLAN_CONSOLE_NONE) || (c->bytes < UART_BYTES) || ((c->base.v % UART_BYTES) != 0u) ||
            (c->irq < SPI_FIRST)) {
            config_fault_prop(m->report, node, "vpl011",
                              "none with direct-map, unless the host's console has 4 KiB and an interrupt");
        } else {
            d->nr_spis = (uint32_t)bits_max(d->nr_spis, bits_align_up((c->irq - SPI_FIRST) + 1u, SPIS_STEP));
        }
    }
    direct_places(m, d, node);
}

/* Where nothing translates memory is the host's with or without direct-map. */
static void identity(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    const bool is_identity = hal_plan_identity(&m->plan->host);

    d->host_memory = d->direct_map || is_identity;
    if (!is_identity || d->direct_map) {
        /* as the tree says */
    } else if (dt_has(m->ix, node, STATIC_MEM)) {
        config_note(m->report, node, STATIC_MEM, "is mapped directly: nothing translates on this host");
    } else {
        config_fault(m->report, node, STATIC_MEM, NULL,
                     "the ranges of host memory: nothing translates on this host");
    }
}

void config_static_make(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    struct range_list list = { STATIC_MEM, node, 0u, 0u, 0u, { NULL, 0u } };

    d->direct_map = d->direct_map || ((d->role & PLAN_ROLE_HARDWARE) != 0u);
    if (dt_get(m->ix, node, STATIC_MEM, &list.v)) {
        const uint32_t parent = m->ix->node[node].parent;

        list.ac = dt_address_cells(m->ix, parent);
        list.sc = dt_size_cells(m->ix, parent);
        /* older trees tell them in the domain's node */
        (void)dt_get_u32(m->ix, node, "#xen,static-mem-address-cells", &list.ac);
        (void)dt_get_u32(m->ix, node, "#xen,static-mem-size-cells", &list.sc);
        if (!list_open(m, &list, PLAN_STATIC_PER_DOMAIN, "at most 64 ranges in a domain")) {
            /* told */
        } else if (list.nr > (PLAN_STATIC_MEM_MAX - m->plan->nr_static_mem)) {
            config_fault_say(m->report, node, STATIC_MEM, "%u, expected at most 128 ranges in all domains",
                             list.nr);
        } else {
            static_mem(m, d, &list);
        }
    }
    if (dt_has(m->ix, node, "direct-map") && !dt_has(m->ix, node, STATIC_MEM)) {
        config_fault(m->report, node, STATIC_MEM, NULL, "the ranges of host memory for direct-map");
    }
    if (d->direct_map) {
        direct_map(m, d, node);
    }
    identity(m, d, node);
    if (d->host_memory) {
        memory_places(m, d, node);
    }
}
