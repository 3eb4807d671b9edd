/* Messages through a ring. What the peer writes is read once and judged. How far each message has gone is
 * kept in the store, which alone is believed, so that another life of it can go on. */
#include "core/ring.h"

#define TURNS 64u

static void progress_set(struct store_progress *at, uint32_t bytes, uint32_t index)
{
    struct store_progress next = { bytes, index };

    __atomic_store(at, &next, __ATOMIC_SEQ_CST);
}

static uint32_t lower(uint32_t a, uint32_t b)
{
    return (a < b) ? a : b;
}

bool ring_wants_anew(const volatile struct xs_ring *ring)
{
    return __atomic_load_n(&ring->connection, __ATOMIC_ACQUIRE) != XS_CONNECTED;
}

void ring_open(struct store *s, uint16_t client, volatile struct xs_ring *ring, bool adopt)
{
    struct store_share *const share = &s->share[client];

    store_disconnect(s, client);
    if (adopt) {
        progress_set(&share->in, 0u, ring->request_cons);
        progress_set(&share->out, 0u, ring->response_prod);
    } else {
        ring->request_cons = 0u;
        ring->request_prod = 0u;
        ring->response_cons = 0u;
        ring->response_prod = 0u;
        ring->error = 0u;
    }
    share->connected = true;
    ring->features = XS_FEATURE_RECONNECTION | XS_FEATURE_ERROR;
    __atomic_store_n(&ring->connection, XS_CONNECTED, __ATOMIC_RELEASE);
}

/* Bytes of the message that may be copied now, in one piece. Sets the ring's error and gives 0 if its indexes
 * cannot be. */
static uint32_t piece(volatile struct xs_ring *ring, uint32_t used, uint32_t there, uint32_t index,
                      uint32_t wanted)
{
    if (used > XS_RING_BYTES) {
        ring->error = XS_ERROR_RING;
        return 0u;
    }
    return lower(lower(there, wanted), XS_RING_BYTES - (index % XS_RING_BYTES));
}

/* The request that is coming in; true once it is complete. */
static bool take(struct store_share *share, volatile struct xs_ring *ring, bool *moved)
{
    uint8_t *const to = (uint8_t *)(void *)&share->request;
    const uint32_t head = (uint32_t)sizeof(struct store_header);
    bool more = true;

    while (more) { /* at most four pieces: header and payload, each over the ring's end */
        const uint32_t done = share->in.bytes;
        const uint32_t index = share->in.index;
        const uint32_t payload = (done < head) ? 0u : share->request.header.bytes;
        const uint32_t whole = head + payload; /* may wrap: the payload is judged first */
        const uint32_t there = __atomic_load_n(&ring->request_prod, __ATOMIC_ACQUIRE) - index;

        if (payload > STORE_PAYLOAD_MAX) {
            ring->error = XS_ERROR_PROTOCOL;
            return false;
        }
        if ((done >= head) && (done == whole)) {
            return true;
        }
        const uint32_t n = piece(ring, there, there, index, whole - done);

        for (uint32_t i = 0u; i < n; i++) {
            to[done + i] = ring->request[(index + i) % XS_RING_BYTES];
        }
        progress_set(&share->in, done + n, index + n);
        __atomic_store_n(&ring->request_cons, index + n, __ATOMIC_RELEASE);
        *moved = *moved || (n > 0u);
        more = (n > 0u);
    }
    return false;
}

/* The reply that is going out, as far as there is room */
static void give(struct store_share *share, volatile struct xs_ring *ring, bool *moved)
{
    const uint8_t *const from = (const uint8_t *)(const void *)&share->reply;
    const uint32_t whole = (uint32_t)sizeof(struct store_header) + share->reply.header.bytes;
    bool more = share->answering;

    while (more) { /* at most three pieces */
        const uint32_t done = share->out.bytes;
        const uint32_t index = share->out.index;
        const uint32_t used = index - __atomic_load_n(&ring->response_cons, __ATOMIC_ACQUIRE);
        const uint32_t n = piece(ring, used, XS_RING_BYTES - used, index, whole - done);

        for (uint32_t i = 0u; i < n; i++) {
            ring->response[(index + i) % XS_RING_BYTES] = from[done + i];
        }
        progress_set(&share->out, done + n, index + n);
        __atomic_store_n(&ring->response_prod, index + n, __ATOMIC_RELEASE);
        *moved = *moved || (n > 0u);
        share->answering = ((done + n) < whole);
        more = share->answering && (n > 0u);
    }
}

bool ring_tend(struct store *s, uint16_t client, volatile struct xs_ring *ring)
{
    struct store_share *const share = &s->share[client];
    bool moved = false;
    bool more = share->connected;

    for (uint32_t turn = 0u; (turn < TURNS) && more; turn++) {
        give(share, ring, &moved);
        more = !share->answering;
        if (more) {
            if (take(share, ring, &moved)) {
                store_serve(s, client);
            } else {
                more = store_next_event(s, client);
            }
        }
    }
    return moved;
}
