/* Physical interrupts that domains have. Private to config/. */
#ifndef CONFIG_PARTITION_CONFIG_LINE_H
#define CONFIG_PARTITION_CONFIG_LINE_H

#include "config/config_maker.h"

/* Whether the domain's vpl011 or watchdog has this number. */
bool config_line_is_emulated(const struct plan *plan, const struct plan_domain *d, uint32_t virq);

/* The interrupt becomes its domain's, which has as many as that needs. A fault, of `found` at this property,
 * if it is the hypervisor's or another domain's, or the domain has another at this virq. Once more the same
 * is fine: devices of one domain may share it. */
void config_line_take(struct config_maker *m, uint32_t node, const char *prop, const char *found,
                      const struct plan_line *want);

#endif
