/* Between the files that move interrupts to list registers. The vCPU is loaded on this CPU, interrupts are
 * masked, and where a list register holds a shared interrupt, or one is to be put there, the domain's lock is
 * held. */
#ifndef ARCH_ARM_VGIC_LR_H
#define ARCH_ARM_VGIC_LR_H

#include "arch/arm/gic.h"
#include "arch/arm/vgic.h"

#define VGIC_SLOT_MASK (VGIC_LRS_MAX - 1u)
#define VGIC_N_MASK    (VGIC_BANK_IRQS - 1u)

/* The set of list registers that are not the timer's */
static inline uint32_t vgic_slots(void)
{
    return (BIT32((gic_host.nr_lrs & 31u)) - 1u) & ~BIT32(VGIC_LR_TIMER);
}

/* vgic_lr.c: one list register. */
/* Memory follows list register `slot`, and it follows enables, group, line, latch and requests. */
void vgic_sync_slot(struct hal_vcpu *vcpu, uint32_t slot);
/* Everything goes back to memory but the timer's. */
void vgic_pull(struct hal_vcpu *vcpu);
/* Puts an interrupt that is pending, active or both into a free list register. */
void vgic_place(struct hal_vcpu *vcpu, uint32_t slot, uint32_t intid);
/* The state of a list register after what guests' writes asked of it. */
uint64_t vgic_apply_requests(struct vgic_vcpu *vgic, uint32_t slot, uint64_t state);

/* vgic_fill.c: which ones. Private interrupts alone, no lock needed; false if that is not enough. */
bool vgic_fill_private(struct hal_vcpu *vcpu);
/* All; with the lock. */
void vgic_fill(struct hal_vcpu *vcpu);
/* Ends of interrupts that met no list register; with the lock if there can be any. */
void vgic_take_eois(struct hal_vcpu *vcpu);

/* vgic_vtimer.c: list register 0 */
void vgic_vtimer_sync(struct hal_vcpu *vcpu);
void vgic_vtimer_load(struct hal_vcpu *vcpu);
/* The timer is off already. */
void vgic_vtimer_save(struct hal_vcpu *vcpu);

#endif
