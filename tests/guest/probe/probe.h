/* The probe: a guest that looks at its machine from inside and says what it finds, one line a question. */
#ifndef GUEST_PROBE_H
#define GUEST_PROBE_H

#include "gic.h"
#include "guest.h"

struct probe {
    const char *name;
    void (*run)(void);
};

extern const struct probe probes_cpu[];
extern const struct probe probes_arch[]; /* the architecture's own */
extern const struct probe probes_memory[];
extern const struct probe probes_interrupts[];
extern const struct probe probes_time[];
extern const struct probe probes_console[];
extern const struct probe probes_vcpus[];

void probe_expect(bool good, const char *what, uint32_t line);
void probe_expect_equal(uint64_t found, uint64_t wanted, const char *what, uint32_t line);
#define EXPECT(condition)           probe_expect((condition), #condition, (uint32_t)__LINE__)
#define EXPECT_EQUAL(found, wanted) probe_expect_equal((found), (wanted), #found, (uint32_t)__LINE__)

/* Exceptions that a question means to cause: each is noted and its instruction skipped (of a bad fetch: the
 * call). */
struct probe_trap {
    volatile uint32_t count;
    volatile uint64_t syndrome;
    volatile uint64_t address;
    volatile uint64_t pc;
    volatile uint32_t state; /* of the processor, there */
};
extern struct probe_trap probe_trap;
void probe_catch(void); /* from now on; count is 0 */
/* Whether exactly one came, of this class */
bool probe_caught(uint32_t class);

/* Interrupts that came, by number; a handler that only counts. */
extern volatile uint32_t probe_irqs[64];
extern volatile uint64_t probe_irq_time; /* counter in the last handler */
void probe_irq_count(uint32_t intid);
/* Interrupts open until *count reaches `wanted` or the time is over; false then */
bool probe_await(const volatile uint32_t *count, uint32_t wanted, uint32_t ms);
void probe_pause(uint32_t ms); /* interrupts open */

uint32_t probe_cpus(void); /* vCPUs of this domain, at most GUEST_CPUS_MAX */

/* Registers that a hypervisor must switch, filled with a pattern and looked at again after `ms`; interrupts
 * open meanwhile. The number of registers that changed. (probe_fp.c) */
uint32_t probe_registers_kept(uint64_t pattern, uint32_t ms);
/* The same floating-point sum, computed for `ms`: how often it came out differently */
uint32_t probe_sums_differ(uint32_t ms);

#endif
