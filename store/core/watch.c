/* Watches, and events on their way to clients. */
#include "core/core.h"

#include <string.h>

static struct store_event *event_at(struct store_share *share, uint32_t i)
{
    return &share->event[(share->first_event + i) % STORE_EVENTS];
}

static struct store_watch *watch_find(struct store *s, uint16_t client, const struct path *path,
                                      const char *token)
{
    for (uint32_t i = 0u; i < STORE_WATCHES; i++) {
        struct store_watch *const w = &s->share[client].watch[i];

        if (w->used && text_is(s, &w->path, path->text, path->bytes) &&
            text_is(s, &w->token, token, (uint32_t)strlen(token))) {
            return w;
        }
    }
    return NULL;
}

enum store_error watch_add(struct store *s, uint16_t client, const struct path *path, bool relative,
                           const char *token)
{
    struct store_watch *free_one = NULL;

    if (watch_find(s, client, path, token) != NULL) {
        return STORE_EEXIST;
    }
    for (uint32_t i = 0u; (i < STORE_WATCHES) && (free_one == NULL); i++) {
        free_one = s->share[client].watch[i].used ? NULL : &s->share[client].watch[i];
    }
    if ((free_one == NULL) || !text_put(s, client, path->text, path->bytes, &free_one->path)) {
        return STORE_E2BIG;
    }
    if (!text_put(s, client, token, (uint32_t)strlen(token), &free_one->token)) {
        text_free(s, &free_one->path);
        return STORE_E2BIG;
    }
    free_one->relative = relative;
    free_one->again = true; /* once at the beginning, always */
    free_one->used = true;
    return STORE_OK;
}

static void watch_drop(struct store *s, uint16_t client, struct store_watch *w)
{
    struct store_share *const share = &s->share[client];
    const uint32_t nr = share->nr_events;
    uint32_t kept = 0u;

    for (uint32_t i = 0u; i < nr; i++) {
        struct store_event *const e = event_at(share, i);

        if (&share->watch[e->watch] == w) {
            text_free(s, &e->path);
        } else {
            *event_at(share, kept) = *e;
            kept++;
        }
    }
    share->nr_events = (uint16_t)kept;
    w->used = false;
    w->again = false;
    text_free(s, &w->path);
    text_free(s, &w->token);
}

enum store_error watch_remove(struct store *s, uint16_t client, const struct path *path, const char *token)
{
    struct store_watch *const w = watch_find(s, client, path, token);

    if (w != NULL) {
        watch_drop(s, client, w);
    }
    return (w != NULL) ? STORE_OK : STORE_ENOENT;
}

void watch_reset(struct store *s, uint16_t client)
{
    for (uint32_t i = 0u; i < STORE_WATCHES; i++) {
        if (s->share[client].watch[i].used) {
            watch_drop(s, client, &s->share[client].watch[i]);
        }
    }
}

bool store_watches(const struct store *s, uint16_t client, const char *path)
{
    struct path what;
    struct path watched;
    bool found = false;

    path_of(&what, path);
    for (uint32_t i = 0u; (i < STORE_WATCHES) && !found; i++) {
        const struct store_watch *const w = &s->share[client].watch[i];

        if (w->used) {
            path_of_text(s, &w->path, &watched);
            found = path_within(&what, &watched);
        }
    }
    return found;
}

/* An event that waits already is enough; one that there is no room for loses its path. */
static void event_add(struct store *s, uint16_t client, uint16_t watch, const struct path *path)
{
    struct store_share *const share = &s->share[client];
    struct store_event *e = NULL;

    for (uint32_t i = 0u; i < share->nr_events; i++) {
        e = event_at(share, i);
        if ((e->watch == watch) && text_is(s, &e->path, path->text, path->bytes)) {
            return;
        }
    }
    e = event_at(share, share->nr_events);
    if ((share->nr_events < STORE_EVENTS) && text_put(s, client, path->text, path->bytes, &e->path)) {
        e->watch = watch;
        share->nr_events++;
    } else {
        share->watch[watch].again = true;
    }
}

/* Only who may read a node hears of it. */
static void watch_tell(struct store *s, uint16_t client, uint16_t watch, const struct path *path,
                       uint16_t node)
{
    if ((node != STORE_NONE) && node_may(s, node, client, STORE_READ)) {
        event_add(s, client, watch, path);
    }
}

void watch_fire(struct store *s, const struct path *path, uint16_t node, bool removed)
{
    struct path watched;

    for (uint32_t i = 0u; i < (STORE_CLIENTS * STORE_WATCHES); i++) {
        const uint16_t client = (uint16_t)(i / STORE_WATCHES);
        const uint16_t watch = (uint16_t)(i % STORE_WATCHES);
        const struct store_watch *const w = &s->share[client].watch[watch];

        if (w->used) {
            path_of_text(s, &w->path, &watched);
            if (path_within(&watched, path)) {
                watch_tell(s, client, watch, path, node);
            } else if (removed && path_within(path, &watched)) {
                watch_tell(s, client, watch, &watched, node_find(s, &watched));
            } else {
                /* of another place */
            }
        }
    }
}

/* -- To the client -- */

static void event_message(struct store *s, uint16_t client, const struct store_watch *w,
                          const struct store_text *text)
{
    struct store_message *const m = &s->share[client].reply;
    struct path path;
    char number[11];
    uint32_t skip = 0u;

    path_of_text(s, text, &path);
    if (w->relative) { /* "/local/domain/<n>/" */
        skip = 15u + number_write(s->share[client].domid, number);
        skip = (skip < path.bytes) ? skip : 0u;
    }
    uint32_t bytes = path.bytes - skip;

    if (bytes == 0u) {
        m->payload[0] = (uint8_t)'/';
        bytes = 1u;
    } else {
        (void)memcpy(m->payload, &path.text[skip], bytes);
    }
    m->payload[bytes] = 0u;
    text_get(s, &w->token, &m->payload[bytes + 1u]);
    m->payload[bytes + 1u + w->token.bytes] = 0u;
    m->header = (struct store_header){ XS_WATCH_EVENT, 0u, 0u, bytes + w->token.bytes + 2u };
    s->share[client].out.bytes = 0u;
    s->share[client].answering = true;
}

bool store_next_event(struct store *s, uint16_t client)
{
    struct store_share *const share = &s->share[client];
    bool found = false;

    s->busy++;
    if (share->nr_events > 0u) {
        struct store_event *const e = event_at(share, 0u);

        event_message(s, client, &share->watch[e->watch], &e->path);
        text_free(s, &e->path);
        share->first_event = (uint16_t)((share->first_event + 1u) % STORE_EVENTS);
        share->nr_events--;
        found = true;
    }
    for (uint32_t i = 0u; (i < STORE_WATCHES) && !found; i++) {
        struct store_watch *const w = &share->watch[i];

        if (w->used && w->again) {
            w->again = false;
            event_message(s, client, w, &w->path);
            found = true;
        }
    }
    s->busy--;
    return found;
}
