/* Clients of a store, for its tests: a request at a time, without a ring. */
#ifndef TEST_STORE_CLIENT_H
#define TEST_STORE_CLIENT_H

#include "core/core.h"
#include "core/links.h"
#include "core/ring.h"

extern struct store store;

/* Domains 1, 2, 3 .. as clients 0, 1, 2 .., each with its directory */
void clients_begin(uint32_t nr);
/* A request with a payload (NULs said as '|'); the reply's payload, NULs as '|' too, with a NUL behind; "!"
 * and the error if it is one. Checks the store's invariants afterwards. */
const char *ask(uint16_t client, enum store_type type, uint32_t tx, const char *payload);
/* The next event, as "path|token|"; "" if there is none */
const char *event_of(uint16_t client);
/* All events of all clients are taken. */
void events_drop(void);
/* The client has shares as after its first introduction, no more. */
void used_of(uint16_t client, uint32_t *nodes, uint32_t *blocks);
/* store_check() of a copy, in which nothing but what is free may change */
bool store_whole(void);

#endif
