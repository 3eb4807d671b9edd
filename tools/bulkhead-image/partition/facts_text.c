/* The facts as lines, as docs/partition-report.md has them and the hypervisor's command `report` prints
 * them. */
#include "partition/facts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_AT_ONCE 8u
#define NAME_BYTES    (PLAN_NAME_MAX + 8u)

const char *owner_name(const struct facts *f, struct owner owner)
{
    static const char *const word[] = { "free", "image", "heap", "tree", "module", "reserved", "hypervisor" };
    static char name[NAMES_AT_ONCE][NAME_BYTES];
    static uint32_t turn;
    char *const out = name[turn % NAMES_AT_ONCE];

    turn++;
    if (owner.kind == OWNER_DOMAIN) {
        snprintf(out, NAME_BYTES, "%s", (owner.index < f->nr_domains) ? f->domain[owner.index].name : "?");
    } else if (owner.kind == OWNER_SHM) {
        snprintf(out, NAME_BYTES, "shm:%s", (owner.index < f->nr_shm) ? f->shm[owner.index].id : "?");
    } else {
        snprintf(out, NAME_BYTES, "%s", word[owner.kind]);
    }
    return out;
}

const char *set_name(uint64_t set, char *out, size_t bytes)
{
    size_t used = 0;
    uint32_t i = 0;

    out[0] = '\0';
    while (i < 64u) {
        uint32_t end = i;

        while ((end < 64u) && (((set >> end) & 1u) != 0u)) {
            end++;
        }
        if ((end > i) && (used < bytes)) {
            used += (size_t)snprintf(out + used, bytes - used,
                                     (end > (i + 1u)) ? "%s%" PRIu32 "-%" PRIu32 : "%s%" PRIu32,
                                     (used > 0u) ? "," : "", i, end - 1u);
        }
        i = (end > i) ? end : (i + 1u);
    }
    return out;
}

const char *perm_name(uint32_t perm)
{
    static const char *const name[] = { "---", "r--", "-w-", "rw-", "--x", "r-x", "-wx", "rwx" };

    return name[perm & 7u];
}

static int ram_order(const void *a, const void *b)
{
    const struct fact_ram *const x = a;
    const struct fact_ram *const y = b;

    return (x->first > y->first) - (x->first < y->first);
}

static int map_order(const void *a, const void *b)
{
    const struct fact_map *const x = a;
    const struct fact_map *const y = b;
    const int by_domain = (x->domain > y->domain) - (x->domain < y->domain);

    return (by_domain != 0) ? by_domain : ((x->first > y->first) - (x->first < y->first));
}

static int irq_order(const void *a, const void *b)
{
    const struct fact_irq *const x = a;
    const struct fact_irq *const y = b;

    return (x->irq > y->irq) - (x->irq < y->irq);
}

static bool goes_on(const struct fact_map *a, const struct fact_map *b)
{
    return (a->domain == b->domain) && (a->perm == b->perm) && (a->device == b->device) &&
           (b->first == (a->last + 1u)) && (b->to == (a->to + (b->first - a->first)));
}

/* As a walk over the tables finds them */
static void maps_join(struct facts *f)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < f->nr_maps; i++) {
        if ((kept > 0u) && goes_on(&f->map[kept - 1u], &f->map[i])) {
            f->map[kept - 1u].last = f->map[i].last;
        } else {
            f->map[kept] = f->map[i];
            kept++;
        }
    }
    f->nr_maps = kept;
}

static int stream_order(const void *a, const void *b)
{
    const struct fact_stream *const x = a;
    const struct fact_stream *const y = b;
    const int by_iommu = (x->iommu > y->iommu) - (x->iommu < y->iommu);

    return (by_iommu != 0) ? by_iommu : ((x->first > y->first) - (x->first < y->first));
}

void facts_sort(struct facts *f)
{
    qsort(f->stream, f->nr_streams, sizeof(f->stream[0]), stream_order);
    qsort(f->ram, f->nr_ram, sizeof(f->ram[0]), ram_order);
    qsort(f->map, f->nr_maps, sizeof(f->map[0]), map_order);
    maps_join(f);
    qsort(f->irq, f->nr_irqs, sizeof(f->irq[0]), irq_order);
}

/* Neighbours of one owner are one line, as the hypervisor's own tables do not tell them apart. */
static void ram_write(FILE *to, const struct facts *f)
{
    for (uint32_t i = 0; i < f->nr_ram; i++) {
        const uint64_t first = f->ram[i].first;

        while (((i + 1u) < f->nr_ram) && owner_same(f->ram[i].owner, f->ram[i + 1u].owner) &&
               (f->ram[i + 1u].first == (f->ram[i].last + 1u))) {
            i++;
        }
        fprintf(to, "ram 0x%" PRIx64 "-0x%" PRIx64 " %s\n", first, f->ram[i].last,
                owner_name(f, f->ram[i].owner));
    }
}

static void maps_write(FILE *to, const struct facts *f)
{
    for (uint32_t i = 0; i < f->nr_maps; i++) {
        const struct fact_map *const m = &f->map[i];

        fprintf(to, "map %s 0x%" PRIx64 "-0x%" PRIx64 " 0x%" PRIx64 " %s %s\n", f->domain[m->domain].name,
                m->first, m->last, m->to, perm_name(m->perm),
                (m->device && !m->cached) ? "device" : "normal");
    }
    for (uint32_t i = 0; i < f->nr_emulated; i++) {
        const struct fact_emulated *const e = &f->emulated[i];

        if (!e->by_port) {
            fprintf(to, "emulated %s 0x%" PRIx64 "-0x%" PRIx64 "\n", f->domain[e->domain].name, e->first,
                    e->last);
        }
    }
}

static void irqs_write(FILE *to, const struct facts *f)
{
    for (uint32_t i = 0; i < f->nr_irqs; i++) {
        const struct fact_irq *const q = &f->irq[i];

        fprintf(to, "irq %" PRIu32 " %s ", q->irq, owner_name(f, q->owner));
        if (q->owner.kind == OWNER_DOMAIN) {
            fprintf(to, "%" PRIu32 " ", q->virq);
        }
        fprintf(to, "%s\n", q->edge ? "edge" : "level");
    }
    for (uint32_t i = 0; i < f->nr_streams; i++) {
        const struct fact_stream *const s = &f->stream[i];

        while (((i + 1u) < f->nr_streams) && (f->stream[i + 1u].iommu == s->iommu) &&
               (f->stream[i + 1u].domain == s->domain) &&
               (f->stream[i + 1u].first == (f->stream[i].last + 1u))) {
            i++;
        }
        fprintf(to, "stream %" PRIu32 ":0x%" PRIx32 "-0x%" PRIx32 " %s\n", s->iommu, s->first,
                f->stream[i].last, f->domain[s->domain].name);
    }
}

/* The regions of shared memory among what a map reaches */
static void shared_write(FILE *to, const struct facts *f, const struct fact_map *m)
{
    for (uint32_t i = 0; i < f->nr_shm; i++) {
        const struct fact_shm *const s = &f->shm[i];
        const uint64_t end = m->to + (m->last - m->first);
        const uint64_t first = (s->first > m->to) ? s->first : m->to;
        const uint64_t last = (s->last < end) ? s->last : end;

        if (s->placed && !m->device && (first <= last)) {
            fprintf(to, "shm %s 0x%" PRIx64 "-0x%" PRIx64 " %s\n", s->id, first, last,
                    f->domain[m->domain].name);
        }
    }
}

static void links_write(FILE *to, const struct facts *f)
{
    for (uint32_t i = 0; i < f->nr_channels; i++) {
        const struct fact_channel *const c = &f->channel[i];

        fprintf(to, "channel %s:%" PRIu32 " %s:%" PRIu32 "\n", f->domain[c->domain[0]].name, c->port[0],
                f->domain[c->domain[1]].name, c->port[1]);
    }
    for (uint32_t i = 0; i < f->nr_maps; i++) {
        shared_write(to, f, &f->map[i]);
    }
}

static void pools_write(FILE *to, const struct facts *f)
{
    char set[256];

    for (uint32_t i = 0; i < f->nr_pools; i++) {
        const struct fact_pool *const p = &f->pool[i];

        fprintf(to, "# pool %" PRIu32 " CPUs %s %s", i, set_name(p->cpus, set, sizeof(set)),
                config_sched_name(p->sched));
        if (p->major_us > 0u) {
            fprintf(to, ", frame %" PRIu32 " us", p->major_us);
        }
        fprintf(to, "%s\n", p->admission ? ", admission" : "");
    }
    for (uint32_t i = 0; i < f->nr_windows; i++) {
        const struct fact_window *const w = &f->window[i];

        fprintf(to, "# window CPU %" PRIu32 " %" PRIu64 "-%" PRIu64 " us %s/%" PRIu32 "\n", w->cpu,
                w->first_us, w->end_us, f->domain[w->domain].name, w->vcpu);
    }
}

void facts_write_text(FILE *to, const struct facts *f, const struct verdict *v)
{
    char set[256];

    fprintf(to, "# %s on %s\n", f->system, f->board);
    if (f->nominal) {
        fprintf(to, "# without --hypervisor: the places of image, tree and modules are assumed\n");
    }
    ram_write(to, f);
    maps_write(to, f);
    irqs_write(to, f);
    links_write(to, f);
    for (uint32_t i = 0; i < f->nr_vcpus; i++) {
        const struct fact_vcpu *const c = &f->vcpu[i];

        fprintf(to, "vcpu %s/%" PRIu32 " %s\n", f->domain[c->domain].name, c->index,
                set_name(c->cpus, set, sizeof(set)));
    }
    for (uint32_t i = 0; i < f->nr_devices; i++) {
        const struct fact_device *const d = &f->device[i];

        fprintf(to, "# device 0x%" PRIx64 "-0x%" PRIx64 " %s %s\n", d->first, d->last,
                (d->owner.kind == OWNER_FREE) ? "nobody" : owner_name(f, d->owner), d->what);
    }
    for (uint32_t i = 0; i < f->nr_pci; i++) {
        fprintf(to, "# pci %s %s\n", f->pci[i].function, f->domain[f->pci[i].domain].name);
    }
    for (uint32_t i = 0; i < f->nr_domains; i++) {
        if (!f->domain[i].starts) {
            fprintf(to, "# %s: not started, its configuration is unsound\n", f->domain[i].name);
        }
    }
    for (uint32_t i = 0; i < f->nr_unplaced; i++) {
        const struct fact_unplaced *const u = &f->unplaced[i];

        fprintf(to, "# %s: taken at boot", owner_name(f, u->owner));
        if (u->bytes > 0u) {
            fprintf(to, ", %" PRIu64 " KiB", u->bytes >> 10u);
        }
        fprintf(to, "\n");
    }
    pools_write(to, f);
    fprintf(to, "# CPUs: %s\n", f->shared_cpus ? "shared in time" : "each vCPU has its own");
    fprintf(to, "# fixed before power-on: %s\n",
            (f->nr_unplaced == 0u) ? "everything" : "all but what is taken at boot");
    for (uint32_t i = 0; i < v->nr_faults; i++) {
        fprintf(to, "# fault: %s\n", v->fault[i]);
    }
    fprintf(to, "# proof: %s\n",
            (v->nr_faults == 0u) ? "no two domains overlap except through declared links" : "fails");
}
