/* The GIC's system registers for arch/arm: arm64. The 32-bit port offers the same names. Writes take effect
 * at the next context synchronisation; entering a guest is one (IHI 0069 section 12.1). */
#ifndef ARCH_ARM64_ARM_SYSREGS_H
#define ARCH_ARM64_ARM_SYSREGS_H

#include "a64_sysreg.h"
#include "hal/types.h"

static inline uint32_t arm_icc_iar1_read(void)
{
    return (uint32_t)A64_READ(icc_iar1_el1);
}

static inline void arm_icc_eoir1_write(uint32_t intid)
{
    A64_WRITE(icc_eoir1_el1, intid);
}

static inline void arm_icc_dir_write(uint32_t intid)
{
    A64_WRITE(icc_dir_el1, intid);
}

static inline void arm_icc_sgi1r_write(uint64_t value)
{
    A64_WRITE(icc_sgi1r_el1, value);
}

static inline uint32_t arm_icc_sre_el2_read(void)
{
    return (uint32_t)A64_READ(icc_sre_el2);
}

static inline void arm_icc_sre_el2_write(uint32_t value)
{
    A64_WRITE(icc_sre_el2, value);
}

static inline void arm_icc_sre_el1_write(uint32_t value)
{
    A64_WRITE(icc_sre_el1, value);
}

static inline void arm_icc_pmr_write(uint32_t value)
{
    A64_WRITE(icc_pmr_el1, value);
}

static inline void arm_icc_bpr1_write(uint32_t value)
{
    A64_WRITE(icc_bpr1_el1, value);
}

static inline void arm_icc_ctlr_write(uint32_t value)
{
    A64_WRITE(icc_ctlr_el1, value);
}

static inline void arm_icc_igrpen1_write(uint32_t value)
{
    A64_WRITE(icc_igrpen1_el1, value);
}

static inline uint32_t arm_ich_vtr_read(void)
{
    return (uint32_t)A64_READ(ich_vtr_el2);
}

static inline uint32_t arm_ich_hcr_read(void)
{
    return (uint32_t)A64_READ(ich_hcr_el2);
}

static inline void arm_ich_hcr_write(uint32_t value)
{
    A64_WRITE(ich_hcr_el2, value);
}

static inline uint32_t arm_ich_vmcr_read(void)
{
    return (uint32_t)A64_READ(ich_vmcr_el2);
}

static inline void arm_ich_vmcr_write(uint32_t value)
{
    A64_WRITE(ich_vmcr_el2, value);
}

static inline uint32_t arm_ich_elrsr_read(void)
{
    return (uint32_t)A64_READ(ich_elrsr_el2);
}

/* group 0 or 1; n below the number that ICH_VTR_EL2.PREbits implies, others are not accessible (IHI 0069
 * section 12.4) */
static inline uint32_t arm_ich_apr_read(uint32_t group, uint32_t n)
{
    uint64_t value;

    switch ((group << 2u) | n) {
    case 0u:
        value = A64_READ(ich_ap0r0_el2);
        break;
    case 1u:
        value = A64_READ(ich_ap0r1_el2);
        break;
    case 2u:
        value = A64_READ(ich_ap0r2_el2);
        break;
    case 3u:
        value = A64_READ(ich_ap0r3_el2);
        break;
    case 4u:
        value = A64_READ(ich_ap1r0_el2);
        break;
    case 5u:
        value = A64_READ(ich_ap1r1_el2);
        break;
    case 6u:
        value = A64_READ(ich_ap1r2_el2);
        break;
    default:
        value = A64_READ(ich_ap1r3_el2);
        break;
    }
    return (uint32_t)value;
}

static inline void arm_ich_apr_write(uint32_t group, uint32_t n, uint32_t value)
{
    switch ((group << 2u) | n) {
    case 0u:
        A64_WRITE(ich_ap0r0_el2, value);
        break;
    case 1u:
        A64_WRITE(ich_ap0r1_el2, value);
        break;
    case 2u:
        A64_WRITE(ich_ap0r2_el2, value);
        break;
    case 3u:
        A64_WRITE(ich_ap0r3_el2, value);
        break;
    case 4u:
        A64_WRITE(ich_ap1r0_el2, value);
        break;
    case 5u:
        A64_WRITE(ich_ap1r1_el2, value);
        break;
    case 6u:
        A64_WRITE(ich_ap1r2_el2, value);
        break;
    default:
        A64_WRITE(ich_ap1r3_el2, value);
        break;
    }
}

/* List registers are numbered in the instruction, so there is one of them per number; n <= 15. */
static inline uint64_t arm_ich_lr_low_read(uint32_t n)
{
    uint64_t value;

    switch (n) {
    case 0u:
        value = A64_READ(ich_lr0_el2);
        break;
    case 1u:
        value = A64_READ(ich_lr1_el2);
        break;
    case 2u:
        value = A64_READ(ich_lr2_el2);
        break;
    case 3u:
        value = A64_READ(ich_lr3_el2);
        break;
    case 4u:
        value = A64_READ(ich_lr4_el2);
        break;
    case 5u:
        value = A64_READ(ich_lr5_el2);
        break;
    case 6u:
        value = A64_READ(ich_lr6_el2);
        break;
    default:
        value = A64_READ(ich_lr7_el2);
        break;
    }
    return value;
}

static inline uint64_t arm_ich_lr_high_read(uint32_t n)
{
    uint64_t value;

    switch (n) {
    case 8u:
        value = A64_READ(ich_lr8_el2);
        break;
    case 9u:
        value = A64_READ(ich_lr9_el2);
        break;
    case 10u:
        value = A64_READ(ich_lr10_el2);
        break;
    case 11u:
        value = A64_READ(ich_lr11_el2);
        break;
    case 12u:
        value = A64_READ(ich_lr12_el2);
        break;
    case 13u:
        value = A64_READ(ich_lr13_el2);
        break;
    case 14u:
        value = A64_READ(ich_lr14_el2);
        break;
    default:
        value = A64_READ(ich_lr15_el2);
        break;
    }
    return value;
}

static inline void arm_ich_lr_low_write(uint32_t n, uint64_t value)
{
    switch (n) {
    case 0u:
        A64_WRITE(ich_lr0_el2, value);
        break;
    case 1u:
        A64_WRITE(ich_lr1_el2, value);
        break;
    case 2u:
        A64_WRITE(ich_lr2_el2, value);
        break;
    case 3u:
        A64_WRITE(ich_lr3_el2, value);
        break;
    case 4u:
        A64_WRITE(ich_lr4_el2, value);
        break;
    case 5u:
        A64_WRITE(ich_lr5_el2, value);
        break;
    case 6u:
        A64_WRITE(ich_lr6_el2, value);
        break;
    default:
        A64_WRITE(ich_lr7_el2, value);
        break;
    }
}

static inline void arm_ich_lr_high_write(uint32_t n, uint64_t value)
{
    switch (n) {
    case 8u:
        A64_WRITE(ich_lr8_el2, value);
        break;
    case 9u:
        A64_WRITE(ich_lr9_el2, value);
        break;
    case 10u:
        A64_WRITE(ich_lr10_el2, value);
        break;
    case 11u:
        A64_WRITE(ich_lr11_el2, value);
        break;
    case 12u:
        A64_WRITE(ich_lr12_el2, value);
        break;
    case 13u:
        A64_WRITE(ich_lr13_el2, value);
        break;
    case 14u:
        A64_WRITE(ich_lr14_el2, value);
        break;
    default:
        A64_WRITE(ich_lr15_el2, value);
        break;
    }
}

#endif
