/* Domains at the store's rings: requests in pieces, nonsense in indexes, lives of domains and of the store.
 * After each step nothing is lost, and what is one domain's share is in no other's.
 * [test->req~store-share~1] [test->req~store-protocol~1] [test->req~store-restart~1] */
#include <string.h>

#include "core/core.h"
#include "core/links.h"
#include "core/ring.h"
#include "fuzz.h"

#define CLIENTS 3u

static struct store store;
static struct store copy;
static struct xs_ring ring[CLIENTS];

static const struct link links[] = {
    { .frontend = 1, .backend = 0, .handle = 51712, .device = "7:0", .name = "xvda" },
    { .frontend = 2, .backend = 1, .is_net = true, .handle = 0, .mac = "00:16:3e:00:00:01" },
};

/* Pieces of paths that lead somewhere */
static const char *const words[] = {
    "/",
    "/local/domain/1",
    "/local/domain/2/device/vbd/51712",
    "/local/domain/1/backend/vbd/2/51712/state",
    "data",
    "data/a",
    "data/a/b",
    "control",
    "name",
    "/local/domain/2/data/a",
    "@releaseDomain",
    "device/vif/0/state",
};

struct input {
    const uint8_t *at;
    size_t left;
};

static uint32_t byte(struct input *in)
{
    uint32_t b = 0;

    if (in->left > 0u) {
        b = in->at[0];
        in->at++;
        in->left--;
    }
    return b;
}

static void whole(void)
{
    (void)memcpy(&copy, &store, sizeof(copy));
    FUZZ_MUST(store_check(&copy));
    for (uint32_t i = 0; i < STORE_SHARES; i++) {
        FUZZ_MUST(memcmp(copy.share[i].block_used, store.share[i].block_used,
                         sizeof(copy.share[i].block_used)) == 0);
        FUZZ_MUST(memcmp(copy.share[i].node, store.share[i].node, sizeof(copy.share[i].node)) == 0);
    }
    FUZZ_MUST(store.share[CLIENTS].node[0].generation == 0u); /* a domain that is not there has nothing */
}

static void introduce(uint16_t client)
{
    ring_open(&store, client, &ring[client], false);
    links_introduce(&store, client, "guest");
}

/* A request of words and bytes, put where the client would put it */
static void request(struct input *in, uint16_t client)
{
    uint8_t message[sizeof(struct store_header) + 320u];
    struct store_header header = { byte(in) % 24u, byte(in), byte(in) & 3u, 0u };
    uint32_t bytes = 0;
    uint8_t *const payload = &message[sizeof(header)];

    for (uint32_t n = byte(in) % 5u; n > 0u; n--) {
        const uint32_t what = byte(in);

        if (what < 0x80u) {
            const char *const word = words[what % (sizeof(words) / sizeof(words[0]))];

            (void)memcpy(&payload[bytes], word, strlen(word) + 1u);
            bytes += (uint32_t)strlen(word) + 1u;
        } else if (what < 0xC0u) {
            (void)memcpy(&payload[bytes], "n1\0b2", 6u);
            payload[bytes + 1u] = (uint8_t)('1' + (what % CLIENTS));
            bytes += 6u;
        } else {
            for (uint32_t i = what & 31u; i > 0u; i--) {
                payload[bytes++] = (uint8_t)byte(in);
            }
        }
    }
    header.bytes = bytes;
    (void)memcpy(message, &header, sizeof(header));
    for (uint32_t i = 0; i < (sizeof(header) + bytes); i++) {
        ring[client].request[(ring[client].request_prod + i) % XS_RING_BYTES] = message[i];
    }
    ring[client].request_prod += (uint32_t)sizeof(header) + bytes;
}

static void step(struct input *in)
{
    const uint32_t what = byte(in);
    const uint16_t client = (uint16_t)(what % CLIENTS);

    switch ((what >> 2u) % 12u) {
    case 0:
        links_retire(&store, client);
        break;
    case 1:
        links_retire(&store, client);
        introduce(client);
        break;
    case 2:
        ring_open(&store, client, &ring[client], (byte(in) & 1u) != 0u);
        break;
    case 3: /* nonsense of the client's */
        ((uint8_t *)&ring[client])[2048u + (byte(in) % 28u)] = (uint8_t)byte(in);
        break;
    case 4: /* another life of the store */
        FUZZ_MUST(store_check(&store));
        break;
    case 5: /* it does not read */
        request(in, client);
        break;
    default:
        request(in, client);
        ring[client].response_cons = ring[client].response_prod;
        break;
    }
    (void)ring_tend(&store, client, &ring[client]);
    links_tend(&store, links, 2u);
    whole();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct input in = { data, bytes };

    store_init(&store, 9u);
    for (uint16_t i = 0; i < CLIENTS; i++) {
        (void)memset(&ring[i], 0, sizeof(ring[i]));
        FUZZ_MUST(store_add(&store, (uint16_t)(i + 1u)));
        introduce(i);
    }
    links_tend(&store, links, 2u);
    for (uint32_t i = 0; (i < 200u) && (in.left > 0u); i++) {
        step(&in);
    }
    for (uint16_t i = 0; i < CLIENTS; i++) {
        links_retire(&store, i);
    }
    links_tend(&store, links, 2u);
    whole();
    for (uint32_t i = 0; i < STORE_CLIENTS; i++) {
        for (uint32_t n = 0; n < STORE_NODES; n++) {
            FUZZ_MUST(store.share[i].node[n].generation == 0u);
        }
        for (uint32_t n = 0; n < STORE_BLOCKS; n++) {
            FUZZ_MUST(!store.share[i].block_used[n]);
        }
    }
    return 0;
}
