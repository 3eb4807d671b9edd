/* Emulated interrupt controller: what is shown to the guest through the list registers of the CPU.
 * An edge's pending state moves into the list register; a level's stays in memory and is dropped when it was taken. A level
 * that is still asserted asks for a maintenance interrupt at the guest's end of interrupt (EOI), and is shown again. */
#include "arch/arm/vgic.h"

#include "arch/arm/gic.h"
#include "arch/arm/vtimer.h"
#include "base/percpu.h"
#include "hal/sync.h"
#include "hal/upcall.h"

#define VGIC_SLOT_MASK (VGIC_LRS_MAX - 1u)
#define VGIC_N_MASK    (VGIC_BANK_IRQS - 1u)

/* An interrupt that wants a list register; smaller rank first. Pending ones come before those that are only active: the
 * latter can be ended without one (IHI 0069H 4.8, ICH_HCR_EL2.EOIcount). */
struct vgic_pick {
    uint16_t intid;
    uint16_t rank;
};

#define VGIC_RANK_ACTIVE 0x100u

struct vgic_choice {
    uint32_t room;
    uint32_t count;
    bool drops_pending;
    bool drops_active;
    struct vgic_pick pick[VGIC_LRS_MAX];
};

static uint32_t vgic_slots(void)
{
    return (BIT32((gic_host.nr_lrs & 31u)) - 1u) & ~BIT32(VGIC_LR_TIMER);
}

static bool vgic_is_v2_sgi(uint32_t intid)
{
    return (intid < GIC_SGIS) && (gic_host.version == 2u);
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
    if (vgic_is_v2_sgi(intid)) {
        value |= (uint64_t)vcpu->arm.vgic.sgi_from[intid] << GIC_LR_SOURCE_LOW;
        value |= (vcpu->arm.vgic.sgi_source[intid] != 0u) ? GIC_LR_EOI : 0u;
    }
    return value;
}

/* An edge leaves memory for a list register in `state`; answers the new state. GICv2 shows an SGI of one sender at a time. */
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
    if (intid >= GIC_PRIVATE) {
        vgic_release_shared(vcpu, bank, intid);
    }
}

/* A guest's writes that concern the list register. */
static uint64_t vgic_apply_requests(struct vgic_vcpu *vgic, uint32_t slot, uint64_t state)
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

static void vgic_sync_slot(struct hal_vcpu *vcpu, uint32_t slot)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const uint64_t was = vgic->lr[slot];
    const uint64_t hw = gic_lr_read(slot);
    const uint32_t intid = (uint32_t)(was & GIC_LR_VINTID);
    const uint32_t bit = BIT32((intid & VGIC_N_MASK));
    struct vgic_bank *bank = vgic_bank_of(vcpu, intid);
    uint64_t state = hw & GIC_LR_STATE;
    uint64_t value;

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
    value = vgic_compose(vcpu, bank, intid, state);
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

static void vgic_pull(struct hal_vcpu *vcpu)
{
    uint32_t used = vcpu->arm.vgic.lr_used;

    while (used != 0u) { /* at most VGIC_LRS_MAX */
        vgic_pull_slot(vcpu, vgic_first(used) & VGIC_SLOT_MASK);
        used &= used - 1u;
    }
}

/* Puts an interrupt that is pending, active or both into a free list register. */
static void vgic_place(struct hal_vcpu *vcpu, uint32_t slot, uint32_t intid)
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

static uint32_t vgic_private_fresh(const struct hal_vcpu *vcpu)
{
    const struct vgic_bank *bank = &vcpu->arm.vgic.priv;
    const uint32_t deliverable = vgic_deliverable(vcpu->domain->arm.vgic, bank);

    return (deliverable | bank->active) & ~bank->resident & ~VGIC_VTIMER_BIT;
}

/* Brings private interrupts up without looking at the others. False if that is not enough. */
static bool vgic_fill_private(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    struct vgic_bank *bank = &vgic->priv;
    uint32_t again = vgic_deliverable(vcpu->domain->arm.vgic, bank) & bank->resident;
    uint32_t fresh = vgic_private_fresh(vcpu);

    while (again != 0u) { /* at most 32 */
        const uint32_t n = vgic_first(again);
        const uint32_t slot = vgic->lr_of[n] & VGIC_SLOT_MASK;

        again &= again - 1u;
        if (((bank->latch & BIT32(n)) != 0u) || ((vgic->lr[slot] & GIC_LR_EOI) == 0u)) {
            vgic_sync_slot(vcpu, slot);
        }
    }
    while (fresh != 0u) { /* at most 32 */
        const uint32_t room = vgic_slots() & ~vgic->lr_used;

        if (room == 0u) {
            return false;
        }
        vgic_place(vcpu, vgic_first(room), vgic_first(fresh));
        fresh &= fresh - 1u;
    }
    return vgic->hcr == GIC_HCR_EN;
}

/* Keeps the best `room` candidates, sorted. */
static void vgic_consider(struct vgic_choice *choice, uint32_t intid, uint32_t rank)
{
    const struct vgic_pick pick = { (uint16_t)intid, (uint16_t)rank };
    struct vgic_pick out = pick;
    uint32_t at = choice->count;

    if (choice->count == choice->room) {
        if ((choice->room != 0u) && (rank < choice->pick[choice->room - 1u].rank)) {
            out = choice->pick[choice->room - 1u];
            at = choice->room - 1u;
        }
        choice->drops_pending = choice->drops_pending || (out.rank < VGIC_RANK_ACTIVE);
        choice->drops_active = choice->drops_active || (out.rank >= VGIC_RANK_ACTIVE);
        if (at == choice->room) {
            return;
        }
    } else {
        choice->count++;
    }
    while ((at > 0u) && (choice->pick[at - 1u].rank > rank)) { /* at most VGIC_LRS_MAX */
        choice->pick[at] = choice->pick[at - 1u];
        at--;
    }
    choice->pick[at] = pick;
}

static void vgic_consider_bank(struct vgic_choice *choice, const struct vgic_bank *bank, uint32_t bits,
                               uint32_t deliverable, uint32_t first)
{
    uint32_t left = bits;

    while (left != 0u) { /* at most 32 */
        const uint32_t n = vgic_first(left);
        const uint32_t active = ((deliverable & ~bank->active & BIT32(n)) != 0u) ? 0u : VGIC_RANK_ACTIVE;

        left &= left - 1u;
        vgic_consider(choice, first + n, active | bank->priority[n]);
    }
}

/* Of a bank of shared interrupts, those that this vCPU has to show and that no list register holds. */
static uint32_t vgic_shared_fresh(const struct hal_vcpu *vcpu, uint32_t number)
{
    const struct vgic_shared *shared = vcpu->domain->arm.vgic;
    const struct vgic_bank *bank = &shared->spi[number];
    uint32_t left = (vgic_deliverable(shared, bank) | bank->active) & ~bank->resident;
    uint32_t fresh = 0u;

    while (left != 0u) { /* at most 32 */
        const uint32_t n = vgic_first(left);
        const uint32_t spi = (number * VGIC_BANK_IRQS) + n;
        const uint32_t owner =
            ((bank->active & BIT32(n)) != 0u) ? shared->home[spi] : vgic_target(vcpu->domain, spi);

        left &= left - 1u;
        fresh |= (owner == vcpu->index) ? BIT32(n) : 0u;
    }
    return fresh;
}

static void vgic_gather(struct hal_vcpu *vcpu, struct vgic_choice *choice, uint32_t room)
{
    struct vgic_shared *shared = vcpu->domain->arm.vgic;
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    uint32_t banks = vgic->spi_banks;

    choice->room = room;
    choice->count = 0u;
    choice->drops_pending = false;
    choice->drops_active = false;
    vgic_consider_bank(choice, &vgic->priv, vgic_private_fresh(vcpu), vgic_deliverable(shared, &vgic->priv),
                       0u);
    while (banks != 0u) { /* at most VGIC_SPI_BANKS */
        const uint32_t number = vgic_first(banks);
        const struct vgic_bank *bank = &shared->spi[number];
        const uint32_t fresh = vgic_shared_fresh(vcpu, number);

        banks &= banks - 1u;
        if (fresh == 0u) {
            vgic->spi_banks &= ~BIT32(number);
        }
        vgic_consider_bank(choice, bank, fresh, vgic_deliverable(shared, bank),
                           (number + 1u) * VGIC_BANK_IRQS);
    }
}

/* How many list registers in use can be emptied? Those that the guest is done with need no overflow handling. */
static void vgic_reclaim(struct hal_vcpu *vcpu)
{
    uint32_t done = gic_lr_empty() & vcpu->arm.vgic.lr_used;

    while (done != 0u) { /* at most VGIC_LRS_MAX */
        vgic_sync_slot(vcpu, vgic_first(done) & VGIC_SLOT_MASK);
        done &= done - 1u;
    }
}

/* The active interrupt without a list register that the guest ends first: the one of highest priority. 0: none. */
static uint32_t vgic_best_evicted(const struct hal_vcpu *vcpu)
{
    const struct vgic_shared *shared = vcpu->domain->arm.vgic;
    const struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    struct vgic_choice choice = { .room = 1u };
    uint32_t banks = vgic->spi_banks;

    vgic_consider_bank(&choice, &vgic->priv, vgic->priv.active & ~vgic->priv.resident & ~VGIC_VTIMER_BIT, 0u,
                       0u);
    while (banks != 0u) { /* at most VGIC_SPI_BANKS */
        const uint32_t number = vgic_first(banks);
        const struct vgic_bank *bank = &shared->spi[number];

        banks &= banks - 1u;
        vgic_consider_bank(&choice, bank, vgic_shared_fresh(vcpu, number) & bank->active, 0u,
                           (number + 1u) * VGIC_BANK_IRQS);
    }
    return (choice.count != 0u) ? (uint32_t)choice.pick[0].intid + 1u : 0u;
}

/* Ends of interrupts that met no list register. */
static void vgic_take_eois(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    uint32_t count;

    if ((vgic->hcr & GIC_HCR_LRENPIE) == 0u) {
        return;
    }
    count = gic_hcr_read() >> GIC_HCR_EOICOUNT_LOW;
    if (count != 0u) {
        gic_hcr_write(vgic->hcr);
    }
    while (count != 0u) { /* at most 31 */
        const uint32_t found = vgic_best_evicted(vcpu);

        if (found != 0u) {
            vgic_bank_of(vcpu, found - 1u)->active &= ~BIT32(((found - 1u) & VGIC_N_MASK));
        }
        count--;
    }
}

/* Shows as much as there is room for. The lock is held. */
static void vgic_fill(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    struct vgic_choice choice;
    uint32_t hcr = GIC_HCR_EN;
    uint32_t n;

    if (vgic_fill_private(vcpu) && (vgic->spi_banks == 0u)) {
        return;
    }
    vgic_take_eois(vcpu);
    vgic_gather(vcpu, &choice, (uint32_t)__builtin_popcount(vgic_slots() & ~vgic->lr_used));
    if (choice.drops_pending || choice.drops_active) {
        vgic_reclaim(vcpu);
        vgic_gather(vcpu, &choice, (uint32_t)__builtin_popcount(vgic_slots() & ~vgic->lr_used));
    }
    if (choice.drops_pending || choice.drops_active) {
        vgic_pull(vcpu);
        vgic_gather(vcpu, &choice, gic_host.nr_lrs - 1u);
    }
    for (n = 0u; n < choice.count; n++) { /* at most VGIC_LRS_MAX - 1 */
        const uint32_t room = vgic_slots() & ~vgic->lr_used;

        if (room != 0u) {
            vgic_place(vcpu, vgic_first(room), choice.pick[n].intid);
        }
    }
    hcr |= choice.drops_pending ? GIC_HCR_NPIE : 0u;
    hcr |= choice.drops_active ? GIC_HCR_LRENPIE : 0u;
    if (hcr != vgic->hcr) {
        vgic->hcr = hcr;
        gic_hcr_write(hcr);
    }
}

/* -- The virtual timer's interrupt --------------------------------------------------------------------------------- */

static uint64_t vgic_vtimer_pending_lr(const struct vgic_vcpu *vgic)
{
    uint64_t value = GIC_LR_PENDING | GIC_LR_HW | ARM_GUEST_PPI_VIRT_TIMER;

    value |= (uint64_t)gic_host.vtimer_irq << GIC_LR_PINTID_LOW;
    value |= (uint64_t)vgic->priv.priority[ARM_GUEST_PPI_VIRT_TIMER] << GIC_LR_PRIO_LOW;
    value |= ((vgic->priv.group1 & VGIC_VTIMER_BIT) != 0u) ? GIC_LR_GROUP1 : 0u;
    return value;
}

static bool vgic_vtimer_may_show(const struct hal_vcpu *vcpu)
{
    const struct vgic_bank *bank = &vcpu->arm.vgic.priv;

    return (bank->enabled & vgic_group_mask(vcpu->domain->arm.vgic, bank) & VGIC_VTIMER_BIT) != 0u;
}

/* The state that the timer's list register has to have. is_linked: the physical interrupt is active because of it. */
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

static void vgic_vtimer_note(struct hal_vcpu *vcpu, uint64_t state, bool is_asserted)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    struct vgic_bank *bank = &vgic->priv;
    const bool is_latched = (bank->latch & VGIC_VTIMER_BIT) != 0u;

    bank->line = is_asserted ? (bank->line | VGIC_VTIMER_BIT) : (bank->line & ~VGIC_VTIMER_BIT);
    bank->shown =
        (state == GIC_LR_PENDING) ? (bank->shown | VGIC_VTIMER_BIT) : (bank->shown & ~VGIC_VTIMER_BIT);
    bank->active =
        (state == GIC_LR_ACTIVE) ? (bank->active | VGIC_VTIMER_BIT) : (bank->active & ~VGIC_VTIMER_BIT);
    vgic->vtimer_lr = (vgic_vtimer_may_show(vcpu) && !is_latched) ? vgic_vtimer_pending_lr(vgic) : 0u;
}

static void vgic_vtimer_write(const struct vgic_vcpu *vgic, uint64_t state)
{
    const uint64_t value = (vgic_vtimer_pending_lr(vgic) & ~GIC_LR_STATE) | state;

    gic_lr_write(VGIC_LR_TIMER, (state != 0u) ? value : 0u);
}

/* The physical interrupt is active exactly as long as the list register holds the virtual one, or it is held. */
static void vgic_vtimer_sync(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    struct vgic_bank *bank = &vgic->priv;
    const uint64_t state = gic_lr_read(VGIC_LR_TIMER) & GIC_LR_STATE;
    const bool is_asserted = vtimer_is_asserted_here();
    const bool is_linked = (state != 0u) || vgic->is_vtimer_held;
    uint64_t next;

    if (((bank->shown & VGIC_VTIMER_BIT) != 0u) && ((state & GIC_LR_PENDING) == 0u)) {
        bank->latch &= ~VGIC_VTIMER_BIT; /* it was taken */
    }
    vgic->drop_pending &=
        ~BIT32(VGIC_LR_TIMER); /* the latch is cleared already, and a line that is asserted stays */
    next = vgic_apply_requests(vgic, VGIC_LR_TIMER, state);
    next = vgic_vtimer_next(vcpu, next, is_asserted, is_linked);
    vgic->is_vtimer_held = is_linked && (next == 0u) && is_asserted;
    if ((next != 0u) && !is_linked) {
        gic_private_set_active(gic_host.vtimer_irq);
    }
    if (is_linked && (next == 0u) && !is_asserted) {
        gic_deactivate(gic_host.vtimer_irq);
    }
    if ((next != state) || (next == GIC_LR_PENDING)) { /* a pending one follows priority and group */
        vgic_vtimer_write(vgic, next);
    }
    vgic_vtimer_note(vcpu, next, is_asserted);
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
            return true;
        }
    }
    return vgic_vtimer_fired_slow(vcpu);
}

static void vgic_vtimer_load(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const bool is_asserted = vtimer_is_asserted(vcpu);
    const bool is_active = (vgic->priv.active & VGIC_VTIMER_BIT) != 0u;
    const uint64_t next = vgic_vtimer_next(vcpu, is_active ? GIC_LR_ACTIVE : 0u, is_asserted, true);

    /* The line rises only when the timer is loaded: linked by now, it does not interrupt us on the way in. */
    vgic->is_vtimer_held = (next == 0u) && is_asserted;
    if ((next != 0u) || is_asserted) {
        gic_private_set_active(gic_host.vtimer_irq);
    }
    vgic_vtimer_write(vgic, next);
    vgic_vtimer_note(vcpu, next, is_asserted);
}

/* The timer is off already: with the line low, deactivation leaves nothing behind for the next vCPU. */
static void vgic_vtimer_save(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const uint64_t state = gic_lr_read(VGIC_LR_TIMER) & GIC_LR_STATE;

    if (((vgic->priv.shown & VGIC_VTIMER_BIT) != 0u) && ((state & GIC_LR_PENDING) == 0u)) {
        vgic->priv.latch &= ~VGIC_VTIMER_BIT;
    }
    if ((state != 0u) || vgic->is_vtimer_held) {
        gic_deactivate(gic_host.vtimer_irq);
        gic_lr_write(VGIC_LR_TIMER, 0u);
    }
    vgic->is_vtimer_held = false;
    vgic_vtimer_note(vcpu, state & GIC_LR_ACTIVE, false);
}

/* -- Whole vCPUs --------------------------------------------------------------------------------------------------- */

void vgic_sync(struct hal_vcpu *vcpu)
{
    uint32_t used = vcpu->arm.vgic.lr_used;

    while (used != 0u) { /* at most VGIC_LRS_MAX */
        vgic_sync_slot(vcpu, vgic_first(used) & VGIC_SLOT_MASK);
        used &= used - 1u;
    }
    vgic_vtimer_sync(vcpu);
}

void vgic_refresh(struct hal_vcpu *vcpu)
{
    if (!vgic_fill_private(vcpu)) {
        const uint64_t flags = vgic_lock(vcpu->domain);

        vgic_fill(vcpu);
        vgic_unlock(vcpu->domain, flags);
    }
}

void vgic_set_ptimer(struct hal_vcpu *vcpu, bool level)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    struct vgic_bank *bank = &vgic->priv;
    const bool was = (bank->line & VGIC_PTIMER_BIT) != 0u;

    bank->line = level ? (bank->line | VGIC_PTIMER_BIT) : (bank->line & ~VGIC_PTIMER_BIT);
    if (was && !level && ((bank->resident & VGIC_PTIMER_BIT) != 0u)) {
        vgic_sync_slot(vcpu, vgic->lr_of[ARM_GUEST_PPI_PHYS_TIMER] & VGIC_SLOT_MASK);
    }
    if (level && !was) {
        vgic_refresh(vcpu);
    }
}

/* SGIs that others sent. */
static void vgic_take_sgis(struct vgic_vcpu *vgic, uint32_t sgis)
{
    uint32_t word;
    uint32_t n;

    if (gic_host.version != 2u) {
        vgic->priv.latch |= sgis;
        return;
    }
    for (word = 0u; (sgis != 0u) && (word < 2u); word++) {
        const uint64_t senders = hal_exchange64(&vgic->sgi_in[word], 0u);

        for (n = 0u; n < 8u; n++) {
            const uint8_t set = (uint8_t)(senders >> (n * 8u));

            vgic->sgi_source[(word * 8u) + n] |= set;
            vgic->priv.latch |= (set != 0u) ? BIT32(((word * 8u) + n)) : 0u;
        }
    }
}

static void vgic_take_remote(struct hal_vcpu *vcpu)
{
    uint32_t kind;

    for (kind = 0u; kind < ARRAY_LEN(vcpu->arm.vgic.remote); kind++) {
        const uint64_t bits = hal_exchange64(&vcpu->arm.vgic.remote[kind], 0u);

        vgic_write_private(vcpu, 2u + (kind * 2u), (uint32_t)bits);
        vgic_write_private(vcpu, 3u + (kind * 2u), (uint32_t)(bits >> 32u));
    }
    vgic_sync(vcpu);
}

/* The part of the inbox that needs the lock. */
static void vgic_work_locked(struct hal_vcpu *vcpu, uint64_t in)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;

    if ((in & (VGIC_IN_REFILL | VGIC_IN_REMOTE)) != 0u) {
        vgic_take_eois(vcpu);
        vgic_sync(vcpu);
    }
    if ((in & VGIC_IN_REMOTE) != 0u) {
        vgic_take_remote(vcpu);
    }
    vgic_fill(vcpu);
    hal_store_release32(&vgic->sync_wanted, 0u);
}

void vgic_work(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    uint64_t flags;
    uint64_t in;

    if (vgic->inbox == 0u) {
        return;
    }
    in = hal_exchange64(&vgic->inbox, 0u);
    vgic_take_sgis(vgic, (uint32_t)(in & VGIC_IN_SGIS));
    if (((in & ~VGIC_IN_SGIS) == 0u) && vgic_fill_private(vcpu)) {
        return;
    }
    flags = vgic_lock(vcpu->domain);
    vgic_work_locked(vcpu, in);
    vgic_unlock(vcpu->domain, flags);
}

void vgic_maintain(struct hal_vcpu *vcpu)
{
    uint64_t flags;

    if (vcpu == NULL) {
        gic_hcr_write(0u);
        return;
    }
    flags = vgic_lock(vcpu->domain);
    vgic_work_locked(vcpu, VGIC_IN_REFILL);
    vgic_unlock(vcpu->domain, flags);
}

void vgic_load(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;

    gic_interface_load(vgic);
    vgic->hcr = GIC_HCR_EN;
    gic_hcr_write(vgic->hcr);
    gic_this_cpu()->loaded = vcpu;
    vgic->loaded = cpu_id() + 1u;
    hal_barrier(); /* from now on who finds us loaded sends an IPI; what came before is in the inbox */
    vgic_vtimer_load(vcpu);
    vgic->priv.line = vtimer_physical_line(vcpu) ? (vgic->priv.line | VGIC_PTIMER_BIT)
                                                 : (vgic->priv.line & ~VGIC_PTIMER_BIT);
    vgic_work(vcpu);
    if (!vgic_fill_private(vcpu) || (vgic->spi_banks != 0u)) {
        const uint64_t flags = vgic_lock(vcpu->domain);

        vgic_fill(vcpu);
        vgic_unlock(vcpu->domain, flags);
    }
}

void vgic_save(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const bool needs_lock = (vgic->lr_spi != 0u) || (vgic->hcr != GIC_HCR_EN);
    uint64_t flags;

    if (needs_lock) {
        flags = vgic_lock(vcpu->domain);
        vgic_take_eois(vcpu);
        vgic_pull(vcpu);
        vgic_unlock(vcpu->domain, flags);
    } else {
        vgic_pull(vcpu);
    }
    vgic_vtimer_save(vcpu);
    gic_interface_save(vgic);
    gic_hcr_write(0u);
    vgic->hcr = 0u;
    gic_this_cpu()->loaded = NULL;
    hal_store_release32(&vgic->loaded, 0u);
    hal_store_release32(&vgic->sync_wanted, 0u);
}
