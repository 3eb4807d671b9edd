/* What is allocated once, at boot. */
#include "build/builder.h"

#include "base/percpu.h"
#include "build/partition/build_pci.h"
#include "build/partition/build_pv.h"
#include "evtchn/evtchn.h"
#include "grant/grant.h"
#include "hal/sync.h"
#include "lib/crc32.h"
#include "mem/heap.h"
#include "virq/virq.h"

#define BUILD_WORKSPACES_MAX      8u                                /* more copy no faster */
#define BUILD_ARENA_PAGES         ((CONFIG_STATIC == 0) ? 12u : 1u) /* inflate: 39 KiB of state and history */
#define BUILD_TREE_BYTES          8192u /* device tree without CPUs, with the longest command line */
#define BUILD_TREE_BYTES_PER_VCPU 256u
#define BUILD_TREE_BYTES_PER_LINK 320u
#define BUILD_TREE_BYTES_PER_BANK 96u

static struct build_workspace workspaces[BUILD_WORKSPACES_MAX];
static uint32_t nr_workspaces;
static const struct plan *the_plan;
static uint64_t set_pinned; /* the CPUs that the plan gives to one vCPU each */

static uint32_t workspaces_wanted(const struct plan *plan)
{
    const uint64_t most = bits_min(plan->nr_cpus, plan->nr_domains);

    return (uint32_t)bits_max(1u, bits_min(most, BUILD_WORKSPACES_MAX));
}

static uint32_t tree_pages(const struct plan *plan)
{
    uint64_t most = 0;

    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        const uint64_t bytes = ((uint64_t)plan->domain[i].nr_vcpus * BUILD_TREE_BYTES_PER_VCPU) +
                               ((uint64_t)plan->domain[i].nr_static * BUILD_TREE_BYTES_PER_BANK) +
                               plan->domain[i].partial_room;

        most = bits_max(most, bytes);
    }
    return hal_pages(BUILD_TREE_BYTES + most + ((uint64_t)plan->nr_shm_uses * BUILD_TREE_BYTES_PER_LINK) +
                     ((CONFIG_CONTROL != 0) ? build_pv_tree_bytes(plan) : 0u) +
                     ((CONFIG_PCI != 0) ? build_pci_tree_bytes(plan) : 0u));
}

static uint64_t pages_own(const struct plan_domain *d)
{
    return (uint64_t)hal_pages(sizeof(struct build_slot)) +
           hal_pages((uint64_t)d->nr_vcpus * sizeof(struct vcpu)) + hal_pages(d->pool_bytes) +
           ((CONFIG_LINKS != 0) ? evtchn_pages(d) : 0u) + ((CONFIG_GRANTS != 0) ? grant_pages(d) : 0u) +
           (d->spare ? hal_pages(sizeof(*d)) : 0u);
}

uint64_t build_heap_bytes(const struct plan *plan)
{
    uint64_t pages = (uint64_t)workspaces_wanted(plan) * (BUILD_ARENA_PAGES + tree_pages(plan));

    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        pages += pages_own(&plan->domain[i]);
    }
    if (CONFIG_CONTROL != 0) {
        pages += pages_own(build_spare_plan(plan)) * plan->spares.nr;
    }
    return (pages + build_memory_pages(plan)) << PAGE_SHIFT;
}

static bool is_pinned(const struct plan_domain *domain)
{
    return (the_plan != NULL) && !domain->spare && (the_plan->pool[domain->pool].sched == PLAN_SCHED_NULL);
}

static void pins_note(const struct plan *plan)
{
    set_pinned = 0u;
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        const struct plan_domain *const domain = &plan->domain[i];

        for (uint32_t v = 0; (v < domain->nr_vcpus) && is_pinned(domain); v++) {
            set_pinned |= BIT64(domain->pinned[v] % HV_CPUS_MAX);
        }
    }
}

/* Should a pinned vCPU's CPU not have come online, another that is nobody's will do. */
uint64_t build_affinity(const struct plan_domain *plan, uint32_t index)
{
    const uint64_t online = percpu_online();
    const uint64_t pin = BIT64(plan->pinned[index] % HV_CPUS_MAX);
    uint64_t allowed = plan->affinity[index];

    if (is_pinned(plan) && ((online & pin) != 0u)) {
        allowed = pin;
    } else {
        allowed &= ~set_pinned;
    }
    return allowed & online;
}

/* A CPU that the plan gives to one is kept for it, also while it is off. */
uint64_t build_cpus(const struct plan_domain *plan, uint32_t index)
{
    return ~set_pinned | (is_pinned(plan) ? build_affinity(plan, index) : 0u);
}

bool build_has_streams(void)
{
    return plan_streams(the_plan) != 0u;
}

enum hv_status build_setup(const struct plan *plan)
{
    const uint32_t wanted = workspaces_wanted(plan);
    enum hv_status status = HV_OK;

    the_plan = plan;
    pins_note(plan);
    status = build_memory_setup(plan);
    if ((CONFIG_LINKS != 0) && (status == HV_OK)) {
        evtchn_init(plan);
        status = build_links_setup(plan);
    }
    if ((CONFIG_PCI != 0) && (status == HV_OK)) {
        status = build_pci_setup(plan);
    }
    nr_workspaces = 0u;
    for (uint32_t i = 0; (i < wanted) && (status == HV_OK); i++) {
        struct build_workspace *const w = &workspaces[i];

        w->busy = 0u;
        w->arena = heap_alloc(BUILD_ARENA_PAGES);
        w->arena_bytes = BUILD_ARENA_PAGES * PAGE_BYTES;
        w->tree = heap_alloc(tree_pages(plan));
        w->tree_bytes = tree_pages(plan) * PAGE_BYTES;
        if ((w->arena == NULL) || (w->tree == NULL)) {
            status = HV_NO_MEMORY;
        } else {
            nr_workspaces++;
        }
    }
    return (nr_workspaces > 0u) ? HV_OK : status;
}

const struct plan *build_plan(void)
{
    return the_plan;
}

uint32_t build_owner(uint8_t index)
{
    return ((CONFIG_CONTROL == 0) || (index < PLAN_OFFER)) ? index : build_offer_owner(index - PLAN_OFFER);
}

struct domain *build_owner_of(uint8_t index)
{
    const uint32_t owner = build_owner(index);

    return (owner < domain_count) ? domain_table[owner] : NULL;
}

uint32_t build_nr_workspaces(void)
{
    return nr_workspaces;
}

struct build_workspace *build_workspace_take(void)
{
    struct build_workspace *mine = NULL;

    /* Ends: whoever holds a workspace is another CPU's worker, and a build is bounded. */
    while (mine == NULL) {
        for (uint32_t i = 0; (i < nr_workspaces) && (mine == NULL); i++) {
            if (hal_compare_swap32(&workspaces[i].busy, 0u, 1u)) {
                mine = &workspaces[i];
            }
        }
        if (mine == NULL) {
            hal_cpu_relax();
            work_breathe();
        }
    }
    mine->arena_used = 0u;
    return mine;
}

void build_workspace_give(struct build_workspace *workspace)
{
    hal_store_release32(&workspace->busy, 0u);
}

/* What is typed for the domain goes where it reads. */
static void input(void *ctx, uint8_t c)
{
    struct build_slot *const slot = ctx;

    if ((CONFIG_LINKS == 0) || !evtchn_console_receive(&slot->domain, c)) {
        vpl011_receive(&slot->uart, c);
    }
}

static void output_room(void *ctx)
{
    struct build_slot *const slot = ctx;

    vpl011_transmit(&slot->uart);
}

/* What tools call a domain at each start of the host: the plan's word, or one by name and number. */
static void handle_fill(struct domain *domain, const struct plan_domain *plan)
{
    static const uint8_t own[] = { 'b', 'u', 'l', 'k', 'h', 'e', 0x80u, 'a', 0x80u, 'd' };
    uint8_t *const name = &domain->handle[sizeof(own)];
    const uint32_t sum = crc32_update(0u, (const uint8_t *)plan->name, strlen(plan->name));

    if (plan->has_uuid) {
        (void)memcpy(domain->handle, plan->uuid, sizeof(domain->handle));
    } else if (plan->domid != 0u) {
        (void)memcpy(domain->handle, own, sizeof(own));
        for (uint32_t i = 0; i < sizeof(sum); i++) {
            name[i] = (uint8_t)(sum >> (8u * i));
        }
        name[sizeof(sum)] = (uint8_t)plan->domid;
        name[sizeof(sum) + 1u] = (uint8_t)(plan->domid >> 8u);
    } else {
        /* zero is domain 0's */
    }
}

static void slot_fill(struct build_slot *slot, const struct plan_domain *plan)
{
    struct domain *const d = &slot->domain;

    slot->as_planned = plan;
    if (plan->spare) {
        *slot->own = *plan;
    }

    d->plan = plan->spare ? slot->own : plan;
    d->cpupool = plan->pool;
    d->index = domain_count;
    d->state = plan->unsound ? DOMAIN_FAILED : DOMAIN_NEW;
    d->nr_vcpus = plan->nr_vcpus;
    if (CONFIG_CONTROL != 0) {
        handle_fill(d, plan);
    }
    spin_init(&d->lock, LOCK_DOMAIN);
    for (uint32_t i = 0; i < plan->nr_vcpus; i++) {
        d->vcpu[i] = &slot->vcpus[i];
    }
    virq_setup(d);
    vpl011_setup(&slot->uart);
    if (CONFIG_WATCHDOG != 0) {
        watchdog_setup(&slot->watchdog);
    }
    d->console.name = d->plan->name;
    d->console.prefix = true;
    if (plan->spare) {
        /* its tools have its console */
    } else if (plan->vpl011 || (plan->enhanced != PLAN_ENHANCED_NONE)) {
        d->console.rx = input;
        d->console.room = output_room;
        d->console.ctx = slot;
    }
}

/* What the heap gives for a domain; NULL */
static struct build_slot *slot_make(const struct plan_domain *plan)
{
    struct build_slot *const slot = heap_alloc(hal_pages(sizeof(*slot)));
    const uint32_t vcpu_pages = hal_pages((uint64_t)plan->nr_vcpus * sizeof(struct vcpu)); /* 0: unsound */
    bool good = (slot != NULL) && (pool_init(&slot->domain.pool, hal_pages(plan->pool_bytes)) == HV_OK);

    if (good && (vcpu_pages > 0u)) {
        slot->vcpus = heap_alloc(vcpu_pages);
        good = (slot->vcpus != NULL);
    }
    if ((CONFIG_CONTROL != 0) && good && plan->spare) {
        slot->own = heap_alloc(hal_pages(sizeof(*plan)));
        good = (slot->own != NULL);
    }
    return good ? slot : NULL;
}

enum hv_status build_prepare(const struct plan_domain *plan, struct domain **domain)
{
    struct build_slot *const slot = (domain_count < HV_DOMAINS_MAX) ? slot_make(plan) : NULL;
    enum hv_status status = (slot != NULL) ? HV_OK : HV_NO_MEMORY;

    if (status == HV_OK) {
        slot_fill(slot, plan);
        build_stop_setup(slot);
        status = (CONFIG_LINKS != 0) ? evtchn_setup(&slot->domain) : HV_OK;
    }
    if ((CONFIG_GRANTS != 0) && (status == HV_OK)) {
        status = grant_setup(&slot->domain);
    }
    if (status == HV_OK) {
        status = console_register(&slot->domain.console, false);
    }
    if (status == HV_OK) {
        domain_table[domain_count] = &slot->domain;
        domain_count++;
        domain_id_set(&slot->domain, plan->spare ? XEN_DOMID_INVALID : plan->domid);
        *domain = &slot->domain;
    } else {
        log_line("/chosen/%s: the hypervisor's own memory does not suffice for it", plan->name);
    }
    return status;
}
