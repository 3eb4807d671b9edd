/* Guests' accesses that the hypervisor's map refused, and exceptions put into guests. */
/* [impl->req~vectors-nowhere~1] */
#include "a32_insn.h"
#include "a32_trap.h"
#include "arm_a32.h"
#include "arm_port.h"
#include "hal/hypmap.h"
#include "hal/upcall.h"
#include "lib/string.h"

#define PAR_F     BIT64(0)
#define PAR_ADDR  GENMASK64(39u, 12u)
#define PAGE_MASK (PAGE_BYTES - 1u)

/* HPFAR does not hold the address of a permission fault: the guest's own translation gives it again. false:
 * the guest has changed its tables meanwhile. In HYP mode PAR has its 64-bit format (DDI 0406 B3.12.3). */
static bool abort_translate(uint32_t va, uint64_t *ipa)
{
    const uint64_t saved = A32_READ64(A32_PAR);
    uint64_t par = va;

    if (CONFIG_MPU == 0) {
        A32_WRITE(A32_ATS1CPR, va);
        a32_isb();
        par = A32_READ64(A32_PAR);
        A32_WRITE64(A32_PAR, saved);
    }
    *ipa = (par & PAR_ADDR) | (va & PAGE_MASK);
    return (CONFIG_MPU != 0) || ((par & PAR_F) == 0u);
}

/* The translation by both stages, with an MPU: the check by both. */
hpa_t hal_vcpu_reach(const struct hal_vcpu *vcpu, uint64_t va, bool write)
{
    const uint64_t saved = A32_READ64(A32_PAR);
    uint64_t par;

    (void)vcpu;
    if (write) {
        A32_WRITE(A32_ATS12NSOPW, va);
    } else {
        A32_WRITE(A32_ATS12NSOPR, va);
    }
    a32_isb();
    par = A32_READ64(A32_PAR);
    A32_WRITE64(A32_PAR, saved);
    return hpa((((par & PAR_F) == 0u) && (va <= UINT32_MAX)) ? ((par & PAR_ADDR) | (va & PAGE_MASK))
                                                             : HAL_NOWHERE);
}

/* The halfword of the guest's code at va, or 0. Its own table may lead elsewhere meanwhile, but only to its
 * RAM. */
static uint32_t abort_fetch16(const struct hal_vcpu *vcpu, uint32_t va)
{
    uint16_t half = 0u;
    uint32_t perm = 0u;
    uint64_t bytes;
    uint64_t ipa;
    hpa_t to;

    if (abort_translate(va, &ipa) &&
        (hal_guestmap_lookup(&vcpu->domain->map, gpa(ipa), &to, &perm, &bytes) == HV_OK) &&
        ((perm & HAL_PERM_X) != 0u)) {
        const void *at = hal_hypmap_window(HAL_WINDOW_TRAP, to, HAL_HYPMAP_RO, &bytes);

        (void)memcpy(&half, at, sizeof(half));
        hal_hypmap_window_close(HAL_WINDOW_TRAP);
    }
    return half;
}

/* Describes an access that the syndrome does not; the register that moves by *step, if any. */
static uint32_t abort_describe(const struct hal_vcpu *vcpu, struct hal_exit *exit, uint32_t *step)
{
    const bool is_thumb = (vcpu->frame.cpsr & ARM_PSR_T) != 0u;
    const uint32_t first = abort_fetch16(vcpu, vcpu->frame.pc);
    const uint32_t second = abort_fetch16(vcpu, vcpu->frame.pc + 2u);

    return a32_insn_describe(is_thumb ? ((first << 16u) | second) : (first | (second << 16u)), is_thumb, exit,
                             step);
}

static uint64_t abort_stored(const struct hal_vcpu *vcpu, const struct hal_exit *exit)
{
    uint64_t value;

    if (exit->width == 8u) {
        value =
            arm_reg_get(vcpu, A32_PAIR_LOW(exit->reg)) | (arm_reg_get(vcpu, A32_PAIR_HIGH(exit->reg)) << 32u);
    } else {
        value = arm_load_extend(arm_reg_get(vcpu, exit->reg), exit->width, false, true);
    }
    return value;
}

void hal_vcpu_set_load(struct hal_vcpu *vcpu, const struct hal_exit *exit, uint64_t value)
{
    if (exit->width == 8u) {
        arm_reg_set(vcpu, A32_PAIR_LOW(exit->reg), value);
        arm_reg_set(vcpu, A32_PAIR_HIGH(exit->reg), value >> 32u);
    } else {
        arm_reg_set(vcpu, exit->reg, arm_load_extend(value, exit->width, exit->sign_extend, false));
    }
}

/* What kind of access it was, and of what; the register that moves by *step, if any. */
static uint32_t abort_access(const struct hal_vcpu *vcpu, uint32_t hsr, struct hal_exit *exit, uint32_t *step)
{
    uint32_t base = A32_INSN_NO_BASE;

    exit->walk = (CONFIG_MPU == 0) && arm_esr_is_walk(hsr);
    exit->permission = (CONFIG_MPU == 0) && (arm_esr_fault(hsr) == ARM_FAULT_PERMISSION);
    if (!exit->exec) {
        arm_esr_access(hsr, exit);
        if ((exit->width == 0u) && !exit->walk) {
            base = abort_describe(vcpu, exit, step);
        }
    }
    if (exit->write && (exit->width != 0u)) {
        exit->value = abort_stored(vcpu, exit);
    }
    return base;
}

/* Where it went; of a table only the page is known. false: the guest's tables say something else now. */
static bool abort_place(uint32_t hsr, struct hal_exit *exit)
{
    const uint32_t far = (uint32_t)exit->gva;
    uint64_t ipa = (uint64_t)(A32_READ(A32_HPFAR) & (uint32_t)ARM_HPFAR_FIPA) << 8u;
    bool is_known = true;

    if ((CONFIG_MPU != 0) || !arm_esr_has_ipa(hsr)) {
        is_known = abort_translate(far, &ipa);
    } else {
        ipa |= exit->walk ? 0u : (far & PAGE_MASK);
    }
    exit->gpa = gpa(ipa);
    return is_known;
}

enum hal_resume a32_abort(struct hal_vcpu *vcpu, uint32_t hsr)
{
    const bool is_fetch = arm_esr_ec(hsr) == ARM_EC_IABT;
    struct hal_exit exit = { .kind = HAL_EXIT_MEM_FAULT, .cause = hsr, .exec = is_fetch };
    enum hal_resume resume = HAL_INJECT_ABORT;
    uint32_t step = 0u;
    uint32_t base;

    exit.gva = is_fetch ? A32_READ(A32_HIFAR) : A32_READ(A32_HDFAR);
    if (arm_esr_fault(hsr) > ARM_FAULT_PERMISSION) {
        exit.external = true;
        return upcall_exit(vcpu, &exit);
    }
    base = abort_access(vcpu, hsr, &exit, &step);
    if (!abort_place(hsr, &exit)) {
        return HAL_RESUME;
    }
    if (!arm_vcpu_mmio(vcpu, &exit, &resume)) {
        resume = upcall_exit(vcpu, &exit);
    }
    if ((base != A32_INSN_NO_BASE) && (resume == HAL_RESUME_NEXT)) {
        arm_reg_set(vcpu, base, arm_reg_get(vcpu, base) + step);
    }
    return resume;
}

static struct arm_a32_entry inject_entry(const struct hal_vcpu *vcpu, enum arm_vector vector)
{
    /* Armv7 and Armv8-R have no PAN: bit 23 is fixed to 1 or means nothing */
    const uint32_t sctlr = A32_READ(A32_SCTLR) | ARM_SCTLR_SPAN;

    return arm_a32_enter(vector, vcpu->frame.pc, vcpu->frame.cpsr, sctlr, A32_READ(A32_VBAR));
}

void a32_inject_abort(struct hal_vcpu *vcpu, uint32_t hsr)
{
    const bool is_fetch = arm_esr_ec(hsr) == ARM_EC_IABT;
    const struct arm_a32_entry entry = inject_entry(vcpu, is_fetch ? ARM_VECTOR_PABT : ARM_VECTOR_DABT);
    const bool is_long = (CONFIG_MPU != 0) || ((A32_READ(A32_TTBCR) & ARM_TTBCR_EAE) != 0u);

    if (is_fetch && arm_a32_repeats(&entry, vcpu->frame.pc)) {
        upcall_domain_power(vcpu->domain, HAL_DOMAIN_CRASH, "its exception vectors cannot be fetched");
        return;
    }
    if (is_fetch) {
        A32_WRITE(A32_IFSR, arm_a32_fsr(hsr, is_long));
        A32_WRITE(A32_IFAR, A32_READ(A32_HIFAR));
    } else {
        A32_WRITE(A32_DFSR, arm_a32_fsr(hsr, is_long));
        A32_WRITE(A32_DFAR, A32_READ(A32_HDFAR));
    }
    A32_WRITE_BANKED(lr_abt, entry.lr);
    A32_WRITE_BANKED(spsr_abt, entry.spsr);
    vcpu->frame.pc = entry.pc;
    vcpu->frame.cpsr = entry.cpsr;
}

void a32_inject_undef(struct hal_vcpu *vcpu)
{
    const struct arm_a32_entry entry = inject_entry(vcpu, ARM_VECTOR_UNDEF);

    A32_WRITE_BANKED(lr_und, entry.lr);
    A32_WRITE_BANKED(spsr_und, entry.spsr);
    vcpu->frame.pc = entry.pc;
    vcpu->frame.cpsr = entry.cpsr;
}
