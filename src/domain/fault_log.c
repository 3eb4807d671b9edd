/* [impl->req~fault-log~1] */
#include "domain/domain.h"

#include "hal/timer.h"

#define LOG_ALL_BELOW 8u
#define LINE_NS       1000000000ULL   /* a line about one that tools make pays for so long ... */
#define LINES_NS      (16u * LINE_NS) /* ... and for no more in advance */

/* The entry of the same cause at the same address; NULL if there is none. */
static struct domain_fault *find(struct domain *domain, const struct domain_fault *fault)
{
    struct domain_fault *found = NULL;

    for (uint32_t i = 0; (i < DOMAIN_FAULTS_KEPT) && (found == NULL); i++) {
        struct domain_fault *const f = &domain->fault[i];

        if ((f->count != 0u) && (f->what == fault->what) && (f->cause == fault->cause) &&
            (f->address == fault->address) && (f->vcpu == fault->vcpu)) {
            found = f;
        }
    }
    return found;
}

bool domain_may_tell(struct domain *domain)
{
    const uint64_t now_ns = hal_timer_now_ns();
    const uint64_t paid_ns = bits_max(domain->told_ns, now_ns) + LINE_NS;
    const bool may = !domain->plan->spare || (paid_ns <= (now_ns + LINES_NS));

    domain->told_ns = may ? paid_ns : domain->told_ns;
    return may;
}

bool domain_fault_note(struct domain *domain, const struct domain_fault *fault)
{
    const uint64_t now_ns = hal_timer_now_ns();
    const uint64_t n = domain->nr_faults + 1u;
    struct domain_fault *at = find(domain, fault);

    if (at == NULL) {
        const uint32_t kinds = domain->nr_fault_kinds;

        at = &domain->fault[kinds % DOMAIN_FAULTS_KEPT];
        domain->nr_fault_kinds = kinds + 1u;
        *at = *fault;
        at->first_ns = now_ns;
        at->count = 0;
        at->tell = false;
    }
    const bool rare = (n <= LOG_ALL_BELOW) || ((n & (n - 1u)) == 0u);
    const bool worth = fault->tell && rare && domain_may_tell(domain);

    at->tell = at->tell || worth;
    at->last_ns = now_ns;
    at->count++;
    domain->nr_faults = n;
    return worth;
}
