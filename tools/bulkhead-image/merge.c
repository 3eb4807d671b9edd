#include "tool.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/payload.h"
#include "lib/bits.h"

#define TREE_SLACK     65536u
#define IN_PLACE_BLOCK MIB(2)

/* A node that is being written: the same node in both trees, or DT_NONE in one. */
struct level {
    uint32_t board;
    uint32_t system;
    uint32_t next_board; /* children still to write */
    uint32_t next_system;
};

struct merge {
    const struct dt_index *board;
    const struct dt_index *system;
    const struct contents *contents;
    struct config_report *report;
    bool faults;
    void *out;
    int error; /* libfdt's, the first one */
    struct level level[DT_DEPTH_MAX];
    uint32_t depth;
};

static void note(struct merge *m, int error)
{
    if (m->error == 0) {
        m->error = error;
    }
}

static uint32_t child_exact(const struct dt_index *ix, uint32_t node, const char *name)
{
    uint32_t child = (node == DT_NONE) ? DT_NONE : dt_first_child(ix, node);

    while ((child != DT_NONE) && (strcmp(dt_name(ix, child), name) != 0)) {
        child = dt_next_sibling(ix, child);
    }
    return child;
}

static bool carries_data(const struct dt_index *ix, uint32_t node)
{
    return dt_compatible(ix, node, "multiboot,module") || dt_compatible(ix, node, "xen,multiboot-module");
}

static void property_write(struct merge *m, const char *name, const struct dt_value *v)
{
    note(m, fdt_property(m->out, name, v->data, (int)v->bytes));
}

static void place_write(struct merge *m, const struct dt_value *v, bool has_digest)
{
    const struct content *const c = contents_find(m->contents, v->data, v->bytes);

    if (c != NULL) {
        note(m, fdt_property_u64(m->out, "bulkhead,image-offset", c->offset));
        note(m, fdt_property_u64(m->out, "bulkhead,image-bytes", c->bytes));
        if (!has_digest && (c->digest_bytes > 0u)) {
            note(m,
                 fdt_property(m->out, digest_property(m->contents->digest), c->digest, (int)c->digest_bytes));
        }
    } else {
        property_write(m, "data", v);
    }
}

/* Were the system to count cells otherwise than the board, what the board says below this node would mean
 * something else. */
static void cells_check(struct merge *m, const struct level *l, const char *name, const struct dt_value *v)
{
    const bool cells = (strcmp(name, "#address-cells") == 0) || (strcmp(name, "#size-cells") == 0);
    struct dt_value board = { NULL, 0 };

    if (cells && (l->board != DT_NONE) && dt_get(m->board, l->board, name, &board) &&
        ((board.bytes != v->bytes) || (memcmp(board.data, v->data, v->bytes) != 0))) {
        config_fault(m->report, l->system, name, v, "what the board says in this node");
        m->faults = true;
    }
}

static void properties_write(struct merge *m, const struct level *l)
{
    if (l->board != DT_NONE) {
        const struct dt_node *const n = &m->board->node[l->board];

        for (uint32_t p = n->first_prop; p < ((uint32_t)n->first_prop + n->nr_props); p++) {
            const char *const name = dt_prop_name(m->board, p);
            const struct dt_value v = dt_prop_value(m->board, p);

            if ((l->system == DT_NONE) || !dt_has(m->system, l->system, name)) {
                property_write(m, name, &v);
            }
        }
    }
    if (l->system != DT_NONE) {
        const struct dt_node *const n = &m->system->node[l->system];
        const bool module = (m->contents != NULL) && carries_data(m->system, l->system);
        const bool has_digest = dt_has(m->system, l->system, digest_property(PLAN_DIGEST_CRC32C)) ||
                                dt_has(m->system, l->system, digest_property(PLAN_DIGEST_SHA256));

        for (uint32_t p = n->first_prop; p < ((uint32_t)n->first_prop + n->nr_props); p++) {
            const char *const name = dt_prop_name(m->system, p);
            const struct dt_value v = dt_prop_value(m->system, p);

            cells_check(m, l, name, &v);
            if (module && (strcmp(name, "data") == 0)) {
                place_write(m, &v, has_digest);
            } else {
                property_write(m, name, &v);
            }
        }
    }
}

static void level_open(struct merge *m, uint32_t board, uint32_t system)
{
    struct level *const l = &m->level[m->depth];

    l->board = board;
    l->system = system;
    l->next_board = (board == DT_NONE) ? DT_NONE : dt_first_child(m->board, board);
    l->next_system = (system == DT_NONE) ? DT_NONE : dt_first_child(m->system, system);
    m->depth++;
    note(m,
         fdt_begin_node(m->out, (board != DT_NONE) ? dt_name(m->board, board) : dt_name(m->system, system)));
    properties_write(m, l);
}

/* Children of the board come first, then those that only the system has, each in its own order. */
static void nodes_write(struct merge *m)
{
    level_open(m, DT_ROOT, DT_ROOT);
    while (m->depth > 0u) {
        struct level *const l = &m->level[m->depth - 1u];

        if (l->next_board != DT_NONE) {
            const uint32_t child = l->next_board;

            l->next_board = dt_next_sibling(m->board, child);
            level_open(m, child, child_exact(m->system, l->system, dt_name(m->board, child)));
        } else if (l->next_system != DT_NONE) {
            const uint32_t child = l->next_system;

            l->next_system = dt_next_sibling(m->system, child);
            if (child_exact(m->board, l->board, dt_name(m->system, child)) == DT_NONE) {
                level_open(m, DT_NONE, child);
            }
        } else {
            note(m, fdt_end_node(m->out));
            m->depth--;
        }
    }
}

static void reservations_write(struct merge *m, const void *blob)
{
    const int nr_entries = fdt_num_mem_rsv(blob);

    for (int i = 0; i < nr_entries; i++) {
        uint64_t base = 0;
        uint64_t bytes = 0;

        note(m, fdt_get_mem_rsv(blob, i, &base, &bytes));
        note(m, fdt_add_reservemap_entry(m->out, base, bytes));
    }
}

bool trees_merge(const struct dt_index *board, const struct dt_index *system, const struct contents *contents,
                 struct config_report *report, struct blob *out)
{
    const size_t room = (size_t)board->blob_bytes + system->blob_bytes + TREE_SLACK;
    struct merge *const m = memory_get(sizeof(*m));
    bool good;

    m->board = board;
    m->system = system;
    m->contents = contents;
    m->report = report;
    m->out = memory_get(room);
    m->error = fdt_create(m->out, (int)room);
    reservations_write(m, board->blob);
    reservations_write(m, system->blob);
    note(m, fdt_finish_reservemap(m->out));
    nodes_write(m);
    note(m, fdt_finish(m->out));
    if (m->error == 0) {
        fdt_set_boot_cpuid_phys(m->out, fdt_boot_cpuid_phys(board->blob));
    } else {
        fprintf(stderr, TOOL_NAME ": cannot merge the trees: %s\n", fdt_strerror(m->error));
    }
    out->data = m->out;
    out->bytes = (m->error == 0) ? fdt_totalsize(m->out) : 0u;
    good = (m->error == 0) && !m->faults;
    free(m);
    return good;
}

/* -- Contents of modules -- */

const struct content *contents_find(const struct contents *contents, const uint8_t *data, uint64_t bytes)
{
    const struct content *found = NULL;

    for (uint32_t i = 0; (i < contents->nr_items) && (found == NULL); i++) {
        const struct content *const c = &contents->item[i];

        if ((c->bytes == bytes) && (memcmp(c->data, data, bytes) == 0)) {
            found = c;
        }
    }
    return found;
}

/* A kernel that is needed once may run where it lies, if that is a place of whole blocks. */
static uint64_t content_align(const struct dt_index *ix, uint32_t node, const struct dt_value *data)
{
    const uint32_t domain = ix->node[node].parent;
    struct dt_value v = { NULL, 0 };
    bool once =
        (data->bytes >= IN_PLACE_BLOCK) && (memcmp(&data->data[PAYLOAD_IMAGE_MAGIC_AT], "ARM\x64", 4) == 0);

    once = once && dt_get(ix, domain, "bulkhead,on-reset", &v) && dt_strings_have(&v, "stop");
    once = once && !(dt_get(ix, domain, "bulkhead,on-crash", &v) && !dt_strings_have(&v, "stop"));
    return (once && !dt_has(ix, domain, "bulkhead,watchdog-ms")) ? IN_PLACE_BLOCK : PAYLOAD_ALIGN;
}

void contents_collect(const struct dt_index *system, enum plan_digest digest, struct contents *out)
{
    struct dt_value v = { NULL, 0 };

    memset(out, 0, sizeof(*out));
    out->digest = digest;
    for (uint32_t n = 0; n < system->nr_nodes; n++) {
        if (!carries_data(system, n) || !dt_get(system, n, "data", &v)) {
            /* nothing to carry */
        } else if ((v.bytes > 0u) && (contents_find(out, v.data, v.bytes) == NULL) &&
                   (out->nr_items < TOOL_MODULES_MAX)) {
            struct content *const c = &out->item[out->nr_items];

            c->data = v.data;
            c->bytes = v.bytes;
            c->align = content_align(system, n, &v);
            c->digest_bytes =
                (digest == PLAN_DIGEST_NONE) ? 0u : digest_make(digest, v.data, v.bytes, c->digest);
            out->nr_items++;
        } else {
            /* there already, or a fault of the plan: empty, or more modules than domains can have */
        }
    }
}

void contents_place(struct contents *contents, uint64_t start, uint64_t own_bytes)
{
    uint64_t at = own_bytes + start;

    for (uint32_t i = 0; i < contents->nr_items; i++) {
        at = bits_align_up(at, contents->item[i].align);
        contents->item[i].offset = at - own_bytes;
        at = bits_align_up(at + contents->item[i].bytes, PAYLOAD_ALIGN);
    }
    contents->end = at - own_bytes;
}
