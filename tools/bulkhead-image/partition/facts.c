#include "partition/facts.h"

#include <stdio.h>
#include <string.h>

#include "config/partition/layout.h"
#include "lib/bits.h"

#define UART_BYTES     PAGE_BYTES
#define WATCHDOG_BYTES (2u * PAGE_BYTES)
#define PCI_ECAM_BYTES MIB(1u)
#define GICV2_SPREAD_FROM                                                                                    \
    KIB(128u) /* of a CPU interface so large the second page is 64 KiB behind the first */

#define ITEM_NEW(f, array, nr)                                                                               \
    (((f)->nr < ARRAY_LEN((f)->array)) ? &(f)->array[(f)->nr++] : ((f)->cut = true, (void *)NULL))

static struct owner owner_of(enum owner_kind kind)
{
    const struct owner owner = { kind, 0u };

    return owner;
}

static struct owner owner_domain(uint32_t domain)
{
    const struct owner owner = { OWNER_DOMAIN, domain };

    return owner;
}

static uint64_t u64_min(uint64_t a, uint64_t b)
{
    return (a < b) ? a : b;
}

static uint64_t u64_max(uint64_t a, uint64_t b)
{
    return (a > b) ? a : b;
}

/* -- RAM -- */

static void ram_add(struct facts *f, uint64_t first, uint64_t last, struct owner owner, const char *detail)
{
    struct fact_ram *const r = ITEM_NEW(f, ram, nr_ram);

    if (r != NULL) {
        r->first = first;
        r->last = last;
        r->owner = owner;
        snprintf(r->detail, sizeof(r->detail), "%s", detail);
    }
}

/* What of the pages is free becomes the owner's; the rest keeps the owner it has, as when the hypervisor
 * boots. Answers how many bytes it got. */
static uint64_t ram_take(struct facts *f, uint64_t base, uint64_t bytes, struct owner owner,
                         const char *detail)
{
    const uint64_t first = bits_align_down(base, PAGE_BYTES);
    const uint64_t last = bits_align_up(base + bytes, PAGE_BYTES) - 1u;
    const uint32_t nr = f->nr_ram;
    uint64_t got = 0;

    for (uint32_t i = 0; (i < nr) && (bytes > 0u); i++) {
        struct fact_ram *const r = &f->ram[i];
        const uint64_t from = u64_max(first, r->first);
        const uint64_t to = u64_min(last, r->last);

        if ((r->owner.kind != OWNER_FREE) || (from > to)) {
            continue;
        }
        if (r->first < from) {
            ram_add(f, r->first, from - 1u, r->owner, "");
        }
        if (to < r->last) {
            ram_add(f, to + 1u, r->last, r->owner, "");
        }
        f->ram[i].first = from;
        f->ram[i].last = to;
        f->ram[i].owner = owner;
        snprintf(f->ram[i].detail, sizeof(f->ram[i].detail), "%s", detail);
        got += (to - from) + 1u;
    }
    return got;
}

/* All of it or, for the proof to find, what overlaps. */
static void ram_take_all(struct facts *f, const struct range *range, struct owner owner, const char *detail)
{
    if (ram_take(f, range->base, range->bytes, owner, detail) != range->bytes) {
        ram_add(f, range->base, range->base + (range->bytes - 1u), owner, detail);
    }
}

static void module_take(struct facts *f, const struct plan_domain *d, const struct plan_module *m)
{
    char detail[64];

    snprintf(detail, sizeof(detail), "%.24s/%.24s", d->name, (m->name != NULL) ? m->name : "");
    (void)ram_take(f, m->base.v, m->bytes, owner_of(OWNER_MODULE), detail);
}

static void ram_make(struct facts *f, const struct plan *plan, const struct config_env *env,
                     uint64_t own_bytes, uint64_t tree_bytes)
{
    f->nr_banks = plan->nr_ram;
    for (uint32_t i = 0; i < plan->nr_ram; i++) {
        f->bank[i] = plan->ram[i];
        ram_add(f, plan->ram[i].base, plan->ram[i].base + (plan->ram[i].bytes - 1u), owner_of(OWNER_FREE),
                "");
    }
    (void)ram_take(f, env->image_base.v, own_bytes, owner_of(OWNER_IMAGE), "");
    for (uint32_t i = 0; i < plan->nr_reserved; i++) {
        const bool log = (plan->log_keep.bytes > 0u) && (plan->reserved[i].base == plan->log_keep.base);

        (void)ram_take(f, plan->reserved[i].base, plan->reserved[i].bytes, owner_of(OWNER_RESERVED),
                       log ? "log" : "");
    }
    (void)ram_take(f, env->tree_base.v, tree_bytes, owner_of(OWNER_TREE), "");
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        module_take(f, &plan->domain[i], &plan->domain[i].kernel);
        module_take(f, &plan->domain[i], &plan->domain[i].ramdisk);
        module_take(f, &plan->domain[i], &plan->domain[i].partial);
    }
    for (uint32_t i = 0; i < plan->nr_static_heap; i++) {
        ram_take_all(f, &plan->static_heap[i], owner_of(OWNER_HEAP), "");
    }
    for (uint32_t i = 0; i < plan->nr_shm; i++) {
        const struct owner owner = { OWNER_SHM, i };

        if (plan->shm[i].is_placed) {
            ram_take_all(f, &plan->shm[i].host, owner, "");
        }
    }
}

/* -- Guests' address spaces -- */

static void map_add(struct facts *f, const struct fact_map *map)
{
    struct fact_map *const m = ITEM_NEW(f, map, nr_maps);

    if (m != NULL) {
        *m = *map;
    }
}

/* Memory at fixed places fills the guest's banks in order, or lies where the host has it. */
static void memory_make(struct facts *f, const struct plan *plan, uint32_t domain)
{
    const struct plan_domain *const d = &plan->domain[domain];
    const struct hal_guest_layout *const layout = hal_plan_layout();
    uint32_t bank = 0;
    uint64_t used = 0; /* of the bank */

    for (uint32_t i = d->static_first; i < (d->static_first + d->nr_static); i++) {
        const struct range *const r = &plan->static_mem[i];
        uint64_t done = 0;

        ram_take_all(f, r, owner_domain(domain), "");
        while ((done < r->bytes) && (bank < layout->nr_banks)) {
            const uint64_t room = d->host_memory ? r->bytes : (layout->bank[bank].max_bytes - used);
            const uint64_t piece = u64_min(room, r->bytes - done);
            const uint64_t at = d->host_memory ? r->base : (layout->bank[bank].base.v + used);
            const struct fact_map m = {
                domain, at, at + (piece - 1u), r->base + done, FACT_R | FACT_W | FACT_X, false, false
            };

            if (piece > 0u) {
                map_add(f, &m);
            }
            done += piece;
            used += d->host_memory ? 0u : piece;
            if (!d->host_memory && (used == layout->bank[bank].max_bytes)) {
                bank++;
                used = 0;
            }
        }
    }
}

static void emulated_add(struct facts *f, uint32_t domain, uint64_t at, uint64_t bytes, const char *what)
{
    struct fact_emulated *const e = ITEM_NEW(f, emulated, nr_emulated);

    if (e != NULL) {
        e->domain = domain;
        e->first = at;
        e->last = at + (bytes - 1u);
        e->what = what;
        e->by_port = false;
    }
}

/* Its interrupt controller is emulated, but with GICv2 the CPU interface: that is the hardware's virtual one,
 * two pages. */
static void controller_make(struct facts *f, const struct arm_plan_host *arm, const struct plan_domain *d,
                            uint32_t domain)
{
    const uint64_t stride = (arm->gicc.bytes >= GICV2_SPREAD_FROM) ? KIB(64u) : PAGE_BYTES;
    const bool mapped = (arm->gic_version == 2u);
    struct arm_gic_map gic;

    (void)arm_plan_gic_map(arm, d->direct_map, d->nr_vcpus, &gic);
    for (uint32_t i = 0; i < (mapped ? 1u : gic.nr_ranges); i++) {
        emulated_add(f, domain, gic.range[i].base, gic.range[i].bytes, "interrupt controller");
        f->emulated[f->nr_emulated - 1u].by_port = true;
    }
    for (uint32_t page = 0; (page < 2u) && mapped; page++) {
        const uint64_t at = gic.range[1].base + ((uint64_t)page * PAGE_BYTES);
        const struct fact_map m = {
            domain, at, at + (PAGE_BYTES - 1u), arm->gicv.base + (page * stride), FACT_R | FACT_W, true, false
        };

        map_add(f, &m);
    }
}

static bool has_pci(const struct plan *plan, uint32_t domain)
{
    bool has = false;

    for (uint32_t i = 0; i < plan->nr_pci; i++) {
        has = has || (plan->pci[i].domain == domain);
    }
    return has;
}

static void guests_make(struct facts *f, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        const struct plan_domain *const d = &plan->domain[i];

        if (d->unsound) {
            continue;
        }
        memory_make(f, plan, i);
        controller_make(f, &plan->host.arm, d, i);
        if (d->vpl011) {
            emulated_add(f, i, layout_uart(plan, d).base.v, UART_BYTES, "uart");
        }
        if (d->watchdog) {
            emulated_add(f, i, hal_plan_layout()->watchdog_base.v, WATCHDOG_BYTES, "watchdog");
        }
        if (has_pci(plan, i)) {
            emulated_add(f, i, hal_plan_layout()->pci_ecam.v, PCI_ECAM_BYTES, "PCI configuration");
        }
    }
    for (uint32_t i = 0; i < plan->nr_shm_uses; i++) {
        const struct plan_shm_use *const u = &plan->shm_use[i];
        const struct plan_shm *const s = &plan->shm[u->shm];
        const struct fact_map m = {
            u->domain, u->at.v, u->at.v + (u->bytes - 1u), s->host.base + u->offset, FACT_R | FACT_W,
            false,     false
        };

        f->shm[u->shm].user_domain |= BIT32(u->domain);
        if (s->is_placed) {
            map_add(f, &m);
        }
    }
    for (uint32_t i = 0; i < plan->nr_windows; i++) {
        const struct plan_window *const w = &plan->window[i];
        const struct fact_map m = { w->domain,
                                    w->at.v,
                                    w->at.v + (w->host.bytes - 1u),
                                    w->host.base,
                                    FACT_R | FACT_W,
                                    true,
                                    (plan->domain[w->domain].role & PLAN_ROLE_HARDWARE) != 0u };

        map_add(f, &m);
    }
}

/* -- Devices and interrupts -- */

static void device_add(struct facts *f, uint64_t base, uint64_t bytes, struct owner owner, const char *what)
{
    struct fact_device *const d = (bytes > 0u) ? ITEM_NEW(f, device, nr_devices) : NULL;

    if (d != NULL) {
        d->first = base;
        d->last = base + (bytes - 1u);
        d->owner = owner;
        snprintf(d->what, sizeof(d->what), "%s", (what != NULL) ? what : "");
    }
}

static void irq_add(struct facts *f, const struct plan_line *line, struct owner owner, const char *what)
{
    struct fact_irq *const i = ITEM_NEW(f, irq, nr_irqs);

    if (i != NULL) {
        i->irq = line->irq;
        i->owner = owner;
        i->virq = line->virq;
        i->edge = line->edge;
        snprintf(i->what, sizeof(i->what), "%s", (what != NULL) ? what : "");
    }
}

static void own_irq_add(struct facts *f, uint32_t irq, bool edge, const char *what)
{
    const struct plan_line line = { .irq = irq, .edge = edge };

    irq_add(f, &line, owner_of(OWNER_HYPERVISOR), what);
}

/* Its interrupts are used if a domain has one of its streams. */
static void smmu_make(struct facts *f, const struct plan *plan, uint32_t iommu)
{
    const struct arm_smmu *const smmu = &plan->host.arm.smmu[iommu];
    bool used = false;

    device_add(f, smmu->base, KIB(128u), owner_of(OWNER_HYPERVISOR), "IOMMU");
    for (uint32_t i = 0; i < plan_streams(plan); i++) {
        used = used || (plan->stream[i].iommu == iommu);
    }
    for (uint32_t i = 0; (i < ARM_SMMU_LINES) && used; i++) {
        if ((smmu->irq[i] != 0u) && ((i == 0u) || (smmu->irq[i] != smmu->irq[0]))) {
            own_irq_add(f, smmu->irq[i], smmu->edge[i], "IOMMU");
        }
    }
}

static void own_make(struct facts *f, const struct plan *plan)
{
    const struct arm_plan_host *const arm = &plan->host.arm;
    const struct owner own = owner_of(OWNER_HYPERVISOR);

    if (plan->console.kind != PLAN_CONSOLE_NONE) {
        device_add(f, plan->console.base.v, plan->console.bytes, own, "console");
        if (plan->console.irq != 0u) {
            own_irq_add(f, plan->console.irq, plan->console.irq_edge, "console");
        }
    }
    device_add(f, arm->gicd.base, arm->gicd.bytes, own, "interrupt distributor");
    if (arm->gic_version == 2u) {
        device_add(f, arm->gicc.base, arm->gicc.bytes, own, "interrupt CPU interface");
        device_add(f, arm->gich.base, arm->gich.bytes, own, "interrupt hypervisor interface");
        device_add(f, arm->gicv.base, arm->gicv.bytes, own, "interrupt virtual interface");
        f->device[f->nr_devices - 1u].banked = true;
    }
    for (uint32_t i = 0; i < arm->nr_gicr; i++) {
        device_add(f, arm->gicr[i].base, arm->gicr[i].bytes, own, "interrupt redistributors");
    }
    for (uint32_t i = 0; i < arm->nr_smmus; i++) {
        smmu_make(f, plan, i);
    }
    own_irq_add(f, arm->ppi_maintenance, false, "interrupt maintenance");
    own_irq_add(f, arm->ppi_hyp_timer, false, "hypervisor timer");
    own_irq_add(f, arm->ppi_virt_timer, false, "guests' timer");
}

/* Host bridges of which functions are given */
static void pci_make(struct facts *f, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->nr_pci_hosts; i++) {
        const struct plan_pci_host *const h = &plan->pci_host[i];

        device_add(f, h->ecam.base, h->ecam.bytes, owner_of(OWNER_HYPERVISOR), "PCI configuration");
        for (uint32_t w = 0; w < PLAN_PCI_WINDOWS; w++) {
            device_add(f, h->memory[w].base, h->memory[w].bytes, owner_of(OWNER_HYPERVISOR),
                       "PCI functions' registers");
        }
    }
    f->nr_pci = plan->nr_pci;
    for (uint32_t i = 0; i < plan->nr_pci; i++) {
        f->pci[i].domain = plan->pci[i].domain;
        snprintf(f->pci[i].function, sizeof(f->pci[i].function), "%.31s", plan->pci[i].name);
    }
}

static bool claimed(const struct facts *f, uint64_t first, uint64_t last)
{
    bool meets = false;

    for (uint32_t i = 0; i < f->nr_banks; i++) {
        meets = meets || ((first < (f->bank[i].base + f->bank[i].bytes)) && (last >= f->bank[i].base));
    }
    for (uint32_t i = 0; i < f->nr_devices; i++) {
        meets = meets || ((first <= f->device[i].last) && (last >= f->device[i].first));
    }
    return meets;
}

/* Registers in the host's tree that are in no map. */
static void nobodys_make(struct facts *f, const struct dt_index *ix)
{
    for (uint32_t n = 1; n < ix->nr_nodes; n++) {
        const uint32_t nr = dt_has(ix, n, "compatible") ? dt_reg_count(ix, n) : 0u;
        const bool chosen = dt_find(ix, "/chosen") == ix->node[n].parent;

        for (uint32_t i = 0; (i < nr) && !chosen; i++) {
            struct range r = { 0u, 0u };
            struct fmt_buf path;
            char text[PLAN_PATH_MAX];

            if (dt_reg_host(ix, n, i, &r) && (r.bytes > 0u) && !claimed(f, r.base, r.base + (r.bytes - 1u))) {
                fmt_init(&path, text, sizeof(text));
                dt_path(ix, n, &path);
                device_add(f, r.base, r.bytes, owner_of(OWNER_FREE), text);
            }
        }
    }
}

static void given_make(struct facts *f, const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->nr_windows; i++) {
        const struct plan_window *const w = &plan->window[i];

        device_add(f, w->host.base, w->host.bytes, owner_domain(w->domain), w->path);
    }
    for (uint32_t i = 0; i < plan->nr_lines; i++) {
        const struct plan_line *const l = &plan->line[i];

        irq_add(f, l, owner_domain(l->domain), l->path);
    }
    for (uint32_t i = 0; i < plan->nr_streams; i++) {
        const struct plan_stream *const s = &plan->stream[i];
        struct fact_stream *const to = &f->stream[f->nr_streams];

        to->iommu = s->iommu;
        to->first = s->first;
        to->last = s->first + (s->nr - 1u);
        to->domain = s->domain;
        snprintf(to->what, sizeof(to->what), "%s", (s->path != NULL) ? s->path : "");
        f->nr_streams++;
    }
}

/* -- Links, CPUs, domains -- */

static void links_make(struct facts *f, const struct plan *plan)
{
    f->nr_channels = plan->nr_channels;
    for (uint32_t i = 0; i < plan->nr_channels; i++) {
        const struct plan_channel *const c = &plan->channel[i];
        const bool after =
            (c->domain[0] > c->domain[1]) || ((c->domain[0] == c->domain[1]) && (c->port[0] > c->port[1]));
        const uint32_t swap = after ? 1u : 0u; /* the lower end first */

        for (uint32_t end = 0; end < 2u; end++) {
            f->channel[i].domain[end] = c->domain[end ^ swap];
            f->channel[i].port[end] = c->port[end ^ swap];
        }
    }
    f->nr_shm = plan->nr_shm;
    for (uint32_t i = 0; i < plan->nr_shm; i++) {
        const struct plan_shm *const s = &plan->shm[i];
        struct fact_shm *const to = &f->shm[i];

        snprintf(to->id, sizeof(to->id), "%s", s->id);
        to->placed = s->is_placed;
        to->first = s->host.base;
        to->last = s->host.base + (s->host.bytes - 1u);
        to->owner = (s->owner == PLAN_NO_DOMAIN) ? owner_of(OWNER_HYPERVISOR) : owner_domain(s->owner);
    }
}

static void pools_make(struct facts *f, const struct plan *plan)
{
    f->nr_pools = plan->nr_pools;
    for (uint32_t i = 0; i < plan->nr_pools; i++) {
        const struct plan_pool *const p = &plan->pool[i];

        f->pool[i] = (struct fact_pool){ p->sched, p->cpus, p->major_us, p->admission };
    }
    f->nr_windows = plan->nr_minors;
    for (uint32_t i = 0; i < plan->nr_minors; i++) {
        const struct plan_minor *const w = &plan->minor[i];

        f->window[i] =
            (struct fact_window){ w->domain, w->vcpu, w->cpu, w->at_us, (uint64_t)w->at_us + w->us };
    }
}

static void domains_make(struct facts *f, const struct plan *plan)
{
    f->nr_cpus = plan->nr_cpus;
    f->nr_domains = plan->nr_domains;
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        const struct plan_domain *const d = &plan->domain[i];
        const struct plan_pool *const pool = &plan->pool[d->pool];
        const bool is_null = (pool->sched == PLAN_SCHED_NULL);

        f->shared_cpus = f->shared_cpus || !is_null;
        snprintf(f->domain[i].name, sizeof(f->domain[i].name), "%s", d->name);
        f->domain[i].starts = !d->unsound;
        f->domain[i].placed = d->nr_static > 0u;
        f->domain[i].memory_bytes = d->memory_bytes;
        for (uint32_t v = 0; (v < d->nr_vcpus) && !d->unsound; v++) {
            struct fact_vcpu *const to = &f->vcpu[f->nr_vcpus];

            to->domain = i;
            to->index = v;
            to->pool = d->pool;
            to->cpus = is_null ? BIT64(d->pinned[v]) : (d->affinity[v] & pool->cpus);
            f->nr_vcpus++;
        }
    }
}

static void unplaced_add(struct facts *f, struct owner owner, uint64_t bytes)
{
    f->unplaced[f->nr_unplaced].owner = owner;
    f->unplaced[f->nr_unplaced].bytes = bytes;
    f->nr_unplaced++;
}

static void unplaced_make(struct facts *f, const struct plan *plan)
{
    if (plan->nr_static_heap == 0u) {
        unplaced_add(f, owner_of(OWNER_HEAP), 0u);
    }
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        if (!plan->domain[i].unsound && (plan->domain[i].nr_static == 0u)) {
            unplaced_add(f, owner_domain(i), plan->domain[i].memory_bytes);
        }
    }
    for (uint32_t i = 0; i < plan->nr_shm; i++) {
        const struct owner owner = { OWNER_SHM, i };

        if (!plan->shm[i].is_placed && (plan->shm[i].host.bytes > 0u)) {
            unplaced_add(f, owner, plan->shm[i].host.bytes);
        }
    }
}

/* [impl->req~partition-report~1] */
void facts_make(struct facts *f, const struct partition_job *job)
{
    const struct plan *const plan = job->plan;

    f->system = job->system;
    f->board = job->board;
    f->nominal = job->nominal;
    pools_make(f, job->plan);
    domains_make(f, plan);
    links_make(f, plan);
    ram_make(f, plan, job->env, job->own_bytes, job->tree_bytes);
    guests_make(f, plan);
    own_make(f, plan);
    given_make(f, plan);
    pci_make(f, plan);
    nobodys_make(f, job->index);
    unplaced_make(f, plan);
    facts_sort(f);
}
