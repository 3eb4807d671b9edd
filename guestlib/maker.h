/* Domains made by a control domain of plain C: the hypercalls that `xl create` comes to, in the order in
 * which it makes them. For guests of any kind on AArch64: C11, freestanding; this file, maker.c, and the
 * layouts of src/abi, which are Xen 4.20's. The caller's domain has the role control.
 *
 * Results are 0 or Xen's negative error numbers. Not for several vCPUs at a time with one struct maker. */
#ifndef GUESTLIB_MAKER_H
#define GUESTLIB_MAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/xen_control.h"

#define MAKER_RAM        0x40000000ULL
#define MAKER_BLOCK_BITS 21u      /* RAM comes in blocks of 2 MiB */
#define MAKER_WINDOW     4u       /* pages of the window */
#define MAKER_CONSOLE    0x39000u /* frame number of the page in which the domain's console lies */

struct maker_image {
    const void *data;
    uint64_t bytes;
};

struct maker {
    /* What is wanted. The kernel goes to the beginning of RAM, and begins there as an Image does: MMU off,
     * the tree's address in x0. The tree goes to the last 2 MiB block. */
    uint8_t handle[16]; /* a UUID; a template's makes that one */
    uint32_t nr_vcpus;
    uint32_t nr_blocks;
    struct maker_image kernel;
    struct maker_image tree;
    /* MAKER_WINDOW pages in which this guest has nothing, and which its own tables map as memory */
    volatile uint8_t *window;

    /* What has become of it */
    uint16_t domid;
    uint32_t nr_steps;   /* that were done */
    uint32_t store_port; /* of the domain, for who serves its xenstore and console: this one */
    uint32_t console_port;
};

/* The guest's own way to make a hypercall */
int64_t maker_hypercall(uint64_t number, uint64_t a, uint64_t b);

/* The steps of a creation: 0 .. MAKER_STEPS - 1, then maker_unpause(). A domain may be destroyed after
 * each. */
#define MAKER_STEPS 7u
int64_t maker_step(struct maker *maker, uint32_t step);
const char *maker_step_name(uint32_t step);

/* All of them; what failed is destroyed again. The domain is whole then, and paused. */
int64_t maker_create(struct maker *maker);

int64_t maker_pause(uint16_t domid);
int64_t maker_unpause(uint16_t domid);
/* Returns when nothing is left of it. */
int64_t maker_destroy(uint16_t domid);
/* -XEN_ESRCH when there is none; the flags say whether it has shut down, and why. */
int64_t maker_info(uint16_t domid, struct xen_domaininfo *info);

/* Frames of the domain appear in the window, one after the other, until they are let go. */
int64_t maker_map(struct maker *maker, uint64_t gfn, uint32_t nr);
int64_t maker_let_go(struct maker *maker, uint32_t nr);

#endif
