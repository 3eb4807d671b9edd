/* What a policy calls of the framework, for one that is compiled by itself. */
#ifndef TESTS_POLICY_ALONE_H
#define TESTS_POLICY_ALONE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "sched/cpupool_core.h"

#define US 1000ULL
#define MS 1000000ULL

uint64_t any(void);
/* from .. to, both may come */
uint64_t any_of(uint64_t from, uint64_t to);

extern struct sched_unit alone_unit;
extern struct sched_pool alone_pools[SCHED_POOLS_MAX];
extern struct domain alone_domains[HV_DOMAINS_MAX]; /* none is there */
extern uint64_t alone_now_ns;
extern uint64_t alone_asked; /* CPUs that are to choose again */
/* No domain, no pool. */
void alone_begin(void);

#endif
