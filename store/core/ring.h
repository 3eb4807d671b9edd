/* A client's ring page (public/io/xs_wire.h), of which the client may write all at any time. */
#ifndef STORE_RING_H
#define STORE_RING_H

#include "core/store.h"

#define XS_RING_BYTES 1024u

struct xs_ring {
    uint8_t request[XS_RING_BYTES];
    uint8_t response[XS_RING_BYTES];
    uint32_t request_cons;
    uint32_t request_prod;
    uint32_t response_cons;
    uint32_t response_prod;
    uint32_t features;
    uint32_t connection;
    uint32_t error;
};

#define XS_FEATURE_RECONNECTION 1u
#define XS_FEATURE_ERROR        2u
#define XS_CONNECTED            0u
#define XS_RECONNECT            1u
#define XS_ERROR_RING           2u
#define XS_ERROR_PROTOCOL       3u

/* The client begins anew, or (adopt) goes on with a store that knows nothing of it. */
void ring_open(struct store *s, uint16_t client, volatile struct xs_ring *ring, bool adopt);
bool ring_wants_anew(const volatile struct xs_ring *ring);
/* Takes requests, answers them, sends events, as far as the ring has bytes and room, a bounded piece. True:
 * the ring has changed, the client is to be told and this to be called again. */
bool ring_tend(struct store *s, uint16_t client, volatile struct xs_ring *ring);

#endif
