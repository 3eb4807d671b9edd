/* The GIC's system registers, by their AArch64 names: ARM_READ, ARM_WRITE and the forms for registers that
 * AArch32 has as pairs or halves are the port's. Writes take effect at the next context synchronisation;
 * entering a guest is one (IHI 0069 section 12.1). */
#ifndef ARM_SYSREGS_H
#define ARM_SYSREGS_H

#include "arm_port.h"

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

/* Registers that are numbered in the instruction, eight of them: op is done with register n of r0 .. r7, and
 * with its number. */
#define ARM_EIGHT(n, op, r0, r1, r2, r3, r4, r5, r6, r7)                                                     \
    switch ((n) & 7u) {                                                                                      \
        ARM_CASE(0u, op(r0, 0));                                                                             \
        ARM_CASE(1u, op(r1, 1));                                                                             \
        ARM_CASE(2u, op(r2, 2));                                                                             \
        ARM_CASE(3u, op(r3, 3));                                                                             \
        ARM_CASE(4u, op(r4, 4));                                                                             \
        ARM_CASE(5u, op(r5, 5));                                                                             \
        ARM_CASE(6u, op(r6, 6));                                                                             \
    default:                                                                                                 \
        op(r7, 7);                                                                                           \
        break;                                                                                               \
    }

#define ARM_APR_READ(name, m)  value = ARM_READ(name)
#define ARM_APR_WRITE(name, m) ARM_WRITE(name, value)
#define ARM_APRS(n, op)                                                                                      \
    ARM_EIGHT(n, op, ich_ap0r0_el2, ich_ap0r1_el2, ich_ap0r2_el2, ich_ap0r3_el2, ich_ap1r0_el2,              \
              ich_ap1r1_el2, ich_ap1r2_el2, ich_ap1r3_el2)

/* group 0 or 1; n below the number that ICH_VTR_EL2.PREbits implies, others are not accessible (IHI 0069
 * section 12.4) */
static inline uint32_t arm_ich_apr_read(uint32_t group, uint32_t n)
{
    uint64_t value;

    ARM_APRS((group << 2u) | n, ARM_APR_READ)
    return (uint32_t)value;
}

static inline void arm_ich_apr_write(uint32_t group, uint32_t n, uint32_t value)
{
    ARM_APRS((group << 2u) | n, ARM_APR_WRITE)
}

/* List registers; n <= 15 */
#define ARM_LRS_LOW(n, op)  ARM_EIGHT(n, op, 0, 1, 2, 3, 4, 5, 6, 7)
#define ARM_LRS_HIGH(n, op) ARM_EIGHT(n, op, 8, 9, 10, 11, 12, 13, 14, 15)

#define ARM_LR_READ_LOW(n, m)   value = ARM_READ_LR_LOW(n)
#define ARM_LR_READ_HIGH(n, m)  value = ARM_READ_LR_HIGH(n, m)
#define ARM_LR_WRITE_LOW(n, m)  ARM_WRITE_LR_LOW(n, value)
#define ARM_LR_WRITE_HIGH(n, m) ARM_WRITE_LR_HIGH(n, m, value)

static inline uint64_t arm_ich_lr_low_read(uint32_t n)
{
    uint64_t value;

    ARM_LRS_LOW(n, ARM_LR_READ_LOW)
    return value;
}

static inline uint64_t arm_ich_lr_high_read(uint32_t n)
{
    uint64_t value;

    ARM_LRS_HIGH(n, ARM_LR_READ_HIGH)
    return value;
}

static inline void arm_ich_lr_low_write(uint32_t n, uint64_t value)
{
    ARM_LRS_LOW(n, ARM_LR_WRITE_LOW)
}

static inline void arm_ich_lr_high_write(uint32_t n, uint64_t value)
{
    ARM_LRS_HIGH(n, ARM_LR_WRITE_HIGH)
}

#endif
