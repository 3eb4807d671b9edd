/* What a test can do to the simulated machine. Two ways to use it:
 *
 * Plain: the test calls generic functions itself and says with fake_cpu_set() which CPU it plays. Nothing
 * happens by itself: IPIs and deadlines wait for fake_ipi_deliver() and fake_time_advance();
 * hal_context_yield() calls
 * upcall_reschedule() and returns. Threads may play different CPUs.
 *
 * Simulated: fake_cpu_boot() lets CPUs run code of theirs as coroutines of this one thread. A CPU gives
 * control back when it enters a vCPU's frame (the test plays the guest), sleeps, waits for another CPU, or
 * parks. Interrupts arrive in guests, in sleep and wherever a hypervisor-level context unmasks them.
 * fake_run() goes on until all are at rest. */
#ifndef FAKE_H
#define FAKE_H

#include "hal/cpu.h"
#include "hal/vcpu.h"

/* Everything as after power-on: no RAM, CPUs, devices, live maps; the clock at 0. */
void fake_reset(void);

/* -- CPUs -- */
void fake_cpu_set(cpuid_t cpu);
uint64_t fake_ipis_pending(void);   /* bit set of CPUs */
uint64_t fake_ipis_sent(void);      /* count since fake_reset() */
void fake_ipi_deliver(cpuid_t cpu); /* plain: upcall_ipi() on that CPU, if one is pending */

void fake_cpu_broken(uint64_t cpus); /* hal_cpu_start() of these answers HV_INVALID */

/* How fn(arg) ended: it returned, or called hal_cpu_park() (a panic does), hal_cpu_run(), or power went
 * off. */
enum fake_end { FAKE_END_RETURN, FAKE_END_PARK, FAKE_END_RUN, FAKE_END_OFF };
enum fake_end fake_call(void (*fn)(void *arg), void *arg);

/* -- Clock and interrupts -- */
#define FAKE_TICK_NS 16u /* of the counter that guests read */
/* Plain: upcall_timer() of each CPU whose deadline passes, in order, with the clock at that deadline.
 * Simulated CPUs are interrupted and run to rest each time. */
void fake_time_advance(uint64_t ns);
void fake_time_step(uint64_t ns); /* each look at the clock moves it on by this much; 0 to begin with */
uint64_t fake_timer_deadline(cpuid_t cpu);
uint64_t fake_timers_taken(void);  /* upcall_timer() so far, on all CPUs */
uint64_t fake_exit_works(void);    /* upcall_exit_work() so far, likewise */
void fake_irq_raise(uint32_t irq); /* an edge, on the CPU that enabled it; plain: delivered at once */
bool fake_irq_enabled(uint32_t irq);

/* -- Power -- */
enum fake_power { FAKE_POWER_ON, FAKE_POWER_OFF, FAKE_POWER_RESET };
enum fake_power fake_power_state(void);

/* -- RAM -- */
/* Host RAM at [base, base + bytes), zero; multiples of 2 MiB. Once after fake_reset(). */
void fake_ram_setup(uint64_t base, uint64_t bytes);
/* The test's own look at it, of [at, at + bytes) */
uint8_t *fake_ram(hpa_t at, uint64_t bytes);
/* Windows that are open now, on all CPUs */
uint32_t fake_windows_open(void);

/* -- Devices -- */
struct fake_device {
    uint64_t base; /* host physical, where hal_hypmap_device() will map it */
    uint64_t bytes;
    uint64_t (*read)(void *ctx, uint64_t offset, uint32_t width);
    void (*write)(void *ctx, uint64_t offset, uint32_t width, uint64_t value);
    void *ctx;
};
void fake_device_add(const struct fake_device *device);

/* -- IOMMUs and the devices behind them -- */
#define FAKE_IOMMU_IRQ 200u /* and those that follow */
/* A device's access of a stream. False: it was refused, and hal_iommu_service() will tell; the interrupt
 * comes when nothing was left to tell. */
bool fake_dma(uint32_t iommu, uint32_t stream, gpa_t at, void *bytes, uint64_t nr, bool write);
/* Whether any stream leads to this map */
bool fake_iommu_leads_to(const struct hal_guestmap *map);
/* From now on none confirms anything. */
void fake_iommu_break(bool broken);

/* -- Simulated CPUs -- */
enum fake_state {
    FAKE_STATE_OFF,    /* never booted */
    FAKE_STATE_GUEST,  /* in a vCPU */
    FAKE_STATE_SLEEP,  /* in hal_cpu_wait() with nothing pending */
    FAKE_STATE_TURN,   /* polls for another CPU */
    FAKE_STATE_PARKED, /* for ever */
    FAKE_STATE_DONE    /* its boot function returned and there is nothing to enter */
};
void fake_cpu_boot(cpuid_t cpu, void (*fn)(void *arg), void *arg);
/* Runs this CPU until it gives control back. */
enum fake_state fake_cpu_go(cpuid_t cpu);
/* Runs all CPUs until each is in a guest, asleep or parked. Aborts when some poll for ever. */
void fake_run(void);
enum fake_state fake_cpu_state(cpuid_t cpu);
/* The vCPU whose guest this CPU is in, NULL if in none */
struct hal_vcpu *fake_cpu_guest(cpuid_t cpu);
/* Lets a CPU park without ending the program. */
void fake_park_allow(bool allowed);

/* -- Guests: what the test does as a vCPU. With a CPU that is in that guest; exit work is done, fake_run() is
 * not -- */
enum hal_resume fake_guest_exit(cpuid_t cpu, const struct hal_exit *exit);
/* An interrupt controller's and firmware's calls out of the guest on this CPU */
void fake_guest_wait(cpuid_t cpu);
void fake_guest_call(cpuid_t cpu, void (*fn)(struct hal_vcpu *vcpu, void *arg), void *arg);
/* Guest's own timers; TIME_NEVER stops one. */
void fake_guest_virt_timer(struct hal_vcpu *vcpu, uint64_t deadline_ns);
void fake_guest_phys_timer(struct hal_vcpu *vcpu, uint64_t deadline_ns);
/* Takes the lowest pending interrupt (it becomes active and is ended at once); UINT32_MAX if none. */
uint32_t fake_guest_ack(struct hal_vcpu *vcpu);
bool fake_guest_pending(const struct hal_vcpu *vcpu, uint32_t intid);
bool fake_guest_line(const struct hal_domain *domain, uint32_t intid);
void fake_guest_pend(struct hal_vcpu *vcpu, uint32_t intid); /* and kicks it, as an SGI does */
/* The guest's memory through its map; false if any part is not mapped so */
bool fake_guest_read(const struct hal_guestmap *map, gpa_t at, void *to, uint64_t bytes);
bool fake_guest_write(const struct hal_guestmap *map, gpa_t at, const void *from, uint64_t bytes);

/* fn is told of each vCPU that the calling CPU has loaded, or has saved; NULL: nobody is. Until
 * fake_reset() */
void fake_watch(void (*fn)(struct hal_vcpu *vcpu, bool in));

/* -- Maps -- */
/* Whether no two live maps lead to the same host page */
bool fake_maps_disjoint(void);
uint32_t fake_maps_live(void);
/* Regions of a map in order; false behind the last one */
bool fake_map_region(const struct hal_guestmap *map, uint32_t i, gpa_t *at, hpa_t *to, uint64_t *bytes,
                     uint32_t *perm);

#endif
