/* DMA streams of devices that domains have. Private to config/. */
#ifndef CONFIG_PARTITION_CONFIG_STREAM_H
#define CONFIG_PARTITION_CONFIG_STREAM_H

#include "config/config_maker.h"

/* Gives all streams that the host's device `node` names with `iommus` to a domain (index). Answers how many
 * entries it has: 0 = there is no such property, an IOMMU does not hold this device. What is wrong is a fault
 * at that property. */
uint32_t config_stream_device(struct config_maker *m, uint32_t node, uint8_t domain);

/* The same for requester ids rid .. rid + nr - 1 (all below 65536) of the PCI host bridge `node`, by its
 * `iommu-map`. Ids that no entry covers are a fault. */
uint32_t config_stream_pci(struct config_maker *m, uint32_t node, uint32_t rid, uint32_t nr, uint8_t domain);

#endif
