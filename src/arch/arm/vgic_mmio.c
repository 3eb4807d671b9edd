/* Emulated interrupt controller: the registers that GICv2's distributor, GICv3's distributor and its
 * redistributors share (IHI 0069H 12.8 to 12.11, IHI 0048B 4.3).
 *
 * Reads of pending and active state, and writes to them, have to know what list registers of other CPUs hold.
 * Such an access recalls that state: the CPUs concerned write it to memory on an IPI, and meanwhile the guest
 * executes the instruction again, so that nobody waits inside the hypervisor. */
#include "arch/arm/vgic.h"

#include "arch/arm/gic.h"

#define VGIC_REG_SHIFT 7u

#define VGIC_SYNC_TRIES 10000u /* then the answer is what memory says */

#define VGIC_ICFGR_IRQS 16u

static bool vgic_is_state_reg(uint32_t reg)
{
    return (reg >= VGIC_REG_ICENABLER) && (reg <= VGIC_REG_ICACTIVER);
}

static uint32_t vgic_read_bits(const struct vgic_bank *bank, uint32_t reg)
{
    switch (reg) {
    case VGIC_REG_IGROUPR:
        return bank->group1;
    case VGIC_REG_ISENABLER:
    case VGIC_REG_ICENABLER:
        return bank->enabled;
    case VGIC_REG_ISPENDR:
    case VGIC_REG_ICPENDR:
        return vgic_pending(bank) | bank->shown;
    default:
        return bank->active;
    }
}

/* The part of a write that memory takes at once: all of it, but for what a list register knows better. */
static void vgic_write_bits(struct vgic_bank *bank, uint32_t reg, uint32_t bits)
{
    switch (reg) {
    case VGIC_REG_IGROUPR:
        bank->group1 = bits;
        break;
    case VGIC_REG_ISENABLER:
        bank->enabled |= bits;
        break;
    case VGIC_REG_ICENABLER:
        bank->enabled &= ~bits;
        break;
    case VGIC_REG_ISPENDR:
        bank->latch |= bits;
        break;
    case VGIC_REG_ICPENDR:
        bank->latch &= ~bits;
        break;
    case VGIC_REG_ISACTIVER:
        bank->active |= bits & ~bank->resident;
        break;
    default:
        bank->active &= ~(bits & ~bank->resident);
        break;
    }
}

/* ... and that is asked of the list register `slot` of a vCPU. */
static void vgic_request(struct vgic_vcpu *vgic, uint32_t slot, uint32_t reg)
{
    const uint32_t bit = BIT32((slot & (VGIC_LRS_MAX - 1u)));

    switch (reg) {
    case VGIC_REG_ICPENDR:
        vgic->drop_pending |= bit;
        break;
    case VGIC_REG_ISACTIVER:
        vgic->set_active |= bit;
        vgic->clear_active &= ~bit;
        break;
    case VGIC_REG_ICACTIVER:
        vgic->clear_active |= bit;
        vgic->set_active &= ~bit;
        break;
    default:
        /* judging it again is enough */
        break;
    }
}

void vgic_write_private(struct hal_vcpu *vcpu, uint32_t reg, uint32_t bits)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    uint32_t left = bits & vgic->priv.resident;

    vgic_write_bits(&vgic->priv, reg, bits & ~VGIC_VTIMER_BIT);
    if (((bits & VGIC_VTIMER_BIT) !=
         0u)) { /* its list register is always the same, and looked at by every sync */
        if (reg < VGIC_REG_ISACTIVER) {
            vgic_write_bits(&vgic->priv, reg, VGIC_VTIMER_BIT);
        }
        vgic_request(vgic, VGIC_LR_TIMER, reg);
    }
    while (left != 0u) { /* at most 32 */
        vgic_request(vgic, vgic->lr_of[bits_take(&left)], reg);
    }
}

/* Under the lock: an interrupt in a list register of its home. */
static void vgic_request_shared(const struct hal_domain *domain, uint32_t intid, uint32_t reg)
{
    struct hal_vcpu *home = upcall_vcpu(domain, domain->arm.vgic->home[intid - GIC_PRIVATE]);
    uint32_t left = (home != NULL) ? home->arm.vgic.lr_spi : 0u;

    while (left != 0u) { /* at most VGIC_LRS_MAX */
        const uint32_t slot = bits_take(&left);

        if ((home->arm.vgic.lr[slot & (VGIC_LRS_MAX - 1u)] & GIC_LR_VINTID) == intid) {
            vgic_request(&home->arm.vgic, slot, reg);
        }
    }
}

/* Under the lock. number: bank of shared interrupts. */
static void vgic_write_shared(const struct vgic_access *access, uint32_t number, uint32_t reg, uint32_t asked)
{
    const struct hal_domain *domain = access->vcpu->domain;
    struct vgic_shared *shared = domain->arm.vgic;
    struct vgic_bank *bank = &shared->spi[number];
    const uint32_t bits =
        (vgic_linked(domain, number) != 0u) ? vgic_line_write(domain, number, reg, asked) : asked;
    uint32_t left = (reg == VGIC_REG_IGROUPR) ? 0u : (bits & ~bank->resident);

    if (reg == VGIC_REG_ISACTIVER) {
        while (left != 0u) { /* at most 32: they become active where they would be delivered */
            const uint32_t spi = (number * VGIC_BANK_IRQS) + bits_take(&left);

            if ((bank->active & BIT32((spi % VGIC_BANK_IRQS))) == 0u) {
                shared->home[spi] = (uint8_t)(vgic_target(domain, spi) & (HV_VCPUS_MAX - 1u));
            }
        }
    }
    vgic_write_bits(bank, reg, bits);
    left = (reg == VGIC_REG_IGROUPR) ? bank->resident : (bits & bank->resident);
    while (left != 0u) { /* at most 32 */
        vgic_request_shared(domain, ((number + 1u) * VGIC_BANK_IRQS) + bits_take(&left), reg);
    }
    vgic_notify(domain, number,
                (bank->resident | bank->active | vgic_deliverable(shared, bank)) &
                    ((reg == VGIC_REG_IGROUPR) ? UINT32_MAX : bits));
}

/* Asks all other CPUs that hold shared interrupts (or private ones of `owner`, if given) for their state.
 * Under the lock. True if there are any that have not answered. */
static bool vgic_recall(const struct vgic_access *access, struct hal_vcpu *owner, bool asks)
{
    struct vgic_shared *shared = access->vcpu->domain->arm.vgic;
    bool waits = false;

    for (uint32_t n = 0u; n < access->vcpu->domain->arm.nr_vcpus; n++) { /* at most HV_VCPUS_MAX */
        struct hal_vcpu *other = upcall_vcpu(access->vcpu->domain, n);
        bool has;

        if ((other == NULL) || (other == access->vcpu) ||
            (hal_load_acquire32(&other->arm.vgic.loaded) == 0u)) {
            continue;
        }
        has = (owner != NULL) ? (other == owner) : (other->arm.vgic.lr_spi != 0u);
        if (asks && has) {
            other->arm.vgic.sync_wanted = 1u;
            shared->recall[(n / 64u) & 1u] |= BIT64((n & 63u));
            waits = true;
        } else if (!asks && (hal_load_acquire32(&other->arm.vgic.sync_wanted) != 0u)) {
            waits = true;
        } else {
            /* nothing of interest there */
        }
    }
    return waits;
}

/* What tells an access from others at the same address: these registers have 32 bits. */
static uint64_t vgic_sync_value(const struct vgic_access *access)
{
    return access->write ? (BIT64(32) | (access->value & UINT32_MAX)) : 0u;
}

/* Second and later executions of an access that had to wait. True: it was one, and access->is_again says
 * whether it still waits. */
static bool vgic_continue(struct vgic_access *access)
{
    struct vgic_vcpu *vgic = &access->vcpu->arm.vgic;

    if ((vgic->sync_gpa != access->gpa) || (vgic->sync_value != vgic_sync_value(access))) {
        return false; /* a new one; an interrupt's handler may come in between with one of its own */
    }
    vgic->sync_tries++;
    access->is_again = (vgic->sync_tries < VGIC_SYNC_TRIES) && vgic_recall(access, NULL, false);
    if (!access->is_again) {
        vgic->sync_gpa = 0u;
    }
    return true;
}

static void vgic_begin_wait(struct vgic_access *access, struct hal_vcpu *owner)
{
    if (vgic_recall(access, owner, true)) {
        access->vcpu->arm.vgic.sync_gpa = access->gpa;
        access->vcpu->arm.vgic.sync_value = vgic_sync_value(access);
        access->vcpu->arm.vgic.sync_tries = 0u;
        access->is_again = true;
    }
}

static void vgic_shared_bits(struct vgic_access *access, uint32_t number, uint32_t reg)
{
    struct hal_vcpu *vcpu = access->vcpu;
    struct vgic_bank *bank = &vcpu->domain->arm.vgic->spi[number % VGIC_SPI_BANKS];
    const uint32_t valid =
        (number == (VGIC_SPI_BANKS - 1u)) ? 0x0FFFFFFFu : UINT32_MAX; /* 1020 .. 1023 are special */
    const uint64_t flags = vgic_lock(vcpu->domain);
    const bool is_state = vgic_is_state_reg(reg) && ((reg != VGIC_REG_ICENABLER) || access->write);

    if (!vgic_continue(access)) {
        const uint32_t others = bank->resident;

        if (access->write) {
            vgic_write_shared(access, number, reg, (uint32_t)access->value & valid);
        }
        if (is_state && (others != 0u)) {
            vgic_begin_wait(access, NULL);
        }
    }
    if (!access->write && !access->is_again) {
        if (is_state) {
            vgic_sync(vcpu);
        }
        access->value = vgic_read_bits(bank, reg) & valid;
        if ((reg == VGIC_REG_ISPENDR) || (reg == VGIC_REG_ICPENDR)) {
            access->value |= vgic_line_pending(vcpu->domain, number % VGIC_SPI_BANKS);
        }
    }
    vgic_unlock(vcpu->domain, flags);
}

/* The private interrupts of the vCPU that accesses them. */
static void vgic_own_bits(struct vgic_access *access, uint32_t reg)
{
    struct hal_vcpu *vcpu = access->vcpu;
    const uint32_t bits = (uint32_t)access->value;

    if (!access->write && !vgic_is_state_reg(reg)) {
        access->value = vgic_read_bits(&vcpu->arm.vgic.priv, reg);
        return;
    }
    const uint64_t flags = vgic_lock(vcpu->domain);

    vgic_sync(vcpu);
    if (access->write) {
        /* GICv2's SGIs are made pending by sender: GICD_SPENDSGIR (IHI 0048B 4.3.7) */
        const bool is_pending_reg = (reg == VGIC_REG_ISPENDR) || (reg == VGIC_REG_ICPENDR);
        const uint32_t fixed = (gic_is(gic_host.version, 2u) && is_pending_reg) ? VGIC_SGI_BITS : 0u;

        vgic_write_private(vcpu, reg, bits & ~fixed);
        if (reg == VGIC_REG_IGROUPR) {
            vcpu->arm.vgic.priv.group1 = bits;
        }
        vgic_sync(vcpu);
        (void)hal_fetch_or64(&vcpu->arm.vgic.inbox, VGIC_IN_SPIS); /* fill when the lock is free */
    } else {
        access->value = vgic_read_bits(&vcpu->arm.vgic.priv, reg);
    }
    vgic_unlock(vcpu->domain, flags);
}

/* Another vCPU's private interrupts (GICv3). What was asked of it and not taken up yet counts as done. */
static void vgic_remote_bits(struct vgic_access *access, struct hal_vcpu *owner, uint32_t reg)
{
    struct vgic_vcpu *vgic = &owner->arm.vgic;
    const uint64_t bits = access->value & UINT32_MAX;
    const uint32_t kind = (reg - VGIC_REG_ISENABLER) / 2u;
    uint64_t flags;

    if (reg == VGIC_REG_IGROUPR) {
        if (access->write) {
            vgic->priv.group1 = (uint32_t)bits;
            vgic_post(owner, VGIC_IN_REFILL);
        } else {
            access->value = vgic->priv.group1;
        }
    } else if (access->write) {
        const bool sets = (reg & 1u) == 0u;

        (void)hal_fetch_and64(&vgic->remote[kind % 3u], ~(sets ? (bits << 32u) : bits));
        (void)hal_fetch_or64(&vgic->remote[kind % 3u], sets ? bits : (bits << 32u));
        vgic_post(owner, VGIC_IN_REMOTE);
    } else {
        const uint64_t asked = vgic->remote[kind % 3u];

        flags = vgic_lock(owner->domain);
        if (!vgic_continue(access) && (kind != 0u)) {
            vgic_begin_wait(access, owner);
        }
        vgic_unlock(owner->domain, flags);
        access->value = (vgic_read_bits(&vgic->priv, reg) | (uint32_t)asked) & ~(uint32_t)(asked >> 32u);
    }
}

/* IPRIORITYR: bytes and words. A pending interrupt in a list register keeps its priority until it is judged
 * again. */
static void vgic_priorities(struct vgic_access *access, struct vgic_bank *bank, uint32_t first)
{
    uint64_t value = 0u;

    for (uint32_t n = 0u; n < access->width; n++) { /* at most 4 */
        uint8_t *priority = &bank->priority[(first + n) % VGIC_BANK_IRQS];

        if (access->write) {
            *priority = (uint8_t)((access->value >> (n * 8u)) & VGIC_PRIO_MASK);
        } else {
            value |= (uint64_t)*priority << (n * 8u);
        }
    }
    access->value = value;
}

/* ICFGR: two bits each, of which the upper says edge; private and physical interrupts are fixed. */
static void vgic_configure(struct vgic_access *access, struct vgic_bank *bank, uint32_t intid)
{
    const struct hal_domain *domain = access->vcpu->domain;
    const uint32_t shift = ((intid / VGIC_ICFGR_IRQS) & 1u) * VGIC_ICFGR_IRQS;
    uint32_t fixed = (intid < GIC_PRIVATE) ? UINT32_MAX : 0u;
    /* guests are told that events are a level, and some check it */
    uint32_t edges = (intid < GIC_PRIVATE) ? (bank->edge & ~VGIC_EVENT_BIT) : bank->edge;
    uint64_t value = 0u;

    if ((intid >= GIC_PRIVATE) && (domain->arm.lines != NULL)) {
        const uint32_t number = ((intid / VGIC_BANK_IRQS) - 1u) % VGIC_SPI_BANKS;

        fixed = domain->arm.lines->bank[number];
        edges &= ~domain->arm.lines->level[number];
    }
    edges = (edges >> shift) & 0xFFFFu;
    if (access->write) {
        edges = 0u;
        for (uint32_t n = 0u; n < VGIC_ICFGR_IRQS; n++) {
            edges |= (uint32_t)((access->value >> ((n * 2u) + 1u)) & 1u) << n;
        }
        fixed |= ~(0xFFFFu << shift);
        bank->edge = (bank->edge & fixed) | ((edges << shift) & ~fixed);
    } else {
        for (uint32_t n = 0u; n < VGIC_ICFGR_IRQS; n++) {
            value |= (uint64_t)((edges >> n) & 1u) << ((n * 2u) + 1u);
        }
        access->value = value;
    }
}

/* The 32-bit registers with a bit for each interrupt. */
static void vgic_bits_access(struct vgic_access *access, struct hal_vcpu *owner, bool has_shared)
{
    const uint32_t reg = access->offset >> VGIC_REG_SHIFT;
    const uint32_t bank = (access->offset & 0x7Fu) / 4u;

    if ((bank != 0u) && has_shared && (bank <= access->vcpu->domain->arm.vgic->nr_banks)) {
        vgic_shared_bits(access, bank - 1u, reg);
    } else if ((bank != 0u) || (owner == NULL)) {
        access->value = 0u;
    } else if (owner == access->vcpu) {
        vgic_own_bits(access, reg);
    } else {
        vgic_remote_bits(access, owner, reg);
    }
}

/* The bank that holds an interrupt as this frame shows it, or NULL. */
static struct vgic_bank *vgic_bank_in(const struct vgic_access *access, struct hal_vcpu *owner,
                                      bool has_shared, uint32_t intid)
{
    struct vgic_bank *bank = NULL;

    if (intid < GIC_PRIVATE) {
        bank = (owner != NULL) ? &owner->arm.vgic.priv : NULL;
    } else if (has_shared && (intid < GIC_SPECIAL) &&
               ((intid / VGIC_BANK_IRQS) <= access->vcpu->domain->arm.vgic->nr_banks)) {
        bank = &access->vcpu->domain->arm.vgic->spi[((intid / VGIC_BANK_IRQS) - 1u) % VGIC_SPI_BANKS];
    } else {
        /* not implemented */
    }
    return bank;
}

static void vgic_plain_access(struct vgic_access *access, struct hal_vcpu *owner, bool has_shared)
{
    const bool is_priority = access->offset < GICD_ITARGETSR;
    const uint32_t intid =
        is_priority ? (access->offset - GICD_IPRIORITYR) : ((access->offset - GICD_ICFGR) * 4u);
    struct vgic_bank *bank = vgic_bank_in(access, owner, has_shared, intid);

    if (bank == NULL) {
        access->value = 0u;
        return;
    }
    const uint64_t flags = vgic_lock(access->vcpu->domain);

    if (is_priority) {
        vgic_priorities(access, bank, intid);
    } else {
        vgic_configure(access, bank, intid);
    }
    vgic_unlock(access->vcpu->domain, flags);
    if (access->write && (intid < GIC_PRIVATE) && (owner != NULL)) {
        vgic_post(owner, VGIC_IN_REFILL);
    }
}

void vgic_bank_access(struct vgic_access *access, struct hal_vcpu *owner, bool has_shared)
{
    const bool is_word = access->width == 4u;

    if ((access->offset >= GICD_IGROUPR) && (access->offset < GICD_IPRIORITYR) && is_word) {
        vgic_bits_access(access, owner, has_shared);
    } else if ((access->offset >= GICD_IPRIORITYR) && (access->offset < GICD_ITARGETSR) &&
               (is_word || (access->width == 1u))) {
        vgic_plain_access(access, owner, has_shared);
    } else if ((access->offset >= GICD_ICFGR) && (access->offset < (GICD_ICFGR + 0x100u)) && is_word) {
        vgic_plain_access(access, owner, has_shared);
    } else {
        access->value = 0u;
    }
}

void vgic_write_ctlr(struct hal_vcpu *vcpu, uint32_t groups)
{
    struct vgic_shared *shared = vcpu->domain->arm.vgic;
    const uint64_t flags = vgic_lock(vcpu->domain);

    if (shared->ctlr != groups) {
        shared->ctlr = groups;
        for (uint32_t n = 0u; n < vcpu->domain->arm.nr_vcpus; n++) { /* at most HV_VCPUS_MAX */
            struct hal_vcpu *other = upcall_vcpu(vcpu->domain, n);

            if (other != NULL) {
                other->arm.vgic.spi_banks = BIT32((shared->nr_banks & 31u)) - 1u;
                shared->recall[(n / 64u) & 1u] |= BIT64((n & 63u));
            }
        }
    }
    vgic_unlock(vcpu->domain, flags);
}
