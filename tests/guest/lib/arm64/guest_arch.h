/* AArch64 at EL1. */
#ifndef GUEST_ARCH_H
#define GUEST_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#define reg_read(name)                                                                                       \
    ({                                                                                                       \
        uint64_t value_;                                                                                     \
        __asm__ volatile("mrs %0, " #name : "=r"(value_) : : "memory");                                      \
        value_;                                                                                              \
    })
#define reg_write(name, value)                                                                               \
    do {                                                                                                     \
        const uint64_t write_ = (value);                                                                     \
        __asm__ volatile("msr " #name ", %0\n\tisb" : : "r"(write_) : "memory");                             \
    } while (false)

static inline void arch_irq_open(void)
{
    __asm__ volatile("msr daifclr, #2" : : : "memory");
}

static inline void arch_irq_mask(void)
{
    __asm__ volatile("msr daifset, #2" : : : "memory");
}

static inline void arch_wait(void)
{
    __asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

/* Busy loops say so: with counted instructions an emulator then goes on with the other processors. */
static inline void arch_yield(void)
{
    __asm__ volatile("yield" : : : "memory");
}

static inline void arch_barrier(void)
{
    __asm__ volatile("dsb sy\n\tisb" : : : "memory");
}

/* Device registers. Load and store of one register, so that a hypervisor can emulate the access from its
 * syndrome. */
static inline uint32_t mmio_read32(uintptr_t at)
{
    uint32_t value;

    __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
    return value;
}

static inline void mmio_write32(uintptr_t at, uint32_t value)
{
    __asm__ volatile("str %w0, [%1]" : : "r"(value), "r"(at) : "memory");
}

static inline uint64_t mmio_read64(uintptr_t at)
{
    uint64_t value;

    __asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(at) : "memory");
    return value;
}

static inline void mmio_write64(uintptr_t at, uint64_t value)
{
    __asm__ volatile("str %0, [%1]" : : "r"(value), "r"(at) : "memory");
}

static inline uint8_t mmio_read8(uintptr_t at)
{
    uint32_t value;

    __asm__ volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(at) : "memory");
    return (uint8_t)value;
}

static inline void mmio_write8(uintptr_t at, uint8_t value)
{
    __asm__ volatile("strb %w0, [%1]" : : "r"((uint32_t)value), "r"(at) : "memory");
}

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
#define PSCI_CPU_ON             0xC4000003u
#define PSCI_AFFINITY_INFO      0xC4000004u
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
struct trap_frame {
    uint64_t x[31];
    uint64_t pc;
    uint64_t state;
};

/* Called for a synchronous exception; true: go on at frame->pc. NULL: every one ends the guest. */
extern bool (*volatile trap_hook)(struct trap_frame *frame, uint64_t syndrome, uint64_t address);

#endif
