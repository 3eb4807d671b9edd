/* Physical shared interrupts of guests. One is active at the host's controller exactly as long as the guest
 * has it: from its acknowledgement here, through the bank's latch and a list register, to the guest's
 * deactivation. So it cannot come again before, at whatever level its source is, and there is no line to
 * follow: to the bank it is an edge. With GICv3 the list register's link (HW) ends it; with GICv2 we do, on
 * the maintenance interrupt, for the reason that vgic_vtimer.c gives. */
/* [impl->req~device-interrupts~1] */
#include "arch/arm/vgic_lr.h"
#include "base/percpu.h"
#include "hal/irq.h"

#define LINE_POLLS 1000000u /* far more than a delivery takes */

/* A shared interrupt of the host, by INTID - 32. */
struct vgic_line {
    struct hal_domain *volatile domain; /* whose it is; NULL: no guest's */
    volatile uint32_t busy;             /* it is being delivered */
    uint16_t virq;
    volatile uint8_t cpu; /* where it goes */
};

static struct vgic_line vgic_line[HAL_IRQ_MAX - GIC_PRIVATE];

static void line_write(uint32_t reg, uint32_t irq)
{
    gic_write32(gic_host.gicd, reg + ((irq / 32u) * 4u), BIT32((irq & 31u)));
}

static bool line_read(uint32_t reg, uint32_t irq)
{
    return (gic_read32(gic_host.gicd, reg + ((irq / 32u) * 4u)) & BIT32((irq & 31u))) != 0u;
}

static void line_direct(struct vgic_line *line, uint32_t irq, cpuid_t cpu)
{
    if (line->cpu != (uint8_t)cpu) {
        line->cpu = (uint8_t)cpu;
        gic_route(irq, &gic_cpus[cpu & (HV_CPUS_MAX - 1u)]);
    }
}

/* [bank][bit] of the bits set in a word, one after the other */
static uint32_t next_irq(const struct hal_domain *domain, uint32_t number, uint32_t *left)
{
    const uint32_t n = vgic_first(*left);

    *left &= *left - 1u;
    return domain->arm.lines->irq[(number * VGIC_BANK_IRQS) + n];
}

/* -- What happens to the guest's -- */

void vgic_line_end(const struct hal_domain *domain, uint32_t intid)
{
    line_write(GICD_ICACTIVER, domain->arm.lines->irq[intid - GIC_PRIVATE]);
}

uint32_t vgic_line_write(const struct hal_domain *domain, uint32_t number, uint32_t reg, uint32_t bits)
{
    static const uint32_t host_reg[] = { GICD_ISENABLER, GICD_ICENABLER, GICD_ISPENDR, GICD_ICPENDR };
    const struct vgic_bank *const bank = &domain->arm.vgic->spi[number];
    const uint32_t lines = vgic_linked(domain, number) & bits;
    uint32_t left = lines;
    uint32_t taken = bits;

    if ((reg < VGIC_REG_ISENABLER) || (reg > VGIC_REG_ICPENDR)) {
        left = 0u;
    }
    while (left != 0u) { /* at most 32 */
        const uint32_t spi = (number * VGIC_BANK_IRQS) + vgic_first(left);
        const uint32_t irq = next_irq(domain, number, &left);
        const struct hal_vcpu *const target = upcall_vcpu(domain, vgic_target(domain, spi));
        const uint32_t loaded = (target != NULL) ? target->arm.vgic.loaded : 0u;

        if (reg == VGIC_REG_ISENABLER) {
            line_direct(&vgic_line[irq - GIC_PRIVATE], irq, (loaded != 0u) ? (loaded - 1u) : cpu_id());
        }
        line_write(host_reg[reg - VGIC_REG_ISENABLER], irq);
    }
    if (reg == VGIC_REG_ICPENDR) {
        left = lines & bank->latch;
    } else if (reg == VGIC_REG_ICACTIVER) {
        left = lines & bank->active & ~bank->resident;
    } else {
        left = 0u;
    }
    while (left != 0u) { /* at most 32: what the guest gives up that no list register holds */
        line_write(GICD_ICACTIVER, next_irq(domain, number, &left));
    }
    if ((reg == VGIC_REG_ISPENDR) || (reg == VGIC_REG_ISACTIVER)) {
        taken &= ~lines; /* it comes by the host's controller, or not at all */
    }
    return taken;
}

uint32_t vgic_line_pending(const struct hal_domain *domain, uint32_t number)
{
    const uint32_t lines = vgic_linked(domain, number);
    uint32_t left = lines;
    uint32_t pending = 0u;

    while (left != 0u) { /* at most 32 */
        const uint32_t bit = left & (~left + 1u);

        pending |= line_read(GICD_ISPENDR, next_irq(domain, number, &left)) ? bit : 0u;
    }
    return pending;
}

/* -- On its way in -- */

/* Lock held. The vCPU that it is for is loaded here, and has a list register for it: nothing else is to be
 * done. */
static bool line_show(struct hal_vcpu *vcpu, const struct vgic_bank *bank, uint32_t intid)
{
    const uint32_t bit = BIT32((intid & VGIC_N_MASK));
    const uint32_t room = vgic_slots() & ~vcpu->arm.vgic.lr_used;
    bool shown = false;

    if ((bank->resident & bit) != 0u) {
        uint32_t left = vcpu->arm.vgic.lr_spi;

        while ((left != 0u) && !shown) { /* at most VGIC_LRS_MAX */
            const uint32_t slot = bits_take(&left) & VGIC_SLOT_MASK;

            shown = (vcpu->arm.vgic.lr[slot] & GIC_LR_VINTID) == intid;
            if (shown) {
                vgic_sync_slot(vcpu, slot);
            }
        }
    } else if ((room != 0u) && ((vgic_deliverable(vcpu->domain->arm.vgic, bank) & bit) != 0u)) {
        vgic_place(vcpu, vgic_first(room), intid);
        shown = true;
    } else {
        /* it waits */
    }
    return shown;
}

void vgic_line_raise(struct hal_domain *domain, uint32_t spi)
{
    struct vgic_shared *const shared = domain->arm.vgic;
    struct hal_vcpu *const here = gic_this_cpu()->loaded;
    const uint32_t number = (spi / VGIC_BANK_IRQS) % VGIC_SPI_BANKS;
    const uint32_t bit = BIT32((spi & VGIC_N_MASK));
    struct vgic_bank *const bank = &shared->spi[number];
    const uint32_t target = vgic_target(domain, spi);

    bank->latch |= bit;
    if ((here == NULL) || (here->domain != domain) || (here->index != target) ||
        !line_show(here, bank, spi + GIC_PRIVATE)) {
        const struct hal_vcpu *const vcpu = upcall_vcpu(domain, target);
        const uint32_t irq = domain->arm.lines->irq[spi];
        const uint32_t loaded = (vcpu != NULL) ? vcpu->arm.vgic.loaded : 0u;

        if (loaded != 0u) { /* the next one goes to where its vCPU is now */
            line_direct(&vgic_line[irq - GIC_PRIVATE], irq, loaded - 1u);
        }
        if (((vgic_deliverable(shared, bank) | bank->resident) & bit) != 0u) {
            vgic_notify(domain, number, bit);
        }
    }
}

bool vgic_line_fired(uint32_t irq)
{
    struct vgic_line *const line = &vgic_line[(irq - GIC_PRIVATE) % ARRAY_LEN(vgic_line)];
    const bool is_guests = line->domain != NULL;

    if (is_guests) {
        struct hal_domain *domain;

        percpu_hold();
        line->busy = 1u;
        hal_barrier(); /* either we see that it is nobody's any more, or who takes it away sees us */
        domain = line->domain;
        if (domain != NULL) {
            upcall_line(domain, line->virq);
        }
        hal_store_release32(&line->busy, 0u);
        percpu_drop();
    }
    return is_guests;
}

/* -- Given and taken away -- */

enum hv_status hal_irq_route(uint32_t irq, bool edge, struct hal_domain *domain, uint32_t virq)
{
    const uint32_t spi = virq - GIC_PRIVATE;
    const uint32_t number = (spi / VGIC_BANK_IRQS) % VGIC_SPI_BANKS;
    const uint32_t bit = BIT32((spi & VGIC_N_MASK));

    if ((irq < GIC_PRIVATE) || (irq >= gic_host.nr_irqs) || (irq >= HAL_IRQ_MAX) || (virq < GIC_PRIVATE) ||
        (virq >= GIC_SPECIAL) || (spi >= domain->arm.nr_spis)) {
        return HV_INVALID;
    }
    struct vgic_line *const line = &vgic_line[irq - GIC_PRIVATE];

    if ((line->domain != NULL) || line_read(GICD_ISENABLER, irq)) {
        return HV_EXISTS;
    }
    if (domain->arm.lines == NULL) {
        domain->arm.lines = upcall_domain_page(domain);
    }
    if (domain->arm.lines == NULL) {
        return HV_NO_MEMORY;
    }
    gic_set_edge(irq, edge);
    gic_route(irq, gic_this_cpu());
    line->cpu = (uint8_t)cpu_id();
    line->virq = (uint16_t)virq;
    const uint64_t flags = vgic_lock(domain);

    domain->arm.lines->irq[spi] = (uint16_t)irq;
    domain->arm.lines->bank[number] |= bit;
    domain->arm.lines->level[number] |= edge ? 0u : bit;
    domain->arm.vgic->spi[number].edge |= bit;
    vgic_unlock(domain, flags);
    hal_barrier();
    line->domain = domain;
    return HV_OK;
}

void hal_irq_unroute(uint32_t irq, struct hal_domain *domain)
{
    uint32_t polls = 0u;

    if ((irq < GIC_PRIVATE) || (irq >= HAL_IRQ_MAX) || (vgic_line[irq - GIC_PRIVATE].domain != domain)) {
        return;
    }
    struct vgic_line *line = &vgic_line[irq - GIC_PRIVATE];

    const uint32_t spi = line->virq - GIC_PRIVATE;

    line_write(GICD_ICENABLER, irq);
    gic_settle_distributor();
    line->domain = NULL;
    hal_barrier();
    while ((hal_load_acquire32(&line->busy) != 0u) && (polls < LINE_POLLS)) {
        hal_cpu_relax();
        polls++;
    }
    const uint64_t flags = vgic_lock(domain);

    domain->arm.lines->bank[(spi / VGIC_BANK_IRQS) % VGIC_SPI_BANKS] &= ~BIT32((spi & VGIC_N_MASK));
    vgic_unlock(domain, flags);
    line_write(GICD_ICPENDR, irq);
    line_write(GICD_ICACTIVER, irq);
}

struct hal_domain *hal_irq_guest(uint32_t irq, uint32_t *virq)
{
    const struct vgic_line *const line = &vgic_line[(irq - GIC_PRIVATE) % ARRAY_LEN(vgic_line)];
    struct hal_domain *domain = NULL;

    if ((irq >= GIC_PRIVATE) && (irq < HAL_IRQ_MAX)) {
        domain = line->domain;
        *virq = line->virq;
    }
    return domain;
}

void hal_irq_adopt(cpuid_t from)
{
    for (uint32_t n = 0u; n < ARRAY_LEN(vgic_line); n++) {
        if ((vgic_line[n].domain != NULL) && (vgic_line[n].cpu == (uint8_t)from)) {
            line_direct(&vgic_line[n], n + GIC_PRIVATE, cpu_id());
        }
    }
}
