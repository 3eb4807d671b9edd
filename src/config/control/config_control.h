/* Domains that are more than plain ones, while the plan is made. Private to config/. */
#ifndef CONFIG_CONTROL_CONFIG_CONTROL_H
#define CONFIG_CONTROL_CONFIG_CONTROL_H

#include "config/config_maker.h"

/* Are there modules directly below /chosen? */
bool config_dom0_has(const struct config_maker *m);
/* What Xen calls dom0, from /chosen; defaults are filled in. */
void config_dom0_make(struct config_maker *m, struct plan_domain *d);
/* Roles that only one may have, and what does not go with them. */
void config_role_check(struct config_maker *m, struct plan_domain *d, uint32_t node);
/* Host RAM that nothing else has becomes the memory of a hardware domain, when all other domains are
 * known. */
void config_control_memory(struct config_maker *m, struct plan_domain *d, uint32_t node);
/* ... and so do the devices that nobody else has. */
void config_rest_make(struct config_maker *m, struct plan_domain *d);
/* Devices marked xen,passthrough that nobody has, when it is known who is unsound. */
void config_offers_make(struct config_maker *m);
/* config_pv.c: the disks and network cards that this domain has from others; all domains are known. */
void config_pv_make(struct config_maker *m, uint32_t domain);
/* ... where backends may map what is others' (Xen's extended regions), if addresses are translated. */
void config_regions_make(struct plan *plan);
/* config_template.c: bulkhead,uuid of a domain, and what a template needs of all. */
void config_take_uuid(struct config_target *t, const struct config_rule *rule, const struct dt_value *v);
void config_template_check(struct config_maker *m, uint32_t domain);
/* bulkhead,share-with, and what xen,enhanced needs, when all domains are known. */
void config_share_make(struct config_maker *m);

/* /chosen's bulkhead,spare-domains: the places for domains that a control domain makes. */
void config_take_spares(struct config_target *t, const struct config_rule *rule, const struct dt_value *v);
#define CONFIG_SPARES_EXPECTED                                                                               \
    "a number, vCPUs of each (at most 128) and KiB for the tables of each (64 to 1048576)"
/* What is needed of `left` bytes of the host's memory; as much as there is of it, if the tree does not
 * say. */
void config_spares_make(struct config_maker *m, uint64_t left);

#endif
