/* The control domain's parts: what all of its trials use. */
#ifndef GUEST_CONTROL_H
#define GUEST_CONTROL_H

#include "maker.h"
#include "ring_console.h"
#include "xen.h"

#define CONTROL_PATIENCE_S 20u

extern struct maker child; /* what is made */
extern uint32_t faults;

/* CONTROL FAIL, unless both are the same */
void must(const char *what, int64_t is, int64_t wanted);

/* What the host and this domain have that a domain that is gone must have given back */
struct account {
    uint64_t free_pages; /* of the host, those among them that are to be scrubbed */
    uint64_t own_pages;
    uint32_t ports;
    uint32_t domains;
};
struct account account_now(void);
/* Waits for what the hypervisor still scrubs. */
void account_must_be(const char *what, const struct account *before);
/* What only the hypervisor sees, pools, channels and grants of all: to its log, for who compares. */
void account_tell(void);

/* What its tree says of its RAM */
void tree_ram(uint64_t bytes);

/* The command goes to its console before it runs; NUL: it waits for one. */
int64_t child_make(char what, uint32_t nr_blocks, uint32_t nr_vcpus);
void child_order(char what);
/* Shows what it says until it has shut down, or has said a line that begins so; its reason, or -1 if it did
 * neither in time. */
int64_t child_watch(const char *until);
void child_destroy(void);
uint32_t child_lies(void); /* lines "zero=no" that were seen */

/* The trials */
void trial_lives(const char *name, char what, int64_t reason, uint64_t count);
void trial_steps(void);
void trial_load(void);
void trial_race(void);

#endif
