/* The hostile guest: it tries everything that a guest can try. Nobody judges its success; the neighbour
 * (guard) says whether it felt anything, and the test whether the hypervisor still answers. */
#ifndef GUEST_HOSTILE_H
#define GUEST_HOSTILE_H

#include "gic.h"
#include "guest.h"

struct attack {
    const char *name;
    void (*run)(void);
    bool together; /* by all vCPUs at a time */
};

/* After these the guest goes on. */
extern const struct attack attacks_registers[];
extern const struct attack attacks_devices[];
extern const struct attack attacks_firmware[];
extern const struct attack attacks_events[];
extern const struct attack attacks_grants[];
extern const struct attack attacks_pages[];
extern const struct attack attacks_memory[];
extern const struct attack attacks_interrupts[];
extern const struct attack attacks_vcpus[];
extern const struct attack attacks_el0[];
/* Of a control domain: tried alone */
extern const struct attack attacks_control[];
/* Each of these ends the guest, or hangs it until its watchdog ends it. */
extern const struct attack attacks_lethal[];

void tried(uint64_t n); /* this vCPU did n more hostile things */
/* A hypercall, counted */
int64_t attempt(uint64_t number, uint64_t a, uint64_t b, uint64_t c);
uint64_t random64(void);
uint32_t hostile_cpus(void);
/* How many turns of a storm: `turns` times what the bootargs ask for (effort=<n>, 1) */
uint64_t storm(uint64_t turns);
/* Whether turn i of such a storm is still one. Yields: see arch_yield(). */
bool storm_goes(uint64_t i, uint64_t turns);

/* All vCPUs execute function() at a time; returns when all are through with it. On the boot vCPU. */
void everyone(void (*function)(void));
/* A vCPU other than the boot vCPU starts in function(); no word of it any more. */
void let_loose(uint32_t cpu, void (*function)(void));

/* The interrupt controller as an operating system finds it, whatever was done to it. Of this vCPU, and the
 * shared part. */
void gic_calm(void);
/* Interrupts open for some microseconds; handlers only count. */
void take_interrupts(uint32_t us);
void take_any(uint32_t intid);

/* Traps are skipped and counted. */
extern volatile uint64_t traps[GUEST_CPUS_MAX];

/* The watchdog resets this domain after `ms`, if it has one. */
void watchdog_arm(uint32_t ms);

#endif
