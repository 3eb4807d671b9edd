/* What arch/arm needs of the port it is built into: arm64. The 32-bit port offers the same names. */
#ifndef ARCH_ARM64_ARM_PORT_H
#define ARCH_ARM64_ARM_PORT_H

#include "hal/vcpu.h"
#include "a64_sysreg.h"
#include "arm_map.h"

/* Firmware call by SMC or HVC with up to three arguments (SMCCC 1.2 section 2.6; x0-x17 may be lost). */
uint64_t arm_smccc(enum arm_conduit conduit, uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3);

/* General register n (0 .. 30; 31 reads as zero and ignores writes) of a vCPU that does not run guest code
 * now. */
static inline uint64_t arm_reg_get(const struct hal_vcpu *vcpu, uint32_t n)
{
    return (n < 31u) ? vcpu->frame.x[n] : 0u;
}

static inline void arm_reg_set(struct hal_vcpu *vcpu, uint32_t n, uint64_t value)
{
    if (n < 31u) {
        vcpu->frame.x[n] = value;
    }
}

/* For arm_sysregs.h. m: number among those from 8 on */
#define ARM_READ(name)                 A64_READ(name)
#define ARM_WRITE(name, value)         A64_WRITE(name, value)
#define ARM_WRITE_SGI1R(value)         A64_WRITE(icc_sgi1r_el1, value)
#define ARM_READ_LR_LOW(n)             A64_READ(ich_lr##n##_el2)
#define ARM_READ_LR_HIGH(n, m)         A64_READ(ich_lr##n##_el2)
#define ARM_WRITE_LR_LOW(n, value)     A64_WRITE(ich_lr##n##_el2, value)
#define ARM_WRITE_LR_HIGH(n, m, value) A64_WRITE(ich_lr##n##_el2, value)

static inline void arm_isb(void)
{
    a64_isb();
}

static inline void arm_dsb_ishst(void)
{
    __asm__ volatile("dsb ishst" : : : "memory");
}

/* Affinity fields as in the reg of a cpu node. */
static inline uint64_t arm_cpu_hwid(void)
{
    return A64_READ(mpidr_el1) & A64_MPIDR_AFFINITY;
}

/* Identification of AArch32: cp15 0, c0, c<crm>, op2; and by VMRS. */
#define ARM_ID32_READ(crm, op2) A64_READ(S3_0_C0_C##crm##_##op2)
#define ARM_MVFR_READ(n)        A64_READ(S3_0_C0_C3_##n)

/* Caches by set and way */
static inline uint64_t arm_clidr_read(void)
{
    return A64_READ(clidr_el1);
}

static inline bool arm_ccsidr_is_wide(void)
{
    return a64_id_field(A64_READ(S3_0_C0_C7_2), 20u) != 0u; /* MMFR2.CCIDX */
}

/* The guest's CSSELR stays. */
static inline uint64_t arm_ccsidr_read(uint32_t select)
{
    const uint64_t csselr = A64_READ(csselr_el1);
    uint64_t ccsidr;

    A64_WRITE(csselr_el1, (uint64_t)select);
    a64_isb();
    ccsidr = A64_READ(ccsidr_el1);
    A64_WRITE(csselr_el1, csselr);
    return ccsidr;
}

static inline void arm_dc_cisw(uint64_t operand)
{
    __asm__ volatile("dc cisw, %0" : : "r"(operand) : "memory");
}

/* Generic timer (DDI 0487 chapter D12). The counter is read after everything before it. */
static inline uint64_t arm_counter_read(void)
{
    a64_isb();
    return A64_READ(cntpct_el0);
}

static inline uint32_t arm_counter_frequency(void)
{
    return (uint32_t)A64_READ(cntfrq_el0);
}

static inline void arm_hyp_timer_write(uint64_t compare, uint32_t control)
{
    A64_WRITE(cnthp_cval_el2, compare);
    A64_WRITE(cnthp_ctl_el2, (uint64_t)control);
}

static inline void arm_virt_timer_control_write(uint32_t control)
{
    A64_WRITE(cntv_ctl_el0, (uint64_t)control);
}

static inline uint32_t arm_virt_timer_control(void)
{
    return (uint32_t)A64_READ(cntv_ctl_el0);
}

static inline void arm_virt_timer_compare_write(uint64_t compare)
{
    A64_WRITE(cntv_cval_el0, compare);
}

static inline uint64_t arm_virt_timer_compare(void)
{
    return A64_READ(cntv_cval_el0);
}

static inline void arm_virt_offset_write(uint64_t offset)
{
    A64_WRITE(cntvoff_el2, offset);
}

static inline void arm_timer_access_write(uint32_t cnthctl)
{
    A64_WRITE(cnthctl_el2, (uint64_t)cnthctl);
}

#endif
