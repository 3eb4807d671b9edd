/* The partitioning that is in force, from the tables that the machine uses: the plan is asked for names only.
 * A domain may end meanwhile: each step looks again. */
/* [impl->req~partition-live~1] */
#include "build/builder.h"

#include "evtchn/evtchn.h"
#include "hal/iommu.h"
#include "irq/irq.h"
#include "mem/ram.h"
#include "sched/cpupool.h"

#define LINE_BYTES 200u
#define IRQ_FIRST  16u /* below are messages between CPUs */

struct report {
    void (*say)(void *ctx, const char *line);
    void *ctx;
    uint32_t nr_lines;
    char bytes[LINE_BYTES];
    struct fmt_buf line;
};

/* Addresses that are one thing: of host RAM, or a guest's that lead to host addresses without a gap. */
struct run {
    uint64_t at;
    uint64_t bytes; /* 0: none yet */
    uint64_t to;
    uint32_t is;   /* owner, or permissions: 0 for a hole */
    bool repeated; /* all its pages lead to one: it stands in for memory of a domain that is down */
};

static void end(struct report *r)
{
    r->nr_lines++;
    r->say(r->ctx, r->bytes);
    fmt_init(&r->line, r->bytes, LINE_BYTES);
    work_breathe();
}

static uint64_t last_of(const struct run *run)
{
    return run->at + (run->bytes - 1u);
}

/* -- Host RAM -- */

static const char *owner_name(uint32_t owner)
{
    static const char word[][9] = {
        [RAM_FREE] = "free", [RAM_IMAGE] = "image",   [RAM_HEAP] = "heap",
        [RAM_TREE] = "tree", [RAM_MODULE] = "module", [RAM_RESERVED] = "reserved"
    };
    const uint32_t index = (owner - RAM_OWNER_DOMAIN) - 1u; /* wraps for what is no domain's */

    return (index < domain_count)      ? domain_table[index]->plan->name
           : (owner < ARRAY_LEN(word)) ? word[owner]
                                       : "?";
}

/* What is free beside a static heap never is taken; what is free in it is its rest. */
static uint32_t owner_told(uint32_t owner)
{
    const bool is_rest = (owner == RAM_FREE) && (build_plan()->nr_static_heap > 0u);
    const uint32_t told = ((owner == RAM_UNUSED) || (owner == RAM_BLOCKS)) ? RAM_FREE : owner;

    return is_rest ? RAM_HEAP : told;
}

static void ram_say(struct report *r, const struct run *run)
{
    if (run->bytes > 0u) {
        const bool shared = (CONFIG_LINKS != 0) && (run->is == RAM_SHARED);

        fmt_add(&r->line, "ram %X-%X %s%s", run->at, last_of(run), shared ? "shm:" : "",
                shared ? build_region_id(hpa(run->at)) : owner_name(run->is));
        end(r);
    }
}

static void ram_report(struct report *r)
{
    struct run run = { 0u, 0u, 0u, 0u, false };
    uint64_t bytes = 0;
    uint32_t owner = 0;
    hpa_t base = { 0u };

    /* twice as many as there can be: they may change while this looks */
    for (uint32_t i = 0;
         (i < (2u * RAM_RANGES_MAX)) && ram_range(hpa(run.at + run.bytes), &base, &bytes, &owner); i++) {
        owner = owner_told(owner);
        if ((run.bytes > 0u) && (owner == run.is) && (base.v == (run.at + run.bytes)) &&
            (owner != RAM_SHARED)) {
            run.bytes += bytes;
        } else {
            ram_say(r, &run);
            run.at = base.v;
            run.bytes = bytes;
            run.is = owner;
        }
    }
    ram_say(r, &run);
}

/* -- Domains -- */

/* The regions of shared memory among what a run reaches */
static void shared_say(struct report *r, const struct domain *domain, const struct run *reached)
{
    const uint64_t end_at = reached->to + reached->bytes;
    uint64_t at = reached->to;
    uint64_t bytes = 0;
    uint32_t owner = 0;
    hpa_t base = { 0u };

    for (uint32_t i = 0; (i < RAM_RANGES_MAX) && (at < end_at) && ram_range(hpa(at), &base, &bytes, &owner);
         i++) {
        const uint64_t first = bits_max(base.v, at);
        const struct run run = { first, bits_min(base.v + bytes, end_at) - first, 0u, 0u, false };

        if ((CONFIG_LINKS != 0) && (owner == RAM_SHARED) && (first < end_at)) {
            fmt_add(&r->line, "shm %s %X-%X %s", build_region_id(hpa(first)), run.at, last_of(&run),
                    domain->plan->name);
            end(r);
        }
        at = base.v + bytes;
    }
}

static void map_say(struct report *r, const struct domain *domain, const struct run *run)
{
    if (run->is != 0u) {
        const bool device = (run->is & HAL_PERM_DEV) != 0u;
        const bool heap = !device && (ram_owner(hpa(run->to)) == RAM_HEAP);

        fmt_add(&r->line, "map %s %X-%X %X %s%s%s %s%s", domain->plan->name, run->at, last_of(run), run->to,
                ((run->is & HAL_PERM_R) != 0u) ? "r" : "-", ((run->is & HAL_PERM_W) != 0u) ? "w" : "-",
                ((run->is & HAL_PERM_X) != 0u) ? "x" : "-", device ? "device" : "normal",
                run->repeated ? " repeated" : (heap ? " heap" : ""));
        end(r);
        if (!run->repeated) {
            shared_say(r, domain, run);
        }
    }
}

/* Whether next goes on with run */
static bool goes_on(struct run *run, const struct run *next)
{
    const bool linear = !run->repeated && (next->to == (run->to + run->bytes));
    const bool repeated =
        (next->to == run->to) && (next->bytes == PAGE_BYTES) && (run->repeated || (run->bytes == PAGE_BYTES));

    run->repeated = run->repeated || (repeated && (next->is == run->is));
    return (linear || repeated) && (next->is == run->is);
}

/* What is at next->at. False: there is no map any more. */
static bool map_step(struct domain *domain, struct run *next)
{
    const uint64_t flags = spin_lock(&domain->lock);
    const bool there = (domain->state == DOMAIN_RUNNING) && (next->at < hal_guestmap_limit());
    enum hv_status status = HV_NOT_FOUND;
    hpa_t to = { 0u };

    if (there) {
        status = hal_guestmap_lookup(&domain->hal.map, gpa(next->at), &to, &next->is, &next->bytes);
    }
    spin_unlock(&domain->lock, flags);
    next->is = (status == HV_OK) ? next->is : 0u;
    next->to = to.v;
    return there;
}

/* Each step is over a block, a page or a hole of the tables. */
static void map_report(struct report *r, struct domain *domain)
{
    struct run run = { 0u, 0u, 0u, 0u, false };
    struct run next = { 0u, 0u, 0u, 0u, false };

    while (map_step(domain, &next)) {
        if (goes_on(&run, &next)) {
            run.bytes += next.bytes;
        } else {
            map_say(r, domain, &run);
            run = next;
        }
        next.at += next.bytes;
        work_breathe();
    }
    map_say(r, domain, &run);
}

static void put_set(struct report *r, uint64_t set)
{
    char separator = ' ';

    for (uint32_t i = 0; i < 64u; i++) {
        const bool is = ((set >> i) & 1u) != 0u;
        const bool was = (((set << 1u) >> i) & 1u) != 0u;
        const bool more = (((set >> 1u) >> i) & 1u) != 0u;

        if (is && (!was || !more)) {
            fmt_add(&r->line, "%c%u", (was && !more) ? '-' : separator, i);
            separator = ',';
        }
    }
}

/* Where it may run: of the CPUs of its pool, those that its affinity leaves, or all */
static uint64_t cpus_of(const struct vcpu *vcpu)
{
    struct sched_pool_facts pool;
    const bool known = (sched_pool_facts(vcpu->domain->cpupool, &pool) == HV_OK);
    const uint64_t cpus = known ? pool.cpus : UINT64_MAX;

    return ((vcpu->affinity & cpus) != 0u) ? (vcpu->affinity & cpus) : cpus;
}

static void domain_report(struct report *r, struct domain *domain)
{
    map_report(r, domain);
    for (uint32_t i = 0; (i < domain->nr_windows) && (domain->state == DOMAIN_RUNNING); i++) {
        const struct run run = { domain->window[i].base.v, domain->window[i].bytes, 0u, 0u, false };

        fmt_add(&r->line, "emulated %s %X-%X", domain->plan->name, run.at, last_of(&run));
        end(r);
    }
    for (uint32_t i = 0; (i < domain->nr_vcpus) && (domain->state == DOMAIN_RUNNING); i++) {
        fmt_add(&r->line, "vcpu %s/%u", domain->plan->name, i);
        put_set(r, cpus_of(domain->vcpu[i]));
        end(r);
    }
}

/* -- Interrupts -- */

static void irqs_report(struct report *r)
{
    for (uint32_t irq = IRQ_FIRST; irq < HAL_IRQ_MAX; irq++) {
        bool edge = false;
        uint32_t virq = 0;
        const bool enabled = hal_irq_is_enabled(irq, &edge);
        struct hal_domain *const guest = hal_irq_guest(irq, &virq);

        if ((guest != NULL) || enabled || irq_is_handled(irq)) {
            fmt_add(&r->line, "irq %u ", irq);
            if (guest != NULL) {
                fmt_add(&r->line, "%s %u", domain_of(guest)->plan->name, virq);
            } else {
                fmt_str(&r->line, "hypervisor");
            }
            fmt_str(&r->line, edge ? " edge" : " level");
            end(r);
        }
    }
}

/* -- DMA and links -- */

static void streams_report(struct report *r)
{
    for (uint32_t iommu = 0; iommu < HAL_IOMMUS_MAX; iommu++) {
        uint32_t first = 0;
        uint32_t nr = 0;
        uint16_t map_id = 0;

        while (hal_iommu_walk(iommu, &first, &nr, &map_id) && (nr > 0u)) {
            fmt_add(&r->line, "stream %u:%x-%x %s", iommu, first, first + (nr - 1u),
                    owner_name(RAM_OWNER_DOMAIN + map_id));
            end(r);
            first += nr;
        }
    }
}

/* Each is told once, from the end of the lower domain or port. */
static void channels_report(struct report *r, const struct domain *domain)
{
    const struct domain *peer = NULL;
    uint32_t peer_port = 0;
    bool is_static = false;

    for (uint32_t port = 0; port < EVTCHN_PORTS_MAX; port++) {
        if (evtchn_other_end(domain, port, &peer, &peer_port, &is_static) &&
            ((domain->id < peer->id) || ((domain == peer) && (port <= peer_port)))) {
            fmt_add(&r->line, "channel %s:%u %s:%u%s", domain->plan->name, port, peer->plan->name, peer_port,
                    is_static ? "" : " made by guests");
            end(r);
        }
    }
}

void build_report(void (*say)(void *ctx, const char *line), void *ctx)
{
    struct report r = { .say = say, .ctx = ctx };

    fmt_init(&r.line, r.bytes, LINE_BYTES);
    ram_report(&r);
    for (uint32_t i = 0; i < domain_count; i++) {
        if (domain_is_there(domain_table[i])) {
            domain_report(&r, domain_table[i]);
        }
    }
    irqs_report(&r);
    if (CONFIG_IOMMU != 0) {
        streams_report(&r);
    }
    for (uint32_t i = 0; (CONFIG_LINKS != 0) && (i < domain_count); i++) {
        channels_report(&r, domain_table[i]);
    }
    fmt_add(&r.line, "# %u facts", r.nr_lines);
    end(&r);
}
