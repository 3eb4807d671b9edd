/* Trapped system registers: what a guest learns about the CPU, what it may poke without effect, and cache
 * operations by set and way. */
/* [impl->req~id-registers~1] [impl->req~set-way~1] */
#include "a64_sysreg.h"
#include "a64_trap.h"
#include "a64_esr.h"
#include "arm_port.h"
#include "arm_vcpu.h"

#define FIELD(low) (0xFULL << (low))

/* Identification registers op0 3, op1 0, CRn 0, CRm 1 to 7 (HCR_EL2.TID3): value for guests. Fields that are
 * not kept read as zero, which means absent. New registers and fields are absent until somebody adds them
 * here. */
#define ID_ROWS 7u
#define ID_COLS 8u
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
#define KEEP_AA32_PFR0 GENMASK64(19u, 0u)               /* no AMU, DIT, RAS */
#define KEEP_AA32_PFR1 (GENMASK64(11u, 0u) | FIELD(16)) /* no virtualization; GenTimer */
#define KEEP_AA32_PFR2 (FIELD(0) | FIELD(4))            /* CSV3 SSBS */

/* The least that Armv8 has: debug version 6, two breakpoints, two watchpoints; no PMU, trace, SPE
 * (D19.2.60). */
#define ID_DFR0_VALUE ((1ULL << 20u) | (1ULL << 12u) | 6u)
#define ID_PFR0_EL1   (1ULL << 4u)
#define ID_CSV2_LOW   56u
#define ID_MMFR0_TG64 24u
#define ID_MMFR0_TG4  28u
#define ID_MMFR0_TG16 20u

#define SYSREG_ACTLR ARM_SYSREG(3u, 0u, 1u, 0u, 1u)
#define SYSREG_OSLSR ARM_SYSREG(2u, 0u, 1u, 1u, 4u)
#define OSLSR_OSLM   BIT64(3) /* the OS lock exists and is open */

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

/* Registers of AArch32, for 32-bit processes */
static void sysreg_init_aa32(void)
{
    sysreg_id[0][0] = A64_READ(id_pfr0_el1) & KEEP_AA32_PFR0;
    sysreg_id[0][1] = A64_READ(id_pfr1_el1) & KEEP_AA32_PFR1;
    sysreg_id[0][2] = A64_READ(id_dfr0_el1) & FIELD(0); /* CopDbg */
    sysreg_id[0][4] = A64_READ(id_mmfr0_el1);
    sysreg_id[0][5] = A64_READ(id_mmfr1_el1);
    sysreg_id[0][6] = A64_READ(id_mmfr2_el1);
    sysreg_id[0][7] = A64_READ(id_mmfr3_el1);
    sysreg_id[1][0] = A64_READ(id_isar0_el1);
    sysreg_id[1][1] = A64_READ(id_isar1_el1);
    sysreg_id[1][2] = A64_READ(id_isar2_el1);
    sysreg_id[1][3] = A64_READ(id_isar3_el1);
    sysreg_id[1][4] = A64_READ(id_isar4_el1);
    sysreg_id[1][5] = A64_READ(id_isar5_el1);
    sysreg_id[1][6] = A64_READ(id_mmfr4_el1);
    sysreg_id[1][7] = A64_READ(S3_0_C0_C2_7); /* ID_ISAR6_EL1 */
    sysreg_id[2][0] = A64_READ(mvfr0_el1);
    sysreg_id[2][1] = A64_READ(mvfr1_el1);
    sysreg_id[2][2] = A64_READ(mvfr2_el1);
    sysreg_id[2][4] = A64_READ(S3_0_C0_C3_4) & KEEP_AA32_PFR2; /* ID_PFR2_EL1 */
}

void a64_sysreg_init(void)
{
    const uint64_t pfr0 = A64_READ(id_aa64pfr0_el1);

    if (a64_id_field(pfr0, A64_PFR0_EL0_LOW) == 2u) {
        sysreg_init_aa32();
    }
    /* CSV2 2 and up comes with SCXTNUM registers, which are not switched */
    sysreg_id[3][0] = (pfr0 & KEEP_PFR0) | ID_PFR0_EL1 | sysreg_at_most(pfr0, ID_CSV2_LOW, 1u);
    sysreg_id[3][1] = A64_READ(id_aa64pfr1_el1) & KEEP_PFR1;
    sysreg_id[4][0] = ID_DFR0_VALUE;
    sysreg_id[5][0] = A64_READ(id_aa64isar0_el1) & KEEP_ISAR0;
    sysreg_id[5][1] = A64_READ(id_aa64isar1_el1) & KEEP_ISAR1;
    sysreg_id[5][2] = A64_READ(S3_0_C0_C6_2) & KEEP_ISAR2; /* ID_AA64ISAR2_EL1 */
    sysreg_id[6][0] = sysreg_mmfr0(A64_READ(id_aa64mmfr0_el1));
    sysreg_id[6][1] = A64_READ(id_aa64mmfr1_el1) & KEEP_MMFR1;
    sysreg_id[6][2] = A64_READ(S3_0_C0_C7_2) & KEEP_MMFR2; /* ID_AA64MMFR2_EL1 */
}

static uint64_t sysreg_read_id(const struct hal_vcpu *vcpu, uint32_t crm, uint32_t op2)
{
    uint64_t value = sysreg_id[(crm - 1u) % ID_ROWS][op2 % ID_COLS];

    if (gic_is(vcpu->domain->arm.gic_version, 3u)) {
        if ((crm == 4u) && (op2 == 0u)) {
            value |= 1ULL << A64_PFR0_GIC_LOW;
        } else if ((crm == 1u) && (op2 == 1u)) {
            value |= 1ULL << 28u; /* ID_PFR1_EL1.GIC */
        } else {
            value |= 0u;
        }
    }
    return value;
}

static uint32_t sysreg_log2_up(uint64_t n)
{
    uint32_t log = 0u;

    while ((log < 32u) && ((1ULL << log) < n)) {
        log++;
    }
    return log;
}

/* DC ISW, CSW, CISW of a guest (HCR_EL2.TSW): a clean and invalidate of the same line of this CPU's caches.
 * The guest's own loop over sets and ways bounds it. Operands beyond the cache, whose effect the architecture
 * leaves open (C5.3.14), do nothing. As on bare metal no other CPU's cache is reached: a guest whose vCPU
 * migrates within such a loop is not covered. */
static void sysreg_set_way(uint64_t operand)
{
    const uint32_t level = (uint32_t)bits_field(operand, 3u, 1u);
    const uint64_t type = (level < 7u) ? ((A64_READ(clidr_el1) >> (level * 3u)) & 7u) : 0u;
    const bool is_wide = a64_id_field(A64_READ(S3_0_C0_C7_2), 20u) != 0u; /* MMFR2.CCIDX */
    const uint64_t csselr = A64_READ(csselr_el1);
    uint64_t ccsidr;
    uint64_t sets;
    uint64_t ways;
    uint32_t way_low;
    uint32_t set_low;
    uint64_t way;
    uint64_t set;

    if ((type < 2u) || (type > 4u)) {
        return;
    }
    A64_WRITE(csselr_el1, (uint64_t)level << 1u);
    a64_isb();
    ccsidr = A64_READ(ccsidr_el1);
    A64_WRITE(csselr_el1, csselr);
    set_low = (uint32_t)(ccsidr & 7u) + 4u;
    sets = (is_wide ? bits_field(ccsidr, 55u, 32u) : bits_field(ccsidr, 27u, 13u)) + 1u;
    ways = (is_wide ? bits_field(ccsidr, 23u, 3u) : bits_field(ccsidr, 12u, 3u)) + 1u;
    way_low = 32u - sysreg_log2_up(ways);
    way = (operand & 0xFFFFFFFFu) >> way_low;
    set = (operand & ((1ULL << way_low) - 1u)) >> set_low;
    if ((way < ways) && (set < sets)) {
        __asm__ volatile("dc cisw, %0"
                         :
                         : "r"((way << way_low) | (set << set_low) | ((uint64_t)level << 1u))
                         : "memory");
    }
}

/* Identification: op0 3, op1 0, CRn 0, CRm 1 to 7. */
static bool sysreg_is_id(uint32_t encoding)
{
    const uint32_t crm = (uint32_t)bits_field(encoding, 4u, 1u);
    const uint32_t rest = encoding & ~(ARM_SYSREG(0u, 0u, 0u, 15u, 7u));

    return (rest == ARM_SYSREG(3u, 0u, 0u, 0u, 0u)) && (crm >= 1u) && (crm <= 7u);
}

/* Debug registers: op0 2, op1 0 (AArch64's view) and 3 (communications channel). Trace has op1 1. */
static bool sysreg_is_debug(uint32_t encoding)
{
    const uint32_t op = encoding & ARM_SYSREG(3u, 7u, 0u, 0u, 0u);

    return (op == ARM_SYSREG(2u, 0u, 0u, 0u, 0u)) || (op == ARM_SYSREG(2u, 3u, 0u, 0u, 0u));
}

/* DC ISW, CSW, CISW: CRn 7, CRm 6, 10 or 14, op2 2; nothing else of op0 1 is trapped. */
static bool sysreg_is_set_way(uint32_t encoding)
{
    return (encoding & ~ARM_SYSREG(0u, 0u, 0u, 15u, 0u)) == ARM_SYSREG(1u, 0u, 7u, 0u, 2u);
}

/* Not the GIC's and not a timer's. false: the register does not exist for guests. */
static bool sysreg_port(const struct hal_vcpu *vcpu, struct arm_sysreg *access)
{
    const uint32_t encoding = access->encoding;
    bool exists = true;

    if (access->write) {
        if (sysreg_is_set_way(encoding)) {
            sysreg_set_way(access->value);
        } else {
            /* hidden as far as the architecture allows: writes are lost */
            exists = sysreg_is_debug(encoding) || (encoding == SYSREG_ACTLR);
        }
    } else if (sysreg_is_id(encoding)) {
        access->value = sysreg_read_id(vcpu, (uint32_t)bits_field(encoding, 4u, 1u),
                                       (uint32_t)bits_field(encoding, 19u, 17u));
    } else {
        exists = sysreg_is_debug(encoding) || (encoding == SYSREG_ACTLR);
        access->value = (encoding == SYSREG_OSLSR) ? OSLSR_OSLM : 0u;
    }
    return exists;
}

enum hal_resume a64_sysreg_access(struct hal_vcpu *vcpu, uint64_t esr)
{
    const uint32_t rt = a64_esr_sysreg_rt(esr);
    struct arm_sysreg access = {
        .encoding = (uint32_t)esr & ARM_SYSREG_MASK,
        .write = a64_esr_sysreg_write(esr),
        .value = arm_reg_get(vcpu, rt),
    };
    enum hal_resume resume = HAL_RESUME_NEXT;

    if (!arm_vcpu_sysreg(vcpu, &access, &resume)) {
        resume = sysreg_port(vcpu, &access) ? HAL_RESUME_NEXT : HAL_INJECT_UNDEF;
    }
    if ((resume == HAL_RESUME_NEXT) && !access.write) {
        arm_reg_set(vcpu, rt, access.value);
    }
    return resume;
}
