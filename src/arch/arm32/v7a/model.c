/* A vCPU's memory on Armv7-A: stage 2, and what TLBs keep of stage 1. */
#include "a32_trap.h"
#include "arm_mmu.h"

void a32_model_init_cpu(void)
{
    arm_guestmap_init_cpu();
}

void a32_model_reset(struct hal_vcpu *vcpu)
{
    (void)vcpu;
}

void a32_model_save(struct hal_vcpu *vcpu)
{
    (void)vcpu;
    arm_guestmap_leave();
}

/* TLB entries carry the VMID, not the vCPU: what another vCPU of the domain left on this CPU under the same
 * ASID, perhaps from tables of its own, must not be seen (DDI 0406 B3.9.1). */
void a32_model_load(struct hal_vcpu *vcpu)
{
    uint8_t *last = &vcpu->domain->last_vcpu[a32_cpu()->slot % HV_CPUS_MAX];
    const uint8_t mine = (uint8_t)(vcpu->index + 1u);

    arm_vttbr_write(vcpu->domain->map.vttbr);
    if ((*last != mine) && (*last != 0u)) {
        A32_WRITE(A32_TLBIALL, 0u);
        __asm__ volatile("dsb nsh\n\tisb" : : : "memory");
    }
    *last = mine;
}

bool arm_port_sysreg(const struct hal_vcpu *vcpu, struct arm_sysreg *access)
{
    (void)vcpu;
    (void)access;
    return false;
}
