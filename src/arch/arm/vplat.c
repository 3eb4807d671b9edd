/* The nodes of a guest's device tree that describe CPUs, interrupt controller, timer and firmware. */
#include "hal/vplat.h"

#define VPLAT_CELLS_MAX (4u * (1u + ARM_REDIST_REGIONS_MAX))

#define VPLAT_IRQ_PPI       1u
#define VPLAT_IRQ_LEVEL_LOW 8u
#define VPLAT_GICC_CPUS     0xFFu /* GICv2: a private interrupt's cells name the CPUs */
#define VPLAT_PPI_BASE      16u

uint64_t hal_vplat_cpu_hwid(uint32_t index)
{
    return ((uint64_t)(index >> 4u) << 8u) | (uint64_t)(index & 15u);
}

static void vplat_cpus(const struct hal_domain *domain, const struct tree_sink *tree)
{
    const char *compatible = arm_host()->cpu_compatible;

    tree->begin(tree->ctx, "cpus");
    tree_cell(tree, "#address-cells", 1u);
    tree_cell(tree, "#size-cells", 0u);
    for (uint32_t n = 0u; n < domain->arm.nr_vcpus; n++) { /* at most HV_VCPUS_MAX */
        const uint64_t hwid = hal_vplat_cpu_hwid(n);

        tree_begin_at(tree, "cpu", hwid);
        tree_text(tree, "device_type", "cpu");
        tree_text(tree, "compatible", compatible);
        tree_cell(tree, "reg", (uint32_t)hwid);
        tree_text(tree, "enable-method", "psci");
        tree->end(tree->ctx);
    }
    tree->end(tree->ctx);
}

static void vplat_interrupt_controller(const struct hal_domain *domain, uint32_t intc,
                                       const struct tree_sink *tree)
{
    const bool is_v3 = gic_is(domain->arm.gic_version, 3u);
    const struct arm_gic_map *const gic = &domain->arm.gic;
    uint32_t regs[VPLAT_CELLS_MAX];
    const char *const compatible = is_v3 ? "arm,gic-v3" : "arm,gic-400";

    tree_begin_at(tree, "interrupt-controller", gic->range[0].base);
    tree_text(tree, "compatible", compatible);
    tree_cell(tree, "#interrupt-cells", 3u);
    tree_cell(tree, "#address-cells", 0u);
    tree->prop(tree->ctx, "interrupt-controller", "", 0u);
    if (is_v3) {
        tree_cell(tree, "#redistributor-regions", gic->nr_ranges - 1u);
    }
    if (gic->stride != ARM_GUEST_GICR_FRAME_BYTES) {
        regs[0] = (uint32_t)(gic->stride >> 32u);
        regs[1] = (uint32_t)gic->stride;
        tree_cells(tree, "redistributor-stride", regs, 2u);
    }
    for (uint32_t i = 0u; i < gic->nr_ranges; i++) {
        regs[4u * i] = (uint32_t)(gic->range[i].base >> 32u);
        regs[(4u * i) + 1u] = (uint32_t)gic->range[i].base;
        regs[(4u * i) + 2u] = (uint32_t)(gic->range[i].bytes >> 32u);
        regs[(4u * i) + 3u] = (uint32_t)gic->range[i].bytes;
    }
    tree_cells(tree, "reg", regs, 4u * gic->nr_ranges);
    tree_cell(tree, "phandle", intc);
    tree->end(tree->ctx);
}

static void vplat_timer(const struct hal_domain *domain, uint32_t intc, const struct tree_sink *tree)
{
    const uint32_t cpus = gic_is(domain->arm.gic_version, 2u) ? ((uint32_t)VPLAT_GICC_CPUS << 8u) : 0u;
    const uint32_t flags = cpus | VPLAT_IRQ_LEVEL_LOW;
    const uint32_t interrupts[] = {
        VPLAT_IRQ_PPI, ARM_GUEST_PPI_SEC_TIMER - VPLAT_PPI_BASE,  flags,
        VPLAT_IRQ_PPI, ARM_GUEST_PPI_PHYS_TIMER - VPLAT_PPI_BASE, flags,
        VPLAT_IRQ_PPI, ARM_GUEST_PPI_VIRT_TIMER - VPLAT_PPI_BASE, flags,
    };

    tree->begin(tree->ctx, "timer");
    tree_text(tree, "compatible", domain->arm.is_32bit ? "arm,armv7-timer" : "arm,armv8-timer");
    tree_cells(tree, "interrupts", interrupts, (uint32_t)ARRAY_LEN(interrupts));
    tree_cell(tree, "interrupt-parent", intc);
    if (arm_host()->timer_frequency != 0u) {
        tree_cell(tree, "clock-frequency", arm_host()->timer_frequency);
    }
    tree->end(tree->ctx);
}

static void vplat_firmware(const struct tree_sink *tree)
{
    static const char compatible[] = "arm,psci-1.0\0"
                                     "arm,psci-0.2\0"
                                     "arm,psci";

    tree->begin(tree->ctx, "psci");
    tree->prop(tree->ctx, "compatible", compatible, sizeof(compatible));
    tree_text(tree, "method", "hvc");
    tree_cell(tree, "cpu_off", 1u);
    tree_cell(tree, "cpu_on", 2u);
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
                    const struct tree_sink *tree)
{
    vplat_cpus(domain, tree);
    if (!has_intc) {
        vplat_interrupt_controller(domain, intc, tree);
    }
    vplat_timer(domain, intc, tree);
    vplat_firmware(tree);
}
