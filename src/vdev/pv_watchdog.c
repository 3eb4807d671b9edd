/* [impl->req~pv-watchdog~1] */
#include "vdev/pv_watchdog.h"

#include "hal/cpu.h"
#include "hal/sync.h"
#include "hal/timer.h"

#define NS_PER_S 1000000000ULL

/* Lock held. So long from now; 2^32 seconds are far from the end of time. */
static void begin(struct pv_watchdog *dog)
{
    dog->due_ns = hal_timer_now_ns() + (dog->seconds * NS_PER_S);
    timer_arm(&dog->timer, dog->due_ns);
}

/* Another CPU may have set it anew, or its life be over: what stands there decides. One that was paused
 * begins again. */
static void fire(struct timer *timer)
{
    struct pv_watchdog *const dog = (struct pv_watchdog *)(void *)timer;
    struct domain *const domain = dog->domain;
    const uint64_t flags = spin_lock(&domain->lock);
    const bool due = dog->taken && (hal_timer_now_ns() >= dog->due_ns);
    const bool ends = due && !domain->paused;

    (void)hal_fetch_add32(&domain->dogs_ending, ends ? 1u : 0u);
    if (due && !ends) {
        dog->seconds += (dog->seconds == 0u) ? 1u : 0u; /* not again at once, and again */
        begin(dog);
    }
    spin_unlock(&domain->lock, flags);
    if (ends) {
        dog->expired(domain);
        (void)hal_fetch_add32(&domain->dogs_ending, UINT32_MAX); /* one less */
    }
}

/* Lock held. One that is free, counted from 1; 0: there is none. */
static uint32_t take(struct domain *domain)
{
    uint32_t n = 0;

    while ((n < DOMAIN_WATCHDOGS) && domain->dog[n].taken) {
        n++;
    }
    if (n < DOMAIN_WATCHDOGS) {
        timer_setup(&domain->dog[n].timer, fire);
        domain->dog[n].domain = domain;
        domain->dog[n].taken = true;
    }
    return (n < DOMAIN_WATCHDOGS) ? (n + 1u) : 0u;
}

int64_t pv_watchdog_set(struct domain *domain, uint32_t number, uint32_t seconds,
                        void (*expired)(struct domain *domain))
{
    const uint64_t flags = spin_lock(&domain->lock);
    const uint32_t n = (number == 0u) ? take(domain) : hal_index(number, DOMAIN_WATCHDOGS + 1u);
    struct pv_watchdog *const dog = &domain->dog[(n != 0u) ? (n - 1u) : 0u];
    int64_t result = (number == 0u) ? (int64_t)n : 0;

    if ((n == 0u) || !dog->taken) {
        result = (number == 0u) ? -XEN_ENOSPC : -XEN_EINVAL;
    } else if ((number != 0u) && (seconds == 0u)) {
        dog->taken = false;
        timer_disarm(&dog->timer);
    } else {
        dog->seconds = seconds;
        dog->expired = expired;
        begin(dog);
    }
    spin_unlock(&domain->lock, flags);
    return result;
}

void pv_watchdog_end(struct domain *domain)
{
    const uint64_t flags = spin_lock(&domain->lock);

    for (uint32_t n = 0; n < DOMAIN_WATCHDOGS; n++) {
        if (domain->dog[n].taken) {
            domain->dog[n].taken = false;
            timer_disarm(&domain->dog[n].timer);
        }
    }
    spin_unlock(&domain->lock, flags);
    while (hal_load_acquire32(&domain->dogs_ending) != 0u) { /* another CPU's handler, which is bounded */
        hal_cpu_relax();
    }
}
