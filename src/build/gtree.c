/* [impl->req~guest-tree~1] */
#include "build/gtree.h"

#include <libfdt.h>

#include "build/builder.h"
#include "build/partition/build_given.h"
#include "build/partition/build_pci.h"
#include "build/partition/build_pv.h"
#include "hal/virq.h"

#define GTREE_NAME_MAX       48u
#define GTREE_IRQ_SPI        0u
#define GTREE_IRQ_LEVEL_HIGH 4u
#define GTREE_SPI_FIRST      32u
#define GTREE_IRQ_PPI        1u
#define GTREE_IRQ_EVENTS     0xF08u
#define GTREE_PPI_FIRST      16u
#define GTREE_GRANT_BASE     0x38000000ULL
#define GTREE_GRANT_BYTES    0x01000000ULL
#define GTREE_UART_SPEED     115200u
#define GTREE_RANGES_MAX     2u
#define MS_PER_S             1000u

/* The first error of libfdt stays and makes everything after it do nothing. */
struct gtree {
    struct tree_sink to; /* this tree, also for who writes parts of it */
    void *fdt;
    int error;
    uint32_t ac; /* cells of an address and of a size in the root */
    uint32_t sc;
};

static void node_open(void *ctx, const char *name)
{
    struct gtree *const t = ctx;

    if (t->error == 0) {
        t->error = fdt_begin_node(t->fdt, name);
    }
}

static void prop_put(void *ctx, const char *name, const void *value, uint32_t bytes)
{
    struct gtree *const t = ctx;

    if (t->error == 0) {
        t->error = fdt_property(t->fdt, name, value, (int)bytes);
    }
}

static void node_close(void *ctx)
{
    struct gtree *const t = ctx;

    if (t->error == 0) {
        t->error = fdt_end_node(t->fdt);
    }
}

static void put_u64(struct gtree *t, const char *name, uint64_t value)
{
    const uint32_t cells[2] = { (uint32_t)(value >> 32u), (uint32_t)value };

    tree_cells(&t->to, name, cells, 2u);
}

/* In the root's cells */
static void put_regs(struct gtree *t, const struct range *range, uint32_t nr)
{
    uint32_t cell[4u * GTREE_RANGES_MAX];
    uint32_t n = 0;

    for (uint32_t i = 0; i < (2u * nr); i++) {
        const uint64_t value = ((i % 2u) == 0u) ? range[i / 2u].base : range[i / 2u].bytes;

        if ((((i % 2u) == 0u) ? t->ac : t->sc) == 2u) {
            cell[n] = (uint32_t)(value >> 32u);
            n++;
        }
        cell[n] = (uint32_t)value;
        n++;
    }
    tree_cells(&t->to, "reg", cell, n);
}

static void put_reg(struct gtree *t, uint64_t base, uint64_t bytes)
{
    const struct range range = { base, bytes };

    put_regs(t, &range, 1u);
}

static void write_chosen(struct gtree *t, const struct gtree_input *in)
{
    const struct plan_domain *const plan = in->domain->plan;

    node_open(t, "chosen");
    tree_text(&t->to, "bootargs", plan->bootargs);
    tree_text(&t->to, "bulkhead,domain-name", plan->name);
    if (in->ramdisk_bytes > 0u) {
        put_u64(t, "linux,initrd-start", in->ramdisk.v);
        put_u64(t, "linux,initrd-end", in->ramdisk.v + in->ramdisk_bytes);
    }
    if (plan->vpl011) {
        char path[GTREE_NAME_MAX];
        struct fmt_buf text;

        fmt_init(&text, path, GTREE_NAME_MAX);
        fmt_add(&text, "/sbsa-uart@%A", layout_uart(build_plan(), plan).base.v);
        tree_text(&t->to, "stdout-path", path);
    }
    node_close(t);
}

static void write_range(struct gtree *t, uint64_t base, uint64_t bytes)
{
    tree_begin_at(&t->to, "memory", base);
    tree_text(&t->to, "device_type", "memory");
    put_reg(t, base, bytes);
    node_close(t);
}

/* Shared memory too, as Xen tells it: memory, of which a node says that it is taken. */
static void write_memory(struct gtree *t, const struct domain *domain)
{
    struct range bank = { 0u, 0u };

    for (uint32_t i = 0; layout_bank(build_plan(), domain->plan, i, &bank); i++) { /* at most 64 */
        write_range(t, bank.base, bank.bytes);
    }
    for (uint32_t i = 0; i < PLAN_SHM_USES_MAX; i++) {
        const struct plan_shm_use *const use = (CONFIG_LINKS != 0) ? build_link(domain, i) : NULL;

        if (use != NULL) {
            write_range(t, use->at.v, use->bytes);
        }
    }
}

static void write_link(struct gtree *t, const struct plan_shm_use *use)
{
    tree_begin_at(&t->to, "xen-shmem", use->at.v);
    tree_text(&t->to, "compatible", "xen,shared-memory-v1");
    put_reg(t, use->at.v, use->bytes);
    tree_text(&t->to, "xen,id", build_link_id(use));
    put_u64(t, "xen,offset", use->offset);
    if (use->no_map) {
        prop_put(t, "no-map", "", 0u);
    }
    node_close(t);
}

static void write_links(struct gtree *t, const struct domain *domain)
{
    bool any = false;

    for (uint32_t i = 0; i < PLAN_SHM_USES_MAX; i++) {
        const struct plan_shm_use *const use = build_link(domain, i);

        if ((use != NULL) && !any) {
            node_open(t, "reserved-memory");
            tree_cell(&t->to, "#address-cells", t->ac);
            tree_cell(&t->to, "#size-cells", t->sc);
            prop_put(t, "ranges", "", 0u);
            any = true;
        }
        if (use != NULL) {
            write_link(t, use);
        }
    }
    if (any) {
        node_close(t);
    }
}

static void put_irq(struct gtree *t, uint32_t kind, uint32_t number, uint32_t flags)
{
    const uint32_t interrupt[] = { kind, number, flags };

    tree_cells(&t->to, "interrupts", interrupt, (uint32_t)ARRAY_LEN(interrupt));
}

static void write_uart(struct gtree *t, const struct plan_domain *plan)
{
    const struct layout_uart uart = layout_uart(build_plan(), plan);

    tree_begin_at(&t->to, "sbsa-uart", uart.base.v);
    tree_text(&t->to, "compatible", "arm,sbsa-uart");
    put_reg(t, uart.base.v, VPL011_WINDOW_BYTES);
    put_irq(t, GTREE_IRQ_SPI, uart.irq - GTREE_SPI_FIRST, GTREE_IRQ_LEVEL_HIGH);
    tree_cell(&t->to, "current-speed", GTREE_UART_SPEED);
    node_close(t);
}

/* The binding wants the control frame first. */
static void write_watchdog(struct gtree *t, const struct plan_domain *plan)
{
    const struct hal_guest_layout *const layout = hal_plan_layout();
    const uint64_t refresh = layout->watchdog_base.v;
    const fdt64_t reg[4] = { cpu_to_fdt64(refresh + PAGE_BYTES), cpu_to_fdt64(PAGE_BYTES),
                             cpu_to_fdt64(refresh), cpu_to_fdt64(PAGE_BYTES) };

    tree_begin_at(&t->to, "watchdog", refresh + PAGE_BYTES);
    tree_text(&t->to, "compatible", "arm,sbsa-gwdt");
    prop_put(t, "reg", reg, (uint32_t)sizeof(reg));
    put_irq(t, GTREE_IRQ_SPI, layout->watchdog_irq - GTREE_SPI_FIRST, GTREE_IRQ_LEVEL_HIGH);
    if (plan->watchdog_ms >= MS_PER_S) {
        tree_cell(&t->to, "timeout-sec", plan->watchdog_ms / MS_PER_S);
    }
    node_close(t);
}

/* Where grant tables may be, and for a hardware domain and backends where others' memory may; the line is
 * what guests of Xen find there: level, low, any CPU. */
static void write_hypervisor(struct gtree *t, const struct plan_domain *plan, bool is_hardware)
{
    const struct range *const hole = &build_plan()->hole;
    struct range reg[GTREE_RANGES_MAX] = { { GTREE_GRANT_BASE, GTREE_GRANT_BYTES }, { 0u, 0u } };
    bool two = is_hardware;

    static const char compatible[] = "xen,xen-4.20\0"
                                     "xen,xen";

    node_open(t, "hypervisor");
    prop_put(t, "compatible", compatible, (uint32_t)sizeof(compatible));
    if (is_hardware) {
        const uint64_t end = bits_min(hole->base + hole->bytes, hal_guestmap_limit());

        reg[0].base = hole->base;
        reg[1].base = hole->base + GTREE_GRANT_BYTES;
        reg[1].bytes = end - bits_min(end, reg[1].base);
    } else {
        reg[1].base = GIB(plan->region_gib);
        reg[1].bytes = GIB(1);
        two = (plan->region_gib != 0u) && ((reg[1].base + reg[1].bytes) <= hal_guestmap_limit());
    }
    put_regs(t, reg, two ? 2u : 1u);
    put_irq(t, GTREE_IRQ_PPI, HAL_VIRQ_EVENTS - GTREE_PPI_FIRST, GTREE_IRQ_EVENTS);
    node_close(t);
}

static void write_root(struct gtree *t, const struct gtree_input *in)
{
    static const char compatible[] = "xen,xenvm-4.20\0"
                                     "xen,xenvm";
    const uint32_t own = in->domain->plan->intc_phandle;
    const uint32_t intc = (own != 0u) ? own : HAL_VPLAT_PHANDLE_INTC;
    const bool is_hardware = (CONFIG_CONTROL != 0) && ((in->domain->plan->role & PLAN_ROLE_HARDWARE) != 0u);

    node_open(t, "");
    if (is_hardware) {
        const void *const host = in->domain->plan->partial_tree;

        t->ac = (uint32_t)fdt_address_cells(host, 0);
        t->sc = (uint32_t)fdt_size_cells(host, 0);
        build_host_tree(in->domain, &t->to);
    } else {
        tree_cell(&t->to, "#address-cells", t->ac);
        tree_cell(&t->to, "#size-cells", t->sc);
        tree_cell(&t->to, "interrupt-parent", intc);
        tree_text(&t->to, "model", "XENVM-4.20");
        prop_put(t, "compatible", compatible, (uint32_t)sizeof(compatible));
    }
    write_chosen(t, in);
    write_memory(t, in->domain);
    if (CONFIG_LINKS != 0) {
        write_links(t, in->domain);
    }
    hal_vplat_tree(&in->domain->hal, intc, is_hardware, &t->to);
    /* Behind the interrupt controller: Linux looks for its GICv2m frames from there on. */
    if ((CONFIG_DEVICES != 0) && !is_hardware && !build_given_tree(in->domain->plan, &t->to)) {
        t->error = -FDT_ERR_BADSTRUCTURE;
    }
    if ((CONFIG_LINKS != 0) && (in->domain->plan->enhanced != PLAN_ENHANCED_NONE)) {
        write_hypervisor(t, in->domain->plan, is_hardware);
    }
    if (CONFIG_CONTROL != 0) {
        build_pv_tree(in->domain->plan, &t->to);
    }
    if (in->domain->plan->vpl011) {
        write_uart(t, in->domain->plan);
    }
    if ((CONFIG_WATCHDOG != 0) && in->domain->plan->watchdog) {
        write_watchdog(t, in->domain->plan);
    }
    if (CONFIG_PCI != 0) {
        build_pci_tree(in->domain, &t->to);
    }
    node_close(t);
}

enum hv_status gtree_write(const struct gtree_input *in, void *buf, uint32_t buf_bytes, uint32_t *bytes)
{
    struct gtree t = { { node_open, prop_put, node_close, &t }, buf, 0, 2u, 2u };

    t.error = fdt_create_with_flags(buf, (int)buf_bytes, FDT_CREATE_FLAG_NO_NAME_DEDUP);
    if (t.error == 0) {
        t.error = fdt_finish_reservemap(buf);
    }
    if (t.error == 0) {
        write_root(&t, in);
    }
    if (t.error == 0) {
        t.error = fdt_finish(buf);
    }
    *bytes = (t.error == 0) ? fdt_totalsize(buf) : 0u;
    return (t.error == 0) ? HV_OK : HV_NO_MEMORY;
}
