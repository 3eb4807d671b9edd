/* Schedulers and cpupools, while the plan is made. Private to config/sched/; what others need is in
 * config_maker.h. */
#ifndef CONFIG_SCHED_CONFIG_SCHED_H
#define CONFIG_SCHED_CONFIG_SCHED_H

#include "config/config_maker.h"

#define CONFIG_WINDOWS  "bulkhead,windows"
#define CONFIG_AFFINITY "hard-affinity"

/* -- config_pool.c -- */
/* What pools' nodes say has to suit their policies, which are known now. */
void config_pools_settle(struct config_maker *m);
/* A fault about a property that the policy of a pool does not know; `knows`: which do */
void config_unknown_to(struct config_maker *m, uint32_t node, const char *prop, enum plan_sched sched,
                       const char *knows);

/* -- config_params.c -- */
/* weight, cap, period and budget of a domain and its vCPUs. Leaves each vCPU's node in m->vcpu_node. */
void config_params_make(struct config_maker *m, uint32_t domain);
/* Whether rtds pools that are to admit no more than their CPUs can give do so */
void config_admission_check(struct config_maker *m);

/* -- config_windows.c -- */
/* When vCPUs of an arinc653 pool run; after config_params_make() of the same domain */
void config_windows_make(struct config_maker *m, uint32_t domain);

#endif
