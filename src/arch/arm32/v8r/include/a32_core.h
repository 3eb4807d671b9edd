/* [impl->req~core-registers~1] */
/* The processor's own registers and its counters as guests of Armv8-R see them. Who writes for this core
 * reads and pokes them at start: nothing of them is undefined, and none of the accesses reaches the hardware,
 * where these registers move TCMs over memory, divide the caches and count for other domains (Cortex-R52 TRM
 * 3.3). */
#ifndef A32_CORE_H
#define A32_CORE_H

#include "arm_vcpu.h"

#define CORE_CBAR          ARM_SYSREG(3u, 1u, 15u, 3u, 0u)
#define CORE_PMCCNTR       ARM_SYSREG(3u, 0u, 9u, 13u, 0u)
#define CORE_CRN(encoding) (((encoding) >> 10u) & 15u)

/* CRn 9: TCM regions, cache segregation, PMU; 11: the slave port; 15: all others. Those of EL2 do not
 * trap. */
static inline bool a32_core_is(uint32_t encoding)
{
    const uint32_t op = encoding & ARM_SYSREG(3u, 4u, 0u, 0u, 0u);
    const uint32_t crn = CORE_CRN(encoding);

    return (op == ARM_SYSREG(3u, 0u, 0u, 0u, 0u)) && ((crn == 9u) || (crn == 11u) || (crn == 15u));
}

/* IMP_CBAR tells where the GIC is, the guest's. The cycle counter moves, or loops that wait for it would not
 * end; it counts as the generic timer does. */
static inline uint64_t a32_core_read(uint32_t encoding, uint64_t gicd, uint64_t now)
{
    uint64_t value = 0u;

    if (encoding == CORE_CBAR) {
        value = gicd;
    } else if (encoding == CORE_PMCCNTR) {
        value = now & UINT32_MAX;
    } else {
        value = 0u;
    }
    return value;
}

#endif
