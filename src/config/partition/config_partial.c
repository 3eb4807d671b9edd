/* A domain's partial device tree (module multiboot,device-tree): /passthrough, /aliases and /gic of it are
 * read, the first two are copied into the guest's tree. */
/* [impl->req~partial-tree~1] */
#include "config/partition/config_device.h"

#define TREE_ALIGN   8u /* of a flattened tree (DTSpec 5.6) */
#define LEVELS_MAX   16u
#define HOPS_MAX     16u    /* from an interrupt to the controller of all */
#define TREES_MAX    MIB(1) /* of all domains: they are mapped before there is a heap */
#define ROOM_MAX     MIB(1) /* in a guest's tree, of which 2 MiB are the most */
#define INTC_PHANDLE 65000u /* of the interrupt controller in the guest's tree, if /gic has none */
#define IRQ_CELLS    3u
#define IRQ_SPI      0u
#define SPI_FIRST    32u

struct partial_room {
    struct dt_node node[512];
    struct dt_prop prop[2048];
    uint16_t by_phandle[1024];
};

static struct partial_room room;
static struct dt_index index_of = DT_INDEX(room, LEVELS_MAX);

/* -- The frame -- */

static bool is_read(const struct config_partial *p, uint32_t node)
{
    return (p->devices != DT_NONE) && (node >= p->devices) && (node < p->ix->node[p->devices].end);
}

static void frame_check(struct config_partial *p)
{
    struct config_report *const report = p->m->report;
    uint32_t cells = 0;

    if (!dt_compatible(p->ix, p->devices, "simple-bus")) {
        config_fault_prop(report, p->devices, "compatible", "\"simple-bus\"");
    }
    if (!dt_has(p->ix, p->devices, "ranges")) {
        config_fault_prop(report, p->devices, "ranges", CONFIG_NO_VALUE);
    }
    if (!dt_get_u32(p->ix, p->devices, "#address-cells", &cells) || (cells < 1u) || (cells > 2u)) {
        config_fault_prop(report, p->devices, "#address-cells", "1 or 2");
    }
    if (!dt_get_u32(p->ix, p->devices, "#size-cells", &cells) || (cells < 1u) || (cells > 2u)) {
        config_fault_prop(report, p->devices, "#size-cells", "1 or 2");
    }
}

/* -- Each node -- */

static bool is_ours(const char *name)
{
    return dt_text_begins(name, "xen,", 4u) || dt_text_begins(name, "bulkhead,", 9u);
}

static void names_check(const struct config_partial *p, uint32_t node)
{
    const struct dt_node *const n = &p->ix->node[node];

    for (uint32_t i = n->first_prop; i < ((uint32_t)n->first_prop + n->nr_props); i++) {
        const char *const name = dt_prop_name(p->ix, i);

        if (is_ours(name) && !config_device_own(name)) {
            const struct dt_value v = dt_prop_value(p->ix, i);

            config_fault(p->m->report, node, name, &v, "no property of this name here");
        }
    }
}

static void phandle_check(const struct config_partial *p, uint32_t node)
{
    if (p->ix->node[node].phandle >= INTC_PHANDLE) {
        config_fault_say(p->m->report, node, "phandle", "%u, expected a number below 65000",
                         p->ix->node[node].phandle);
    }
}

/* -- Interrupts -- */

/* Is it a name of the interrupt controller? */
static bool is_intc(const struct config_partial *p, uint32_t phandle)
{
    const uint32_t own = (p->gic == DT_NONE) ? 0u : p->ix->node[p->gic].phandle;

    return phandle == ((own != 0u) ? own : INTC_PHANDLE);
}

/* The node above or at `node` that says where its interrupts go; DT_NONE: the guest's root does. */
static uint32_t says_parent(const struct config_partial *p, uint32_t node)
{
    uint32_t at = node;

    while ((at != DT_NONE) && !dt_has(p->ix, at, "interrupt-parent")) {
        at = (at == p->devices) ? DT_NONE : p->ix->node[at].parent;
    }
    return at;
}

/* The controller of a node inside the tree; DT_NONE: it is the guest's. */
static uint32_t controller(const struct config_partial *p, uint32_t node)
{
    const uint32_t at = says_parent(p, node);
    uint32_t phandle = 0;

    if (at != DT_NONE) {
        (void)dt_get_u32(p->ix, at, "interrupt-parent", &phandle);
    }
    return ((phandle == 0u) || is_intc(p, phandle)) ? DT_NONE : dt_by_phandle(p->ix, phandle);
}

static void parent_check(const struct config_partial *p, uint32_t node)
{
    uint32_t phandle = 0;
    uint32_t hops = 0;
    uint32_t at = node;
    uint32_t next;

    if (!dt_has(p->ix, node, "interrupt-parent")) {
        return;
    }
    (void)dt_get_u32(p->ix, node, "interrupt-parent", &phandle);
    if (!is_intc(p, phandle) && !is_read(p, dt_by_phandle(p->ix, phandle))) {
        config_fault_prop(p->m->report, node, "interrupt-parent", "/gic or a node below /passthrough");
        return;
    }
    next = controller(p, at);
    while ((next != DT_NONE) && (next != at) && (hops <= HOPS_MAX)) { /* a root of its own ends it, too */
        hops++;
        at = next;
        next = controller(p, at);
    }
    if (hops > HOPS_MAX) {
        config_fault_prop(p->m->report, node, "interrupt-parent", "a way to /gic of at most 16 steps");
    }
}

static bool has_line(const struct config_partial *p, uint32_t virq)
{
    bool found = false;

    for (uint32_t i = 0; (i < p->m->plan->nr_lines) && !found; i++) {
        const struct plan_line *const l = &p->m->plan->line[i];

        found = (l->domain == config_partial_domain(p)) && (l->virq == virq);
    }
    return found;
}

/* A shared interrupt that the guest is told of must be one that comes. */
static void interrupts_check(const struct config_partial *p, uint32_t node)
{
    struct dt_value v = { NULL, 0u };

    if (dt_get(p->ix, node, "interrupts", &v) && (controller(p, node) == DT_NONE)) {
        if ((v.bytes % (IRQ_CELLS * 4u)) != 0u) {
            config_fault(p->m->report, node, "interrupts", &v, "three cells each");
        }
        for (uint32_t i = 0; i < (v.bytes / (IRQ_CELLS * 4u)); i++) {
            const uint32_t number = dt_cell(&v, (i * IRQ_CELLS) + 1u);

            if ((dt_cell(&v, i * IRQ_CELLS) == IRQ_SPI) &&
                ((number >= HAL_PLAN_LINES_END) || !has_line(p, number + SPI_FIRST))) {
                config_fault(p->m->report, node, "interrupts", &v,
                             "shared interrupts of devices that xen,path gives to this domain");
            }
        }
    }
}

/* -- All -- */

static void nodes_check(struct config_partial *p)
{
    const uint32_t aliases = dt_child(p->ix, DT_ROOT, "aliases", 7u);
    const uint32_t end = (p->devices == DT_NONE) ? 0u : p->ix->node[p->devices].end;
    uint64_t bytes = 0;

    if (aliases != DT_NONE) {
        bytes += config_node_room(p->ix, aliases);
        names_check(p, aliases);
    }

    for (uint32_t n = p->devices; n < end; n++) {
        bytes += config_node_room(p->ix, n);
        names_check(p, n);
        phandle_check(p, n);
        parent_check(p, n);
        config_device_make(p, n);
    }
    for (uint32_t n = p->devices; n < end; n++) {
        interrupts_check(p, n);
    }
    if (bytes > ROOM_MAX) {
        config_fault_say(p->m->report, DT_ROOT, "nodes",
                         "%U, expected at most 1 MiB with all properties' names", bytes);
    }
    p->d->partial_room = (uint32_t)bits_min(bytes, ROOM_MAX);
}

static void tree_read(struct config_partial *p)
{
    p->devices = dt_child(p->ix, DT_ROOT, "passthrough", 11u);
    p->gic = dt_child(p->ix, DT_ROOT, "gic", 3u);
    if (p->gic != DT_NONE) {
        phandle_check(p, p->gic);
        p->d->intc_phandle = p->ix->node[p->gic].phandle;
    }
    if (p->devices != DT_NONE) {
        frame_check(p);
    }
    nodes_check(p);
}

void config_partial_make(struct config_maker *m, struct plan_domain *d)
{
    const struct plan_module *const module = &d->partial;
    const struct config_env *const env = m->env;
    struct config_report *const report = m->report;
    char path[PLAN_PATH_MAX];
    struct fmt_buf text;
    struct config_partial p = { m, d, &index_of, path, DT_NONE, DT_NONE };

    if (module->bytes == 0u) {
        return;
    }
    m->partial_bytes += bits_align_up(module->bytes, PAGE_BYTES) + PAGE_BYTES;
    if (m->partial_bytes > TREES_MAX) {
        config_fault_say(report, m->partial_node, "size",
                         "%U, expected at most 1 MiB of device trees of all domains", module->bytes);
        return;
    }
    if ((module->base.v % TREE_ALIGN) != 0u) {
        config_fault_prop(report, m->partial_node, "reg", "an address that is a multiple of 8");
        return;
    }
    d->partial_tree = (env->module_bytes == NULL) ? NULL : env->module_bytes(env->ctx, module);
    if (d->partial_tree == NULL) {
        config_note(report, m->partial_node, "reg", "is not at hand, so what it gives is not checked");
    } else {
        fmt_init(&text, path, sizeof(path));
        dt_path(m->ix, m->partial_node, &text);
        report->within = path;
        if (config_index_make(&index_of, d->partial_tree, module->bytes, report) == HV_OK) {
            tree_read(&p);
        }
        report->within = NULL;
        report->index = m->ix;
    }
}
