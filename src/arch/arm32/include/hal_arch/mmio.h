/* Device registers: AArch32. Contract in hal/mmio.h. Plain forms only: if we are ourselves a guest, the
 * access has a valid syndrome (DDI 0406 B3.13.6, ISV). Registers of 64 bits are two words, the low one first:
 * every device behind these allows that (IHI 0069 12.1.3). */
#ifndef HAL_ARCH_MMIO_H
#define HAL_ARCH_MMIO_H

#include "hal/types.h"

static inline uint8_t hal_mmio_read8(const volatile void *reg)
{
    uint32_t value;

    __asm__ volatile("ldrb %0, [%1]" : "=r"(value) : "r"(reg) : "memory");
    return (uint8_t)value;
}

static inline uint32_t hal_mmio_read32(const volatile void *reg)
{
    uint32_t value;

    __asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(reg) : "memory");
    return value;
}

static inline uint64_t hal_mmio_read64(const volatile void *reg)
{
    uint64_t value;

    __asm__ volatile("ldr %Q0, [%1]\n\tldr %R0, [%1, #4]" : "=&r"(value) : "r"(reg) : "memory");
    return value;
}

static inline void hal_mmio_write8(volatile void *reg, uint8_t value)
{
    __asm__ volatile("strb %0, [%1]" : : "r"((uint32_t)value), "r"(reg) : "memory");
}

static inline void hal_mmio_write16(volatile void *reg, uint16_t value)
{
    __asm__ volatile("strh %0, [%1]" : : "r"((uint32_t)value), "r"(reg) : "memory");
}

static inline void hal_mmio_write32(volatile void *reg, uint32_t value)
{
    __asm__ volatile("str %0, [%1]" : : "r"(value), "r"(reg) : "memory");
}

static inline void hal_mmio_write64(volatile void *reg, uint64_t value)
{
    __asm__ volatile("str %Q0, [%1]\n\tstr %R0, [%1, #4]" : : "r"(value), "r"(reg) : "memory");
}

#endif
