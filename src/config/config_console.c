/* [impl->req~host-registers~1] */
/* The host's console. */
#include "config/config_maker.h"

#define OPTION_MAX   64u
#define UART_BYTES   0x48u /* PL011 and Cadence: up to the last register */
#define NS16550_LAST 5u

struct uart_kind {
    const char *compatible;
    enum plan_console_kind kind;
};

static const struct uart_kind uart_kinds[] = {
    { "arm,pl011", PLAN_CONSOLE_PL011 },          { "arm,sbsa-uart", PLAN_CONSOLE_PL011 },
    { "ns16550a", PLAN_CONSOLE_NS16550 },         { "ns16550", PLAN_CONSOLE_NS16550 },
    { "snps,dw-apb-uart", PLAN_CONSOLE_NS16550 }, { "cdns,uart-r1p8", PLAN_CONSOLE_CADENCE },
    { "cdns,uart-r1p12", PLAN_CONSOLE_CADENCE },  { "xlnx,xuartps", PLAN_CONSOLE_CADENCE },
    { "arm,mps2-uart", PLAN_CONSOLE_CMSDK }, /* the last: not all ports have it */
};
#define UART_KINDS ((uint32_t)ARRAY_LEN(uart_kinds) - ((CONFIG_CMSDK != 0) ? 0u : 1u))

static enum plan_console_kind uart_kind(const struct dt_index *ix, uint32_t node)
{
    enum plan_console_kind kind = PLAN_CONSOLE_NONE;

    for (uint32_t i = 0; (i < UART_KINDS) && (kind == PLAN_CONSOLE_NONE); i++) {
        if (dt_compatible(ix, node, uart_kinds[i].compatible)) {
            kind = uart_kinds[i].kind;
        }
    }
    return kind;
}

/* The node that firmware or the user names. DT_NONE with *named if that names no UART we know. */
static uint32_t console_named(struct config_maker *m, bool *named)
{
    char option[OPTION_MAX];
    const char *path = NULL;
    const char *prop = "xen,xen-bootargs";
    uint32_t node = DT_NONE;

    if (config_option(m, "dtuart=", option, OPTION_MAX)) {
        path = option;
    } else {
        prop = "stdout-path";
        (void)dt_get_string(m->ix, m->chosen, prop, &path);
    }
    *named = path != NULL;
    if (path != NULL) {
        node = dt_find(m->ix, path);
        if ((node == DT_NONE) || (uart_kind(m->ix, node) == PLAN_CONSOLE_NONE)) {
            config_note(m->report, m->chosen, prop, "names no console that is known, there is none");
            node = DT_NONE;
        }
    }
    return node;
}

static uint32_t console_first(const struct dt_index *ix)
{
    uint32_t node = 0;

    while ((node < ix->nr_nodes) && ((uart_kind(ix, node) == PLAN_CONSOLE_NONE) || !dt_enabled(ix, node))) {
        node++;
    }
    return (node < ix->nr_nodes) ? node : DT_NONE;
}

static bool console_16550(struct config_maker *m, uint32_t node, struct plan_console *c)
{
    uint32_t offset = 0;
    bool good = true;

    c->reg_width = 1;
    (void)dt_get_u32(m->ix, node, "reg-shift", &c->reg_shift);
    (void)dt_get_u32(m->ix, node, "reg-io-width", &c->reg_width);
    (void)dt_get_u32(m->ix, node, "reg-offset", &offset);
    if ((c->reg_width != 1u) && (c->reg_width != 4u)) {
        config_fault_prop(m->report, node, "reg-io-width", "1 or 4");
        good = false;
    }
    if ((c->reg_shift > 4u) || ((c->reg_width == 4u) && (c->reg_shift < 2u))) {
        config_fault_prop(m->report, node, "reg-shift", "0 to 4, at least 2 for registers of 4 bytes");
        good = false;
    }
    c->base.v += offset;
    c->bytes -= bits_min(c->bytes, offset);
    return good;
}

/* They are opened before anything is judged: what is said about them must hold. */
static bool console_usable(const struct plan *plan, const struct plan_console *c)
{
    const bool is_16550 = (c->kind == PLAN_CONSOLE_NS16550);
    const uint32_t width = is_16550 ? c->reg_width : 4u;
    const uint64_t needed = is_16550 ? ((NS16550_LAST << c->reg_shift) + width) : UART_BYTES;

    return ((c->base.v % width) == 0u) && (c->bytes >= needed) && (c->bytes <= (UINT64_MAX - c->base.v)) &&
           (config_ranges_met(plan->ram, plan->nr_ram, c->base.v, c->bytes) == 0u);
}

/* Which of its interrupts is the one for everything; DT_NONE: it has one for each thing (CMSDK). */
static uint32_t console_line(const struct dt_index *ix, uint32_t node, enum plan_console_kind kind)
{
    struct dt_value names = { NULL, 0u };

    (void)dt_get(ix, node, "interrupt-names", &names);
    return (kind == PLAN_CONSOLE_CMSDK) ? dt_string_index(&names, "combined") : 0u;
}

static void console_take(struct config_maker *m, uint32_t node)
{
    struct plan_console c = { .kind = uart_kind(m->ix, node) };
    struct range r = { 0u, 0u };
    struct dt_irq irq = { DT_NONE, 0u, { 0u, 0u, 0u, 0u } };
    struct hal_plan_line line = { 0u, false };

    if (!dt_reg_host(m->ix, node, 0, &r)) {
        r.bytes = 0u;
    }
    c.base = hpa(r.base);
    c.bytes = r.bytes;
    if ((c.kind == PLAN_CONSOLE_NS16550) && !console_16550(m, node, &c)) {
        return;
    }
    if (dt_has(m->ix, node, "xen,passthrough")) {
        config_fault_prop(m->report, node, "xen,passthrough",
                          "no such property, it is the hypervisor's console");
    }
    if (!console_usable(m->plan, &c)) {
        config_fault_prop(m->report, node, "reg",
                          "the registers' address and size on the host, aligned and outside of RAM");
        return;
    }
    const uint32_t which = console_line(m->ix, node, c.kind);

    if ((which != DT_NONE) && dt_irq(m->ix, node, which, &irq) && hal_plan_line_decode(m->ix, &irq, &line)) {
        c.irq = line.irq;
        c.irq_edge = line.edge;
    }
    m->plan->console = c;
}

void config_console_make(struct config_maker *m)
{
    bool named = false;
    uint32_t node = console_named(m, &named);

    if (!named) {
        node = console_first(m->ix);
    }
    if (node != DT_NONE) {
        console_take(m, node);
    }
}
