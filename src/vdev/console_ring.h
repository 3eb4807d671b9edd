/* One end of the page between a console and who serves it, the end that a domain has otherwise. The other
 * end, and a guest that maps the page, may write anything into it at any time: what is ours is kept here. */
#ifndef VDEV_CONSOLE_RING_H
#define VDEV_CONSOLE_RING_H

#include <stdbool.h>

#include "abi/xen.h"

struct console_ring {
    struct xen_console_ring *page;
    uint32_t out_prod;
    uint32_t in_cons;
    uint64_t full_ns; /* since when it is known to be full; 0: it is not */
};

/* What was not read yet of a former life stays, what was not received goes. */
void console_ring_begin(struct console_ring *ring);
/* How many bytes it takes. One that is full for too long takes what it is given, and loses it. */
uint32_t console_ring_room(struct console_ring *ring);
/* Lost if it is full */
void console_ring_put(struct console_ring *ring, uint8_t c);
/* False: nothing came. *was_full: the other end may wait for room. */
bool console_ring_get(struct console_ring *ring, uint8_t *c, bool *was_full);

#endif
