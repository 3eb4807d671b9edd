/* hal/plan.h for all Arm ports. */
/* [impl->req~guest-memory-map~1] */
#include "hal/plan.h"

#include "arm_layout.h"
#include "arm_plan_parse.h"
#include "config/dtindex.h"

/* A domain's pool, beside a table of 4 KiB for each 16 MiB of memory: tables of the upper levels and the
 * generated device tree; the vCPU's state and the share of the emulated interrupt controller. */
#define POOL_BASE_BYTES   KIB(256u)
#define POOL_VCPU_BYTES   KIB(32u)
#define POOL_MEMORY_SHARE 4096u

void hal_plan_host_parse(const struct dt_index *ix, struct config_report *report, struct hal_plan_host *host)
{
    arm_plan_parse(ix, report, &host->arm, ARM_PLAN_CPU_ON);
}

/* By firmware, or because it started with us and waits in head.S. */
bool hal_plan_cpu_startable(const struct dt_index *ix, uint32_t node, const struct hal_plan_host *host)
{
    const bool waits = CONFIG_MPU != 0;
    struct dt_value v = { NULL, 0u };

    return (waits || (host->arm.psci_conduit != ARM_CONDUIT_NONE)) && dt_get(ix, node, "enable-method", &v) &&
           dt_strings_have(&v, waits ? "spin-table" : "psci");
}

bool hal_plan_line_decode(const struct dt_index *ix, const struct dt_irq *irq, struct hal_plan_line *out)
{
    return arm_plan_intid(ix, irq, &out->irq, &out->edge);
}

bool hal_plan_is_own(const struct hal_plan_host *host, uint64_t base, uint64_t bytes)
{
    const uint64_t sp805 = host->arm.sp805;

    return arm_plan_is_gic(&host->arm, base, bytes) || arm_plan_is_smmu(&host->arm, base, bytes) ||
           ((sp805 != 0u) && (base <= sp805) && ((sp805 - base) < bytes));
}

const struct hal_guest_layout *hal_plan_layout(void)
{
    static const struct hal_guest_layout layout = {
        .bank = { { { ARM_GUEST_RAM0_BASE }, ARM_GUEST_RAM0_BYTES },
                  { { ARM_GUEST_RAM1_BASE }, ARM_GUEST_RAM1_BYTES } },
        .nr_banks = HAL_GUEST_BANKS_MAX,
        .vuart_base = { ARM_GUEST_VUART_BASE },
        .vuart_irq = ARM_GUEST_VUART_IRQ,
        .watchdog_base = { ARM_GUEST_WATCHDOG_BASE },
        .watchdog_irq = ARM_GUEST_WATCHDOG_IRQ,
        .pci_ecam = { ARM_GUEST_VPCI_ECAM_BASE },
        .pci_memory = { { { ARM_GUEST_VPCI_MEM_BASE }, ARM_GUEST_VPCI_MEM_BYTES },
                        { { ARM_GUEST_VPCI_PREFETCH_BASE }, ARM_GUEST_VPCI_PREFETCH_BYTES } },
        .nr_spis_max = ARM_GUEST_SPIS_MAX,
    };

    return &layout;
}

uint32_t hal_plan_vcpus_max(const struct hal_plan_host *host, bool direct)
{
    struct arm_gic_map map;

    return arm_plan_gic_map(&host->arm, direct, UINT32_MAX, &map);
}

bool hal_plan_intc_has(const struct hal_plan_host *host, bool direct, uint64_t base, uint64_t bytes)
{
    struct arm_gic_map map;
    bool has = false;

    (void)arm_plan_gic_map(&host->arm, direct, UINT32_MAX, &map);
    for (uint32_t i = 0; i < map.nr_ranges; i++) {
        has = has || range_meets(&map.range[i], base, bytes);
    }
    return has;
}

uint64_t hal_plan_pool_bytes(uint64_t ram_bytes, uint32_t nr_vcpus)
{
    const uint64_t vcpus = nr_vcpus;

    return bits_align_up(POOL_BASE_BYTES + (vcpus * POOL_VCPU_BYTES) + (ram_bytes / POOL_MEMORY_SHARE),
                         PAGE_BYTES);
}
