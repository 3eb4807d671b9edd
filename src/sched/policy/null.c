/* Each vCPU has a CPU of its own: no queue, no turns, and a guest that waits may keep the CPU. Those for
 * whom there is none wait until one becomes free, or the vCPU that has it goes off (cpupool.c). */
/* [impl->req~null-pinned~1] */
#include "sched/sched_core.h"

static bool null_before(const struct sched_unit *unit, const struct vcpu *waits, const struct vcpu *runs,
                        uint64_t now_ns)
{
    (void)unit;
    (void)waits;
    (void)runs;
    (void)now_ns;
    return false;
}

static uint64_t null_turn_end(struct sched_unit *unit, cpuid_t cpu, struct vcpu *vcpu,
                              const struct vcpu *waits, uint64_t now_ns)
{
    (void)unit;
    (void)cpu;
    (void)vcpu;
    (void)waits;
    (void)now_ns;
    return TIME_NEVER;
}

const struct sched_policy sched_null = {
    .name = "null",
    .abi_id = XEN_SCHEDULER_NULL,
    .unit_cpus = 1,
    .single = true,
    .wait_in_guest = true,
    .before = null_before,
    .turn_end = null_turn_end,
};
