#ifndef GUEST_RANDOM_H
#define GUEST_RANDOM_H

#include "gic.h"
#include "guest.h"

/* What the vectors set again. The order is theirs. */
struct random_keep {
    uint64_t mair;
    uint64_t tcr;
    uint64_t ttbr0;
    uint64_t sctlr;
};

/* What a piece of random code begins with; likewise. */
struct random_start {
    uint64_t x[31];
    uint64_t sp;
    uint64_t sp_el0;
    uint64_t pc;
    uint64_t state;
};

extern struct random_keep random_keep;
extern uint64_t level1[512]; /* the library's translation table */

_Noreturn void random_enter(const struct random_start *start);
/* Called by the vectors */
_Noreturn void random_trap(uint64_t kind);

#endif
