/* Emulated interrupt controller: the virtual timer's interrupt, in list register 0. It is linked to the
 * physical one, which the guest's deactivation ends; so the timer is never masked behind the guest's back,
 * and an expiry is never lost: as long as the timer's output is high, the physical interrupt is active or
 * comes again. With GICv3 the link is the list register's (HW). With GICv2 it is ours: the physical interrupt
 * is held until the maintenance interrupt of the guest's EOI. QEMU's GICv2 does not look at a level again
 * when the hardware's link ends its interrupt, so that a line which stays high would never interrupt any
 * more. */
/* [impl->req~virtual-timer~1] [impl->req~realtime-undisturbed~1] */
#include "arch/arm/vgic_lr.h"

#include "arch/arm/vtimer.h"

static bool vgic_vtimer_is_ours(void)
{
    return gic_is(gic_host.version, 2u);
}

static uint64_t vgic_vtimer_pending_lr(const struct vgic_vcpu *vgic)
{
    uint64_t value = GIC_LR_PENDING | ARM_GUEST_PPI_VIRT_TIMER;

    value |= vgic_vtimer_is_ours() ? GIC_LR_EOI
                                   : (GIC_LR_HW | ((uint64_t)gic_host.vtimer_irq << GIC_LR_PINTID_LOW));
    value |= (uint64_t)vgic->priv.priority[ARM_GUEST_PPI_VIRT_TIMER] << GIC_LR_PRIO_LOW;
    value |= ((vgic->priv.group1 & VGIC_VTIMER_BIT) != 0u) ? GIC_LR_GROUP1 : 0u;
    return value;
}

static bool vgic_vtimer_may_show(const struct hal_vcpu *vcpu)
{
    const struct vgic_bank *bank = &vcpu->arm.vgic.priv;

    return (bank->enabled & vgic_group_mask(vcpu->domain->arm.vgic, bank) & VGIC_VTIMER_BIT) != 0u;
}

/* The state that the timer's list register has to have. is_linked: the physical interrupt is active because
 * of it. */
static uint64_t vgic_vtimer_next(const struct hal_vcpu *vcpu, uint64_t state, bool is_asserted,
                                 bool is_linked)
{
    const bool is_latched = (vcpu->arm.vgic.priv.latch & VGIC_VTIMER_BIT) != 0u;
    uint64_t next = 0u;

    if ((state & GIC_LR_ACTIVE) != 0u) {
        next = GIC_LR_ACTIVE; /* linked ones can't be pending as well; the line comes up again by itself */
    } else if (vgic_vtimer_may_show(vcpu) && (is_latched || (is_asserted && is_linked))) {
        next = GIC_LR_PENDING;
    } else {
        /* a line that is asserted and not linked is about to interrupt us */
    }
    return next;
}

static void vgic_vtimer_note(struct vgic_bank *bank, uint64_t state, bool is_asserted)
{
    bank->line = is_asserted ? (bank->line | VGIC_VTIMER_BIT) : (bank->line & ~VGIC_VTIMER_BIT);
    bank->shown =
        (state == GIC_LR_PENDING) ? (bank->shown | VGIC_VTIMER_BIT) : (bank->shown & ~VGIC_VTIMER_BIT);
    bank->active =
        (state == GIC_LR_ACTIVE) ? (bank->active | VGIC_VTIMER_BIT) : (bank->active & ~VGIC_VTIMER_BIT);
}

/* What vgic_vtimer_fired() writes. */
static void vgic_vtimer_prepare(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const bool is_latched = (vgic->priv.latch & VGIC_VTIMER_BIT) != 0u;

    vgic->vtimer_lr = (vgic_vtimer_may_show(vcpu) && !is_latched) ? vgic_vtimer_pending_lr(vgic) : 0u;
}

static void vgic_vtimer_write(const struct vgic_vcpu *vgic, uint64_t state)
{
    const uint64_t value = (vgic_vtimer_pending_lr(vgic) & ~GIC_LR_STATE) | state;

    gic_lr_write(VGIC_LR_TIMER, (state != 0u) ? value : 0u);
}

/* The guest acknowledged it: a pending state made by software has gone then. */
static void vgic_vtimer_taken(struct vgic_bank *bank, uint64_t state)
{
    if (((bank->shown & VGIC_VTIMER_BIT) != 0u) && ((state & GIC_LR_PENDING) == 0u)) {
        bank->latch &= ~VGIC_VTIMER_BIT;
    }
}

/* The physical interrupt is active exactly as long as the list register holds the virtual one, or it is
 * held. */
void vgic_vtimer_sync(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const uint64_t state = gic_lr_read(VGIC_LR_TIMER) & GIC_LR_STATE;
    const bool is_asserted = vtimer_is_asserted_here();
    const bool is_linked = (state != 0u) || vgic->is_vtimer_held;

    vgic_vtimer_taken(&vgic->priv, state);
    vgic->drop_pending &=
        ~BIT32(VGIC_LR_TIMER); /* the latch is cleared already, and a line that is asserted stays */
    uint64_t next = vgic_apply_requests(vgic, VGIC_LR_TIMER, state);

    next = vgic_vtimer_next(vcpu, next, is_asserted, is_linked);
    vgic->is_vtimer_held = (next != 0u) ? vgic_vtimer_is_ours() : (is_linked && is_asserted);
    if ((next != 0u) && !is_linked) {
        gic_private_set_active(gic_host.vtimer_irq);
    } else if (is_linked && (next == 0u) && !is_asserted) {
        gic_deactivate(gic_host.vtimer_irq);
    } else {
        /* as it is */
    }
    /* a pending one follows priority and group; one that asked for maintenance goes on asking until it is
     * written */
    if ((next != state) || (next == GIC_LR_PENDING) || (vgic_vtimer_is_ours() && is_linked)) {
        vgic_vtimer_write(vgic, next);
    }
    vgic_vtimer_note(&vgic->priv, next, is_asserted);
    vgic_vtimer_prepare(vcpu);
}

static bool vgic_vtimer_fired_slow(struct hal_vcpu *vcpu)
{
    if ((vcpu == NULL) || !vtimer_is_asserted_here()) {
        return false; /* it went away while it was being delivered */
    }
    vcpu->arm.vgic.is_vtimer_held = true;
    vgic_vtimer_sync(vcpu);
    return true;
}

bool vgic_vtimer_fired(struct hal_vcpu *vcpu)
{
    if (vcpu != NULL) {
        const uint64_t pending = vcpu->arm.vgic.vtimer_lr;

        if ((pending != 0u) && vtimer_is_asserted_here()) {
            gic_lr_write(VGIC_LR_TIMER, pending);
            vcpu->arm.vgic.is_vtimer_held = vgic_vtimer_is_ours();
            return true;
        }
    }
    return vgic_vtimer_fired_slow(vcpu);
}

void vgic_vtimer_load(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const bool is_asserted = vtimer_is_asserted(vcpu);
    const bool is_active = (vgic->priv.active & VGIC_VTIMER_BIT) != 0u;
    const uint64_t next = vgic_vtimer_next(vcpu, is_active ? GIC_LR_ACTIVE : 0u, is_asserted, true);

    /* The line rises only when the timer is loaded: linked by now, it does not interrupt us on the way in. */
    vgic->is_vtimer_held = (next != 0u) ? vgic_vtimer_is_ours() : is_asserted;
    if ((next != 0u) || is_asserted) {
        gic_private_set_active(gic_host.vtimer_irq);
    }
    if (next != 0u) { /* else it is empty: vgic_vtimer_save() */
        vgic_vtimer_write(vgic, next);
    }
    vgic_vtimer_note(&vgic->priv, next, is_asserted);
    vgic_vtimer_prepare(vcpu);
}

/* The timer is off already: with the line low, deactivation leaves nothing behind for the next vCPU. */
void vgic_vtimer_save(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const uint64_t state = gic_lr_read(VGIC_LR_TIMER) & GIC_LR_STATE;

    vgic_vtimer_taken(&vgic->priv, state);
    if ((state != 0u) || vgic->is_vtimer_held) {
        gic_deactivate(gic_host.vtimer_irq);
        gic_lr_write(VGIC_LR_TIMER, 0u);
    }
    vgic->is_vtimer_held = false;
    vgic_vtimer_note(&vgic->priv, state & GIC_LR_ACTIVE, false);
}
