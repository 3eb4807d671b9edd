/* What is where in a domain's guest addresses, by the plan. Pure. */
#ifndef CONFIG_PARTITION_LAYOUT_H
#define CONFIG_PARTITION_LAYOUT_H

#include "config/dtindex.h"
#include "config/plan.h"

struct layout_uart {
    gpa_t base;
    uint32_t irq; /* INTID */
};

/* Bank i of its memory, guest physical. False: it has fewer. */
bool layout_bank(const struct plan *plan, const struct plan_domain *d, uint32_t i, struct range *out);

/* Its vpl011, if it has one */
struct layout_uart layout_uart(const struct plan *plan, const struct plan_domain *d);

/* Whether the domain's emulated devices have any of a range of its addresses. */
bool layout_device(const struct plan *plan, const struct plan_domain *d, const struct range *r);

/* What is to be expected of such a range when the domain has any of it already: as its memory, an emulated
 * device, shared memory or a device, or when it is beyond the memory map. NULL: it is free. self: the plan's
 * shm_use or window that is to lie there, if it is in the plan by now. */
const char *layout_meets(const struct plan *plan, const struct plan_domain *d, const struct range *r,
                         const void *self);

/* Bytes that its translation tables need more than those of memory in large aligned pieces; page multiple. */
uint64_t layout_pool_bytes(const struct plan *plan, const struct plan_domain *d);

#endif
