/* The GIC's system registers, by their AArch64 names: ARM_READ, ARM_WRITE and the forms for registers that
 * AArch32 has as pairs or halves are the port's. Writes take effect at the next context synchronisation;
 * entering a guest is one (IHI 0069 section 12.1). */
#ifndef ARM_SYSREGS_H
#define ARM_SYSREGS_H

#include "arm_port.h"
#include "hal/types.h"

static inline uint32_t arm_icc_iar1_read(void)
{
    return (uint32_t)ARM_READ(icc_iar1_el1);
}

static inline void arm_icc_eoir1_write(uint32_t intid)
{
    ARM_WRITE(icc_eoir1_el1, intid);
}

static inline void arm_icc_dir_write(uint32_t intid)
{
    ARM_WRITE(icc_dir_el1, intid);
}

static inline void arm_icc_sgi1r_write(uint64_t value)
{
    ARM_WRITE_SGI1R(value);
}

static inline uint32_t arm_icc_sre_el2_read(void)
{
    return (uint32_t)ARM_READ(icc_sre_el2);
}

static inline void arm_icc_sre_el2_write(uint32_t value)
{
    ARM_WRITE(icc_sre_el2, value);
}

static inline void arm_icc_sre_el1_write(uint32_t value)
{
    ARM_WRITE(icc_sre_el1, value);
}

static inline void arm_icc_pmr_write(uint32_t value)
{
    ARM_WRITE(icc_pmr_el1, value);
}

static inline void arm_icc_bpr1_write(uint32_t value)
{
    ARM_WRITE(icc_bpr1_el1, value);
}

static inline void arm_icc_ctlr_write(uint32_t value)
{
    ARM_WRITE(icc_ctlr_el1, value);
}

static inline void arm_icc_igrpen1_write(uint32_t value)
{
    ARM_WRITE(icc_igrpen1_el1, value);
}

static inline uint32_t arm_ich_vtr_read(void)
{
    return (uint32_t)ARM_READ(ich_vtr_el2);
}

static inline uint32_t arm_ich_hcr_read(void)
{
    return (uint32_t)ARM_READ(ich_hcr_el2);
}

static inline void arm_ich_hcr_write(uint32_t value)
{
    ARM_WRITE(ich_hcr_el2, value);
}

static inline uint32_t arm_ich_vmcr_read(void)
{
    return (uint32_t)ARM_READ(ich_vmcr_el2);
}

static inline void arm_ich_vmcr_write(uint32_t value)
{
    ARM_WRITE(ich_vmcr_el2, value);
}

static inline uint32_t arm_ich_elrsr_read(void)
{
    return (uint32_t)ARM_READ(ich_elrsr_el2);
}

/* group 0 or 1; n below the number that ICH_VTR_EL2.PREbits implies, others are not accessible (IHI 0069
 * section 12.4) */
static inline uint32_t arm_ich_apr_read(uint32_t group, uint32_t n)
{
    uint64_t value;

    switch ((group << 2u) | n) {
    case 0u:
        value = ARM_READ(ich_ap0r0_el2);
        break;
    case 1u:
        value = ARM_READ(ich_ap0r1_el2);
        break;
    case 2u:
        value = ARM_READ(ich_ap0r2_el2);
        break;
    case 3u:
        value = ARM_READ(ich_ap0r3_el2);
        break;
    case 4u:
        value = ARM_READ(ich_ap1r0_el2);
        break;
    case 5u:
        value = ARM_READ(ich_ap1r1_el2);
        break;
    case 6u:
        value = ARM_READ(ich_ap1r2_el2);
        break;
    default:
        value = ARM_READ(ich_ap1r3_el2);
        break;
    }
    return (uint32_t)value;
}

static inline void arm_ich_apr_write(uint32_t group, uint32_t n, uint32_t value)
{
    switch ((group << 2u) | n) {
    case 0u:
        ARM_WRITE(ich_ap0r0_el2, value);
        break;
    case 1u:
        ARM_WRITE(ich_ap0r1_el2, value);
        break;
    case 2u:
        ARM_WRITE(ich_ap0r2_el2, value);
        break;
    case 3u:
        ARM_WRITE(ich_ap0r3_el2, value);
        break;
    case 4u:
        ARM_WRITE(ich_ap1r0_el2, value);
        break;
    case 5u:
        ARM_WRITE(ich_ap1r1_el2, value);
        break;
    case 6u:
        ARM_WRITE(ich_ap1r2_el2, value);
        break;
    default:
        ARM_WRITE(ich_ap1r3_el2, value);
        break;
    }
}

/* List registers are numbered in the instruction, so there is one of them per number; n <= 15. */
static inline uint64_t arm_ich_lr_low_read(uint32_t n)
{
    uint64_t value;

    switch (n) {
    case 0u:
        value = ARM_READ_LR_LOW(0);
        break;
    case 1u:
        value = ARM_READ_LR_LOW(1);
        break;
    case 2u:
        value = ARM_READ_LR_LOW(2);
        break;
    case 3u:
        value = ARM_READ_LR_LOW(3);
        break;
    case 4u:
        value = ARM_READ_LR_LOW(4);
        break;
    case 5u:
        value = ARM_READ_LR_LOW(5);
        break;
    case 6u:
        value = ARM_READ_LR_LOW(6);
        break;
    default:
        value = ARM_READ_LR_LOW(7);
        break;
    }
    return value;
}

static inline uint64_t arm_ich_lr_high_read(uint32_t n)
{
    uint64_t value;

    switch (n) {
    case 8u:
        value = ARM_READ_LR_HIGH(8, 0);
        break;
    case 9u:
        value = ARM_READ_LR_HIGH(9, 1);
        break;
    case 10u:
        value = ARM_READ_LR_HIGH(10, 2);
        break;
    case 11u:
        value = ARM_READ_LR_HIGH(11, 3);
        break;
    case 12u:
        value = ARM_READ_LR_HIGH(12, 4);
        break;
    case 13u:
        value = ARM_READ_LR_HIGH(13, 5);
        break;
    case 14u:
        value = ARM_READ_LR_HIGH(14, 6);
        break;
    default:
        value = ARM_READ_LR_HIGH(15, 7);
        break;
    }
    return value;
}

static inline void arm_ich_lr_low_write(uint32_t n, uint64_t value)
{
    switch (n) {
    case 0u:
        ARM_WRITE_LR_LOW(0, value);
        break;
    case 1u:
        ARM_WRITE_LR_LOW(1, value);
        break;
    case 2u:
        ARM_WRITE_LR_LOW(2, value);
        break;
    case 3u:
        ARM_WRITE_LR_LOW(3, value);
        break;
    case 4u:
        ARM_WRITE_LR_LOW(4, value);
        break;
    case 5u:
        ARM_WRITE_LR_LOW(5, value);
        break;
    case 6u:
        ARM_WRITE_LR_LOW(6, value);
        break;
    default:
        ARM_WRITE_LR_LOW(7, value);
        break;
    }
}

static inline void arm_ich_lr_high_write(uint32_t n, uint64_t value)
{
    switch (n) {
    case 8u:
        ARM_WRITE_LR_HIGH(8, 0, value);
        break;
    case 9u:
        ARM_WRITE_LR_HIGH(9, 1, value);
        break;
    case 10u:
        ARM_WRITE_LR_HIGH(10, 2, value);
        break;
    case 11u:
        ARM_WRITE_LR_HIGH(11, 3, value);
        break;
    case 12u:
        ARM_WRITE_LR_HIGH(12, 4, value);
        break;
    case 13u:
        ARM_WRITE_LR_HIGH(13, 5, value);
        break;
    case 14u:
        ARM_WRITE_LR_HIGH(14, 6, value);
        break;
    default:
        ARM_WRITE_LR_HIGH(15, 7, value);
        break;
    }
}

#endif
