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

static inline void arch_events(void)
{
    __asm__ volatile("sevl\n\twfe\n\tsev\n\twfe\n\tyield" : : : "memory");
}

/* A number for bench/plugin/elmeter.c; does nothing elsewhere. */
static inline void arch_mark(uint64_t value)
{
    register uint64_t x0 __asm__("x0") = value;

    __asm__ volatile("eor xzr, x0, xzr, lsl #5\n\teor xzr, x0, xzr, lsl #2" : : "r"(x0));
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

/* Two registers at a time, which no syndrome describes */
static inline void mmio_read_pair(uintptr_t at)
{
    uint64_t a;
    uint64_t b;

    __asm__ volatile("ldp %0, %1, [%2]" : "=r"(a), "=r"(b) : "r"(at) : "memory");
}

static inline void mmio_write_pair(uintptr_t at)
{
    __asm__ volatile("stp xzr, xzr, [%0]" : : "r"(at) : "memory");
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

#define MPIDR_AFFINITY     0xFF00FFFFFFULL
#define PSCI_CPU_SUSPEND   0xC4000001u
#define PSCI_CPU_ON        0xC4000003u
#define PSCI_AFFINITY_INFO 0xC4000004u
#define DOMAIN_REPORT      0xC6000000u
#define DOMAIN_STATUS      0xC6000001u

struct trap_frame {
    uint64_t x[31];
    uint64_t pc;
    uint64_t state;
};

/* Where the code that was interrupted goes on: behind its instruction, or where it was called from */
static inline void trap_skip(struct trap_frame *frame)
{
    frame->pc += 4u;
}

static inline void trap_leave(struct trap_frame *frame)
{
    frame->pc = frame->x[30];
}

#endif
