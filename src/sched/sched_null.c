/* Each vCPU has a CPU of its own: no queue, no turns, and a guest that waits may keep the CPU. */
/* [impl->req~null-pinned~1] */
#include "sched/sched_core.h"

static struct vcpu *null_vcpu[HV_CPUS_MAX];

/* The lowest free CPU it may run on; one without long work if there is any, so that a guest that starts now
 * is not disturbed by the building of the next one. */
static enum hv_status null_find(struct vcpu *vcpu, uint64_t allowed)
{
    cpuid_t best = HV_CPUS_MAX;
    bool best_works = true;

    for (cpuid_t cpu = 0; cpu < HV_CPUS_MAX; cpu++) {
        if (((allowed & BIT64(cpu)) != 0u) && (null_vcpu[cpu] == NULL)) {
            const bool works = work_pending(cpu);

            if ((best == HV_CPUS_MAX) || (best_works && !works)) {
                best = cpu;
                best_works = works;
            }
        }
    }
    if (best == HV_CPUS_MAX) {
        return HV_LIMIT;
    }
    null_vcpu[best] = vcpu;
    vcpu->home = best;
    return HV_OK;
}

static enum hv_status null_add(struct vcpu *vcpu)
{
    const enum hv_status status = null_find(vcpu, vcpu->affinity & percpu_online());

    vcpu->cpu = vcpu->home;
    return status;
}

static void null_remove(struct vcpu *vcpu)
{
    if (null_vcpu[vcpu->home] == vcpu) {
        null_vcpu[vcpu->home] = NULL;
    }
}

/* Its CPU, if that is among them, or one that is free. */
static enum hv_status null_move(struct vcpu *vcpu, uint64_t allowed)
{
    const cpuid_t before = vcpu->home;
    enum hv_status status = HV_OK;

    if (null_vcpu[before] != vcpu) {
        status = HV_BUSY;
    } else if ((allowed & BIT64(before)) == 0u) {
        status = (null_find(vcpu, allowed) == HV_OK) ? HV_OK : HV_BUSY;
        if (status == HV_OK) {
            null_vcpu[before] = NULL;
        }
    } else {
        /* it stays */
    }
    return status;
}

/* vcpu->queued says it all */
static void null_queue(struct vcpu *vcpu)
{
    (void)vcpu;
}

static cpuid_t null_place(const struct vcpu *vcpu)
{
    return vcpu->home;
}

static struct vcpu *null_pick(cpuid_t cpu, uint64_t now_ns)
{
    struct vcpu *vcpu = null_vcpu[cpu];

    (void)now_ns;
    if ((vcpu == NULL) || !vcpu->queued || !sched_claim(vcpu)) {
        vcpu = NULL;
    }
    return vcpu;
}

static uint64_t null_turn_end(cpuid_t cpu, const struct vcpu *running)
{
    (void)cpu;
    (void)running;
    return TIME_NEVER;
}

const struct sched_policy sched_null = {
    .name = "null",
    .add = null_add,
    .remove = null_remove,
    .move = null_move,
    .enqueue = null_queue,
    .dequeue = null_queue,
    .place = null_place,
    .pick = null_pick,
    .turn_end = null_turn_end,
    .wait_in_guest = true,
    .abi_id = XEN_SCHEDULER_NULL,
};
