/* The regions of the CPUs of the test: fake_mpu.c. */
#ifndef TESTS_UNIT_MPU_REGS_H
#define TESTS_UNIT_MPU_REGS_H

#include "mpu_region.h"

#define MPU_BITS 32u

uint32_t mpu_count(void);
void mpu_keep(uint32_t nr);
void mpu_put(uint32_t n, const struct mpu_region *region);
void mpu_sync(void);
void mpu_vmid_write(uint32_t vmid);

#endif
