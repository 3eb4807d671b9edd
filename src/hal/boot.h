/* What a port hands to upcall_boot() once its own MMU is on and a stack exists. */
#ifndef HAL_BOOT_H
#define HAL_BOOT_H

#include "hal/types.h"

struct hal_boot {
    hpa_t image_base;     /* first byte of the loaded image, 2 MiB aligned */
    uint64_t image_bytes; /* text to the end of .bss and the boot stacks */
    hpa_t payload;        /* header that bulkhead-image appended (config/payload.h); 0 = none */
    hpa_t tree;           /* the device tree the loader passed; 0 = none */
    uint64_t cpu_hwid;    /* of the boot CPU, as in the reg of its cpu node */
};

#endif
