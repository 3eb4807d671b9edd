/* The one pass: libfdt has checked the blob, this file walks its tags and writes down what it meets. */
/* [impl->req~tree-checked~1] */
#include "config/dtindex.h"

#include <libfdt.h>

#include "config/config_fault.h"
#include "lib/string.h"

#define PHANDLE_HASH     2654435761u /* Knuth's multiplier */
#define PHANDLE_SHIFT    16u         /* the upper bits are the well mixed ones */
#define PHANDLE_RESERVED 0xFFFFFFFFu
#define TAG_BYTES        4u
#define PROP_BYTES       12u /* of a property before its value: tag, length, name */

/* Where the pass is. */
struct dt_walk {
    struct dt_index *ix;
    struct config_report *report;
    uint32_t current; /* the open node, DT_NONE outside the root */
    uint32_t depth;   /* open nodes */
    uint32_t tags;    /* offset of the structure block */
    uint32_t strings; /* ... and of the strings block */
};

static uint32_t phandle_slot(const struct dt_index *ix, uint32_t phandle)
{
    uint32_t slot = ((phandle * PHANDLE_HASH) >> PHANDLE_SHIFT) % ix->nr_slots;

    /* Ends: at most half of the slots are taken. */
    while ((ix->by_phandle[slot] != DT_NONE) && (ix->node[ix->by_phandle[slot]].phandle != phandle)) {
        slot = (slot + 1u) % ix->nr_slots;
    }
    return slot;
}

uint32_t dt_by_phandle(const struct dt_index *ix, uint32_t phandle)
{
    return (phandle == 0u) ? DT_NONE : ix->by_phandle[phandle_slot(ix, phandle)];
}

/* A fault of the blob as a whole has no node to name. */
static const char *whole_name(const struct config_report *report)
{
    return (report->within != NULL) ? report->within : "device tree";
}

static enum hv_status blob_fault(struct config_report *report, const char *what, const char *found,
                                 const char *expected)
{
    config_fault_whole(report, "%s: %s: found %s, expected %s", whole_name(report), what, found, expected);
    return HV_CORRUPT;
}

static enum hv_status limit_fault(struct dt_walk *w, const char *what, uint32_t most)
{
    config_fault_whole(w->report, "%s: %s: found more, expected at most %u", whole_name(w->report), what,
                       most);
    return HV_LIMIT;
}

/* name: offset in the blob. */
static enum hv_status open_node(struct dt_walk *w, uint32_t name)
{
    struct dt_index *const ix = w->ix;
    struct dt_node *const n = &ix->node[ix->nr_nodes];
    enum hv_status status = HV_OK;

    if ((w->current == DT_NONE) && (ix->nr_nodes > 0u)) {
        status = blob_fault(w->report, "structure block", "a second root", "one tree");
    } else if (ix->nr_nodes >= ix->nodes_max) {
        status = limit_fault(w, "nodes", ix->nodes_max);
    } else if (w->depth >= ix->depth_max) {
        status = limit_fault(w, "levels", ix->depth_max);
    } else {
        n->name = name;
        n->phandle = 0;
        n->parent = (uint16_t)w->current;
        n->end = DT_NONE;
        n->first_prop = (uint16_t)ix->nr_props;
        n->nr_props = 0;
        w->current = ix->nr_nodes;
        w->depth++;
        ix->nr_nodes++;
    }
    return status;
}

static enum hv_status close_node(struct dt_walk *w)
{
    enum hv_status status = HV_OK;

    if (w->current == DT_NONE) {
        status = blob_fault(w->report, "structure block", "an end without a begin", "matching tags");
    } else {
        w->ix->node[w->current].end = (uint16_t)w->ix->nr_nodes;
        w->current = w->ix->node[w->current].parent;
        w->depth--;
    }
    return status;
}

/* Notes a node's phandle; `linux,phandle` is its name in old trees. */
static enum hv_status note_phandle(struct dt_walk *w, const char *name, const struct dt_value *v)
{
    struct dt_index *const ix = w->ix;
    struct dt_node *const n = &ix->node[w->current];
    enum hv_status status = HV_OK;

    if ((strcmp(name, "phandle") == 0) || (strcmp(name, "linux,phandle") == 0)) {
        const uint32_t phandle = (v->bytes == sizeof(uint32_t)) ? dt_cell(v, 0) : 0u;

        if ((phandle == 0u) || (phandle == PHANDLE_RESERVED)) {
            config_fault(w->report, w->current, name, v, "one cell, neither 0 nor 0xffffffff");
            status = HV_CORRUPT;
        } else if ((n->phandle == 0u) && (dt_by_phandle(ix, phandle) == DT_NONE)) {
            const uint32_t slot = phandle_slot(ix, phandle);

            n->phandle = phandle;
            ix->by_phandle[slot] = (uint16_t)w->current;
        } else if (n->phandle != phandle) {
            config_fault(w->report, w->current, name, v, "a number that no other node has");
            status = HV_CORRUPT;
        } else {
            /* phandle and linux,phandle say the same */
        }
    }
    return status;
}

/* name, value: offsets in the blob. */
static enum hv_status add_prop(struct dt_walk *w, uint32_t name, uint32_t value, uint32_t bytes)
{
    struct dt_index *const ix = w->ix;
    enum hv_status status = HV_OK;

    if ((w->current == DT_NONE) || ((w->current + 1u) != ix->nr_nodes)) {
        status =
            blob_fault(w->report, "structure block", "a misplaced property", "properties before subnodes");
    } else if (ix->nr_props >= ix->props_max) {
        status = limit_fault(w, "properties", ix->props_max);
    } else {
        struct dt_prop *const p = &ix->prop[ix->nr_props];
        const struct dt_value v = { &ix->blob[value], bytes };

        p->name = name;
        p->value = value;
        p->bytes = bytes;
        ix->nr_props++;
        ix->node[w->current].nr_props++;
        status = note_phandle(w, dt_prop_name(ix, ix->nr_props - 1u), &v);
    }
    return status;
}

/* Walks all tags of a blob that fdt_check_full() found whole: what they say lies inside of it. Each turn
 * moves on by at least four bytes. */
static enum hv_status walk_tags(struct dt_walk *w)
{
    const uint8_t *const tags = &w->ix->blob[w->tags];
    uint32_t at = 0;
    uint32_t tag;
    enum hv_status status = HV_OK;

    do {
        const struct dt_value v = { &tags[at], 0u };
        const void *const text = &tags[at + TAG_BYTES];
        uint32_t bytes = TAG_BYTES;

        tag = dt_cell(&v, 0);
        switch (tag) {
        case FDT_BEGIN_NODE:
            bytes += (uint32_t)strlen(text) + 1u;
            status = open_node(w, w->tags + at + TAG_BYTES);
            break;
        case FDT_END_NODE:
            status = close_node(w);
            break;
        case FDT_PROP:
            bytes = PROP_BYTES + dt_cell(&v, 1);
            status = add_prop(w, w->strings + dt_cell(&v, 2), w->tags + at + PROP_BYTES, dt_cell(&v, 1));
            break;
        default:
            /* FDT_NOP and FDT_END */
            break;
        }
        at = (uint32_t)bits_align_up(at + bytes, TAG_BYTES);
    } while ((tag != (uint32_t)FDT_END) && (status == HV_OK));
    if ((status == HV_OK) && ((w->current != DT_NONE) || (w->ix->nr_nodes == 0u))) {
        status = blob_fault(w->report, "structure block", "no complete root node", "one tree");
    }
    return status;
}

enum hv_status config_index_make(struct dt_index *index, const void *fdt, uint64_t fdt_bytes,
                                 struct config_report *report)
{
    struct dt_walk w = { index, report, DT_NONE, 0u, 0u, 0u };
    enum hv_status status = HV_OK;
    const int fdt_error = fdt_check_full(fdt, (size_t)bits_min(fdt_bytes, (uint64_t)INT32_MAX));

    index->blob = fdt;
    index->blob_bytes = 0;
    index->nr_nodes = 0;
    index->nr_props = 0;
    (void)memset(index->by_phandle, 0xFF,
                 (size_t)index->nr_slots * sizeof(index->by_phandle[0])); /* DT_NONE */
    report->index = index;
    if (fdt_error != 0) {
        status = blob_fault(report, "blob", fdt_strerror(fdt_error), "a flattened device tree that is whole");
    } else if (fdt_version(fdt) < 17u) {
        config_fault_whole(report, "%s: version: found %u, expected 17 or later", whole_name(report),
                           fdt_version(fdt));
        status = HV_CORRUPT;
    } else {
        index->blob_bytes = fdt_totalsize(fdt);
        w.tags = fdt_off_dt_struct(fdt);
        w.strings = fdt_off_dt_strings(fdt);
        status = walk_tags(&w);
    }
    return status;
}
