/* Which DMA streams a device has: properties iommus (generic binding iommu/iommu.txt) and iommu-map
 * (pci/pci-iommu.txt). */
/* [impl->req~dma-apart~1] [impl->req~stream-owner~1] */
#include "config/partition/config_stream.h"

#define MAP_CELLS  4u /* requester id, IOMMU, stream id, how many */
#define NAME_CELLS 2u /* IOMMU, stream id */
#define RID_MASK   0xFFFFu

static bool is_had(const struct plan *plan, const struct plan_stream *s, bool by_another)
{
    bool found = false;

    for (uint32_t i = 0; (i < plan->nr_streams) && !found; i++) {
        const struct plan_stream *const q = &plan->stream[i];
        const bool meets = (q->iommu == s->iommu) && config_ranges_meet(q->first, q->nr, s->first, s->nr);
        const bool covers = (q->first <= s->first) && ((s->first - q->first) <= q->nr) &&
                            (s->nr <= (q->nr - (s->first - q->first)));

        found = meets && ((q->domain == s->domain) ? (covers && !by_another) : by_another);
    }
    return found;
}

/* The hardware domain takes what is there, and so does who may be given what nobody has. */
static bool is_lenient(const struct plan *plan, uint8_t domain)
{
    return (domain >= PLAN_OFFER) || ((plan->domain[domain].role & PLAN_ROLE_HARDWARE) != 0u);
}

static void add(struct config_maker *m, uint32_t node, const char *prop, uint32_t iommu_phandle,
                struct plan_stream *s)
{
    struct plan *const plan = m->plan;
    const uint32_t iommu_node = dt_by_phandle(m->ix, iommu_phandle);
    uint32_t iommu = 0;
    uint32_t nr_streams = 0;
    const bool known =
        (iommu_node != DT_NONE) && hal_plan_iommu(m->ix, iommu_node, &plan->host, &iommu, &nr_streams);

    s->iommu = (uint8_t)iommu;
    if (!known && is_lenient(plan, s->domain)) {
        /* its DMA is as free as that of a device without one */
    } else if (!known) {
        config_fault_prop(m->report, node, prop, "an IOMMU of a known kind");
    } else if ((s->nr > nr_streams) || (s->first > (nr_streams - s->nr))) {
        config_fault_prop(m->report, node, prop, "stream ids below 1048576");
    } else if (is_had(plan, s, true) && (s->domain >= PLAN_OFFER)) {
        /* not one of those that may be given */
    } else if (is_had(plan, s, true)) {
        config_fault_prop(m->report, node, prop, "streams that no other domain has");
    } else if (is_had(plan, s, false)) {
        /* two devices of one domain may share a stream */
    } else if (plan->nr_streams == PLAN_STREAMS_MAX) {
        config_fault_prop(m->report, node, prop, "at most 128 runs of streams in all");
    } else {
        plan->stream[plan->nr_streams] = *s;
        plan->nr_streams++;
    }
}

/* The strings of a plan point into the tree, where a path does not stand: the node's name does. */
static struct plan_stream stream_of(const struct config_maker *m, uint32_t node, uint8_t domain)
{
    const struct plan_stream s = { .domain = domain, .path = dt_name(m->ix, node) };

    return s;
}

uint32_t config_stream_device(struct config_maker *m, uint32_t node, uint8_t domain)
{
    struct dt_value v = { NULL, 0u };
    uint32_t nr = 0;

    if (dt_get(m->ix, node, "iommus", &v)) {
        nr = v.bytes / (NAME_CELLS * 4u);
        if ((nr == 0u) || ((v.bytes % (NAME_CELLS * 4u)) != 0u)) {
            config_fault_prop(m->report, node, "iommus", "pairs of an IOMMU and a stream id");
        }
        for (uint32_t i = 0; i < nr; i++) {
            struct plan_stream s = stream_of(m, node, domain);

            s.first = dt_cell(&v, (i * NAME_CELLS) + 1u);
            s.nr = 1u;
            add(m, node, "iommus", dt_cell(&v, i * NAME_CELLS), &s);
        }
        nr = (uint32_t)bits_max(nr, 1u);
    }
    return nr;
}

uint32_t config_stream_pci(struct config_maker *m, uint32_t node, uint32_t rid, uint32_t nr, uint8_t domain)
{
    const uint64_t end = (uint64_t)rid + nr;
    struct dt_value v = { NULL, 0u };
    uint32_t mask = RID_MASK;
    uint64_t nr_covered = 0;
    uint32_t nr_entries = 0;

    if (dt_get(m->ix, node, "iommu-map", &v)) {
        nr_entries = v.bytes / (MAP_CELLS * 4u);
        (void)dt_get_u32(m->ix, node, "iommu-map-mask", &mask);
        if ((mask & RID_MASK) != RID_MASK) {
            config_fault_prop(m->report, node, "iommu-map-mask", "all bits set");
        }
        for (uint32_t i = 0; i < nr_entries; i++) {
            const uint64_t base = dt_cell(&v, i * MAP_CELLS);
            const uint64_t first = bits_max(base, rid);
            const uint64_t last = bits_min(base + dt_cell(&v, (i * MAP_CELLS) + 3u), end);
            struct plan_stream s = stream_of(m, node, domain);

            if (first < last) {
                const uint64_t to = dt_cell(&v, (i * MAP_CELLS) + 2u);

                s.first = (uint32_t)bits_min(to + (first - base), UINT32_MAX);
                s.nr = (uint32_t)(last - first);
                nr_covered += s.nr;
                add(m, node, "iommu-map", dt_cell(&v, (i * MAP_CELLS) + 1u), &s);
            }
        }
        if (((nr_covered != nr) && !is_lenient(m->plan, domain)) || ((v.bytes % (MAP_CELLS * 4u)) != 0u)) {
            config_fault_prop(m->report, node, "iommu-map",
                              "one entry of 4 cells for each requester id that a domain has");
        }
        nr_entries = (uint32_t)bits_max(nr_entries, 1u);
    }
    return nr_entries;
}
