/* Device registers: arm64. Contract in hal/mmio.h. Plain base-register forms only: if we are ourselves a
 * guest, the access has a valid syndrome (DDI 0487 D17.2.37, ISV). */
#ifndef HAL_ARCH_MMIO_H
#define HAL_ARCH_MMIO_H

#include "hal/types.h"

static inline uint8_t hal_mmio_read8(const volatile void *reg)
{
    uint32_t value;

    __asm__ volatile("ldrb %w0, [%1]" : "=r"(value) : "r"(reg) : "memory");
    return (uint8_t)value;
}

static inline uint32_t hal_mmio_read32(const volatile void *reg)
{
    uint32_t value;

    __asm__ volatile("ldr %w0, [%1]" : "=r"(value) : "r"(reg) : "memory");
    return value;
}

static inline uint64_t hal_mmio_read64(const volatile void *reg)
{
    uint64_t value;

    __asm__ volatile("ldr %0, [%1]" : "=r"(value) : "r"(reg) : "memory");
    return value;
}

static inline void hal_mmio_write8(volatile void *reg, uint8_t value)
{
    __asm__ volatile("strb %w0, [%1]" : : "r"(value), "r"(reg) : "memory");
}

static inline void hal_mmio_write16(volatile void *reg, uint16_t value)
{
    __asm__ volatile("strh %w0, [%1]" : : "r"(value), "r"(reg) : "memory");
}

static inline void hal_mmio_write32(volatile void *reg, uint32_t value)
{
    __asm__ volatile("str %w0, [%1]" : : "r"(value), "r"(reg) : "memory");
}

static inline void hal_mmio_write64(volatile void *reg, uint64_t value)
{
    __asm__ volatile("str %0, [%1]" : : "r"(value), "r"(reg) : "memory");
}

#endif
