/* vCPUs and domains: what is not in the frame. A vCPU is "loaded" while its registers are in a CPU. */
/* [impl->req~guest-registers~1] */
#include "a32_trap.h"
#include "arm_a32.h"
#include "arm_port.h"
#include "hal/context.h"
#include "hal/upcall.h"
#include "hal/vcpu.h"
#include "hal/vplat.h"
#include "lib/string.h"

/* Waiting for an event always leaves the guest, waiting for an interrupt if the scheduler wants. FB and BSU
 * make the guest's local TLB maintenance and barriers reach all CPUs that it may have run on. */
#define VCPU_HCR                                                                                             \
    (A32_HCR_HOST | A32_HCR_VM | A32_HCR_SWIO | A32_HCR_PTW | A32_HCR_FB | A32_HCR_BSU_I | A32_HCR_TWE |     \
     A32_HCR_TID3 | A32_HCR_TSC | A32_HCR_TIDCP | A32_HCR_TAC | A32_HCR_TSW)

#define VCPU_CPSR       (ARM_MODE_SVC | ARM_PSR_AIF)
#define VCPU_SCTLR      0x00C50838u /* what is fixed to 1: MMU or MPU and caches off, low vectors */
#define VCPU_NO_MACHINE UINT32_MAX  /* r1 of the Linux boot protocol: the device tree says it */

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
    domain->arm.is_32bit = true;
    domain->arm.boots = true;
    return is_32bit ? HV_OK : HV_NOT_SUPPORTED;
}

enum hv_status hal_vcpu_init(struct hal_vcpu *vcpu, struct hal_domain *domain, uint32_t index)
{
    vcpu->domain = domain;
    vcpu->index = index;
    vcpu->hcr = VCPU_HCR | A32_HCR_TWI;
    vcpu->vmpidr = A32_MPIDR_RES1 | (uint32_t)hal_vplat_cpu_hwid(index);
    if (arm_vcpu_init(vcpu) != HV_OK) {
        return HV_NO_MEMORY;
    }
    hal_vcpu_reset(vcpu, 0u, 0u);
    return HV_OK;
}

/* The argument is PSCI's in r0, of a kernel the device tree in r2. Bit 0 of an entry: Thumb code. */
void hal_vcpu_reset(struct hal_vcpu *vcpu, uint64_t entry, uint64_t argument)
{
    const bool is_thumb = (entry & 1u) != 0u;

    (void)memset(&vcpu->frame, 0, sizeof(vcpu->frame));
    (void)memset(&vcpu->regs, 0, sizeof(vcpu->regs));
    (void)memset(&vcpu->fp, 0, sizeof(vcpu->fp));
    vcpu->frame.sp = (uint32_t)(uintptr_t)&vcpu->frame.pc;
    vcpu->frame.pc = (uint32_t)entry & ~1u;
    vcpu->frame.r[0] = vcpu->domain->arm.boots ? 0u : (uint32_t)argument;
    vcpu->frame.r[1] = VCPU_NO_MACHINE;
    vcpu->frame.r[2] = (uint32_t)argument;
    vcpu->frame.cpsr = VCPU_CPSR | (is_thumb ? ARM_PSR_T : 0u);
    vcpu->domain->arm.boots = false;
    vcpu->regs.sctlr = VCPU_SCTLR;
    a32_model_reset(vcpu);
    arm_vcpu_reset(vcpu);
}

static void bank_save(uint32_t *bank)
{
#define BANK_SAVE(index, name) bank[index] = A32_READ_BANKED(name);
    A32_BANKED(BANK_SAVE)
#undef BANK_SAVE
}

static void bank_load(const uint32_t *bank)
{
#define BANK_LOAD(index, name) A32_WRITE_BANKED(name, bank[index]);
    A32_BANKED(BANK_LOAD)
#undef BANK_LOAD
}

static bool vcpu_is_loaded(const struct hal_vcpu *vcpu)
{
    return a32_cpu()->current == &vcpu->frame;
}

uint32_t a32_bank_get(const struct hal_vcpu *vcpu, uint32_t n)
{
    const uint32_t index = a32_bank_index(vcpu->frame.cpsr, n);
    uint32_t bank[A32_BANKED_NR];
    uint32_t value = 0u;

    if (index == A32_IN_FRAME) {
        value = (n < 13u) ? vcpu->frame.r[n] : vcpu->frame.lr;
    } else if (index < A32_BANKED_NR) {
        if (vcpu_is_loaded(vcpu)) {
            bank_save(bank);
            value = bank[index];
        } else {
            value = vcpu->regs.bank[index];
        }
    } else {
        value = 0u;
    }
    return value;
}

void a32_bank_set(struct hal_vcpu *vcpu, uint32_t n, uint32_t value)
{
    const uint32_t index = a32_bank_index(vcpu->frame.cpsr, n);

    if (index == A32_IN_FRAME) {
        *((n < 13u) ? &vcpu->frame.r[n] : &vcpu->frame.lr) = value;
    } else if (index < A32_BANKED_NR) {
        const bool is_loaded = vcpu_is_loaded(vcpu);

        if (is_loaded) {
            bank_save(vcpu->regs.bank);
        }
        vcpu->regs.bank[index] = value;
        if (is_loaded) {
            bank_load(vcpu->regs.bank);
        }
    } else {
        /* the program counter */
    }
}

void hal_vcpu_save(struct hal_vcpu *vcpu)
{
    struct a32_guest_regs *const regs = &vcpu->regs;
    uint32_t hsr;

    arm_vcpu_save(vcpu);
    bank_save(regs->bank);
#define WORD_SAVE(field, reg) regs->field = A32_READ(reg);
    A32_WORDS(WORD_SAVE)
#undef WORD_SAVE
#define PAIR_SAVE(field, reg) regs->field = A32_READ64(reg);
    A32_PAIRS(PAIR_SAVE)
#undef PAIR_SAVE
    a32_fp_save(&vcpu->fp);
    a32_model_save(vcpu);
    hsr = a32_abort_take(); /* later it would be the next one's, or ours */
    if (hsr != 0u) {
        a32_abort_async(vcpu, hsr);
    }
}

void hal_vcpu_load(struct hal_vcpu *vcpu)
{
    const struct a32_guest_regs *const regs = &vcpu->regs;

    A32_WRITE(A32_HCR, vcpu->hcr);
    A32_WRITE(A32_VMPIDR, vcpu->vmpidr);
    a32_model_load(vcpu);
    bank_load(regs->bank);
#define WORD_LOAD(field, reg) A32_WRITE(reg, regs->field);
    A32_WORDS(WORD_LOAD)
#undef WORD_LOAD
#define PAIR_LOAD(field, reg) A32_WRITE64(reg, regs->field);
    A32_PAIRS(PAIR_LOAD)
#undef PAIR_LOAD
    a32_fp_load(&vcpu->fp);
    arm_vcpu_load(vcpu);
    hal_context_set(&vcpu->frame);
}

void hal_vcpu_again(struct hal_vcpu *vcpu)
{
    vcpu->frame.pc -= 4u; /* of an HVC it is the next instruction */
    for (uint32_t n = 1u; n < A32_CALL_ARGS; n++) {
        vcpu->frame.r[n] = (uint32_t)vcpu->call[n];
    }
}

/* Its translation is left out: not all have one. */
void hal_vcpu_registers(const struct hal_vcpu *vcpu, struct hal_registers *registers)
{
    static const uint8_t from_x16[] = { 11, 10, 2, 1, 5, 4, 8, 7, 13, 14, 15, 16, 17, 18, 19 };

    *registers = (struct hal_registers){ .pc = vcpu->frame.pc,
                                         .cpsr = vcpu->frame.cpsr,
                                         .spsr_el1 = vcpu->regs.bank[3],
                                         .sctlr = vcpu->regs.sctlr };
    for (uint32_t i = 0; i < ARRAY_LEN(vcpu->frame.r); i++) {
        registers->x[i] = vcpu->frame.r[i];
    }
    registers->x[13] = vcpu->regs.bank[0];
    registers->x[14] = vcpu->frame.lr;
    for (uint32_t i = 0; i < ARRAY_LEN(from_x16); i++) {
        registers->x[16u + i] = vcpu->regs.bank[from_x16[i]];
    }
}

void hal_vcpu_trap_wait(struct hal_vcpu *vcpu, bool trap)
{
    const uint32_t hcr = trap ? (vcpu->hcr | A32_HCR_TWI) : (vcpu->hcr & ~A32_HCR_TWI);

    if (hcr != vcpu->hcr) {
        vcpu->hcr = hcr;
        if (vcpu_is_loaded(vcpu)) {
            A32_WRITE(A32_HCR, hcr);
        }
    }
}
