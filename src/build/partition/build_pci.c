/* PCI functions given to domains one by one: the host's buses at boot, then each function's lives. */
/* [impl->req~pci-functions~1] [impl->req~pci-quiet~1] */
#include "build/partition/build_pci.h"

#include "build/builder.h"
#include "hal/cpu.h"
#include "hal/timer.h"
#include "vdev/vpci.h"

/* PCI Express Base 4.0, 6.6.2: an FLR is over, and so is what was pending */
#define WAIT_NS          100000000ULL
#define BRIDGE_ALIGN     MIB(1)
#define FUNCTIONS_OF_BUS 256u
#define FUNCTION_SHIFT   12u
#define HEADER_TYPE(w)   (((w) >> 16u) & 0x7Fu)
#define PIN(w)           (((w) >> 8u) & 0xFFu)
#define TYPE_BRIDGE      1u
#define TREE_BYTES       1024u
#define TREE_BYTES_EACH  32u
#define TREE_MAP_CELLS   8u
#define SPI_FIRST        32u
#define LEVEL_HIGH       4u
#define HIGH(v)          ((uint32_t)((v) >> 32u))
#define LOW(v)           ((uint32_t)(v))
#define RANGE_MEM32      0x02000000u
#define RANGE_PREFETCH64 0x43000000u

static const struct plan *planned;
static struct vpci_function functions[PLAN_PCI_MAX]; /* as in the plan */
static struct vpci buses[HV_DOMAINS_MAX];

static struct vpci *bus_of(const struct domain *domain)
{
    return &buses[domain->index % HV_DOMAINS_MAX];
}

/* -- Boot -- */

static volatile uint8_t *config_at(volatile uint8_t *bus, uint32_t devfn)
{
    return &bus[(uint64_t)devfn << FUNCTION_SHIFT];
}

/* Whatever firmware left running does not run on. */
static void bus_quiet(volatile uint8_t *bus)
{
    for (uint32_t devfn = 0; devfn < FUNCTIONS_OF_BUS; devfn++) {
        volatile uint8_t *const config = config_at(bus, devfn);

        if (pci_is_there(config)) {
            const bool is_bridge = HEADER_TYPE(pci_read(config, PCI_HEADER)) == TYPE_BRIDGE;

            pci_command(config, is_bridge ? 0u : PCI_COMMAND_INTX_OFF);
        }
    }
}

static bool refuse(uint32_t i, const char *found, const char *expected)
{
    const struct plan_pci *const f = &planned->pci[i];

    log_line("/chosen/%s: bulkhead,pci-functions: found %s at %s, expected %s",
             planned->domain[f->domain].name, found, f->name, expected);
    return false;
}

/* One that cannot be used stays without configuration space. */
static void function_place(uint32_t i, volatile uint8_t *bus, struct pci_room room[PCI_WINDOWS])
{
    const struct plan_pci *const wanted = &planned->pci[i];
    struct vpci_function *const f = &functions[i];
    volatile uint8_t *const config = config_at(bus, wanted->devfn);
    const uint32_t pin = PIN(pci_read(config, PCI_INTERRUPT));
    bool good = true;

    f->hw.config = config;
    f->has_pin = (wanted->pin != 0u) && (pin != 0u);
    if (!pci_is_there(config)) {
        good = refuse(i, "nothing", "a function");
    } else if (HEADER_TYPE(pci_read(config, PCI_HEADER)) != 0u) {
        good = refuse(i, "a bridge", "a function that is none");
    } else if (f->has_pin && (pin != wanted->pin)) {
        good = refuse(i, "another interrupt pin", "the one that its name says (pin=A if it says none)");
    } else if (!pci_place(&f->hw, room)) {
        good = refuse(i, "more memory than the host bridge has left", "less");
    } else {
        pci_quiet(&f->hw);
    }
    f->hw.config = good ? config : NULL;
}

static void rooms_align(struct pci_room room[PCI_WINDOWS])
{
    for (uint32_t w = 0; w < (uint32_t)PCI_WINDOWS; w++) {
        room[w].next = bits_align_up(room[w].next + room[w].to_bus, BRIDGE_ALIGN) - room[w].to_bus;
    }
}

/* The bridge in front of a bus; NULL: none is there. */
static volatile uint8_t *bridge_of(const struct plan_pci_host *h, volatile uint8_t *ecam, uint32_t bus)
{
    volatile uint8_t *bridge = NULL;

    for (uint32_t i = 0; (i < planned->nr_pci) && (bridge == NULL); i++) {
        const struct plan_pci *const f = &planned->pci[i];

        if ((&planned->pci_host[f->host] == h) && (f->bus == bus)) {
            bridge = config_at(ecam, f->bridge % FUNCTIONS_OF_BUS);
        }
    }
    return ((bridge != NULL) && pci_is_there(bridge) &&
            (HEADER_TYPE(pci_read(bridge, PCI_HEADER)) == TYPE_BRIDGE))
               ? bridge
               : NULL;
}

/* The domains' functions on one bus; the bridge in front of it is opened for them. */
static void bus_make(const struct plan_pci_host *h, volatile uint8_t *ecam, uint32_t bus,
                     struct pci_room room[PCI_WINDOWS])
{
    volatile uint8_t *const here = &ecam[(uint64_t)(bus - h->first_bus) * PCI_BUS_BYTES];
    struct pci_room from[PCI_WINDOWS];
    volatile uint8_t *const bridge = (bus > h->first_bus) ? bridge_of(h, ecam, bus) : NULL;

    (void)memcpy(from, room, sizeof(from));
    if (bridge != NULL) {
        pci_bridge_open(bridge, h->first_bus, bus, from, from);
        bus_quiet(here);
    }
    for (uint32_t i = 0; i < planned->nr_pci; i++) {
        const struct plan_pci *const f = &planned->pci[i];

        if ((&planned->pci_host[f->host] != h) || (f->bus != bus)) {
            /* not here */
        } else if ((bus > h->first_bus) && (bridge == NULL)) {
            (void)refuse(i, "no bridge", "one in front of it");
        } else {
            function_place(i, here, room);
        }
    }
    if (bridge != NULL) {
        rooms_align(room);
        pci_bridge_open(bridge, h->first_bus, bus, from, room);
    }
}

static enum hv_status host_make(const struct plan_pci_host *h)
{
    struct pci_room room[PCI_WINDOWS];
    void *va = NULL;
    const enum hv_status status =
        hal_hypmap_device(hpa(h->ecam.base), h->nr_buses * (uint64_t)PCI_BUS_BYTES, &va);

    for (uint32_t w = 0; w < (uint32_t)PCI_WINDOWS; w++) {
        room[w].next = h->memory[w].base;
        room[w].end = h->memory[w].base + h->memory[w].bytes;
        room[w].to_bus = h->memory_bus[w] - h->memory[w].base;
    }
    if (status == HV_OK) {
        bus_quiet(va); /* what lies behind its bridges is cut off by that */
    }
    for (uint32_t b = 0; (b < h->nr_buses) && (status == HV_OK); b++) {
        bus_make(h, va, h->first_bus + b, room);
        rooms_align(room);
    }
    return status;
}

enum hv_status build_pci_setup(const struct plan *plan)
{
    enum hv_status status = HV_OK;

    planned = plan;
    for (uint32_t i = 0; i < plan->nr_pci; i++) {
        struct vpci *const bus = &buses[plan->pci[i].domain];

        if (plan->pci[i].slot == 0u) {
            bus->function = &functions[i];
        }
        bus->nr = plan->pci[i].slot + 1u;
    }
    for (uint32_t h = 0; (h < plan->nr_pci_hosts) && (status == HV_OK); h++) {
        status = host_make(&plan->pci_host[h]);
    }
    return status;
}

/* -- Lives -- */

/* True: time is up. */
static bool wait_until(uint64_t end_ns)
{
    hal_cpu_relax();
    work_breathe();
    return hal_timer_now_ns() >= end_ns;
}

enum hv_status build_pci(struct domain *domain)
{
    struct vpci *const bus = bus_of(domain);
    const uint64_t end_ns = hal_timer_now_ns() + WAIT_NS;
    enum hv_status status = HV_OK;
    bool waits = false;

    for (uint32_t s = 0; (s < bus->nr) && (status == HV_OK); s++) {
        if (bus->function[s].hw.config == NULL) {
            log_line("%s: PCI function %u cannot be used, see above", domain->plan->name, s);
            status = HV_NOT_FOUND;
        } else {
            waits = pci_reset(&bus->function[s].hw) || waits;
        }
    }
    while (waits) { /* for 100 ms */
        waits = !wait_until(end_ns);
    }
    for (uint32_t s = 0; (s < bus->nr) && (status == HV_OK); s++) {
        pci_quiet(&bus->function[s].hw);
    }
    if ((status == HV_OK) && (bus->nr > 0u)) {
        status = vpci_attach(bus, domain, hal_plan_layout());
    }
    return status;
}

void build_pci_begin(struct domain *domain)
{
    vpci_begin(bus_of(domain));
}

void build_pci_undo(struct domain *domain)
{
    const struct vpci *const bus = bus_of(domain);
    const uint64_t end_ns = hal_timer_now_ns() + WAIT_NS;

    for (uint32_t s = 0; s < bus->nr; s++) {
        if (bus->function[s].hw.config != NULL) {
            pci_quiet(&bus->function[s].hw);
        }
    }
    for (uint32_t s = 0; s < bus->nr; s++) {
        const struct pci_function *const f = &bus->function[s].hw;
        bool waits = (f->config != NULL) && pci_pending(f);

        while (waits) { /* for 100 ms in all */
            waits = !wait_until(end_ns) && pci_pending(f);
        }
    }
}

/* -- The guest's tree: binding pci/host-generic-pci.yaml of Linux -- */

/* Each pin of a device is the one interrupt of its function. True: the DMA of all of them sees caches. */
static bool put_interrupts(const struct domain *domain, const struct tree_sink *tree)
{
    static const uint32_t mask[] = { 0xF800u, 0u, 0u, 0u };
    const uint32_t intc = domain->plan->intc_phandle;
    uint32_t map[VPCI_FUNCTIONS_MAX * TREE_MAP_CELLS];
    uint32_t n = 0;
    bool coherent = true;

    (void)memset(map, 0, sizeof(map));
    for (uint32_t i = 0; i < planned->nr_pci; i++) {
        const struct plan_pci *const f = &planned->pci[i];
        const bool own = f->domain == domain->index;

        coherent = coherent && (!own || planned->pci_host[f->host].coherent);
        if (own && (f->pin != 0u) && ((n + TREE_MAP_CELLS) <= ARRAY_LEN(map))) {
            map[n] = (uint32_t)f->slot << 11u;
            map[n + 4u] = (intc != 0u) ? intc : HAL_VPLAT_PHANDLE_INTC; /* and 0: a shared interrupt */
            map[n + 6u] = f->virq - SPI_FIRST;
            map[n + 7u] = LEVEL_HIGH;
            n += TREE_MAP_CELLS;
        }
    }
    tree_cells(tree, "interrupt-map-mask", mask, (uint32_t)ARRAY_LEN(mask));
    tree_cells(tree, "interrupt-map", map, n);
    return coherent;
}

void build_pci_tree(const struct domain *domain, const struct tree_sink *tree)
{
    const struct hal_guest_layout *const layout = hal_plan_layout();
    const struct hal_guest_bank *const low = &layout->pci_memory[PCI_WINDOW_32];
    const struct hal_guest_bank *const high = &layout->pci_memory[PCI_WINDOW_64];
    const uint32_t reg[] = { HIGH(layout->pci_ecam.v), LOW(layout->pci_ecam.v), 0u, VPCI_ECAM_BYTES };
    const uint32_t ranges[] = { RANGE_MEM32,           HIGH(low->base.v),   LOW(low->base.v),
                                HIGH(low->base.v),     LOW(low->base.v),    HIGH(low->max_bytes),
                                LOW(low->max_bytes),   RANGE_PREFETCH64,    HIGH(high->base.v),
                                LOW(high->base.v),     HIGH(high->base.v),  LOW(high->base.v),
                                HIGH(high->max_bytes), LOW(high->max_bytes) };
    static const uint32_t bus_range[] = { 0u, 0u };
    const struct vpci *const bus = bus_of(domain);

    if (bus->nr > 0u) {
        tree_begin_at(tree, "pcie", layout->pci_ecam.v);
        tree_text(tree, "compatible", "pci-host-ecam-generic");
        tree_text(tree, "device_type", "pci");
        tree_cell(tree, "#address-cells", 3u);
        tree_cell(tree, "#size-cells", 2u);
        tree_cell(tree, "#interrupt-cells", 1u);
        tree_cells(tree, "reg", reg, (uint32_t)ARRAY_LEN(reg));
        tree_cells(tree, "bus-range", bus_range, 2u);
        tree_cells(tree, "ranges", ranges, (uint32_t)ARRAY_LEN(ranges));
        if (put_interrupts(domain, tree)) {
            tree->prop(tree->ctx, "dma-coherent", "", 0u);
        }
        tree->end(tree->ctx);
    }
}

uint32_t build_pci_tree_bytes(const struct plan *plan)
{
    return (plan->nr_pci > 0u) ? (TREE_BYTES + (plan->nr_pci * TREE_BYTES_EACH)) : 0u;
}
