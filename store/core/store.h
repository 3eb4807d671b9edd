/* The store: a tree of small values with permissions, watches and transactions, and what each client of it
 * has under way. Facts of the protocol: Xen's docs/misc/xenstore.txt, public/io/xs_wire.h.
 *
 * All of it lies in one struct store, which holds no pointer: it may be kept over a restart of the program
 * and be mapped elsewhere. A share is one domain's part; the last is the store's own. Nothing of one share
 * is ever taken for another domain, so that nobody can use up what others need. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef STORE_CLIENTS /* the fuzzer's is smaller */
#define STORE_CLIENTS 32u
#define STORE_NODES   512u
#define STORE_BLOCKS  1536u
#endif
#define STORE_OWN    STORE_CLIENTS /* the share of what nobody asked for */
#define STORE_SHARES (STORE_CLIENTS + 1u)

/* What else a share has */
#define STORE_WATCHES   64u
#define STORE_EVENTS    64u
#define STORE_TXS       4u
#define STORE_ENTRIES   192u /* nodes that its transactions looked at or changed */
#define STORE_PERMS     6u   /* of a node */
#define STORE_PATH_MAX  1024u
#define STORE_TOKEN_MAX 256u
#define STORE_VALUE_MAX 2048u

#define STORE_NONE        0xFFFFu
#define STORE_TEXT_BYTES  62u
#define STORE_PAYLOAD_MAX 4096u

enum store_type {
    XS_CONTROL,
    XS_DIRECTORY,
    XS_READ,
    XS_GET_PERMS,
    XS_WATCH,
    XS_UNWATCH,
    XS_TRANSACTION_START,
    XS_TRANSACTION_END,
    XS_INTRODUCE,
    XS_RELEASE,
    XS_GET_DOMAIN_PATH,
    XS_WRITE,
    XS_MKDIR,
    XS_RM,
    XS_SET_PERMS,
    XS_WATCH_EVENT,
    XS_ERROR,
    XS_IS_DOMAIN_INTRODUCED,
    XS_RESUME,
    XS_SET_TARGET,
    XS_RESET_WATCHES = 21,
    XS_DIRECTORY_PART,
    XS_TYPES
};

struct store_header {
    uint32_t type;
    uint32_t req_id;
    uint32_t tx_id;
    uint32_t bytes; /* that follow */
};

struct store_message {
    struct store_header header;
    uint8_t payload[STORE_PAYLOAD_MAX];
};

enum store_error {
    STORE_OK,
    STORE_EINVAL,
    STORE_EACCES,
    STORE_EPERM,
    STORE_EEXIST,
    STORE_ENOENT,
    STORE_ENOSPC,
    STORE_EBUSY,
    STORE_EAGAIN,
    STORE_E2BIG,
    STORE_ENOSYS,
    STORE_ERRORS
};

/* Bytes in a chain of blocks of one share */
struct store_text {
    uint16_t first; /* STORE_NONE: bytes is 0 */
    uint16_t bytes;
};

struct store_block {
    uint16_t next;
    uint8_t bytes[STORE_TEXT_BYTES];
};

#define STORE_READ  1u
#define STORE_WRITE 2u

struct store_perm {
    uint16_t domid;
    uint16_t may; /* STORE_READ | STORE_WRITE */
};

/* Of the owner's share, whatever it is below. */
struct store_node {
    uint64_t generation; /* of value, permissions and list of children; no two alike; 0: the node is free */
    uint16_t parent;
    uint16_t child; /* the first */
    uint16_t next;  /* the next of its parent's */
    uint16_t nr_perms;
    struct store_perm perm[STORE_PERMS]; /* the owner, and what all may that are not named */
    struct store_text name;
    struct store_text value;
};

struct store_watch {
    struct store_text path; /* absolute */
    struct store_text token;
    bool used;
    bool relative; /* to the domain's own directory, as events then are */
    bool again;    /* an event that there was no room for: it says the watch's own path */
};

struct store_event {
    uint16_t watch;
    struct store_text path;
};

struct store_tx {
    uint32_t id; /* 0: free */
    uint16_t first;
    uint16_t last;
};

/* What a transaction knows of a path */
enum store_entry_state { STORE_FREE, STORE_SEEN, STORE_WRITTEN, STORE_DELETED };
struct store_entry {
    uint64_t generation; /* when it was first looked at; 0: it was not there */
    uint16_t next;
    uint16_t node; /* STORE_WRITTEN: a node that is not in the tree */
    struct store_text path;
    uint8_t state; /* enum store_entry_state */
    bool cut;      /* what the tree has below is not seen any more */
};

/* How far a message has gone through the ring: one word, so that no restart sees a half of it. */
struct store_progress {
    _Alignas(8) uint32_t bytes;
    uint32_t index; /* of the ring */
};

struct store_share {
    uint16_t domid;
    bool connected;
    uint64_t life; /* which life of the domain this was all made for; the caller's */
    uint32_t next_tx;
    uint16_t block_hint;
    uint16_t node_hint;
    struct store_progress in;
    struct store_progress out;
    struct store_message request;
    struct store_message reply; /* header.bytes + 16 of it are to go out, while `answering` */
    bool answering;
    uint16_t first_event;
    uint16_t nr_events;
    struct store_event event[STORE_EVENTS];
    struct store_watch watch[STORE_WATCHES];
    struct store_tx tx[STORE_TXS];
    struct store_entry entry[STORE_ENTRIES];
    bool block_used[STORE_BLOCKS];
    struct store_node node[STORE_NODES];
    struct store_block block[STORE_BLOCKS];
};

struct store {
    uint64_t magic;
    uint64_t generation;
    uint32_t busy; /* not 0: a change is under way */
    uint16_t root;
    bool marked_node[STORE_SHARES * STORE_NODES]; /* store_check() */
    bool marked_block[STORE_SHARES * STORE_BLOCKS];
    struct store_share share[STORE_SHARES];
};

/* An empty store; `own` is the domain of the program itself. */
void store_init(struct store *s, uint16_t own);
/* Whether a struct store that was found is whole and can go on being used; what no list leads to is freed. */
bool store_check(struct store *s);

/* A domain's place from now on; false: there is no more, or it has one. */
bool store_add(struct store *s, uint16_t domid);
/* The client of this domain; STORE_NONE */
uint16_t store_client(const struct store *s, uint32_t domid);
/* A life of the domain is over, or it wants to begin anew: watches, transactions and messages are dropped. */
void store_disconnect(struct store *s, uint16_t client);
/* It has no nodes any more, wherever they were. */
void store_forget(struct store *s, uint16_t client);

/* The request of a client is complete and no reply waits: it is carried out, and the reply waits. */
void store_serve(struct store *s, uint16_t client);
/* No reply waits: the next event takes that place. False: there is none. */
bool store_next_event(struct store *s, uint16_t client);

/* -- What the program itself does to the tree, as the owner of all -- */
/* Writes a node that belongs to the domains `owner`, and that `reader` may read; makes what is missing above
 * likewise. False: their share is used up. */
bool store_put(struct store *s, const char *path, const char *value, uint16_t owner, uint16_t reader);
void store_remove(struct store *s, const char *path);
bool store_exists(const struct store *s, const char *path);
/* Whether its share has so much left */
bool store_room(const struct store *s, uint16_t share, uint32_t nr_nodes, uint32_t nr_blocks);
/* Whether the domain watches this or what is below */
bool store_watches(const struct store *s, uint16_t client, const char *path);

#endif
