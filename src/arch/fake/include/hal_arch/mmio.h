/* Device registers: a model that the test registered (fake.h), otherwise plain memory, so that an array can
 * be a device. */
#ifndef HAL_ARCH_MMIO_H
#define HAL_ARCH_MMIO_H

#include <stdint.h>

/* Private */
uint64_t fake_mmio_read(const volatile void *at, uint32_t width);
void fake_mmio_write(volatile void *at, uint32_t width, uint64_t value);

static inline uint8_t hal_mmio_read8(const volatile void *at)
{
    return (uint8_t)fake_mmio_read(at, 1u);
}

static inline uint32_t hal_mmio_read32(const volatile void *at)
{
    return (uint32_t)fake_mmio_read(at, 4u);
}

static inline uint64_t hal_mmio_read64(const volatile void *at)
{
    return fake_mmio_read(at, 8u);
}

static inline void hal_mmio_write8(volatile void *at, uint8_t value)
{
    fake_mmio_write(at, 1u, value);
}

static inline void hal_mmio_write16(volatile void *at, uint16_t value)
{
    fake_mmio_write(at, 2u, value);
}

static inline void hal_mmio_write32(volatile void *at, uint32_t value)
{
    fake_mmio_write(at, 4u, value);
}

static inline void hal_mmio_write64(volatile void *at, uint64_t value)
{
    fake_mmio_write(at, 8u, value);
}

#endif
