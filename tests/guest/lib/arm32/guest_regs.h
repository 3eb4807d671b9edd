/* System registers of AArch32 under the names of AArch64, which the guests use: reg_read(name) and
 * reg_write(name, value). Most are mapped onto each other by the architecture (DDI 0487, G1.23); what is not
 * is nearest in meaning. */
#ifndef GUEST_REGS_H
#define GUEST_REGS_H

#include <stdint.h>

#define reg_read(name)         reg_read_##name()
#define reg_write(name, value) reg_write_##name(value)

/* One of 32 bits: coprocessor 15 or 14, opc1, CRn, CRm, opc2 */
#define REG32(name, cp, opc1, crn, crm, opc2)                                                                \
    static inline uint64_t reg_read_##name(void)                                                             \
    {                                                                                                        \
        uint32_t value;                                                                                      \
                                                                                                             \
        __asm__ volatile("mrc p" #cp ", " #opc1 ", %0, c" #crn ", c" #crm ", " #opc2                         \
                         : "=r"(value)                                                                       \
                         :                                                                                   \
                         : "memory");                                                                        \
        return value;                                                                                        \
    }                                                                                                        \
    static inline void reg_write_##name(uint64_t value)                                                      \
    {                                                                                                        \
        __asm__ volatile("mcr p" #cp ", " #opc1 ", %0, c" #crn ", c" #crm ", " #opc2 "\n\tisb"               \
                         :                                                                                   \
                         : "r"((uint32_t)value)                                                              \
                         : "memory");                                                                        \
    }

/* One of 64 bits: opc1, CRm */
#define REG64(name, opc1, crm)                                                                               \
    static inline uint64_t reg_read_##name(void)                                                             \
    {                                                                                                        \
        uint32_t low;                                                                                        \
        uint32_t high;                                                                                       \
                                                                                                             \
        __asm__ volatile("mrrc p15, " #opc1 ", %0, %1, c" #crm : "=r"(low), "=r"(high) : : "memory");        \
        return ((uint64_t)high << 32u) | low;                                                                \
    }                                                                                                        \
    static inline void reg_write_##name(uint64_t value)                                                      \
    {                                                                                                        \
        __asm__ volatile("mcrr p15, " #opc1 ", %0, %1, c" #crm "\n\tisb"                                     \
                         :                                                                                   \
                         : "r"((uint32_t)value), "r"((uint32_t)(value >> 32u))                               \
                         : "memory");                                                                        \
    }

REG32(midr_el1, 15, 0, 0, 0, 0)
REG32(mpidr_el1, 15, 0, 0, 0, 5)
REG32(id_pfr0, 15, 0, 0, 1, 0)
REG32(id_pfr1, 15, 0, 0, 1, 1)
REG32(id_dfr0, 15, 0, 0, 1, 2)
REG32(id_mmfr0, 15, 0, 0, 1, 4)
REG32(clidr_el1, 15, 1, 0, 0, 1)
REG32(sctlr_el1, 15, 0, 1, 0, 0)
REG32(cpacr_el1, 15, 0, 1, 0, 2)
REG32(dfsr, 15, 0, 5, 0, 0)
REG32(ifsr, 15, 0, 5, 0, 1)
REG32(dfar, 15, 0, 6, 0, 0)
REG32(ifar, 15, 0, 6, 0, 2)
REG64(par_el1, 0, 7)
REG32(vbar_el1, 15, 0, 12, 0, 0)
REG32(contextidr_el1, 15, 0, 13, 0, 1)
REG32(tpidr_el0, 15, 0, 13, 0, 2)   /* TPIDRURW */
REG32(tpidrro_el0, 15, 0, 13, 0, 3) /* TPIDRURO */
REG32(tpidr_el1, 15, 0, 13, 0, 4)   /* TPIDRPRW */
REG32(mair_el1, 15, 0, 10, 2, 0)

#if GUEST_MPU
REG32(mpuir, 15, 0, 0, 0, 4)
REG32(prselr, 15, 0, 6, 2, 1)
REG32(prbar, 15, 0, 6, 3, 0)
REG32(prlar, 15, 0, 6, 3, 1)
#else
REG64(ttbr0_el1, 0, 2)
REG64(ttbr1_el1, 1, 2)
REG32(tcr_el1, 15, 0, 2, 0, 2) /* TTBCR */
#endif

REG32(cntfrq_el0, 15, 0, 14, 0, 0)
REG32(cntkctl_el1, 15, 0, 14, 1, 0)
REG32(cntp_tval_el0, 15, 0, 14, 2, 0)
REG32(cntp_ctl_el0, 15, 0, 14, 2, 1)
REG32(cntv_tval_el0, 15, 0, 14, 3, 0)
REG32(cntv_ctl_el0, 15, 0, 14, 3, 1)
REG64(cntpct_el0, 0, 14)
REG64(cntvct_el0, 1, 14)
REG64(cntp_cval_el0, 2, 14)
REG64(cntv_cval_el0, 3, 14)

/* The interrupt controller's, as the guests' code names them */
REG32(S3_0_C4_C6_0, 15, 0, 4, 6, 0)     /* ICC_PMR */
REG32(S3_0_C12_C8_0, 15, 0, 12, 8, 0)   /* ICC_IAR0 */
REG32(S3_0_C12_C8_1, 15, 0, 12, 8, 1)   /* ICC_EOIR0 */
REG32(S3_0_C12_C8_4, 15, 0, 12, 8, 4)   /* ICC_AP0R0 */
REG32(S3_0_C12_C9_0, 15, 0, 12, 9, 0)   /* ICC_AP1R0 */
REG64(S3_0_C12_C11_5, 0, 12)            /* ICC_SGI1R */
REG64(S3_0_C12_C11_6, 1, 12)            /* ICC_ASGI1R */
REG64(S3_0_C12_C11_7, 2, 12)            /* ICC_SGI0R */
REG32(S3_0_C12_C12_0, 15, 0, 12, 12, 0) /* ICC_IAR1 */
REG32(S3_0_C12_C12_1, 15, 0, 12, 12, 1) /* ICC_EOIR1 */
REG32(S3_0_C12_C12_3, 15, 0, 12, 12, 3) /* ICC_BPR1 */
REG32(S3_0_C12_C12_4, 15, 0, 12, 12, 4) /* ICC_CTLR */
REG32(S3_0_C12_C12_5, 15, 0, 12, 12, 5) /* ICC_SRE */
REG32(S3_0_C12_C12_7, 15, 0, 12, 12, 7) /* ICC_IGRPEN1 */

#endif
