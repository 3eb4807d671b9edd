/* Physical interrupts that domains have. Private to config/. */
#ifndef CONFIG_PARTITION_CONFIG_LINE_H
#define CONFIG_PARTITION_CONFIG_LINE_H

#include "config/config_maker.h"

/* The interrupt becomes its domain's. False and a fault, of `found` at this property, if it is the
 * hypervisor's or another domain's, or the domain has another at this virq. Once more the same is fine:
 * devices of one domain may share it. */
bool config_line_take(struct config_maker *m, uint32_t node, const char *prop, const char *found,
                      const struct plan_line *want);

#endif
