#include "lib/tree.h"

#include "lib/fmt.h"
#include "lib/string.h"

#define NAME_MAX 48u

void tree_cells(const struct tree_sink *to, const char *name, const uint32_t *cells, uint32_t nr_cells)
{
    uint8_t value[TREE_CELLS_MAX * 4u];
    uint32_t bytes = 0;

    for (; (bytes < (nr_cells * 4u)) && (bytes < sizeof(value)); bytes++) {
        value[bytes] = (uint8_t)(cells[bytes / 4u] >> (24u - (8u * (bytes % 4u))));
    }
    to->prop(to->ctx, name, value, bytes);
}

void tree_cell(const struct tree_sink *to, const char *name, uint32_t value)
{
    tree_cells(to, name, &value, 1u);
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
