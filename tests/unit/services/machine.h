/* A small machine for tests of build/ and operator/: RAM, heap, one CPU, and a scheduler that only takes
 * notes. */
#ifndef MACHINE_H
#define MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "build/builder.h"
#include "fake.h"

#define MACHINE_RAM          0x80000000ULL
#define MACHINE_RAM_SIZE     (384ULL << 20)
#define MACHINE_MODULES      0x80000000ULL /* the first 64 MiB are for modules */
#define MACHINE_MODULES_SIZE (64ULL << 20)

struct machine_notes {
    uint32_t nr_added;
    uint32_t nr_on;
    uint32_t nr_off;
    uint32_t nr_paused;
    uint32_t nr_unpaused;
    uint32_t quiet_after; /* sched_domain_quiet() says no this many times */
    uint32_t nr_breaths;
    struct work *queued;
};
extern struct machine_notes machine;

/* Once in a program, as a cmocka group's setup: everything below works from then on. */
int machine_setup(void **state);
/* A plan of one domain, domU1, of 64 MiB and that many vCPUs, for any CPU; what else it has is the
 * caller's. */
struct plan_domain *machine_plan(struct plan *plan, uint32_t nr_vcpus);
/* Runs what work_queue() was given; false if nothing was. */
bool machine_work_run(void);

/* Text that went out of the UART since the last call of machine_output_forget(). */
const char *machine_output(void);
void machine_output_forget(void);
/* The UART takes nothing meanwhile. */
void machine_uart_block(bool block);
/* As it was before console_drive(). */
void machine_uart_reopen(void);

/* Puts bytes into the module area at an offset. */
struct plan_module machine_module(uint64_t offset, const void *bytes, uint64_t count, const char *name);
/* A gzip of data, malloc()ed. */
uint8_t *machine_gzip(const uint8_t *data, uint64_t bytes, uint64_t *out_bytes);
/* An arm64 Image: header and a pattern behind it, malloc()ed. */
uint8_t *machine_image(uint64_t bytes, uint64_t text_offset, uint64_t image_size);

#endif
