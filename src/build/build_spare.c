/* Domains that a control domain makes at run time, in places that are set aside at boot. */
/* [impl->req~spare-domains~1] */
/* [impl->req~made-domains~1] */
#include "build/builder.h"

#include "base/percpu.h"
#include "evtchn/evtchn.h"
#include "grant/grant.h"
#include "hal/timer.h"
#include "sched/cpupool.h"

#define SPARE_NR_SPIS         32u
#define SPARE_GRANT_FRAMES    64u
#define SPARE_MAPTRACK_FRAMES 1024u
#define SPARE_AGAIN_NS                                                                                       \
    1000000000ULL /* a place in which a domain could not be made rests: so do its lines in the log */

static struct plan_domain planned;

const struct plan_domain *build_spare_plan(const struct plan *plan)
{
    planned = (struct plan_domain){ .spare = true,
                                    .nr_vcpus = plan->spares.nr_vcpus,
                                    .pool_bytes = (uint64_t)plan->spares.pool_kib << 10u,
                                    .nr_spis = SPARE_NR_SPIS,
                                    .trap_unmapped = true,
                                    .enhanced = PLAN_ENHANCED_NO_XENSTORE, /* tools bring port and page */
                                    .max_grant_version = 1u,
                                    .max_grant_frames = SPARE_GRANT_FRAMES,
                                    .max_maptrack_frames = SPARE_MAPTRACK_FRAMES,
                                    .bootargs = "" };
    (void)memset(planned.affinity, 0xFF, sizeof(planned.affinity));
    return &planned;
}

enum hv_status build_spares_prepare(const struct plan *plan)
{
    struct domain *domain = NULL;
    enum hv_status status = HV_OK;

    (void)build_spare_plan(plan);
    for (uint32_t i = 0; (i < plan->spares.nr) && (status == HV_OK); i++) {
        planned.domid = (domid_t)(plan->domain[0].domid + plan->nr_domains + i);
        status = build_prepare(&planned, &domain);
    }
    return status;
}

/* -- A place is taken -- */

static struct spinlock places = SPINLOCK(LOCK_BUILD); /* who is where, and the numbers */
static uint32_t rover;

/* Lock held. Numbers of the plan stay its domains'. */
static bool number_taken(uint32_t domid)
{
    return ((domid - build_plan()->domain[0].domid) < build_plan()->nr_domains) ||
           (domain_by_id(domid) != NULL);
}

/* Lock held. As many turns as there are domains at most. */
static domid_t number_next(void)
{
    do {
        rover = ((rover + 1u) < XEN_DOMID_SELF) ? (rover + 1u) : 1u;
    } while (number_taken(rover));
    return (domid_t)rover;
}

static bool place_has(const struct plan_domain *most, const struct build_wish *wish)
{
    return (wish->nr_vcpus <= most->nr_vcpus) && (wish->max_grant_frames <= most->max_grant_frames) &&
           (wish->max_maptrack_frames <= most->max_maptrack_frames);
}

/* Lock held. The place of that wish: the template of that name (the plan's come first), or any that is none;
 * NULL: HV_INVALID or HV_LIMIT. */
static struct domain *place_find(const struct build_wish *wish, enum hv_status *status)
{
    struct domain *found = NULL;
    bool named = false;

    *status = HV_INVALID;
    for (uint32_t i = 0; (i < domain_count) && (found == NULL) && !named; i++) {
        struct domain *const domain = domain_table[i];
        const struct plan_domain *const most = build_slot_of(domain)->as_planned;

        named = most->spare && most->has_uuid && (memcmp(most->uuid, wish->handle, sizeof(most->uuid)) == 0);
        if (most->spare && (named || !most->has_uuid) && place_has(most, wish)) {
            *status = HV_LIMIT;
            found = (domain_is_there(domain) || (build_slot_of(domain)->again_ns > hal_timer_now_ns()))
                        ? NULL
                        : domain;
        }
    }
    return found;
}

/* Nothing is left of whom the place had before. */
static void place_fill(struct domain *domain, const struct build_wish *wish, domid_t id)
{
    struct build_slot *const slot = build_slot_of(domain);
    struct plan_domain *const own = slot->own;
    const domid_t number = own->domid;
    struct fmt_buf name;

    *own = *slot->as_planned;
    own->domid = number;
    own->nr_vcpus = wish->nr_vcpus;
    own->nr_spis = (uint32_t)bits_max(own->nr_spis, wish->nr_spis);
    own->max_grant_version = wish->max_grant_version;
    own->max_grant_frames = (wish->max_grant_frames != 0u) ? wish->max_grant_frames : own->max_grant_frames;
    if (wish->max_maptrack_frames != 0u) {
        own->max_maptrack_frames = wish->max_maptrack_frames;
    }
    if (!own->has_uuid) {
        fmt_init(&name, own->name, PLAN_NAME_MAX);
        fmt_add(&name, "domain-%u", (uint32_t)id);
    }
    domain->nr_vcpus = wish->nr_vcpus;
    domain->power_request = HAL_DOMAIN_OFF;
    domain->power_reason = NULL;
    domain->dying = false;
    (void)memset(domain->param, 0, sizeof(domain->param));
    (void)memcpy(domain->handle, wish->handle, sizeof(domain->handle));
    domain->max_pages = 0u;
    domain->nr_faults = 0u;
    (void)memset(domain->fault, 0, sizeof(domain->fault));
    domain->nr_fault_kinds = 0u;
    domain->progress = 0u;
}

enum hv_status build_make(const struct build_wish *wish, struct domain **made)
{
    const bool any = (wish->domid == 0u) || (wish->domid >= XEN_DOMID_SELF);
    const uint64_t flags = spin_lock(&places);
    enum hv_status status = HV_EXISTS;
    struct domain *const domain = (any || !number_taken(wish->domid)) ? place_find(wish, &status) : NULL;

    if (domain != NULL) {
        const domid_t id = any ? number_next() : (domid_t)wish->domid;

        place_fill(domain, wish, id);
        build_begin(domain);
        domain_id_set(domain, id); /* from now on its pool stays */
        status = sched_pool_move(domain, wish->pool);
        if (status == HV_OK) {
            work_queue(&build_slot_of(domain)->stop.work, cpu_id()); /* who asks waits and pays */
            *made = domain;
        } else {
            status = (status == HV_LIMIT) ? HV_BUSY : status;
            domain->state = DOMAIN_NEW;
            domain_id_set(domain, XEN_DOMID_INVALID);
            sched_pool_forget(domain);
        }
    }
    spin_unlock(&places, flags);
    return status;
}

/* -- ... and free again -- */

static void place_free(struct domain *domain)
{
    const domid_t id = domain->id;

    if (CONFIG_LINKS != 0) {
        evtchn_forget(id, work_breathe);
    }
    if (CONFIG_GRANTS != 0) {
        grant_forget(domain);
    }
    const uint64_t flags = spin_lock(&places);

    domain->state = DOMAIN_NEW;
    domain_id_set(domain, XEN_DOMID_INVALID);
    sched_pool_forget(domain);
    spin_unlock(&places, flags);
}

/* True: it is about to end. */
static bool made(struct domain *domain)
{
    const bool good = (build_phases(domain) == HV_OK);

    domain->is_32bit = good && (hal_domain_width(&domain->hal, false) != HV_OK);
    build_slot_of(domain)->again_ns = good ? 0u : (hal_timer_now_ns() + SPARE_AGAIN_NS);
    const uint64_t flags = spin_lock(&domain->lock);
    const bool ends = !good || domain->dying;

    if (good) {
        domain->paused = true;
        domain->nr_pauses = 1u;
        domain->state = ends ? DOMAIN_STOPPING : DOMAIN_RUNNING;
    }
    spin_unlock(&domain->lock, flags);
    if (good && !ends) {
        build_devices_begin(domain);
    }
    return ends;
}

/* Memory and all else stays for who looks why, until tools destroy it. True: that they do. */
static bool shut_down(struct domain *domain)
{
    const bool quiet = build_quiet(domain);
    const uint64_t flags = spin_lock(&domain->lock);
    const enum hal_power_request request = domain->power_request;
    const bool failed = (request == HAL_DOMAIN_CRASH) || (request == HAL_DOMAIN_WATCHDOG);
    const bool ends = domain->dying && quiet;

    if (!ends) {
        domain->state = failed ? DOMAIN_CRASHED : DOMAIN_STOPPED;
    }
    spin_unlock(&domain->lock, flags);
    if (!ends && domain_may_tell(domain)) {
        build_log_end(domain, request, domain->power_reason);
    }
    if (!ends) {
        build_tell();
    }
    return ends;
}

void build_spare_run(struct domain *domain)
{
    const bool ends = (domain->state == DOMAIN_BUILDING) ? made(domain) : shut_down(domain);

    if (ends) {
        build_unmake(domain, false);
        if (build_slot_of(domain)->stuck) {
            domain->state = DOMAIN_CRASHED; /* for good */
        } else {
            place_free(domain);
        }
        build_tell();
    }
}

static enum hv_status spare_destroy(struct domain *domain)
{
    const uint64_t flags = spin_lock(&domain->lock);
    const bool stuck = build_slot_of(domain)->stuck;
    const bool runs = (domain->state == DOMAIN_RUNNING);
    const bool stops = !stuck && (runs || build_is_down(domain->state));

    domain->dying = domain->dying || !stuck;
    if (stops) {
        domain->state = DOMAIN_STOPPING;
    }
    spin_unlock(&domain->lock, flags);
    if (stops) {
        build_vcpus_off(domain);
        work_queue(&build_slot_of(domain)->stop.work, cpu_id());
    }
    return stuck ? HV_DENIED : HV_BUSY;
}

enum hv_status build_destroy(struct domain *domain)
{
    bool down = false;

    if (domain->plan->spare) {
        return spare_destroy(domain);
    }
    const uint64_t flags = spin_lock(&domain->lock);

    if (build_is_down(domain->state)) {
        domain_id_set(domain, XEN_DOMID_INVALID);
        sched_pool_forget(domain);
        down = true;
    }
    spin_unlock(&domain->lock, flags);
    if (down) {
        build_tell();
        return HV_OK;
    }
    /* denied: it went down by itself this moment, which the next call finds */
    const enum hv_status ordered = build_order(domain, HAL_DOMAIN_OFF, "destroyed by tools");

    return ((ordered == HV_OK) || build_is_down(domain->state)) ? HV_BUSY : HV_DENIED;
}
