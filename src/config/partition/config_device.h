/* A partial tree while it is read. Private to config/partition. */
#ifndef CONFIG_PARTITION_CONFIG_DEVICE_H
#define CONFIG_PARTITION_CONFIG_DEVICE_H

#include "config/config_maker.h"

struct config_partial {
    struct config_maker *m; /* m->ix is the host's tree */
    struct plan_domain *d;
    const struct dt_index *ix; /* the partial tree: nodes in sentences are its own ... */
    const char *within;        /* ... and this goes before their paths */
    uint32_t devices;          /* /passthrough */
    uint32_t gic;              /* the placeholder; DT_NONE: there is none */
};

/* The number of the domain in the plan */
static inline uint8_t config_partial_domain(const struct config_partial *p)
{
    return (uint8_t)plan_index(p->m->plan, p->d->domid);
}

/* Whether the guest's tree does not get this property of a node below /passthrough. */
bool config_device_own(const char *property);
/* Gives what one node names: registers, interrupts, streams. */
void config_device_make(struct config_partial *p, uint32_t node);

#endif
