/* A CPU stops for good and the others go on. */
/* [impl->req~on-panic~1] */
#include "sched/cpupool_core.h"

const char *sched_leave(void)
{
    const cpuid_t cpu = cpu_id();
    const uint64_t others = percpu_online() & ~BIT64(cpu);

    if (others == 0u) {
        return "there is no other CPU";
    }
    if ((sched_cpus[cpu].started == 0u) || (sched_cpus[cpu].runs == SCHED_RUNS_WORKER) || !work_leave(cpu)) {
        return "it is in the middle of work";
    }
    sched_pool_lose_cpu(cpu);
    for (cpuid_t other = 0; other < HV_CPUS_MAX; other++) {
        sched_request(other); /* a vCPU on the queue may have been left to this one */
    }
    return NULL;
}
