#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct store store;
static struct store copy;
static char out[STORE_PAYLOAD_MAX + 8u];

void clients_begin(uint32_t nr)
{
    store_init(&store, 99u);
    for (uint32_t i = 0; i < nr; i++) {
        char name[16];

        if (!store_add(&store, (uint16_t)(i + 1u))) {
            abort();
        }
        store.share[i].connected = true;
        snprintf(name, sizeof(name), "guest%u", i + 1u);
        links_introduce(&store, (uint16_t)i, name);
    }
}

bool store_whole(void)
{
    memcpy(&copy, &store, sizeof(copy));
    if (!store_check(&copy)) {
        return false;
    }
    for (uint32_t i = 0; i < STORE_SHARES; i++) {
        if (memcmp(copy.share[i].block_used, store.share[i].block_used, sizeof(copy.share[i].block_used)) !=
            0) {
            return false; /* a leak */
        }
        for (uint32_t n = 0; n < STORE_NODES; n++) {
            if (copy.share[i].node[n].generation != store.share[i].node[n].generation) {
                return false;
            }
        }
    }
    return true;
}

static const char *told(const struct store_message *m)
{
    uint32_t at = 0;

    out[0] = '\0';
    if (m->header.type == XS_ERROR) {
        out[at++] = '!';
    }
    for (uint32_t i = 0; i < m->header.bytes; i++) {
        out[at++] = (m->payload[i] == 0u) ? '|' : (char)m->payload[i];
    }
    out[at] = '\0';
    if (m->header.type == XS_ERROR) {
        out[at - 1u] = '\0';
    }
    return out;
}

const char *ask(uint16_t client, enum store_type type, uint32_t tx, const char *payload)
{
    struct store_share *const share = &store.share[client];
    const uint32_t bytes = (uint32_t)strlen(payload);

    share->request.header = (struct store_header){ type, 7u, tx, bytes };
    for (uint32_t i = 0; i < bytes; i++) {
        share->request.payload[i] = (payload[i] == '|') ? 0u : (uint8_t)payload[i];
    }
    memset(&share->request.payload[bytes], 'X', sizeof(share->request.payload) - bytes);
    store_serve(&store, client);
    if (!share->answering || (share->reply.header.req_id != 7u) || !store_whole()) {
        abort();
    }
    share->answering = false;
    return told(&share->reply);
}

const char *event_of(uint16_t client)
{
    struct store_share *const share = &store.share[client];

    if (!store_next_event(&store, client)) {
        return "";
    }
    share->answering = false;
    return told(&share->reply);
}

void events_drop(void)
{
    for (uint16_t i = 0; i < STORE_CLIENTS; i++) {
        while (event_of(i)[0] != '\0') {
        }
    }
}

void used_of(uint16_t client, uint32_t *nodes, uint32_t *blocks)
{
    *nodes = 0;
    *blocks = 0;
    for (uint32_t n = 0; n < STORE_NODES; n++) {
        *nodes += (store.share[client].node[n].generation != 0u) ? 1u : 0u;
    }
    for (uint32_t n = 0; n < STORE_BLOCKS; n++) {
        *blocks += store.share[client].block_used[n] ? 1u : 0u;
    }
}
