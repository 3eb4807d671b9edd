/* The host's IOMMUs: binding iommu/arm,smmu-v3.yaml of Linux. */
/* [impl->req~dma-apart~1] */
#include "arm_plan_parse.h"
#include "arm_smmu.h"

#include "config/config_fault.h"

static const char smmu_name[] = "arm,smmu-v3";

static void parse_line(const struct dt_index *ix, struct arm_smmu *smmu, uint32_t line, const char *name)
{
    struct dt_value names = { NULL, 0u };
    struct dt_irq irq = { DT_NONE, 0u, { 0u, 0u, 0u, 0u } };
    uint32_t place = DT_NONE;

    if (dt_get(ix, smmu->node, "interrupt-names", &names)) {
        place = dt_string_index(&names, name);
        place = (place == DT_NONE) ? dt_string_index(&names, "combined") : place;
    }
    if ((place != DT_NONE) && dt_irq(ix, smmu->node, place, &irq)) {
        uint32_t intid = 0;
        bool edge = false;

        if (arm_plan_intid(ix, &irq, &intid, &edge)) {
            smmu->irq[line] = intid;
            smmu->edge[line] = edge;
        }
    }
}

void arm_plan_parse_smmu(const struct dt_index *ix, struct config_report *report, struct arm_plan_host *arm)
{
    for (uint32_t node = 0; node < ix->nr_nodes; node++) {
        struct range r = { 0u, 0u };

        if (!dt_compatible(ix, node, smmu_name) || !dt_enabled(ix, node)) {
            /* something else */
        } else if (!dt_reg_host(ix, node, 0u, &r) || (r.bytes < SMMU_REG_BYTES) ||
                   ((r.base % KIB(64u)) != 0u)) {
            config_fault_prop(report, node, "reg", "128 KiB of registers at a multiple of 64 KiB");
        } else if (arm->nr_smmus == ARM_SMMUS_MAX) {
            config_note(report, node, "compatible", "is one IOMMU more than the 4 that are used");
        } else {
            struct arm_smmu *const smmu = &arm->smmu[arm->nr_smmus];

            smmu->node = node;
            smmu->base = r.base;
            parse_line(ix, smmu, 0u, "eventq");
            parse_line(ix, smmu, 1u, "gerror");
            arm->nr_smmus++;
        }
    }
}

bool arm_plan_is_smmu(const struct arm_plan_host *arm, uint64_t base, uint64_t bytes)
{
    bool is = false;

    for (uint32_t i = 0; i < arm->nr_smmus; i++) {
        is = is || ((base < (arm->smmu[i].base + SMMU_REG_BYTES)) && (arm->smmu[i].base < (base + bytes)));
    }
    return is;
}

bool hal_plan_is_own_line(const struct hal_plan_host *host, uint32_t irq)
{
    bool is = false;

    for (uint32_t i = 0; i < (host->arm.nr_smmus * ARM_SMMU_LINES); i++) {
        is = is || (irq == host->arm.smmu[i / ARM_SMMU_LINES].irq[i % ARM_SMMU_LINES]);
    }
    return is;
}

bool hal_plan_iommu(const struct dt_index *ix, uint32_t node, const struct hal_plan_host *host,
                    uint32_t *iommu, uint32_t *nr_streams)
{
    bool found = false;

    (void)ix;
    for (uint32_t i = 0; i < host->arm.nr_smmus; i++) {
        if (host->arm.smmu[i].node == node) {
            *iommu = i;
            *nr_streams = SMMU_STREAMS_MAX;
            found = true;
        }
    }
    return found;
}

/* Level 1 is cut out of a piece of almost twice its size, to be aligned. */
uint64_t hal_plan_iommu_bytes(const struct hal_plan_host *host, const uint32_t *nr_streams, uint32_t nr_runs)
{
    uint64_t pages = (uint64_t)nr_runs * SMMU_RUN_PAGES;

    for (uint32_t i = 0; i < host->arm.nr_smmus; i++) {
        if (nr_streams[i] > 0u) {
            pages += SMMU_QUEUES + (2u * (uint64_t)smmu_level1_pages(smmu_id_bits(nr_streams[i])));
        }
    }
    return pages * PAGE_BYTES;
}
