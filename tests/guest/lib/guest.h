/* What our bare-metal guests are made of. One C body for all architectures; the folders <arch> hold what
 * differs. A guest is guest_main() on the boot vCPU: MMU and caches on (identity map), interrupts masked.
 * Single-threaded but for what runs in handlers and on vCPUs that the guest itself starts. */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine.h"

#define GUEST_CPUS_MAX 8u

/* The guest itself */
void guest_main(void);
/* Before the interrupt controller is touched; nothing, unless the guest defines it */
void guest_early(void);

/* -- Text: %s %c %u (uint32_t) %d (int32_t) %x (uint32_t, hex) %U (uint64_t) %X (uint64_t, hex) %% -- */
void print(const char *format, ...);
bool text_equal(const char *a, const char *b);

/* -- Device tree -- */
struct tree_node {
    const uint32_t *at;     /* first token behind the name; NULL = none */
    uint32_t address_cells; /* the parent's */
    uint32_t size_cells;
    const char *name;
};

void tree_init(const void *blob);
const void *tree_blob(uint64_t *bytes);
/* By path from the root ("" is the root), node names with or without unit address. */
struct tree_node tree_path(const char *path);
/* The first node compatible with this */
struct tree_node tree_compatible(const char *what);
const void *tree_prop(const struct tree_node *node, const char *name, uint32_t *bytes);
/* NULL if absent or no string */
const char *tree_string(const struct tree_node *node, const char *name);
bool tree_reg(const struct tree_node *node, uint32_t index, uint64_t *base, uint64_t *bytes);
/* Interrupt number of entry `index` of a node whose interrupt parent is the one interrupt controller */
bool tree_irq(const struct tree_node *node, uint32_t index, uint32_t *intid);
/* Name of this domain: /chosen bulkhead,domain-name, else name=... of the bootargs, else "unknown" */
const char *tree_domain_name(void);
/* What stands behind "<name>=" in the bootargs; NULL if nothing does */
const char *tree_argument(const char *name);
/* The same as a decimal number */
uint64_t tree_number(const char *name, uint64_t otherwise);

/* -- Console -- */
void console_init(void);
bool console_present(void);
void console_put(char c);
extern void (*console_hook)(char c); /* where characters go when there is none */
bool console_get(char *c);           /* polls */
uintptr_t console_base(void);
uint32_t console_irq(void); /* 0 = none */

/* -- Interrupts: a handler runs with interrupts masked, after the acknowledge and before the end of interrupt
 * -- */
#define IRQ_MAX           1020u
#define IRQ_PRIORITY_HIGH 0x80u
#define IRQ_PRIORITY_LOW  0xC0u

void irq_init(void);        /* controller, and the boot vCPU's part */
void irq_init_cpu(void);    /* another vCPU's part */
uint32_t irq_version(void); /* 2 or 3 on Arm */

/* for the calling vCPU; a shared one is routed to it */
void irq_enable(uint32_t intid, uint8_t priority, void (*handler)(uint32_t intid));
void irq_disable(uint32_t intid);
/* Sends a software interrupt (0 .. 15) to one vCPU of this domain by its number. */
void irq_send(uint32_t intid, uint32_t cpu);
/* Called by the vectors */
void irq_dispatch(void);

/* The number of the vCPU that executes this */
uint32_t cpu_number(void);

#endif
