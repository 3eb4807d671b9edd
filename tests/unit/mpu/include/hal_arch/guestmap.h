/* The port's own. */
#ifndef HAL_ARCH_GUESTMAP_H
#define HAL_ARCH_GUESTMAP_H

#include "mpu_map.h"

#endif
