/* What the scheduler's own files share: what each CPU is doing, units, policies. Private to sched/. */
#ifndef SCHED_SCHED_CORE_H
#define SCHED_SCHED_CORE_H

#include "abi/xen_control.h"
#include "base/percpu.h"
#include "hal/sync.h"
#include "hal/timer.h"
#include "sched/params.h"
#include "sched/sched.h"
#include "sched/work.h"

struct sched_policy;
struct sched_pool;

/* CPUs that choose from one queue. Which vCPUs are here, their states and what they are owed is under the
 * lock, as is what its CPUs do. A unit without CPUs is where those of a pool wait for whom there is no
 * place. */
struct sched_unit {
    struct spinlock lock;              /* LOCK_SCHED */
    const struct sched_policy *policy; /* this and pool: fixed while there is a vCPU or CPU */
    struct sched_pool *pool;
    uint64_t cpus; /* that may take vCPUs of it. What follows are subsets */
    uint64_t idle; /* one that was asked to look at a vCPU no longer counts as such */
    uint64_t worker;
    struct queue ready;   /* vCPUs that wait for a CPU; masks are the CPUs they may run on */
    uint64_t weight;      /* sum of theirs, each what it was when it went in */
    struct queue later;   /* vCPUs at whom the policy is to look at a time, masks ~0 */
    struct timer timer;   /* armed for the first of those */
    uint32_t nr_vcpus;    /* joined */
    uint64_t now_ns;      /* credit, credit2: virtual time of the one that was chosen last; never goes back */
    uint64_t balanced_ns; /* when it was compared with the pool's other units last */
    struct sched_frame *frame; /* arinc653: its windows; NULL: none */
    /* under the pools' lock */
    volatile uint64_t members; /* CPUs that are here or on their way */
    uint32_t nr_places;        /* vCPUs likewise */
    uint32_t index;            /* in sched_units; SCHED_NO_INDEX: it is none of them. Fixed */
};

/* What a policy implements, under its unit's lock. now_ns is one look at the clock a decision. Each is
 * bounded by O(log n) of the unit's vCPUs. Where NULL is allowed, it says what happens then. */
struct sched_policy {
    const char *name;
    uint32_t abi_id;    /* XEN_SCHEDULER_ */
    uint32_t unit_cpus; /* a unit has at most so many */
    bool single;        /* a unit has at most one vCPU */
    bool wait_in_guest; /* a vCPU that waits may keep the CPU, so that waiting need not trap */
    bool net;           /* what it takes to get to a vCPU is charged to nobody */
    bool windows;       /* nobody but its vCPU has a CPU in a window: the worker takes only what is over */
    /* vCPU becomes one of the unit's; it is not queued. NULL: nothing to do */
    void (*join)(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns);
    void (*leave)(struct sched_unit *unit, struct vcpu *vcpu);
    /* It wants a CPU, woken, or after its parameters changed: sets ready.rank and .key; or parked and, with
     * sched_at(), when it is looked at again. NULL: all alike */
    void (*wake)(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns);
    /* It ran (RUNNING, not queued) for ran_ns up to now: sets these likewise. NULL: that does not matter */
    void (*charge)(struct sched_unit *unit, struct vcpu *vcpu, uint64_t ran_ns, uint64_t now_ns);
    /* The time of sched_at() has come: sets these likewise (parked may end). vCPU is in no queue while
     * this runs, whatever vcpu->queued says. NULL if it uses none */
    void (*look)(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns);
    /* May `waits`, which is ready, take the CPU from `runs`, which was charged and would go on? */
    bool (*before)(const struct sched_unit *unit, const struct vcpu *waits, const struct vcpu *runs,
                   uint64_t now_ns);
    /* A turn of vcpu begins, or goes on after it gave none away: until when at most (TIME_NEVER). waits:
     * the first that waits for this CPU, or NULL */
    uint64_t (*turn_end)(struct sched_unit *unit, cpuid_t cpu, struct vcpu *vcpu, const struct vcpu *waits,
                         uint64_t now_ns);
    /* Instead of the first of the queue: who should have this CPU now, queued or not, or NULL; *until_ns:
     * until when that holds. NULL: the queue */
    struct vcpu *(*window)(struct sched_unit *unit, cpuid_t cpu, uint64_t now_ns, uint64_t *until_ns);
};

extern const struct sched_policy sched_null;
extern const struct sched_policy sched_credit;
extern const struct sched_policy sched_credit2;
extern const struct sched_policy sched_rtds;
extern const struct sched_policy sched_arinc653;

#define SCHED_NO_INDEX UINT32_MAX

enum sched_runs { SCHED_RUNS_IDLE, SCHED_RUNS_WORKER, SCHED_RUNS_VCPU };
/* What the current vCPU asked for since it was left. */
enum sched_ask { SCHED_ASK_NONE, SCHED_ASK_BLOCK, SCHED_ASK_YIELD };

struct sched_cpu {
    volatile uint32_t requested;      /* somebody wants this CPU to choose again */
    volatile uint32_t started;        /* it is in the scheduler */
    enum sched_ask ask;               /* this CPU only */
    struct sched_unit *volatile unit; /* whose vCPUs it runs; only this CPU changes it */
    struct sched_unit *volatile goes; /* ... and is to run; under the pools' lock */
    /* under the unit's lock */
    volatile enum sched_runs runs;
    bool woken;            /* a vCPU wants the CPU at once: the worker gives way */
    struct vcpu *vcpu;     /* current one or NULL; only this CPU changes it */
    uint64_t work_due_ns;  /* when the worker gets the CPU if it did not have its slice by then; 0: no work */
    uint64_t work_ran_ns;  /* what it had of that slice before it got the CPU last */
    uint64_t rest_from_ns; /* when it got the CPU, or the CPU became idle */
    bool work_cut;         /* a vCPU that was woken took that slice from it: the next one is the worker's */
    uint64_t idle_ns;      /* it had nothing to do, up to when it became idle last */
    uint64_t entered_ns;   /* when the vCPU got it after all that a switch takes, 0: not net; this CPU only */
    uint64_t turn_end_ns;  /* what the timer below is armed with */
    struct timer turn;
};

extern struct sched_cpu sched_cpus[HV_CPUS_MAX];

/* The lock of the unit that the vCPU is in; flags for spin_unlock(). Tries again only after somebody moved
 * the vCPU. The vCPU was added. */
struct sched_unit *sched_lock_unit(const struct vcpu *vcpu, uint64_t *flags);

/* Unit's lock held. A vCPU wants this CPU now. */
void sched_poke(struct sched_unit *unit, cpuid_t cpu);
/* Takes vcpu->on_cpu. False: its state is still in a CPU or being changed; who has it knows that it is
 * wanted. */
bool sched_claim(struct vcpu *vcpu);
/* Gives it back; if it was wanted meanwhile it goes where it is to be, and a CPU looks at it again. No
 * unit's lock held. preempted: this CPU knew that it waits and chose something else. */
void sched_unclaim(struct vcpu *vcpu, bool preempted);

/* Unit's lock held, for policies: vCPU, which is not in unit->later, is looked at then / no more. Who
 * takes it off may put it there again. */
void sched_at(struct sched_unit *unit, struct vcpu *vcpu, uint64_t at_ns);
void sched_at_no_more(struct sched_unit *unit, struct vcpu *vcpu);
/* Unit's lock held. On the queue / and a CPU is asked to look / off it. */
void sched_queue(struct sched_unit *unit, struct vcpu *vcpu);
void sched_enqueue(struct sched_unit *unit, struct vcpu *vcpu);
void sched_dequeue(struct sched_unit *unit, struct vcpu *vcpu);
/* Unit's lock held. The first vCPU whose time has come is looked at; more have the timer come again at
 * once. */
void sched_look(struct sched_unit *unit, uint64_t now_ns);
/* Unit's lock held. The unit's timer is armed for them, by one of its own CPUs, so that no other pays for
 * it. */
void sched_later(struct sched_unit *unit);
void sched_later_fire(struct timer *timer);
/* Unit's lock held. The CPU that should look at a vCPU of the queue; HV_CPUS_MAX: there is none */
cpuid_t sched_place(struct sched_unit *unit, const struct vcpu *vcpu);

/* admit.c. What rtds promises a vCPU from its next period on, valid and not refused; no lock of LOCK_POOL
 * or above held. And whether the pool can promise its own domains and this one, which may be one of them,
 * what these have; pools' lock held. */
void sched_rt_keep(struct vcpu *vcpu, const struct sched_rt *rt);
HV_MUST_CHECK bool sched_rt_admits(const struct sched_pool *pool, const struct domain *domain);

/* arinc653.c. The unit of a CPU that begins, which no other knows yet, has the plan's windows for it. */
void sched_frame_plan(struct sched_unit *unit, const struct plan *plan, cpuid_t cpu);
/* Pools' lock held: the unit is nobody's, and has no windows any more. */
void sched_frame_drop(struct sched_unit *unit);

static inline struct vcpu *sched_vcpu_ready(struct queue_node *node)
{
    return (struct vcpu *)(void *)((uint8_t *)(void *)node - offsetof(struct vcpu, sched.ready));
}

static inline struct vcpu *sched_vcpu_later(struct queue_node *node)
{
    return (struct vcpu *)(void *)((uint8_t *)(void *)node - offsetof(struct vcpu, sched.later));
}

/* cpupool.c: finds vCPU its unit within its pool, by its affinity, and sends it there; any context, no unit's
 * lock held. */
void sched_pool_settle(struct vcpu *vcpu);

#endif
