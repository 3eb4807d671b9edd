/* What a node below /passthrough gives to the domain: registers by xen,reg, interrupts and streams of the
 * host's device by xen,path (Xen's booting.txt and passthrough.txt; bulkhead,virqs is ours). */
/* [impl->req~device-registers~1] [impl->req~device-interrupts~1] */
#include "config/partition/config_device.h"

#include "config/partition/config_line.h"
#include "config/partition/layout.h"
#include "config/partition/config_stream.h"

#define XEN_REG   "xen,reg"
#define XEN_PATH  "xen,path"
#define XEN_FORCE "xen,force-assign-without-iommu"
#define PCI_RIDS  0x10000u /* all requester ids of a host bridge */
#define OWN_VIRQS "bulkhead,virqs"
#define MSI_BASE  "arm,msi-base-spi" /* an INTID, whatever its name says */
#define MSI_NR    "arm,msi-num-spis"
#define CELLS_MAX 2u
#define SPI_FIRST 32u
#define PLACE_END BIT64(52)
#define FOUND_MAX 40u

#define WINDOW_POOL (4u * (uint64_t)PAGE_BYTES) /* tables of two levels at both ends, at most */

bool config_device_own(const char *property)
{
    return (strcmp(property, XEN_REG) == 0) || (strcmp(property, XEN_PATH) == 0) ||
           (strcmp(property, XEN_FORCE) == 0) || (strcmp(property, OWN_VIRQS) == 0);
}

/* Sentences are about the host's tree, or about the partial one again. */
static void speak_of(const struct config_partial *p, const struct dt_index *ix)
{
    p->m->report->index = ix;
    p->m->report->within = (ix == p->ix) ? p->within : NULL;
}

/* -- Registers -- */

static bool contains(const struct range *outer, uint64_t base, uint64_t bytes)
{
    const uint64_t first = bits_align_down(outer->base, PAGE_BYTES);
    const uint64_t end = bits_align_up(outer->base + outer->bytes, PAGE_BYTES);

    return (base >= first) && (base < end) && (bytes <= (end - base));
}

/* The registers of the host's device, or, of a bus, what it passes on; whole pages. */
static bool is_of(const struct dt_index *ix, uint32_t node, const struct range *r)
{
    struct range part = { 0u, 0u };
    bool found = false;

    for (uint32_t i = 0; (i < dt_reg_count(ix, node)) && !found; i++) {
        found = dt_reg_host(ix, node, i, &part) && contains(&part, r->base, r->bytes);
    }
    for (uint32_t i = 0; dt_passes(ix, node, i, &part) && !found; i++) {
        found = contains(&part, r->base, r->bytes);
    }
    return found;
}

bool config_is_hypervisors(const struct plan *plan, uint64_t base, uint64_t bytes)
{
    const struct plan_console *const c = &plan->console;
    const uint64_t first = bits_align_down(base, PAGE_BYTES);
    const uint64_t size = bits_align_up((base - first) + bytes, PAGE_BYTES);

    return hal_plan_is_own(&plan->host, first, size) ||
           ((c->kind != PLAN_CONSOLE_NONE) && config_ranges_meet(c->base.v, c->bytes, first, size));
}

/* Two nodes of one domain whose registers lie in one page name it both. */
static bool is_known(const struct plan *plan, const struct plan_window *w)
{
    bool known = false;

    for (uint32_t i = 0; i < plan->nr_windows; i++) {
        const struct plan_window *const q = &plan->window[i];

        known = known || ((q->domain == w->domain) && (q->at.v == w->at.v) &&
                          (q->host.base == w->host.base) && (q->host.bytes == w->host.bytes));
    }
    return known;
}

/* What is wrong with it otherwise, as what would be expected; NULL: nothing. */
static const char *window_add(const struct config_partial *p, const struct plan_window *w)
{
    struct plan *const plan = p->m->plan;
    const struct range guest = { w->at.v, w->host.bytes };
    const char *expected = NULL;

    if (is_known(plan, w)) {
        /* once is enough */
    } else if (config_ranges_met(plan->ram, plan->nr_ram, w->host.base, w->host.bytes) > 0u) {
        expected = "registers outside of the host's memory";
    } else if (config_is_hypervisors(plan, w->host.base, w->host.bytes)) {
        expected = "registers that the hypervisor does not use itself";
    } else if (layout_meets(plan, p->d, &guest, w) != NULL) {
        expected = "guest addresses apart from memory, emulated and other devices";
    } else if (plan->nr_windows == PLAN_WINDOWS_MAX) {
        expected = "at most 128 ranges of registers in all domains";
    } else {
        speak_of(p, p->m->ix);
        if (config_claim(p->m, p->m->partial_node, XEN_REG, &w->host, XEN_REG)) {
            plan->window[plan->nr_windows] = *w;
            plan->nr_windows++;
            if (!dt_has(p->m->ix, p->m->domain_node[w->domain], "xen,domain-p2m-mem-mb")) {
                p->d->pool_bytes += WINDOW_POOL;
            }
        }
        speak_of(p, p->ix);
    }
    return expected;
}

static void window_judge(const struct config_partial *p, uint32_t node, uint32_t host,
                         const struct plan_window *w)
{
    const char *const expected =
        ((((w->host.base | w->host.bytes | w->at.v) % PAGE_BYTES) != 0u) || (w->host.bytes == 0u) ||
         (w->host.base >= PLACE_END) || (w->at.v >= PLACE_END) ||
         (w->host.bytes > (PLACE_END - bits_max(w->host.base, w->at.v))))
            ? "whole pages below 2^52"
        : (hal_plan_identity(&p->m->plan->host) && (w->at.v != w->host.base))
            ? "the host's address as the guest's: nothing translates on this host"
        : ((host != DT_NONE) && !dt_has(p->ix, node, XEN_FORCE) && !is_of(p->m->ix, host, &w->host))
            ? "registers of the device that xen,path names"
            : window_add(p, w);

    if (expected != NULL) {
        config_fault_prop(p->m->report, node, XEN_REG, expected);
    }
}

/* <host size guest>, in the cells of the node around */
static void registers_make(const struct config_partial *p, uint32_t node, const struct dt_value *v,
                           uint32_t host)
{
    const uint32_t parent = p->ix->node[node].parent;
    const uint32_t ac = dt_address_cells(p->ix, parent);
    const uint32_t sc = dt_size_cells(p->ix, parent);
    const uint32_t entry = (2u * ac) + sc;
    struct plan_window w = { .domain = config_partial_domain(p) };

    if ((ac < 1u) || (ac > CELLS_MAX) || (sc < 1u) || (sc > CELLS_MAX) || (v->bytes == 0u) ||
        ((v->bytes % (entry * 4u)) != 0u)) {
        config_fault(p->m->report, node, XEN_REG, v,
                     "host address, size and guest address in the 1 or 2 cells of the node around");
        return;
    }
    (void)dt_get_string(p->ix, node, XEN_PATH, &w.path);
    for (uint32_t i = 0; i < (v->bytes / (entry * 4u)); i++) {
        w.host.base = dt_cells(v, i * entry, ac);
        w.host.bytes = dt_cells(v, (i * entry) + ac, sc);
        w.at = gpa(dt_cells(v, (i * entry) + ac + sc, ac));
        window_judge(p, node, host, &w);
    }
}

/* -- Interrupts -- */

static void line_add(const struct config_partial *p, uint32_t node, const char *prop, struct plan_line *l)
{
    char number[FOUND_MAX];
    struct fmt_buf found;

    fmt_init(&found, number, sizeof(number));
    fmt_add(&found, "interrupt %u", l->irq);
    if (l->irq != l->virq) {
        fmt_add(&found, " as %u", l->virq);
    }
    if (config_line_is_emulated(p->m->plan, p->d, l->virq)) {
        config_fault_text(p->m->report, node, prop, number,
                          "a number that the domain's vpl011 or watchdog does not have");
    } else {
        config_line_take(p->m, node, prop, number, l);
    }
}

/* All that go to the host's interrupt controller, bounded by the property. */
static void lines_make(const struct config_partial *p, uint32_t node, uint32_t host, const char *path)
{
    struct dt_value virqs = { NULL, 0u };
    const bool chosen = dt_get(p->ix, node, OWN_VIRQS, &virqs);
    struct dt_irq irq = { DT_NONE, 0u, { 0u, 0u, 0u, 0u } };
    struct hal_plan_line line = { 0u, false };
    uint32_t nr = 0;

    for (uint32_t i = 0; dt_irq(p->m->ix, host, i, &irq); i++) {
        if (hal_plan_line_decode(p->m->ix, &irq, &line)) {
            struct plan_line l = { config_partial_domain(p), line.edge, line.irq, line.irq, path };

            nr++;
            if (chosen && ((nr * 4u) <= virqs.bytes)) {
                l.virq = dt_cell(&virqs, nr - 1u);
            }
            line_add(p, node, chosen ? OWN_VIRQS : XEN_PATH, &l);
        }
    }
    if (chosen && (virqs.bytes != (nr * 4u))) {
        config_fault(p->m->report, node, OWN_VIRQS, &virqs, "a number for each of the device's interrupts");
    }
}

/* -- The device -- */

bool config_is_anothers(const struct config_maker *m, uint32_t node, uint8_t domain)
{
    bool is = false;

    for (uint32_t i = 0; i < m->plan->nr_windows; i++) {
        const struct plan_window *const w = &m->plan->window[i];

        is = is || ((w->domain != domain) && (w->path != NULL) && (dt_find(m->ix, w->path) == node));
    }
    return is;
}

/* The message interrupts of a GICv2m frame (binding arm,gic.yaml): what the frame's registers would say
 * stands in the host's tree, or else in the partial one. */
static void messages_make(const struct config_partial *p, uint32_t node, uint32_t host, const char *path)
{
    uint32_t base = 0;
    uint32_t nr = 0;

    if (!dt_get_u32(p->m->ix, host, MSI_BASE, &base) && !dt_get_u32(p->ix, node, MSI_BASE, &base)) {
        config_fault_prop(p->m->report, node, MSI_BASE, "the frame's first interrupt");
    } else if ((!dt_get_u32(p->m->ix, host, MSI_NR, &nr) && !dt_get_u32(p->ix, node, MSI_NR, &nr)) ||
               (nr == 0u) || (nr > PLAN_LINES_MAX) || (base < SPI_FIRST) || (base > HAL_PLAN_LINES_END)) {
        config_fault_prop(p->m->report, node, MSI_NR,
                          "1 to 256 interrupts from the first, which is 32 to 988");
    } else {
        for (uint32_t i = 0; i < nr; i++) {
            struct plan_line l = { config_partial_domain(p), true, base + i, base + i, path };

            line_add(p, node, XEN_PATH, &l);
        }
    }
}

/* [impl->req~pci-bridge~1] */
/* What a bridge for other buses passes on to the host's interrupt controller */
static void passed_make(const struct config_partial *p, uint32_t node, uint32_t host, const char *path)
{
    struct hal_plan_line line = { 0u, false };
    uint32_t at = 0;

    while (config_pci_line(p->m->ix, host, &at, &line)) {
        struct plan_line l = { config_partial_domain(p), line.edge, line.irq, line.irq, path };

        line_add(p, node, XEN_PATH, &l);
    }
    if (dt_compatible(p->m->ix, host, "arm,gic-v2m-frame")) {
        messages_make(p, node, host, path);
    }
}

/* The host's node; DT_NONE: none that can be given. */
static uint32_t host_find(const struct config_partial *p, uint32_t node, const char **path)
{
    uint32_t host = DT_NONE;

    if (dt_get_string(p->ix, node, XEN_PATH, path)) {
        host = dt_find(p->m->ix, *path);
    }
    if (host == DT_NONE) {
        config_fault_prop(p->m->report, node, XEN_PATH, "the path of a node of the host");
    } else if (config_is_anothers(p->m, host, config_partial_domain(p))) {
        config_fault_prop(p->m->report, node, XEN_PATH, "a device that no other domain has");
        host = DT_NONE;
    } else {
        /* found */
    }
    return host;
}

static void host_make(const struct config_partial *p, uint32_t node, uint32_t host, const char *path)
{
    const uint8_t domain = config_partial_domain(p);
    uint32_t held;

    speak_of(p, p->m->ix);
    held = config_stream_device(p->m, host, domain) + config_stream_pci(p->m, host, 0u, PCI_RIDS, domain);
    speak_of(p, p->ix);
    if ((held == 0u) && !dt_has(p->ix, node, XEN_FORCE)) {
        config_fault_prop(p->m->report, node, XEN_FORCE,
                          "this of a device that no IOMMU holds: its DMA would reach everything");
    }
    lines_make(p, node, host, path);
    passed_make(p, node, host, path);
}

void config_device_make(struct config_partial *p, uint32_t node)
{
    struct dt_value reg = { NULL, 0u };
    struct dt_value other = { NULL, 0u };
    const bool has_reg = dt_get(p->ix, node, XEN_REG, &reg);
    const bool has_path = dt_has(p->ix, node, XEN_PATH);
    const char *path = NULL;
    uint32_t host = DT_NONE;

    if (dt_get(p->ix, node, XEN_FORCE, &other) && (other.bytes != 0u)) {
        config_fault(p->m->report, node, XEN_FORCE, &other, CONFIG_NO_VALUE);
    }
    if (has_path && !has_reg) {
        config_fault_prop(p->m->report, node, XEN_REG, "registers of the device that xen,path names");
    } else if (!has_path && has_reg && !dt_has(p->ix, node, XEN_FORCE)) {
        config_fault_prop(p->m->report, node, XEN_PATH,
                          "the device in the host's tree, or xen,force-assign-without-iommu");
    } else if (!has_path && dt_get(p->ix, node, OWN_VIRQS, &other)) {
        config_fault(p->m->report, node, OWN_VIRQS, &other, "it beside xen,path only");
    } else if (has_path) {
        host = host_find(p, node, &path);
        if (host != DT_NONE) {
            host_make(p, node, host, path);
        }
    } else {
        /* registers alone, or nothing of the host's */
    }
    if (has_reg) {
        registers_make(p, node, &reg, host);
    }
}
