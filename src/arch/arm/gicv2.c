/* GICv2 (IHI 0048B): the host's CPU interface and hypervisor interface. Interrupts of a GIC without Security
 * Extensions stay in Group 0, those of a non-secure view are Group 1; bit 0 of the control registers enables
 * either, and bit 9 of GICC_CTLR is EOImode in either view (4.4.1). */
/* [impl->req~gicv2-host~1] [impl->req~zcu102~1] */
#include "arch/arm/gic.h"

#include "base/log.h"
#include "hal/hypmap.h"
#include "hal/mmio.h"

#define GICC_CTLR 0x0000u
#define GICC_PMR  0x0004u
#define GICC_BPR  0x0008u
#define GICC_IAR  0x000Cu
#define GICC_EOIR 0x0010u
#define GICC_IIDR 0x00FCu

#define GICC_CTLR_ENABLE  BIT32(0)
#define GICC_CTLR_EOIMODE BIT32(9)

#define GICH_HCR   0x000u
#define GICH_VTR   0x004u
#define GICH_VMCR  0x008u
#define GICH_ELRSR 0x030u
#define GICH_APR   0x0F0u
#define GICH_LR    0x100u

/* GICH_LRn (5.3.11) */
#define GICH_LR_PHYSICAL_LOW 10u
#define GICH_LR_PRIO_LOW     23u
#define GICH_LR_STATE_LOW    28u
#define GICH_LR_GROUP1       BIT32(30)
#define GICH_LR_HW           BIT32(31)

/* Some boards decode 64 KiB for each 4 KiB page: all of the first 64 KiB is the first page. */
#define GICV2_ALIASED_BYTES 0x20000u
#define GICV2_ALIAS_PROBE   0xF000u
#define GICV2_ALIAS_STRIDE  0x10000u

static volatile uint8_t *gicv2_cpu;
static volatile uint8_t *gicv2_dir; /* second page: GICC_DIR */
static volatile uint8_t *gicv2_hyp;

/* Where the second page of an interface is: the next page, or 64 KiB on if pages are repeated. The
 * identification register shows it: it reads the same near the end of the first 64 KiB, and just behind the
 * first page. */
static uint64_t gicv2_second_page(uint64_t bytes)
{
    uint64_t at = PAGE_BYTES;

    if (bytes >= GICV2_ALIASED_BYTES) {
        const uint32_t id = gic_read32(gicv2_cpu, GICC_IIDR);

        if ((gic_read32(gicv2_cpu, GICV2_ALIAS_PROBE + GICC_IIDR) == id) &&
            (gic_read32(gicv2_cpu, PAGE_BYTES + GICC_IIDR) == id)) {
            at = GICV2_ALIAS_STRIDE;
        }
    }
    return at;
}

enum hv_status gicv2_init(void)
{
    const struct arm_plan_host *host = gic_host.host;
    const uint64_t cpu_bytes = bits_max(host->gicc.bytes, 2u * PAGE_BYTES);
    void *va;

    if ((host->gicc.bytes == 0u) || (host->gich.bytes == 0u) || (host->gicv.bytes == 0u)) {
        log_line("gic: this GICv2 has no virtual interface in the host tree");
        return HV_NOT_SUPPORTED;
    }
    enum hv_status status = hal_hypmap_device(hpa(host->gicc.base), cpu_bytes, &va);

    if (status != HV_OK) {
        return status;
    }
    gicv2_cpu = va;
    status = hal_hypmap_device(hpa(host->gich.base), PAGE_BYTES, &va);
    if (status != HV_OK) {
        return status;
    }
    gicv2_hyp = va;
    const uint64_t second = gicv2_second_page(cpu_bytes);

    gicv2_dir = &gicv2_cpu[second];
    gic_host.gicv[0] = hpa(host->gicv.base);
    gic_host.gicv[1] = hpa(host->gicv.base + second);
    gic_host.nr_lrs = (uint32_t)bits_min((gic_read32(gicv2_hyp, GICH_VTR) & 0x3Fu) + 1u, VGIC_LRS_MAX);
    gic_host.nr_aprs = 1u;
    gic_write32(gic_host.gicd, GICD_CTLR, 1u);
    return HV_OK;
}

enum hv_status gicv2_init_cpu(struct gic_cpu *cpu)
{
    uint32_t mask = 0u;

    gic_reset_bank(gic_host.gicd, 0u, 0u);
    /* The target registers of the private interrupts tell which interface this is; a GIC of one CPU has none
     * (4.3.12). */
    for (uint32_t n = 0u; n < 8u; n++) {
        mask |= gic_read32(gic_host.gicd, GICD_ITARGETSR + (n * 4u));
    }
    mask |= mask >> 16u;
    mask |= mask >> 8u;
    cpu->address = ((mask & 0xFFu) != 0u) ? (mask & 0xFFu) : 1u;
    gic_write32(gic_host.gicd, GICD_ISENABLER, BIT32(GIC_SGI_IPI));
    gic_write32(gicv2_cpu, GICC_PMR, GIC_PMR);
    gic_write32(gicv2_cpu, GICC_BPR, 0u);
    gic_write32(gicv2_cpu, GICC_CTLR, GICC_CTLR_ENABLE | GICC_CTLR_EOIMODE);
    return HV_OK;
}

#define GICV2_READER(function, page, offset)                                                                 \
    uint32_t function(void)                                                                                  \
    {                                                                                                        \
        return gic_read32(page, offset);                                                                     \
    }
#define GICV2_WRITER(function, page, offset)                                                                 \
    void function(uint32_t value)                                                                            \
    {                                                                                                        \
        gic_write32(page, offset, value);                                                                    \
    }

GICV2_READER(gicv2_acknowledge, gicv2_cpu, GICC_IAR)
GICV2_WRITER(gicv2_priority_drop, gicv2_cpu, GICC_EOIR)
GICV2_WRITER(gicv2_deactivate, gicv2_dir, 0u)
GICV2_READER(gicv2_lr_empty, gicv2_hyp, GICH_ELRSR)
GICV2_READER(gicv2_hcr_read, gicv2_hyp, GICH_HCR)
GICV2_WRITER(gicv2_hcr_write, gicv2_hyp, GICH_HCR)
GICV2_READER(gicv2_vmcr_read, gicv2_hyp, GICH_VMCR)

void gicv2_route(uint32_t irq, const struct gic_cpu *cpu)
{
    hal_mmio_write8(&gic_host.gicd[GICD_ITARGETSR + irq], (uint8_t)cpu->address);
}

void gicv2_ipi(const struct gic_cpu *cpu)
{
    gic_write32(gic_host.gicd, GICD_SGIR, ((uint32_t)cpu->address << 16u) | GIC_SGI_IPI);
}

uint64_t gicv2_lr_read(uint32_t slot)
{
    const uint32_t lr = gic_read32(gicv2_hyp, GICH_LR + (slot * 4u));
    uint64_t value = (uint64_t)lr & GIC_LR_VINTID;

    value |= bits_field(lr, 19u, GICH_LR_PHYSICAL_LOW) << GIC_LR_PINTID_LOW;
    value |= (bits_field(lr, 27u, GICH_LR_PRIO_LOW) << 3u) << GIC_LR_PRIO_LOW;
    value |= bits_field(lr, 29u, GICH_LR_STATE_LOW) << 62u;
    value |= ((lr & GICH_LR_GROUP1) != 0u) ? GIC_LR_GROUP1 : 0u;
    value |= ((lr & GICH_LR_HW) != 0u) ? GIC_LR_HW : 0u;
    return value;
}

void gicv2_lr_write(uint32_t slot, uint64_t value)
{
    uint64_t lr = value & GIC_LR_VINTID;

    lr |= bits_field(value, 41u, GIC_LR_PINTID_LOW) << GICH_LR_PHYSICAL_LOW;
    lr |= bits_field(value, 55u, GIC_LR_PRIO_LOW + 3u) << GICH_LR_PRIO_LOW;
    lr |= bits_field(value, 63u, 62u) << GICH_LR_STATE_LOW;
    lr |= ((value & GIC_LR_GROUP1) != 0u) ? GICH_LR_GROUP1 : 0u;
    lr |= ((value & GIC_LR_HW) != 0u) ? GICH_LR_HW : 0u;
    gic_write32(gicv2_hyp, GICH_LR + (slot * 4u), (uint32_t)lr);
}

void gicv2_interface_save(struct vgic_vcpu *vgic)
{
    vgic->vmcr = gic_read32(gicv2_hyp, GICH_VMCR);
    vgic->apr[0][0] = gic_read32(gicv2_hyp, GICH_APR);
}

void gicv2_interface_load(const struct vgic_vcpu *vgic)
{
    gic_write32(gicv2_hyp, GICH_VMCR, vgic->vmcr);
    gic_write32(gicv2_hyp, GICH_APR, vgic->apr[0][0]);
}
