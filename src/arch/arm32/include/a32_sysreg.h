/* CP15 registers: access macros, encodings and the fields this port uses (Arm ARM DDI 0406, chapters B4 and
 * B6; DDI 0568 for Armv8-R). */
#ifndef ARCH_ARM32_A32_SYSREG_H
#define ARCH_ARM32_A32_SYSREG_H

#include "hal/types.h"

/* reg: one of the strings below */
#define A32_READ(reg)                                                                                        \
    ((uint32_t)__extension__({                                                                               \
        uint32_t a32_value;                                                                                  \
        __asm__ volatile("mrc " reg : "=r"(a32_value) : : "memory");                                         \
        a32_value;                                                                                           \
    }))
#define A32_WRITE(reg, value) __asm__ volatile("mcr " reg : : "r"((uint32_t)(value)) : "memory")
#define A32_READ64(reg)                                                                                      \
    ((uint64_t)__extension__({                                                                               \
        uint64_t a32_value;                                                                                  \
        __asm__ volatile("mrrc " reg : "=r"(a32_value) : : "memory");                                        \
        a32_value;                                                                                           \
    }))
#define A32_WRITE64(reg, value) __asm__ volatile("mcrr " reg : : "r"((uint64_t)(value)) : "memory")
/* Registers of other modes, of the guest's FP unit: MRS and VMRS by name */
#define A32_READ_BANKED(name)                                                                                \
    ((uint32_t)__extension__({                                                                               \
        uint32_t a32_value;                                                                                  \
        __asm__ volatile("mrs %0, " #name : "=r"(a32_value) : : "memory");                                   \
        a32_value;                                                                                           \
    }))
#define A32_WRITE_BANKED(name, value) __asm__ volatile("msr " #name ", %0" : : "r"(value) : "memory")

static inline void a32_isb(void)
{
    __asm__ volatile("isb" : : : "memory");
}

/* Identification */
#define A32_MIDR    "p15, 0, %0, c0, c0, 0"
#define A32_CTR     "p15, 0, %0, c0, c0, 1"
#define A32_MPIDR   "p15, 0, %0, c0, c0, 5"
#define A32_ID_DFR0 "p15, 0, %0, c0, c1, 2"
#define A32_CLIDR   "p15, 1, %0, c0, c0, 1"
#define A32_CCSIDR  "p15, 1, %0, c0, c0, 0"
#define A32_CSSELR  "p15, 2, %0, c0, c0, 0"
#define A32_VPIDR   "p15, 4, %0, c0, c0, 0"
#define A32_VMPIDR  "p15, 4, %0, c0, c0, 5"

/* A guest's: PL1 and PL0 */
#define A32_SCTLR      "p15, 0, %0, c1, c0, 0"
#define A32_CPACR      "p15, 0, %0, c1, c0, 2"
#define A32_TTBR0      "p15, 0, %Q0, %R0, c2"
#define A32_TTBR1      "p15, 1, %Q0, %R0, c2"
#define A32_TTBCR      "p15, 0, %0, c2, c0, 2"
#define A32_DACR       "p15, 0, %0, c3, c0, 0"
#define A32_DFSR       "p15, 0, %0, c5, c0, 0"
#define A32_IFSR       "p15, 0, %0, c5, c0, 1"
#define A32_ADFSR      "p15, 0, %0, c5, c1, 0"
#define A32_AIFSR      "p15, 0, %0, c5, c1, 1"
#define A32_DFAR       "p15, 0, %0, c6, c0, 0"
#define A32_IFAR       "p15, 0, %0, c6, c0, 2"
#define A32_PAR        "p15, 0, %Q0, %R0, c7"
#define A32_MAIR0      "p15, 0, %0, c10, c2, 0" /* PRRR */
#define A32_MAIR1      "p15, 0, %0, c10, c2, 1" /* NMRR */
#define A32_AMAIR0     "p15, 0, %0, c10, c3, 0"
#define A32_AMAIR1     "p15, 0, %0, c10, c3, 1"
#define A32_VBAR       "p15, 0, %0, c12, c0, 0"
#define A32_PRSELR     "p15, 0, %0, c6, c2, 1"
#define A32_FCSEIDR    "p15, 0, %0, c13, c0, 0"
#define A32_CONTEXTIDR "p15, 0, %0, c13, c0, 1"
#define A32_TPIDRURW   "p15, 0, %0, c13, c0, 2"
#define A32_TPIDRURO   "p15, 0, %0, c13, c0, 3"
#define A32_TPIDRPRW   "p15, 0, %0, c13, c0, 4"
#define A32_CNTKCTL    "p15, 0, %0, c14, c1, 0"
#define A32_TEECR      "p14, 6, %0, c0, c0, 0"
#define A32_TEEHBR     "p14, 6, %0, c1, c0, 0"

/* PL2 */
#define A32_HCR   "p15, 4, %0, c1, c1, 0"
#define A32_HDCR  "p15, 4, %0, c1, c1, 1"
#define A32_HCPTR "p15, 4, %0, c1, c1, 2"
#define A32_HSTR  "p15, 4, %0, c1, c1, 3"
#define A32_HCR2  "p15, 4, %0, c1, c1, 4" /* Armv8 */
#define A32_VTCR  "p15, 4, %0, c2, c1, 2"
#define A32_VTTBR "p15, 6, %Q0, %R0, c2"
#define A32_HSR   "p15, 4, %0, c5, c2, 0"
#define A32_HDFAR "p15, 4, %0, c6, c0, 0"
#define A32_HIFAR "p15, 4, %0, c6, c0, 2"
#define A32_HPFAR "p15, 4, %0, c6, c0, 4"
#define A32_PMCR  "p15, 0, %0, c9, c12, 0"

/* Maintenance by address, set and way or of all; address translation */
#define A32_ICIALLUIS  "p15, 0, %0, c7, c1, 0"
#define A32_BPIALLIS   "p15, 0, %0, c7, c1, 6"
#define A32_DCCMVAC    "p15, 0, %0, c7, c10, 1"
#define A32_DCCIMVAC   "p15, 0, %0, c7, c14, 1"
#define A32_DCCISW     "p15, 0, %0, c7, c14, 2"
#define A32_TLBIALL    "p15, 0, %0, c8, c7, 0"
#define A32_ATS1CPR    "p15, 0, %0, c7, c8, 0"
#define A32_ATS12NSOPR "p15, 0, %0, c7, c8, 4"
#define A32_ATS12NSOPW "p15, 0, %0, c7, c8, 5"

/* Generic timer (DDI 0406 B8.2) */
#define A32_CNTFRQ     "p15, 0, %0, c14, c0, 0"
#define A32_CNTPCT     "p15, 0, %Q0, %R0, c14"
#define A32_CNTV_CTL   "p15, 0, %0, c14, c3, 1"
#define A32_CNTV_CVAL  "p15, 3, %Q0, %R0, c14"
#define A32_CNTVOFF    "p15, 4, %Q0, %R0, c14"
#define A32_CNTHCTL    "p15, 4, %0, c14, c1, 0"
#define A32_CNTHP_CTL  "p15, 4, %0, c14, c2, 1"
#define A32_CNTHP_CVAL "p15, 6, %Q0, %R0, c14"

/* The GIC's, by the names that arm_sysregs.h has for them */
#define A32_icc_iar1_el1    "p15, 0, %0, c12, c12, 0"
#define A32_icc_eoir1_el1   "p15, 0, %0, c12, c12, 1"
#define A32_icc_dir_el1     "p15, 0, %0, c12, c11, 1"
#define A32_icc_sre_el2     "p15, 4, %0, c12, c9, 5"
#define A32_icc_sre_el1     "p15, 0, %0, c12, c12, 5"
#define A32_icc_pmr_el1     "p15, 0, %0, c4, c6, 0"
#define A32_icc_bpr1_el1    "p15, 0, %0, c12, c12, 3"
#define A32_icc_ctlr_el1    "p15, 0, %0, c12, c12, 4"
#define A32_icc_igrpen1_el1 "p15, 0, %0, c12, c12, 7"
#define A32_ich_vtr_el2     "p15, 4, %0, c12, c11, 1"
#define A32_ich_hcr_el2     "p15, 4, %0, c12, c11, 0"
#define A32_ich_vmcr_el2    "p15, 4, %0, c12, c11, 7"
#define A32_ich_elrsr_el2   "p15, 4, %0, c12, c11, 5"
#define A32_ich_ap0r0_el2   "p15, 4, %0, c12, c8, 0"
#define A32_ich_ap0r1_el2   "p15, 4, %0, c12, c8, 1"
#define A32_ich_ap0r2_el2   "p15, 4, %0, c12, c8, 2"
#define A32_ich_ap0r3_el2   "p15, 4, %0, c12, c8, 3"
#define A32_ich_ap1r0_el2   "p15, 4, %0, c12, c9, 0"
#define A32_ich_ap1r1_el2   "p15, 4, %0, c12, c9, 1"
#define A32_ich_ap1r2_el2   "p15, 4, %0, c12, c9, 2"
#define A32_ich_ap1r3_el2   "p15, 4, %0, c12, c9, 3"
#define A32_ICC_SGI1R       "p15, 0, %Q0, %R0, c12"

#define A32_MPIDR_AFFINITY 0x00FFFFFFu
#define A32_MPIDR_RES1     BIT32(31)

#define A32_MODE_HYP 0x1Au

/* HCR (DDI 0406 B4.1.65) */
#define A32_HCR_VM    BIT32(0)
#define A32_HCR_SWIO  BIT32(1)
#define A32_HCR_PTW   BIT32(2)
#define A32_HCR_FMO   BIT32(3)
#define A32_HCR_IMO   BIT32(4)
#define A32_HCR_AMO   BIT32(5)
#define A32_HCR_FB    BIT32(9)
#define A32_HCR_BSU_I BIT32(10)
#define A32_HCR_TWI   BIT32(13)
#define A32_HCR_TWE   BIT32(14)
#define A32_HCR_TID0  BIT32(15)
#define A32_HCR_TID3  BIT32(18)
#define A32_HCR_TSC   BIT32(19)
#define A32_HCR_TIDCP BIT32(20)
#define A32_HCR_TAC   BIT32(21)
#define A32_HCR_TSW   BIT32(22)
#define A32_HCR_HOST  (A32_HCR_FMO | A32_HCR_IMO | A32_HCR_AMO)

/* HCPTR: all coprocessors but 10 and 11 (FP), trace (B4.1.64; bits 13:12 and 9:0 are RES1 in Armv8). HSTR:
 * CRn 15, the processor's own, Jazelle, and DACR where there is no MMU (B4.1.72). HDCR: PMU, debug; HPMN is
 * added at run time (B4.1.66) */
#define A32_HCPTR_VALUE (0x33FFu | BIT32(20))
#define A32_HSTR_VALUE  (BIT32(15) | BIT32(17) | ((CONFIG_MPU != 0) ? BIT32(3) : 0u))
#define A32_HDCR_TRAPS  (BIT32(5) | BIT32(6) | BIT32(9) | BIT32(10) | BIT32(11))

#define A32_FPEXC_EN BIT32(30)

#endif
