/* The time of day, as each domain finds it in its shared_info: when its own counter was 0. Until somebody
 * tells it that is counted from the host's start. [impl->req~wall-clock~1] */
#include "evtchn/evtchn_core.h"

#include "hal/timer.h"

#define NS_PER_S 1000000000ULL

static uint64_t clock_ns; /* of the host's start, since 1970; under evtchn_lock */

/* When the domain's counter was 0, since the host's start */
static uint64_t zero_ns(const struct domain *domain)
{
    return hal_timer_now_ns() - hal_timer_ns(hal_domain_counter(&domain->hal));
}

void evtchn_clock_show(struct evtchn_domain *ed)
{
    const uint64_t flags = spin_lock(&evtchn_lock);
    const uint64_t ns = clock_ns + zero_ns(ed->domain) + ed->clock_shift_ns;
    const uint64_t flags_before = spin_lock(&ed->queues);
    struct xen_shared_info *const shared = evtchn_shared_open(ed);
    volatile uint32_t *const version = &shared->wc_version;

    ed->clock_version += 2u; /* what the guest writes there is not looked at */
    *version = ed->clock_version - 1u;
    hal_barrier();
    shared->wc_sec = (uint32_t)(ns / NS_PER_S);
    shared->wc_nsec = (uint32_t)(ns % NS_PER_S);
    shared->wc_sec_hi = (uint32_t)((ns / NS_PER_S) >> 32u);
    hal_barrier();
    *version = ed->clock_version;
    evtchn_shared_close(ed);
    spin_unlock(&ed->queues, flags_before);
    spin_unlock(&evtchn_lock, flags);
}

void evtchn_clock_set(const struct domain *by, uint64_t ns)
{
    const uint64_t flags = spin_lock(&evtchn_lock);

    clock_ns = ns - zero_ns(by);
    spin_unlock(&evtchn_lock, flags);
    for (uint32_t i = 0; i < HV_DOMAINS_MAX; i++) {
        if ((evtchn_table[i] != NULL) && (evtchn_table[i]->up != 0u)) {
            evtchn_clock_show(evtchn_table[i]);
        }
    }
}

void evtchn_clock_shift(struct domain *domain, uint64_t seconds)
{
    struct evtchn_domain *const ed = domain->events;

    if (ed != NULL) {
        ed->clock_shift_ns = seconds * NS_PER_S;
        if (ed->up != 0u) {
            evtchn_clock_show(ed);
        }
    }
}
