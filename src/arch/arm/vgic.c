/* Emulated interrupt controller: the domain's part, its inputs, and messages between vCPUs. */
#include "arch/arm/vgic.h"

#include "arch/arm/gic.h"
#include "arch/arm/vtimer.h"
#include "base/percpu.h"
#include "hal/irq.h"
#include "lib/string.h"

#define VGIC_WAKER_RESET (GICR_WAKER_PROCESSOR_SLEEP | GICR_WAKER_CHILDREN_ASLEEP)

enum hv_status vgic_domain_init(struct hal_domain *domain)
{
    struct vgic_shared *shared = upcall_domain_page(domain);

    if (shared == NULL) {
        return HV_NO_MEMORY;
    }
    spin_init(&shared->lock, LOCK_VGIC);
    shared->nr_banks = (uint32_t)bits_min(domain->arm.nr_spis / VGIC_BANK_IRQS, VGIC_SPI_BANKS);
    /* Who did not route an interrupt gets it on the first vCPU: GICv3: affinity 0.0.0.0, as the page is zero;
     * GICv2: the set of CPU 0. */
    if (gic_is(domain->arm.gic_version, 2u)) {
        (void)memset(shared->target, 1, sizeof(shared->target));
    }
    domain->arm.vgic = shared;
    return HV_OK;
}

void vgic_domain_destroy(struct hal_domain *domain)
{
    if (domain->arm.vgic != NULL) {
        upcall_domain_page_free(domain, domain->arm.vgic);
        domain->arm.vgic = NULL;
    }
    if (domain->arm.lines != NULL) {
        upcall_domain_page_free(domain, domain->arm.lines);
        domain->arm.lines = NULL;
    }
}

void vgic_vcpu_reset(struct hal_vcpu *vcpu)
{
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;

    *vgic = (struct vgic_vcpu){ .inbox = 0u };
    vgic->spi_banks =
        BIT32(vcpu->domain->arm.vgic->nr_banks & 31u) - 1u; /* any may be pending for it: looks once */
    vgic->waker = VGIC_WAKER_RESET;
    vgic->sgi_self = ((uint64_t)(vcpu->index >> 4u) << 16u) | BIT64((vcpu->index & 15u));
    vgic->priv.edge = VGIC_SGI_BITS | VGIC_EVENT_BIT;
    vgic->priv.enabled = VGIC_SGI_BITS; /* guests for GICv2 take it for granted; allowed with GICv3 */
}

uint32_t vgic_target(const struct hal_domain *domain, uint32_t spi)
{
    const struct vgic_shared *shared = domain->arm.vgic;
    uint32_t target = VGIC_NO_VCPU;

    if (spi < ARRAY_LEN(shared->target)) {
        target = shared->target[spi];
        if (gic_is(domain->arm.gic_version, 2u)) { /* 1 of N: the first of the set */
            target &= BIT32(domain->arm.nr_vcpus & 15u) - 1u;
            target = (target != 0u) ? vgic_first(target) : VGIC_NO_VCPU;
        }
    }
    return target;
}

struct vgic_bank *vgic_bank_of(struct hal_vcpu *vcpu, uint32_t intid)
{
    if (intid < GIC_PRIVATE) {
        return &vcpu->arm.vgic.priv;
    }
    return &vcpu->domain->arm.vgic->spi[((intid / VGIC_BANK_IRQS) - 1u) % VGIC_SPI_BANKS];
}

uint64_t vgic_lock(const struct hal_domain *domain)
{
    return spin_lock(&domain->arm.vgic->lock);
}

/* [impl->req~sgi-storms~1] */
/* SGIs that are there already and not taken in yet need nobody told: who sent them did. So a vCPU that sends
 * without end does not keep the scheduler's lock busy. */
static inline __attribute__((always_inline)) void vgic_post_unless(struct hal_vcpu *vcpu, uint64_t bits,
                                                                   uint32_t here)
{
    const uint64_t before = hal_fetch_or64(&vcpu->arm.vgic.inbox, bits);

    if ((bits & ~(before & VGIC_IN_EDGES)) == 0u) {
        return;
    }
    hal_barrier(); /* as in vgic_save(): either we see that it is loaded no more, or it sees the inbox */
    const uint32_t loaded = vcpu->arm.vgic.loaded;

    if (loaded == 0u) {
        upcall_vcpu_kick(vcpu);
    } else if (loaded != here) {
        hal_irq_ipi(loaded - 1u); /* takes it in, the scheduler need not know */
    } else {
        /* before this CPU goes on with it */
    }
}

void vgic_post(struct hal_vcpu *vcpu, uint64_t bits)
{
    vgic_post_unless(vcpu, bits, cpu_id() + 1u);
}

static void vgic_post_set(const struct hal_domain *domain, const uint64_t *set, uint64_t bits)
{
    for (uint32_t word = 0u; word < 2u; word++) {
        uint64_t left = set[word];

        while (left != 0u) { /* at most 64 */
            const uint32_t n = (uint32_t)__builtin_ctzll(left);
            struct hal_vcpu *vcpu = upcall_vcpu(domain, (word * 64u) + n);

            left &= left - 1u;
            if (vcpu != NULL) {
                vgic_post(vcpu, bits);
            }
        }
    }
}

void vgic_unlock(const struct hal_domain *domain, uint64_t flags)
{
    struct vgic_shared *shared = domain->arm.vgic;
    const uint64_t tell[2] = { shared->tell[0], shared->tell[1] };
    const uint64_t recall[2] = { shared->recall[0], shared->recall[1] };

    shared->tell[0] = 0u;
    shared->tell[1] = 0u;
    shared->recall[0] = 0u;
    shared->recall[1] = 0u;
    spin_unlock(&shared->lock, flags);
    vgic_post_set(domain, tell, VGIC_IN_SPIS);
    vgic_post_set(domain, recall, VGIC_IN_REFILL);
}

void vgic_notify(const struct hal_domain *domain, uint32_t bank, uint32_t bits)
{
    struct vgic_shared *shared = domain->arm.vgic;
    uint32_t left = bits;

    while (left != 0u) { /* at most 32 */
        const uint32_t n = bits_take(&left);
        const uint32_t spi = (bank * VGIC_BANK_IRQS) + n;
        const bool is_home = ((shared->spi[bank].resident | shared->spi[bank].active) & BIT32(n)) != 0u;
        const uint32_t index = is_home ? shared->home[spi] : vgic_target(domain, spi);
        struct hal_vcpu *vcpu = upcall_vcpu(domain, index);
        uint64_t *set = is_home ? shared->recall : shared->tell;

        if (vcpu != NULL) {
            vcpu->arm.vgic.spi_banks |= BIT32(bank);
            set[(index / 64u) & 1u] |= BIT64((index & 63u));
        }
    }
}

void vgic_attend(void)
{
    struct hal_vcpu *loaded = gic_this_cpu()->loaded;

    if ((loaded != NULL) && (loaded->arm.vgic.inbox != 0u)) {
        vgic_work(loaded);
    }
}

void vgic_send_sgi(struct hal_vcpu *from, struct hal_vcpu *to, uint32_t n)
{
    struct vgic_vcpu *vgic = &to->arm.vgic;
    const uint32_t sgi = n & (GIC_SGIS - 1u);

    if (gic_is(gic_host.version, 2u)) {
        (void)hal_fetch_or64(&vgic->sgi_in[sgi / 8u], BIT64((((sgi & 7u) * 8u) + (from->index & 7u))));
    } else if (to == from) {
        if (!vgic_show_edge(to, sgi)) {
            vgic->priv.latch |= BIT32(sgi);
            vgic_refresh(to);
        }
        return;
    } else {
        /* by its inbox alone */
    }
    vgic_post(to, BIT64(sgi));
}

/* One edge or level of a shared line; interrupts masked. */
static void vgic_drive(struct hal_domain *domain, uint32_t spi, bool level, bool is_pulse)
{
    struct vgic_shared *shared = domain->arm.vgic;
    const uint32_t number = spi / VGIC_BANK_IRQS;
    const uint32_t bit = BIT32((spi % VGIC_BANK_IRQS));
    struct vgic_bank *bank = &shared->spi[number % VGIC_SPI_BANKS];
    const uint64_t flags = vgic_lock(domain);
    const uint32_t was = bank->line & bit;

    if ((vgic_linked(domain, number % VGIC_SPI_BANKS) & bit) != 0u) {
        if (level) {
            vgic_line_raise(domain, spi);
        }
        vgic_unlock(domain, flags);
        vgic_attend();
        return;
    }
    if (!is_pulse) {
        bank->line = level ? (bank->line | bit) : (bank->line & ~bit);
    }
    if (level && (was == 0u) && ((bank->edge & bit) != 0u)) {
        bank->latch |= bit;
    }
    if ((((vgic_deliverable(shared, bank) | bank->resident) & bit) != 0u) &&
        (is_pulse || (level != (was != 0u)))) {
        vgic_notify(domain, number, bit);
    }
    vgic_unlock(domain, flags);
    vgic_attend();
}

static bool vgic_has_spi(const struct hal_domain *domain, uint32_t intid)
{
    return (domain->arm.vgic != NULL) && (intid >= GIC_PRIVATE) && (intid < GIC_SPECIAL) &&
           ((intid - GIC_PRIVATE) < domain->arm.nr_spis);
}

void hal_virq_set_line(struct hal_domain *domain, uint32_t intid, bool level)
{
    if (vgic_has_spi(domain, intid)) {
        const uint64_t state = hal_cpu_irq_save();

        vgic_drive(domain, intid - GIC_PRIVATE, level, false);
        hal_cpu_irq_restore(state);
    }
}

void hal_virq_pulse(struct hal_domain *domain, uint32_t intid)
{
    if (vgic_has_spi(domain, intid)) {
        const uint64_t state = hal_cpu_irq_save();

        vgic_drive(domain, intid - GIC_PRIVATE, true, true);
        hal_cpu_irq_restore(state);
    }
}

static __attribute__((noinline)) void vgic_event_here(struct hal_vcpu *vcpu)
{
    if (gic_is(gic_host.version, 2u) || !vgic_show_edge(vcpu, HAL_VIRQ_EVENTS)) {
        vgic_post(vcpu, VGIC_EVENT_BIT);
        vgic_work(vcpu);
    }
}

/* Xen drives a level: the guest's flag of pending events. An edge whenever the flag rises tells as much, as
 * guests clear the flag before they look for events, and it needs no look at the flag on each way back. */
void hal_virq_event(struct hal_vcpu *vcpu)
{
    if (vcpu->arm.vgic.loaded == (cpu_id() + 1u)) {
        vgic_event_here(vcpu);
    } else {
        vgic_post_unless(vcpu, VGIC_EVENT_BIT, 0u); /* nor will it be here before we are done */
    }
}

/* -- Would the guest be interrupted?
 * ------------------------------------------------------------------------------- */

static bool vgic_passes(uint32_t vmcr, uint32_t is_group1, uint32_t priority)
{
    const uint32_t enable = (is_group1 != 0u) ? GIC_VMCR_ENG1 : GIC_VMCR_ENG0;

    return ((vmcr & enable) != 0u) && (priority < ((vmcr >> GIC_VMCR_PMR_LOW) & VGIC_PRIO_MASK));
}

static bool vgic_any_passes(const struct vgic_bank *bank, uint32_t bits, uint32_t vmcr)
{
    uint32_t left = bits;
    bool passes = false;

    while ((left != 0u) && !passes) { /* at most 32 */
        const uint32_t n = bits_take(&left);

        passes = vgic_passes(vmcr, bank->group1 & BIT32(n), bank->priority[n]);
    }
    return passes;
}

/* Pending in list registers of this CPU. */
static bool vgic_lr_pending(const struct hal_vcpu *vcpu, uint32_t vmcr)
{
    uint32_t left = vcpu->arm.vgic.lr_used | BIT32(VGIC_LR_TIMER);
    bool passes = false;

    while ((left != 0u) && !passes) { /* at most VGIC_LRS_MAX */
        const uint64_t value = gic_lr_read(bits_take(&left));

        passes =
            ((value & GIC_LR_PENDING) != 0u) && vgic_passes(vmcr, ((value & GIC_LR_GROUP1) != 0u) ? 1u : 0u,
                                                            (uint32_t)bits_field(value, 55u, 48u));
    }
    return passes;
}

static bool vgic_private_pending(const struct hal_vcpu *vcpu, uint32_t vmcr, bool is_loaded)
{
    const struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const struct vgic_bank *bank = &vgic->priv;
    uint32_t pending = vgic_pending(bank) & ~(VGIC_VTIMER_BIT | VGIC_PTIMER_BIT);

    pending |= bank->latch;
    if (is_loaded) {
        const bool is_active = (gic_lr_read(VGIC_LR_TIMER) & GIC_LR_ACTIVE) != 0u;

        pending |= (vtimer_is_asserted_here() && !is_active) ? VGIC_VTIMER_BIT : 0u;
    } else {
        pending |= vtimer_is_asserted(vcpu) ? VGIC_VTIMER_BIT : 0u;
    }
    pending |= vtimer_physical_line(vcpu) ? VGIC_PTIMER_BIT : 0u;
    pending &= bank->enabled & vgic_group_mask(vcpu->domain->arm.vgic, bank) & ~bank->active;
    /* What was sent and not taken in yet counts whatever a list register, or memory about it, says of the one
     * before. */
    const uint32_t sent = (uint32_t)(vgic->inbox & VGIC_IN_EDGES) & bank->enabled &
                          vgic_group_mask(vcpu->domain->arm.vgic, bank);

    return vgic_any_passes(bank, (pending & ~bank->resident) | sent, vmcr);
}

/* Without the lock: the scheduler asks with its own held. A change under way brings a kick of its own. */
static bool vgic_shared_pending(const struct hal_vcpu *vcpu, uint32_t vmcr)
{
    const struct vgic_shared *shared = vcpu->domain->arm.vgic;
    uint32_t banks = vcpu->arm.vgic.spi_banks;
    bool passes = false;

    while ((banks != 0u) && !passes) { /* at most VGIC_SPI_BANKS */
        const uint32_t number = bits_take(&banks);
        const struct vgic_bank *bank = &shared->spi[number % VGIC_SPI_BANKS];
        uint32_t left = vgic_deliverable(shared, bank) & ~bank->active & ~bank->resident;

        while ((left != 0u) && !passes) { /* at most 32 */
            const uint32_t n = bits_take(&left);

            passes = (vgic_target(vcpu->domain, (number * VGIC_BANK_IRQS) + n) == vcpu->index) &&
                     vgic_any_passes(bank, BIT32(n), vmcr);
        }
    }
    return passes;
}

bool hal_vcpu_irq_pending(const struct hal_vcpu *vcpu)
{
    const bool is_loaded = vcpu->arm.vgic.loaded == (cpu_id() + 1u);
    const uint32_t vmcr = is_loaded ? gic_vmcr_read() : vcpu->arm.vgic.vmcr;

    /* Of other messages to a loaded vCPU only taking them in tells; the IPI that comes with them does
     * that. */
    if (is_loaded && ((vcpu->arm.vgic.inbox & ~(uint64_t)VGIC_IN_EDGES) != 0u)) {
        return true;
    }
    return (is_loaded && vgic_lr_pending(vcpu, vmcr)) || vgic_private_pending(vcpu, vmcr, is_loaded) ||
           vgic_shared_pending(vcpu, vmcr);
}
