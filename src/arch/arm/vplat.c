/* The nodes of a guest's device tree that describe CPUs, interrupt controller, timer and firmware. */
#include "hal/vplat.h"

#include "lib/fmt.h"
#include "lib/string.h"

#define VPLAT_CELLS_MAX (4u * (1u + ARM_REDIST_REGIONS_MAX))
#define VPLAT_NAME_MAX  32u

#define VPLAT_IRQ_PPI       1u
#define VPLAT_IRQ_LEVEL_LOW 8u
#define VPLAT_GICC_CPUS     0xFFu /* GICv2: a private interrupt's cells name the CPUs */
#define VPLAT_PPI_BASE      16u

static void vplat_cells(const struct hal_tree *tree, const char *name, const uint32_t *cells,
                        uint32_t nr_cells)
{
    uint8_t value[VPLAT_CELLS_MAX * 4u];
    uint32_t n;

    for (n = 0u; (n < nr_cells) && (n < VPLAT_CELLS_MAX); n++) {
        value[n * 4u] = (uint8_t)(cells[n] >> 24u);
        value[(n * 4u) + 1u] = (uint8_t)(cells[n] >> 16u);
        value[(n * 4u) + 2u] = (uint8_t)(cells[n] >> 8u);
        value[(n * 4u) + 3u] = (uint8_t)cells[n];
    }
    tree->prop(tree->ctx, name, value, n * 4u);
}

static void vplat_cell(const struct hal_tree *tree, const char *name, uint32_t value)
{
    vplat_cells(tree, name, &value, 1u);
}

/* bytes: with the final NUL, or several strings with theirs */
static void vplat_text(const struct hal_tree *tree, const char *name, const char *text, uint32_t bytes)
{
    tree->prop(tree->ctx, name, text, bytes);
}

/* A node with a unit address, which has as few digits as it takes. */
static void vplat_begin_at(const struct hal_tree *tree, const char *name, uint64_t address)
{
    char text[VPLAT_NAME_MAX];
    struct fmt_buf buf;

    fmt_init(&buf, text, sizeof(text));
    fmt_add(&buf, "%s%A", name, address);
    tree->begin(tree->ctx, text);
}

uint64_t hal_vplat_cpu_hwid(uint32_t index)
{
    return ((uint64_t)(index >> 4u) << 8u) | (uint64_t)(index & 15u);
}

static void vplat_cpus(const struct hal_domain *domain, const struct hal_tree *tree)
{
    const char *compatible = arm_host()->cpu_compatible;

    tree->begin(tree->ctx, "cpus");
    vplat_cell(tree, "#address-cells", 1u);
    vplat_cell(tree, "#size-cells", 0u);
    for (uint32_t n = 0u; n < domain->arm.nr_vcpus; n++) { /* at most HV_VCPUS_MAX */
        const uint64_t hwid = hal_vplat_cpu_hwid(n);

        vplat_begin_at(tree, "cpu@", hwid);
        vplat_text(tree, "device_type", "cpu", sizeof("cpu"));
        vplat_text(tree, "compatible", compatible, (uint32_t)strlen(compatible) + 1u);
        vplat_cell(tree, "reg", (uint32_t)hwid);
        vplat_text(tree, "enable-method", "psci", sizeof("psci"));
        tree->end(tree->ctx);
    }
    tree->end(tree->ctx);
}

static void vplat_interrupt_controller(const struct hal_domain *domain, uint32_t intc,
                                       const struct hal_tree *tree)
{
    const bool is_v3 = gic_is(domain->arm.gic_version, 3u);
    const struct arm_gic_map *const gic = &domain->arm.gic;
    uint32_t regs[VPLAT_CELLS_MAX];
    const char *const compatible = is_v3 ? "arm,gic-v3" : "arm,gic-400";

    vplat_begin_at(tree, "interrupt-controller@", gic->range[0].base);
    vplat_text(tree, "compatible", compatible, (uint32_t)strlen(compatible) + 1u);
    vplat_cell(tree, "#interrupt-cells", 3u);
    vplat_cell(tree, "#address-cells", 0u);
    tree->prop(tree->ctx, "interrupt-controller", "", 0u);
    if (is_v3) {
        vplat_cell(tree, "#redistributor-regions", gic->nr_ranges - 1u);
    }
    if (gic->stride != ARM_GUEST_GICR_FRAME_BYTES) {
        regs[0] = (uint32_t)(gic->stride >> 32u);
        regs[1] = (uint32_t)gic->stride;
        vplat_cells(tree, "redistributor-stride", regs, 2u);
    }
    for (uint32_t i = 0u; i < gic->nr_ranges; i++) {
        regs[4u * i] = (uint32_t)(gic->range[i].base >> 32u);
        regs[(4u * i) + 1u] = (uint32_t)gic->range[i].base;
        regs[(4u * i) + 2u] = (uint32_t)(gic->range[i].bytes >> 32u);
        regs[(4u * i) + 3u] = (uint32_t)gic->range[i].bytes;
    }
    vplat_cells(tree, "reg", regs, 4u * gic->nr_ranges);
    vplat_cell(tree, "phandle", intc);
    tree->end(tree->ctx);
}

static void vplat_timer(const struct hal_domain *domain, uint32_t intc, const struct hal_tree *tree)
{
    const uint32_t cpus = gic_is(domain->arm.gic_version, 2u) ? ((uint32_t)VPLAT_GICC_CPUS << 8u) : 0u;
    const uint32_t flags = cpus | VPLAT_IRQ_LEVEL_LOW;
    const uint32_t interrupts[] = {
        VPLAT_IRQ_PPI, ARM_GUEST_PPI_SEC_TIMER - VPLAT_PPI_BASE,  flags,
        VPLAT_IRQ_PPI, ARM_GUEST_PPI_PHYS_TIMER - VPLAT_PPI_BASE, flags,
        VPLAT_IRQ_PPI, ARM_GUEST_PPI_VIRT_TIMER - VPLAT_PPI_BASE, flags,
    };

    tree->begin(tree->ctx, "timer");
    vplat_text(tree, "compatible", domain->arm.is_32bit ? "arm,armv7-timer" : "arm,armv8-timer",
               sizeof("arm,armv8-timer"));
    vplat_cells(tree, "interrupts", interrupts, (uint32_t)ARRAY_LEN(interrupts));
    vplat_cell(tree, "interrupt-parent", intc);
    if (arm_host()->timer_frequency != 0u) {
        vplat_cell(tree, "clock-frequency", arm_host()->timer_frequency);
    }
    tree->end(tree->ctx);
}

static void vplat_firmware(const struct hal_tree *tree)
{
    static const char compatible[] = "arm,psci-1.0\0"
                                     "arm,psci-0.2\0"
                                     "arm,psci";

    tree->begin(tree->ctx, "psci");
    vplat_text(tree, "compatible", compatible, sizeof(compatible));
    vplat_text(tree, "method", "hvc", sizeof("hvc"));
    vplat_cell(tree, "cpu_off", 1u);
    vplat_cell(tree, "cpu_on", 2u);
    tree->end(tree->ctx);
}

uint32_t hal_vplat_intc_version(const struct hal_domain *domain)
{
    return domain->arm.gic_version;
}

uint32_t hal_vplat_intc_ranges(const struct hal_domain *domain)
{
    return domain->arm.gic.nr_ranges;
}

void hal_vplat_tree(const struct hal_domain *domain, uint32_t intc, bool has_intc,
                    const struct hal_tree *tree)
{
    vplat_cpus(domain, tree);
    if (!has_intc) {
        vplat_interrupt_controller(domain, intc, tree);
    }
    vplat_timer(domain, intc, tree);
    vplat_firmware(tree);
}
