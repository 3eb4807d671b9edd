/* A domain and its vCPUs. Made and unmade by build/, run by sched/. */
#ifndef DOMAIN_DOMAIN_H
#define DOMAIN_DOMAIN_H

#include "abi/xen.h"
#include "base/console.h"
#include "config/plan.h"
#include "hal/vcpu.h"
#include "lib/queue.h"
#include "mem/blocks.h"
#include "mem/pool.h"
#include "time/timer.h"

#define DOMAIN_CHUNKS_MAX  65u /* pieces of host RAM of a domain; one may be in two banks */
#define DOMAIN_MMIO_MAX    16u /* emulated windows */
#define DOMAIN_FAULTS_KEPT 8u
#define DOMAIN_FAULT_DMA   UINT32_MAX
#define DOMAIN_LINES_MAX   992u /* shared interrupts */
#define DOMAIN_PAUSES_MAX  254u /* of tools at a time, as in Xen */

enum domain_state {
    DOMAIN_NEW, /* planned, nothing built */
    DOMAIN_BUILDING,
    DOMAIN_RUNNING,  /* vCPUs may run, unless paused */
    DOMAIN_STOPPING, /* its vCPUs are being taken off the CPUs */
    DOMAIN_STOPPED,  /* it powered off, or was stopped by the operator; memory scrubbed */
    DOMAIN_CRASHED,  /* it could not go on */
    DOMAIN_FAILED    /* could not be built */
};

struct domain_chunk {
    gpa_t at;
    hpa_t to;
    uint64_t bytes;
};

/* One line of a domain's fault log: the same cause at the same address again only counts. Kept over
 * restarts. */
struct domain_fault {
    uint64_t first_ns;
    uint64_t last_ns;
    uint64_t cause;   /* the port's syndrome, 0 for a domain that was stopped */
    uint64_t address; /* guest physical, or the pc */
    uint64_t virtual;
    const char *what; /* constant text */
    uint32_t vcpu;    /* or DOMAIN_FAULT_DMA: a device of the domain; virtual is its stream then */
    uint32_t count;
    volatile bool tell; /* the log is to hear of it: sched/report.h */
};

struct domain;
struct vcpu;
struct evtchn_domain;
struct p2m;
struct grant_table;

/* An emulated device's registers. value is width bytes, zero-extended. Interrupts masked; false: no such
 * register at this width (an abort is injected, or the access ignored, by the domain's policy). offset < the
 * window's bytes. */
struct mmio_ops {
    bool (*read)(void *device, struct vcpu *vcpu, uint64_t offset, uint32_t width, uint64_t *value);
    bool (*write)(void *device, struct vcpu *vcpu, uint64_t offset, uint32_t width, uint64_t value);
};

struct mmio_window {
    gpa_t base;
    uint64_t bytes;
    const struct mmio_ops *ops;
    void *device;
};

enum vcpu_state {
    VCPU_OFF,      /* not powered on (PSCI) */
    VCPU_BLOCKED,  /* waits for an interrupt */
    VCPU_RUNNABLE, /* wants a CPU */
    VCPU_RUNNING   /* is current somewhere */
};

/* It waits for events without interrupt (SCHEDOP_poll): sched_poll() */
enum vcpu_poll { VCPU_POLL_NONE, VCPU_POLL_WAITS, VCPU_POLL_OVER };

/* A hypercall of it is one of several that it makes at once */
enum vcpu_multicall { VCPU_NO_MULTICALL, VCPU_IN_MULTICALL, VCPU_MULTICALL_AGAIN };

/* How long a vCPU ran and waited, for a guest that wants to know: sched/runstate.h */
struct vcpu_runstate {
    volatile uint64_t area; /* where it is told: host physical, + 1; 0: nobody asks */
    uint64_t time[4];       /* by RUNSTATE_; that it ran is in run_ns */
    uint64_t left_ns;       /* when it left its CPU; 0: it did not */
    uint64_t ready_ns;      /* when it was woken since */
    uint32_t left_as;       /* RUNSTATE_ */
};

struct sched_unit;

/* What the scheduler knows of a vCPU, under the lock of its unit: sched/sched_core.h */
struct vcpu_sched {
    struct sched_unit
        *volatile unit; /* where it is scheduled; NULL: it was not added. Changed by who has on_cpu */
    struct sched_unit *volatile goes; /* ... and where it is to be; under the pools' lock */
    bool joined;                      /* unit's policy knows it; not so on its way from one to another */
    uint64_t allowed;                 /* CPUs of its pool on which it may run */
    struct queue_node ready; /* (rank, key): how urgent it is. In unit->ready if queued and not parked */
    struct queue_node later; /* in unit->later if timed; key: when the policy looks at it again */
    uint32_t queued_weight;  /* what it counts for in unit->ready */
    bool timed;
    bool parked;          /* queued, but it has to wait until the policy looks at it again */
    uint64_t charged_ns;  /* what it ran before this is booked */
    uint64_t turn_ns;     /* when its turn began */
    uint64_t turn_end_ns; /* until when it may keep the CPU if none more urgent comes */
    /* credit, credit2 */
    int64_t lease_ns;        /* of its domain's cap it has so much in hand ... */
    uint64_t lease_until_ns; /* ... up to then */
    /* rtds */
    uint32_t period_us;
    uint32_t budget_us;
    bool extra;
    uint64_t deadline_ns; /* the end of its period */
    int64_t left_ns;      /* of its budget */
    uint32_t use; /* budget of period, as edf_share() has it: what it is promised. Under the pools' lock */
};

/* credit, credit2: what vCPUs of a domain share */
struct domain_sched {
    struct spinlock lock; /* LOCK_SHARE */
    uint32_t weight;      /* each vCPU's; 0: nothing was set yet */
    uint32_t cap;         /* % of one CPU, of all together; 0: none */
    int64_t left_ns;      /* of what the cap allows up to until_ns, that no vCPU has in hand */
    uint64_t until_ns;
    /* rtds, under the pools' lock: what its vCPUs are promised together, and the one that is promised most */
    uint64_t use_sum;
    uint64_t use_most;
};

struct vcpu {
    struct hal_vcpu hal; /* first: upcalls convert */
    struct domain *domain;
    uint32_t index;
    /* sched/: under its lock unless noted */
    volatile enum vcpu_state state; /* RUNNING -> BLOCKED by its CPU without the lock */
    volatile uint32_t wanted;       /* somebody could not take on_cpu: who gives it back finds a CPU */
    volatile uint32_t
        on_cpu;          /* 1 while its state lives in a CPU, or is changed by one; taken by compare-and-swap,
                                  cleared after saving, with release */
    bool queued;         /* its policy has it: RUNNABLE and not paused */
    bool stop_requested; /* CPU_OFF, or the domain stops: VCPU_OFF when it leaves its CPU */
    cpuid_t cpu;         /* where it runs or ran last */
    uint64_t affinity;   /* CPUs it may run on, never 0; if its pool has none of them, on all of these */
    uint64_t avoids;     /* those of them that it is woken on only if no other is idle */
    struct vcpu_sched sched;
    const struct mmio_window *window; /* that answered it last; its CPU's */
    volatile uint32_t poll;           /* enum vcpu_poll */
    uint64_t run_ns;                  /* CPU time so far */
    uint64_t loaded_at_ns;
    struct timer timer; /* stands in for the guest's clocks; what goes before it is reset */
    enum vcpu_multicall multicall;
    struct vcpu_runstate runstate;
    const volatile uint8_t
        *event_flag; /* evtchn/: not 0 while the guest has events to look at; NULL: never */
};

/* Device interrupts on their way in, where the plan limits their rate: virq/. Under its lock. */
struct irq_gate {
    struct spinlock lock;
    uint64_t paid_ns;                      /* until then those that passed use up the rate */
    uint64_t opens_ns;                     /* before this, rises wait */
    uint32_t held[DOMAIN_LINES_MAX / 32u]; /* lines whose rise waits, bit = INTID - 32 */
    uint64_t note_ns;                      /* before this, the fault log hears of it no more */
    struct timer timer;                    /* armed while any waits */
};

#define DOMAIN_WATCHDOGS 2u

/* Who serves a domain: its xenstore, and the tools that have its console */
#define DOMAIN_SERVERS 2u

enum domain_server { DOMAIN_STORE, DOMAIN_CONSOLE };

/* vdev/pv_watchdog.h; under the domain's lock */
struct pv_watchdog {
    struct timer timer; /* first */
    struct domain *domain;
    void (*expired)(struct domain *domain);
    uint64_t due_ns;
    uint32_t seconds;
    bool taken;
};

struct domain {
    struct hal_domain hal; /* first */
    domid_t id;            /* XEN_DOMID_INVALID: a place where no domain is */
    uint32_t index;        /* its place in domain_table; the plan's domains have those of the plan */
    const struct plan_domain *plan;
    struct spinlock lock;
    volatile enum domain_state state;
    volatile bool paused;                 /* by the operator or tools */
    uint32_t nr_pauses;                   /* to be undone before it goes on; under the lock */
    bool is_32bit;                        /* what tools take its kernel for */
    volatile bool dying;                  /* tools destroy it: its place is free soon */
    enum hal_power_request power_request; /* valid in STOPPING */
    const char *power_reason;
    volatile uint32_t power_code; /* a request + 1: what any of this life means; 0: what it is */
    bool runstate_flag;           /* vm_assist: who writes to a runstate area says so there */
    struct pv_watchdog dog[DOMAIN_WATCHDOGS];
    volatile uint32_t dogs_ending; /* CPUs that are about to call expired(), or do: no new life meanwhile */
    struct pool pool;
    struct domain_chunk chunk[DOMAIN_CHUNKS_MAX];
    uint32_t nr_chunks;
    struct block_set *blocks; /* it has blocks instead, that come and go; NULL: it has chunks */
    struct mmio_window window[DOMAIN_MMIO_MAX]; /* fixed while the domain runs */
    uint32_t nr_windows;
    uint32_t nr_vcpus;
    struct vcpu *vcpu[HV_VCPUS_MAX];
    uint32_t cpupool; /* sched/cpupool.h; under the pools' lock */
    struct domain_sched sched;
    struct console console;
    struct evtchn_domain *events; /* evtchn/; NULL: it has no event channels */
    struct grant_table *grants;   /* grant/; NULL: it has none */
    struct domain_chunk
        shared;      /* the hypervisor's pages of which the guest's map may hold some; `at` is unused */
    struct p2m *p2m; /* p2m.h, under the lock; NULL: its map stays as it was built */
    void *ring[DOMAIN_SERVERS];   /* the hypervisor's pages that are its rings to these; NULL: none */
    volatile uint32_t reachable;  /* others may map its memory; set and cleared with the lock */
    volatile uint32_t nr_foreign; /* pages of its map that lead to others' memory; changed with the lock */
    /* The toolstack's: kept over restarts */
    uint64_t param[XEN_HVM_PARAMS]; /* hvm_op */
    uint8_t handle[16];             /* it calls the domain so */
    uint64_t max_pages;             /* 0: it did not say */
    struct irq_gate gate;
    uint32_t nr_restarts;
    uint64_t nr_faults;                            /* accesses answered with an abort */
    struct domain_fault fault[DOMAIN_FAULTS_KEPT]; /* the last ones, ring */
    uint32_t
        nr_fault_kinds; /* entries ever used; fault[(nr_fault_kinds - 1) % DOMAIN_FAULTS_KEPT] is the last */
    uint64_t told_ns;   /* until then the log has heard enough of it */
    volatile uint64_t progress; /* what the guest last reported of itself to a monitor; 0 at each start */
};

/* Domains in plan order, then the places for others; fixed after boot. */
extern struct domain *domain_table[HV_DOMAINS_MAX];
extern uint32_t domain_count;

static inline struct vcpu *vcpu_of(struct hal_vcpu *hal)
{
    return (struct vcpu *)(void *)hal;
}

static inline struct domain *domain_of(struct hal_domain *hal)
{
    return (struct domain *)(void *)hal;
}

/* NULL: there is none. For both: it may end at any moment, its place stays. */
struct domain *domain_by_name(const char *name);
struct domain *domain_by_id(uint32_t domid);

/* Gives it that number, by which it is found from now on, or none: XEN_DOMID_INVALID. The caller knows that
 * nobody else has it. */
void domain_id_set(struct domain *domain, domid_t id);

/* False: a place where no domain is */
static inline bool domain_is_there(const struct domain *domain)
{
    return domain->id != XEN_DOMID_INVALID;
}
uint32_t domain_nr_there(void);
/* What people and monitors know it by: one of the plan keeps that when tools see it no more. */
static inline domid_t domain_number(const struct domain *domain)
{
    return domain->plan->spare ? domain->id : domain->plan->domid;
}

/* Adds an emulated window before the domain runs. HV_LIMIT; HV_EXISTS if it overlaps another. */
HV_MUST_CHECK enum hv_status domain_add_window(struct domain *domain, const struct mmio_window *window);

/* Copies between the hypervisor and guest RAM, through trap windows; masked, at most 64 KiB. By virtual
 * address of the guest, for the vCPU that is loaded on this CPU, `into` memory of ours or `from` there, the
 * other is NULL: HV_FAULT where its own tables or its map do
 * not allow the access, or lead to what is not the domain's memory (nothing or a prefix is copied then). */
HV_MUST_CHECK enum hv_status domain_copy_guest(const struct vcpu *vcpu, uint64_t va, uint8_t *into,
                                               const uint8_t *from, uint64_t bytes);

/* A look at guest memory that lies in one page, to be read and written: the trap window, which the caller
 * closes. NULL: it does not, or faults. What is seen there may change at any moment. */
void *domain_guest_window(struct vcpu *vcpu, uint64_t va, uint64_t bytes);

/* Where `bytes` of the guest lie that it may write, if they are in one piece of the domain's memory and
 * within one block of HAL_WINDOW_BYTES; HAL_NOWHERE. As above. */
hpa_t domain_reach_guest(const struct vcpu *vcpu, uint64_t va, uint64_t bytes);

/* One aligned word: what the most frequent hypercalls have for an argument. Negative: fault. */
HV_MUST_CHECK int64_t domain_read_guest_word(struct vcpu *vcpu, uint64_t from);

/* Whether the domain was built with RAM at this page. */
bool domain_has_page(const struct domain *domain, uint64_t gfn);

/* Adds a line to the domain's fault log, now, or counts one up; fault's times and count do not matter. True
 * if fault->tell and such a line is worth logging: the first few, then each power of two. CPUs may lose a
 * count against each other: it is for people. Any context, no lock taken. */
bool domain_fault_note(struct domain *domain, const struct domain_fault *fault);

/* May a line about it go to the log? Of one that tools make, each life of which brings some: 16 at a time,
 * then one a second. CPUs may lose a count. Any context. */
bool domain_may_tell(struct domain *domain);

const char *domain_state_name(enum domain_state state);

#endif
