/* Emulated interrupt controller: which interrupts a vCPU's list registers show. Usually there is room for
 * all; if not, the most urgent are chosen, and a maintenance interrupt tells when the guest has taken
 * them. */
#include "arch/arm/vgic_lr.h"
#include "arm_sysregs.h"

/* An interrupt that wants a list register; smaller rank first. Pending ones come before those that are only
 * active: the latter can be ended without one (IHI 0069H 4.8, ICH_HCR_EL2.EOIcount). */
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

static uint32_t vgic_private_fresh(const struct hal_vcpu *vcpu)
{
    const struct vgic_bank *bank = &vcpu->arm.vgic.priv;
    const uint32_t deliverable = vgic_deliverable(vcpu->domain->arm.vgic, bank);

    return (deliverable | bank->active) & ~bank->resident & ~VGIC_VTIMER_BIT;
}

/* What an edge's list register holds is right until something asks for it to be judged again, and that
 * happens before the guest goes on; so it is written once more, as it was. Memory learns about it with the
 * next look at the list register. */
static bool vgic_show_again(struct hal_vcpu *vcpu, uint32_t n)
{
    const struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const uint32_t slot = vgic->lr_of[n] & VGIC_SLOT_MASK;
    const bool is_done = (arm_ich_elrsr_read() & BIT32(slot)) != 0u;

    if (is_done) {
        gicv3_lr_write(slot, (vgic->lr[slot] & ~GIC_LR_STATE) | GIC_LR_PENDING);
    }
    return is_done;
}

bool vgic_show_edge(struct hal_vcpu *vcpu, uint32_t n)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    struct vgic_bank *bank = &vgic->priv;
    const uint32_t intid = n & VGIC_N_MASK;
    const uint32_t bit = BIT32(intid);

    if ((bank->resident & bit) != 0u) {
        return vgic_show_again(vcpu, intid);
    }
    const uint32_t room = vgic_slots() & ~vgic->lr_used;

    if ((room == 0u) || ((bank->enabled & vgic_group_mask(vcpu->domain->arm.vgic, bank) & ~bank->active &
                          ~bank->latch & bit) == 0u)) {
        return false;
    }
    const uint32_t slot = vgic_first(room);

    bank->resident |= bit;
    vgic->lr_used |= BIT32(slot);
    vgic->lr_of[intid] = (uint8_t)slot;
    vgic->lr[slot] = GIC_LR_PENDING | intid | ((uint64_t)bank->priority[intid] << GIC_LR_PRIO_LOW) |
                     (((bank->group1 & bit) != 0u) ? GIC_LR_GROUP1 : 0u);
    gicv3_lr_write(slot, vgic->lr[slot]);
    return true;
}

bool vgic_fill_private(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    struct vgic_bank *bank = &vgic->priv;
    uint32_t again = vgic_deliverable(vcpu->domain->arm.vgic, bank) & bank->resident;
    uint32_t fresh = vgic_private_fresh(vcpu);

    while (again != 0u) { /* at most 32 */
        const uint32_t n = bits_take(&again);
        const uint32_t slot = vgic->lr_of[n] & VGIC_SLOT_MASK;

        if (((bank->latch & BIT32(n)) != 0u) || ((vgic->lr[slot] & GIC_LR_EOI) == 0u)) {
            vgic_sync_slot(vcpu, slot);
        }
    }
    while (fresh != 0u) { /* at most 32 */
        const uint32_t room = vgic_slots() & ~vgic->lr_used;

        if (room == 0u) {
            return false;
        }
        vgic_place(vcpu, vgic_first(room), bits_take(&fresh));
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
        const uint32_t n = bits_take(&left);
        const uint32_t active = ((deliverable & ~bank->active & BIT32(n)) != 0u) ? 0u : VGIC_RANK_ACTIVE;

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
        const uint32_t n = bits_take(&left);
        const uint32_t spi = (number * VGIC_BANK_IRQS) + n;
        const uint32_t owner =
            ((bank->active & BIT32(n)) != 0u) ? shared->home[spi] : vgic_target(vcpu->domain, spi);

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
        const uint32_t number = bits_take(&banks);
        const struct vgic_bank *bank = &shared->spi[number];
        const uint32_t fresh = vgic_shared_fresh(vcpu, number);

        if (fresh == 0u) {
            vgic->spi_banks &= ~BIT32(number);
        }
        vgic_consider_bank(choice, bank, fresh, vgic_deliverable(shared, bank),
                           (number + 1u) * VGIC_BANK_IRQS);
    }
}

/* How many list registers in use can be emptied? Those that the guest is done with need no overflow
 * handling. */
static void vgic_reclaim(struct hal_vcpu *vcpu)
{
    uint32_t done = gic_lr_empty() & vcpu->arm.vgic.lr_used;

    while (done != 0u) { /* at most VGIC_LRS_MAX */
        vgic_sync_slot(vcpu, bits_take(&done) & VGIC_SLOT_MASK);
    }
}

/* The active interrupt without a list register that the guest ends first: the one of highest priority. 0:
 * none. */
static uint32_t vgic_best_evicted(const struct hal_vcpu *vcpu)
{
    const struct vgic_shared *shared = vcpu->domain->arm.vgic;
    const struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    struct vgic_choice choice = { .room = 1u };
    uint32_t banks = vgic->spi_banks;

    vgic_consider_bank(&choice, &vgic->priv, vgic->priv.active & ~vgic->priv.resident & ~VGIC_VTIMER_BIT, 0u,
                       0u);
    while (banks != 0u) { /* at most VGIC_SPI_BANKS */
        const uint32_t number = bits_take(&banks);
        const struct vgic_bank *bank = &shared->spi[number];

        vgic_consider_bank(&choice, bank, vgic_shared_fresh(vcpu, number) & bank->active, 0u,
                           (number + 1u) * VGIC_BANK_IRQS);
    }
    return (choice.count != 0u) ? (uint32_t)choice.pick[0].intid + 1u : 0u;
}

void vgic_take_eois(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;

    if ((vgic->hcr & GIC_HCR_LRENPIE) == 0u) {
        return;
    }
    uint32_t count = gic_hcr_read() >> GIC_HCR_EOICOUNT_LOW;

    if (count != 0u) {
        gic_hcr_write(vgic->hcr);
    }
    while (count != 0u) { /* at most 31 */
        const uint32_t found = vgic_best_evicted(vcpu);

        if (found != 0u) {
            vgic_bank_of(vcpu, found - 1u)->active &= ~BIT32(((found - 1u) & VGIC_N_MASK));
            if (vgic_is_linked(vcpu->domain, found - 1u)) {
                vgic_line_end(vcpu->domain, found - 1u);
            }
        }
        count--;
    }
}

void vgic_fill(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    struct vgic_choice choice;
    uint32_t hcr = GIC_HCR_EN;

    if (vgic_fill_private(vcpu) && (vgic->spi_banks == 0u)) {
        return;
    }
    vgic_take_eois(vcpu);
    vgic_gather(vcpu, &choice, bits_count32(vgic_slots() & ~vgic->lr_used));
    if (choice.drops_pending || choice.drops_active) {
        vgic_reclaim(vcpu);
        vgic_gather(vcpu, &choice, bits_count32(vgic_slots() & ~vgic->lr_used));
    }
    if (choice.drops_pending || choice.drops_active) {
        vgic_pull(vcpu);
        vgic_gather(vcpu, &choice, gic_host.nr_lrs - 1u);
    }
    for (uint32_t n = 0u; n < choice.count; n++) { /* at most VGIC_LRS_MAX - 1 */
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
