/* Emulated GICv2 distributor (IHI 0048B 4.3). The CPU interface is the hardware's virtual one, mapped into
 * the guest. */
/* [impl->req~vgic-v2~1] */
#include "arch/arm/vgic.h"

#include "arch/arm/gic.h"

#define VGICV2_IIDR       0x4200043Bu /* product 'B' */
#define VGICV2_PIDR2      0x2Bu
#define VGICV2_CPUS_SHIFT 5u

static void vgicv2_write_sgir(struct hal_vcpu *vcpu, uint32_t value)
{
    const uint32_t self = BIT32((vcpu->index & 7u));
    const uint32_t by_filter[4] = { (value >> 16u) & 0xFFu, ~self, self, 0u }; /* a list, others, oneself */
    const uint32_t targets = by_filter[(value >> 24u) & 3u];

    for (uint32_t n = 0u; n < 8u; n++) {
        struct hal_vcpu *to = ((targets & BIT32(n)) != 0u) ? upcall_vcpu(vcpu->domain, n) : NULL;

        if (to != NULL) {
            vgic_send_sgi(vcpu, to, value & 15u);
        }
    }
}

/* GICD_SPENDSGIR, GICD_CPENDSGIR: a byte per SGI with its senders. */
static void vgicv2_sgi_senders(struct vgic_access *access)
{
    struct hal_vcpu *vcpu = access->vcpu;
    struct vgic_vcpu *vgic = &vcpu->arm.vgic;
    const bool sets = access->offset >= GICD_SPENDSGIR;
    const uint64_t flags = vgic_lock(vcpu->domain);
    uint64_t value = 0u;

    vgic_sync(vcpu);
    for (uint32_t n = 0u; n < access->width; n++) { /* at most 4 */
        const uint32_t sgi = ((access->offset & 15u) + n) & 15u;
        const uint32_t bits = (uint32_t)(access->value >> (n * 8u)) & 0xFFu;
        const uint32_t from = BIT32((vgic->sgi_from[sgi] & 7u));
        const uint32_t shown = ((vgic->priv.shown & BIT32(sgi)) != 0u) ? from : 0u;

        value |= (uint64_t)(vgic->sgi_source[sgi] | shown) << (n * 8u);
        if (access->write && sets) {
            vgic->sgi_source[sgi] |= (uint8_t)(bits & ~shown);
        } else if (access->write) {
            vgic->sgi_source[sgi] &= (uint8_t)~bits;
            if ((bits & shown) != 0u) {
                vgic->drop_pending |= BIT32((vgic->lr_of[sgi] & (VGIC_LRS_MAX - 1u)));
            }
        } else {
            /* read */
        }
        vgic->priv.latch = (vgic->sgi_source[sgi] != 0u) ? (vgic->priv.latch | BIT32(sgi))
                                                         : (vgic->priv.latch & ~BIT32(sgi));
    }
    vgic_sync(vcpu);
    (void)hal_fetch_or64(&vgic->inbox, VGIC_IN_SPIS);
    vgic_unlock(vcpu->domain, flags);
    access->value = value;
}

/* GICD_ITARGETSR: bytes and words; those of private interrupts say who asks. */
static void vgicv2_targets(struct vgic_access *access)
{
    const struct hal_domain *domain = access->vcpu->domain;
    struct vgic_shared *shared = domain->arm.vgic;
    const uint32_t first = access->offset - GICD_ITARGETSR;
    const uint32_t everyone = BIT32((domain->arm.nr_vcpus & 15u)) - 1u;
    const uint64_t flags = vgic_lock(domain);
    uint64_t value = 0u;

    for (uint32_t n = 0u; n < access->width; n++) { /* at most 4 */
        const uint32_t intid = first + n;
        uint32_t targets = BIT32((access->vcpu->index & 7u));

        if (intid >= GIC_PRIVATE) {
            const uint32_t spi = intid - GIC_PRIVATE;
            const bool exists =
                (intid < GIC_SPECIAL) && (spi < domain->arm.nr_spis) && (spi < ARRAY_LEN(shared->target));

            if (exists && access->write) {
                shared->target[spi] = (uint8_t)((access->value >> (n * 8u)) & everyone);
                vgic_notify(domain, spi / VGIC_BANK_IRQS, BIT32((spi % VGIC_BANK_IRQS)));
            }
            targets = exists ? shared->target[spi] : 0u;
        }
        value |= (uint64_t)targets << (n * 8u);
    }
    vgic_unlock(domain, flags);
    access->value = value;
}

static void vgicv2_word(struct vgic_access *access)
{
    const struct hal_domain *domain = access->vcpu->domain;

    switch (access->offset) {
    case GICD_CTLR:
        if (access->write) {
            vgic_write_ctlr(access->vcpu, (uint32_t)access->value & (VGIC_CTLR_GROUP0 | VGIC_CTLR_GROUP1));
        }
        access->value = domain->arm.vgic->ctlr;
        break;
    case GICD_TYPER:
        access->value =
            domain->arm.vgic->nr_banks | (((domain->arm.nr_vcpus - 1u) & 7u) << VGICV2_CPUS_SHIFT);
        break;
    case GICD_IIDR:
        access->value = VGICV2_IIDR;
        break;
    case GICD_SGIR:
        if (access->write) {
            vgicv2_write_sgir(access->vcpu, (uint32_t)access->value);
        }
        access->value = 0u;
        break;
    case GICD_V2_PIDR2:
        access->value = VGICV2_PIDR2;
        break;
    default:
        access->value = 0u;
        break;
    }
}

void vgicv2_access(struct vgic_access *access)
{
    const bool is_byte_or_word = (access->width == 1u) || (access->width == 4u);

    if (((access->offset >= GICD_IGROUPR) && (access->offset < GICD_ITARGETSR)) ||
        ((access->offset >= GICD_ICFGR) && (access->offset < GICD_SGIR))) {
        vgic_bank_access(access, access->vcpu, true);
    } else if ((access->offset >= GICD_ITARGETSR) && (access->offset < GICD_ICFGR) && is_byte_or_word) {
        vgicv2_targets(access);
    } else if ((access->offset >= GICD_CPENDSGIR) && (access->offset < (GICD_SPENDSGIR + 0x10u)) &&
               is_byte_or_word) {
        vgicv2_sgi_senders(access);
    } else if (access->width == 4u) {
        vgicv2_word(access);
    } else {
        access->value = 0u;
    }
}
