/* A CPU's protection regions: its own first, the same numbers for good; behind them those of the domain that
 * it runs, or, while it looks at other memory, windows to that. */
#ifndef ARCH_ARM_MPU_MPU_CPU_H
#define ARCH_ARM_MPU_MPU_CPU_H

#include "mpu_map.h"
#include "hal/hypmap.h"

#define MPU_PLANNED 16u /* regions of a CPU that a system is planned for */
#define MPU_OWN_MAX (MPU_PLANNED - (uint32_t)HAL_WINDOWS)

struct mpu_window {
    uint64_t at;
    bool is_open;
    bool write;
};

struct mpu_cpu {
    struct mpu_region own[MPU_OWN_MAX]; /* 0 and 1: the image, as the port's early code has programmed them */
    uint32_t nr_own;
    const struct hal_guestmap *map;       /* in force; NULL: none */
    const struct hal_guestmap *put_aside; /* was in force before a handler opened a window; NULL: none */
    uint32_t version;                     /* of the regions that the others hold; 0: windows, or nothing */
    uint32_t nr_shown;                    /* windows that need a region now */
    struct mpu_window window[HAL_WINDOWS];
};

/* Before the first hal_hypmap call: the image, of which the boot CPU has code and data in regions 0 and 1. */
void mpu_image(const struct mpu_region *code, const struct mpu_region *data);

/* As many regions as each CPU has for a domain's. */
uint32_t mpu_guest_regions(void);

/* The regions that a CPU starts with. */
const struct mpu_cpu *mpu_cpu_of(cpuid_t cpu);

#endif
