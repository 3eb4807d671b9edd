/* The tree of nodes, and who may do what with one. */
#include "core/core.h"

#include <string.h>

struct store_node *node_at(struct store *s, uint16_t node)
{
    return &s->share[node / STORE_NODES].node[node % STORE_NODES];
}

const struct store_node *node_see(const struct store *s, uint16_t node)
{
    return &s->share[node / STORE_NODES].node[node % STORE_NODES];
}

uint16_t node_owner(uint16_t node)
{
    return (uint16_t)(node / STORE_NODES);
}

/* The child of this name */
static uint16_t child_find(const struct store *s, uint16_t parent, const char *name, uint32_t bytes)
{
    uint16_t child = node_see(s, parent)->child;

    while ((child != STORE_NONE) && !text_is(s, &node_see(s, child)->name, name, bytes)) {
        child = node_see(s, child)->next;
    }
    return child;
}

uint16_t node_find(const struct store *s, const struct path *path)
{
    uint16_t node = s->root;
    uint32_t at = 0u;

    while ((node != STORE_NONE) && (at < path->bytes)) { /* each turn takes a '/' and a name */
        uint32_t end = at + 1u;

        while ((end < path->bytes) && (path->text[end] != '/')) {
            end++;
        }
        node = child_find(s, node, &path->text[at + 1u], end - at - 1u);
        at = end;
    }
    return node;
}

void node_changed(struct store *s, uint16_t node)
{
    s->generation++;
    node_at(s, node)->generation = s->generation;
}

/* With the name that the path ends in */
uint16_t node_make(struct store *s, uint16_t owner, const struct path *path)
{
    struct store_share *const share = &s->share[owner];
    uint32_t name = path->bytes;

    while ((name > 0u) && (path->text[name - 1u] != '/')) {
        name--;
    }
    for (uint32_t i = 0u; i < STORE_NODES; i++) {
        const uint32_t at = (share->node_hint + i) % STORE_NODES;
        struct store_node *const node = &share->node[at];
        struct store_text text;

        if (node->generation != 0u) {
            /* somebody's */
        } else if (text_put(s, owner, &path->text[name], path->bytes - name, &text)) {
            const uint16_t number = (uint16_t)((owner * STORE_NODES) + at);

            (void)memset(node, 0, sizeof(*node));
            node->parent = STORE_NONE;
            node->child = STORE_NONE;
            node->next = STORE_NONE;
            node->name = text;
            node->value = text_none();
            node->nr_perms = 1u;
            node->perm[0] = (struct store_perm){ share->domid, 0u };
            share->node_hint = (uint16_t)((at + 1u) % STORE_NODES);
            node_changed(s, number);
            return number;
        } else {
            return STORE_NONE;
        }
    }
    return STORE_NONE;
}

void node_free(struct store *s, uint16_t node)
{
    struct store_node *const at = node_at(s, node);

    text_free(s, &at->name);
    text_free(s, &at->value);
    at->generation = 0u;
}

void node_attach(struct store *s, uint16_t node, uint16_t parent)
{
    node_at(s, node)->parent = parent;
    node_at(s, node)->next = node_see(s, parent)->child;
    node_at(s, parent)->child = node;
    node_changed(s, parent);
}

static void unlink_from_parent(struct store *s, uint16_t node)
{
    const uint16_t parent = node_see(s, node)->parent;
    uint16_t *link = &node_at(s, parent)->child;

    while (*link != node) { /* it is one of its parent's children */
        link = &node_at(s, *link)->next;
    }
    *link = node_see(s, node)->next;
    node_changed(s, parent);
}

void node_detach(struct store *s, uint16_t node)
{
    uint16_t at = node;
    bool over = false;

    unlink_from_parent(s, node);
    while (!over) { /* leaves first: each turn goes down one, or frees one */
        const uint16_t child = node_see(s, at)->child;

        if (child != STORE_NONE) {
            at = child;
        } else {
            const uint16_t parent = node_see(s, at)->parent;

            over = (at == node);
            if (!over) {
                node_at(s, parent)->child = node_see(s, at)->next;
            }
            node_free(s, at);
            at = parent;
        }
    }
}

bool node_set_value(struct store *s, uint16_t node, const void *bytes, uint32_t nr)
{
    struct store_text text;
    const bool good = text_put(s, node_owner(node), bytes, nr, &text);

    if (good) {
        text_free(s, &node_at(s, node)->value);
        node_at(s, node)->value = text;
    }
    return good;
}

bool node_copy(struct store *s, uint16_t from, uint16_t to)
{
    struct store_text text;
    const bool good = text_copy(s, node_owner(to), &node_see(s, from)->value, &text);

    if (good) {
        text_free(s, &node_at(s, to)->value);
        node_at(s, to)->value = text;
        node_at(s, to)->nr_perms = node_see(s, from)->nr_perms;
        (void)memcpy(node_at(s, to)->perm, node_see(s, from)->perm, sizeof(node_see(s, from)->perm));
    }
    return good;
}

bool node_may(const struct store *s, uint16_t node, uint16_t client, uint32_t what)
{
    const struct store_node *const at = node_see(s, node);
    uint32_t may = at->perm[0].may;

    if ((client == STORE_OWN) || (client == node_owner(node))) {
        return true;
    }
    for (uint32_t i = at->nr_perms; i > 1u; i--) { /* the first that names it counts */
        if (at->perm[i - 1u].domid == s->share[client].domid) {
            may = at->perm[i - 1u].may;
        }
    }
    return (may & what) == what;
}
