/* What the scheduler's own files share: what each CPU is doing. Private to sched/. */
#ifndef SCHED_SCHED_CORE_H
#define SCHED_SCHED_CORE_H

#include "abi/xen_control.h"
#include "base/percpu.h"
#include "hal/sync.h"
#include "sched/sched.h"
#include "sched/work.h"

enum sched_runs { SCHED_RUNS_IDLE, SCHED_RUNS_WORKER, SCHED_RUNS_VCPU };
/* What the current vCPU asked for since it was left. */
enum sched_ask { SCHED_ASK_NONE, SCHED_ASK_BLOCK, SCHED_ASK_YIELD };

struct sched_cpu {
    volatile uint32_t requested; /* somebody wants this CPU to choose again */
    volatile uint32_t started;   /* it is in the scheduler */
    enum sched_ask ask;          /* this CPU only */
    /* under sched_lock */
    enum sched_runs runs;
    bool woken;            /* a vCPU wants the CPU at once: the worker gives way */
    struct vcpu *vcpu;     /* current one or NULL; only this CPU changes it */
    uint64_t work_due_ns;  /* when the worker gets the CPU if it did not have its slice by then; 0: no work */
    uint64_t work_ran_ns;  /* what it had of that slice before it got the CPU last */
    uint64_t rest_from_ns; /* when it got the CPU, or the CPU became idle */
    bool work_cut;         /* a vCPU that was woken took that slice from it: the next one is the worker's */
    uint64_t idle_ns;      /* it had nothing to do, up to when it became idle last */
    uint64_t turn_end_ns;  /* what the timer below is armed with */
    struct timer turn;
};

extern struct sched_cpu sched_cpus[HV_CPUS_MAX];
extern struct spinlock sched_lock;
extern const struct sched_policy *sched_policy;
/* Bit sets of CPUs, under sched_lock. A CPU that was asked to look at a vCPU no longer counts as idle. */
extern uint64_t sched_set_started;
extern uint64_t sched_set_idle;
extern uint64_t sched_set_worker;

/* Lock held. A vCPU wants this CPU now. */
void sched_poke(cpuid_t cpu);
/* Takes vcpu->on_cpu. False: its state is still in a CPU or being changed; who has it knows that it is
 * wanted. */
bool sched_claim(struct vcpu *vcpu);
/* Gives it back; if it was wanted meanwhile and waits on the queue, a CPU looks again. No lock held.
 * preempted: this CPU knew that it waits and chose something else. */
void sched_unclaim(struct vcpu *vcpu, bool preempted);

#endif
