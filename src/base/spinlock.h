/* Ticket locks with ranks. A CPU takes locks in rising rank only (checked when CONFIG_DEBUG). Interrupts are
 * masked while any is held, so handlers never wait for their own CPU. Fair: the wait is bounded by the other
 * CPUs' sections. */
#ifndef BASE_SPINLOCK_H
#define BASE_SPINLOCK_H

#include <stdint.h>

enum lock_rank {
    LOCK_NONE = 0,
    LOCK_BUILD,        /* construction and life cycle of domains */
    LOCK_GRANT,        /* one domain's grant table */
    LOCK_DOMAIN,       /* one domain: map, pool, state, handles */
    LOCK_EVTCHN,       /* bindings of all event channels */
    LOCK_EVTCHN_QUEUE, /* one domain's queues of events */
    LOCK_VDEV,         /* one emulated device */
    LOCK_VIRQ,         /* one domain's device interrupts that wait */
    LOCK_VGIC,         /* one domain's interrupt controller */
    LOCK_POOL,         /* cpupools: which CPUs, domains and vCPUs are where */
    LOCK_SCHED,        /* one scheduling unit: its queue, the states of its vCPUs */
    LOCK_SHARE,        /* what the vCPUs of one domain share of its cap */
    LOCK_WORK,         /* work queues */
    LOCK_TIMER,        /* one CPU's deadlines */
    LOCK_MEM,          /* heap, RAM ranges */
    LOCK_IRQ,          /* physical interrupt controller */
    LOCK_IOMMU,        /* an IOMMU's commands and entries */
    LOCK_CONSOLE_LINE, /* one source of the console: its line, its ring */
    LOCK_CONSOLE,      /* console multiplexer: who has the input, what is drawn */
    LOCK_LOG           /* log ring */
};

struct spinlock {
    volatile uint32_t next;
    volatile uint32_t owner;
    uint32_t rank; /* enum lock_rank */
};

#define SPINLOCK(rank_) { 0u, 0u, (uint32_t)(rank_) }

void spin_init(struct spinlock *lock, enum lock_rank rank);
/* Masks interrupts, takes the lock, returns the earlier interrupt state for spin_unlock(). */
uint64_t spin_lock(struct spinlock *lock);
void spin_unlock(struct spinlock *lock, uint64_t flags);

#endif
