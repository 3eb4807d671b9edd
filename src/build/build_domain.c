/* The phases in order. A failure undoes its own phase, as far as that went, and those before. */
/* [impl->req~construction-repeatable~1] */
#include "build/builder.h"

#include "base/log.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "sched/sched.h"

static enum hv_status vcpu_join(struct build_slot *slot, uint32_t index)
{
    struct domain *const domain = &slot->domain;
    struct vcpu *const vcpu = domain->vcpu[index];
    const uint64_t affinity = build_affinity(domain->plan, index);
    enum hv_status status;

    (void)memset(vcpu, 0, sizeof(*vcpu));
    vcpu->domain = domain;
    vcpu->index = index;
    vcpu->affinity = affinity;
    status = (affinity == 0u) ? HV_INVALID : hal_vcpu_init(&vcpu->hal, &domain->hal, index);
    if (status == HV_OK) {
        status = sched_add(vcpu);
    }
    if (status == HV_OK) {
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

/* Guest memory goes with the phase that took it. */
static void image_undo(struct domain *domain)
{
    (void)domain;
}

struct build_phase {
    const char *name;
    enum hv_status (*make)(struct domain *domain);
    void (*undo)(struct domain *domain); /* also after a make() that failed half-way */
};

static const struct build_phase phases[] = {
    { "reserve", build_reserve, build_release },
    { "map", build_map, build_unmap },
    { "vcpu", vcpus_do, vcpus_undo },
    { "vdev", build_devices, build_devices_undo },
    { "image", build_image, image_undo },
};

static void undo_phases(struct domain *domain, uint32_t count)
{
    for (uint32_t i = count; i > 0u; i--) {
        phases[i - 1u].undo(domain);
    }
}

static bool state_begin(struct domain *domain)
{
    const uint64_t flags = spin_lock(&domain->lock);
    const enum domain_state now = domain->state;
    const bool down = (now == DOMAIN_STOPPED) || (now == DOMAIN_CRASHED) || (now == DOMAIN_FAILED);
    const bool may = ((now == DOMAIN_NEW) || down) && !build_slot_of(domain)->stuck;

    if (may) {
        domain->state = DOMAIN_BUILDING;
    }
    spin_unlock(&domain->lock, flags);
    return may;
}

static void state_set(struct domain *domain, enum domain_state state)
{
    const uint64_t flags = spin_lock(&domain->lock);

    domain->state = state;
    spin_unlock(&domain->lock, flags);
}

enum hv_status build_domain(struct domain *domain)
{
    enum hv_status status = state_begin(domain) ? HV_OK : HV_BUSY;
    const bool mine = (status == HV_OK);
    uint32_t done = 0;

    if (mine) {
        console_reset(&domain->console); /* until now it showed how the domain ended */
    }
    while ((done < ARRAY_LEN(phases)) && (status == HV_OK)) {
        status = phases[done].make(domain);
        done++;
    }
    if (mine && (status != HV_OK)) {
        undo_phases(domain, done);
        state_set(domain, DOMAIN_FAILED);
        log_line("%s: not built, phase %s failed", domain->plan->name, phases[done - 1u].name);
    }
    return status;
}

void build_start(struct domain *domain)
{
    const struct build_slot *const slot = build_slot_of(domain);

    hal_vcpu_reset(&domain->vcpu[0]->hal, slot->entry.v, slot->tree.v);
    state_set(domain, DOMAIN_RUNNING);
    if (sched_power_on(domain->vcpu[0]) != HV_OK) {
        build_request_stop(domain, HAL_DOMAIN_CRASH, "its first vCPU cannot be powered on");
    }
}

void build_unmake(struct domain *domain)
{
    undo_phases(domain, (uint32_t)ARRAY_LEN(phases));
}
