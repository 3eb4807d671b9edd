/* Look-ups in the index. */
#include "config/dtindex.h"

#include "lib/string.h"

#define CELL_BYTES 4u
#define ALIAS_MAX  40u /* a name has 31 characters at most */
#define CELLS_MAX  4u  /* of an address or a size that is looked at */

static const char *blob_text(const struct dt_index *ix, uint32_t offset)
{
    const void *const text = &ix->blob[offset];

    return text;
}

/* -- The shape -- */

bool dt_text_begins(const char *text, const char *start, uint32_t n)
{
    uint32_t i = 0;

    while ((i < n) && (text[i] == start[i]) && (text[i] != '\0')) {
        i++;
    }
    return i == n;
}

const char *dt_name(const struct dt_index *ix, uint32_t node)
{
    return blob_text(ix, ix->node[node].name);
}

uint32_t dt_first_child(const struct dt_index *ix, uint32_t node)
{
    return ((node + 1u) < ix->node[node].end) ? (node + 1u) : DT_NONE;
}

uint32_t dt_next_sibling(const struct dt_index *ix, uint32_t node)
{
    const uint32_t parent = ix->node[node].parent;
    const uint32_t next = ix->node[node].end;

    return ((parent != DT_NONE) && (next < ix->node[parent].end)) ? next : DT_NONE;
}

uint32_t dt_child(const struct dt_index *ix, uint32_t node, const char *name, uint32_t name_len)
{
    uint32_t child = dt_first_child(ix, node);
    bool found = false;

    while ((child != DT_NONE) && !found) {
        const char *const have = dt_name(ix, child);

        if (dt_text_begins(have, name, name_len)) {
            found = (have[name_len] == '\0') || (have[name_len] == '@');
        }
        child = found ? child : dt_next_sibling(ix, child);
    }
    return child;
}

static uint32_t component_length(const char *path)
{
    uint32_t n = 0;

    while ((path[n] != '\0') && (path[n] != '/') && (path[n] != ':')) {
        n++;
    }
    return n;
}

/* The path that stands under /aliases for the first component. NULL if none does. */
static const char *alias_path(const struct dt_index *ix, const char *name, uint32_t name_len)
{
    char alias[ALIAS_MAX];
    struct fmt_buf text;
    const char *path = NULL;

    fmt_init(&text, alias, ALIAS_MAX);
    fmt_bytes(&text, name, name_len);
    (void)dt_get_string(ix, dt_child(ix, DT_ROOT, "aliases", 7u), alias, &path);
    return text.cut ? NULL : path;
}

static uint32_t walk_path(const struct dt_index *ix, uint32_t from, const char *path)
{
    uint32_t node = from;
    const char *rest = path;

    while ((node != DT_NONE) && (*rest != '\0') && (*rest != ':')) {
        if (*rest == '/') {
            rest = &rest[1];
        } else {
            const uint32_t n = component_length(rest);

            node = dt_child(ix, node, rest, n);
            rest = &rest[n];
        }
    }
    return node;
}

uint32_t dt_find(const struct dt_index *ix, const char *path)
{
    uint32_t node = DT_ROOT;
    const char *rest = path;

    if (path[0] != '/') {
        const uint32_t n = component_length(path);
        const char *const alias = alias_path(ix, path, n);

        rest = &path[n];
        node = ((alias != NULL) && (alias[0] == '/')) ? walk_path(ix, DT_ROOT, alias) : DT_NONE;
    }
    return walk_path(ix, node, rest);
}

void dt_path(const struct dt_index *ix, uint32_t node, struct fmt_buf *out)
{
    uint32_t chain[DT_DEPTH_MAX];
    uint32_t n = 0;

    for (uint32_t i = node; (i != DT_ROOT) && (n < DT_DEPTH_MAX); i = ix->node[i].parent) {
        chain[n] = i;
        n++;
    }
    if (n == 0u) {
        fmt_char(out, '/');
    }
    while (n > 0u) {
        n--;
        fmt_char(out, '/');
        fmt_str(out, dt_name(ix, chain[n]));
    }
}

/* -- Properties -- */

const char *dt_prop_name(const struct dt_index *ix, uint32_t prop)
{
    return blob_text(ix, ix->prop[prop].name);
}

struct dt_value dt_prop_value(const struct dt_index *ix, uint32_t prop)
{
    const struct dt_value v = { &ix->blob[ix->prop[prop].value], ix->prop[prop].bytes };

    return v;
}

bool dt_get(const struct dt_index *ix, uint32_t node, const char *name, struct dt_value *out)
{
    const bool there = (node != DT_NONE);
    const uint32_t first = there ? ix->node[node].first_prop : 0u;
    const uint32_t end = there ? (first + ix->node[node].nr_props) : 0u;
    bool found = false;

    for (uint32_t i = first; (i < end) && !found; i++) {
        if (strcmp(dt_prop_name(ix, i), name) == 0) {
            *out = dt_prop_value(ix, i);
            found = true;
        }
    }
    return found;
}

bool dt_has(const struct dt_index *ix, uint32_t node, const char *name)
{
    struct dt_value v = { NULL, 0u };

    return dt_get(ix, node, name, &v);
}

bool dt_get_u32(const struct dt_index *ix, uint32_t node, const char *name, uint32_t *out)
{
    struct dt_value v = { NULL, 0u };
    const bool good = dt_get(ix, node, name, &v) && (v.bytes == CELL_BYTES);

    if (good) {
        *out = dt_cell(&v, 0);
    }
    return good;
}

bool dt_get_string(const struct dt_index *ix, uint32_t node, const char *name, const char **out)
{
    struct dt_value v = { NULL, 0u };
    const bool good = dt_get(ix, node, name, &v) && dt_is_string(&v);

    if (good) {
        const void *const text = v.data;

        *out = text;
    }
    return good;
}

uint32_t dt_address_cells(const struct dt_index *ix, uint32_t node)
{
    uint32_t cells = 2;

    (void)dt_get_u32(ix, node, "#address-cells", &cells);
    return cells;
}

uint32_t dt_size_cells(const struct dt_index *ix, uint32_t node)
{
    uint32_t cells = 1;

    (void)dt_get_u32(ix, node, "#size-cells", &cells);
    return cells;
}

bool dt_compatible(const struct dt_index *ix, uint32_t node, const char *wanted)
{
    struct dt_value v = { NULL, 0u };

    return dt_get(ix, node, "compatible", &v) && dt_strings_have(&v, wanted);
}

bool dt_enabled(const struct dt_index *ix, uint32_t node)
{
    bool enabled = true;

    for (uint32_t i = node; (i != DT_NONE) && enabled; i = ix->node[i].parent) {
        struct dt_value v = { NULL, 0u };

        if (dt_get(ix, i, "status", &v)) {
            enabled = dt_strings_have(&v, "okay") || dt_strings_have(&v, "ok");
        }
    }
    return enabled;
}

/* -- Values -- */

uint32_t dt_cell(const struct dt_value *v, uint32_t index)
{
    return bits_be32(&v->data[index * CELL_BYTES]);
}

uint64_t dt_cells(const struct dt_value *v, uint32_t index, uint32_t nr_cells)
{
    uint64_t number = 0;

    for (uint32_t i = 0; i < nr_cells; i++) {
        number = (number << 32u) | dt_cell(v, index + i);
    }
    return number;
}

bool dt_is_string(const struct dt_value *v)
{
    const void *const text = v->data;

    return (v->bytes > 0u) && (strnlen(text, v->bytes) == (v->bytes - 1u));
}

uint32_t dt_string_index(const struct dt_value *v, const char *wanted)
{
    const uint32_t bytes = (uint32_t)strlen(wanted) + 1u;
    uint32_t at = 0;
    uint32_t index = 0;
    bool found = false;

    while ((at < v->bytes) && !found) {
        const void *const bytes_at = &v->data[at];
        const char *const text = bytes_at;
        const uint32_t left = v->bytes - at;

        found = (bytes <= left) && (strnlen(text, left) == (bytes - 1u)) &&
                dt_text_begins(text, wanted, bytes - 1u);
        index += found ? 0u : 1u;
        at += (uint32_t)strnlen(text, left) + 1u;
    }
    return found ? index : DT_NONE;
}

bool dt_strings_have(const struct dt_value *v, const char *wanted)
{
    return dt_string_index(v, wanted) != DT_NONE;
}

/* -- Registers and interrupts -- */

uint32_t dt_reg_count(const struct dt_index *ix, uint32_t node)
{
    const uint32_t parent = ix->node[node].parent;
    struct dt_value v = { NULL, 0u };
    uint32_t count = 0;

    if ((parent != DT_NONE) && dt_get(ix, node, "reg", &v)) {
        const uint32_t ac = dt_address_cells(ix, parent);
        const uint32_t sc = dt_size_cells(ix, parent);

        if ((ac > 0u) && (ac <= CELLS_MAX) && (sc <= CELLS_MAX) &&
            ((v.bytes % ((ac + sc) * CELL_BYTES)) == 0u)) {
            count = v.bytes / ((ac + sc) * CELL_BYTES);
        }
    }
    return count;
}

bool dt_reg(const struct dt_index *ix, uint32_t node, uint32_t i, struct range *out)
{
    const bool good = i < dt_reg_count(ix, node);

    if (good) {
        const uint32_t parent = ix->node[node].parent;
        const uint32_t ac = dt_address_cells(ix, parent);
        const uint32_t sc = dt_size_cells(ix, parent);
        struct dt_value v = { NULL, 0u };

        (void)dt_get(ix, node, "reg", &v);
        out->base = dt_cells(&v, i * (ac + sc), ac);
        out->bytes = dt_cells(&v, (i * (ac + sc)) + ac, sc);
    }
    return good;
}

/* Entry i of a bus's `ranges`: where it begins on this bus, and the range on the bus above. False: there is
 * none. */
static bool ranges_entry(const struct dt_index *ix, uint32_t bus, uint32_t i, uint64_t *from,
                         struct range *to)
{
    const uint32_t parent = ix->node[bus].parent;
    const uint32_t child_ac = dt_address_cells(ix, bus);
    const uint32_t child_sc = dt_size_cells(ix, bus);
    const uint32_t parent_ac = (parent == DT_NONE) ? 0u : dt_address_cells(ix, parent);
    const uint32_t entry = child_ac + parent_ac + child_sc;
    struct dt_value v = { NULL, 0u };
    const bool good = (parent != DT_NONE) && dt_get(ix, bus, "ranges", &v) && (child_ac <= CELLS_MAX) &&
                      (child_sc <= CELLS_MAX) && (parent_ac <= CELLS_MAX) && (entry > 0u) &&
                      (i < ((v.bytes / CELL_BYTES) / entry));

    if (good) {
        *from = dt_cells(&v, i * entry, child_ac);
        to->base = dt_cells(&v, (i * entry) + child_ac, parent_ac);
        to->bytes = dt_cells(&v, (i * entry) + child_ac + parent_ac, child_sc);
    }
    return good;
}

/* One step up: an address on the bus below `bus` as an address on the bus that `bus` itself is on. */
static bool translate_up(const struct dt_index *ix, uint32_t bus, struct range *range)
{
    struct dt_value v = { NULL, 0u };
    struct range to = { 0u, 0u };
    uint64_t from = 0;
    bool good = dt_get(ix, bus, "ranges", &v);

    if (good && (v.bytes > 0u)) {
        good = false;
        for (uint32_t i = 0; !good && ranges_entry(ix, bus, i, &from, &to); i++) {
            good = (range->base >= from) && ((range->base - from) < to.bytes);
            range->base = good ? ((range->base - from) + to.base) : range->base;
        }
    }
    return good;
}

/* From the address space that `node` is in. */
static bool translate_all(const struct dt_index *ix, uint32_t node, struct range *range)
{
    bool good = true;

    for (uint32_t bus = ix->node[node].parent; (bus != DT_ROOT) && (bus != DT_NONE) && good;
         bus = ix->node[bus].parent) {
        good = translate_up(ix, bus, range);
    }
    return good;
}

bool dt_reg_host(const struct dt_index *ix, uint32_t node, uint32_t i, struct range *out)
{
    struct range range = { 0u, 0u };
    const bool good = dt_reg(ix, node, i, &range) && translate_all(ix, node, &range);

    if (good) {
        *out = range;
    }
    return good;
}

bool dt_passes(const struct dt_index *ix, uint32_t bus, uint32_t i, struct range *out)
{
    uint64_t from = 0;

    return ranges_entry(ix, bus, i, &from, out) && translate_all(ix, bus, out);
}

static bool irq_cells(const struct dt_index *ix, uint32_t controller, const struct dt_value *v, uint32_t at,
                      struct dt_irq *out)
{
    const uint32_t have = v->bytes / CELL_BYTES;
    uint32_t nr_cells = 0;
    const bool good = (controller != DT_NONE) && dt_get_u32(ix, controller, "#interrupt-cells", &nr_cells) &&
                      (nr_cells > 0u) && (nr_cells <= DT_IRQ_CELLS_MAX) && (at <= have) &&
                      ((have - at) >= nr_cells);

    out->controller = controller;
    out->nr_cells = nr_cells;
    for (uint32_t i = 0; good && (i < nr_cells); i++) {
        out->cell[i] = dt_cell(v, at + i);
    }
    return good;
}

uint32_t dt_irq_parent(const struct dt_index *ix, uint32_t node)
{
    uint32_t found = DT_NONE;

    for (uint32_t i = node; (i != DT_NONE) && (found == DT_NONE); i = ix->node[i].parent) {
        uint32_t phandle = 0;

        if (dt_get_u32(ix, i, "interrupt-parent", &phandle)) {
            found = dt_by_phandle(ix, phandle);
        }
    }
    return found;
}

bool dt_irq(const struct dt_index *ix, uint32_t node, uint32_t i, struct dt_irq *out)
{
    struct dt_value v = { NULL, 0u };
    bool good = false;

    if (dt_get(ix, node, "interrupts-extended", &v)) {
        uint32_t at = 0;

        good = true;
        for (uint32_t n = 0; (n <= i) && good; n++) {
            good = (v.bytes / CELL_BYTES) > at;
            good = good && irq_cells(ix, dt_by_phandle(ix, dt_cell(&v, at)), &v, at + 1u, out);
            at += 1u + out->nr_cells;
        }
    } else {
        const uint32_t controller = dt_irq_parent(ix, node);
        uint32_t nr_cells = 0;

        good = dt_get(ix, node, "interrupts", &v) && (controller != DT_NONE) &&
               dt_get_u32(ix, controller, "#interrupt-cells", &nr_cells) && (nr_cells <= DT_IRQ_CELLS_MAX) &&
               irq_cells(ix, controller, &v, i * nr_cells, out);
    }
    return good;
}
