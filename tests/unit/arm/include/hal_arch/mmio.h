/* Register pages of the test machine; fake_arm.c gives the few registers that are not plain memory their
 * behaviour. */
#ifndef HAL_ARCH_MMIO_H
#define HAL_ARCH_MMIO_H

#include "hal/types.h"

uint32_t fake_mmio_read(const volatile void *reg, uint32_t width);
void fake_mmio_write(volatile void *reg, uint32_t width, uint64_t value);

static inline uint32_t hal_mmio_read32(const volatile void *reg)
{
    return fake_mmio_read(reg, 4u);
}

static inline uint64_t hal_mmio_read64(const volatile void *reg)
{
    const volatile uint8_t *at = reg;
    const uint64_t high = fake_mmio_read(&at[4], 4u);

    return (high << 32u) | fake_mmio_read(at, 4u);
}

static inline void hal_mmio_write8(volatile void *reg, uint8_t value)
{
    fake_mmio_write(reg, 1u, value);
}

static inline void hal_mmio_write32(volatile void *reg, uint32_t value)
{
    fake_mmio_write(reg, 4u, value);
}

static inline void hal_mmio_write64(volatile void *reg, uint64_t value)
{
    fake_mmio_write(reg, 8u, value);
}

#endif
