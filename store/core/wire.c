/* Requests and their replies. */
/* [impl->req~store-protocol~1] */
#include "core/core.h"

#include <string.h>

#define HOME "/local/domain/"

/* A request being carried out */
struct request {
    struct view v;
    const char *arg; /* what is left of its payload */
    uint32_t bytes;
    struct path path;
    bool relative;
    struct store_message *reply;
};

/* -- Arguments -- */

/* The next one that ends with a NUL; NULL */
static const char *arg_next(struct request *r)
{
    const char *const arg = r->arg;
    const void *const end = memchr(arg, 0, r->bytes);

    if (end == NULL) {
        return NULL;
    }
    const uint32_t bytes = (uint32_t)((const char *)end - arg) + 1u;

    r->arg = &arg[bytes];
    r->bytes -= bytes;
    return arg;
}

static bool char_good(char c)
{
    return ((c >= 'a') && (c <= 'z')) || ((c >= 'A') && (c <= 'Z')) || ((c >= '0') && (c <= '9')) ||
           (c == '-') || (c == '/') || (c == '_') || (c == '@');
}

static bool path_good(const struct path *path)
{
    bool good = (path->bytes == 0u) || (path->text[path->bytes - 1u] != '/');

    for (uint32_t i = 0u; (i < path->bytes) && good; i++) {
        good = char_good(path->text[i]) && ((path->text[i] != '/') || (path->text[i + 1u] != '/'));
    }
    return good;
}

/* Relative ones are below the domain's own directory. */
static enum store_error path_take(struct request *r)
{
    const char *const text = arg_next(r);
    char number[11];
    bool fits = true;

    r->path.bytes = 0u;
    r->path.text[0] = '\0';
    if ((text == NULL) || (text[0] == '\0')) {
        return STORE_EINVAL;
    }
    r->relative = (text[0] != '/') && (text[0] != '@');
    if (r->relative) {
        const uint32_t digits = number_write(r->v.s->share[r->v.client].domid, number);

        (void)path_append(&r->path, HOME, sizeof(HOME) - 1u);
        (void)path_append(&r->path, number, digits);
        (void)path_append(&r->path, "/", 1u);
    }
    if (strcmp(text, "/") != 0) {
        fits = path_append(&r->path, text, (uint32_t)strlen(text));
    }
    return (fits && path_good(&r->path)) ? STORE_OK : STORE_EINVAL;
}

/* -- Replies -- */

static void reply_bytes(struct request *r, const void *bytes, uint32_t nr)
{
    (void)memcpy(r->reply->payload, bytes, nr);
    r->reply->header.bytes = nr;
}

static enum store_error reply_ok(struct request *r)
{
    reply_bytes(r, "OK", 3u);
    return STORE_OK;
}

static enum store_error reply_flag(struct request *r, bool flag)
{
    reply_bytes(r, flag ? "T" : "F", 2u);
    return STORE_OK;
}

static void reply_error(struct request *r, enum store_error error)
{
    static const char *const name[STORE_ERRORS] = {
        [STORE_OK] = "EIO",        [STORE_EINVAL] = "EINVAL", [STORE_EACCES] = "EACCES",
        [STORE_EPERM] = "EPERM",   [STORE_EEXIST] = "EEXIST", [STORE_ENOENT] = "ENOENT",
        [STORE_ENOSPC] = "ENOSPC", [STORE_EBUSY] = "EBUSY",   [STORE_EAGAIN] = "EAGAIN",
        [STORE_E2BIG] = "E2BIG",   [STORE_ENOSYS] = "ENOSYS",
    };

    r->reply->header.type = XS_ERROR;
    reply_bytes(r, name[error], (uint32_t)strlen(name[error]) + 1u);
}

/* -- Operations -- */

/* A node that is there and may be read. Who may not read hears nothing of what is not there. */
static enum store_error node_to_read(struct request *r, uint16_t *node)
{
    enum store_error error = view_find(&r->v, &r->path, node);
    struct path above = r->path;
    uint16_t at = *node;

    while ((error == STORE_OK) && (at == STORE_NONE)) { /* up to the root, which is there */
        path_up(&above);
        at = node_find(r->v.s, &above);
    }
    if (error == STORE_OK) {
        if (!node_may(r->v.s, at, r->v.client, STORE_READ)) {
            error = STORE_EACCES;
        } else if (*node == STORE_NONE) {
            error = STORE_ENOENT;
        } else {
            /* good */
        }
    }
    return error;
}

static enum store_error op_read(struct request *r)
{
    uint16_t node = STORE_NONE;
    const enum store_error error = node_to_read(r, &node);

    if (error == STORE_OK) {
        const struct store_text *const value = &node_see(r->v.s, node)->value;

        text_get(r->v.s, value, r->reply->payload);
        r->reply->header.bytes = value->bytes;
    }
    return error;
}

static enum store_error op_directory(struct request *r)
{
    uint16_t node = STORE_NONE;
    uint32_t total = 0u;
    enum store_error error = node_to_read(r, &node);
    void *const out = r->reply->payload;

    if (error == STORE_OK) {
        error = view_list(&r->v, &r->path, 0u, out, STORE_PAYLOAD_MAX, &total);
        r->reply->header.bytes = total;
        error = ((error == STORE_OK) && (total > STORE_PAYLOAD_MAX)) ? STORE_E2BIG : error;
    }
    return error;
}

/* The generation first, so that who reads on sees that it changed; an empty name behind the last. */
static enum store_error op_directory_part(struct request *r)
{
    const char *const offset = arg_next(r);
    uint16_t node = STORE_NONE;
    uint32_t skip = 0u;
    uint32_t total = 0u;
    enum store_error error = ((offset != NULL) && number_read(offset, &skip)) ? STORE_OK : STORE_EINVAL;

    error = (error == STORE_OK) ? node_to_read(r, &node) : error;
    if (error == STORE_OK) {
        char *const out = (char *)(void *)r->reply->payload;
        const uint32_t at = number_write((uint32_t)node_see(r->v.s, node)->generation, out) + 1u;
        const uint32_t room = STORE_PAYLOAD_MAX - at - 1u;

        error = view_list(&r->v, &r->path, skip, &out[at], room, &total);
        const uint32_t left = (total > skip) ? (total - skip) : 0u;

        r->reply->header.bytes = at + ((left < room) ? left : room);
        if (left <= room) {
            out[r->reply->header.bytes] = '\0';
            r->reply->header.bytes++;
        }
    }
    return error;
}

static enum store_error op_write(struct request *r)
{
    uint16_t node = STORE_NONE;
    enum store_error error = (r->bytes <= STORE_VALUE_MAX) ? STORE_OK : STORE_ENOSPC;

    error = (error == STORE_OK) ? view_make(&r->v, &r->path, r->bytes, &node) : error;
    if ((error == STORE_OK) && !node_set_value(r->v.s, node, r->arg, r->bytes)) {
        error = STORE_ENOSPC;
    }
    if (error == STORE_OK) {
        view_done(&r->v, &r->path, node);
        error = reply_ok(r);
    }
    return error;
}

static enum store_error op_mkdir(struct request *r)
{
    uint16_t node = STORE_NONE;
    enum store_error error = view_find(&r->v, &r->path, &node);
    const bool is_new = (node == STORE_NONE);

    error = (error == STORE_OK) ? view_make(&r->v, &r->path, 0u, &node) : error;
    if (error == STORE_OK) {
        if (is_new) {
            view_done(&r->v, &r->path, node);
        }
        error = reply_ok(r);
    }
    return error;
}

static enum store_error op_rm(struct request *r)
{
    const enum store_error error = view_remove(&r->v, &r->path);

    return (error == STORE_OK) ? reply_ok(r) : error;
}

static enum store_error op_get_perms(struct request *r)
{
    static const char letter[4] = { 'n', 'r', 'w', 'b' };
    uint16_t node = STORE_NONE;
    const enum store_error error = node_to_read(r, &node);
    uint32_t bytes = 0u;

    if (error == STORE_OK) {
        char *const out = (char *)(void *)r->reply->payload;

        for (uint32_t i = 0u; i < node_see(r->v.s, node)->nr_perms; i++) {
            out[bytes] = letter[node_see(r->v.s, node)->perm[i].may & 3u];
            bytes += number_write(node_see(r->v.s, node)->perm[i].domid, &out[bytes + 1u]) + 2u;
        }
        r->reply->header.bytes = bytes;
    }
    return error;
}

static bool perm_read(const char *text, struct store_perm *perm)
{
    static const char letter[] = "nrwb";
    const char *const at = (text[0] != '\0') ? strchr(letter, text[0]) : NULL;
    uint32_t domid = 0u;
    const bool good = (at != NULL) && number_read(&text[1], &domid) && (domid <= UINT16_MAX);

    if (good) {
        *perm = (struct store_perm){ (uint16_t)domid, (uint16_t)(at - letter) };
    }
    return good;
}

static enum store_error op_set_perms(struct request *r)
{
    struct store_perm perm[STORE_PERMS];
    uint16_t node = STORE_NONE;
    uint32_t nr = 0u;
    enum store_error error = STORE_OK;

    (void)memset(perm, 0, sizeof(perm));
    while ((r->bytes > 0u) && (error == STORE_OK)) {
        const char *const text = arg_next(r);

        if (nr == STORE_PERMS) {
            error = STORE_ENOSPC;
        } else if ((text == NULL) || !perm_read(text, &perm[nr])) {
            error = STORE_EINVAL;
        } else {
            nr++;
        }
    }
    error = ((error == STORE_OK) && (nr == 0u)) ? STORE_EINVAL : error;
    error = (error == STORE_OK) ? node_to_read(r, &node) : error;
    if (error != STORE_OK) {
        return error;
    }
    if (node_owner(node) != r->v.client) {
        return STORE_EACCES;
    }
    if (perm[0].domid != r->v.s->share[r->v.client].domid) {
        return STORE_EPERM; /* what one has made one pays for */
    }
    error = view_make(&r->v, &r->path, 0u, &node);
    if (error == STORE_OK) {
        node_at(r->v.s, node)->nr_perms = (uint16_t)nr;
        (void)memcpy(node_at(r->v.s, node)->perm, perm, sizeof(perm));
        view_done(&r->v, &r->path, node);
        error = reply_ok(r);
    }
    return error;
}

static enum store_error op_watch(struct request *r)
{
    const char *const token = arg_next(r);
    const bool special = (r->path.text[0] == '@');
    enum store_error error = STORE_EINVAL;

    if ((token != NULL) && (strlen(token) <= STORE_TOKEN_MAX) &&
        (!special || (strcmp(r->path.text, "@introduceDomain") == 0) ||
         (strcmp(r->path.text, "@releaseDomain") == 0))) {
        error = watch_add(r->v.s, r->v.client, &r->path, r->relative, token);
    }
    return (error == STORE_OK) ? reply_ok(r) : error;
}

static enum store_error op_unwatch(struct request *r)
{
    const char *const token = arg_next(r);
    const enum store_error error =
        (token != NULL) ? watch_remove(r->v.s, r->v.client, &r->path, token) : STORE_EINVAL;

    return (error == STORE_OK) ? reply_ok(r) : error;
}

static enum store_error op_start(struct request *r)
{
    uint32_t id = 0u;
    char number[11];
    enum store_error error = (r->v.tx != NULL) ? STORE_EBUSY : tx_start(r->v.s, r->v.client, &id);

    if (error == STORE_OK) {
        reply_bytes(r, number, number_write(id, number) + 1u);
    }
    return error;
}

static enum store_error op_end(struct request *r)
{
    const char *const flag = arg_next(r);
    enum store_error error = STORE_OK;

    if (r->v.tx == NULL) {
        return STORE_ENOENT;
    }
    if ((flag == NULL) || ((strcmp(flag, "T") != 0) && (strcmp(flag, "F") != 0))) {
        return STORE_EINVAL;
    }
    if (flag[0] == 'T') {
        error = tx_commit(&r->v);
    }
    tx_end(r->v.s, r->v.client, r->v.tx);
    return (error == STORE_OK) ? reply_ok(r) : error;
}

static enum store_error op_get_domain_path(struct request *r)
{
    const char *const text = arg_next(r);
    uint32_t domid = 0u;
    char path[sizeof(HOME) + 10u];

    if ((text == NULL) || !number_read(text, &domid)) {
        return STORE_EINVAL;
    }
    (void)memcpy(path, HOME, sizeof(HOME));
    reply_bytes(r, path, sizeof(HOME) + number_write(domid, &path[sizeof(HOME) - 1u]));
    return STORE_OK;
}

static enum store_error op_is_introduced(struct request *r)
{
    const char *const text = arg_next(r);
    uint32_t domid = 0u;

    if ((text == NULL) || !number_read(text, &domid)) {
        return STORE_EINVAL;
    }
    const uint16_t client = store_client(r->v.s, domid);

    return reply_flag(r, (client != STORE_NONE) && r->v.s->share[client].connected);
}

static enum store_error op_reset(struct request *r)
{
    watch_reset(r->v.s, r->v.client);
    for (uint32_t i = 0u; i < STORE_TXS; i++) {
        if (r->v.s->share[r->v.client].tx[i].id != 0u) {
            tx_end(r->v.s, r->v.client, &r->v.s->share[r->v.client].tx[i]);
        }
    }
    return reply_ok(r);
}

static enum store_error op_denied(struct request *r)
{
    (void)r;
    return STORE_EACCES;
}

struct operation {
    enum store_error (*serve)(struct request *r); /* NULL: there is none */
    bool has_path;
    bool in_tx; /* a transaction may be named */
};

static const struct operation operations[XS_TYPES] = {
    [XS_CONTROL] = { op_denied, false, false },
    [XS_DIRECTORY] = { op_directory, true, true },
    [XS_READ] = { op_read, true, true },
    [XS_GET_PERMS] = { op_get_perms, true, true },
    [XS_WATCH] = { op_watch, true, false },
    [XS_UNWATCH] = { op_unwatch, true, false },
    [XS_TRANSACTION_START] = { op_start, false, true },
    [XS_TRANSACTION_END] = { op_end, false, true },
    [XS_INTRODUCE] = { op_denied, false, false },
    [XS_RELEASE] = { op_denied, false, false },
    [XS_GET_DOMAIN_PATH] = { op_get_domain_path, false, false },
    [XS_WRITE] = { op_write, true, true },
    [XS_MKDIR] = { op_mkdir, true, true },
    [XS_RM] = { op_rm, true, true },
    [XS_SET_PERMS] = { op_set_perms, true, true },
    [XS_IS_DOMAIN_INTRODUCED] = { op_is_introduced, false, false },
    [XS_RESUME] = { op_denied, false, false },
    [XS_SET_TARGET] = { op_denied, false, false },
    [XS_RESET_WATCHES] = { op_reset, false, false },
    [XS_DIRECTORY_PART] = { op_directory_part, true, false },
};

static enum store_error serve(struct request *r, const struct store_header *header)
{
    const struct operation *const op = (header->type < XS_TYPES) ? &operations[header->type] : NULL;
    enum store_error error = STORE_OK;

    if ((op == NULL) || (op->serve == NULL)) {
        return STORE_ENOSYS;
    }
    if (op->in_tx && (header->tx_id != 0u)) {
        r->v.tx = tx_find(r->v.s, r->v.client, header->tx_id);
        error = (r->v.tx == NULL) ? STORE_ENOENT : STORE_OK;
    }
    if ((error == STORE_OK) && op->has_path) {
        error = path_take(r);
        if ((r->path.text[0] == '@') && (op->serve != op_watch) && (op->serve != op_unwatch)) {
            error = STORE_EINVAL;
        }
    }
    return (error == STORE_OK) ? op->serve(r) : error;
}

void store_serve(struct store *s, uint16_t client)
{
    struct store_share *const share = &s->share[client];
    const struct store_header header = share->request.header;
    struct request r;

    s->busy++;
    (void)memset(&r, 0, sizeof(r));
    r.v = (struct view){ s, client, client, NULL };
    r.arg = (const char *)(const void *)share->request.payload;
    r.bytes = header.bytes;
    r.reply = &share->reply;
    share->reply.header = header;
    share->reply.header.bytes = 0u;
    const enum store_error error = serve(&r, &header);

    if (error != STORE_OK) {
        reply_error(&r, error);
    }
    share->in.bytes = 0u;
    share->out.bytes = 0u;
    share->answering = true;
    s->busy--;
}
