/* The proof of partitioning, from the reported facts alone: not the code that made the plan, nor any of its
 * checks. Each function looks for contradictions of one kind. Pairs are compared one by one: there are few
 * enough. */
/* [impl->req~partition-proof~1] */
#include "partition/facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define SENTENCE_MAX 512u

struct proof {
    const struct facts *f;
    void (*tell)(void *ctx, const char *sentence);
    void *ctx;
    uint32_t nr_faults;
};

__attribute__((format(printf, 2, 3))) static void fault(struct proof *p, const char *format, ...)
{
    char sentence[SENTENCE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof(sentence), format, arguments);
    va_end(arguments);
    p->nr_faults++;
    p->tell(p->ctx, sentence);
}

static bool meet(uint64_t first_a, uint64_t last_a, uint64_t first_b, uint64_t last_b)
{
    return (first_a <= last_b) && (first_b <= last_a);
}

static const char *domain_name(const struct facts *f, uint32_t domain)
{
    const struct owner owner = { OWNER_DOMAIN, domain };

    return owner_name(f, owner);
}

/* -- RAM: each byte has one owner -- */

static bool in_a_bank(const struct facts *f, uint64_t first, uint64_t last)
{
    bool inside = false;

    for (uint32_t i = 0; i < f->nr_banks; i++) {
        const struct range *const b = &f->bank[i];

        inside = inside || ((first >= b->base) && (last <= (b->base + (b->bytes - 1u))));
    }
    return inside;
}

static void ram_prove(struct proof *p)
{
    const struct facts *const f = p->f;
    uint64_t told = 0;
    uint64_t there = 0;

    for (uint32_t i = 0; i < f->nr_banks; i++) {
        there += f->bank[i].bytes;
    }
    for (uint32_t i = 0; i < f->nr_ram; i++) {
        const struct fact_ram *const a = &f->ram[i];

        told += (a->last - a->first) + 1u;
        if (!in_a_bank(f, a->first, a->last)) {
            fault(p, "ram 0x%" PRIx64 "-0x%" PRIx64 " of %s: not in a bank of RAM", a->first, a->last,
                  owner_name(f, a->owner));
        }
        for (uint32_t j = i + 1u; j < f->nr_ram; j++) {
            const struct fact_ram *const b = &f->ram[j];

            if (meet(a->first, a->last, b->first, b->last)) {
                fault(p, "ram 0x%" PRIx64 "-0x%" PRIx64 " of %s: overlaps 0x%" PRIx64 "-0x%" PRIx64 " of %s",
                      a->first, a->last, owner_name(f, a->owner), b->first, b->last, owner_name(f, b->owner));
            }
        }
    }
    if (told != there) {
        fault(p, "ram: the owners of %" PRIu64 " bytes are told, there are %" PRIu64, told, there);
    }
}

/* -- What domains reach -- */

static bool may_reach(const struct facts *f, const struct owner *owner, uint32_t domain)
{
    bool may = (owner->kind == OWNER_DOMAIN) && (owner->index == domain);

    if ((owner->kind == OWNER_SHM) && (owner->index < f->nr_shm)) {
        may = ((f->shm[owner->index].user_domain >> domain) & 1u) != 0u;
    }
    return may;
}

/* The owner of the RAM at `at`, and where its range ends; NULL if it is no RAM. */
static const struct fact_ram *ram_at(const struct facts *f, uint64_t at)
{
    const struct fact_ram *found = NULL;

    for (uint32_t i = 0; (i < f->nr_ram) && (found == NULL); i++) {
        found = ((f->ram[i].first <= at) && (at <= f->ram[i].last)) ? &f->ram[i] : NULL;
    }
    return found;
}

static void memory_prove(struct proof *p, const struct fact_map *m)
{
    const struct facts *const f = p->f;
    const uint64_t last = m->to + (m->last - m->first);
    uint64_t at = m->to;
    bool good = true;

    while (good && (at <= last)) {
        const struct fact_ram *const r = ram_at(f, at);

        good = (r != NULL) && may_reach(f, &r->owner, m->domain);
        if (!good) {
            fault(p, "map %s 0x%" PRIx64 ": reaches 0x%" PRIx64 ", which is %s", domain_name(f, m->domain),
                  m->first, at, (r != NULL) ? owner_name(f, r->owner) : "no RAM");
        } else {
            at = r->last + 1u;
        }
    }
}

static bool device_covers(const struct facts *f, const struct fact_map *m)
{
    const uint64_t end = m->to + (m->last - m->first) + 1u;
    uint64_t at = m->to;

    for (uint32_t i = 0; (i < f->nr_devices) && (at < end); i++) {
        const struct fact_device *const d = &f->device[i];
        const bool its = (d->owner.kind == OWNER_DOMAIN) && (d->owner.index == m->domain);

        if ((its || d->banked) && (d->first <= at) && (at <= d->last)) { /* neighbours are one map */
            at = d->last + 1u;
            i = UINT32_MAX;
        }
    }
    return at >= end;
}

static void device_map_prove(struct proof *p, const struct fact_map *m)
{
    const struct facts *const f = p->f;
    const uint64_t last = m->to + (m->last - m->first);

    for (uint32_t i = 0; i < f->nr_banks; i++) {
        if (meet(m->to, last, f->bank[i].base, f->bank[i].base + (f->bank[i].bytes - 1u))) {
            fault(p, "map %s 0x%" PRIx64 ": reaches RAM at 0x%" PRIx64 " as a device",
                  domain_name(f, m->domain), m->first, m->to);
        }
    }
    if (!device_covers(f, m)) {
        fault(p, "map %s 0x%" PRIx64 ": reaches 0x%" PRIx64 ", which is no device of its own",
              domain_name(f, m->domain), m->first, m->to);
    }
}

/* Is the host range all in something that these two share by declaration? */
static bool shared(const struct facts *f, uint64_t first, uint64_t last, const struct fact_map *a,
                   const struct fact_map *b)
{
    const uint64_t both = (1ull << a->domain) | (1ull << b->domain);
    bool found = false;

    for (uint32_t i = 0; (i < f->nr_shm) && !a->device && !b->device; i++) {
        const struct fact_shm *const s = &f->shm[i];

        found = found ||
                (s->placed && (s->first <= first) && (last <= s->last) && ((s->user_domain & both) == both));
    }
    for (uint32_t i = 0; (i < f->nr_devices) && a->device && b->device; i++) {
        const struct fact_device *const d = &f->device[i];

        found = found || (d->banked && (d->first <= first) && (last <= d->last));
    }
    return found;
}

static void pair_prove(struct proof *p, const struct fact_map *a, const struct fact_map *b)
{
    const struct facts *const f = p->f;
    const uint64_t end_a = a->to + (a->last - a->first);
    const uint64_t end_b = b->to + (b->last - b->first);
    const uint64_t first = (a->to > b->to) ? a->to : b->to;
    const uint64_t last = (end_a < end_b) ? end_a : end_b;

    if (a->domain == b->domain) {
        if (meet(a->first, a->last, b->first, b->last)) {
            fault(p,
                  "map %s 0x%" PRIx64 "-0x%" PRIx64 ": overlaps 0x%" PRIx64 "-0x%" PRIx64
                  " of the same domain",
                  domain_name(f, a->domain), a->first, a->last, b->first, b->last);
        }
    } else if ((first <= last) && !shared(f, first, last, a, b)) {
        fault(p, "map: %s and %s both reach 0x%" PRIx64 "-0x%" PRIx64 ", which no link declares",
              domain_name(f, a->domain), domain_name(f, b->domain), first, last);
    } else {
        /* apart, or as declared */
    }
}

static void emulated_prove(struct proof *p, uint32_t i)
{
    const struct facts *const f = p->f;
    const struct fact_emulated *const e = &f->emulated[i];

    for (uint32_t j = 0; j < f->nr_maps; j++) {
        if ((f->map[j].domain == e->domain) && meet(e->first, e->last, f->map[j].first, f->map[j].last)) {
            fault(p, "emulated %s 0x%" PRIx64 ": overlaps what is mapped at 0x%" PRIx64,
                  domain_name(f, e->domain), e->first, f->map[j].first);
        }
    }
    for (uint32_t j = i + 1u; j < f->nr_emulated; j++) {
        if ((f->emulated[j].domain == e->domain) &&
            meet(e->first, e->last, f->emulated[j].first, f->emulated[j].last)) {
            fault(p, "emulated %s 0x%" PRIx64 ": overlaps 0x%" PRIx64, domain_name(f, e->domain), e->first,
                  f->emulated[j].first);
        }
    }
}

static void maps_prove(struct proof *p)
{
    const struct facts *const f = p->f;

    for (uint32_t i = 0; i < f->nr_maps; i++) {
        if (f->map[i].device) {
            device_map_prove(p, &f->map[i]);
        } else {
            memory_prove(p, &f->map[i]);
        }
        for (uint32_t j = i + 1u; j < f->nr_maps; j++) {
            pair_prove(p, &f->map[i], &f->map[j]);
        }
    }
    for (uint32_t i = 0; i < f->nr_emulated; i++) {
        emulated_prove(p, i);
    }
}

/* -- Domains have what they asked for, all that they have is mapped, and who does not start has nothing -- */

static uint64_t owned_by(const struct facts *f, uint32_t domain)
{
    uint64_t owned = 0;

    for (uint32_t i = 0; i < f->nr_ram; i++) {
        if ((f->ram[i].owner.kind == OWNER_DOMAIN) && (f->ram[i].owner.index == domain)) {
            owned += (f->ram[i].last - f->ram[i].first) + 1u;
        }
    }
    return owned;
}

/* What it reaches of domains' RAM */
static uint64_t mapped_by(const struct facts *f, uint32_t domain)
{
    uint64_t mapped = 0;

    for (uint32_t i = 0; i < f->nr_maps; i++) {
        const struct fact_map *const m = &f->map[i];
        const struct fact_ram *const r = ram_at(f, m->to);

        if ((m->domain == domain) && !m->device && (r != NULL) && (r->owner.kind == OWNER_DOMAIN)) {
            mapped += (m->last - m->first) + 1u;
        }
    }
    return mapped;
}

static void domains_prove(struct proof *p)
{
    const struct facts *const f = p->f;

    for (uint32_t d = 0; d < f->nr_domains; d++) {
        const struct fact_domain *const of = &f->domain[d];
        const uint64_t owned = owned_by(f, d);
        const uint64_t mapped = mapped_by(f, d);
        const bool has_place = of->starts && of->placed;

        if (has_place && ((owned != of->memory_bytes) || (mapped != owned))) {
            fault(p, "%s: owns %" PRIu64 " bytes and reaches %" PRIu64 ", asked for %" PRIu64, of->name,
                  owned, mapped, of->memory_bytes);
        } else if (!has_place && ((owned != 0u) || (mapped != 0u))) {
            fault(p, "%s: owns %" PRIu64 " bytes and reaches %" PRIu64 " without having a place", of->name,
                  owned, mapped);
        } else {
            /* as it should be */
        }
    }
}

/* -- Devices, interrupts, streams -- */

static void devices_prove(struct proof *p)
{
    const struct facts *const f = p->f;

    for (uint32_t i = 0; i < f->nr_devices; i++) {
        const struct fact_device *const a = &f->device[i];
        /* a domain reaches whole pages */
        const uint64_t first = a->first & ~(uint64_t)(PAGE_BYTES - 1u);
        const uint64_t last = a->last | (PAGE_BYTES - 1u);

        for (uint32_t j = 0; (j < f->nr_devices) && (a->owner.kind == OWNER_DOMAIN); j++) {
            const struct fact_device *const b = &f->device[j];

            if (!owner_same(a->owner, b->owner) && meet(first, last, b->first, b->last)) {
                fault(p, "device 0x%" PRIx64 "-0x%" PRIx64 " of %s: its pages hold 0x%" PRIx64 " of %s too",
                      a->first, a->last, owner_name(f, a->owner), b->first,
                      (b->owner.kind == OWNER_FREE) ? "nobody" : owner_name(f, b->owner));
            }
        }
    }
}

static void irqs_prove(struct proof *p)
{
    const struct facts *const f = p->f;

    for (uint32_t i = 0; i < f->nr_irqs; i++) {
        const struct fact_irq *const a = &f->irq[i];

        for (uint32_t j = i + 1u; j < f->nr_irqs; j++) {
            const struct fact_irq *const b = &f->irq[j];

            if (a->irq == b->irq) {
                fault(p, "irq %" PRIu32 ": %s and %s both have it", a->irq, owner_name(f, a->owner),
                      owner_name(f, b->owner));
            }
            if ((a->owner.kind == OWNER_DOMAIN) && owner_same(a->owner, b->owner) && (a->virq == b->virq)) {
                fault(p, "irq %" PRIu32 ": is interrupt %" PRIu32 " of %s, as irq %" PRIu32 " is", a->irq,
                      a->virq, owner_name(f, a->owner), b->irq);
            }
        }
    }
}

static void streams_prove(struct proof *p)
{
    const struct facts *const f = p->f;

    for (uint32_t i = 0; i < f->nr_streams; i++) {
        const struct fact_stream *const a = &f->stream[i];

        for (uint32_t j = i + 1u; j < f->nr_streams; j++) {
            const struct fact_stream *const b = &f->stream[j];

            if ((a->iommu == b->iommu) && meet(a->first, a->last, b->first, b->last)) {
                fault(p,
                      "stream %" PRIu32 ":%" PRIu32 "-%" PRIu32 " of %s: overlaps %" PRIu32 "-%" PRIu32
                      " of %s",
                      a->iommu, a->first, a->last, domain_name(f, a->domain), b->first, b->last,
                      domain_name(f, b->domain));
            }
        }
    }
}

/* -- Links and CPUs -- */

static void channels_prove(struct proof *p)
{
    const struct facts *const f = p->f;

    for (uint32_t i = 0; i < (2u * f->nr_channels); i++) {
        const uint32_t domain = f->channel[i / 2u].domain[i % 2u];
        const uint32_t port = f->channel[i / 2u].port[i % 2u];

        for (uint32_t j = i + 1u; j < (2u * f->nr_channels); j++) {
            if ((f->channel[j / 2u].domain[j % 2u] == domain) && (f->channel[j / 2u].port[j % 2u] == port)) {
                fault(p, "channel %s:%" PRIu32 ": is the end of more than one", domain_name(f, domain), port);
            }
        }
    }
}

static void shm_prove(struct proof *p)
{
    const struct facts *const f = p->f;

    for (uint32_t i = 0; i < f->nr_shm; i++) {
        const struct owner region = { OWNER_SHM, i };
        uint64_t owned = 0;

        for (uint32_t r = 0; r < f->nr_ram; r++) {
            const bool inside = (f->shm[i].first <= f->ram[r].first) && (f->ram[r].last <= f->shm[i].last);

            owned += (inside && owner_same(f->ram[r].owner, region))
                         ? ((f->ram[r].last - f->ram[r].first) + 1u)
                         : 0u;
        }
        if (f->shm[i].placed && (owned != ((f->shm[i].last - f->shm[i].first) + 1u))) {
            fault(p, "shm %s: %" PRIu64 " bytes at 0x%" PRIx64 "-0x%" PRIx64 " are its own", f->shm[i].id,
                  owned, f->shm[i].first, f->shm[i].last);
        }
    }
}

static void vcpus_prove(struct proof *p)
{
    const struct facts *const f = p->f;
    uint64_t taken = 0;

    for (uint32_t i = 0; i < f->nr_vcpus; i++) {
        const struct fact_vcpu *const v = &f->vcpu[i];

        if (v->cpus == 0u) {
            fault(p, "vcpu %s/%" PRIu32 ": has no CPU", domain_name(f, v->domain), v->index);
        }
        if ((v->pool >= f->nr_pools) || ((v->cpus & ~f->pool[v->pool].cpus) != 0u)) {
            fault(p, "vcpu %s/%" PRIu32 ": has a CPU of another cpupool", domain_name(f, v->domain),
                  v->index);
        } else if (f->pool[v->pool].sched == PLAN_SCHED_NULL) {
            if (((v->cpus & (v->cpus - 1u)) != 0u) || ((v->cpus & taken) != 0u)) {
                fault(p, "vcpu %s/%" PRIu32 ": has no CPU of its own", domain_name(f, v->domain), v->index);
            }
            taken |= v->cpus;
        } else {
            /* it shares them in time */
        }
    }
}

static void pools_prove(struct proof *p)
{
    const struct facts *const f = p->f;
    uint64_t taken = 0;

    for (uint32_t i = 0; i < f->nr_pools; i++) {
        if ((f->pool[i].cpus == 0u) || ((f->pool[i].cpus & taken) != 0u)) {
            fault(p, "pool %" PRIu32 ": has no CPUs of its own", i);
        }
        taken |= f->pool[i].cpus;
    }
}

/* On the CPU that its vCPU has; it ends with the frame at the latest. */
static bool window_placed(const struct facts *f, const struct fact_window *w)
{
    bool good = false;

    for (uint32_t v = 0; v < f->nr_vcpus; v++) {
        const struct fact_vcpu *const c = &f->vcpu[v];

        good = good || ((c->domain == w->domain) && (c->index == w->vcpu) && (c->pool < f->nr_pools) &&
                        (c->cpus == BIT64(w->cpu)) && (f->pool[c->pool].sched == PLAN_SCHED_ARINC653) &&
                        (w->end_us <= f->pool[c->pool].major_us));
    }
    return good && (w->first_us < w->end_us);
}

static void windows_prove(struct proof *p)
{
    const struct facts *const f = p->f;

    for (uint32_t i = 0; i < f->nr_windows; i++) {
        const struct fact_window *const w = &f->window[i];
        const struct fact_window *const next = ((i + 1u) < f->nr_windows) ? &f->window[i + 1u] : NULL;

        if (!window_placed(f, w)) {
            fault(p, "window %s/%" PRIu32 ": is not in the frame of its CPU %" PRIu32,
                  domain_name(f, w->domain), w->vcpu, w->cpu);
        }
        if ((next != NULL) &&
            ((next->cpu < w->cpu) || ((next->cpu == w->cpu) && (next->first_us < w->end_us)))) {
            fault(p, "window %s/%" PRIu32 ": is %s's too on CPU %" PRIu32, domain_name(f, w->domain), w->vcpu,
                  domain_name(f, next->domain), w->cpu);
        }
    }
}

bool facts_prove(const struct facts *f, void (*tell)(void *ctx, const char *sentence), void *ctx)
{
    struct proof p = { f, tell, ctx, 0u };

    if (f->cut) {
        fault(&p, "there are more facts than this report can hold");
    }
    ram_prove(&p);
    maps_prove(&p);
    domains_prove(&p);
    devices_prove(&p);
    irqs_prove(&p);
    streams_prove(&p);
    channels_prove(&p);
    shm_prove(&p);
    pools_prove(&p);
    vcpus_prove(&p);
    windows_prove(&p);
    return p.nr_faults == 0u;
}
