/* The way back: vCPUs off their CPUs, then everything undone. */
/* [impl->req~power-off-host~1] */
#include "build/builder.h"

#include "base/log.h"
#include "hal/cpu.h"
#include "hal/power.h"
#include "hal/timer.h"
#include "sched/sched.h"

#define BUILD_QUIET_NS 1000000000ULL /* a vCPU leaves within microseconds of the interrupt that asks for it */

static void vcpus_off(struct domain *domain)
{
    for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
        sched_power_off(domain->vcpu[i]);
    }
}

/* Asks again in each round: a vCPU may have been powered on by another at the last moment. */
static bool wait_quiet(struct domain *domain)
{
    const uint64_t end_ns = hal_timer_now_ns() + BUILD_QUIET_NS;
    bool quiet = false;
    bool late = false;

    while (!quiet && !late) {
        vcpus_off(domain);
        quiet = sched_domain_quiet(domain);
        if (!quiet) {
            late = hal_timer_now_ns() > end_ns;
            hal_cpu_relax();
            work_breathe();
        }
    }
    return quiet;
}

static void log_end(const struct domain *domain)
{
    const char *what;

    switch (domain->power_request) {
    case HAL_DOMAIN_OFF:
        what = "powered off";
        break;
    case HAL_DOMAIN_RESET:
        what = "asked for a reset and is parked";
        break;
    case HAL_DOMAIN_WATCHDOG:
        what = "hung";
        break;
    case HAL_DOMAIN_CRASH:
    default:
        what = "crashed";
        break;
    }
    if (domain->power_reason != NULL) {
        log_line("%s: %s: %s", domain->plan->name, what, domain->power_reason);
    } else {
        log_line("%s: %s", domain->plan->name, what);
    }
}

static void state_down(struct domain *domain, bool crashed)
{
    const uint64_t flags = spin_lock(&domain->lock);

    domain->state = crashed ? DOMAIN_CRASHED : DOMAIN_STOPPED;
    domain->paused = false;
    spin_unlock(&domain->lock, flags);
}

static void stop_run(struct work *work)
{
    struct domain *const domain = ((struct build_stop *)(void *)work)->domain;
    const bool quiet = wait_quiet(domain);

    if (quiet) {
        build_unmake(domain);
    } else {
        build_slot_of(domain)->stuck = true;
        log_line("%s: does not leave its CPU, its memory is not used again", domain->plan->name);
    }
    log_end(domain);
    state_down(domain, !quiet || (domain->power_request == HAL_DOMAIN_CRASH));
    build_check_all_off();
}

void build_stop_setup(struct build_slot *slot)
{
    slot->stop.domain = &slot->domain;
    work_setup(&slot->stop.work, stop_run);
}

void build_request_stop(struct domain *domain, enum hal_power_request request, const char *why)
{
    const uint64_t flags = spin_lock(&domain->lock);
    const bool runs = (domain->state == DOMAIN_RUNNING);

    if (runs) {
        domain->state = DOMAIN_STOPPING;
        domain->power_request = request;
        domain->power_reason = why;
    }
    spin_unlock(&domain->lock, flags);
    if (runs) {
        vcpus_off(domain);
        work_queue(&build_slot_of(domain)->stop.work, WORK_ANY_CPU);
    }
}

void build_check_all_off(void)
{
    bool off = true;

    for (uint32_t i = 0; i < domain_count; i++) {
        const enum domain_state state = domain_table[i]->state;

        off = off && ((state == DOMAIN_STOPPED) || (state == DOMAIN_CRASHED) || (state == DOMAIN_FAILED));
    }
    if (off) {
        log_line("all domains are off");
        hal_power_off();
    }
}
