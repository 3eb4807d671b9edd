/* The tree that the program makes of what is declared: a directory for each domain, and the two directories
 * of each disk or network card that one domain has from another. */
#ifndef STORE_LINKS_H
#define STORE_LINKS_H

#include "core/store.h"

#define LINKS_MAX 64u

struct link {
    uint16_t frontend; /* clients */
    uint16_t backend;
    bool is_net;
    bool read_only;
    uint32_t handle;    /* a disk's number as Xen counts (xvda: 51712), or which network card */
    const char *device; /* disk: "major:minor" in the backend, hexadecimal; NULL */
    const char *params; /* disk: what the backend's own tools make of it; NULL */
    const char *name;   /* disk: as the frontend calls it, "xvda" */
    const char *mac;    /* net: "00:16:3e:.." */
};

/* A domain that is there: what it finds of itself */
void links_introduce(struct store *s, uint16_t client, const char *name);
/* A life of it is over: nothing is left of what it made. */
void links_retire(struct store *s, uint16_t client);
/* Plugs or unplugs, by who is there and has let go of what was. Idempotent. */
void links_tend(struct store *s, const struct link *link, uint32_t nr_links);

#endif
