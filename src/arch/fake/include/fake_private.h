/* Between the parts of the fake port. */
#ifndef FAKE_PRIVATE_H
#define FAKE_PRIVATE_H

#include "fake.h"

#define FAKE_IRQS 1020u

/* Ends the program: the test, or the code under test, did what no machine allows. */
_Noreturn void fake_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* -- Coroutines (fake_fiber.c) -- */
struct fake_fiber;
struct fake_fiber *fake_fiber_new(void (*fn)(void *arg), void *arg);
void fake_fiber_free(struct fake_fiber *fiber);
/* Goes on inside; returns what the fiber says when it stops. Not from inside a fiber. */
int fake_fiber_resume(struct fake_fiber *fiber);
/* From inside: back to the caller of fake_fiber_resume(). Returns when resumed. */
void fake_fiber_stop(int why);
struct fake_fiber *fake_fiber_now(void);

/* -- CPUs and their interrupts (fake_cpu.c) -- */
void fake_cpu_ipi(cpuid_t cpu);
/* Whether an IPI, deadline or line waits for this CPU */
bool fake_irq_waiting(cpuid_t cpu);
/* Takes what waits; interrupts masked, on the CPU's stack. */
void fake_irq_take(cpuid_t cpu);
uint64_t fake_time(void);
/* The end of each way out of a handler: exit work if somebody asked for it. */
void fake_exit_work(void);
/* The next deadline of a CPU, its loaded guest's own clock included */
uint64_t fake_cpu_next_ns(cpuid_t cpu);
void fake_cpu_reset_all(void);
void fake_time_set(uint64_t now_ns);

/* -- Simulation (fake_sim.c) -- */
bool fake_sim_knows(cpuid_t cpu); /* it was booted with fake_cpu_boot() or hal_cpu_start() */
void fake_sim_reset(void);
/* The code that runs now on this CPU is left for good. Returns only if nothing can take over (plain, no
 * fake_call()). */
void fake_leave(enum fake_end why);
/* A context gave its turn away. False: not inside a simulated context. */
bool fake_sim_yield(void);
void fake_sim_forget(struct fake_fiber *fiber);

/* -- The vCPU that a CPU has loaded (fake_vcpu.c) -- */
uint64_t fake_loaded_deadline(cpuid_t cpu);
void fake_loaded_timer(cpuid_t cpu);
void fake_vcpu_reset_all(void);

/* Whether a physical interrupt is this one of the domain's (fake_cpu.c) */
bool fake_line_routed(const struct hal_domain *domain, uint32_t virq);

void fake_memory_reset(void);
void fake_devices_reset(void);
void fake_device_mapped(uint64_t base, uint64_t bytes, uint8_t *va);
void fake_maps_reset(void);
void fake_iommu_reset(void);
void fake_power_reset(void);

#endif
