/* A port's host-compilable rules: the guest's memory map and limits, and what it takes from the host's
 * device tree. Implemented in src/arch/<port>/plan (pure C, also part of the host tool). Called by config/
 * only, once per tree. struct hal_plan_host is the port's; it is plain data and immutable once the plan is
 * made. */
#ifndef HAL_PLAN_H
#define HAL_PLAN_H

#include "hal/types.h"
#include "hal_arch/plan.h"

#define HAL_GUEST_BANKS_MAX 2u
#define HAL_PLAN_LINES_END  988u /* shared interrupts that have a number */
#define HAL_IOMMUS_MAX      4u

struct dt_index; /* config/dtindex.h */
struct dt_irq;
struct config_report; /* config/config.h */
struct plan;          /* config/plan.h */

struct hal_guest_bank {
    gpa_t base;
    uint64_t max_bytes;
};

struct hal_guest_layout {
    struct hal_guest_bank bank[HAL_GUEST_BANKS_MAX]; /* filled in order */
    uint32_t nr_banks;
    gpa_t vuart_base; /* emulated SBSA UART, 4 KiB */
    uint32_t vuart_irq;
    gpa_t watchdog_base; /* emulated SBSA watchdog: refresh frame, then control frame, 4 KiB each */
    uint32_t watchdog_irq;
    gpa_t pci_ecam;                      /* emulated PCI configuration space, 1 MiB */
    struct hal_guest_bank pci_memory[2]; /* for BARs: below and above 4 GiB */
    uint32_t nr_spis_max;
};

struct hal_plan_line {
    uint32_t irq; /* the number by which hal/irq.h knows it */
    bool edge;
};

/* Takes from the host's tree what the port's drivers need and fills *host. Faults are reported; what is
 * found in spite of them is filled in all the same, the rest is 0. */
void hal_plan_host_parse(const struct dt_index *ix, struct config_report *report, struct hal_plan_host *host);

/* Whether this host can start a CPU other than the one it booted on: `node` is the CPU's. */
bool hal_plan_cpu_startable(const struct dt_index *ix, uint32_t node, const struct hal_plan_host *host);

/* A device's interrupt as the host's interrupt controller counts. False if it is another controller's or
 * no such line. */
bool hal_plan_line_decode(const struct dt_index *ix, const struct dt_irq *irq, struct hal_plan_line *out);

/* Whether the port's own drivers use any of these registers: no guest may have them. */
bool hal_plan_is_own(const struct hal_plan_host *host, uint64_t base, uint64_t bytes);
/* The same of an interrupt (as hal/irq.h counts); those of the console are config's. */
bool hal_plan_is_own_line(const struct hal_plan_host *host, uint32_t irq);

/* Whether `node` is an IOMMU that the port drives: its number for hal/iommu.h. *nr_streams: ids are below. An
 * id is one cell. */
bool hal_plan_iommu(const struct dt_index *ix, uint32_t node, const struct hal_plan_host *host,
                    uint32_t *iommu, uint32_t *nr_streams);

/* Heap that hal_iommu_init() takes for these streams (indexed by IOMMU, as there) and hal_iommu_reserve() for
 * nr_runs runs; bytes, page multiple. */
uint64_t hal_plan_iommu_bytes(const struct hal_plan_host *host, const uint32_t *nr_streams, uint32_t nr_runs);

/* The memory map that guests see (Xen's public/arch-arm.h on Arm), but for those with a direct map.
 * Constant. */
const struct hal_guest_layout *hal_plan_layout(void);

/* Most vCPUs that one domain may have on this host (8 with GICv2, 128 with GICv3). direct: one that finds its
 * interrupt controller at the host's addresses. */
uint32_t hal_plan_vcpus_max(const struct hal_plan_host *host, bool direct);

/* Whether the emulated interrupt controller of a domain has any of [base, base + bytes), guest physical. */
bool hal_plan_intc_has(const struct hal_plan_host *host, bool direct, uint64_t base, uint64_t bytes);

/* Whether nothing translates: guests find memory and devices where the host has them, so that each has static
 * memory, and a CPU has few regions (of one kind and one permission each) for them all. */
bool hal_plan_identity(const struct hal_plan_host *host);
/* Whether guests may have translation of their own; without, regions are all they have. */
bool hal_plan_el1_mmu(const struct hal_plan_host *host);

struct hal_plan_region {
    uint64_t base;
    uint64_t last; /* 0: where it lies is known at boot */
    const char *what;
};

#define HAL_PLAN_REGIONS_MAX 32u

/* With hal_plan_identity(): the regions that a CPU has for a domain, by its index in the plan, or for the
 * hypervisor (PLAN_NO_DOMAIN); neighbours that are alike are one. Their number; those above
 * HAL_PLAN_REGIONS_MAX are not counted. */
uint32_t hal_plan_regions(const struct plan *plan, uint32_t domain,
                          struct hal_plan_region list[HAL_PLAN_REGIONS_MAX]);
/* All that a CPU has */
uint32_t hal_plan_regions_max(const struct plan *plan);

/* Default size of a domain's pool for translation tables and other pages charged to it, bytes, page
 * multiple. Large enough for ram_bytes in 4 KiB pages at worst alignment is not required: blocks are used
 * where possible. */
uint64_t hal_plan_pool_bytes(uint64_t ram_bytes, uint32_t nr_vcpus);

#endif
