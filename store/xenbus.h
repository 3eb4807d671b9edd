/* The hypervisor as the store sees it: rings of domains, ports, which life a domain is in. */
#ifndef STORE_XENBUS_H
#define STORE_XENBUS_H

#include "core/ring.h"

void xenbus_init(void);
/* The life of a domain that runs, counted from 1; 0: it does not. changing: it soon does or does no more. */
uint64_t xenbus_life(uint16_t domid, bool *changing);
/* The ring of a client's domain, mapped anew, and its port bound; NULL: not (yet). */
volatile struct xs_ring *xenbus_attach(uint16_t client, uint16_t domid);
/* Its life is over. */
void xenbus_detach(uint16_t client);
void xenbus_notify(uint16_t client);
/* Until an event comes, or (soon) a moment has passed */
void xenbus_wait(bool soon);

#endif
