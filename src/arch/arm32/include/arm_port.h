/* What arch/arm needs of the port it is built into: AArch32. arm64 offers the same names. */
#ifndef ARCH_ARM32_ARM_PORT_H
#define ARCH_ARM32_ARM_PORT_H

#include "hal/vcpu.h"
#include "a32_sysreg.h"

/* Firmware call by SMC or HVC with up to three arguments (SMCCC 1.2 section 2.6; r0-r3 and r12 may be
 * lost). */
uint64_t arm_smccc(enum arm_conduit conduit, uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3);

/* Those from 8 on, which some modes have of their own. */
uint32_t a32_bank_get(const struct hal_vcpu *vcpu, uint32_t n);
void a32_bank_set(struct hal_vcpu *vcpu, uint32_t n, uint32_t value);

/* General register n of a vCPU that does not run guest code now, as its mode sees it; from 15 on they read as
 * zero and ignore writes. */
static inline uint64_t arm_reg_get(const struct hal_vcpu *vcpu, uint32_t n)
{
    return (n < 8u) ? vcpu->frame.r[n] : a32_bank_get(vcpu, n);
}

static inline void arm_reg_set(struct hal_vcpu *vcpu, uint32_t n, uint64_t value)
{
    if (n < 8u) {
        vcpu->frame.r[n] = (uint32_t)value;
    } else {
        a32_bank_set(vcpu, n, (uint32_t)value);
    }
}

/* For arm_sysregs.h. A list register has two halves, ICH_LRn and ICH_LRCn; those from 8 on are in rows of
 * their own, where they count as m. */
#define ARM_READ(name)         A32_READ(A32_##name)
#define ARM_WRITE(name, value) A32_WRITE(A32_##name, value)
#define ARM_WRITE_SGI1R(value) A32_WRITE64(A32_ICC_SGI1R, value)
#define A32_READ_LR(row, row_high, m)                                                                        \
    (A32_READ("p15, 4, %0, c12, " row #m) | ((uint64_t)A32_READ("p15, 4, %0, c12, " row_high #m) << 32u))
#define A32_WRITE_LR(row, row_high, m, value)                                                                \
    A32_WRITE("p15, 4, %0, c12, " row #m, value);                                                            \
    A32_WRITE("p15, 4, %0, c12, " row_high #m, (value) >> 32u)
#define ARM_READ_LR_LOW(n)             A32_READ_LR("c12, ", "c14, ", n)
#define ARM_READ_LR_HIGH(n, m)         A32_READ_LR("c13, ", "c15, ", m)
#define ARM_WRITE_LR_LOW(n, value)     A32_WRITE_LR("c12, ", "c14, ", n, value)
#define ARM_WRITE_LR_HIGH(n, m, value) A32_WRITE_LR("c13, ", "c15, ", m, value)

static inline void arm_isb(void)
{
    a32_isb();
}

static inline void arm_dsb_ishst(void)
{
    __asm__ volatile("dsb ishst" : : : "memory");
}

/* Affinity fields as in the reg of a cpu node. */
static inline uint64_t arm_cpu_hwid(void)
{
    return A32_READ(A32_MPIDR) & A32_MPIDR_AFFINITY;
}

/* Identification: cp15 0, c0, c<crm>, op2; and by VMRS, of which Armv7 has no third. */
#define ARM_ID32_READ(crm, op2) A32_READ("p15, 0, %0, c0, c" #crm ", " #op2)
#define ARM_MVFR_READ(n)        (((n) < 2) ? a32_mvfr(n) : 0u)
uint32_t a32_mvfr(uint32_t n);

/* Caches by set and way */
static inline uint64_t arm_clidr_read(void)
{
    return A32_READ(A32_CLIDR);
}

static inline bool arm_ccsidr_is_wide(void)
{
    return false;
}

/* The guest's CSSELR stays. */
static inline uint64_t arm_ccsidr_read(uint32_t select)
{
    const uint32_t csselr = A32_READ(A32_CSSELR);
    uint32_t ccsidr;

    A32_WRITE(A32_CSSELR, select);
    a32_isb();
    ccsidr = A32_READ(A32_CCSIDR);
    A32_WRITE(A32_CSSELR, csselr);
    return ccsidr;
}

static inline void arm_dc_cisw(uint64_t operand)
{
    A32_WRITE(A32_DCCISW, operand);
}

/* Generic timer. The counter is read after everything before it. */
static inline uint64_t arm_counter_read(void)
{
    a32_isb();
    return A32_READ64(A32_CNTPCT);
}

static inline uint32_t arm_counter_frequency(void)
{
    return A32_READ(A32_CNTFRQ);
}

static inline void arm_hyp_timer_write(uint64_t compare, uint32_t control)
{
    A32_WRITE64(A32_CNTHP_CVAL, compare);
    A32_WRITE(A32_CNTHP_CTL, control);
}

static inline void arm_virt_timer_control_write(uint32_t control)
{
    A32_WRITE(A32_CNTV_CTL, control);
}

static inline uint32_t arm_virt_timer_control(void)
{
    return A32_READ(A32_CNTV_CTL);
}

static inline void arm_virt_timer_compare_write(uint64_t compare)
{
    A32_WRITE64(A32_CNTV_CVAL, compare);
}

static inline uint64_t arm_virt_timer_compare(void)
{
    return A32_READ64(A32_CNTV_CVAL);
}

static inline void arm_virt_offset_write(uint64_t offset)
{
    A32_WRITE64(A32_CNTVOFF, offset);
}

static inline void arm_timer_access_write(uint32_t cnthctl)
{
    A32_WRITE(A32_CNTHCTL, cnthctl);
}

#endif
