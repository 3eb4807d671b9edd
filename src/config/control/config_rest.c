/* The hardware domain's share of the host: every device of the host's tree that the hypervisor does not keep
 * and no other domain was given. One walk judges each node, the tree that the domain is shown follows it. */
/* [impl->req~control-domain~1] [impl->req~device-registers~1] [impl->req~device-interrupts~1] */
#include "config/control/config_control.h"

#include "config/partition/config_line.h"
#include "config/partition/config_stream.h"

#define SPI_FIRST   32u
#define PCI_RIDS    0x10000u                    /* all requester ids of a host bridge */
#define WINDOW_POOL (4u * (uint64_t)PAGE_BYTES) /* tables of two levels at both ends, at most */
#define TREE_MAX    MIB(1)
#define HOLE_ALIGN  MIB(2)
#define HOLE_TOP    BIT64(39) /* all hosts reach so far */
#define PASSTHROUGH "xen,passthrough"
#define GIVEN_SPARE MIB(2) /* of the pool: for what others share with it */

_Static_assert(PLAN_TREE_NODES == ARRAY_LEN(((struct dt_room *)NULL)->node), "a bit for each node");

struct rest {
    struct config_maker *m;
    struct plan_domain *d; /* NULL: nobody has it */
    uint8_t domain;        /* its index, or the offer's */
};

/* -- Which nodes -- */

/* Nodes that the hypervisor has itself, makes anew for the domain, or does not pass on */
static const char *const kept_nodes[] = { "chosen", "cpus", "hypervisor", "reserved-memory" };
static const char *const kept_kinds[] = { "arm,psci",    "arm,psci-0.2",       "arm,psci-1.0",
                                          "xen,xen",     "arm,gic-v3-its",     "arm,gic-v2m-frame",
                                          "arm,smmu-v3", "arm,armv7-timer-mem" };

/* An interrupt of each CPU's own is the hypervisor's, or means such a thing as a PMU. */
static bool has_private_line(const struct dt_index *ix, uint32_t node)
{
    struct dt_irq irq = { DT_NONE, 0u, { 0u, 0u, 0u, 0u } };
    struct hal_plan_line line = { 0u, false };
    bool has = false;

    for (uint32_t i = 0; dt_irq(ix, node, i, &irq); i++) {
        has = has || (hal_plan_line_decode(ix, &irq, &line) && (line.irq < SPI_FIRST));
    }
    return has;
}

static bool is_kept(const struct rest *r, uint32_t node)
{
    const struct dt_index *const ix = r->m->ix;
    struct range reg = { 0u, 0u };
    struct dt_value type = { NULL, 0u };
    bool is = has_private_line(ix, node) ||
              (dt_reg_host(ix, node, 0, &reg) && (reg.bytes > 0u) &&
               config_is_hypervisors(r->m->plan, reg.base, reg.bytes)) ||
              (dt_get(ix, node, "device_type", &type) && dt_strings_have(&type, "memory"));

    for (uint32_t i = 0; i < ARRAY_LEN(kept_nodes); i++) {
        is = is || ((ix->node[node].parent == DT_ROOT) && (strcmp(dt_name(ix, node), kept_nodes[i]) == 0));
    }
    for (uint32_t i = 0; i < ARRAY_LEN(kept_kinds); i++) {
        is = is || dt_compatible(ix, node, kept_kinds[i]);
    }
    return is;
}

/* Another domain's device */
static bool is_given(const struct rest *r, uint32_t node)
{
    bool is = config_is_anothers(r->m, node, r->domain);

    for (uint32_t i = 0; i < r->m->plan->nr_pci_hosts; i++) {
        is = is || (r->m->plan->pci_host[i].node == node);
    }
    return is;
}

/* -- Registers -- */

/* Where what stands in the way of a window at `at` ends; 0: nothing does. */
static uint64_t way_ends(const struct rest *r, uint64_t at, uint64_t bytes)
{
    const struct plan *const plan = r->m->plan;
    uint64_t end = config_is_hypervisors(plan, at, bytes) ? (at + PAGE_BYTES) : 0u;

    for (uint32_t i = 0; i < plan->nr_ram; i++) {
        const struct range *const ram = &plan->ram[i];

        end = range_meets(ram, at, bytes) ? bits_max(end, ram->base + ram->bytes) : end;
    }
    for (uint32_t i = 0; i < plan->nr_windows; i++) {
        const struct range *const w = &plan->window[i].host;

        end = range_meets(w, at, bytes) ? bits_max(end, w->base + w->bytes) : end;
    }
    for (uint32_t i = 0; i < plan->nr_pci_hosts; i++) {
        const struct range *const e = &plan->pci_host[i].ecam;

        end = range_meets(e, at, bytes) ? bits_max(end, e->base + e->bytes) : end;
    }
    return end;
}

static void window_add(const struct rest *r, uint32_t node, uint64_t base, uint64_t bytes)
{
    struct plan *const plan = r->m->plan;
    struct plan_window *const last = (plan->nr_windows > 0u) ? &plan->window[plan->nr_windows - 1u] : NULL;

    if ((last != NULL) && (last->domain == r->domain) && ((last->host.base + last->host.bytes) == base)) {
        last->host.bytes += bytes;
    } else if (plan->nr_windows == PLAN_WINDOWS_MAX) {
        config_fault_prop(r->m->report, node, "reg", "at most 128 ranges of registers in all domains");
    } else {
        const struct plan_window w = {
            .domain = r->domain, .at = gpa(base), .host = { base, bytes }, .path = dt_name(r->m->ix, node)
        };

        plan->window[plan->nr_windows] = w;
        plan->nr_windows++;
        if (r->d != NULL) {
            r->d->pool_bytes += WINDOW_POOL;
        }
    }
}

/* Whole pages of a range, but for those that something else has. Each turn ends at something's end, or at
 * least doubles what is free before it. */
static void registers_take(const struct rest *r, uint32_t node, const struct range *range)
{
    const struct hal_guest_layout *const layout = hal_plan_layout();
    const struct hal_guest_bank *const top = &layout->bank[layout->nr_banks - 1u];
    const uint64_t reach = top->base.v + top->max_bytes;
    const uint64_t end = bits_min(
        bits_align_up(bits_min(range->base, reach) + bits_min(range->bytes, reach), PAGE_BYTES), reach);
    uint64_t at = bits_align_down(range->base, PAGE_BYTES);

    while (at < end) {
        const uint64_t way = way_ends(r, at, PAGE_BYTES);
        uint64_t bytes = PAGE_BYTES;

        if (way != 0u) {
            at = bits_align_up(way, PAGE_BYTES);
        } else {
            while (((2u * bytes) <= (end - at)) && (way_ends(r, at, 2u * bytes) == 0u)) {
                bytes *= 2u;
            }
            window_add(r, node, at, bytes);
            at += bytes;
        }
    }
}

static void registers_make(const struct rest *r, uint32_t node)
{
    const struct dt_index *const ix = r->m->ix;
    struct range range = { 0u, 0u };
    struct dt_value type = { NULL, 0u };
    const bool pci = dt_get(ix, node, "device_type", &type) && dt_strings_have(&type, "pci");

    for (uint32_t i = 0; i < dt_reg_count(ix, node); i++) {
        if (dt_reg_host(ix, node, i, &range) && (range.bytes > 0u)) {
            registers_take(r, node, &range);
        }
    }
    for (uint32_t i = 0; pci && dt_passes(ix, node, i, &range); i++) {
        registers_take(r, node, &range);
    }
}

/* -- Interrupts -- */

static void line_take(const struct rest *r, uint32_t node, const struct hal_plan_line *line)
{
    const struct plan *const plan = r->m->plan;
    const struct plan_line want = { r->domain, line->edge, line->irq, line->irq, dt_name(r->m->ix, node) };
    bool is_free = (line->irq >= SPI_FIRST) && !hal_plan_is_own_line(&plan->host, line->irq) &&
                   ((plan->console.kind == PLAN_CONSOLE_NONE) || (plan->console.irq != line->irq));

    for (uint32_t i = 0; i < plan->nr_lines; i++) {
        is_free = is_free && ((plan->line[i].irq != line->irq) || (plan->line[i].domain == r->domain));
    }
    if (is_free) {
        config_line_take(r->m, node, "interrupts", "one more", &want);
    }
}

static void lines_make(const struct rest *r, uint32_t node)
{
    const struct dt_index *const ix = r->m->ix;
    struct dt_irq irq = { DT_NONE, 0u, { 0u, 0u, 0u, 0u } };
    struct hal_plan_line line = { 0u, false };
    uint32_t at = 0;

    for (uint32_t i = 0; dt_irq(ix, node, i, &irq); i++) {
        if (hal_plan_line_decode(ix, &irq, &line)) {
            line_take(r, node, &line);
        }
    }
    while (config_pci_line(ix, node, &at, &line)) {
        line_take(r, node, &line);
    }
}

/* -- All -- */

/* The largest range of addresses above the first memory where the domain has nothing and the host no
 * memory: grants and others' memory appear there. */
static void hole_find(const struct rest *r)
{
    struct plan *const plan = r->m->plan;
    const uint32_t nr = plan->nr_ram + plan->nr_windows;

    for (uint32_t i = 0; i < nr; i++) {
        const struct range *const from =
            (i < plan->nr_ram) ? &plan->ram[i] : &plan->window[i - plan->nr_ram].host;
        const uint64_t base = bits_align_up(from->base + from->bytes, HOLE_ALIGN);
        uint64_t end = HOLE_TOP;

        for (uint32_t k = 0; k < nr; k++) {
            const struct range *const to =
                (k < plan->nr_ram) ? &plan->ram[k] : &plan->window[k - plan->nr_ram].host;

            end = ((to->base + to->bytes) > base) ? bits_min(end, to->base) : end;
        }
        end = bits_align_down(end, HOLE_ALIGN);
        if ((base >= plan->ram[0].base) && (end > base) && ((end - base) > plan->hole.bytes) &&
            !config_is_hypervisors(plan, base, end - base)) {
            plan->hole.base = base;
            plan->hole.bytes = end - base;
        }
    }
}

/* The node is the domain's. */
static void node_take(const struct rest *r, uint32_t node)
{
    struct config_maker *const m = r->m;

    if (dt_enabled(m->ix, node)) {
        registers_make(r, node);
        lines_make(r, node);
        (void)config_stream_device(m, node, r->domain);
        (void)config_stream_pci(m, node, 0u, PCI_RIDS, r->domain);
    }
}

/* The controller that the domain's own stands for */
static bool is_intc(const struct rest *r, uint32_t node)
{
    struct range reg = { 0u, 0u };

    return dt_has(r->m->ix, node, "interrupt-controller") && dt_reg_host(r->m->ix, node, 0, &reg) &&
           hal_plan_is_own(&r->m->plan->host, reg.base, reg.bytes);
}

static void intc_note(const struct rest *r, uint32_t node)
{
    const uint32_t parent = r->m->ix->node[node].parent;

    r->m->plan->tree_intc = node;
    r->m->plan->tree_intc_cells = dt_address_cells(r->m->ix, parent) + dt_size_cells(r->m->ix, parent);
    r->d->intc_phandle = r->m->ix->node[node].phandle;
}

void config_rest_make(struct config_maker *m, struct plan_domain *d)
{
    const struct rest r = { m, d, (uint8_t)plan_index(m->plan, d->domid) };
    uint64_t room = config_node_room(m->ix, DT_ROOT);
    uint32_t n = DT_ROOT + 1u;

    d->partial_tree = m->ix->blob;
    d->pool_bytes += GIVEN_SPARE;
    while (n < m->ix->nr_nodes) {
        const bool intc = is_intc(&r, n);
        const bool kept = !intc && is_kept(&r, n);
        const bool others = !intc && !kept && (dt_has(m->ix, n, PASSTHROUGH) || is_given(&r, n));
        const uint32_t end = (kept || others) ? m->ix->node[n].end : (n + 1u);

        if (kept) {
            m->plan->tree_kept[n / 8u] |= (uint8_t)BIT32(n % 8u);
        } else if (others) {
            m->plan->tree_others[n / 8u] |= (uint8_t)BIT32(n % 8u);
        } else if (intc) {
            intc_note(&r, n);
        } else {
            node_take(&r, n);
        }
        for (uint32_t k = n; (k < end) && !kept; k++) {
            room += config_node_room(m->ix, k);
        }
        n = end;
    }
    if (room > TREE_MAX) {
        config_fault_say(m->report, DT_ROOT, "nodes", "%U, expected at most 1 MiB with all properties' names",
                         room);
    }
    d->partial_room = (uint32_t)bits_min(room, TREE_MAX);
    hole_find(&r);
}

/* -- What nobody has -- */

static void offer_make(struct config_maker *m, uint32_t node)
{
    struct plan *const plan = m->plan;
    const struct rest r = { m, NULL, (uint8_t)(PLAN_OFFER + plan->nr_offers) };
    struct fmt_buf path;

    if (!dt_enabled(m->ix, node) || is_kept(&r, node) || is_given(&r, node)) {
        /* not at hand */
    } else if (plan->nr_offers == PLAN_OFFERS_MAX) {
        config_fault_prop(m->report, node, PASSTHROUGH, "at most 16 devices that no domain has");
    } else {
        fmt_init(&path, plan->offer[plan->nr_offers].path, PLAN_PATH_MAX);
        dt_path(m->ix, node, &path);
        plan->nr_offers++;
        node_take(&r, node);
    }
}

/* [impl->req~devices-later~1] */
void config_offers_make(struct config_maker *m)
{
    struct plan *const plan = m->plan;
    const uint32_t windows = plan->nr_windows;
    const uint32_t lines = plan->nr_lines;
    const uint32_t streams = plan->nr_streams;

    for (uint32_t n = DT_ROOT + 1u; (n < m->ix->nr_nodes) && ((m->roles & PLAN_ROLE_CONTROL) != 0u); n++) {
        if (dt_has(m->ix, n, PASSTHROUGH)) {
            offer_make(m, n);
        }
    }
    plan->nr_offered_windows = plan->nr_windows - windows;
    plan->nr_offered_lines = plan->nr_lines - lines;
    plan->nr_offered_streams = plan->nr_streams - streams;
    plan->nr_windows = windows;
    plan->nr_lines = lines;
    plan->nr_streams = streams;
}
