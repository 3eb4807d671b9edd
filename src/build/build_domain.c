/* The phases in order. A failure undoes everything, as far as it went. */
/* [impl->req~construction-repeatable~1] [impl->req~restart-fresh~1] */
#include "build/builder.h"

#include "build/partition/build_given.h"
#include "evtchn/evtchn.h"
#include "grant/grant.h"
#include "sched/sched.h"

static enum hv_status vcpu_join(struct build_slot *slot, uint32_t index)
{
    struct domain *const domain = &slot->domain;
    struct vcpu *const vcpu = domain->vcpu[index];
    const uint64_t affinity = build_affinity(domain->plan, index);
    enum hv_status status;

    (void)memset(vcpu, 0, offsetof(struct vcpu, timer)); /* another CPU may just be firing the timer */
    vcpu->domain = domain;
    vcpu->index = index;
    vcpu->affinity = affinity;
    vcpu->window = domain->window;
    status = (affinity == 0u) ? HV_INVALID : hal_vcpu_init(&vcpu->hal, &domain->hal, index);
    if (status == HV_OK) {
        sched_add(vcpu);
        slot->nr_joined++;
    } else {
        log_line("/chosen/%s: cpus: found no CPU that vCPU %u could run on, expected one that is online",
                 domain->plan->name, index);
    }
    return status;
}

static enum hv_status vcpus_do(struct domain *domain)
{
    enum hv_status status = HV_OK;

    for (uint32_t i = 0; (i < domain->nr_vcpus) && (status == HV_OK); i++) {
        status = vcpu_join(build_slot_of(domain), i);
    }
    return status;
}

static void vcpus_undo(struct domain *domain)
{
    struct build_slot *const slot = build_slot_of(domain);

    while (slot->nr_joined > 0u) {
        slot->nr_joined--;
        sched_remove(domain->vcpu[slot->nr_joined]);
    }
}

/* What the first life is made from is what the loader has just put there. */
static enum hv_status modules_check(struct domain *domain)
{
    return (domain->nr_restarts > 0u) ? build_check_modules(domain) : HV_OK;
}

static enum hv_status events_do(struct domain *domain)
{
    if (CONFIG_LINKS != 0) {
        evtchn_begin(domain);
    }
    return HV_OK;
}

static enum hv_status announce_do(struct domain *domain)
{
    if (CONFIG_LINKS != 0) {
        evtchn_announce(domain);
    }
    return HV_OK;
}

static enum hv_status grants_do(struct domain *domain)
{
    grant_begin(domain);
    return HV_OK;
}

static void grants_undo(struct domain *domain)
{
    grant_end(domain, work_breathe);
}

/* Tools bring the image of theirs. */
static enum hv_status image_do(struct domain *domain)
{
    return domain->plan->spare ? HV_OK : build_image(domain);
}

struct build_phase {
    const char *name;
    enum hv_status (*make)(struct domain *domain);
    void (*undo)(struct domain *domain); /* also after a make() that failed half-way or was not called */
};

static const struct build_phase phases[] = {
    { "modules", modules_check, NULL },
    { "reserve", build_reserve, build_release },
    { "map", build_map, build_unmap },
    { "grants", (CONFIG_GRANTS != 0) ? grants_do : NULL, (CONFIG_GRANTS != 0) ? grants_undo : NULL },
    { "events", events_do,
      (CONFIG_LINKS != 0) ? evtchn_domain_reset : NULL }, /* peers hear of an end when links are revoked */
    { "store", (CONFIG_LINKS != 0) ? build_store : NULL, NULL },
    { "links", (CONFIG_LINKS != 0) ? build_links : NULL, (CONFIG_LINKS != 0) ? build_links_undo : NULL },
    { "vcpu", vcpus_do, vcpus_undo },
    { "vdev", build_devices, build_devices_undo },
    { "devices", (CONFIG_DEVICES != 0) ? build_given : NULL,
      (CONFIG_DEVICES != 0) ? build_given_undo : NULL },
    { "image", image_do, NULL },
    { "streams", (CONFIG_IOMMU != 0) ? build_streams : NULL,
      (CONFIG_IOMMU != 0) ? build_streams_undo : NULL }, /* cut before anything else is taken away */
    { "announce", announce_do, NULL },
};

#define PHASES_KEPT 2u /* a restart does not undo these: memory that it never gave back cannot run out */

void build_unmake(struct domain *domain, bool restarts)
{
    const uint32_t first = restarts ? PHASES_KEPT : 0u;

    for (uint32_t i = (uint32_t)ARRAY_LEN(phases); (i > first) && !build_slot_of(domain)->stuck; i--) {
        if (phases[i - 1u].undo != NULL) {
            phases[i - 1u].undo(domain);
        }
    }
}

static void state_set(struct domain *domain, enum domain_state state)
{
    const uint64_t flags = spin_lock(&domain->lock);

    domain->state = state;
    spin_unlock(&domain->lock, flags);
}

enum hv_status build_phases(struct domain *domain)
{
    enum hv_status status = HV_OK;
    uint32_t done = 0;

    console_reset(&domain->console); /* until now it showed how the domain ended */
    while ((done < ARRAY_LEN(phases)) && (status == HV_OK)) {
        status = (phases[done].make != NULL) ? phases[done].make(domain) : HV_OK;
        done++;
    }
    if (status != HV_OK) {
        build_unmake(domain, false);
        state_set(domain, DOMAIN_FAILED);
        log_line("%s: not built, phase %s failed", domain->plan->name, phases[done - 1u].name);
        build_tell();
    }
    return status;
}

enum hv_status build_domain(struct domain *domain)
{
    const uint64_t flags = spin_lock(&domain->lock);
    const bool down = (domain->state == DOMAIN_NEW) || build_is_down(domain->state);
    const bool may = down && !build_slot_of(domain)->stuck && !build_is_spent(domain);

    if (may) {
        build_begin(domain);
    }
    spin_unlock(&domain->lock, flags);
    return may ? build_phases(domain) : HV_BUSY;
}

void build_start(struct domain *domain)
{
    struct build_slot *const slot = build_slot_of(domain);
    enum hv_status status = HV_OK;

    sched_reset(domain->vcpu[0], slot->entry.v, slot->tree.v);
    const uint64_t flags = spin_lock(&domain->lock);
    const bool unwanted = slot->ordered && (domain->power_request == HAL_DOMAIN_OFF);

    domain->progress = 0u;
    if (unwanted) {
        domain->state = DOMAIN_STOPPING;
    } else { /* with the lock: whoever stops it finds it powered on */
        domain->state = DOMAIN_RUNNING;
        slot->ordered = false;
        build_devices_begin(domain);
        status = sched_power_on(domain->vcpu[0]);
    }
    spin_unlock(&domain->lock, flags);
    if (unwanted) {
        build_stop_queue(domain);
    } else if (status != HV_OK) {
        build_request_stop(domain, HAL_DOMAIN_CRASH, "its first vCPU cannot be powered on");
    } else {
        build_tell();
    }
}

/* Lock held: one more or one less, or what somebody says who does not count. */
static void pauses_count(struct domain *domain, bool paused, bool counts)
{
    if (!counts) {
        domain->nr_pauses = paused ? 1u : 0u;
    } else if (paused) {
        domain->nr_pauses++;
    } else {
        domain->nr_pauses--;
    }
}

bool build_pause(struct domain *domain, bool paused, bool counts)
{
    const uint64_t flags = spin_lock(&domain->lock);
    const bool runs = (domain->state == DOMAIN_RUNNING);
    const bool here = runs || (counts && build_is_down(domain->state));
    const bool more = paused && counts && (domain->nr_pauses < DOMAIN_PAUSES_MAX);
    const bool may = here && ((domain->paused != paused) || more);

    if (may) {
        pauses_count(domain, paused, counts);
    }
    if (may && paused) {
        domain->paused = true;
        sched_pause_domain(domain);
    } else if (may && (domain->nr_pauses == 0u)) {
        if (runs) {
            build_devices_begin(domain);
        }
        domain->paused = false;
        sched_unpause_domain(domain);
    } else {
        /* it stays so */
    }
    spin_unlock(&domain->lock, flags);
    return may;
}
