/* The machine as all Arm guests see it: timers, firmware, further vCPUs, exceptions. */
#ifndef GUEST_MACHINE_H
#define GUEST_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "guest_arch.h"
#include "layout.h"

/* -- The virtual timer -- */
static inline uint64_t timer_now(void)
{
    __asm__ volatile("isb" : : : "memory");
    return reg_read(cntvct_el0);
}

static inline uint64_t timer_frequency(void)
{
    return reg_read(cntfrq_el0);
}

#define TIMER_ENABLE 1u
#define TIMER_MASK   2u
#define TIMER_STATUS 4u

static inline void timer_virt_set(uint64_t at)
{
    reg_write(cntv_cval_el0, at);
    reg_write(cntv_ctl_el0, TIMER_ENABLE);
}

static inline void timer_virt_stop(void)
{
    reg_write(cntv_ctl_el0, 0u);
}

/* The physical one is a second clock; it may be an emulated one. */
static inline uint64_t timer_phys_now(void)
{
    __asm__ volatile("isb" : : : "memory");
    return reg_read(cntpct_el0);
}

static inline void timer_phys_set(uint64_t at)
{
    reg_write(cntp_cval_el0, at);
    reg_write(cntp_ctl_el0, TIMER_ENABLE);
}

static inline void timer_phys_stop(void)
{
    reg_write(cntp_ctl_el0, 0u);
}

/* Interrupt numbers, from the device tree */
uint32_t timer_virt_irq(void);
uint32_t timer_phys_irq(void);

/* -- Firmware calls -- */
struct firmware_result {
    uint64_t x[4];
};
struct firmware_result firmware_hvc(uint64_t function, uint64_t a, uint64_t b, uint64_t c);
struct firmware_result firmware_smc(uint64_t function, uint64_t a, uint64_t b, uint64_t c);
/* By the conduit that the device tree names */
uint64_t firmware_call(uint64_t function, uint64_t a, uint64_t b, uint64_t c);

#define PSCI_VERSION            0x84000000u
#define PSCI_CPU_OFF            0x84000002u
#define PSCI_SYSTEM_OFF         0x84000008u
#define PSCI_SYSTEM_RESET       0x84000009u
#define PSCI_FEATURES           0x8400000Au
#define PSCI_SUCCESS            0u
#define PSCI_NOT_SUPPORTED      UINT64_MAX
#define PSCI_INVALID_PARAMETERS ((uint64_t)-2)
#define PSCI_DENIED             ((uint64_t)-3)
#define PSCI_ALREADY_ON         ((uint64_t)-4)

_Noreturn void power_off(void);
_Noreturn void cpu_off(void);
/* Starts vCPU number `cpu` in entry(); it may return, which turns the vCPU off. The firmware's answer. */
uint64_t cpu_on(uint32_t cpu, void (*entry)(void));
uint64_t cpu_hwid(uint32_t cpu); /* its affinity, from the device tree */

/* -- Exceptions -- */

/* Classes of a syndrome, bits 31:26 of it; an architecture that has no such register makes one up. */
#define CLASS_UNKNOWN     0x00u
#define CLASS_FETCH_ABORT 0x21u
#define CLASS_DATA_ABORT  0x25u
#define SYNDROME_WRITE    0x40u
#define SYNDROME_STATUS   0x3Fu
#define STATUS_EXTERNAL   0x10u /* synchronous external abort, not on a table walk */

/* Called for a synchronous exception; true: go on at frame->pc. NULL: every one ends the guest. */
extern bool (*volatile trap_hook)(struct trap_frame *frame, uint64_t syndrome, uint64_t address);

#endif
