/* Trapped registers that AArch64 and AArch32 have alike: what a guest learns about AArch32, what it may poke
 * without effect, and cache operations by set and way. */
/* [impl->req~id-registers~1] [impl->req~set-way~1] */
#include "arm_port.h"

#define FIELD(low) (0xFULL << (low))

/* Identification of AArch32, CRm 1 to 3: value for guests. Fields that are not kept read as zero, which means
 * absent. */
#define ID_ROWS 3u
#define ID_COLS 8u
static uint64_t id32[ID_ROWS][ID_COLS];

#define KEEP_PFR0     GENMASK64(19u, 0u)               /* no AMU, DIT, RAS */
#define KEEP_PFR1     (GENMASK64(11u, 0u) | FIELD(16)) /* no virtualization; GenTimer */
#define KEEP_PFR2     (FIELD(0) | FIELD(4))            /* CSV3 SSBS */
#define ID_PFR1_GICV3 BIT64(28)

#define SYSREG_ACTLR ARM_SYSREG(3u, 0u, 1u, 0u, 1u)
#define SYSREG_OSLSR ARM_SYSREG(2u, 0u, 1u, 1u, 4u)
#define OSLSR_OSLM   BIT64(3) /* the OS lock exists and is open */

void arm_sysreg_init(void)
{
    id32[0][0] = ARM_ID32_READ(1, 0) & KEEP_PFR0;
    id32[0][1] = ARM_ID32_READ(1, 1) & KEEP_PFR1;
    id32[0][2] = ARM_ID32_READ(1, 2) & FIELD(0); /* ID_DFR0: CopDbg */
    id32[0][4] = ARM_ID32_READ(1, 4);            /* ID_MMFR0 .. 3 */
    id32[0][5] = ARM_ID32_READ(1, 5);
    id32[0][6] = ARM_ID32_READ(1, 6);
    id32[0][7] = ARM_ID32_READ(1, 7);
    id32[1][0] = ARM_ID32_READ(2, 0); /* ID_ISAR0 .. 5 */
    id32[1][1] = ARM_ID32_READ(2, 1);
    id32[1][2] = ARM_ID32_READ(2, 2);
    id32[1][3] = ARM_ID32_READ(2, 3);
    id32[1][4] = ARM_ID32_READ(2, 4);
    id32[1][5] = ARM_ID32_READ(2, 5);
    id32[1][6] = ARM_ID32_READ(2, 6); /* ID_MMFR4 */
    id32[1][7] = ARM_ID32_READ(2, 7); /* ID_ISAR6 */
    id32[2][0] = ARM_MVFR_READ(0);
    id32[2][1] = ARM_MVFR_READ(1);
    id32[2][2] = ARM_MVFR_READ(2);
    id32[2][4] = ARM_ID32_READ(3, 4) & KEEP_PFR2;
}

static uint64_t sysreg_read_id(const struct hal_vcpu *vcpu, uint32_t crm, uint32_t op2)
{
    uint64_t value = (crm <= ID_ROWS) ? id32[crm - 1u][op2] : 0u;

    if ((crm == 1u) && (op2 == 1u) && gic_is(vcpu->domain->arm.gic_version, 3u)) {
        value |= ID_PFR1_GICV3;
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
    const uint64_t type = (level < 7u) ? ((arm_clidr_read() >> (level * 3u)) & 7u) : 0u;
    const bool is_wide = arm_ccsidr_is_wide();

    if ((type < 2u) || (type > 4u)) {
        return;
    }
    const uint64_t ccsidr = arm_ccsidr_read(level << 1u);
    const uint32_t set_low = (uint32_t)(ccsidr & 7u) + 4u;
    const uint64_t sets = (is_wide ? bits_field(ccsidr, 55u, 32u) : bits_field(ccsidr, 27u, 13u)) + 1u;
    const uint64_t ways = (is_wide ? bits_field(ccsidr, 23u, 3u) : bits_field(ccsidr, 12u, 3u)) + 1u;
    const uint32_t way_low = 32u - sysreg_log2_up(ways);
    const uint64_t way = (operand & 0xFFFFFFFFu) >> way_low;
    const uint64_t set = (operand & ((1ULL << way_low) - 1u)) >> set_low;

    if ((way < ways) && (set < sets)) {
        arm_dc_cisw((way << way_low) | (set << set_low) | ((uint64_t)level << 1u));
    }
}

bool arm_sysreg_is_id(uint32_t encoding)
{
    const uint32_t rest = encoding & ~(ARM_SYSREG(0u, 0u, 0u, 15u, 7u));

    return (rest == ARM_SYSREG(3u, 0u, 0u, 0u, 0u)) && ((ARM_SYSREG_CRM(encoding) - 1u) < 7u);
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

/* Not the GIC's, not a timer's and not the port's own. false: the register does not exist for guests. */
static bool sysreg_shared(const struct hal_vcpu *vcpu, struct arm_sysreg *access)
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
    } else if (arm_sysreg_is_id(encoding)) {
        access->value = sysreg_read_id(vcpu, ARM_SYSREG_CRM(encoding), ARM_SYSREG_OP2(encoding));
    } else {
        exists = sysreg_is_debug(encoding) || (encoding == SYSREG_ACTLR);
        access->value = (encoding == SYSREG_OSLSR) ? OSLSR_OSLM : 0u;
    }
    return exists;
}

enum hal_resume arm_sysreg_access(struct hal_vcpu *vcpu, struct arm_sysreg *access)
{
    enum hal_resume resume = HAL_RESUME_NEXT;

    if (!arm_vcpu_sysreg(vcpu, access, &resume)) {
        resume = (arm_port_sysreg(vcpu, access) || sysreg_shared(vcpu, access)) ? HAL_RESUME_NEXT
                                                                                : HAL_INJECT_UNDEF;
    }
    return resume;
}
