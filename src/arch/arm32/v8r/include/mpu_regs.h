/* The executing CPU's EL2 regions: PMSAv8-32 (DDI 0568 E2.2). */
#ifndef ARCH_ARM32_V8R_MPU_REGS_H
#define ARCH_ARM32_V8R_MPU_REGS_H

#include "a32_sysreg.h"
#include "mpu_region.h"

#define A32_MPUIR   "p15, 0, %0, c0, c0, 4"
#define A32_HMPUIR  "p15, 4, %0, c0, c0, 4"
#define A32_VSCTLR  "p15, 4, %0, c2, c0, 0"
#define A32_HPRENR  "p15, 4, %0, c6, c1, 1"
#define A32_HPRSELR "p15, 4, %0, c6, c2, 1"
#define A32_HPRBAR  "p15, 4, %0, c6, c3, 0"
#define A32_HPRLAR  "p15, 4, %0, c6, c3, 1"

#define MPU_BITS 32u /* of an address */

static inline uint32_t mpu_count(void)
{
    return A32_READ(A32_HMPUIR) & 0xFFu;
}

/* Only the first nr of the regions stay enabled. */
static inline void mpu_keep(uint32_t nr)
{
    A32_WRITE(A32_HPRENR, BIT32(nr) - 1u);
    a32_isb();
}

/* What was written is in force. */
static inline void mpu_sync(void)
{
    __asm__ volatile("dsb sy\n\tisb" : : : "memory");
}

/* Region n, which is disabled, or only grows or shrinks on one side. */
static inline void mpu_put(uint32_t n, const struct mpu_region *region)
{
    A32_WRITE(A32_HPRSELR, n);
    a32_isb();
    A32_WRITE(A32_HPRBAR, mpu_bar32(region));
    A32_WRITE(A32_HPRLAR, mpu_lar32(region));
}

static inline void mpu_vmid_write(uint32_t vmid)
{
    A32_WRITE(A32_VSCTLR, vmid << 16u);
}

#endif
