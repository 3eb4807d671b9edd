/* What blkfront, netfront and the backends expect to find: Xen's docs/misc/xenstore-paths.pandoc,
 * public/io/blkif.h and netif.h. */
/* [impl->req~store-links~1] */
#include "core/core.h"
#include "core/links.h"

#include <string.h>

#define STATE_INITIALISING "1"

/* A share has to have this much before a link is begun: keys, the drivers' as well */
#define LINK_NODES  24u
#define LINK_BLOCKS 80u

/* A path or value put together; what does not fit is cut, and nothing that long is made. */
struct text {
    uint32_t bytes;
    char text[256];
};

static void add(struct text *t, const char *text)
{
    const uint32_t bytes = (uint32_t)strlen(text);

    if ((t->bytes + bytes) < sizeof(t->text)) {
        (void)memcpy(&t->text[t->bytes], text, bytes + 1u);
        t->bytes += bytes;
    }
}

static void add_number(struct text *t, uint32_t number)
{
    char digits[11];

    (void)number_write(number, digits);
    add(t, digits);
}

static struct text home(const struct store *s, uint16_t client)
{
    struct text t = { 0u, "" };

    add(&t, "/local/domain/");
    add_number(&t, s->share[client].domid);
    return t;
}

/* "<directory>/<name>" */
static bool put(struct store *s, const struct text *directory, const char *name, const char *value,
                uint16_t owner, uint16_t reader)
{
    struct text path = *directory;

    if (name[0] != '\0') {
        add(&path, "/");
        add(&path, name);
    }
    return store_put(s, path.text, value, owner, reader);
}

void links_introduce(struct store *s, uint16_t client, const char *name)
{
    static const char *const its_own[] = { "control", "data", "drivers", "feature", "attr", "error" };
    const struct text at = home(s, client);
    struct text domid = { 0u, "" };

    add_number(&domid, s->share[client].domid);
    (void)store_put(s, "/local", "", STORE_OWN, STORE_NONE);
    (void)store_put(s, "/local/domain", "", STORE_OWN, STORE_NONE);
    (void)put(s, &at, "", "", STORE_OWN, client);
    (void)put(s, &at, "name", name, STORE_OWN, client);
    (void)put(s, &at, "domid", domid.text, STORE_OWN, client);
    (void)put(s, &at, "device", "", STORE_OWN, client);
    (void)put(s, &at, "backend", "", STORE_OWN, client);
    for (uint32_t i = 0u; i < (sizeof(its_own) / sizeof(its_own[0])); i++) {
        (void)put(s, &at, its_own[i], "", client, STORE_NONE);
    }
    (void)put(s, &at, "control/platform-feature-xs_reset_watches", "1", STORE_OWN, client);
}

void links_retire(struct store *s, uint16_t client)
{
    const struct text at = home(s, client);

    store_disconnect(s, client);
    store_remove(s, at.text);
    store_forget(s, client);
}

/* -- A link -- */

static const char *kind(const struct link *link)
{
    return link->is_net ? "vif" : "vbd";
}

static struct text front_path(struct store *s, const struct link *link)
{
    struct text t = home(s, link->frontend);

    add(&t, "/device/");
    add(&t, kind(link));
    add(&t, "/");
    add_number(&t, link->handle);
    return t;
}

static struct text back_path(struct store *s, const struct link *link)
{
    struct text t = home(s, link->backend);

    add(&t, "/backend/");
    add(&t, kind(link));
    add(&t, "/");
    add_number(&t, s->share[link->frontend].domid);
    add(&t, "/");
    add_number(&t, link->handle);
    return t;
}

/* The directories above the link's own, for their domain to list */
static void put_above(struct store *s, const struct text *path, uint16_t client, uint32_t up)
{
    struct path at;

    path_of(&at, path->text);
    for (uint32_t i = 0u; i < up; i++) {
        path_up(&at);
        if (!store_exists(s, at.text)) {
            (void)store_put(s, at.text, "", STORE_OWN, client);
        }
    }
}

struct key {
    const char *name;
    const char *value; /* NULL: it is not said */
};

#define KEYS(list) ((uint32_t)(sizeof(list) / sizeof((list)[0])))

static bool put_keys(struct store *s, const struct text *at, const struct key *key, uint32_t nr,
                     uint16_t owner, uint16_t reader)
{
    bool good = put(s, at, "", "", owner, reader);

    for (uint32_t i = 0u; (i < nr) && good; i++) {
        good = (key[i].value == NULL) || put(s, at, key[i].name, key[i].value, owner, reader);
    }
    return good;
}

static bool put_disk(struct store *s, const struct link *link, const struct text *front,
                     const struct text *back)
{
    struct text number = { 0u, "" };

    add_number(&number, link->handle);
    const struct key back_keys[] = {
        { "type", "phy" },
        { "dev", link->name },
        { "device-type", "disk" },
        { "removable", "0" },
        { "mode", link->read_only ? "r" : "w" },
        { "params", link->params },
        { "physical-device", link->device },
    };
    const struct key front_keys[] = { { "virtual-device", number.text }, { "device-type", "disk" } };

    return put_keys(s, back, back_keys, KEYS(back_keys), link->backend, link->frontend) &&
           put_keys(s, front, front_keys, KEYS(front_keys), link->frontend, link->backend);
}

static bool put_net(struct store *s, const struct link *link, const struct text *front,
                    const struct text *back)
{
    struct text number = { 0u, "" };

    add_number(&number, link->handle);
    const struct key keys[] = {
        { "handle", number.text },
        { "mac", link->mac },
        { "script", "" }, /* netback does without a script, but not without the key */
        { "type", "vif" },
    };

    return put_keys(s, back, keys, KEYS(keys), link->backend, link->frontend) &&
           put_keys(s, front, keys, 2u, link->frontend, link->backend);
}

/* The states last: they are what drivers begin at. */
static bool plug(struct store *s, const struct link *link, const struct text *front, const struct text *back)
{
    struct text front_id = { 0u, "" };
    struct text back_id = { 0u, "" };

    add_number(&front_id, s->share[link->frontend].domid);
    add_number(&back_id, s->share[link->backend].domid);
    const struct key back_keys[] = { { "frontend", front->text },
                                     { "frontend-id", front_id.text },
                                     { "online", "1" },
                                     { "hotplug-status", "connected" } };
    const struct key front_keys[] = { { "backend", back->text }, { "backend-id", back_id.text } };

    put_above(s, front, link->frontend, 1u);
    put_above(s, back, link->backend, 2u);
    return put_keys(s, back, back_keys, KEYS(back_keys), link->backend, link->frontend) &&
           put_keys(s, front, front_keys, KEYS(front_keys), link->frontend, link->backend) &&
           (link->is_net ? put_net(s, link, front, back) : put_disk(s, link, front, back)) &&
           put(s, back, "state", STATE_INITIALISING, link->backend, link->frontend) &&
           put(s, front, "state", STATE_INITIALISING, link->frontend, link->backend);
}

static void unplug(struct store *s, const struct text *front, const struct text *back)
{
    store_remove(s, front->text);
    store_remove(s, back->text);
}

/* An end that watches the other's state is still at work with it. */
static bool holds(const struct store *s, uint16_t client, const struct text *front, const struct text *back)
{
    return store_watches(s, client, front->text) || store_watches(s, client, back->text);
}

static void tend(struct store *s, const struct link *link)
{
    const struct text front = front_path(s, link);
    const struct text back = back_path(s, link);
    const bool up = s->share[link->frontend].connected && s->share[link->backend].connected;
    const bool has_front = store_exists(s, front.text);
    const bool has_back = store_exists(s, back.text);

    if ((has_front || has_back) && (!up || !has_front || !has_back)) {
        unplug(s, &front, &back);
    } else if (up && !has_front && !holds(s, link->frontend, &front, &back) &&
               !holds(s, link->backend, &front, &back) &&
               store_room(s, link->frontend, LINK_NODES, LINK_BLOCKS) &&
               store_room(s, link->backend, LINK_NODES, LINK_BLOCKS)) {
        if (!plug(s, link, &front, &back)) {
            unplug(s, &front, &back);
        }
    } else {
        /* it is as it should be, or somebody has still to let go */
    }
}

void links_tend(struct store *s, const struct link *link, uint32_t nr_links)
{
    for (uint32_t i = 0u; i < nr_links; i++) {
        tend(s, &link[i]);
    }
}
