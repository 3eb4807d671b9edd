/* Functions of PCI devices that are given to domains one by one: bindings pci/host-generic-pci.yaml,
 * pci/pci-iommu.yaml of Linux and the interrupt mapping of the Devicetree Specification (2.4.3). Nothing is
 * asked of the devices here: what a domain has follows from the tree alone. */
/* [impl->req~pci-functions~1] */
#include "config/partition/config_line.h"
#include "config/partition/config_stream.h"
#include "config/partition/layout.h"

#define PCI_PROP "bulkhead,pci-functions"
#define PCI_FORMS                                                                                            \
    "functions as in \"0000:00:02.0\", \"0000:00:01.0/00.0\" (behind a bridge), \"0000:00:03.0 pin=none\""
#define PCI_FORCE       "xen,force-assign-without-iommu"
#define PCI_CELLS       3u /* of an address: flags, then 64 bits */
#define PCI_TYPE_MEM32  2u
#define PCI_TYPE_MEM64  3u
#define PCI_PINS        4u
#define PCI_SLOTS       16u
#define BUS_BYTES       MIB(1)
#define POOL_PAGES_EACH 8u

/* What one string says */
struct pci_name {
    const char *at; /* what is still to be read; NULL: it is malformed */
    uint32_t segment;
    uint32_t bus;
    uint32_t bridge; /* PLAN_PCI_ROOT if none */
    uint32_t devfn;
    uint32_t pin;
};

/* -- Names -- */

/* A number of so many hexadecimal digits, then one character */
static uint32_t name_number(struct pci_name *n, uint32_t digits, char then)
{
    uint32_t value = 0;

    for (uint32_t i = 0; (i < digits) && (n->at != NULL); i++) {
        const uint32_t digit = config_hex(n->at[0]);

        value = (value << 4u) | digit;
        n->at = (digit < 16u) ? &n->at[1] : NULL;
    }
    if ((then != '\0') && (n->at != NULL)) {
        n->at = (n->at[0] == then) ? &n->at[1] : NULL;
    }
    return value;
}

static uint32_t name_devfn(struct pci_name *n)
{
    const uint32_t device = name_number(n, 2u, '.');
    const uint32_t function = name_number(n, 1u, '\0');

    if ((device > 31u) || (function > 7u)) {
        n->at = NULL;
    }
    return (device << 3u) | function;
}

static void name_pin(struct pci_name *n)
{
    static const char *const pins[] = { " pin=none", " pin=A", " pin=B", " pin=C", " pin=D" };
    uint32_t pin = 0;

    while ((pin < ARRAY_LEN(pins)) && (strcmp(n->at, pins[pin]) != 0)) {
        pin++;
    }
    n->pin = pin;
    n->at = (pin < ARRAY_LEN(pins)) ? &n->at[strlen(n->at)] : NULL;
}

/* False: malformed */
static bool name_parse(const char *text, struct pci_name *n)
{
    n->at = text;
    n->pin = 1u; /* a device of one function has no other, PCI Local Bus 3.0, 2.2.6 */
    n->bridge = PLAN_PCI_ROOT;
    n->segment = name_number(n, 4u, ':');
    n->bus = name_number(n, 2u, ':');
    n->devfn = name_devfn(n);
    if ((n->at != NULL) && (n->at[0] == '/')) {
        n->at = &n->at[1];
        n->bridge = n->devfn;
        n->devfn = name_devfn(n);
    }
    if ((n->at != NULL) && (n->at[0] == ' ')) {
        name_pin(n);
    }
    return (n->at != NULL) && (n->at[0] == '\0');
}

/* -- The host bridge -- */

/* The memory windows of `ranges`: the first of each kind. */
static void host_memory(struct config_maker *m, struct plan_pci_host *h)
{
    const uint32_t cells = PCI_CELLS + dt_address_cells(m->ix, m->ix->node[h->node].parent) + 2u;
    struct dt_value v = { NULL, 0u };
    struct range r = { 0u, 0u };
    const bool good = dt_get(m->ix, h->node, "ranges", &v) &&
                      (dt_address_cells(m->ix, h->node) == PCI_CELLS) &&
                      (dt_size_cells(m->ix, h->node) == 2u);

    for (uint32_t i = 0; good && dt_passes(m->ix, h->node, i, &r); i++) {
        const uint32_t type = (dt_cell(&v, i * cells) >> 24u) & 3u;
        const uint32_t kind = (type == PCI_TYPE_MEM64) ? (uint32_t)PLAN_PCI_MEM64 : (uint32_t)PLAN_PCI_MEM32;

        if (((type == PCI_TYPE_MEM32) || (type == PCI_TYPE_MEM64)) && (h->memory[kind].bytes == 0u) &&
            (r.bytes <= (UINT64_MAX - r.base))) {
            h->memory[kind] = r;
            h->memory_bus[kind] = dt_cells(&v, (i * cells) + 1u, 2u);
        }
    }
}

/* What of the bridge nobody else may have. */
static void host_claim(struct config_maker *m, const struct plan_pci_host *h)
{
    (void)config_claim(m, h->node, "reg", &h->ecam, "PCI configuration space");
    for (uint32_t i = 0; i < (uint32_t)PLAN_PCI_WINDOWS; i++) {
        if (h->memory[i].bytes > 0u) {
            (void)config_claim(m, h->node, "ranges", &h->memory[i], "PCI memory");
        }
    }
}

/* False: a fault was reported. */
static bool host_make(struct config_maker *m, struct plan_pci_host *h)
{
    struct range ecam = { 0u, 0u };
    struct dt_value bus = { NULL, 0u };
    const bool reg = dt_reg_host(m->ix, h->node, 0, &ecam) && (ecam.bytes >= BUS_BYTES) &&
                     ((ecam.base % BUS_BYTES) == 0u) && (ecam.bytes <= (UINT64_MAX - ecam.base));

    if (!reg) {
        config_fault_prop(m->report, h->node, "reg", "configuration space, 1 MiB for each bus");
    }
    if (dt_get(m->ix, h->node, "bus-range", &bus) && (bus.bytes == 8u)) {
        h->first_bus = dt_cell(&bus, 0u) & 0xFFu;
    }
    h->ecam.base = ecam.base;
    h->ecam.bytes = bits_min(ecam.bytes, (256u - h->first_bus) * BUS_BYTES);
    h->coherent = dt_has(m->ix, h->node, "dma-coherent");
    h->nr_buses = 1;
    host_memory(m, h);
    if (h->memory[PLAN_PCI_MEM32].bytes == 0u) {
        config_fault_prop(m->report, h->node, "ranges", "a window of 32-bit memory");
    }
    if (reg) {
        host_claim(m, h);
    }
    return reg;
}

/* The host bridge of that number, looked at when it is named for the first time; NULL if there is none. */
static struct plan_pci_host *host_of(struct config_maker *m, uint32_t segment)
{
    struct plan *const plan = m->plan;

    for (uint32_t i = 0; i < plan->nr_pci_hosts; i++) {
        if (plan->pci_host[i].segment == segment) {
            return &plan->pci_host[i];
        }
    }
    for (uint32_t n = 0; (n < m->ix->nr_nodes) && (plan->nr_pci_hosts < PLAN_PCI_HOSTS_MAX); n++) {
        struct plan_pci_host *const h = &plan->pci_host[plan->nr_pci_hosts];
        uint32_t number = 0;

        (void)dt_get_u32(m->ix, n, "linux,pci-domain", &number);
        if ((number == segment) && dt_compatible(m->ix, n, "pci-host-ecam-generic") && dt_enabled(m->ix, n)) {
            h->node = n;
            h->segment = segment;
            if (host_make(m, h)) {
                plan->nr_pci_hosts++;
                return h;
            }
        }
    }
    return NULL;
}

/* -- Interrupts and streams -- */

/* An entry of an interrupt-map: address and pin, controller, the controller's address and interrupt */
struct map_entry {
    uint32_t device; /* the address' first cell */
    uint32_t pin;
    struct dt_irq irq;
};

/* The entry at cell *at, which moves on; false: there is none, or no whole one. */
static bool map_entry(const struct dt_index *ix, uint32_t bridge, uint32_t *at, struct map_entry *out)
{
    struct dt_value map = { NULL, 0u };
    uint32_t ac = 0;
    bool good = dt_get(ix, bridge, "interrupt-map", &map) && (((*at + PCI_CELLS + 2u) * 4u) <= map.bytes);

    if (good) {
        out->device = dt_cell(&map, *at);
        out->pin = dt_cell(&map, *at + PCI_CELLS);
        out->irq.controller = dt_by_phandle(ix, dt_cell(&map, *at + PCI_CELLS + 1u));
        out->irq.nr_cells = 0u;
        if (out->irq.controller != DT_NONE) {
            (void)dt_get_u32(ix, out->irq.controller, "#address-cells", &ac);
            (void)dt_get_u32(ix, out->irq.controller, "#interrupt-cells", &out->irq.nr_cells);
        }
        *at += PCI_CELLS + 2u;
        good = (out->irq.nr_cells > 0u) && (out->irq.nr_cells <= DT_IRQ_CELLS_MAX) && (ac <= 4u) &&
               (((*at + ac + out->irq.nr_cells) * 4u) <= map.bytes);
        for (uint32_t i = 0; good && (i < out->irq.nr_cells); i++) {
            out->irq.cell[i] = dt_cell(&map, *at + ac + i);
        }
        *at += ac + out->irq.nr_cells;
    }
    return good;
}

bool config_pci_line(const struct dt_index *ix, uint32_t bridge, uint32_t *at, struct hal_plan_line *out)
{
    struct map_entry e = { 0u, 0u, { DT_NONE, 0u, { 0u, 0u, 0u, 0u } } };
    bool found = false;

    while (!found && map_entry(ix, bridge, at, &e)) {
        found = hal_plan_line_decode(ix, &e.irq, out);
    }
    return found;
}

/* The host's interrupt of a pin on the first bus. */
static bool map_irq(const struct dt_index *ix, uint32_t bridge, uint32_t devfn, uint32_t pin,
                    struct hal_plan_line *out)
{
    struct map_entry e = { 0u, 0u, { DT_NONE, 0u, { 0u, 0u, 0u, 0u } } };
    struct dt_value mask = { NULL, 0u };
    uint32_t device_mask = UINT32_MAX;
    uint32_t pin_mask = UINT32_MAX;
    uint32_t at = 0;
    bool found = false;

    if (dt_get(ix, bridge, "interrupt-map-mask", &mask) && (mask.bytes == ((PCI_CELLS + 1u) * 4u))) {
        device_mask = dt_cell(&mask, 0u);
        pin_mask = dt_cell(&mask, PCI_CELLS);
    }
    while (!found && map_entry(ix, bridge, &at, &e)) {
        found = (((e.device ^ (devfn << 8u)) & device_mask) == 0u) && (((e.pin ^ pin) & pin_mask) == 0u) &&
                hal_plan_line_decode(ix, &e.irq, out);
    }
    return found;
}

/* -- A function -- */

/* Another domain's function that this one cannot be told apart from; NULL if there is none. Functions of one
 * device, and all behind one bridge, may reach each other without the host noticing. */
static const struct plan_pci *neighbour(const struct plan *plan, const struct plan_pci *f)
{
    const struct plan_pci *found = NULL;

    for (uint32_t i = 0; (i < plan->nr_pci) && (found == NULL); i++) {
        const struct plan_pci *const other = &plan->pci[i];
        const bool same_bus = (other->host == f->host) && (other->bus == f->bus);
        const bool near =
            same_bus && ((f->bridge != PLAN_PCI_ROOT) || ((other->devfn >> 3u) == (f->devfn >> 3u)));

        if (near && ((other->domain != f->domain) || (other->devfn == f->devfn))) {
            found = other;
        }
    }
    return found;
}

static void fault_other(struct config_target *t, const struct plan_pci *f, const char *what,
                        const struct plan_pci *other)
{
    config_fault_say(t->m->report, t->node, PCI_PROP, "%s, expected %s %s (%s) does not have", f->name, what,
                     t->m->plan->domain[other->domain].name, other->name);
}

/* The bus behind its bridge: that of the functions named before, or the next. */
static bool bus_take(struct plan *plan, struct plan_pci *f)
{
    struct plan_pci_host *const h = &plan->pci_host[f->host];
    uint32_t bus = h->first_bus + h->nr_buses;
    bool good = true;

    for (uint32_t i = 0; i < plan->nr_pci; i++) {
        if ((plan->pci[i].host == f->host) && (plan->pci[i].bridge == f->bridge)) {
            bus = plan->pci[i].bus;
        }
    }
    if (bus == (h->first_bus + h->nr_buses)) {
        good = (h->nr_buses + 1u) <= (h->ecam.bytes / BUS_BYTES);
        h->nr_buses += good ? 1u : 0u;
    }
    f->bus = (uint8_t)bus;
    return good;
}

/* Its interrupt becomes its domain's. A bridge passes its pins on, turned by the device's number (PCI-to-PCI
 * Bridge Architecture 1.2, 9.1). */
static void irq_take(struct config_target *t, struct plan_pci *f)
{
    struct config_maker *const m = t->m;
    const bool behind = f->bridge != PLAN_PCI_ROOT;
    const uint32_t devfn = behind ? f->bridge : f->devfn;
    const uint32_t pin = behind ? ((((f->pin - 1u) + ((uint32_t)f->devfn >> 3u)) % PCI_PINS) + 1u) : f->pin;
    struct hal_plan_line line = { 0u, false };

    if (!map_irq(m->ix, m->plan->pci_host[f->host].node, devfn & 0xF8u, pin, &line)) {
        config_fault_text(m->report, t->node, PCI_PROP, f->name,
                          "an entry in the host bridge's interrupt-map, or pin=none");
    } else {
        const struct plan_line want = { f->domain, line.edge, line.irq, line.irq, f->name };

        f->virq = line.irq;
        if (config_line_is_emulated(m->plan, t->domain, line.irq)) {
            config_fault_text(m->report, t->node, PCI_PROP, f->name,
                              "an interrupt whose number the domain's vpl011 or watchdog does not have");
        } else {
            config_line_take(m, t->node, PCI_PROP, f->name, &want);
        }
    }
}

/* The stream that its transactions carry: its bus, device and function through the bridge's iommu-map. */
static void stream_take(struct config_target *t, const struct plan_pci *f)
{
    struct config_maker *const m = t->m;
    const uint32_t rid = ((uint32_t)f->bus << 8u) | f->devfn;
    const uint32_t bridge = m->plan->pci_host[f->host].node;

    if ((config_stream_pci(m, bridge, rid, 1u, f->domain) == 0u) && !dt_has(m->ix, t->node, PCI_FORCE)) {
        config_fault_text(m->report, t->node, PCI_PROP, f->name,
                          "a host bridge with an iommu-map, or " PCI_FORCE);
    }
}

static void function_add(struct config_target *t, struct plan_pci *f)
{
    struct plan *const plan = t->m->plan;
    const struct plan_pci *other = NULL;

    if ((f->bridge != PLAN_PCI_ROOT) && !bus_take(plan, f)) {
        config_fault_text(t->m->report, t->node, PCI_PROP, f->name,
                          "no more buses than the host bridge's reg has room for");
    } else {
        other = neighbour(plan, f);
        if (other == NULL) {
            if (f->pin != 0u) {
                irq_take(t, f);
            }
            stream_take(t, f);
            plan->pci[plan->nr_pci] = *f;
            plan->nr_pci++;
        } else if ((other->devfn == f->devfn) && (other->bus == f->bus)) {
            fault_other(t, f, "a function that", other);
        } else {
            fault_other(t, f, "a device, or what is behind a bridge, of which", other);
        }
    }
}

static void function_take(struct config_target *t, const char *text)
{
    struct config_maker *const m = t->m;
    struct plan *const plan = m->plan;
    struct pci_name n = { NULL, 0u, 0u, 0u, 0u, 0u };
    const bool good = name_parse(text, &n);
    const struct plan_pci_host *const h = good ? host_of(m, n.segment) : NULL;
    struct plan_pci f = { .domain = (uint8_t)(t->domain - plan->domain), .name = text };
    uint32_t slot = 0;

    while ((slot < plan->nr_pci) && (plan->pci[(plan->nr_pci - slot) - 1u].domain == f.domain)) {
        slot++;
    }
    if (!good) {
        config_fault_text(m->report, t->node, PCI_PROP, text, PCI_FORMS);
    } else if (h == NULL) {
        config_fault_text(
            m->report, t->node, PCI_PROP, text,
            "the number of a host bridge compatible with \"pci-host-ecam-generic\" at its beginning");
    } else if (n.bus != h->first_bus) {
        config_fault_text(
            m->report, t->node, PCI_PROP, text,
            "a function of the host bridge's own bus, or behind a bridge on it, as in 0000:00:01.0/00.0");
    } else if ((slot == PCI_SLOTS) || (plan->nr_pci == PLAN_PCI_MAX)) {
        config_fault_text(m->report, t->node, PCI_PROP, text, "at most 16 functions, 64 in all domains");
    } else {
        f.slot = (uint8_t)slot;
        f.host = (uint8_t)(h - plan->pci_host);
        f.bus = (uint8_t)n.bus;
        f.devfn = (uint8_t)n.devfn;
        f.pin = (uint8_t)n.pin;
        f.bridge = (uint16_t)n.bridge;
        function_add(t, &f);
    }
}

void config_pci_make(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    struct config_target t = { m, node, d };
    struct range bank = { 0u, 0u };
    struct dt_value v = { NULL, 0u };

    if (dt_get(m->ix, node, PCI_PROP, &v)) {
        const void *const bytes = v.data;
        const char *const text = bytes;
        const bool good = (v.bytes > 0u) && (text[v.bytes - 1u] == '\0');
        uint32_t at = 0;

        if (!good) {
            config_fault(m->report, node, PCI_PROP, &v, PCI_FORMS);
        }
        while (good && (at < v.bytes)) { /* each round takes a byte or more */
            function_take(&t, &text[at]);
            at += (uint32_t)strlen(&text[at]) + 1u;
        }
        for (uint32_t i = 0; layout_bank(m->plan, d, i, &bank); i++) { /* at most 64 */
            if (config_pci_meets(m->plan, d, bank.base, bank.bytes)) {
                config_fault(m->report, node, PCI_PROP, &v, "memory elsewhere than a domain's PCI bus is");
            }
        }
    }
}

static uint32_t nr_of(const struct plan *plan, const struct plan_domain *d)
{
    uint32_t nr = 0;

    for (uint32_t i = 0; i < plan->nr_pci; i++) {
        nr += (plan->pci[i].domain == plan_index(plan, d->domid)) ? 1u : 0u;
    }
    return nr;
}

uint64_t config_pci_pool_bytes(const struct plan *plan, const struct plan_domain *d)
{
    return (uint64_t)nr_of(plan, d) * POOL_PAGES_EACH * PAGE_BYTES;
}

bool config_pci_meets(const struct plan *plan, const struct plan_domain *d, uint64_t base, uint64_t bytes)
{
    const struct hal_guest_layout *const layout = hal_plan_layout();
    bool meets = config_ranges_meet(layout->pci_ecam.v, BUS_BYTES, base, bytes);

    for (uint32_t i = 0; i < (uint32_t)PLAN_PCI_WINDOWS; i++) {
        meets = meets || config_ranges_meet(layout->pci_memory[i].base.v, layout->pci_memory[i].max_bytes,
                                            base, bytes);
    }
    return meets && (nr_of(plan, d) > 0u);
}
