#include "lib/tree.h"

#include "lib/fmt.h"
#include "lib/string.h"

#define NAME_MAX 48u

void tree_cells(const struct tree_sink *to, const char *name, const uint32_t *cells, uint32_t nr_cells)
{
    uint32_t value[TREE_CELLS_MAX];
    uint32_t n = 0;

    for (; (n < nr_cells) && (n < TREE_CELLS_MAX); n++) {
        value[n] = __builtin_bswap32(cells[n]); /* whoever writes trees is little-endian */
    }
    to->prop(to->ctx, name, value, n * 4u);
}

void tree_cell(const struct tree_sink *to, const char *name, uint32_t value)
{
    const uint32_t cell = __builtin_bswap32(value); /* without tree_cells()' room, which is zeroed */

    to->prop(to->ctx, name, &cell, (uint32_t)sizeof(cell));
}

void tree_text(const struct tree_sink *to, const char *name, const char *text)
{
    to->prop(to->ctx, name, text, (uint32_t)strlen(text) + 1u);
}

void tree_begin_at(const struct tree_sink *to, const char *kind, uint64_t address)
{
    char name[NAME_MAX];
    struct fmt_buf text;

    fmt_init(&text, name, NAME_MAX);
    fmt_add(&text, "%s@%A", kind, address);
    to->begin(to->ctx, name);
}
