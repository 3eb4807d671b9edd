/* Emulated GICv3 (IHI 0069H): one security state, affinity routing always on, no LPIs, one redistributor for
 * each vCPU. */
/* [impl->req~vgic-v3~1] */
#include "arch/arm/vgic.h"

#include "arch/arm/gic.h"
#include "hal/vplat.h"

#define VGICV3_IIDR       0x4200043Bu /* product 'B' */
#define VGICV3_PIDR2      0x3Bu
#define VGICV3_CTLR_FIXED (BIT32(4) | BIT32(6)) /* ARE, DS */
#define VGICV3_TYPER_NO1N BIT32(25)             /* a shared interrupt has one target */
#define VGICV3_TYPER_IDS  0x00480000u           /* IDbits 9: INTIDs of 10 bits */

#define SGIR_IRM BIT64(40)

/* The vCPU of an affinity as MPIDR_EL1 and GICD_IROUTER show it, or VGIC_NO_VCPU. */
static uint32_t vgicv3_vcpu_of(const struct hal_domain *domain, uint64_t affinity)
{
    const uint64_t index = (bits_field(affinity, 15u, 8u) << 4u) | bits_field(affinity, 3u, 0u);
    const uint64_t absent = affinity & (GENMASK64(39, 32) | GENMASK64(23, 16) | GENMASK64(7, 4));

    return ((absent == 0u) && (index < domain->arm.nr_vcpus)) ? (uint32_t)index : VGIC_NO_VCPU;
}

static void vgicv3_send(struct hal_vcpu *from, uint32_t index, uint32_t sgi, bool allows_group1)
{
    struct hal_vcpu *to = (index == from->index) ? from : upcall_vcpu(from->domain, index);

    if ((to != NULL) && (allows_group1 || ((to->arm.vgic.priv.group1 & BIT32((sgi & 15u))) == 0u))) {
        vgic_send_sgi(from, to, sgi);
    }
}

/* 12.2.21. Targets that are absent are passed over; the others are reached. */
void vgicv3_write_sgir(struct hal_vcpu *vcpu, uint64_t value, bool allows_group1)
{
    const uint32_t sgi = (uint32_t)bits_field(value, 27u, 24u);
    const uint64_t higher = value & (GENMASK64(55, 44) | GENMASK64(39, 32)); /* Aff3, RS, Aff2 */
    const uint32_t base = (uint32_t)bits_field(value, 23u, 16u) << 4u;
    uint32_t left = (uint32_t)bits_field(value, 15u, 0u);
    uint32_t n;

    if ((value & SGIR_IRM) != 0u) {
        for (n = 0u; n < vcpu->domain->arm.nr_vcpus; n++) { /* at most HV_VCPUS_MAX */
            if (n != vcpu->index) {
                vgicv3_send(vcpu, n, sgi, allows_group1);
            }
        }
        return;
    }
    if (higher != 0u) {
        return;
    }
    while (left != 0u) { /* at most 16 */
        n = base + bits_take(&left);
        if (n < vcpu->domain->arm.nr_vcpus) {
            vgicv3_send(vcpu, n, sgi, allows_group1);
        }
    }
}

/* GICD_IROUTER: 64 bits, or either half. Interrupt_Routing_Mode is fixed to 0 (GICD_TYPER.No1N). An affinity
 * that does not exist makes the interrupt wait. */
static void vgicv3_route(struct vgic_access *access)
{
    const struct hal_domain *domain = access->vcpu->domain;
    struct vgic_shared *shared = domain->arm.vgic;
    const uint32_t intid = (access->offset - GICD_IROUTER) / 8u;
    const uint32_t spi = intid - GIC_PRIVATE;
    const bool is_high = (access->offset & 4u) != 0u;
    const uint64_t low = GENMASK64(31, 0);
    const uint64_t value = access->value;
    uint64_t route;

    if ((intid < GIC_PRIVATE) || (intid >= GIC_SPECIAL) || (spi >= domain->arm.nr_spis) ||
        (access->width < 4u)) {
        access->value = 0u;
        return;
    }
    const uint64_t flags = vgic_lock(domain);

    route =
        (shared->target[spi] == VGIC_NO_VCPU) ? GENMASK64(23, 0) : hal_vplat_cpu_hwid(shared->target[spi]);
    if (access->write) {
        if (access->width == 8u) {
            route = value;
        } else if (is_high) {
            route = (route & low) | (value << 32u);
        } else {
            route = (route & ~low) | (value & low);
        }
        shared->target[spi] = (uint8_t)vgicv3_vcpu_of(domain, route);
        vgic_notify(domain, spi / VGIC_BANK_IRQS, BIT32((spi % VGIC_BANK_IRQS)));
    }
    vgic_unlock(domain, flags);
    access->value = is_high ? (route >> 32u) : route;
}

uint32_t vgicv3_gicd_tell(const struct hal_domain *domain, uint32_t offset)
{
    switch (offset) {
    case GICD_CTLR: /* RWP (31) reads as 0: writes that other CPUs must follow wait before they complete */
        return domain->arm.vgic->ctlr | VGICV3_CTLR_FIXED;
    case GICD_TYPER:
        return domain->arm.vgic->nr_banks | VGICV3_TYPER_IDS | VGICV3_TYPER_NO1N;
    case GICD_IIDR:
        return VGICV3_IIDR;
    case GICD_V3_PIDR2:
        return VGICV3_PIDR2;
    default: /* GICD_SETSPI_NSR and CLRSPI_NSR among them: GICD_TYPER.MBIS is 0 */
        return 0u;
    }
}

static void vgicv3_gicd_word(struct vgic_access *access)
{
    if (access->write && (access->offset == GICD_CTLR)) {
        vgic_write_ctlr(access->vcpu, (uint32_t)access->value & (VGIC_CTLR_GROUP0 | VGIC_CTLR_GROUP1));
    }
    access->value = vgicv3_gicd_tell(access->vcpu->domain, access->offset);
}

void vgicv3_gicd_access(struct vgic_access *access)
{
    if (((access->offset >= GICD_IGROUPR) && (access->offset < GICD_ITARGETSR)) ||
        ((access->offset >= GICD_ICFGR) && (access->offset < (GICD_ICFGR + 0x100u)))) {
        vgic_bank_access(access, NULL, true);
    } else if ((access->offset >= GICD_IROUTER) && (access->offset < (GICD_IROUTER + 0x2000u))) {
        vgicv3_route(access);
    } else if (access->width == 4u) {
        vgicv3_gicd_word(access);
    } else {
        access->value = 0u; /* ITARGETSR and SGIR too: affinity routing is on (12.9.29, 12.9.28) */
    }
}

/* Guests walk each region of redistributors up to its last one. */
static bool vgicv3_is_last(const struct hal_vcpu *owner)
{
    const struct arm_gic_map *const gic = &owner->domain->arm.gic;
    const uint64_t next = owner->index + 1u;
    bool is_last = (next == owner->domain->arm.nr_vcpus);
    uint64_t frames = 0u;

    for (uint32_t i = 1u; i < gic->nr_ranges; i++) {
        frames += gic->range[i].bytes / gic->stride;
        is_last = is_last || (next == frames);
    }
    return is_last;
}

static uint64_t vgicv3_gicr_typer(const struct hal_vcpu *owner)
{
    const uint64_t hwid = hal_vplat_cpu_hwid(owner->index);
    uint64_t value = (bits_field(hwid, 23u, 0u) << 32u) | ((uint64_t)owner->index << 8u);

    if (vgicv3_is_last(owner)) {
        value |= GICR_TYPER_LAST;
    }
    return value;
}

static void vgicv3_gicr_control(struct vgic_access *access, struct hal_vcpu *owner)
{
    struct vgic_vcpu *vgic = &owner->arm.vgic;
    const uint64_t typer = vgicv3_gicr_typer(owner);

    if (access->offset == GICR_TYPER) {
        access->value = typer; /* the lower half is what a 32-bit access takes */
    } else if (access->width != 4u) {
        access->value = 0u;
    } else if (access->offset == (GICR_TYPER + 4u)) {
        access->value = typer >> 32u;
    } else if (access->offset == GICR_IIDR) {
        access->value = VGICV3_IIDR;
    } else if (access->offset == GICR_WAKER) {
        if (access->write) {
            const bool sleeps = (access->value & GICR_WAKER_PROCESSOR_SLEEP) != 0u;

            vgic->waker = sleeps ? (GICR_WAKER_PROCESSOR_SLEEP | GICR_WAKER_CHILDREN_ASLEEP) : 0u;
        }
        access->value = vgic->waker;
    } else if (access->offset == GICD_V3_PIDR2) {
        access->value = VGICV3_PIDR2;
    } else {
        access->value = 0u; /* GICR_CTLR among them: nothing to enable, never busy */
    }
}

void vgicv3_gicr_access(struct vgic_access *access, struct hal_vcpu *owner)
{
    if (access->offset < GICR_SGI) {
        vgicv3_gicr_control(access, owner);
    } else {
        access->offset -= GICR_SGI;
        vgic_bank_access(access, owner, false);
    }
}
