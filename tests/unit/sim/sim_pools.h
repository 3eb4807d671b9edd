/* Cpupools as a control domain's tools make and change them. Included by one file of a program. */
#ifndef SIM_POOLS_H
#define SIM_POOLS_H

#include "sim_tools.h"

#include "sched/sched.h"

/* clang-format off */
#define POOLS BOARD("credit2") " bulkhead,spare-domains = <1 2 512>;" DOMAIN("1", "1", ROLES("5")) \
    DOMAIN("2", "2", STORED("")) DOMAIN("3", "1", STORED(" = \"legacy\"")) BOARD_END
/* clang-format on */

#define CREATE  1u
#define DROP    2u
#define INFO_OF 3u
#define ADD     4u
#define REMOVE  5u
#define MOVE    6u
#define FREE    7u
#define ANY     UINT32_MAX
#define PUT     0u
#define GET     1u
#define PUT_OF  2u
#define GET_OF  3u

static inline int64_t make(uint32_t id, uint32_t sched, uint32_t *made)
{
    struct xen_sysctl arg = { .u.cpupool = { .op = CREATE, .cpupool_id = id, .sched_id = sched } };
    const int64_t result = sysctl_call(vcpus[0], 18u, &arg);

    *made = arg.u.cpupool.cpupool_id;
    return result;
}

static inline int64_t of_cpu(uint32_t what, uint32_t id, uint32_t cpu)
{
    struct xen_sysctl arg = { .u.cpupool = { .op = what, .cpupool_id = id, .cpu = cpu } };

    return sysctl_call(vcpus[0], 18u, &arg);
}

static inline int64_t drop(uint32_t id)
{
    return of_cpu(DROP, id, 0u);
}

static inline int64_t move(uint32_t domid, uint32_t id)
{
    struct xen_sysctl arg = { .u.cpupool = { .op = MOVE, .cpupool_id = id, .domid = domid } };

    return sysctl_call(vcpus[0], 18u, &arg);
}

/* A pool of one CPU that pool 0 had */
static inline uint32_t pool_of(uint32_t sched, uint32_t cpu)
{
    uint32_t id = 0u;

    MUST(make(ANY, sched, &id) == 0);
    MUST(of_cpu(REMOVE, 0u, cpu) == 0);
    MUST(of_cpu(ADD, id, cpu) == 0);
    return id;
}

#endif
