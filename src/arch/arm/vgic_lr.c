/* Emulated interrupt controller: one list register of the CPU and the interrupt in it.
 * An edge's pending state moves into the list register; a level's stays in memory and is dropped when it was
 * taken. A level that is still asserted asks for a maintenance interrupt at the guest's end of interrupt
 * (EOI), and is shown again. */
#include "arch/arm/vgic_lr.h"

static bool vgic_is_v2_sgi(uint32_t intid)
{
    return (intid < GIC_SGIS) && gic_is(gic_host.version, 2u);
}

/* Is a deliverable shared interrupt this vCPU's to show? */
static bool vgic_is_mine(const struct hal_vcpu *vcpu, uint32_t intid)
{
    return (intid < GIC_PRIVATE) || (vgic_target(vcpu->domain, intid - GIC_PRIVATE) == vcpu->index);
}

static uint64_t vgic_compose(const struct hal_vcpu *vcpu, const struct vgic_bank *bank, uint32_t intid,
                             uint64_t state)
{
    const uint32_t bit = BIT32((intid & VGIC_N_MASK));
    uint64_t value = state | intid | ((uint64_t)bank->priority[intid & VGIC_N_MASK] << GIC_LR_PRIO_LOW);

    if ((bank->group1 & bit) != 0u) {
        value |= GIC_LR_GROUP1;
    }
    if (((bank->line & ~bank->edge & bit) != 0u)) {
        value |= GIC_LR_EOI;
    }
    if (vgic_is_linked(vcpu->domain, intid)) {
        value |= gic_is(gic_host.version, 2u)
                     ? GIC_LR_EOI
                     : (GIC_LR_HW |
                        ((uint64_t)vcpu->domain->arm.lines->irq[intid - GIC_PRIVATE] << GIC_LR_PINTID_LOW));
    }
    if (vgic_is_v2_sgi(intid)) {
        value |= (uint64_t)vcpu->arm.vgic.sgi_from[intid] << GIC_LR_SOURCE_LOW;
        value |= (vcpu->arm.vgic.sgi_source[intid] != 0u) ? GIC_LR_EOI : 0u;
    }
    return value;
}

/* An edge leaves memory for a list register in `state`; answers the new state. GICv2 shows an SGI of one
 * sender at a time. */
static uint64_t vgic_take_edge(struct hal_vcpu *vcpu, struct vgic_bank *bank, uint32_t intid, uint64_t state)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const uint32_t bit = BIT32((intid & VGIC_N_MASK));

    if (vgic_is_v2_sgi(intid)) {
        const uint32_t sources = vgic->sgi_source[intid];

        if ((state == 0u) && (sources != 0u)) {
            vgic->sgi_from[intid] = (uint8_t)vgic_first(sources);
        }
        if ((sources & BIT32((vgic->sgi_from[intid] & 7u))) == 0u) {
            return state;
        }
        vgic->sgi_source[intid] = (uint8_t)(sources & ~BIT32((vgic->sgi_from[intid] & 7u)));
        bank->latch = (vgic->sgi_source[intid] != 0u) ? (bank->latch | bit) : (bank->latch & ~bit);
    } else {
        bank->latch &= ~bit;
    }
    return state | GIC_LR_PENDING;
}

static void vgic_give_back_edge(struct hal_vcpu *vcpu, struct vgic_bank *bank, uint32_t intid)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;

    bank->latch |= BIT32((intid & VGIC_N_MASK));
    if (vgic_is_v2_sgi(intid)) {
        vgic->sgi_source[intid] |= (uint8_t)BIT32((vgic->sgi_from[intid] & 7u));
    }
}

/* A shared interrupt may now be somebody else's to show. */
static void vgic_release_shared(struct hal_vcpu *vcpu, const struct vgic_bank *bank, uint32_t intid)
{
    struct vgic_shared *shared = vcpu->domain->arm.vgic;
    const uint32_t number = (intid / VGIC_BANK_IRQS) - 1u;
    const uint32_t bit = BIT32((intid & VGIC_N_MASK));

    if ((((vgic_deliverable(shared, bank) | bank->active) & bit) != 0u)) {
        vcpu->arm.vgic.spi_banks |= BIT32((number & 31u));
        if (!vgic_is_mine(vcpu, intid)) {
            vgic_notify(vcpu->domain, number, bit);
        }
    }
}

/* The list register is free; hw: what is still in it. */
static void vgic_free_slot(struct hal_vcpu *vcpu, uint32_t slot, struct vgic_bank *bank, uint64_t hw)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const uint32_t intid = (uint32_t)(vgic->lr[slot] & GIC_LR_VINTID);
    const uint32_t bit = BIT32((intid & VGIC_N_MASK));

    if ((hw & (GIC_LR_STATE | GIC_LR_EOI)) != 0u) {
        gic_lr_write(slot, 0u);
    }
    vgic->lr[slot] = 0u;
    vgic->lr_used &= ~BIT32(slot);
    vgic->lr_spi &= ~BIT32(slot);
    vgic->drop_pending &= ~BIT32(slot);
    vgic->set_active &= ~BIT32(slot);
    vgic->clear_active &= ~BIT32(slot);
    bank->resident &= ~bit;
    bank->shown &= ~bit;
    if (vgic_is_linked(vcpu->domain, intid) && (((bank->latch | bank->active) & bit) == 0u) &&
        (((hw & GIC_LR_STATE) != 0u) || gic_is(gic_host.version, 2u))) {
        vgic_line_end(vcpu->domain, intid);
    }
    if (intid >= GIC_PRIVATE) {
        vgic_release_shared(vcpu, bank, intid);
    }
}

uint64_t vgic_apply_requests(struct vgic_vcpu *vgic, uint32_t slot, uint64_t state)
{
    const uint32_t bit = BIT32(slot);
    uint64_t result = state;

    if (((vgic->drop_pending | vgic->set_active | vgic->clear_active) & bit) != 0u) {
        result &= ((vgic->drop_pending & bit) != 0u) ? ~GIC_LR_PENDING : ~0ULL;
        result |= ((vgic->set_active & bit) != 0u) ? GIC_LR_ACTIVE : 0u;
        result &= ((vgic->clear_active & bit) != 0u) ? ~GIC_LR_ACTIVE : ~0ULL;
        vgic->drop_pending &= ~bit;
        vgic->set_active &= ~bit;
        vgic->clear_active &= ~bit;
    }
    return result;
}

/* What the state of a resident interrupt has to be, given enables, groups, line and latch. */
static uint64_t vgic_judge(struct hal_vcpu *vcpu, struct vgic_bank *bank, uint32_t intid, uint64_t state)
{
    const uint32_t bit = BIT32((intid & VGIC_N_MASK));
    const bool is_edge = (bank->edge & bit) != 0u;
    const bool may_show = ((bank->enabled & vgic_group_mask(vcpu->domain->arm.vgic, bank) & bit) != 0u) &&
                          vgic_is_mine(vcpu, intid);
    uint64_t result = state;

    if (is_edge) {
        if (!may_show && ((state & GIC_LR_PENDING) != 0u)) {
            vgic_give_back_edge(vcpu, bank, intid);
            result &= ~GIC_LR_PENDING;
        } else if (may_show && ((bank->latch & bit) != 0u)) {
            result = vgic_take_edge(vcpu, bank, intid, state);
        } else {
            /* as it is */
        }
    } else if (!may_show || ((vgic_pending(bank) & bit) == 0u)) {
        result &= ~GIC_LR_PENDING;
    } else if (((bank->latch & bit) != 0u) || (state == 0u)) {
        result |= GIC_LR_PENDING;
    } else {
        /* active, and asserted again: the guest's EOI brings it up */
    }
    return result;
}

void vgic_sync_slot(struct hal_vcpu *vcpu, uint32_t slot)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const uint64_t was = vgic->lr[slot];
    const uint64_t hw = gic_lr_read(slot);
    const uint32_t intid = (uint32_t)(was & GIC_LR_VINTID);
    const uint32_t bit = BIT32((intid & VGIC_N_MASK));
    struct vgic_bank *bank = vgic_bank_of(vcpu, intid);
    uint64_t state = hw & GIC_LR_STATE;

    if ((((was & ~state) & GIC_LR_PENDING) != 0u) && ((bank->edge & bit) == 0u)) {
        bank->latch &= ~bit; /* it was taken */
    }
    state = vgic_apply_requests(vgic, slot, state);
    state = vgic_judge(vcpu, bank, intid, state);
    bank->active = ((state & GIC_LR_ACTIVE) != 0u) ? (bank->active | bit) : (bank->active & ~bit);
    if (state == 0u) {
        vgic_free_slot(vcpu, slot, bank, hw);
        return;
    }
    bank->shown = ((state & GIC_LR_PENDING) != 0u) ? (bank->shown | bit) : (bank->shown & ~bit);
    const uint64_t value = vgic_compose(vcpu, bank, intid, state);

    if (value != hw) {
        gic_lr_write(slot, value);
    }
    vgic->lr[slot] = value;
}

/* All of a list register's state goes back to memory. */
static void vgic_pull_slot(struct hal_vcpu *vcpu, uint32_t slot)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const uint32_t intid = (uint32_t)(vgic->lr[slot] & GIC_LR_VINTID);
    struct vgic_bank *bank = vgic_bank_of(vcpu, intid);

    vgic_sync_slot(vcpu, slot);
    if ((vgic->lr_used & BIT32(slot)) != 0u) {
        const uint64_t value = vgic->lr[slot];

        if (((value & GIC_LR_PENDING) != 0u) && ((bank->edge & BIT32((intid & VGIC_N_MASK))) != 0u)) {
            vgic_give_back_edge(vcpu, bank, intid);
        }
        vgic_free_slot(vcpu, slot, bank, value);
    }
}

void vgic_pull(struct hal_vcpu *vcpu)
{
    uint32_t used = vcpu->arm.vgic.lr_used;

    while (used != 0u) { /* at most VGIC_LRS_MAX */
        vgic_pull_slot(vcpu, bits_take(&used) & VGIC_SLOT_MASK);
    }
}

void vgic_place(struct hal_vcpu *vcpu, uint32_t slot, uint32_t intid)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    struct vgic_bank *bank = vgic_bank_of(vcpu, intid);
    const uint32_t bit = BIT32((intid & VGIC_N_MASK));
    uint64_t state = ((bank->active & bit) != 0u) ? GIC_LR_ACTIVE : 0u;

    state = vgic_judge(vcpu, bank, intid, state);
    if (state == 0u) {
        return;
    }
    bank->resident |= bit;
    bank->shown |= ((state & GIC_LR_PENDING) != 0u) ? bit : 0u;
    vgic->lr_used |= BIT32(slot);
    if (intid < GIC_PRIVATE) {
        vgic->lr_of[intid] = (uint8_t)slot;
    } else {
        vgic->lr_spi |= BIT32(slot);
        vcpu->domain->arm.vgic->home[intid - GIC_PRIVATE] = (uint8_t)vcpu->index;
    }
    vgic->lr[slot] = vgic_compose(vcpu, bank, intid, state);
    gic_lr_write(slot, vgic->lr[slot]);
}
