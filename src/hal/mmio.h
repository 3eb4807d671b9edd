/* Device registers, inline in hal_arch/mmio.h. The address is one that hal_hypmap_device() gave; naturally
 * aligned.
 *   uint8_t hal_mmio_read8(const volatile void *)  ... 32 64
 *   void hal_mmio_write8(volatile void *, uint8_t) ... 16 32 64 */
#ifndef HAL_MMIO_H
#define HAL_MMIO_H

#include "hal/types.h"
#include "hal_arch/mmio.h"

#endif
