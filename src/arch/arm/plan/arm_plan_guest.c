/* Where guests find their interrupt controller. */
/* [impl->req~rtos-images~1] */
#include "arm_layout.h"
#include "arm_plan.h"

uint32_t arm_plan_gic_map(const struct arm_plan_host *host, bool is_direct, uint32_t nr_vcpus,
                          struct arm_gic_map *out)
{
    /* where nothing translates guests are built for the board */
    const bool direct = is_direct || (CONFIG_MPU != 0);
    const bool is_v3 = (host->gic_version == 3u);
    uint64_t room = is_v3 ? ARM_GUEST_VCPUS_MAX_GICV3 : ARM_GUEST_VCPUS_MAX_GICV2;

    out->stride = (direct && (host->gicr_stride != 0u)) ? host->gicr_stride : ARM_GUEST_GICR_FRAME_BYTES;
    out->range[0].base = direct ? host->gicd.base : ARM_GUEST_GICD_BASE;
    out->range[0].bytes = is_v3 ? ARM_GUEST_GICD3_BYTES : ARM_GUEST_GICD2_BYTES;
    out->range[1].base = is_v3 ? ARM_GUEST_GICR_BASE : ARM_GUEST_GICC_BASE;
    out->range[1].bytes = is_v3 ? ARM_GUEST_GICR_BYTES : ARM_GUEST_GICC_BYTES;
    out->nr_ranges = 2u;
    if (direct && is_v3) {
        uint64_t frames = 0;

        out->nr_ranges = 1u;
        for (uint32_t i = 0; (i < host->nr_gicr) && (frames < nr_vcpus); i++) {
            out->range[1u + i] = host->gicr[i];
            out->nr_ranges++;
            frames += host->gicr[i].bytes / out->stride;
        }
        room = bits_min(room, frames);
    } else if (direct) {
        out->range[1].base = host->gicc.base;
    } else {
        /* as guests know it */
    }
    return (uint32_t)room;
}
