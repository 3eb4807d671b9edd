/* Xen's console ring: the page between a domain and who serves its console. */
#ifndef GUEST_RING_CONSOLE_H
#define GUEST_RING_CONSOLE_H

#include <stdint.h>

#define RING_IN  1024u /* bytes, powers of two */
#define RING_OUT 2048u

struct ring_console {
    char in[RING_IN]; /* to the domain */
    char out[RING_OUT];
    uint32_t in_cons;
    uint32_t in_prod;
    uint32_t out_cons;
    uint32_t out_prod;
};

#endif
