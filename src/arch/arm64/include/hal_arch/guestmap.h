#ifndef HAL_ARCH_GUESTMAP_H
#define HAL_ARCH_GUESTMAP_H

#include "arm_guestmap.h"

#endif
