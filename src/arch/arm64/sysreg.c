/* Trapped system registers that only AArch64 has: what a guest learns about the CPU. */
/* [impl->req~id-registers~1] */
#include "a64_trap.h"
#include "arm_port.h"

#define FIELD(low) (0xFULL << (low))

/* Identification registers op0 3, op1 0, CRn 0, CRm 4 to 7 (HCR_EL2.TID3): value for guests. Fields that are
 * not kept read as zero, which means absent. New registers and fields are absent until somebody adds them
 * here. */
#define ID_FIRST 4u
#define ID_ROWS  4u
#define ID_COLS  8u
static uint64_t sysreg_id[ID_ROWS][ID_COLS];

#define KEEP_PFR0 (FIELD(0) | FIELD(16) | FIELD(20) | FIELD(48) | FIELD(60)) /* EL0 FP AdvSIMD DIT CSV3 */
#define KEEP_PFR1 (FIELD(0) | FIELD(4))                                      /* BT SSBS */
/* all but TME */
#define KEEP_ISAR0 (~FIELD(24))
/* DPB APA API JSCVT FCMA LRCPC GPA GPI FRINTTS SB SPECRES BF16 DGH I8MM */
#define KEEP_ISAR1 GENMASK64(55u, 0u)
/* RPRES GPA3 APA3 BC PAC_frac CLRBHB RPRFM CSSC */
#define KEEP_ISAR2                                                                                           \
    (FIELD(4) | FIELD(8) | FIELD(12) | FIELD(20) | FIELD(24) | FIELD(28) | FIELD(48) | FIELD(52))
/* ASIDBits BigEnd SNSMem BigEndEL0; granules and PARange are bounded in code; stage 2 granules, FGT, ECV
 * absent */
#define KEEP_MMFR0 GENMASK64(19u, 4u)
/* HAFDBS HPDS PAN ETS AFP */
#define KEEP_MMFR1 (FIELD(0) | FIELD(12) | FIELD(20) | FIELD(36) | FIELD(44))
/* CnP UAO LSM VARange CCIDX ST AT IDS TTL BBM E0PD */
#define KEEP_MMFR2                                                                                           \
    (FIELD(0) | FIELD(4) | FIELD(8) | FIELD(16) | FIELD(20) | FIELD(28) | FIELD(32) | FIELD(36) |            \
     FIELD(48) | FIELD(52) | FIELD(60))

/* The least that Armv8 has: debug version 6, two breakpoints, two watchpoints; no PMU, trace, SPE
 * (D19.2.60). */
#define ID_DFR0_VALUE ((1ULL << 20u) | (1ULL << 12u) | 6u)
#define ID_PFR0_EL1   (1ULL << 4u)
#define ID_CSV2_LOW   56u
#define ID_MMFR0_TG64 24u
#define ID_MMFR0_TG4  28u
#define ID_MMFR0_TG16 20u

static uint64_t sysreg_at_most(uint64_t value, uint32_t low, uint64_t limit)
{
    return bits_min((value >> low) & 0xFu, limit) << low;
}

/* ID_AA64MMFR0_EL1: at most 48 bits; no 52-bit forms of the 4 and 16 KiB granules. 15 in TGran4/64 means
 * absent. */
static uint64_t sysreg_mmfr0(uint64_t host)
{
    uint64_t value = host & (KEEP_MMFR0 | FIELD(ID_MMFR0_TG64) | FIELD(ID_MMFR0_TG4));

    value |= sysreg_at_most(host, A64_MMFR0_PARANGE, 5u);
    value |= sysreg_at_most(host, ID_MMFR0_TG16, 1u);
    if (a64_id_field(host, ID_MMFR0_TG4) == 1u) {
        value &= ~FIELD(ID_MMFR0_TG4);
    }
    return value;
}

void a64_sysreg_init(void)
{
    const uint64_t pfr0 = A64_READ(id_aa64pfr0_el1);

    if (a64_id_field(pfr0, A64_PFR0_EL0_LOW) == 2u) {
        arm_sysreg_init();
    }
    /* CSV2 2 and up comes with SCXTNUM registers, which are not switched */
    sysreg_id[0][0] = (pfr0 & KEEP_PFR0) | ID_PFR0_EL1 | sysreg_at_most(pfr0, ID_CSV2_LOW, 1u);
    sysreg_id[0][1] = A64_READ(id_aa64pfr1_el1) & KEEP_PFR1;
    sysreg_id[1][0] = ID_DFR0_VALUE;
    sysreg_id[2][0] = A64_READ(id_aa64isar0_el1) & KEEP_ISAR0;
    sysreg_id[2][1] = A64_READ(id_aa64isar1_el1) & KEEP_ISAR1;
    sysreg_id[2][2] = A64_READ(S3_0_C0_C6_2) & KEEP_ISAR2; /* ID_AA64ISAR2_EL1 */
    sysreg_id[3][0] = sysreg_mmfr0(A64_READ(id_aa64mmfr0_el1));
    sysreg_id[3][1] = A64_READ(id_aa64mmfr1_el1) & KEEP_MMFR1;
    sysreg_id[3][2] = A64_READ(S3_0_C0_C7_2) & KEEP_MMFR2; /* ID_AA64MMFR2_EL1 */
}

bool arm_port_sysreg(const struct hal_vcpu *vcpu, struct arm_sysreg *access)
{
    const uint32_t row = ARM_SYSREG_CRM(access->encoding) - ID_FIRST;
    const uint32_t op2 = ARM_SYSREG_OP2(access->encoding);
    const bool is_ours = !access->write && arm_sysreg_is_id(access->encoding) && (row < ID_ROWS);

    if (is_ours) {
        access->value = sysreg_id[row][op2];
        if ((row == 0u) && (op2 == 0u) && gic_is(vcpu->domain->arm.gic_version, 3u)) {
            access->value |= 1ULL << A64_PFR0_GIC_LOW;
        }
    }
    return is_ours;
}

enum hal_resume a64_sysreg_access(struct hal_vcpu *vcpu, uint64_t esr)
{
    const uint32_t rt = arm_esr_sysreg_rt(esr);
    struct arm_sysreg access = {
        .encoding = (uint32_t)esr & ARM_SYSREG_MASK,
        .write = arm_esr_sysreg_write(esr),
        .value = arm_reg_get(vcpu, rt),
    };
    const enum hal_resume resume = arm_sysreg_access(vcpu, &access);

    if ((resume == HAL_RESUME_NEXT) && !access.write) {
        arm_reg_set(vcpu, rt, access.value);
    }
    return resume;
}
