/* The simulated host's rules, with the numbers that the Arm ports have, so that the same plans fit both. */
#include "config/config.h"
#include "lib/string.h"

#define FAKE_IOMMU_LINE 106u
#define FAKE_REGIONS    4u

void hal_plan_host_parse(const struct dt_index *ix, struct config_report *report, struct hal_plan_host *host)
{
    (void)report;
    host->intc_version = 3u;
    host->has_power = false;
    host->identity = false;
    host->el1_mmu = true;
    host->nr_iommus = 0u;
    for (uint32_t n = 0u; n < ix->nr_nodes; n++) {
        if (dt_compatible(ix, n, "bulkhead,fake-intc-2")) {
            host->intc_version = 2u;
        }
        if (dt_compatible(ix, n, "bulkhead,fake-power")) {
            host->has_power = true;
        }
        if (dt_compatible(ix, n, "bulkhead,fake-mpu")) {
            host->identity = true;
            host->el1_mmu = dt_has(ix, n, "vmsa");
        }
        if (dt_compatible(ix, n, "bulkhead,fake-iommu") && (host->nr_iommus < HAL_IOMMUS_MAX)) {
            host->iommu_node[host->nr_iommus] = n;
            host->nr_iommus++;
        }
    }
}

bool hal_plan_cpu_startable(const struct dt_index *ix, uint32_t node, const struct hal_plan_host *host)
{
    (void)host;
    return dt_has(ix, node, "enable-method");
}

bool hal_plan_line_decode(const struct dt_index *ix, const struct dt_irq *irq, struct hal_plan_line *out)
{
    bool good = true;

    (void)ix;
    if (irq->nr_cells == 3u) { /* class, number, flags */
        out->irq = irq->cell[1] + ((irq->cell[0] == 0u) ? 32u : 16u);
        out->edge = (irq->cell[2] & 3u) != 0u;
    } else if (irq->nr_cells == 1u) {
        out->irq = irq->cell[0];
        out->edge = false;
    } else {
        good = false;
    }
    return good && (out->irq < 1020u);
}

bool hal_plan_is_own(const struct hal_plan_host *host, uint64_t base, uint64_t bytes)
{
    (void)host;
    return (base < 0x08100000ULL) && ((base + bytes) > 0x08000000ULL);
}

bool hal_plan_is_own_line(const struct hal_plan_host *host, uint32_t irq)
{
    return (host->nr_iommus > 0u) && (irq == FAKE_IOMMU_LINE);
}

bool hal_plan_iommu(const struct dt_index *ix, uint32_t node, const struct hal_plan_host *host,
                    uint32_t *iommu, uint32_t *nr_streams)
{
    bool found = false;

    (void)ix;
    for (uint32_t i = 0u; i < host->nr_iommus; i++) {
        if (host->iommu_node[i] == node) {
            *iommu = i;
            *nr_streams = 1u << 20u;
            found = true;
        }
    }
    return found;
}

uint64_t hal_plan_iommu_bytes(const struct hal_plan_host *host, const uint32_t *nr_streams, uint32_t nr_runs)
{
    (void)host;
    (void)nr_streams;
    (void)nr_runs;
    return 0u;
}

const struct hal_guest_layout *hal_plan_layout(void)
{
    static const struct hal_guest_layout layout = {
        .bank = { { { 0x40000000ULL }, GIB(3) }, { { 0x200000000ULL }, GIB(1016) } },
        .nr_banks = 2u,
        .vuart_base = { 0x22000000ULL },
        .vuart_irq = 32u,
        .watchdog_base = { 0x22001000ULL },
        .watchdog_irq = 48u,
        .pci_ecam = { 0x10000000ULL },
        .pci_memory = { { { 0x23000000ULL }, MIB(256) }, { { 0x100000000ULL }, GIB(4) } },
        .nr_spis_max = 224u,
    };

    return &layout;
}

uint32_t hal_plan_vcpus_max(const struct hal_plan_host *host, bool direct)
{
    return ((host->intc_version == 2u) || direct) ? 8u : HV_VCPUS_MAX;
}

bool hal_plan_intc_has(const struct hal_plan_host *host, bool direct, uint64_t base, uint64_t bytes)
{
    const uint64_t first = direct ? 0x08000000ULL : 0x03001000ULL;

    (void)host;
    return (base < (first + 0x01000000ULL)) && ((base >= first) || ((first - base) < bytes));
}

uint64_t hal_plan_pool_bytes(uint64_t ram_bytes, uint32_t nr_vcpus)
{
    const uint64_t pages = 16u + (ram_bytes / MIB(256)) + (uint64_t)nr_vcpus;

    return pages * PAGE_BYTES;
}

bool hal_plan_identity(const struct hal_plan_host *host)
{
    return host->identity;
}

bool hal_plan_el1_mmu(const struct hal_plan_host *host)
{
    return host->el1_mmu;
}

/* One for each range of a domain's memory, and one for the host. */
uint32_t hal_plan_regions(const struct plan *plan, uint32_t domain,
                          struct hal_plan_region list[HAL_PLAN_REGIONS_MAX])
{
    uint32_t nr = 1u;

    list[0] = (struct hal_plan_region){ 0u, 0u, "the host" };
    if (domain < plan->nr_domains) {
        nr = (uint32_t)bits_min(plan->domain[domain].nr_static, HAL_PLAN_REGIONS_MAX);
        for (uint32_t i = 0u; i < nr; i++) {
            const struct range *const r = &plan->static_mem[plan->domain[domain].static_first + i];

            list[i] = (struct hal_plan_region){ r->base, r->base + (r->bytes - 1u), "memory" };
        }
    }
    return nr;
}

uint32_t hal_plan_regions_max(const struct plan *plan)
{
    (void)plan;
    return FAKE_REGIONS;
}
