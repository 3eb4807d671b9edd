/* [impl->req~console-tools~1] */
#include "vdev/console_ring.h"

#include "hal/sync.h"
#include "hal/timer.h"

#define IN_BYTES  ((uint32_t)sizeof(((struct xen_console_ring *)NULL)->in))
#define OUT_BYTES ((uint32_t)sizeof(((struct xen_console_ring *)NULL)->out))
#define FULL_NS   2000000000ULL /* after which nobody waits for who serves it */

void console_ring_begin(struct console_ring *ring)
{
    ring->in_cons = hal_load_acquire32(&ring->page->in_prod);
    hal_store_release32(&ring->page->in_cons, ring->in_cons);
    hal_store_release32(&ring->page->out_prod, ring->out_prod);
    ring->full_ns = 0u;
}

static uint32_t room(const struct console_ring *ring)
{
    const uint32_t used = ring->out_prod - hal_load_acquire32(&ring->page->out_cons);

    return OUT_BYTES - (uint32_t)bits_min(used, OUT_BYTES);
}

uint32_t console_ring_room(struct console_ring *ring)
{
    const uint64_t now_ns = hal_timer_now_ns() | 1u;
    uint32_t bytes = room(ring);

    if (bytes > 0u) {
        ring->full_ns = 0u;
    } else if (ring->full_ns == 0u) {
        ring->full_ns = now_ns;
    } else if ((now_ns - ring->full_ns) > FULL_NS) {
        bytes = OUT_BYTES;
    } else {
        /* it may be read yet */
    }
    return bytes;
}

void console_ring_put(struct console_ring *ring, uint8_t c)
{
    if (room(ring) > 0u) {
        ring->page->out[ring->out_prod % OUT_BYTES] = c;
        ring->out_prod++;
        hal_store_release32(&ring->page->out_prod, ring->out_prod);
    }
}

/* More than the ring holds is nothing that was ever put there. */
bool console_ring_get(struct console_ring *ring, uint8_t *c, bool *was_full)
{
    const uint32_t prod = hal_load_acquire32(&ring->page->in_prod);
    const uint32_t used = prod - ring->in_cons;
    const bool got = (used > 0u) && (used <= IN_BYTES);

    if (got) {
        *c = ring->page->in[ring->in_cons % IN_BYTES];
    }
    *was_full = *was_full || (used == IN_BYTES);
    ring->in_cons = got ? (ring->in_cons + 1u) : prod;
    hal_store_release32(&ring->page->in_cons, ring->in_cons);
    return got;
}
