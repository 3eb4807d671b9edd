/* What a static profile may be built without (make STATIC=1 PARTS=...), as a set for the tool; all other
 * builds have all. build/arm64.mk has the files of each; what names one stands behind
 * `if (CONFIG_<part> != 0)`. */
#ifndef LIB_PARTS_H
#define LIB_PARTS_H

#define PART_LINKS    1u  /* hypercalls, event channels, shared memory */
#define PART_DEVICES  2u  /* registers and interrupts of the host's devices, partial trees */
#define PART_IOMMU    4u  /* DMA streams */
#define PART_PCI      8u  /* functions of PCI devices on a bus of the domain */
#define PART_WATCHDOG 16u /* domains' watchdogs */
#define PART_REPORT   32u /* the partitioning in force, told after boot */
#define PART_CONTROL  64u /* a dom0, domains with a role */

#define PARTS_OF_BUILD                                                                                       \
    (((uint32_t)CONFIG_LINKS * PART_LINKS) + ((uint32_t)CONFIG_DEVICES * PART_DEVICES) +                     \
     ((uint32_t)CONFIG_IOMMU * PART_IOMMU) + ((uint32_t)CONFIG_PCI * PART_PCI) +                             \
     ((uint32_t)CONFIG_WATCHDOG * PART_WATCHDOG) + ((uint32_t)CONFIG_REPORT * PART_REPORT) +                 \
     ((uint32_t)CONFIG_CONTROL * PART_CONTROL))

#endif
