#ifndef HAL_ARCH_CONTEXT_H
#define HAL_ARCH_CONTEXT_H

#include "hal/types.h"

struct hal_frame {
    uint64_t x[31];
};

struct hal_context {
    struct hal_frame frame;
};

#endif
