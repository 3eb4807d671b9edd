/* vCPUs and domains: what is not in the frame. A vCPU is "loaded" while its registers are in a CPU. */
/* [impl->req~guest-registers~1] */
#include "a64_trap.h"
#include "arm_port.h"
#include "arm_a32.h"
#include "hal/context.h"
#include "hal/upcall.h"
#include "hal/vcpu.h"
#include "hal/vplat.h"
#include "lib/string.h"

/* Waiting for an event always leaves the guest, waiting for an interrupt if the scheduler wants. FB and BSU
 * make the guest's local TLB maintenance and barriers reach all CPUs that it may have run on. */
#define VCPU_HCR                                                                                             \
    (A64_HCR_HOST | A64_HCR_VM | A64_HCR_PTW | A64_HCR_FB | A64_HCR_BSU_I | A64_HCR_TWE | A64_HCR_TID3 |     \
     A64_HCR_TSC | A64_HCR_TIDCP | A64_HCR_TACR | A64_HCR_TSW | A64_HCR_TLOR | A64_HCR_TERR)

/* RES1 bits and CP15BEN; MMU and caches off (G8.2.126) */
#define A32_SCTLR_RESET 0x00C50838u

static bool vcpu_has_pauth(void)
{
    const uint64_t isar1 = A64_READ(id_aa64isar1_el1);
    const uint64_t isar2 = A64_READ(S3_0_C0_C6_2);

    return (a64_id_field(isar1, A64_ISAR1_APA_LOW) != 0u) || (a64_id_field(isar1, A64_ISAR1_API_LOW) != 0u) ||
           (a64_id_field(isar2, A64_ISAR2_APA3_LOW) != 0u);
}

enum hv_status hal_domain_init(struct hal_domain *domain, const struct hal_domain_config *config)
{
    enum hv_status status = hal_guestmap_init(&domain->map, domain, config->map_id);

    if (status != HV_OK) {
        return status;
    }
    domain->nr_vcpus = config->nr_vcpus;
    (void)memset(domain->last_vcpu, 0, sizeof(domain->last_vcpu));
    status = arm_domain_init(domain, config);
    if (status != HV_OK) {
        hal_guestmap_destroy(&domain->map);
    }
    return status;
}

void hal_domain_destroy(struct hal_domain *domain)
{
    arm_domain_destroy(domain);
    hal_guestmap_destroy(&domain->map);
}

enum hv_status hal_domain_width(struct hal_domain *domain, bool is_32bit)
{
    const bool can = a64_id_field(A64_READ(id_aa64pfr0_el1), A64_PFR0_EL1_LOW) == 2u;

    domain->arm.is_32bit = is_32bit && can;
    domain->arm.boots = true;
    return (can || !is_32bit) ? HV_OK : HV_NOT_SUPPORTED;
}

enum hv_status hal_vcpu_init(struct hal_vcpu *vcpu, struct hal_domain *domain, uint32_t index)
{
    vcpu->domain = domain;
    vcpu->index = index;
    vcpu->hcr = VCPU_HCR | A64_HCR_TWI;
    if (vcpu_has_pauth()) {
        vcpu->hcr |= A64_HCR_API | A64_HCR_APK;
    }
    vcpu->vmpidr = A64_MPIDR_RES1 | hal_vplat_cpu_hwid(index);
    if (arm_vcpu_init(vcpu) != HV_OK) {
        return HV_NO_MEMORY;
    }
    hal_vcpu_reset(vcpu, 0u, 0u);
    return HV_OK;
}

/* The first vCPU begins as Linux's arm/booting.rst has it, without a machine's number, others as PSCI
 * does. */
static void vcpu_reset32(struct hal_vcpu *vcpu, uint64_t entry, uint64_t argument)
{
    struct hal_frame *const frame = &vcpu->frame;

    frame->sp = (uint64_t)(uintptr_t)frame;
    frame->pc = entry & ~BIT64(0);
    frame->pstate = ARM_MODE_SVC | ARM_PSR_AIF | (((entry & 1u) != 0u) ? ARM_PSR_T : 0u);
    if (vcpu->domain->arm.boots) {
        frame->x[0] = 0u;
        frame->x[1] = UINT32_MAX;
        frame->x[2] = argument;
    }
    vcpu->regs.sctlr = A32_SCTLR_RESET;
    vcpu->hcr &= ~A64_HCR_RW;
    vcpu->more = A64_MORE_A32;
}

void hal_vcpu_reset(struct hal_vcpu *vcpu, uint64_t entry, uint64_t argument)
{
    (void)memset(&vcpu->frame, 0, sizeof(vcpu->frame));
    (void)memset(&vcpu->regs, 0, sizeof(vcpu->regs));
    (void)memset(&vcpu->fp, 0, sizeof(vcpu->fp));
    vcpu->frame.pc = entry;
    vcpu->frame.x[0] = argument;
    vcpu->frame.pstate = A64_PSTATE_EL1H | A64_PSTATE_DAIF;
    vcpu->regs.sctlr = A64_SCTLR_EL1_RESET;
    vcpu->hcr |= A64_HCR_RW;
    vcpu->more = ((vcpu->hcr & A64_HCR_APK) != 0u) ? A64_MORE_KEYS : 0u;
    if (vcpu->domain->arm.is_32bit) {
        vcpu_reset32(vcpu, entry, argument);
    }
    vcpu->domain->arm.boots = false;
    arm_vcpu_reset(vcpu);
}

/* Each register that is live in the CPU, and where it is kept: VCPU_REG is what to do with it */
#define VCPU_REGS                                                                                            \
    VCPU_REG(sctlr_el1, sctlr)                                                                               \
    VCPU_REG(cpacr_el1, cpacr)                                                                               \
    VCPU_REG(ttbr0_el1, ttbr0)                                                                               \
    VCPU_REG(ttbr1_el1, ttbr1)                                                                               \
    VCPU_REG(tcr_el1, tcr)                                                                                   \
    VCPU_REG(mair_el1, mair)                                                                                 \
    VCPU_REG(amair_el1, amair)                                                                               \
    VCPU_REG(vbar_el1, vbar)                                                                                 \
    VCPU_REG(esr_el1, esr)                                                                                   \
    VCPU_REG(far_el1, far)                                                                                   \
    VCPU_REG(afsr0_el1, afsr0)                                                                               \
    VCPU_REG(afsr1_el1, afsr1)                                                                               \
    VCPU_REG(elr_el1, elr)                                                                                   \
    VCPU_REG(spsr_el1, spsr)                                                                                 \
    VCPU_REG(sp_el0, sp_el0)                                                                                 \
    VCPU_REG(sp_el1, sp_el1)                                                                                 \
    VCPU_REG(contextidr_el1, contextidr)                                                                     \
    VCPU_REG(tpidr_el0, tpidr_el0)                                                                           \
    VCPU_REG(tpidrro_el0, tpidrro)                                                                           \
    VCPU_REG(tpidr_el1, tpidr_el1)                                                                           \
    VCPU_REG(par_el1, par)                                                                                   \
    VCPU_REG(cntkctl_el1, cntkctl)                                                                           \
    VCPU_REG(csselr_el1, csselr)

/* APIAKey, APIBKey, APDAKey, APDBKey, APGAKey, by encoding: base Armv8.0 assemblers do not know the names */
#define VCPU_KEYS                                                                                            \
    VCPU_REG(S3_0_C2_C1_0, key[0])                                                                           \
    VCPU_REG(S3_0_C2_C1_1, key[1])                                                                           \
    VCPU_REG(S3_0_C2_C1_2, key[2])                                                                           \
    VCPU_REG(S3_0_C2_C1_3, key[3])                                                                           \
    VCPU_REG(S3_0_C2_C2_0, key[4])                                                                           \
    VCPU_REG(S3_0_C2_C2_1, key[5])                                                                           \
    VCPU_REG(S3_0_C2_C2_2, key[6])                                                                           \
    VCPU_REG(S3_0_C2_C2_3, key[7])                                                                           \
    VCPU_REG(S3_0_C2_C3_0, key[8])                                                                           \
    VCPU_REG(S3_0_C2_C3_1, key[9])

/* What only AArch32 has */
#define A32_REGS                                                                                             \
    A32_REG(spsr_abt, 0)                                                                                     \
    A32_REG(spsr_und, 1)                                                                                     \
    A32_REG(spsr_irq, 2)                                                                                     \
    A32_REG(spsr_fiq, 3)                                                                                     \
    A32_REG(dacr32_el2, 4)                                                                                   \
    A32_REG(ifsr32_el2, 5)                                                                                   \
    A32_REG(fpexc32_el2, 6)

#define A32_REG(name, n) (regs->a32[n]) = (uint32_t)A64_READ(name);
static void vcpu_save_a32(struct a64_guest_regs *regs)
{
    A32_REGS
}
#undef A32_REG

#define A32_REG(name, n) A64_WRITE(name, (regs->a32[n]));
static void vcpu_load_a32(const struct a64_guest_regs *regs)
{
    A32_REGS
}
#undef A32_REG

#define VCPU_REG(name, field) (regs->field) = A64_READ(name);
static void vcpu_save_more(struct a64_guest_regs *regs, uint32_t more)
{
    if (more == A64_MORE_KEYS) {
        VCPU_KEYS
    } else {
        vcpu_save_a32(regs);
    }
}

static void vcpu_save_regs(struct a64_guest_regs *regs, uint32_t more)
{
    VCPU_REGS
    if (more != 0u) {
        vcpu_save_more(regs, more);
    }
}
#undef VCPU_REG

#define VCPU_REG(name, field) A64_WRITE(name, (regs->field));
static void vcpu_load_more(const struct a64_guest_regs *regs, uint32_t more)
{
    if (more == A64_MORE_KEYS) {
        VCPU_KEYS
    } else {
        vcpu_load_a32(regs);
    }
}

static void vcpu_load_regs(const struct a64_guest_regs *regs, uint32_t more)
{
    VCPU_REGS
    if (more != 0u) {
        vcpu_load_more(regs, more);
    }
}
#undef VCPU_REG

void hal_vcpu_save(struct hal_vcpu *vcpu)
{
    arm_vcpu_save(vcpu);
    vcpu_save_regs(&vcpu->regs, vcpu->more);
    a64_fp_save(&vcpu->fp);
    const uint64_t esr = a64_serror_take(); /* later it would be the next one's, or ours */

    if (esr != 0u) {
        a64_serror(vcpu, esr);
    }
    arm_guestmap_leave();
}

/* TLB entries carry the VMID, not the vCPU: what another vCPU of the domain left on this CPU under the same
 * ASID, perhaps from tables of its own, must not be seen (D8.13.3). */
static void vcpu_flush_other(struct hal_vcpu *vcpu)
{
    uint8_t *last = &vcpu->domain->last_vcpu[a64_cpu()->slot % HV_CPUS_MAX];
    const uint8_t mine = (uint8_t)(vcpu->index + 1u);

    if ((*last != mine) && (*last != 0u)) {
        __asm__ volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" : : : "memory");
    }
    *last = mine;
}

void hal_vcpu_load(struct hal_vcpu *vcpu)
{
    A64_WRITE(vttbr_el2, vcpu->domain->map.vttbr);
    A64_WRITE(hcr_el2, vcpu->hcr);
    A64_WRITE(vmpidr_el2, vcpu->vmpidr);
    a64_isb();
    vcpu_flush_other(vcpu);
    vcpu_load_regs(&vcpu->regs, vcpu->more);
    a64_fp_load(&vcpu->fp);
    arm_vcpu_load(vcpu);
    hal_context_set(&vcpu->frame);
}

void hal_vcpu_registers(const struct hal_vcpu *vcpu, struct hal_registers *registers)
{
    const struct a64_guest_regs *const regs = &vcpu->regs;

    (void)memcpy(registers->x, vcpu->frame.x, sizeof(registers->x));
    registers->pc = vcpu->frame.pc;
    registers->cpsr = vcpu->frame.pstate;
    registers->spsr_el1 = regs->spsr;
    registers->sp_el0 = regs->sp_el0;
    registers->sp_el1 = regs->sp_el1;
    registers->elr_el1 = regs->elr;
    registers->sctlr = regs->sctlr;
    registers->tcr = regs->tcr;
    registers->ttbr0 = regs->ttbr0;
    registers->ttbr1 = regs->ttbr1;
}

void hal_vcpu_again(struct hal_vcpu *vcpu)
{
    vcpu->frame.pc -= 4u; /* of an HVC it is the next instruction */
}

void hal_vcpu_set_load(struct hal_vcpu *vcpu, const struct hal_exit *exit, uint64_t value)
{
    arm_reg_set(vcpu, exit->reg, arm_load_extend(value, exit->width, exit->sign_extend, exit->wide));
}

void hal_vcpu_trap_wait(struct hal_vcpu *vcpu, bool trap)
{
    const uint64_t hcr = trap ? (vcpu->hcr | A64_HCR_TWI) : (vcpu->hcr & ~A64_HCR_TWI);

    if (hcr != vcpu->hcr) {
        vcpu->hcr = hcr;
        if (a64_cpu()->current == &vcpu->frame) {
            A64_WRITE(hcr_el2, hcr);
        }
    }
}
