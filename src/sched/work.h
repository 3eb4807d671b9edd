/* Long work: queued by handlers, run in order by the worker context of one CPU, on its own stack with
 * interrupts unmasked, scheduled beside vCPUs. FP and libraries are allowed in it. A handler only queues. */
#ifndef SCHED_WORK_H
#define SCHED_WORK_H

#include "hal/types.h"

struct work {
    struct work *next;
    void (*run)(struct work *work);
    volatile uint32_t queued; /* 1 from work_queue() until run() begins */
};

void work_setup(struct work *work, void (*run)(struct work *work));
/* Queues it on cpu (WORK_ANY_CPU: the least busy CPU that is online). Does nothing if it is queued
 * already. */
void work_queue(struct work *work, cpuid_t cpu);
#define WORK_ANY_CPU UINT32_MAX
/* Does this CPU's worker have something to do (running or queued)? */
bool work_pending(cpuid_t cpu);
/* No more work for a CPU that stops for good; what is queued there moves to others. False and nothing done:
 * it has an item half-way. */
bool work_leave(cpuid_t cpu);
/* From inside run(): lets others have the CPU if they want it. Cheap. */
void work_breathe(void);
/* The worker's loop; sched_init_cpu() starts it. */
void work_loop(void *arg);

#endif
