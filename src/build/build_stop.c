/* The way back: vCPUs off their CPUs, then everything undone; and on from there for one that lives again. One
 * work item a domain does all of it, queued when the domain leaves DOMAIN_RUNNING, or is down and the
 * operator wants it. */
/* [impl->req~power-off-host~1] [impl->req~restart-alone~1] [impl->req~restart-limit~1]
 * [impl->req~restart-ordered~1] */
#include "build/builder.h"

#include "domain/role.h"
#include "evtchn/evtchn.h"
#include "hal/cpu.h"
#include "hal/power.h"
#include "hal/timer.h"
#include "sched/cpupool.h"
#include "sched/sched.h"

#define BUILD_QUIET_NS 5000000000ULL /* a vCPU leaves within microseconds; a busy emulator takes longer */
#define NS_PER_S       1000000000ULL

void build_vcpus_off(struct domain *domain)
{
    for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
        sched_power_off(domain->vcpu[i]);
    }
}

/* Asks again in each round: a vCPU may have been powered on by another at the last moment. */
bool build_quiet(struct domain *domain)
{
    const uint64_t end_ns = hal_timer_now_ns() + BUILD_QUIET_NS;
    bool quiet = false;
    bool late = false;

    while (!quiet && !late) {
        build_vcpus_off(domain);
        quiet = sched_domain_quiet(domain);
        if (!quiet) {
            late = hal_timer_now_ns() > end_ns;
            hal_cpu_relax();
            work_breathe();
        }
    }
    if (!quiet) {
        build_slot_of(domain)->stuck = true;
        log_line("%s: does not leave its CPU, its memory is not used again", domain->plan->name);
    }
    return quiet;
}

/* Counts a restart unless it is one too many: with those of this second and of the sixty before, so that no
 * minute ever sees more than the limit. */
static bool restart_counts(struct build_slot *slot)
{
    const uint32_t now_s = (uint32_t)(hal_timer_now_ns() / NS_PER_S);
    struct build_second *const this_second = &slot->second[now_s % BUILD_SECONDS];
    uint32_t restarts = 0;

    if (this_second->at != now_s) {
        this_second->at = now_s;
        this_second->restarts = 0;
    }
    for (uint32_t i = 0; i < BUILD_SECONDS; i++) {
        restarts += ((now_s - slot->second[i].at) < BUILD_SECONDS) ? slot->second[i].restarts : 0u;
    }
    if (restarts < slot->domain.plan->restarts_per_minute) {
        this_second->restarts++;
        return true;
    }
    return false;
}

static bool restart_planned(const struct domain *domain)
{
    const enum hal_power_request request = domain->power_request;

    return (request == HAL_DOMAIN_WATCHDOG) ||
           ((request == HAL_DOMAIN_RESET) && domain->plan->restart_on_reset) ||
           ((request == HAL_DOMAIN_CRASH) && domain->plan->restart_on_crash);
}

static bool restart_ordered(const struct domain *domain, const struct build_slot *slot)
{
    return slot->ordered && (domain->power_request == HAL_DOMAIN_RESET);
}

void build_begin(struct domain *domain)
{
    domain->state = DOMAIN_BUILDING;
    domain->paused = false;
    domain->nr_pauses = 0u;
    domain->power_code = 0u;
    domain->runstate_flag = false;
    build_slot_of(domain)->ordered = false;
    if (!domain->plan->spare && !domain_is_there(domain)) { /* tools have seen the last of it */
        domain_id_set(domain, domain->plan->domid);
        if (sched_pool_move(domain, domain->plan->pool) != HV_OK) {
            /* pool 0 is its own now */
        }
    }
}

/* Lock held. */
static void begin_again(struct domain *domain)
{
    build_begin(domain);
    domain->nr_restarts++;
}

/* Only its memory is left. Does it live again? It is DOMAIN_BUILDING then. */
static bool goes_on(struct domain *domain)
{
    struct build_slot *const slot = build_slot_of(domain);
    const uint64_t flags = spin_lock(&domain->lock);
    const bool planned = !slot->ordered && restart_planned(domain);
    const bool counts = planned ? restart_counts(slot) : false;
    const bool again = counts || restart_ordered(domain, slot);

    if (again) {
        begin_again(domain);
    }
    spin_unlock(&domain->lock, flags);
    if (planned && !again) {
        log_line("%s: more than %u restarts in a minute, it stays stopped", domain->plan->name,
                 domain->plan->restarts_per_minute);
    }
    return again;
}

void build_log_end(const struct domain *domain, enum hal_power_request request, const char *why)
{
    static const char *const what[] = { [HAL_DOMAIN_OFF] = "powered off",
                                        [HAL_DOMAIN_RESET] = "asked for a reset and is parked",
                                        [HAL_DOMAIN_CRASH] = "crashed",
                                        [HAL_DOMAIN_WATCHDOG] = "hung",
                                        [HAL_DOMAIN_SUSPEND] = "asked to be suspended",
                                        [HAL_DOMAIN_SOFT_RESET] = "asked for a soft reset" };

    log_line("%s: %s%s%s", domain->plan->name, what[request], (why != NULL) ? ": " : "",
             (why != NULL) ? why : "");
}

void build_tell(void)
{
    struct domain *const server = (CONFIG_LINKS != 0) ? role_holder(PLAN_ROLE_XENSTORE) : NULL;

    if (server != NULL) {
        evtchn_virq_raise(server, VIRQ_DOM_EXC);
    }
}

/* Everything was given back, or a vCPU keeps it. The operator may have thought better of it meanwhile. */
static void state_down(struct domain *domain)
{
    const struct build_slot *const slot = build_slot_of(domain);
    const uint64_t flags = spin_lock(&domain->lock);
    const enum hal_power_request request = domain->power_request;
    const char *const why = domain->power_reason;
    const bool crashed = (request == HAL_DOMAIN_CRASH) || (request == HAL_DOMAIN_WATCHDOG);
    const bool again = restart_ordered(domain, slot) && !slot->stuck;

    if (again) {
        begin_again(domain);
    } else {
        domain->state = (crashed || slot->stuck) ? DOMAIN_CRASHED : DOMAIN_STOPPED;
        domain->paused = false;
    }
    spin_unlock(&domain->lock, flags);
    if (again) {
        build_stop_queue(domain);
    } else {
        build_log_end(domain, request, why);
        build_tell();
    }
}

/* What the hardware domain asks for the host does, unless the plan means the domain alone. An operator
 * always does. Returns if firmware cannot. */
/* [impl->req~control-power~1] */
static void host_follows(const struct domain *domain, const struct build_slot *slot)
{
    const bool off = (domain->power_request == HAL_DOMAIN_OFF);

    if (((domain->plan->role & PLAN_ROLE_HARDWARE) != 0u) && !build_plan()->control_alone && !slot->ordered) {
        log_line("%s: asks for %s, and so the host is %s", domain->plan->name, off ? "power off" : "a reset",
                 off ? "powered off" : "reset");
        console_flush();
        if (off) {
            hal_power_off();
        } else {
            hal_power_reset();
        }
    }
}

/* True: it is DOMAIN_BUILDING again. */
static bool stop(struct domain *domain)
{
    const bool quiet = build_quiet(domain);
    bool again = false;

    if (CONFIG_CONTROL != 0) {
        host_follows(domain, build_slot_of(domain));
    }
    if (quiet) {
        build_unmake(domain, true);
        again = !build_slot_of(domain)->stuck && goes_on(domain);
    }
    if (quiet && !again) {
        build_unmake(domain, false);
    }
    if (!again) {
        state_down(domain);
    }
    return again;
}

static void stop_run(struct work *work)
{
    struct domain *const domain = ((struct build_stop *)(void *)work)->domain;
    const bool spare = (CONFIG_CONTROL != 0) && domain->plan->spare;
    bool build = !spare && (domain->state == DOMAIN_BUILDING);

    if (spare) {
        build_spare_run(domain);
    } else if (!build) {
        build = stop(domain);
    } else {
        /* it was down */
    }
    if (build) {
        log_line("%s: restarts (%u): %s", domain->plan->name, domain->nr_restarts,
                 (domain->power_reason != NULL) ? domain->power_reason : "reset");
        if (build_phases(domain) == HV_OK) {
            build_start(domain);
        }
    }
    build_check_all_off();
}

void build_stop_setup(struct build_slot *slot)
{
    slot->stop.domain = &slot->domain;
    work_setup(&slot->stop.work, stop_run);
}

/* The work is done where the domain's own vCPU 0 ran: that CPU's time is what the domain has just given up,
 * and one that only looks idle may belong to somebody who sleeps until his next deadline. */
void build_stop_queue(struct domain *domain)
{
    const cpuid_t own = domain->vcpu[0]->cpu;
    const bool usable = (build_affinity(domain->plan, 0u) & BIT64(own)) != 0u;

    work_queue(&build_slot_of(domain)->stop.work, usable ? own : WORK_ANY_CPU);
}

/* Lock held. Would this order build it? */
static bool order_builds(struct domain *domain, enum hal_power_request request)
{
    return (request == HAL_DOMAIN_RESET) && build_is_down(domain->state) && !build_slot_of(domain)->stuck &&
           !domain->plan->unsound && !domain->plan->spare;
}

/* False: nobody may ask that of this domain now. */
static bool ask(struct domain *domain, enum hal_power_request request, const char *why, bool ordered)
{
    const uint64_t flags = spin_lock(&domain->lock);
    const enum domain_state now = domain->state;
    const bool runs = (now == DOMAIN_RUNNING);
    const bool later =
        ordered && !domain->plan->spare && ((now == DOMAIN_STOPPING) || (now == DOMAIN_BUILDING));
    const bool builds = ordered && order_builds(domain, request);
    const bool may = runs || later || builds;

    if (may) {
        domain->power_request = request;
        domain->power_reason = why;
        build_slot_of(domain)->ordered = ordered;
    }
    if (runs) {
        domain->state = DOMAIN_STOPPING;
    }
    if (builds) {
        begin_again(domain);
    }
    spin_unlock(&domain->lock, flags);
    if (runs) {
        build_vcpus_off(domain);
    }
    if (may && !later) {
        build_stop_queue(domain);
    }
    return may;
}

void build_request_stop(struct domain *domain, enum hal_power_request request, const char *why)
{
    const bool failed = (request == HAL_DOMAIN_CRASH) || (request == HAL_DOMAIN_WATCHDOG);

    if (ask(domain, request, why, false) && failed) {
        const struct domain_fault fault = { .what = why };

        (void)domain_fault_note(domain, &fault);
    }
}

enum hv_status build_order(struct domain *domain, enum hal_power_request request, const char *why)
{
    const bool lost = (request == HAL_DOMAIN_RESET) && build_is_spent(domain);

    return (!lost && ask(domain, request, why, true)) ? HV_OK : HV_DENIED;
}

void build_check_all_off(void)
{
    bool off = true;

    for (uint32_t i = 0; i < domain_count; i++) {
        off = off && (build_is_down(domain_table[i]->state) || !domain_is_there(domain_table[i]));
    }
    if (off) {
        log_line("all domains are off");
        hal_power_off();
    }
}
