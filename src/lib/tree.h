/* A device tree that is written piece by piece. */
#ifndef LIB_TREE_H
#define LIB_TREE_H

#include <stdint.h>

/* Where it goes, with the nesting of a flattened tree: begin(name) .. prop .. end. Values are already
 * big-endian cells or strings. */
struct tree_sink {
    void (*begin)(void *ctx, const char *name);
    void (*prop)(void *ctx, const char *name, const void *value, uint32_t bytes);
    void (*end)(void *ctx);
    void *ctx;
};

#define TREE_CELLS_MAX 128u /* of one property */
void tree_cells(const struct tree_sink *to, const char *name, const uint32_t *cells, uint32_t nr_cells);
void tree_cell(const struct tree_sink *to, const char *name, uint32_t value);
void tree_text(const struct tree_sink *to, const char *name, const char *text);
/* A node with a unit address, which has as few digits as it takes. */
void tree_begin_at(const struct tree_sink *to, const char *kind, uint64_t address);

#endif
