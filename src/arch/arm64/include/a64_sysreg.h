/* System registers: access macros and the fields this port uses (Arm ARM DDI 0487, chapter D19). */
#ifndef ARCH_ARM64_A64_SYSREG_H
#define ARCH_ARM64_A64_SYSREG_H

#include "hal/types.h"

/* name: the assembler's, or S<op0>_<op1>_C<n>_C<m>_<op2> for registers that older assemblers do not know.
 * A64_READ is an expression of type uint64_t. */
#define A64_READ(name)                                                                                       \
    ((uint64_t)__extension__({                                                                               \
        uint64_t a64_value;                                                                                  \
        __asm__ volatile("mrs %0, " #name : "=r"(a64_value) : : "memory");                                   \
        a64_value;                                                                                           \
    }))
#define A64_WRITE(name, value) __asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)) : "memory")

static inline void a64_isb(void)
{
    __asm__ volatile("isb" : : : "memory");
}

#define A64_MPIDR_AFFINITY (GENMASK64(39u, 32u) | GENMASK64(23u, 0u))
#define A64_MPIDR_RES1     BIT64(31)

/* PSTATE / SPSR_EL2 (C5.2.19) */
#define A64_PSTATE_MODE  GENMASK64(3u, 0u)
#define A64_PSTATE_EL0T  0x0ULL
#define A64_PSTATE_EL1T  0x4ULL
#define A64_PSTATE_EL1H  0x5ULL
#define A64_PSTATE_EL2H  0x9ULL
#define A64_PSTATE_A32   BIT64(4)
#define A64_PSTATE_DAIF  GENMASK64(9u, 6u)
#define A64_PSTATE_D     BIT64(9)
#define A64_PSTATE_BTYPE GENMASK64(11u, 10u)
#define A64_PSTATE_SSBS  BIT64(12)
#define A64_PSTATE_SS    BIT64(21)
#define A64_PSTATE_PAN   BIT64(22)
#define A64_PSTATE_DIT   BIT64(24)

/* SCTLR_EL1 bits we look at; reset value of a guest: RES1 bits of Armv8.0, MMU and caches off (D19.2.118) */
#define A64_SCTLR_EL1_RESET 0x30D00980ULL
#define A64_SCTLR_EL1_SPAN  BIT64(23)
#define A64_SCTLR_EL1_DSSBS BIT64(44)

/* HCR_EL2 (D19.2.48) */
#define A64_HCR_VM    BIT64(0)
#define A64_HCR_PTW   BIT64(2)
#define A64_HCR_FMO   BIT64(3)
#define A64_HCR_IMO   BIT64(4)
#define A64_HCR_AMO   BIT64(5)
#define A64_HCR_FB    BIT64(9)
#define A64_HCR_BSU_I BIT64(10)
#define A64_HCR_TWI   BIT64(13)
#define A64_HCR_TWE   BIT64(14)
#define A64_HCR_TID3  BIT64(18)
#define A64_HCR_TSC   BIT64(19)
#define A64_HCR_TIDCP BIT64(20)
#define A64_HCR_TACR  BIT64(21)
#define A64_HCR_TSW   BIT64(22)
#define A64_HCR_RW    BIT64(31)
#define A64_HCR_TLOR  BIT64(35)
#define A64_HCR_TERR  BIT64(36)
#define A64_HCR_APK   BIT64(40)
#define A64_HCR_API   BIT64(41)
#define A64_HCR_HOST  (A64_HCR_RW | A64_HCR_FMO | A64_HCR_IMO | A64_HCR_AMO)

/* HSTR_EL2: T15, registers of the implementation in AArch32 */
#define A64_HSTR_VALUE BIT64(15)

/* CPTR_EL2 with E2H = 0: RES1 bits, SVE, SME, trace and activity monitors trapped, FP not (D19.2.31) */
#define A64_CPTR_VALUE (0x33FFULL | BIT64(20) | BIT64(30))

/* MDCR_EL2 (D19.3.17): TPMCR TPM TDA TDOSA TDRA TPMS TTRF; HPMN is added at run time */
#define A64_MDCR_TRAPS (BIT64(5) | BIT64(6) | BIT64(9) | BIT64(10) | BIT64(11) | BIT64(14) | BIT64(19))

/* VTCR_EL2 (D19.2.168): inner and outer write-back walks, inner shareable, 4 KiB granule */
#define A64_VTCR_RES1   BIT64(31)
#define A64_VTCR_WALK   ((1ULL << 8u) | (1ULL << 10u) | (3ULL << 12u))
#define A64_VTCR_SL0_L0 (2ULL << 6u)
#define A64_VTCR_SL0_L1 (1ULL << 6u)

/* Identification fields: low bit of the 4-bit field */
#define A64_PFR0_EL0_LOW    0u
#define A64_PFR0_EL1_LOW    4u
#define A64_PFR0_GIC_LOW    24u
#define A64_ISAR1_APA_LOW   4u
#define A64_ISAR1_API_LOW   8u
#define A64_ISAR2_APA3_LOW  12u
#define A64_ISAR0_CRC32_LOW 16u
#define A64_DFR0_PMUVER_LOW 8u
#define A64_MMFR0_PARANGE   0u
#define A64_MMFR0_FGT_LOW   56u
#define A64_MMFR1_PAN_LOW   20u
#define A64_MMFR1_HCX_LOW   40u

static inline uint32_t a64_id_field(uint64_t value, uint32_t low)
{
    return (uint32_t)((value >> low) & 0xFu);
}

#endif
