/* Between the files of the store's core. A node is named by its number over all shares, a block likewise. */
#ifndef STORE_CORE_H
#define STORE_CORE_H

#include "core/store.h"

/* -- text.c -- */
struct store_text text_none(void);
/* False: the share has no room. */
bool text_put(struct store *s, uint16_t share, const void *bytes, uint32_t nr, struct store_text *text);
bool text_copy(struct store *s, uint16_t share, const struct store_text *from, struct store_text *text);
void text_free(struct store *s, struct store_text *text);
/* All of it; the caller has room for text->bytes. */
void text_get(const struct store *s, const struct store_text *text, void *out);
bool text_is(const struct store *s, const struct store_text *text, const char *bytes, uint32_t nr);
uint16_t text_share(const struct store_text *text);

/* -- A path: absolute, without '/' at its end, "" is the root; ends with NUL -- */
struct path {
    uint32_t bytes;
    char text[STORE_PATH_MAX + 1u];
};
bool path_append(struct path *path, const char *text, uint32_t bytes);
/* Its directory; the root's is the root. */
void path_up(struct path *path);
/* b is a, or below it */
bool path_within(const struct path *a, const struct path *b);
void path_of_text(const struct store *s, const struct store_text *text, struct path *path);
void path_of(struct path *path, const char *text); /* a literal's, short enough */

/* -- node.c -- */
struct store_node *node_at(struct store *s, uint16_t node);
const struct store_node *node_see(const struct store *s, uint16_t node);
uint16_t node_find(const struct store *s, const struct path *path);
/* A node of the owner's share that is in no tree. STORE_NONE: the share is used up. */
uint16_t node_make(struct store *s, uint16_t owner, const struct path *path);
void node_free(struct store *s, uint16_t node);
void node_attach(struct store *s, uint16_t node, uint16_t parent);
/* With all that is below */
void node_detach(struct store *s, uint16_t node);
void node_changed(struct store *s, uint16_t node);
bool node_set_value(struct store *s, uint16_t node, const void *bytes, uint32_t nr);
/* Value and permissions; the owners are the same. */
bool node_copy(struct store *s, uint16_t from, uint16_t to);
/* STORE_READ, STORE_WRITE */
bool node_may(const struct store *s, uint16_t node, uint16_t client, uint32_t what);
/* The domain's share; STORE_OWN is the store's. */
uint16_t node_owner(uint16_t node);

/* -- watch.c -- */
enum store_error watch_add(struct store *s, uint16_t client, const struct path *path, bool relative,
                           const char *token);
enum store_error watch_remove(struct store *s, uint16_t client, const struct path *path, const char *token);
void watch_reset(struct store *s, uint16_t client);
/* Before a removal, else after the change. */
void watch_fire(struct store *s, const struct path *path, uint16_t node, bool removed);

/* -- transaction.c: what a client sees and does, within a transaction or (tx NULL) not -- */
struct view {
    struct store *s;
    uint16_t client;
    uint16_t owner; /* of what is made; mostly the client */
    struct store_tx *tx;
};
struct store_tx *tx_find(struct store *s, uint16_t client, uint32_t id);
enum store_error tx_start(struct store *s, uint16_t client, uint32_t *id);
enum store_error tx_commit(struct view *v);
void tx_end(struct store *s, uint16_t client, struct store_tx *tx);

/* The node at a path, STORE_NONE if there is none */
enum store_error view_find(struct view *v, const struct path *path, uint16_t *node);
/* The same, made with what is missing above it, by the client's right at the nearest directory; to be
 * changed, then view_done(). There is room for a value of so many bytes. */
enum store_error view_make(struct view *v, const struct path *path, uint32_t bytes, uint16_t *node);
void view_done(struct view *v, const struct path *path, uint16_t node);
enum store_error view_remove(struct view *v, const struct path *path);
/* The names below, each with its NUL, from byte `skip` of the list on; as many bytes as there is room for.
 * total: of the whole list. */
enum store_error view_list(struct view *v, const struct path *path, uint32_t skip, char *out, uint32_t room,
                           uint32_t *total);

/* -- wire.c -- */
/* The decimal number at text, and no more; false: it is none. */
bool number_read(const char *text, uint32_t *value);
/* Writes a decimal with its NUL; its bytes without. */
uint32_t number_write(uint32_t value, char out[11]);

#endif
