#ifndef TEST_ARM_SYSREGS_H
#define TEST_ARM_SYSREGS_H

#include "arm_port.h"

#define FAKE_VTR ((4u << 26u) | 3u) /* 5 preemption bits, 4 list registers */

uint32_t fake_elrsr(void);
void fake_priority_drop(uint32_t intid);

static inline uint32_t arm_icc_iar1_read(void)
{
    return fake_acknowledge();
}

static inline void arm_icc_eoir1_write(uint32_t intid)
{
    fake_priority_drop(intid);
}

static inline void arm_icc_dir_write(uint32_t intid)
{
    fake_deactivate(intid);
}

static inline void arm_icc_sgi1r_write(uint64_t value)
{
    fake_cpu()->sgi1r = value;
    fake_ipi(value & 0xFFFFu);
}

static inline uint32_t arm_icc_sre_el2_read(void)
{
    return fake_cpu()->sre_el2;
}

static inline void arm_icc_sre_el2_write(uint32_t value)
{
    fake_cpu()->sre_el2 = value;
}

static inline void arm_icc_sre_el1_write(uint32_t value)
{
    (void)value;
}

static inline void arm_icc_pmr_write(uint32_t value)
{
    (void)value;
}

static inline void arm_icc_bpr1_write(uint32_t value)
{
    (void)value;
}

static inline void arm_icc_ctlr_write(uint32_t value)
{
    fake_cpu()->eoimode = value;
}

static inline void arm_icc_igrpen1_write(uint32_t value)
{
    (void)value;
}

static inline uint32_t arm_ich_vtr_read(void)
{
    return FAKE_VTR;
}

static inline uint32_t arm_ich_hcr_read(void)
{
    return fake_cpu()->hcr;
}

static inline void arm_ich_hcr_write(uint32_t value)
{
    fake_cpu()->hcr = value;
}

static inline uint32_t arm_ich_vmcr_read(void)
{
    return fake_cpu()->vmcr;
}

static inline void arm_ich_vmcr_write(uint32_t value)
{
    fake_cpu()->vmcr = value;
}

static inline uint32_t arm_ich_elrsr_read(void)
{
    return fake_elrsr();
}

static inline uint32_t arm_ich_apr_read(uint32_t group, uint32_t n)
{
    return fake_cpu()->apr[group][n];
}

static inline void arm_ich_apr_write(uint32_t group, uint32_t n, uint32_t value)
{
    fake_cpu()->apr[group][n] = value;
}

static inline uint64_t arm_ich_lr_low_read(uint32_t n)
{
    return fake_cpu()->lr[n];
}

static inline uint64_t arm_ich_lr_high_read(uint32_t n)
{
    return fake_cpu()->lr[n];
}

static inline void arm_ich_lr_low_write(uint32_t n, uint64_t value)
{
    fake_cpu()->lr[n] = value;
}

static inline void arm_ich_lr_high_write(uint32_t n, uint64_t value)
{
    fake_cpu()->lr[n] = value;
}

#endif
