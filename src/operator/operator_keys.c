/* [impl->req~toolstack~1] */
#include "operator/operator_keys.h"

#include "base/log.h"
#include "base/percpu.h"
#include "evtchn/evtchn.h"
#include "grant/grant.h"
#include "hal/sync.h"
#include "hal/timer.h"
#include "lib/string.h"
#include "mem/ram.h"
#include "sched/sched.h"
#include "sched/work.h"

#define NS_PER_MS  1000000ULL
#define LINKS_TOLD 16u /* of a domain */

static struct work keys_work;
static volatile uint32_t busy;
static char keys_asked[OPERATOR_KEYS_MAX]; /* the work item's while busy */
static uint32_t nr_asked;

static void vcpus_tell(const struct domain *domain)
{
    static const char state[][6] = {
        [VCPU_OFF] = "off", [VCPU_BLOCKED] = "waits", [VCPU_RUNNABLE] = "ready", [VCPU_RUNNING] = "runs"
    };

    log_line("%s: domain %u, %s%s, %u restarts, %U faults", domain->plan->name, (uint32_t)domain->id,
             domain_state_name(domain->state), domain->paused ? ", paused" : "", domain->nr_restarts,
             domain->nr_faults);
    for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
        const struct vcpu *const v = domain->vcpu[i];

        log_line("  vCPU %u %s, CPU %u of %X, %U ms", i, state[(uint32_t)v->state % ARRAY_LEN(state)], v->cpu,
                 v->affinity, sched_run_ns(v) / NS_PER_MS);
        work_breathe();
    }
}

static void memory_tell(const struct domain *domain)
{
    log_line("%s: %U KiB, %u of %u pages of its pool free", domain->plan->name,
             ram_bytes(RAM_OWNER_DOMAIN + domain->id) >> 10u, domain->pool.nr_free, domain->pool.nr_pages);
}

static void events_tell(const struct domain *domain)
{
    const struct domain *peer = NULL;
    uint32_t peer_port = 0;
    bool is_static = false;
    uint32_t nr = 0;

    for (uint32_t port = 1; (port < EVTCHN_PORTS_MAX) && (domain->events != NULL); port++) {
        if (evtchn_other_end(domain, port, &peer, &peer_port, &is_static)) {
            nr++;
            if (nr <= LINKS_TOLD) {
                log_line("%s: port %u is %s's port %u", domain->plan->name, port, peer->plan->name,
                         peer_port);
            }
        }
        work_breathe();
    }
    log_line("%s: %u ports lead to others", domain->plan->name, nr);
}

static void grants_tell(const struct domain *domain)
{
    if (domain->grants != NULL) {
        log_line("%s: grant table of version %u, %u of %u frames, %u handles ever", domain->plan->name,
                 grant_version(domain), grant_nr_frames(domain, false), grant_max_frames(domain, false),
                 grant_nr_handles(domain));
    }
}

static void cpus_tell(void)
{
    for (cpuid_t cpu = 0; cpu < HV_CPUS_MAX; cpu++) {
        const char *const runs = percpu_area[cpu].runs;

        if (((percpu_online() & BIT64(cpu)) != 0u) && (runs != NULL)) {
            log_line("CPU %u: %s, idle for %U ms", cpu, runs, sched_idle_ns(cpu) / NS_PER_MS);
            work_breathe();
        }
    }
}

static void host_memory_tell(void)
{
    log_line("%U KiB of RAM are free", ram_bytes(RAM_FREE) >> 10u);
}

static void time_tell(void)
{
    log_line("up for %U ms, the counter at %U", hal_timer_now_ns() / NS_PER_MS,
             hal_timer_ticks(hal_timer_now_ns()));
}

static const struct {
    const char *help;
    void (*tell)(void);                               /* may be NULL */
    void (*tell_domain)(const struct domain *domain); /* ... of each, may be NULL */
    char key;
} answers[] = {
    { "domains and vCPUs", NULL, vcpus_tell, 'q' },   { "CPUs", cpus_tell, NULL, 'r' },
    { "memory", host_memory_tell, memory_tell, 'm' }, { "event channels", NULL, events_tell, 'e' },
    { "grant tables", NULL, grants_tell, 'g' },       { "time", time_tell, NULL, 't' },
};

static void answer(char key)
{
    uint32_t i = 0;

    while ((i < ARRAY_LEN(answers)) && (answers[i].key != key)) {
        i++;
    }
    if (i == ARRAY_LEN(answers)) {
        log_line("key %x means nothing here; these do:", (uint32_t)(uint8_t)key);
        for (i = 0; i < ARRAY_LEN(answers); i++) {
            log_line("  %c  %s", answers[i].key, answers[i].help);
        }
        return;
    }
    log_line("key %c: %s", key, answers[i].help);
    if (answers[i].tell != NULL) {
        answers[i].tell();
    }
    for (uint32_t d = 0; (d < domain_count) && (answers[i].tell_domain != NULL); d++) {
        if (domain_is_there(domain_table[d])) {
            answers[i].tell_domain(domain_table[d]);
            work_breathe();
        }
    }
}

static void keys_run(struct work *work)
{
    (void)work;
    for (uint32_t i = 0; i < nr_asked; i++) {
        answer(keys_asked[i]);
    }
    hal_store_release32(&busy, 0u);
}

bool operator_keys(const char *keys, uint32_t nr)
{
    const bool mine = hal_compare_swap32(&busy, 0u, 1u);

    if (mine) {
        (void)memcpy(keys_asked, keys, nr);
        nr_asked = nr;
        work_setup(&keys_work, keys_run);
        work_queue(&keys_work, WORK_ANY_CPU);
    }
    return mine;
}
