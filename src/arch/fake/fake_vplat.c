/* The nodes that a guest's tree needs here: few, of the shape that every port's have. */
#include "hal/vplat.h"
#include "lib/fmt.h"

uint64_t hal_vplat_cpu_hwid(uint32_t index)
{
    return ((uint64_t)(index >> 4u) << 8u) | (uint64_t)(index & 15u);
}

static void cpus_write(const struct tree_sink *t, uint32_t nr_vcpus)
{
    char name[32];
    struct fmt_buf f;

    t->begin(t->ctx, "cpus");
    tree_cell(t, "#address-cells", 1u);
    tree_cell(t, "#size-cells", 0u);
    for (uint32_t i = 0u; i < nr_vcpus; i++) {
        const uint64_t hwid = hal_vplat_cpu_hwid(i);

        fmt_init(&f, name, sizeof(name));
        fmt_str(&f, "cpu@");
        fmt_hex_width(&f, hwid, 3u);
        t->begin(t->ctx, name);
        tree_text(t, "device_type", "cpu");
        tree_text(t, "compatible", "bulkhead,fake-cpu");
        tree_text(t, "enable-method", "bulkhead,fake-power");
        tree_cell(t, "reg", (uint32_t)hwid);
        t->end(t->ctx);
    }
    t->end(t->ctx);
}

uint32_t hal_vplat_intc_version(const struct hal_domain *domain)
{
    (void)domain;
    return 3u;
}

uint32_t hal_vplat_intc_ranges(const struct hal_domain *domain)
{
    (void)domain;
    return 1u;
}

void hal_vplat_tree(const struct hal_domain *domain, uint32_t intc, bool has_intc,
                    const struct tree_sink *tree)
{
    static const uint32_t reg[4] = { 0u, 0x3001000u, 0u, 0x1000u };

    cpus_write(tree, domain->nr_vcpus);

    if (!has_intc) {
        tree->begin(tree->ctx, "interrupt-controller@3001000");
        tree_text(tree, "compatible", "bulkhead,fake-intc");
        tree->prop(tree->ctx, "interrupt-controller", NULL, 0u);
        tree_cell(tree, "#interrupt-cells", 3u);
        tree_cells(tree, "reg", reg, 4u);
        tree_cell(tree, "phandle", intc);
        tree->end(tree->ctx);
    }

    tree->begin(tree->ctx, "timer");
    tree_text(tree, "compatible", "bulkhead,fake-timer");
    tree->end(tree->ctx);
}
