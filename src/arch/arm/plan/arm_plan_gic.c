/* [impl->req~host-registers~1] */
/* The host's interrupt controller: bindings interrupt-controller/arm,gic.yaml and arm,gic-v3.yaml of
 * Linux. */
#include "arm_plan_parse.h"

#include "config/config_fault.h"

#define GIC_CELLS_MIN  3u
#define GIC_TYPE_SPI   0u
#define GIC_TYPE_PPI   1u
#define GIC_FLAGS_EDGE 3u /* rising or falling */
#define INTID_PPI      16u
#define INTID_SPI      32u
#define INTID_END      1020u

#define GICV2_FRAME_BYTES KIB(4)
#define GICV3_GICD_BYTES  KIB(64)
#define GICV3_GICR_BYTES  KIB(128)

static const char *const gicv2_names[] = { "arm,gic-400", "arm,cortex-a15-gic", "arm,cortex-a7-gic",
                                           "arm,cortex-a9-gic" };
static const char gicv3_name[] = "arm,gic-v3";

static bool is_gic(const struct dt_index *ix, uint32_t node)
{
    bool is = dt_compatible(ix, node, gicv3_name);

    for (uint32_t i = 0; (i < ARRAY_LEN(gicv2_names)) && !is; i++) {
        is = dt_compatible(ix, node, gicv2_names[i]);
    }
    return is;
}

bool arm_plan_intid(const struct dt_index *ix, const struct dt_irq *irq, uint32_t *intid, bool *edge)
{
    bool good = (irq->nr_cells >= GIC_CELLS_MIN) && is_gic(ix, irq->controller);

    if (good) {
        const uint32_t number = irq->cell[1];

        if (irq->cell[0] == GIC_TYPE_SPI) {
            good = number < (INTID_END - INTID_SPI);
            *intid = number + INTID_SPI;
        } else {
            good = (irq->cell[0] == GIC_TYPE_PPI) && (number < (INTID_SPI - INTID_PPI));
            *intid = number + INTID_PPI;
        }
        *edge = (irq->cell[2] & GIC_FLAGS_EDGE) != 0u;
    }
    return good;
}

bool arm_plan_ppi(const struct dt_index *ix, uint32_t node, uint32_t i, uint32_t *intid)
{
    struct dt_irq irq = { DT_NONE, 0u, { 0u, 0u, 0u, 0u } };
    uint32_t number = 0;
    bool edge = false;
    const bool good =
        dt_irq(ix, node, i, &irq) && arm_plan_intid(ix, &irq, &number, &edge) && (number < INTID_SPI);

    if (good) {
        *intid = number;
    }
    return good;
}

/* Whole pages from an address on, `least` bytes or more: what is used of them is there. */
static bool gic_region(const struct dt_index *ix, uint32_t node, uint32_t i, uint64_t least,
                       struct range *out)
{
    struct range r = { 0u, 0u };
    const bool good = dt_reg_host(ix, node, i, &r) && (r.bytes >= least) && ((r.base % PAGE_BYTES) == 0u) &&
                      (r.bytes <= (UINT64_MAX - r.base));

    out->base = good ? r.base : 0u;
    out->bytes = good ? r.bytes : 0u;
    return good;
}

static void parse_gicv2(const struct dt_index *ix, struct config_report *report, struct arm_plan_host *arm,
                        uint32_t node)
{
    const bool gicd = gic_region(ix, node, 0, GICV2_FRAME_BYTES, &arm->gicd);
    const bool gicc = gic_region(ix, node, 1, 1u, &arm->gicc);
    const bool gich = gic_region(ix, node, 2, 1u, &arm->gich);
    const bool gicv = gic_region(ix, node, 3, 1u, &arm->gicv);

    arm->gic_version = 2;
    if (!(gicd && gicc && gich && gicv)) {
        config_fault_prop(report, node, "reg",
                          "four ranges of whole pages: distributor, CPU, hypervisor and virtual interface");
    }
}

static void parse_gicv3(const struct dt_index *ix, struct config_report *report, struct arm_plan_host *arm,
                        uint32_t node)
{
    uint32_t nr_regions = 1;
    struct dt_value stride = { NULL, 0u };
    bool good = gic_region(ix, node, 0, GICV3_GICD_BYTES, &arm->gicd);

    arm->gic_version = 3;
    (void)dt_get_u32(ix, node, "#redistributor-regions", &nr_regions);
    if ((nr_regions == 0u) || (nr_regions > ARM_REDIST_REGIONS_MAX)) {
        config_fault_prop(report, node, "#redistributor-regions", "1 to 16");
        nr_regions = 0;
    }
    for (uint32_t i = 0; i < nr_regions; i++) {
        good = gic_region(ix, node, 1u + i, GICV3_GICR_BYTES, &arm->gicr[i]) && good;
    }
    arm->nr_gicr = nr_regions;
    if (!good) {
        config_fault_prop(
            report, node, "reg",
            "a range of 64 KiB for the distributor and one of 128 or more for each redistributor region");
    }
    if (dt_get(ix, node, "redistributor-stride", &stride)) {
        arm->gicr_stride =
            ((stride.bytes == 4u) || (stride.bytes == 8u)) ? dt_cells(&stride, 0, stride.bytes / 4u) : 0u;
        if ((arm->gicr_stride == 0u) || ((arm->gicr_stride % KIB(64u)) != 0u)) {
            config_fault_prop(report, node, "redistributor-stride", "a multiple of 64 KiB");
        }
    }
}

bool arm_plan_is_gic(const struct arm_plan_host *arm, uint64_t base, uint64_t bytes)
{
    bool is = range_meets(&arm->gicd, base, bytes) || range_meets(&arm->gicc, base, bytes) ||
              range_meets(&arm->gich, base, bytes) || range_meets(&arm->gicv, base, bytes);

    for (uint32_t i = 0; (i < arm->nr_gicr) && (i < ARM_REDIST_REGIONS_MAX); i++) {
        is = is || range_meets(&arm->gicr[i], base, bytes);
    }
    return is;
}

void arm_plan_parse_gic(const struct dt_index *ix, struct config_report *report, struct arm_plan_host *arm)
{
    uint32_t node = 0;

    while ((node < ix->nr_nodes) && !(is_gic(ix, node) && dt_enabled(ix, node))) {
        node++;
    }
    if (node >= ix->nr_nodes) {
        config_fault_text(report, DT_ROOT, "interrupt controller", "none", "arm,gic-v3 or arm,gic-400");
    } else {
        if (dt_compatible(ix, node, gicv3_name)) {
            parse_gicv3(ix, report, arm, node);
        } else {
            parse_gicv2(ix, report, arm, node);
        }
        if (!arm_plan_ppi(ix, node, 0, &arm->ppi_maintenance)) {
            config_fault_prop(report, node, "interrupts", "the maintenance interrupt, a PPI");
        }
    }
}
