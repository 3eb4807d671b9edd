/* AArch32 at PL1, with an MMU (Armv7-A and up) or an MPU (Armv8-R): GUEST_MPU. ARM or Thumb. */
#ifndef GUEST_ARCH_H
#define GUEST_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "guest_regs.h"

static inline void arch_irq_open(void)
{
    __asm__ volatile("cpsie i" : : : "memory");
}

static inline void arch_irq_mask(void)
{
    __asm__ volatile("cpsid i" : : : "memory");
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
    __asm__ volatile("sev\n\twfe\n\tsev\n\twfe\n\tyield" : : : "memory");
}

/* For who counts instructions (bench/plugin/schedtrace.c); does nothing. */
static inline void arch_mark(uint64_t value)
{
    register uint32_t r0 __asm__("r0") = (uint32_t)value;

    __asm__ volatile("dbg #5" : : "r"(r0) : "memory");
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

    __asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(at) : "memory");
    return value;
}

static inline void mmio_write32(uintptr_t at, uint32_t value)
{
    __asm__ volatile("str %0, [%1]" : : "r"(value), "r"(at) : "memory");
}

/* A register of 64 bits is two of 32 here. */
static inline uint64_t mmio_read64(uintptr_t at)
{
    const uint64_t low = mmio_read32(at);

    return ((uint64_t)mmio_read32(at + 4u) << 32u) | low;
}

static inline void mmio_write64(uintptr_t at, uint64_t value)
{
    mmio_write32(at, (uint32_t)value);
    mmio_write32(at + 4u, (uint32_t)(value >> 32u));
}

/* Two registers at a time, which no syndrome describes */
static inline void mmio_read_pair(uintptr_t at)
{
    __asm__ volatile("ldm %0, {r2, r3}" : : "r"(at) : "r2", "r3", "memory");
}

static inline void mmio_write_pair(uintptr_t at)
{
    __asm__ volatile("stm %0, {r2, r3}" : : "r"(at) : "memory");
}

static inline uint8_t mmio_read8(uintptr_t at)
{
    uint32_t value;

    __asm__ volatile("ldrb %0, [%1]" : "=r"(value) : "r"(at) : "memory");
    return (uint8_t)value;
}

static inline void mmio_write8(uintptr_t at, uint8_t value)
{
    __asm__ volatile("strb %0, [%1]" : : "r"((uint32_t)value), "r"(at) : "memory");
}

#define MPIDR_AFFINITY     0xFFFFFFu
#define PSCI_CPU_SUSPEND   0x84000001u
#define PSCI_CPU_ON        0x84000003u
#define PSCI_AFFINITY_INFO 0x84000004u
#define DOMAIN_REPORT      0x86000000u
#define DOMAIN_STATUS      0x86000001u

/* As start.S stores it */
struct trap_frame {
    uint32_t r[13];
    uint32_t lr;
    uint32_t pc; /* of the instruction itself, whatever the exception */
    uint32_t state;
};

#define STATE_THUMB 0x20u

/* Where the code that was interrupted goes on: behind its instruction, or where it was called from */
static inline void trap_skip(struct trap_frame *frame)
{
    uint32_t bytes = 4u;

    if ((frame->state & STATE_THUMB) != 0u) {
        bytes = (*(const volatile uint16_t *)(uintptr_t)frame->pc >= 0xE800u) ? 4u : 2u;
    }
    frame->pc += bytes;
}

static inline void trap_leave(struct trap_frame *frame)
{
    frame->state = (frame->state & ~STATE_THUMB) | (((frame->lr & 1u) != 0u) ? STATE_THUMB : 0u);
    frame->pc = frame->lr & ~1u;
}

#endif
