/* A reader of flattened device trees: no checks beyond the magic, our guests trust their platform. */
#include "guest.h"

#define TOKEN_BEGIN 1u
#define TOKEN_END   2u
#define TOKEN_PROP  3u
#define TOKEN_NOP   4u
#define DEPTH_MAX   16u

static const uint8_t *whole;
static const uint32_t *structure;
static const char *strings;
static char domain_name[32];

static uint32_t be32(const void *at)
{
    const uint8_t *const b = at;

    return ((uint32_t)b[0] << 24u) | ((uint32_t)b[1] << 16u) | ((uint32_t)b[2] << 8u) | b[3];
}

void tree_init(const void *blob)
{
    const uint8_t *const b = blob;

    if ((b != NULL) && (be32(b) == 0xD00DFEEDu)) {
        whole = b;
        structure = (const uint32_t *)(const void *)&b[be32(&b[8])];
        strings = (const char *)&b[be32(&b[12])];
    }
}

const void *tree_blob(uint64_t *bytes)
{
    *bytes = (whole != NULL) ? be32(&whole[4]) : 0u;
    return whole;
}

static uint32_t text_bytes(const char *text)
{
    uint32_t n = 0u;

    while (text[n] != '\0') {
        n++;
    }
    return n + 1u;
}

/* The token behind this one */
static const uint32_t *token_next(const uint32_t *at)
{
    const uint32_t *next = &at[1];

    if (be32(at) == TOKEN_BEGIN) {
        next = &at[1u + ((text_bytes((const char *)&at[1]) + 3u) / 4u)];
    } else if (be32(at) == TOKEN_PROP) {
        next = &at[3u + ((be32(&at[1]) + 3u) / 4u)];
    } else {
        /* one word */
    }
    return next;
}

const void *tree_prop(const struct tree_node *node, const char *name, uint32_t *bytes)
{
    const void *found = NULL;

    for (const uint32_t *at = node->at; (at != NULL) && (found == NULL); at = token_next(at)) {
        const uint32_t token = be32(at);

        if ((token == TOKEN_PROP) && text_equal(&strings[be32(&at[2])], name)) {
            *bytes = be32(&at[1]);
            found = &at[3];
        } else if ((token != TOKEN_PROP) && (token != TOKEN_NOP)) {
            break;
        } else {
            /* another property */
        }
    }
    return found;
}

const char *tree_string(const struct tree_node *node, const char *name)
{
    uint32_t bytes = 0u;
    const char *const text = tree_prop(node, name, &bytes);

    return ((text != NULL) && (bytes > 0u) && (text[bytes - 1u] == '\0')) ? text : NULL;
}

static uint32_t cells_of(const struct tree_node *node, const char *name, uint32_t otherwise)
{
    uint32_t bytes = 0u;
    const void *const value = tree_prop(node, name, &bytes);

    return ((value != NULL) && (bytes == 4u)) ? be32(value) : otherwise;
}

/* Whether the component at *path is this node's name; a component without '@' fits any unit address. */
static bool name_fits(const char *name, const char *path)
{
    uint32_t i = 0u;

    while ((path[i] != '\0') && (path[i] != '/') && (path[i] != ':') && (name[i] == path[i])) {
        i++;
    }
    const bool ended = (path[i] == '\0') || (path[i] == '/') || (path[i] == ':');
    return ended && ((name[i] == '\0') || (name[i] == '@'));
}

static bool compatible_fits(const struct tree_node *node, const char *what)
{
    uint32_t bytes = 0u;
    const char *const list = tree_prop(node, "compatible", &bytes);
    bool fits = false;

    for (uint32_t i = 0u; (list != NULL) && !fits && (i < bytes); i += text_bytes(&list[i])) {
        fits = text_equal(&list[i], what);
    }
    return fits;
}

/* Walks all nodes; by path component for component, or by compatible. */
struct tree_walk {
    uint32_t address_cells[DEPTH_MAX];
    uint32_t size_cells[DEPTH_MAX];
    uint32_t depth;
};

static struct tree_node node_at(const struct tree_walk *walk, const uint32_t *at)
{
    const uint32_t above = (walk->depth > 0u) ? (walk->depth - 1u) : 0u;
    const struct tree_node node = { token_next(at), walk->address_cells[above], walk->size_cells[above],
                                    (const char *)&at[1] };

    return node;
}

/* What is left of a path behind its first component. */
static const char *path_step(const char *path)
{
    const char *rest = path;

    while ((*rest != '\0') && (*rest != '/') && (*rest != ':')) {
        rest++;
    }
    return (*rest == '/') ? &rest[1] : rest;
}

static bool path_ended(const char *rest)
{
    return (*rest == '\0') || (*rest == ':');
}

static struct tree_node find(const char *path, const char *compatible)
{
    struct tree_walk walk = { { 2u }, { 1u }, 0u };
    struct tree_node found = { NULL, 0u, 0u, NULL };
    uint32_t matched = 0u; /* components of the path that lead to here */
    const char *rest = path;

    for (const uint32_t *at = structure; at != NULL; at = token_next(at)) {
        const uint32_t token = be32(at);

        if (token == TOKEN_BEGIN) {
            const struct tree_node node = node_at(&walk, at);

            if (walk.depth < DEPTH_MAX) {
                walk.address_cells[walk.depth] = cells_of(&node, "#address-cells", 2u);
                walk.size_cells[walk.depth] = cells_of(&node, "#size-cells", 1u);
            }
            if ((path != NULL) && (walk.depth == (matched + 1u)) && name_fits(node.name, rest)) {
                matched++;
                rest = path_step(rest);
            }
            const bool here = (path != NULL) ? ((walk.depth == matched) && path_ended(rest))
                                             : compatible_fits(&node, compatible);
            if (here) {
                found = node;
                break;
            }
            walk.depth++;
        } else if (token == TOKEN_END) {
            walk.depth--;
            if ((path != NULL) && (walk.depth == matched)) {
                break; /* the only node that fitted has no such child */
            }
        } else if ((token != TOKEN_PROP) && (token != TOKEN_NOP)) {
            break;
        } else {
            /* a property */
        }
    }
    return found;
}

struct tree_node tree_path(const char *path)
{
    return find((path[0] == '/') ? &path[1] : path, NULL);
}

struct tree_node tree_compatible(const char *what)
{
    return find(NULL, what);
}

static uint64_t number(const uint32_t *cell, uint32_t nr_cells)
{
    uint64_t value = 0u;

    for (uint32_t i = 0u; i < nr_cells; i++) {
        value = (value << 32u) | be32(&cell[i]);
    }
    return value;
}

bool tree_reg(const struct tree_node *node, uint32_t index, uint64_t *base, uint64_t *bytes)
{
    uint32_t length = 0u;
    const uint32_t *const cell = tree_prop(node, "reg", &length);
    const uint32_t each = node->address_cells + node->size_cells;
    const bool there = (cell != NULL) && (((index + 1u) * each * 4u) <= length);

    if (there) {
        *base = number(&cell[index * each], node->address_cells);
        *bytes = number(&cell[(index * each) + node->address_cells], node->size_cells);
    }
    return there;
}

bool tree_irq(const struct tree_node *node, uint32_t index, uint32_t *intid)
{
    uint32_t length = 0u;
    const uint32_t *const cell = tree_prop(node, "interrupts", &length);
    const bool there = (cell != NULL) && (((index + 1u) * 12u) <= length);

    if (there) {
        *intid = be32(&cell[(index * 3u) + 1u]) + ((be32(&cell[index * 3u]) == 0u) ? 32u : 16u);
    }
    return there;
}

const char *tree_argument(const char *name)
{
    const struct tree_node chosen = tree_path("chosen");
    const char *const args = tree_string(&chosen, "bootargs");
    const uint32_t bytes = text_bytes(name) - 1u;
    const char *found = NULL;

    for (uint32_t i = 0u; (args != NULL) && (found == NULL) && (args[i] != '\0'); i++) {
        uint32_t n = 0u;

        while ((n < bytes) && (args[i + n] == name[n])) {
            n++;
        }
        if ((n == bytes) && (args[i + n] == '=') && ((i == 0u) || (args[i - 1u] == ' '))) {
            found = &args[i + n + 1u];
        }
    }
    return found;
}

uint64_t tree_number(const char *name, uint64_t otherwise)
{
    const char *const text = tree_argument(name);
    uint64_t value = (text == NULL) ? otherwise : 0u;

    for (uint32_t i = 0u; (text != NULL) && (text[i] >= '0') && (text[i] <= '9'); i++) {
        value = (value * 10u) + (uint64_t)(text[i] - '0');
    }
    return value;
}

const char *tree_domain_name(void)
{
    const struct tree_node chosen = tree_path("chosen");
    const char *name = tree_string(&chosen, "bulkhead,domain-name");
    uint32_t n = 0u;

    if (name == NULL) {
        name = tree_argument("name");
    }
    if ((name == NULL) || (*name == '\0')) {
        name = "unknown";
    }
    while ((name[n] != '\0') && (name[n] != ' ') && (n < (sizeof(domain_name) - 1u))) {
        domain_name[n] = name[n];
        n++;
    }
    domain_name[n] = '\0';
    return domain_name;
}
