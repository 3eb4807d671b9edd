/* Deadlines, kept per CPU in a sorted list. A callback runs on the CPU that armed it, interrupts masked, CPU
 * stack, one at a time and the CPU's own. */
#ifndef TIME_TIMER_H
#define TIME_TIMER_H

#include "hal/types.h"

struct timer {
    struct timer *next;
    uint64_t deadline_ns;
    void (*fire)(struct timer *timer);
    volatile uint32_t cpu; /* where it is armed, TIMER_UNARMED if not */
};

#define TIMER_UNARMED UINT32_MAX

void timer_setup(struct timer *timer, void (*fire)(struct timer *timer));
/* Arms (or moves) it on the calling CPU; TIME_NEVER disarms. If armed on another CPU it is taken from there
 * first. The caller serialises calls for one timer; fire() may be about to run on the CPU where it was armed.
 * Interrupts masked or in a worker. */
void timer_arm(struct timer *timer, uint64_t deadline_ns);
void timer_disarm(struct timer *timer);
/* Each CPU may have one timer that nobody else arms, disarms or adopts: no list, no lock. Interrupts
 * masked. */
void timer_arm_own(struct timer *timer, uint64_t deadline_ns);

/* All that is armed on a CPU that has stopped for good fires here, early: who looks at the clock and arms it
 * again is served by this CPU from now on. Worker context. */
void timer_adopt(cpuid_t from);

#endif
