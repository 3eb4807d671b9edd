/* Round robin: one queue, first come first served among those that may run on a CPU; a turn lasts
 * SCHED_SLICE_NS when others wait. Whoever's turn is over goes to the end, so each vCPU waits at most one
 * turn of each vCPU before it for every CPU it may use. Walks are bounded by the vCPUs that the configuration
 * makes. */
/* [impl->req~rr-fair~1] */
#include "sched/sched_core.h"

static struct vcpu *rr_first;

/* The lowest CPU of a set that is not empty. */
static cpuid_t first_of(uint64_t set)
{
    return (cpuid_t)__builtin_ctzll(set);
}

static enum hv_status rr_add(struct vcpu *vcpu)
{
    const uint64_t allowed = vcpu->affinity & percpu_online();

    if (allowed == 0u) {
        return HV_LIMIT;
    }
    vcpu->cpu = first_of(allowed);
    vcpu->run_next = NULL;
    return HV_OK;
}

static void rr_remove(struct vcpu *vcpu)
{
    (void)vcpu;
}

static void rr_enqueue(struct vcpu *vcpu)
{
    struct vcpu **link = &rr_first;

    while (*link != NULL) {
        link = &(*link)->run_next;
    }
    vcpu->run_next = NULL;
    *link = vcpu;
}

static void rr_dequeue(struct vcpu *vcpu)
{
    struct vcpu **link = &rr_first;

    while ((*link != NULL) && (*link != vcpu)) {
        link = &(*link)->run_next;
    }
    if (*link == vcpu) {
        *link = vcpu->run_next;
        vcpu->run_next = NULL;
    }
}

static cpuid_t choose_from(uint64_t set, cpuid_t preferred)
{
    return ((set & BIT64(preferred)) != 0u) ? preferred : first_of(set);
}

/* An idle CPU, else one that does long work; of these one that it does not avoid, where it ran last if that
 * is among them. If all run vCPUs, those
 * that have had the CPU for themselves begin to count their turn. */
static cpuid_t rr_place(const struct vcpu *vcpu)
{
    const uint64_t allowed = vcpu->affinity & sched_set_started;
    uint64_t set = allowed & sched_set_idle;

    if (set == 0u) {
        set = allowed & sched_set_worker;
    }
    if (set == 0u) {
        set = allowed;
        for (uint64_t left = allowed; left != 0u; left &= left - 1u) {
            const cpuid_t cpu = first_of(left);

            if (sched_cpus[cpu].turn_end_ns == TIME_NEVER) {
                sched_request(cpu);
            }
        }
    }
    if ((vcpu->avoids != 0u) && ((set & ~vcpu->avoids) != 0u)) {
        set &= ~vcpu->avoids;
    }
    return (set != 0u) ? choose_from(set, vcpu->cpu) : vcpu->cpu;
}

/* The CPU took another vCPU than the one that it was asked for, as pinned ones make it do: if one is left
 * that an idle CPU could run, that CPU looks, and hands on in its turn. */
static void rr_hand_on(cpuid_t cpu)
{
    const uint64_t others = sched_set_idle & ~BIT64(cpu);
    const struct vcpu *vcpu = rr_first;

    while ((vcpu != NULL) && ((vcpu->affinity & others) == 0u)) {
        vcpu = vcpu->run_next;
    }
    if (vcpu != NULL) {
        sched_poke(first_of(vcpu->affinity & others));
    }
}

static struct vcpu *rr_pick(cpuid_t cpu, uint64_t now_ns)
{
    struct vcpu *vcpu = rr_first;

    while ((vcpu != NULL) && (((vcpu->affinity & BIT64(cpu)) == 0u) || !sched_claim(vcpu))) {
        vcpu = vcpu->run_next;
    }
    if (vcpu != NULL) {
        rr_dequeue(vcpu);
        vcpu->slice_end_ns = now_ns + SCHED_SLICE_NS;
        rr_hand_on(cpu);
    }
    return vcpu;
}

static uint64_t rr_turn_end(cpuid_t cpu, const struct vcpu *running)
{
    const struct vcpu *vcpu = rr_first;

    while ((vcpu != NULL) && ((vcpu->affinity & BIT64(cpu)) == 0u)) {
        vcpu = vcpu->run_next;
    }
    return (vcpu != NULL) ? running->slice_end_ns : TIME_NEVER;
}

const struct sched_policy sched_rr = {
    .name = "rr",
    .add = rr_add,
    .remove = rr_remove,
    .enqueue = rr_enqueue,
    .dequeue = rr_dequeue,
    .place = rr_place,
    .pick = rr_pick,
    .turn_end = rr_turn_end,
    .wait_in_guest = false,
    .abi_id = XEN_SCHEDULER_CREDIT,
};
