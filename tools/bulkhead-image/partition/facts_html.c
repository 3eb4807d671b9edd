/* The facts for people: one page that needs nothing else, well-formed as XML too. Each address space is a
 * picture, whose heights grow with the logarithm of the sizes: to scale, a page of an interrupt controller
 * would not be seen beside RAM. */
#include "partition/facts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#define SEGMENTS_MAX   (FACTS_RAM_MAX + FACTS_MAPS_MAX)
#define PICTURE_WIDTH  760u
#define BOX_X          150u
#define BOX_WIDTH      600u
#define HEIGHT_LEAST   20u
#define HEIGHT_DOUBLED 2u /* more for each doubling of a page */
#define GAP_HEIGHT     14u
#define LABEL_MAX      256u
#define COLOURS        8u

struct segment {
    uint64_t first;
    uint64_t last;
    const char *fill;
    char label[LABEL_MAX];
};

struct picture {
    const char *title;
    struct segment segment[SEGMENTS_MAX];
    uint32_t nr_segments;
};

static void escaped(FILE *to, const char *s)
{
    for (const char *c = s; *c != '\0'; c++) {
        const unsigned char u = (unsigned char)*c;

        if (u == '<') {
            fputs("&lt;", to);
        } else if (u == '&') {
            fputs("&amp;", to);
        } else if (u == '"') {
            fputs("&quot;", to);
        } else {
            fputc(((u < 0x20u) || (u > 0x7Eu)) ? '?' : u, to);
        }
    }
}

/* A table's row of cells: a format of text without markup, cells apart by tabs. */
__attribute__((format(printf, 2, 3))) static void row(FILE *to, const char *format, ...)
{
    char text[LABEL_MAX * 2u];
    char *cell = text;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    fputs("<tr>", to);
    while (cell != NULL) {
        char *end = cell;

        while ((*end != '\t') && (*end != '\0')) {
            end++;
        }
        fputs("<td>", to);
        if (*end == '\t') {
            *end = '\0';
            escaped(to, cell);
            cell = end + 1u;
        } else {
            escaped(to, cell);
            cell = NULL;
        }
        fputs("</td>", to);
    }
    fputs("</tr>\n", to);
}

static const char *fill_of(struct owner owner)
{
    static const char *const domain[COLOURS] = { "#a6cee3", "#b2df8a", "#fdbf6f", "#cab2d6",
                                                 "#fb9a99", "#ffff99", "#80cdc1", "#dfc27d" };
    const char *fill = "#c8c8c8"; /* the hypervisor's */

    if (owner.kind == OWNER_FREE) {
        fill = "#ffffff";
    } else if (owner.kind == OWNER_DOMAIN) {
        fill = domain[owner.index % COLOURS];
    } else if (owner.kind == OWNER_SHM) {
        fill = "#ff7f7f";
    } else {
        /* as set */
    }
    return fill;
}

static const char *size_name(uint64_t bytes, char *out, size_t room)
{
    static const char *const unit[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
    uint32_t i = 0;
    uint64_t value = bytes;

    while ((i < 4u) && (value >= 1024u) && ((value % 1024u) == 0u)) {
        value /= 1024u;
        i++;
    }
    snprintf(out, room, "%" PRIu64 " %s", value, unit[i]);
    return out;
}

__attribute__((format(printf, 5, 6))) static void
segment_add(struct picture *p, uint64_t first, uint64_t last, const char *fill, const char *format, ...)
{
    if (p->nr_segments < SEGMENTS_MAX) {
        struct segment *const s = &p->segment[p->nr_segments];
        va_list arguments;

        s->first = first;
        s->last = last;
        s->fill = fill;
        va_start(arguments, format);
        vsnprintf(s->label, sizeof(s->label), format, arguments);
        va_end(arguments);
        p->nr_segments++;
    }
}

static int segment_order(const void *a, const void *b)
{
    const struct segment *const x = a;
    const struct segment *const y = b;

    return (x->first > y->first) - (x->first < y->first);
}

static uint32_t height_of(const struct segment *s)
{
    uint64_t pages = (s->last - s->first) / PAGE_BYTES;
    uint32_t height = HEIGHT_LEAST;

    while (pages > 1u) {
        pages >>= 1u;
        height += HEIGHT_DOUBLED;
    }
    return height;
}

static void picture_write(FILE *to, struct picture *p)
{
    uint32_t y = 0;

    qsort(p->segment, p->nr_segments, sizeof(p->segment[0]), segment_order);
    for (uint32_t i = 0; i < p->nr_segments; i++) {
        y += height_of(&p->segment[i]) + GAP_HEIGHT;
    }
    fputs("<h3>", to);
    escaped(to, p->title);
    fprintf(to, "</h3>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%" PRIu32 "\">\n",
            PICTURE_WIDTH, y + GAP_HEIGHT);
    y = 2u;
    for (uint32_t i = 0; i < p->nr_segments; i++) {
        const struct segment *const s = &p->segment[i];
        const uint32_t height = height_of(s);
        char size[32];

        if ((i > 0u) && (s->first > (p->segment[i - 1u].last + 1u))) {
            y += GAP_HEIGHT;
        }
        fprintf(to,
                "<rect x=\"%u\" y=\"%" PRIu32 "\" width=\"%u\" height=\"%" PRIu32
                "\" fill=\"%s\" stroke=\"#444\"/>\n",
                BOX_X, y, BOX_WIDTH, height, s->fill);
        fprintf(to, "<text x=\"%u\" y=\"%" PRIu32 "\" text-anchor=\"end\">0x%" PRIx64 "</text>\n", BOX_X - 6u,
                y + 14u, s->first);
        fprintf(to, "<text x=\"%u\" y=\"%" PRIu32 "\">%s: ", BOX_X + 6u, y + 14u,
                size_name((s->last - s->first) + 1u, size, sizeof(size)));
        escaped(to, s->label);
        fputs("</text>\n", to);
        y += height;
    }
    fputs("</svg>\n", to);
    p->nr_segments = 0;
}

static void host_picture(FILE *to, const struct facts *f, struct picture *p)
{
    p->title = "Host RAM";
    for (uint32_t i = 0; i < f->nr_ram; i++) {
        const struct fact_ram *const r = &f->ram[i];

        segment_add(p, r->first, r->last, fill_of(r->owner), "%s%s%s", owner_name(f, r->owner),
                    (r->detail[0] != '\0') ? " " : "", r->detail);
    }
    picture_write(to, p);
}

static struct owner behind(const struct facts *f, const struct fact_map *m)
{
    struct owner owner = { m->device ? OWNER_HYPERVISOR : OWNER_FREE, 0u };

    for (uint32_t i = 0; i < f->nr_ram; i++) {
        owner = ((f->ram[i].first <= m->to) && (m->to <= f->ram[i].last)) ? f->ram[i].owner : owner;
    }
    for (uint32_t i = 0; i < f->nr_devices; i++) {
        owner = ((f->device[i].first <= m->to) && (m->to <= f->device[i].last)) ? f->device[i].owner : owner;
    }
    return owner;
}

static void guest_picture(FILE *to, const struct facts *f, uint32_t domain, struct picture *p)
{
    p->title = f->domain[domain].name;
    for (uint32_t i = 0; i < f->nr_maps; i++) {
        const struct fact_map *const m = &f->map[i];
        const struct owner owner = behind(f, m);

        if (m->domain == domain) {
            segment_add(p, m->first, m->last, fill_of(owner), "%s of %s at host 0x%" PRIx64 ", %s",
                        m->device ? "device" : "memory", owner_name(f, owner), m->to, perm_name(m->perm));
        }
    }
    for (uint32_t i = 0; i < f->nr_emulated; i++) {
        const struct fact_emulated *const e = &f->emulated[i];

        if (e->domain == domain) {
            segment_add(p, e->first, e->last, "#eeeeee", "emulated %s", e->what);
        }
    }
    picture_write(to, p);
    if (f->domain[domain].starts && !f->domain[domain].placed) {
        fprintf(to, "<p>%" PRIu64 " KiB of memory: taken at boot from free memory.</p>\n",
                f->domain[domain].memory_bytes >> 10u);
    } else if (!f->domain[domain].starts) {
        fputs("<p>Not started, its configuration is unsound.</p>\n", to);
    } else {
        /* all is in the picture */
    }
}

static void table_begin(FILE *to, const char *title, const char *head)
{
    fprintf(to, "<h2>%s</h2>\n<table>\n", title);
    row(to, "%s", head);
}

static void devices_write(FILE *to, const struct facts *f)
{
    table_begin(to, "Devices", "host address\towner\tdevice");
    for (uint32_t i = 0; i < f->nr_devices; i++) {
        const struct fact_device *const d = &f->device[i];

        row(to, "0x%" PRIx64 " - 0x%" PRIx64 "\t%s\t%s", d->first, d->last,
            (d->owner.kind == OWNER_FREE) ? "nobody" : owner_name(f, d->owner), d->what);
    }
    fputs("</table>\n", to);
    table_begin(to, "PCI functions", "function\tdomain");
    for (uint32_t i = 0; i < f->nr_pci; i++) {
        row(to, "%s\t%s", f->pci[i].function, f->domain[f->pci[i].domain].name);
    }
    fputs("</table>\n", to);
    table_begin(to, "Interrupts", "interrupt\towner\tas\ttrigger\tdevice");
    for (uint32_t i = 0; i < f->nr_irqs; i++) {
        const struct fact_irq *const q = &f->irq[i];
        const bool given = q->owner.kind == OWNER_DOMAIN;
        char as[16] = "";

        snprintf(as, sizeof(as), given ? "%" PRIu32 : "", q->virq);
        row(to, "%" PRIu32 "\t%s\t%s\t%s\t%s", q->irq, owner_name(f, q->owner), as,
            q->edge ? "edge" : "level", q->what);
    }
    fputs("</table>\n", to);
    table_begin(to, "DMA streams", "IOMMU\tstreams\tdomain\tdevice");
    for (uint32_t i = 0; i < f->nr_streams; i++) {
        const struct fact_stream *const s = &f->stream[i];

        row(to, "%" PRIu32 "\t0x%" PRIx32 " - 0x%" PRIx32 "\t%s\t%s", s->iommu, s->first, s->last,
            f->domain[s->domain].name, s->what);
    }
    fputs("</table>\n", to);
}

static void links_write(FILE *to, const struct facts *f)
{
    table_begin(to, "Links", "kind\tends");
    for (uint32_t i = 0; i < f->nr_channels; i++) {
        const struct fact_channel *const c = &f->channel[i];

        row(to, "event channel\t%s port %" PRIu32 ", %s port %" PRIu32, f->domain[c->domain[0]].name,
            c->port[0], f->domain[c->domain[1]].name, c->port[1]);
    }
    for (uint32_t i = 0; i < f->nr_shm; i++) {
        const struct fact_shm *const s = &f->shm[i];
        char users[HV_DOMAINS_MAX * (PLAN_NAME_MAX + 1u)] = "";
        size_t used = 0;

        for (uint32_t d = 0; d < f->nr_domains; d++) {
            if (((s->user_domain >> d) & 1u) != 0u) {
                used += (size_t)snprintf(users + used, sizeof(users) - used, " %s", f->domain[d].name);
            }
        }
        row(to, "shared memory\t%s, owner %s, users%.300s", s->id, owner_name(f, s->owner), users);
    }
    fputs("</table>\n", to);
}

static void cpus_write(FILE *to, const struct facts *f)
{
    char set[256];

    table_begin(to, "CPUs", "vCPU\tCPUs\tcpupool");
    for (uint32_t i = 0; i < f->nr_vcpus; i++) {
        row(to, "%s/%" PRIu32 "\t%s\t%" PRIu32, f->domain[f->vcpu[i].domain].name, f->vcpu[i].index,
            set_name(f->vcpu[i].cpus, set, sizeof(set)), f->vcpu[i].pool);
    }
    fputs("</table>\n", to);
    table_begin(to, "cpupools", "cpupool\tCPUs\tscheduler\tmajor frame, us");
    for (uint32_t i = 0; i < f->nr_pools; i++) {
        row(to, "%" PRIu32 "\t%s\t%s%s\t%" PRIu32, i, set_name(f->pool[i].cpus, set, sizeof(set)),
            config_sched_name(f->pool[i].sched), f->pool[i].admission ? ", admission" : "",
            f->pool[i].major_us);
    }
    fputs("</table>\n", to);
    if (f->nr_windows > 0u) {
        table_begin(to, "Windows of the major frames", "CPU\tfrom, us\tto, us\tvCPU");
        for (uint32_t i = 0; i < f->nr_windows; i++) {
            const struct fact_window *const w = &f->window[i];

            row(to, "%" PRIu32 "\t%" PRIu64 "\t%" PRIu64 "\t%s/%" PRIu32, w->cpu, w->first_us, w->end_us,
                f->domain[w->domain].name, w->vcpu);
        }
        fputs("</table>\n", to);
    }
}

static void head_write(FILE *to, const struct facts *f, const struct verdict *v)
{
    fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n"
          "<head><meta charset=\"utf-8\"/><title>",
          to);
    escaped(to, f->system);
    fputs("</title>\n<style>body, text { font: 13px sans-serif } td { border: 1px solid #999; "
          "padding: 2px 8px } tr:first-child { font-weight: bold } table { border-collapse: collapse }"
          "</style></head>\n<body>\n<h1>Partition report</h1>\n<p>",
          to);
    escaped(to, f->system);
    fputs(" on ", to);
    escaped(to, f->board);
    fprintf(to, "</p>\n<p><b>%s</b></p>\n",
            (v->nr_faults == 0u) ? "Proven: no two domains overlap except through declared links."
                                 : "The proof fails:");
    for (uint32_t i = 0; i < v->nr_faults; i++) {
        fputs("<p>", to);
        escaped(to, v->fault[i]);
        fputs("</p>\n", to);
    }
    fprintf(to, "<p>%s %s%s</p>\n",
            (f->nr_unplaced == 0u) ? "Everything is fixed before power-on." : "Some memory is taken at boot.",
            f->shared_cpus ? "CPUs are shared in time." : "Each vCPU has a CPU of its own.",
            f->nominal ? " Without --hypervisor the places of image, tree and modules are assumed." : "");
}

void facts_write_html(FILE *to, const struct facts *f, const struct verdict *v)
{
    struct picture *const p = memory_get(sizeof(*p));

    head_write(to, f, v);
    fputs("<h2>Memory</h2>\n", to);
    host_picture(to, f, p);
    for (uint32_t i = 0; i < f->nr_domains; i++) {
        guest_picture(to, f, i, p);
    }
    if (f->nr_unplaced > 0u) {
        table_begin(to, "Taken at boot", "owner\tbytes");
        for (uint32_t i = 0; i < f->nr_unplaced; i++) {
            row(to, "%s\t%" PRIu64, owner_name(f, f->unplaced[i].owner), f->unplaced[i].bytes);
        }
        fputs("</table>\n", to);
    }
    devices_write(to, f);
    links_write(to, f);
    cpus_write(to, f);
    fputs("</body>\n</html>\n", to);
    free(p);
}
