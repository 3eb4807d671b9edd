/* What credit and credit2 share: virtual time, and what caps allow. Private to sched/. A vCPU's virtual
 * time (ready.key) is what it ran, in ns, times PLAN_WEIGHT / its weight: whose is least had least of what
 * is its due. unit->now_ns is that of whom was chosen last, so one that slept does not come back with a
 * claim on all that time. */
#ifndef SCHED_POLICY_FAIR_H
#define SCHED_POLICY_FAIR_H

#include "sched/sched_core.h"

#define FAIR_BONUS_NS 5000000ULL   /* one that waited is ahead by so much virtual time at most ... */
#define FAIR_LAG_NS   (1ULL << 24) /* ... one that may not have more than a CPU, so much */
/* What a cap allows, it allows in each such period: at the end of one and the beginning of the next it may be
 * twice that, which is one tick's (10 ms). */
#define FAIR_CAP_PERIOD_NS 5000000ULL

void fair_join(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns);
/* It ran: its virtual time, its cap; parked when that is used up. */
void fair_charge(struct sched_unit *unit, struct vcpu *vcpu, uint64_t ran_ns, uint64_t now_ns);
void fair_wake(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns);
void fair_look(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns);
/* A turn that would last until end_ns: until when its cap allows it. Books whom the unit has chosen. */
uint64_t fair_turn(struct sched_unit *unit, const struct vcpu *vcpu, uint64_t now_ns, uint64_t end_ns);
/* Real time in which vcpu, running, is ahead of `waits` by margin_ns of virtual time */
uint64_t fair_ahead(const struct vcpu *vcpu, const struct vcpu *waits, uint64_t margin_ns);

#endif
