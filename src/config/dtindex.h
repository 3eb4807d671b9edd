/* A flattened device tree as arrays: one pass over the blob, then every look-up is a walk over a few small
 * integers. The blob stays where it is; names and values point into it. Nodes are numbered in the order of
 * the blob, the root is 0, so the subtree of node n is [n, node[n].end). Functions that take a node want
 * one below nr_nodes. */
#ifndef CONFIG_DTINDEX_H
#define CONFIG_DTINDEX_H

#include <stddef.h>

#include "lib/bits.h"
#include "lib/fmt.h"

#define DT_DEPTH_MAX     32u     /* the root has depth 0 */
#define DT_NONE          0xFFFFu /* no node */
#define DT_ROOT          0u
#define DT_IRQ_CELLS_MAX 4u

struct dt_node {
    uint32_t name;    /* offset in the blob */
    uint32_t phandle; /* 0 = none */
    uint16_t parent;
    uint16_t end; /* number of the first node behind the subtree */
    uint16_t first_prop;
    uint16_t nr_props;
};

struct dt_prop {
    uint32_t name; /* offsets in the blob */
    uint32_t value;
    uint32_t bytes;
};

/* Room for a host's tree, about 140 KiB; belongs in .bss. */
struct dt_room {
    struct dt_node node[2048];
    struct dt_prop prop[8192];
    uint16_t by_phandle[4096]; /* a power of two, twice the nodes or more */
};

/* Filled by config_index_make(), then immutable; begins as DT_INDEX(room, depth). */
struct dt_index {
    const uint8_t *blob;
    uint32_t blob_bytes; /* the tree's own total size */
    uint32_t nr_nodes;
    uint32_t nr_props;
    struct dt_node *node;
    struct dt_prop *prop;
    uint16_t *by_phandle; /* open addressing; DT_NONE = free */
    uint16_t nodes_max;
    uint16_t props_max;
    uint16_t nr_slots;
    uint16_t depth_max; /* levels, at most DT_DEPTH_MAX */
};

#define DT_INDEX(room, depth)                                                                                \
    { .node = (room).node,                                                                                   \
      .prop = (room).prop,                                                                                   \
      .by_phandle = (room).by_phandle,                                                                       \
      .nodes_max = (uint16_t)ARRAY_LEN((room).node),                                                         \
      .props_max = (uint16_t)ARRAY_LEN((room).prop),                                                         \
      .nr_slots = (uint16_t)ARRAY_LEN((room).by_phandle),                                                    \
      .depth_max = (depth) }

struct dt_value {
    const uint8_t *data; /* big-endian cells or text; no alignment promised */
    uint32_t bytes;
};

/* An interrupt as its consumer's node writes it */
struct dt_irq {
    uint32_t controller; /* node */
    uint32_t nr_cells;
    uint32_t cell[DT_IRQ_CELLS_MAX];
};

/* -- The shape -- */
const char *dt_name(const struct dt_index *ix, uint32_t node);
uint32_t dt_first_child(const struct dt_index *ix, uint32_t node);
uint32_t dt_next_sibling(const struct dt_index *ix, uint32_t node);
/* The child of that name; a name without unit address also finds the first one that has an address. */
uint32_t dt_child(const struct dt_index *ix, uint32_t node, const char *name, uint32_t name_len);
/* path: from the root with '/', or an alias and then a path; ends at NUL or ':'. */
uint32_t dt_find(const struct dt_index *ix, const char *path);
uint32_t dt_by_phandle(const struct dt_index *ix, uint32_t phandle);
void dt_path(const struct dt_index *ix, uint32_t node, struct fmt_buf *out);

/* -- Properties. An absent one leaves *out untouched and answers false; so does one of the wrong size, or of
 * node DT_NONE. -- */
bool dt_get(const struct dt_index *ix, uint32_t node, const char *name, struct dt_value *out);
bool dt_has(const struct dt_index *ix, uint32_t node, const char *name);
bool dt_get_u32(const struct dt_index *ix, uint32_t node, const char *name, uint32_t *out);
/* one NUL-terminated string and nothing behind it */
bool dt_get_string(const struct dt_index *ix, uint32_t node, const char *name, const char **out);
const char *dt_prop_name(const struct dt_index *ix, uint32_t prop);
struct dt_value dt_prop_value(const struct dt_index *ix, uint32_t prop);
/* #address-cells or #size-cells that `node` sets for its children, or the standard's default */
uint32_t dt_address_cells(const struct dt_index *ix, uint32_t node);
uint32_t dt_size_cells(const struct dt_index *ix, uint32_t node);
bool dt_compatible(const struct dt_index *ix, uint32_t node, const char *wanted);
/* status of the node and of all nodes above it */
bool dt_enabled(const struct dt_index *ix, uint32_t node);

/* -- Values -- */
/* Whether text begins with the first n characters of `start`, which are no NUL. */
bool dt_text_begins(const char *text, const char *start, uint32_t n);
uint32_t dt_cell(const struct dt_value *v, uint32_t index);
/* a number of one or two cells; of more cells, the low two */
uint64_t dt_cells(const struct dt_value *v, uint32_t index, uint32_t nr_cells);
bool dt_is_string(const struct dt_value *v);
/* place of a string in a list of strings; DT_NONE if it is not in it */
uint32_t dt_string_index(const struct dt_value *v, const char *wanted);
bool dt_strings_have(const struct dt_value *v, const char *wanted);

/* -- Registers and interrupts of devices -- */
/* Entries of reg by the parent's cells; 0 if there is none or its size is not a multiple. */
uint32_t dt_reg_count(const struct dt_index *ix, uint32_t node);
/* Entry i of reg in the parent's address space */
bool dt_reg(const struct dt_index *ix, uint32_t node, uint32_t i, struct range *out);
/* Entry i of reg as host physical addresses, through the `ranges` of all buses above. False if a bus has
 * no mapping. */
bool dt_reg_host(const struct dt_index *ix, uint32_t node, uint32_t i, struct range *out);
/* Entry i of a bus's `ranges`: what it passes on, as host physical addresses */
bool dt_passes(const struct dt_index *ix, uint32_t bus, uint32_t i, struct range *out);
/* The node that interrupts of `node` go to, by its interrupt-parent or the next one above; DT_NONE if there
 * is no such node. */
uint32_t dt_irq_parent(const struct dt_index *ix, uint32_t node);
/* Interrupt i of `interrupts-extended` or `interrupts`. False if absent, malformed or behind an
 * interrupt-map. */
bool dt_irq(const struct dt_index *ix, uint32_t node, uint32_t i, struct dt_irq *out);

#endif
