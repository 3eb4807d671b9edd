/* The xenstore of a system without dom0: a domain of its own. docs/store.md. */
/* [impl->req~store-restart~1] [impl->req~store-links~1] */
#include "core/links.h"
#include "core/store.h"
#include "guest.h"
#include "xenbus.h"

#define OWN_DOMID 0u /* as owner of what is nobody's; no domain has it */
#define LISTED    64u

static struct store here; /* where nothing outlives the domain */
static struct store *store = &here;
static struct link links[LINKS_MAX];
static uint32_t nr_links;
static volatile struct xs_ring *ring[STORE_CLIENTS]; /* NULL: no ring is mapped */
static const char *name[STORE_CLIENTS];

/* -- What is declared -- */

static uint32_t cell(const struct tree_node *node, const char *what)
{
    uint32_t bytes = 0u;
    const uint8_t *const at = tree_prop(node, what, &bytes);

    return ((at != NULL) && (bytes == 4u))
               ? (((uint32_t)at[0] << 24u) | ((uint32_t)at[1] << 16u) | ((uint32_t)at[2] << 8u) | at[3])
               : UINT32_MAX;
}

static struct tree_node node_of(const char *kind, uint32_t number)
{
    char path[32] = "bulkhead,store/";
    uint32_t at = 15u;

    for (uint32_t i = 0u; kind[i] != '\0'; i++) {
        path[at] = kind[i];
        at++;
    }
    path[at] = '@';
    if (number >= 10u) {
        at++;
        path[at] = (char)('0' + (char)(number / 10u));
    }
    path[at + 1u] = (char)('0' + (char)(number % 10u));
    path[at + 2u] = '\0';
    return tree_path(path);
}

static void domains_read(void)
{
    for (uint32_t i = 0u; i < LISTED; i++) {
        const struct tree_node node = node_of("domain", i);
        const uint32_t domid = cell(&node, "domid");

        if ((node.at != NULL) && (domid < UINT16_MAX)) {
            const uint16_t known = store_client(store, domid);
            const uint16_t client = ((known != STORE_NONE) || !store_add(store, (uint16_t)domid))
                                        ? known
                                        : store_client(store, domid);

            if (client != STORE_NONE) {
                name[client] = tree_string(&node, "name");
            }
        }
    }
}

static void link_read(const struct tree_node *node, bool is_net)
{
    static char disk[LINKS_MAX][5];
    struct link *const link = &links[nr_links];
    const char *const text = tree_string(node, "text");

    *link = (struct link){ .is_net = is_net, .handle = cell(node, "handle") };
    link->frontend = store_client(store, cell(node, "frontend"));
    link->backend = store_client(store, cell(node, "backend"));
    link->read_only = (cell(node, "read-only") == 1u);
    if (is_net) {
        link->mac = text;
    } else if ((text != NULL) && (text[0] == '/')) {
        link->params = text;
    } else {
        link->device = text;
    }
    disk[nr_links][0] = 'x'; /* "xvda" */
    disk[nr_links][1] = 'v';
    disk[nr_links][2] = 'd';
    disk[nr_links][3] = (char)('a' + (char)((link->handle >> 4u) & 15u));
    link->name = disk[nr_links];
    if ((link->frontend != STORE_NONE) && (link->backend != STORE_NONE)) {
        nr_links++;
    }
}

static void links_read(void)
{
    for (uint32_t i = 0u; i < LISTED; i++) {
        const struct tree_node disk = node_of("disk", i);
        const struct tree_node net = node_of("net", i);

        if (disk.at != NULL) {
            link_read(&disk, false);
        } else if (net.at != NULL) {
            link_read(&net, true);
        } else {
            /* no such link */
        }
    }
}

/* -- Clients -- */

static void open_ring(uint16_t client, bool adopt)
{
    ring_open(store, client, ring[client], adopt);
    links_introduce(store, client, (name[client] != NULL) ? name[client] : "");
    xenbus_notify(client);
}

static void begin(uint16_t client, uint64_t life)
{
    struct store_share *const share = &store->share[client];
    const bool known = (share->life == life) && share->connected;

    ring[client] = xenbus_attach(client, share->domid);
    if (ring[client] != NULL) {
        share->life = life;
        if (ring_wants_anew(ring[client]) || !known) {
            open_ring(client, !ring_wants_anew(ring[client]));
            print("STORE domain %u connected\n", share->domid);
        }
        xenbus_notify(client);
    }
}

/* Who lives, and who began anew; true: somebody is about to. */
static bool lives(void)
{
    bool changing = false;

    for (uint16_t i = 0u; i < STORE_CLIENTS; i++) {
        struct store_share *const share = &store->share[i];
        const uint64_t life = (share->domid != UINT16_MAX) ? xenbus_life(share->domid, &changing) : 0u;

        if ((share->life != life) && (share->life != 0u)) {
            links_retire(store, i);
            xenbus_detach(i);
            ring[i] = NULL;
            share->life = 0u;
            print("STORE domain %u gone\n", share->domid);
        }
        if ((life != 0u) && (ring[i] == NULL)) {
            begin(i, life);
            changing = changing || (ring[i] == NULL);
        }
    }
    return changing;
}

#define SERVE_TURNS 64u

/* Each in its turn. True: somebody may still ask, but first it is looked who lives. */
static bool serve(void)
{
    bool moved = true;

    for (uint32_t turn = 0u; (turn < SERVE_TURNS) && moved; turn++) {
        moved = false;
        links_tend(store, links, nr_links);
        for (uint16_t i = 0u; i < STORE_CLIENTS; i++) {
            if (ring[i] != NULL) {
                if (ring_wants_anew(ring[i])) {
                    open_ring(i, false);
                }
                if (ring_tend(store, i, ring[i])) {
                    xenbus_notify(i);
                    moved = true;
                }
            }
        }
    }
    return moved;
}

/* Memory that outlives the domain, if the system gives it some, and what the last life left there */
static void store_open(void)
{
    const struct tree_node node = tree_compatible("xen,shared-memory-v1");
    uint64_t base = 0u;
    uint64_t bytes = 0u;
    bool found = false;

    if (tree_reg(&node, 0u, &base, &bytes) && (bytes >= sizeof(*store))) {
        store = (struct store *)(uintptr_t)base;
        found = store_check(store);
    }
    if (!found) {
        store_init(store, OWN_DOMID);
    }
    print("STORE begins %s, %u KiB%s\n", found ? "where it was" : "empty", (uint32_t)(sizeof(*store) >> 10u),
          (store == &here) ? " that a restart loses" : "");
}

void guest_main(void)
{
    store_open();
    domains_read();
    links_read();
    xenbus_init();
    print("STORE serves %u links\n", nr_links);
    arch_irq_open();
    for (;;) {
        const bool changing = lives();

        if (!serve()) {
            xenbus_wait(changing);
        }
    }
}
