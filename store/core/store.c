/* The store as a whole, its clients, and what the program itself writes. */
/* [impl->req~store-share~1] [impl->req~store-restart~1] */
#include "core/core.h"

#include <string.h>

#define MAGIC (0x42484B53544F5245ULL + sizeof(struct store)) /* of this layout */

void store_init(struct store *s, uint16_t own)
{
    struct path root;

    (void)memset(s, 0, sizeof(*s));
    for (uint32_t i = 0u; i < STORE_SHARES; i++) {
        s->share[i].domid = UINT16_MAX;
    }
    s->share[STORE_OWN].domid = own;
    path_of(&root, "");
    s->root = node_make(s, STORE_OWN, &root);
    s->magic = MAGIC;
}

uint16_t store_client(const struct store *s, uint32_t domid)
{
    uint16_t client = 0u;

    while ((client < STORE_CLIENTS) && ((uint32_t)s->share[client].domid != domid)) {
        client++;
    }
    return ((client < STORE_CLIENTS) && (domid < UINT16_MAX)) ? client : STORE_NONE;
}

bool store_add(struct store *s, uint16_t domid)
{
    uint16_t client = 0u;

    while ((client < STORE_CLIENTS) && (s->share[client].domid != UINT16_MAX)) {
        client++;
    }
    const bool good = (client < STORE_CLIENTS) && (store_client(s, domid) == STORE_NONE);

    if (good) {
        s->share[client].domid = domid;
    }
    return good;
}

void store_disconnect(struct store *s, uint16_t client)
{
    struct store_share *const share = &s->share[client];

    s->busy++;
    watch_reset(s, client);
    for (uint32_t i = 0u; i < STORE_TXS; i++) {
        if (share->tx[i].id != 0u) {
            tx_end(s, client, &share->tx[i]);
        }
    }
    share->in = (struct store_progress){ 0u, 0u };
    share->out = (struct store_progress){ 0u, 0u };
    share->answering = false;
    share->connected = false;
    s->busy--;
}

/* -- The program's own changes -- */

static struct view own_view(struct store *s, uint16_t owner)
{
    return (struct view){ s, STORE_OWN, owner, NULL };
}

bool store_put(struct store *s, const char *path, const char *value, uint16_t owner, uint16_t reader)
{
    struct view v = own_view(s, owner);
    struct path at;
    uint16_t node = STORE_NONE;
    const uint32_t bytes = (uint32_t)strlen(value);
    bool good = true;

    s->busy++;
    path_of(&at, path);
    good = (view_make(&v, &at, bytes, &node) == STORE_OK) && node_set_value(s, node, value, bytes);
    if (good) {
        node_at(s, node)->nr_perms = (reader == STORE_NONE) ? 1u : 2u;
        node_at(s, node)->perm[0].may = 0u;
        node_at(s, node)->perm[1] = (struct store_perm){ 0u, STORE_READ };
        if (reader != STORE_NONE) {
            node_at(s, node)->perm[1].domid = s->share[reader].domid;
        }
        view_done(&v, &at, node);
    }
    s->busy--;
    return good;
}

void store_remove(struct store *s, const char *path)
{
    struct view v = own_view(s, STORE_OWN);
    struct path at;

    s->busy++;
    path_of(&at, path);
    (void)view_remove(&v, &at);
    s->busy--;
}

bool store_exists(const struct store *s, const char *path)
{
    struct path at;

    path_of(&at, path);
    return node_find(s, &at) != STORE_NONE;
}

/* Where a node of the tree is; false: it is too deep to be named, or beside the tree. */
static bool path_of_node(const struct store *s, uint16_t node, struct path *path)
{
    char text[STORE_PATH_MAX + 1u];
    uint32_t at = STORE_PATH_MAX;
    uint16_t up = node;
    bool good = true;

    while (good && (up != s->root)) {
        const struct store_text *const name = &node_see(s, up)->name;

        good = (node_see(s, up)->parent != STORE_NONE) && ((name->bytes + 1u) <= at);
        if (good) {
            at -= name->bytes;
            text_get(s, name, &text[at]);
            at--;
            text[at] = '/';
            up = node_see(s, up)->parent;
        }
    }
    path->bytes = 0u;
    return good && path_append(path, &text[at], STORE_PATH_MAX - at);
}

void store_forget(struct store *s, uint16_t client)
{
    struct view v = own_view(s, STORE_OWN);
    struct path path;

    s->busy++;
    for (uint32_t i = 0u; i < STORE_NODES; i++) {
        const uint16_t node = (uint16_t)((client * STORE_NODES) + i);

        if ((node_see(s, node)->generation != 0u) && path_of_node(s, node, &path)) {
            (void)view_remove(&v, &path);
        }
    }
    s->busy--;
}

/* -- Looking over what was found -- */

static bool mark_text(struct store *s, uint16_t share, const struct store_text *text)
{
    uint16_t block = text->first;
    bool good = (text->bytes <= STORE_VALUE_MAX) && ((text->bytes == 0u) == (text->first == STORE_NONE));

    for (uint32_t done = 0u; (done < text->bytes) && good; done += STORE_TEXT_BYTES) {
        good = (block < (STORE_SHARES * STORE_BLOCKS)) && ((block / STORE_BLOCKS) == share) &&
               !s->marked_block[block];
        if (good) {
            s->marked_block[block] = true;
            block = s->share[share].block[block % STORE_BLOCKS].next;
        }
    }
    return good;
}

static bool mark_node(struct store *s, uint16_t node)
{
    if ((node >= (STORE_SHARES * STORE_NODES)) || s->marked_node[node]) {
        return false;
    }
    const struct store_node *const at = node_see(s, node);
    bool good = (at->generation != 0u) && (at->generation <= s->generation) && (at->nr_perms >= 1u) &&
                (at->nr_perms <= STORE_PERMS) && mark_text(s, node_owner(node), &at->name) &&
                mark_text(s, node_owner(node), &at->value);

    for (uint32_t i = 0u; (i < at->nr_perms) && good; i++) {
        good = (at->perm[i].may <= (STORE_READ | STORE_WRITE));
    }
    s->marked_node[node] = true;
    return good;
}

/* Each node once, parents before children; what is marked cannot be met again, so this ends. */
static bool check_tree(struct store *s)
{
    uint16_t at = s->root;
    bool good =
        (at < (STORE_SHARES * STORE_NODES)) && (node_see(s, at)->parent == STORE_NONE) && mark_node(s, at);

    while (good && (at != STORE_NONE)) {
        uint16_t next = node_see(s, at)->child;
        uint16_t parent = at;

        if (next == STORE_NONE) { /* the next beside this one or beside one above */
            while ((at != s->root) && (node_see(s, at)->next == STORE_NONE)) {
                at = node_see(s, at)->parent;
            }
            next = (at == s->root) ? STORE_NONE : node_see(s, at)->next;
            parent = (at == s->root) ? STORE_NONE : node_see(s, at)->parent;
        }
        good = (next == STORE_NONE) || (mark_node(s, next) && (node_see(s, next)->parent == parent));
        at = next;
    }
    return good;
}

/* A node beside the tree */
static bool mark_apart(struct store *s, uint16_t node)
{
    return mark_node(s, node) && (node_see(s, node)->parent == STORE_NONE) &&
           (node_see(s, node)->child == STORE_NONE);
}

static bool check_tx(struct store *s, uint16_t client, const struct store_tx *tx, uint32_t *entries)
{
    struct store_share *const share = &s->share[client];
    uint16_t e = tx->first;
    uint16_t last = STORE_NONE;
    bool good = true;

    for (uint32_t i = 0u; (i < STORE_ENTRIES) && (e != STORE_NONE) && good; i++) {
        good = (e < STORE_ENTRIES);
        if (good) {
            const struct store_entry *const entry = &share->entry[e];
            const bool has_node = (entry->node != STORE_NONE);

            good = (entry->state > (uint8_t)STORE_FREE) && (entry->state <= (uint8_t)STORE_DELETED) &&
                   (has_node == (entry->state == (uint8_t)STORE_WRITTEN)) &&
                   (entry->path.bytes <= STORE_PATH_MAX) && mark_text(s, client, &entry->path) &&
                   (!has_node || mark_apart(s, entry->node));
            last = e;
            e = entry->next;
            *entries += 1u;
        }
    }
    return good && (e == STORE_NONE) && (last == tx->last);
}

static bool check_watches(struct store *s, uint16_t client)
{
    struct store_share *const share = &s->share[client];
    bool good = (share->nr_events <= STORE_EVENTS) && (share->first_event < STORE_EVENTS);

    for (uint32_t i = 0u; (i < STORE_WATCHES) && good; i++) {
        const struct store_watch *const w = &share->watch[i];

        good = !w->used || ((w->path.bytes <= STORE_PATH_MAX) && (w->token.bytes <= STORE_TOKEN_MAX) &&
                            mark_text(s, client, &w->path) && mark_text(s, client, &w->token));
    }
    for (uint32_t i = 0u; good && (i < share->nr_events); i++) {
        const struct store_event *const e = &share->event[(share->first_event + i) % STORE_EVENTS];

        good = (e->watch < STORE_WATCHES) && share->watch[e->watch].used &&
               (e->path.bytes <= STORE_PATH_MAX) && mark_text(s, client, &e->path);
    }
    return good;
}

static bool check_txs(struct store *s, uint16_t client)
{
    struct store_share *const share = &s->share[client];
    uint32_t entries = 0u;
    bool good = true;

    for (uint32_t i = 0u; (i < STORE_TXS) && good; i++) {
        good = (share->tx[i].id == 0u) || check_tx(s, client, &share->tx[i], &entries);
    }
    for (uint32_t i = 0u; i < STORE_ENTRIES; i++) {
        entries -= (share->entry[i].state != (uint8_t)STORE_FREE) ? 1u : 0u;
    }
    return good && (entries == 0u);
}

/* A request's header is judged once it is used. */
static bool check_messages(const struct store_share *share)
{
    const uint32_t head = (uint32_t)sizeof(struct store_header);

    return (share->block_hint < STORE_BLOCKS) && (share->node_hint < STORE_NODES) &&
           (share->in.bytes <= sizeof(share->request)) &&
           ((share->in.bytes <= head) || (share->in.bytes <= (head + share->request.header.bytes))) &&
           (share->reply.header.bytes <= STORE_PAYLOAD_MAX) &&
           (share->out.bytes <= (share->reply.header.bytes + head));
}

bool store_check(struct store *s)
{
    bool good = (s->magic == MAGIC) && (s->busy == 0u);

    (void)memset(s->marked_node, 0, sizeof(s->marked_node));
    (void)memset(s->marked_block, 0, sizeof(s->marked_block));
    good = good && check_tree(s);
    for (uint16_t i = 0u; (i < STORE_SHARES) && good; i++) {
        good = check_messages(&s->share[i]) && check_watches(s, i) && check_txs(s, i);
    }
    for (uint32_t i = 0u; (i < (STORE_SHARES * STORE_NODES)) && good; i++) {
        struct store_node *const node = node_at(s, (uint16_t)i);

        node->generation = s->marked_node[i] ? node->generation : 0u;
    }
    for (uint32_t i = 0u; (i < (STORE_SHARES * STORE_BLOCKS)) && good; i++) {
        s->share[i / STORE_BLOCKS].block_used[i % STORE_BLOCKS] = s->marked_block[i];
    }
    return good;
}
