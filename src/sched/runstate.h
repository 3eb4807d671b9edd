/* The time that a vCPU ran, could have run, waited and was off, where its guest reads it: written by the CPU
 * that it leaves and by the one that it comes to. One whose guest does not ask costs a look. */
#ifndef SCHED_RUNSTATE_H
#define SCHED_RUNSTATE_H

#include "domain/domain.h"

/* Interrupts masked, the vCPU is claimed: it leaves this CPU, or comes to it. */
void runstate_leave(struct vcpu *vcpu);
void runstate_enter(struct vcpu *vcpu);

/* The guest's area is there from now on: host physical, 8-aligned, memory of the domain as long as it lives,
 * as
 * domain_reach_guest() tells. The vCPU is the caller, or has not run yet. Interrupts masked. */
void runstate_tell(struct vcpu *vcpu, hpa_t area);

/* The scheduler's lock held: it is woken. */
static inline void runstate_wake(struct vcpu *vcpu, uint64_t now_ns)
{
    if (vcpu->state != VCPU_RUNNABLE) {
        vcpu->runstate.ready_ns = now_ns;
    }
}

#endif
