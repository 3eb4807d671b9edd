/* A whole schedule of arinc653, set and told at once as tools have it. */
#ifndef SCHED_MAJOR_H
#define SCHED_MAJOR_H

#include "sched/params.h"

struct major {
    uint64_t ns;
    uint32_t nr;
    struct sched_minor minor[SCHED_MINORS];
};

static inline enum hv_status major_set(uint32_t pool, const struct major *major)
{
    uint32_t ticket = 0;
    enum hv_status status = sched_major_begin(pool, major->ns, major->nr, &ticket);
    bool done = false;

    for (uint32_t left = major->nr; (left > 0u) && (status == HV_OK); left--) {
        status = sched_major_add(ticket, &major->minor[left - 1u]);
    }
    while ((status == HV_OK) && !done) {
        status = sched_major_give(ticket, &done);
    }
    for (uint32_t i = 0; (i < major->nr) && (status == HV_OK); i++) {
        sched_minor_fill(&major->minor[i]);
    }
    return status;
}

/* HV_LIMIT: it has more entries than that */
static inline enum hv_status major_get(uint32_t pool, struct major *major)
{
    struct sched_minors told = { .nr = 1u };
    enum hv_status status = HV_OK;

    (void)__builtin_memset(major, 0, sizeof(*major));
    for (uint32_t i = 0; (i < told.nr) && (status == HV_OK); i++) {
        if ((i % SCHED_MINORS_TOLD) == 0u) {
            status = sched_major_get(pool, i, &told);
            major->ns = told.major_ns;
            major->nr = told.nr;
        }
        if (i == SCHED_MINORS) {
            status = HV_LIMIT;
        } else if (i < told.nr) {
            major->minor[i] = told.minor[i % SCHED_MINORS_TOLD];
        }
    }
    return status;
}

#endif
