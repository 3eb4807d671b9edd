/* The GIC's system registers, by their AArch64 names: ARM_READ, ARM_WRITE and the forms for registers that
 * AArch32 has as pairs or halves are the port's. Writes take effect at the next context synchronisation;
 * entering a guest is one (IHI 0069 section 12.1). */
#ifndef ARM_SYSREGS_H
#define ARM_SYSREGS_H

#include "arm_port.h"
#include "hal/types.h"

#define ARM_READER(function, name)                                                                           \
    static inline uint32_t function(void)                                                                    \
    {                                                                                                        \
        return (uint32_t)ARM_READ(name);                                                                     \
    }
#define ARM_WRITER(function, name)                                                                           \
    static inline void function(uint32_t value)                                                              \
    {                                                                                                        \
        ARM_WRITE(name, value);                                                                              \
    }

ARM_READER(arm_icc_iar1_read, icc_iar1_el1)
ARM_WRITER(arm_icc_eoir1_write, icc_eoir1_el1)
ARM_WRITER(arm_icc_dir_write, icc_dir_el1)
ARM_READER(arm_icc_sre_el2_read, icc_sre_el2)
ARM_WRITER(arm_icc_sre_el2_write, icc_sre_el2)
ARM_WRITER(arm_icc_sre_el1_write, icc_sre_el1)
ARM_WRITER(arm_icc_pmr_write, icc_pmr_el1)
ARM_WRITER(arm_icc_bpr1_write, icc_bpr1_el1)
ARM_WRITER(arm_icc_ctlr_write, icc_ctlr_el1)
ARM_WRITER(arm_icc_igrpen1_write, icc_igrpen1_el1)
ARM_READER(arm_ich_vtr_read, ich_vtr_el2)
ARM_READER(arm_ich_hcr_read, ich_hcr_el2)
ARM_WRITER(arm_ich_hcr_write, ich_hcr_el2)
ARM_READER(arm_ich_vmcr_read, ich_vmcr_el2)
ARM_WRITER(arm_ich_vmcr_write, ich_vmcr_el2)
ARM_READER(arm_ich_elrsr_read, ich_elrsr_el2)

static inline void arm_icc_sgi1r_write(uint64_t value)
{
    ARM_WRITE_SGI1R(value);
}

#define ARM_CASE(n, action)                                                                                  \
    case (n):                                                                                                \
        action;                                                                                              \
        break

/* group 0 or 1; n below the number that ICH_VTR_EL2.PREbits implies, others are not accessible (IHI 0069
 * section 12.4) */
static inline uint32_t arm_ich_apr_read(uint32_t group, uint32_t n)
{
    uint64_t value;

    switch ((group << 2u) | n) {
        ARM_CASE(0u, value = ARM_READ(ich_ap0r0_el2));
        ARM_CASE(1u, value = ARM_READ(ich_ap0r1_el2));
        ARM_CASE(2u, value = ARM_READ(ich_ap0r2_el2));
        ARM_CASE(3u, value = ARM_READ(ich_ap0r3_el2));
        ARM_CASE(4u, value = ARM_READ(ich_ap1r0_el2));
        ARM_CASE(5u, value = ARM_READ(ich_ap1r1_el2));
        ARM_CASE(6u, value = ARM_READ(ich_ap1r2_el2));
    default:
        value = ARM_READ(ich_ap1r3_el2);
        break;
    }
    return (uint32_t)value;
}

static inline void arm_ich_apr_write(uint32_t group, uint32_t n, uint32_t value)
{
    switch ((group << 2u) | n) {
        ARM_CASE(0u, ARM_WRITE(ich_ap0r0_el2, value));
        ARM_CASE(1u, ARM_WRITE(ich_ap0r1_el2, value));
        ARM_CASE(2u, ARM_WRITE(ich_ap0r2_el2, value));
        ARM_CASE(3u, ARM_WRITE(ich_ap0r3_el2, value));
        ARM_CASE(4u, ARM_WRITE(ich_ap1r0_el2, value));
        ARM_CASE(5u, ARM_WRITE(ich_ap1r1_el2, value));
        ARM_CASE(6u, ARM_WRITE(ich_ap1r2_el2, value));
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
        ARM_CASE(0u, value = ARM_READ_LR_LOW(0));
        ARM_CASE(1u, value = ARM_READ_LR_LOW(1));
        ARM_CASE(2u, value = ARM_READ_LR_LOW(2));
        ARM_CASE(3u, value = ARM_READ_LR_LOW(3));
        ARM_CASE(4u, value = ARM_READ_LR_LOW(4));
        ARM_CASE(5u, value = ARM_READ_LR_LOW(5));
        ARM_CASE(6u, value = ARM_READ_LR_LOW(6));
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
        ARM_CASE(8u, value = ARM_READ_LR_HIGH(8, 0));
        ARM_CASE(9u, value = ARM_READ_LR_HIGH(9, 1));
        ARM_CASE(10u, value = ARM_READ_LR_HIGH(10, 2));
        ARM_CASE(11u, value = ARM_READ_LR_HIGH(11, 3));
        ARM_CASE(12u, value = ARM_READ_LR_HIGH(12, 4));
        ARM_CASE(13u, value = ARM_READ_LR_HIGH(13, 5));
        ARM_CASE(14u, value = ARM_READ_LR_HIGH(14, 6));
    default:
        value = ARM_READ_LR_HIGH(15, 7);
        break;
    }
    return value;
}

static inline void arm_ich_lr_low_write(uint32_t n, uint64_t value)
{
    switch (n) {
        ARM_CASE(0u, ARM_WRITE_LR_LOW(0, value));
        ARM_CASE(1u, ARM_WRITE_LR_LOW(1, value));
        ARM_CASE(2u, ARM_WRITE_LR_LOW(2, value));
        ARM_CASE(3u, ARM_WRITE_LR_LOW(3, value));
        ARM_CASE(4u, ARM_WRITE_LR_LOW(4, value));
        ARM_CASE(5u, ARM_WRITE_LR_LOW(5, value));
        ARM_CASE(6u, ARM_WRITE_LR_LOW(6, value));
    default:
        ARM_WRITE_LR_LOW(7, value);
        break;
    }
}

static inline void arm_ich_lr_high_write(uint32_t n, uint64_t value)
{
    switch (n) {
        ARM_CASE(8u, ARM_WRITE_LR_HIGH(8, 0, value));
        ARM_CASE(9u, ARM_WRITE_LR_HIGH(9, 1, value));
        ARM_CASE(10u, ARM_WRITE_LR_HIGH(10, 2, value));
        ARM_CASE(11u, ARM_WRITE_LR_HIGH(11, 3, value));
        ARM_CASE(12u, ARM_WRITE_LR_HIGH(12, 4, value));
        ARM_CASE(13u, ARM_WRITE_LR_HIGH(13, 5, value));
        ARM_CASE(14u, ARM_WRITE_LR_HIGH(14, 6, value));
    default:
        ARM_WRITE_LR_HIGH(15, 7, value);
        break;
    }
}

#endif
