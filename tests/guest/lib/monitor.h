/* Bulkhead's calls by which domains report and watch each other (SMCCC, vendor service of the hypervisor). */
#ifndef GUEST_MONITOR_H
#define GUEST_MONITOR_H

#include "guest.h"

/* What the guard grants a neighbour that it may share with: a page to read, and one to write */
#define GUARD_REF_READ  8u
#define GUARD_REF_WRITE 9u

enum domain_state {
    DOMAIN_NEW,
    DOMAIN_BUILDING,
    DOMAIN_RUNNING,
    DOMAIN_STOPPING,
    DOMAIN_STOPPED,
    DOMAIN_CRASHED,
    DOMAIN_FAILED
};

struct domain_status {
    uint64_t state; /* enum domain_state */
    uint64_t restarts;
    uint64_t progress;
};

static inline void domain_report(uint64_t progress)
{
    (void)firmware_call(DOMAIN_REPORT, progress, 0u, 0u);
}

/* false: there is no such domain, or this one may not ask */
static inline bool domain_status(uint64_t domid, struct domain_status *status)
{
    const struct firmware_result result = firmware_hvc(DOMAIN_STATUS, domid, 0u, 0u);

    status->state = result.x[1];
    status->restarts = result.x[2];
    status->progress = result.x[3];
    return result.x[0] == 0u;
}

#endif
