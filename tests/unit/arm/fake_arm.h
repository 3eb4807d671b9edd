/* The test machine: FAKE_CPUS CPUs with a GIC and generic timers, one domain at a time, and a guest that can
 * be played by hand. The test says which CPU executes; a kicked vCPU's CPU gets its IPI when fake_run_ipis()
 * is called. */
#ifndef TEST_FAKE_ARM_H
#define TEST_FAKE_ARM_H

#include "arch/arm/gic.h"
#include "arch/arm/vgic.h"
#include "arch/arm/vtimer.h"
#include "arm_layout.h"
#include "arm_port.h"
#include "arm_vcpu.h"
#include "hal/exit.h"
#include "hal/irq.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "hal/vcpu.h"
#include "hal/virq.h"
#include "hal/vplat.h"

#define FAKE_CPUS  4u
#define FAKE_VCPUS 32u

/* What upcalls were made of; tests read and clear it. */
struct fake_seen {
    uint32_t kicks[FAKE_VCPUS];
    uint32_t ipis;
    uint32_t timers;
    uint32_t irqs;
    uint32_t last_irq;
    uint32_t blocks;
    uint32_t stops;
    uint32_t deadlines;
    uint32_t starts;
    uint64_t start_entry;
    uint64_t start_argument;
    enum hv_status start_answer;
    bool on[FAKE_VCPUS];
    uint32_t power_requests;
    enum hal_power_request power;
    uint32_t pages; /* given out and not back */
    bool monitor;
    uint64_t progress;
};

extern struct fake_seen fake_seen;
extern struct hal_domain fake_domain;
extern struct hal_vcpu fake_vcpu[FAKE_VCPUS];

/* A fresh machine with a GIC of this version, initialised by the product on all CPUs; a domain with
 * nr_vcpus. */
void fake_machine(uint32_t gic_version, uint32_t nr_vcpus, uint32_t nr_spis);
void fake_machine_down(void);
/* Its shared interrupts (fake_spi.c), INTID 32 to 127 */
void fake_spi_level(uint32_t intid, bool level);
void fake_spi_pulse(uint32_t intid);
bool fake_spi_active(uint32_t intid);
bool fake_spi_enabled(uint32_t intid);
uint64_t fake_spi_route(uint32_t intid); /* CPU */
void fake_spi_reset(void);
void fake_spi_check(void);
bool fake_spi_read(uint32_t at, uint32_t *value);
bool fake_spi_write(uint32_t at, uint32_t width, uint64_t value);
uint32_t fake_spi_waits(uint32_t cpu); /* INTID, 0: none */
void fake_spi_acknowledge(uint32_t intid);
void fake_spi_deactivate(uint32_t intid);
/* vCPU on a CPU / off it; the CPU becomes the executing one. */
void fake_load(uint32_t cpu, uint32_t vcpu);
void fake_save(uint32_t cpu);
void fake_on(uint32_t cpu);
/* An interrupt is taken on the executing CPU: everything pending there. */
void fake_take_interrupts(void);
bool fake_interrupt_waits(uint32_t cpu);
/* Every CPU whose vCPU was kicked gets its IPI. The executing CPU stays. */
void fake_run_ipis(void);
/* Of the lists of the executing CPU and the domain: who is where is consistent. */
void fake_check(void);

/* The guest on the executing CPU. Accesses repeat until they complete, while IPIs are delivered. */
uint64_t guest_read(uint64_t gpa, uint32_t width);
void guest_write(uint64_t gpa, uint32_t width, uint64_t value);
/* One attempt */
enum hal_resume guest_access(uint64_t gpa, uint32_t width, bool write, uint64_t *value);
#define GUEST_NOTHING 1023u
uint32_t guest_ack(void);       /* INTID, sender in bits 12:10, or GUEST_NOTHING */
void guest_eoi(uint32_t intid); /* priority drop and deactivation; maintenance interrupts follow */
/* Everything on for a GICv3 or GICv2 guest: groups, priority mask; all private and shared interrupts in group
 * 1 (0) */
void guest_open(void);
void guest_sgi(uint64_t value); /* ICC_SGI1R_EL1 */
uint64_t guest_call(uint32_t function, uint64_t a1, uint64_t a2, uint64_t a3);

#define GICD(offset)         (ARM_GUEST_GICD_BASE + (offset))
#define GICR(vcpu, offset)   (ARM_GUEST_GICR_BASE + ((vcpu) * ARM_GUEST_GICR_FRAME_BYTES) + (offset))
#define GICR_S(vcpu, offset) GICR(vcpu, 0x10000u + (offset))

#endif
