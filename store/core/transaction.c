/* What a client sees and changes, in the tree itself or in a transaction. A transaction keeps, for each path
 * that it looked at, the generation of the node there, and new nodes beside the tree for what it changed.
 * It is carried out if each of these paths is as it was first seen. */
#include "core/core.h"

#include <string.h>

static struct store_entry *entry_at(struct view *v, uint16_t entry)
{
    return &v->s->share[v->client].entry[entry];
}

/* -- Room, judged before anything is changed -- */

bool store_room(const struct store *s, uint16_t share, uint32_t nr_nodes, uint32_t nr_blocks)
{
    const struct store_share *const of = &s->share[share];
    uint32_t nodes = 0u;
    uint32_t blocks = 0u;

    for (uint32_t i = 0u; i < STORE_NODES; i++) {
        nodes += (of->node[i].generation == 0u) ? 1u : 0u;
    }
    for (uint32_t i = 0u; i < STORE_BLOCKS; i++) {
        blocks += of->block_used[i] ? 0u : 1u;
    }
    return (nodes >= nr_nodes) && (blocks >= nr_blocks);
}

static uint32_t blocks_for(uint32_t bytes)
{
    return (bytes / STORE_TEXT_BYTES) + 1u;
}

static uint32_t entries_free(struct view *v)
{
    uint32_t nr = 0u;

    for (uint16_t i = 0u; i < STORE_ENTRIES; i++) {
        nr += (entry_at(v, i)->state == (uint8_t)STORE_FREE) ? 1u : 0u;
    }
    return nr;
}

/* -- Entries -- */

static void entry_append(struct view *v, uint16_t entry)
{
    entry_at(v, entry)->next = STORE_NONE;
    if (v->tx->first == STORE_NONE) {
        v->tx->first = entry;
    } else {
        entry_at(v, v->tx->last)->next = entry;
    }
    v->tx->last = entry;
}

static uint16_t entry_find(struct view *v, const struct path *path)
{
    uint16_t e = v->tx->first;

    while ((e != STORE_NONE) && !text_is(v->s, &entry_at(v, e)->path, path->text, path->bytes)) {
        e = entry_at(v, e)->next;
    }
    return e;
}

/* Found or begun; STORE_NONE: there is no room. */
static uint16_t entry_get(struct view *v, const struct path *path)
{
    uint16_t e = entry_find(v, path);

    for (uint16_t i = 0u; (e == STORE_NONE) && (i < STORE_ENTRIES); i++) {
        if (entry_at(v, i)->state == (uint8_t)STORE_FREE) {
            const uint16_t node = node_find(v->s, path);

            if (!text_put(v->s, v->client, path->text, path->bytes, &entry_at(v, i)->path)) {
                break;
            }
            entry_at(v, i)->generation = (node != STORE_NONE) ? node_see(v->s, node)->generation : 0u;
            entry_at(v, i)->node = STORE_NONE;
            entry_at(v, i)->state = (uint8_t)STORE_SEEN;
            entry_at(v, i)->cut = false;
            entry_append(v, i);
            e = i;
        }
    }
    return e;
}

/* To the end of the list, so that what is above comes before what is below */
static void entry_move(struct view *v, uint16_t entry)
{
    uint16_t before = STORE_NONE;

    for (uint16_t e = v->tx->first; e != entry; e = entry_at(v, e)->next) {
        before = e;
    }
    if (v->tx->last != entry) {
        if (before == STORE_NONE) {
            v->tx->first = entry_at(v, entry)->next;
        } else {
            entry_at(v, before)->next = entry_at(v, entry)->next;
        }
        entry_append(v, entry);
    }
}

static void entry_drop_node(struct view *v, uint16_t entry)
{
    if (entry_at(v, entry)->node != STORE_NONE) {
        node_free(v->s, entry_at(v, entry)->node);
        entry_at(v, entry)->node = STORE_NONE;
    }
}

static bool cut_above(struct view *v, const struct path *path)
{
    struct path above;
    bool cut = false;

    for (uint16_t e = v->tx->first; (e != STORE_NONE) && !cut; e = entry_at(v, e)->next) {
        if (entry_at(v, e)->cut) {
            path_of_text(v->s, &entry_at(v, e)->path, &above);
            cut = (above.bytes < path->bytes) && path_within(&above, path);
        }
    }
    return cut;
}

/* -- Looking -- */

enum store_error view_find(struct view *v, const struct path *path, uint16_t *node)
{
    *node = STORE_NONE;
    if (v->tx == NULL) {
        *node = node_find(v->s, path);
        return STORE_OK;
    }
    const uint16_t e = entry_get(v, path);

    if (e == STORE_NONE) {
        return STORE_ENOSPC;
    }
    if (entry_at(v, e)->state == (uint8_t)STORE_WRITTEN) {
        *node = entry_at(v, e)->node;
    } else if ((entry_at(v, e)->state == (uint8_t)STORE_SEEN) && !cut_above(v, path)) {
        *node = node_find(v->s, path);
    } else {
        /* it was removed */
    }
    return STORE_OK;
}

struct list {
    char *out;
    uint32_t room;
    uint32_t skip;
    uint32_t total;
};

static void list_add(struct list *l, const char *bytes, uint32_t nr)
{
    for (uint32_t i = 0u; i < nr; i++) {
        const uint32_t at = l->total + i;

        if ((at >= l->skip) && ((at - l->skip) < l->room)) {
            l->out[at - l->skip] = bytes[i];
        }
    }
    l->total += nr;
}

/* What the transaction has put there, or (written false) what it took away of the tree */
static bool entry_says(struct view *v, const struct path *path, enum store_entry_state state)
{
    const uint16_t e = (v->tx != NULL) ? entry_find(v, path) : STORE_NONE;

    return (e != STORE_NONE) && (entry_at(v, e)->state == (uint8_t)state);
}

static void list_tree(struct view *v, const struct path *path, struct list *l)
{
    const uint16_t node = node_find(v->s, path);
    uint16_t child = (node != STORE_NONE) ? node_see(v->s, node)->child : STORE_NONE;

    while (child != STORE_NONE) {
        struct path below = *path;
        const uint32_t at = path->bytes + 1u;

        if ((at + node_see(v->s, child)->name.bytes) <= STORE_PATH_MAX) {
            below.text[path->bytes] = '/';
            text_get(v->s, &node_see(v->s, child)->name, &below.text[at]);
            below.bytes = at + node_see(v->s, child)->name.bytes;
            below.text[below.bytes] = '\0';
            if (!entry_says(v, &below, STORE_DELETED) && !entry_says(v, &below, STORE_WRITTEN)) {
                list_add(l, &below.text[at], below.bytes - at + 1u);
            }
        }
        child = node_see(v->s, child)->next;
    }
}

static void list_entries(struct view *v, const struct path *path, struct list *l)
{
    struct path below;
    struct path above;

    for (uint16_t e = v->tx->first; e != STORE_NONE; e = entry_at(v, e)->next) {
        if (entry_at(v, e)->state == (uint8_t)STORE_WRITTEN) {
            path_of_text(v->s, &entry_at(v, e)->path, &below);
            above = below;
            path_up(&above);
            if ((below.bytes > 0u) && (above.bytes == path->bytes) && path_within(path, &below)) {
                list_add(l, &below.text[above.bytes + 1u], below.bytes - above.bytes);
            }
        }
    }
}

enum store_error view_list(struct view *v, const struct path *path, uint32_t skip, char *out, uint32_t room,
                           uint32_t *total)
{
    struct list l = { out, room, skip, 0u };
    const uint16_t e = (v->tx != NULL) ? entry_find(v, path) : STORE_NONE;
    const bool cut = (v->tx != NULL) && (cut_above(v, path) || ((e != STORE_NONE) && entry_at(v, e)->cut));

    if (!cut) {
        list_tree(v, path, &l);
    }
    if (v->tx != NULL) {
        list_entries(v, path, &l);
    }
    *total = l.total;
    return STORE_OK;
}

/* -- Changing -- */

/* One node, beside the tree in a transaction, else in it. There is room. */
static uint16_t make_one(struct view *v, const struct path *path, uint16_t parent)
{
    const uint16_t node = node_make(v->s, v->owner, path);

    if (node == STORE_NONE) {
        return node;
    }
    node_at(v->s, node)->nr_perms = node_see(v->s, parent)->nr_perms;
    (void)memcpy(node_at(v->s, node)->perm, node_see(v->s, parent)->perm,
                 sizeof(node_see(v->s, parent)->perm));
    node_at(v->s, node)->perm[0].domid = v->s->share[v->owner].domid;
    if (v->tx == NULL) {
        node_attach(v->s, node, parent);
    } else {
        const uint16_t e = entry_get(v, path);

        if (e == STORE_NONE) {
            node_free(v->s, node);
            return STORE_NONE;
        }
        entry_at(v, e)->node = node;
        entry_at(v, e)->state = (uint8_t)STORE_WRITTEN;
        entry_move(v, e);
    }
    return node;
}

/* The part of `path` that is one name longer than `above` */
static void path_down(const struct path *path, struct path *above)
{
    uint32_t end = above->bytes + 1u;

    while ((end < path->bytes) && (path->text[end] != '/')) {
        end++;
    }
    (void)path_append(above, &path->text[above->bytes], end - above->bytes);
}

static enum store_error make_missing(struct view *v, const struct path *path, uint32_t bytes, uint16_t *node)
{
    struct path above = *path;
    uint16_t parent = STORE_NONE;
    uint32_t nr = 0u;
    enum store_error error = STORE_OK;

    while ((parent == STORE_NONE) && (error == STORE_OK)) { /* the root is there */
        path_up(&above);
        nr++;
        error = view_find(v, &above, &parent);
    }
    if (error != STORE_OK) {
        return error;
    }
    if (!node_may(v->s, parent, v->client, STORE_WRITE)) {
        return STORE_EACCES;
    }
    const uint32_t per_path = (v->tx != NULL) ? (nr * blocks_for(path->bytes)) : 0u;
    const uint32_t names = nr + blocks_for(path->bytes) + blocks_for(bytes);

    if (!store_room(v->s, v->owner, nr, names + per_path) || ((v->tx != NULL) && (entries_free(v) < nr))) {
        return STORE_ENOSPC;
    }
    while ((above.bytes < path->bytes) && (parent != STORE_NONE)) {
        path_down(path, &above);
        parent = make_one(v, &above, parent);
    }
    *node = parent;
    return (parent != STORE_NONE) ? STORE_OK : STORE_ENOSPC;
}

/* A copy of a node of the tree, to be changed within the transaction */
static enum store_error copy_make(struct view *v, const struct path *path, uint16_t *node)
{
    const uint16_t e = entry_find(v, path);
    uint16_t copy = STORE_NONE;

    if (entry_at(v, e)->state == (uint8_t)STORE_WRITTEN) {
        return STORE_OK; /* it is one */
    }
    copy = node_make(v->s, node_owner(*node), path);
    if ((copy != STORE_NONE) && !node_copy(v->s, *node, copy)) {
        node_free(v->s, copy);
        copy = STORE_NONE;
    }
    if (copy == STORE_NONE) {
        return STORE_ENOSPC;
    }
    entry_at(v, e)->node = copy;
    entry_at(v, e)->state = (uint8_t)STORE_WRITTEN;
    entry_move(v, e);
    *node = copy;
    return STORE_OK;
}

enum store_error view_make(struct view *v, const struct path *path, uint32_t bytes, uint16_t *node)
{
    enum store_error error = view_find(v, path, node);

    if (error != STORE_OK) {
        /* no room */
    } else if (*node == STORE_NONE) {
        error = make_missing(v, path, bytes, node);
    } else if (!node_may(v->s, *node, v->client, STORE_WRITE)) {
        error = STORE_EACCES;
    } else if (!store_room(v->s, node_owner(*node), 0u, blocks_for(bytes))) {
        error = STORE_ENOSPC;
    } else if (v->tx != NULL) {
        error = copy_make(v, path, node);
    } else {
        /* it is there */
    }
    return error;
}

void view_done(struct view *v, const struct path *path, uint16_t node)
{
    if (v->tx == NULL) {
        node_changed(v->s, node);
        watch_fire(v->s, path, node, false);
    }
}

static void tree_remove(struct store *s, const struct path *path, uint16_t node)
{
    watch_fire(s, path, node, true);
    node_detach(s, node);
}

enum store_error view_remove(struct view *v, const struct path *path)
{
    uint16_t node = STORE_NONE;
    enum store_error error = view_find(v, path, &node);
    struct path at;

    if (error != STORE_OK) {
        /* no room */
    } else if (node == STORE_NONE) {
        at = *path;
        path_up(&at);
        error = view_find(v, &at, &node); /* gone already is good, if there is a place where it could be */
        error = ((error == STORE_OK) && (node == STORE_NONE)) ? STORE_ENOENT : error;
    } else if (path->bytes == 0u) {
        error = STORE_EINVAL;
    } else if (!node_may(v->s, node, v->client, STORE_WRITE)) {
        error = STORE_EACCES;
    } else if (v->tx == NULL) {
        tree_remove(v->s, path, node);
    } else {
        entry_at(v, entry_find(v, path))->cut = true;
        for (uint16_t e = v->tx->first; e != STORE_NONE; e = entry_at(v, e)->next) {
            path_of_text(v->s, &entry_at(v, e)->path, &at);
            if (path_within(path, &at)) {
                entry_drop_node(v, e);
                entry_at(v, e)->state = (uint8_t)STORE_DELETED;
            }
        }
    }
    return error;
}

/* -- A transaction as a whole -- */

struct store_tx *tx_find(struct store *s, uint16_t client, uint32_t id)
{
    struct store_tx *found = NULL;

    for (uint32_t i = 0u; (i < STORE_TXS) && (found == NULL) && (id != 0u); i++) {
        found = (s->share[client].tx[i].id == id) ? &s->share[client].tx[i] : NULL;
    }
    return found;
}

enum store_error tx_start(struct store *s, uint16_t client, uint32_t *id)
{
    struct store_share *const share = &s->share[client];

    for (uint32_t i = 0u; i < STORE_TXS; i++) {
        if (share->tx[i].id == 0u) {
            share->next_tx = (share->next_tx % INT32_MAX) + 1u;
            share->tx[i] = (struct store_tx){ share->next_tx, STORE_NONE, STORE_NONE };
            *id = share->next_tx;
            return STORE_OK;
        }
    }
    return STORE_ENOSPC;
}

void tx_end(struct store *s, uint16_t client, struct store_tx *tx)
{
    struct view v = { s, client, client, tx };

    for (uint16_t e = tx->first; e != STORE_NONE; e = entry_at(&v, e)->next) {
        entry_drop_node(&v, e);
        text_free(s, &entry_at(&v, e)->path);
        entry_at(&v, e)->state = (uint8_t)STORE_FREE;
    }
    tx->id = 0u;
}

/* What the transaction made of a node comes into the tree. */
static void entry_put(struct view *v, uint16_t entry, const struct path *path)
{
    const uint16_t made = entry_at(v, entry)->node;
    const uint16_t there = node_find(v->s, path);
    struct path above = *path;
    uint16_t parent;

    path_up(&above);
    parent = node_find(v->s, &above);
    if (there != STORE_NONE) {
        struct store_node *const from = node_at(v->s, made);
        struct store_node *const to = node_at(v->s, there);

        text_free(v->s, &to->value);
        to->value = from->value;
        from->value = text_none();
        to->nr_perms = from->nr_perms;
        (void)memcpy(to->perm, from->perm, sizeof(to->perm));
        node_changed(v->s, there);
        node_free(v->s, made);
    } else if (parent != STORE_NONE) {
        node_attach(v->s, made, parent);
        node_changed(v->s, made);
    } else {
        node_free(v->s, made);
    }
    entry_at(v, entry)->node = STORE_NONE;
    watch_fire(v->s, path, node_find(v->s, path), false);
}

enum store_error tx_commit(struct view *v)
{
    struct path path;

    for (uint16_t e = v->tx->first; e != STORE_NONE; e = entry_at(v, e)->next) {
        path_of_text(v->s, &entry_at(v, e)->path, &path);
        const uint16_t node = node_find(v->s, &path);
        const uint64_t now = (node != STORE_NONE) ? node_see(v->s, node)->generation : 0u;

        if (now != entry_at(v, e)->generation) {
            return STORE_EAGAIN;
        }
    }
    for (uint16_t e = v->tx->first; e != STORE_NONE; e = entry_at(v, e)->next) {
        path_of_text(v->s, &entry_at(v, e)->path, &path);
        if (entry_at(v, e)->cut && (node_find(v->s, &path) != STORE_NONE)) {
            tree_remove(v->s, &path, node_find(v->s, &path));
        }
    }
    for (uint16_t e = v->tx->first; e != STORE_NONE; e = entry_at(v, e)->next) {
        if (entry_at(v, e)->node != STORE_NONE) {
            path_of_text(v->s, &entry_at(v, e)->path, &path);
            entry_put(v, e, &path);
        }
    }
    return STORE_OK;
}
