/* GICv3 and GICv4 (IHI 0069H): redistributors, CPU interface and virtual interface by system registers.
 * Affinity routing, all interrupts in (non-secure) Group 1. */
#include "arch/arm/gic.h"

#include "arm_sysregs.h"
#include "base/log.h"
#include "base/percpu.h"
#include "hal/hypmap.h"
#include "hal/mmio.h"

#define GICD_CTLR_RWP BIT32(31)
#define GICD_CTLR_ARE BIT32(4)
#define GICD_CTLR_GROUP1                                                                                     \
    BIT32(1) /* EnableGrp1A in the non-secure view of two states, EnableGrp1 with one (12.9.4) */
#define GICR_CTLR_RWP     BIT32(3)
#define GICR_TYPER_VLPIS  BIT64(1)
#define GICR_FRAME_BYTES  0x20000u
#define GICR_FRAME4_BYTES 0x40000u
#define PIDR2_ARCH(id)    (((id) >> 4u) & 0xFu)

#define ICC_SRE_SRE      BIT32(0)
#define ICC_SRE_DFB      BIT32(1)
#define ICC_SRE_DIB      BIT32(2)
#define ICC_CTLR_EOIMODE BIT32(1)

#define GICV3_REDISTS_MAX HV_CPUS_MAX

struct gicv3_redist {
    uint32_t affinity; /* Aff3:Aff2:Aff1:Aff0 as in GICR_TYPER[63:32] */
    volatile uint8_t *page;
};

static struct gicv3_redist gicv3_redists[GICV3_REDISTS_MAX];
static uint32_t gicv3_nr_redists;
static uint64_t gicv3_hwid[HV_CPUS_MAX]; /* apart from struct gic_cpu, of which each interrupt needs one */

static uint32_t gicv3_affinity_of(uint64_t hwid)
{
    return (uint32_t)bits_field(hwid, 23u, 0u) | (uint32_t)(bits_field(hwid, 39u, 32u) << 24u);
}

/* Notes the redistributors of one region: bounded by its size and by the table. */
static enum hv_status gicv3_scan(const struct range *region, uint64_t stride)
{
    uint64_t offset = 0u;

    while (((offset + GICR_FRAME_BYTES) <= region->bytes) && (gicv3_nr_redists < GICV3_REDISTS_MAX)) {
        struct gicv3_redist *redist = &gicv3_redists[gicv3_nr_redists];
        enum hv_status status;
        uint64_t type;
        void *va;

        status = hal_hypmap_device(hpa(region->base + offset), GICR_FRAME_BYTES, &va);
        if (status != HV_OK) {
            return status;
        }
        redist->page = va;
        if (PIDR2_ARCH(gic_read32(redist->page, GICD_V3_PIDR2)) < 3u) {
            log_line("gic: no redistributor at %X", region->base + offset);
            return HV_NOT_SUPPORTED;
        }
        type = hal_mmio_read64(&redist->page[GICR_TYPER]);
        redist->affinity = (uint32_t)(type >> 32u);
        gicv3_nr_redists++;
        if ((type & GICR_TYPER_LAST) != 0u) {
            break;
        }
        if (stride != 0u) {
            offset += stride;
        } else {
            offset += ((type & GICR_TYPER_VLPIS) != 0u) ? GICR_FRAME4_BYTES : GICR_FRAME_BYTES;
        }
    }
    return HV_OK;
}

enum hv_status gicv3_init(void)
{
    const struct arm_plan_host *host = gic_host.host;
    const uint32_t arch = PIDR2_ARCH(gic_read32(gic_host.gicd, GICD_V3_PIDR2));
    enum hv_status status = HV_OK;

    if ((arch != 3u) && (arch != 4u)) {
        log_line("gic: the distributor says architecture %u, not 3 or 4", arch);
        return HV_NOT_SUPPORTED;
    }
    gicv3_nr_redists = 0u;
    for (uint32_t n = 0u; (n < host->nr_gicr) && (n < ARM_REDIST_REGIONS_MAX) && (status == HV_OK); n++) {
        status = gicv3_scan(&host->gicr[n], host->gicr_stride);
    }
    if (status != HV_OK) {
        return status;
    }
    gic_write32(gic_host.gicd, GICD_CTLR, 0u);
    if (!gic_wait32(gic_host.gicd, GICD_CTLR, GICD_CTLR_RWP, 0u)) {
        log_line("gic: the distributor does not settle");
        return HV_NOT_SUPPORTED;
    }
    gic_write32(gic_host.gicd, GICD_CTLR, GICD_CTLR_ARE); /* routing is chosen while the groups are off */
    gic_write32(gic_host.gicd, GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GROUP1);
    return HV_OK;
}

static volatile uint8_t *gicv3_find(uint32_t affinity)
{
    for (uint32_t n = 0u; n < gicv3_nr_redists; n++) {
        if (gicv3_redists[n].affinity == affinity) {
            return gicv3_redists[n].page;
        }
    }
    return NULL;
}

static void gicv3_init_interface(void)
{
    const uint32_t type = arm_ich_vtr_read();
    const uint64_t prebits = bits_field(type, 28u, 26u);

    gic_host.nr_lrs = (uint32_t)bits_min((type & 0x1Fu) + 1u, VGIC_LRS_MAX);
    /* PREbits + 1 preemption bits: up to 5, 6, 7 have one, two, four registers (12.4.3) */
    gic_host.nr_aprs = (prebits <= 4u) ? 1u : ((prebits == 5u) ? 2u : 4u);
    arm_icc_pmr_write(GIC_PMR);
    arm_icc_bpr1_write(0u);
    arm_icc_ctlr_write(ICC_CTLR_EOIMODE);
    arm_icc_igrpen1_write(1u);
    arm_isb();
}

enum hv_status gicv3_init_cpu(struct gic_cpu *cpu)
{
    const uint64_t hwid = arm_cpu_hwid();
    const uint32_t affinity = gicv3_affinity_of(hwid);
    volatile uint8_t *page = gicv3_find(affinity);

    if (page == NULL) {
        log_line("gic: CPU %x has no redistributor", affinity);
        return HV_NOT_SUPPORTED;
    }
    cpu->redist = page;
    gicv3_hwid[cpu_id() % HV_CPUS_MAX] = hwid;
    const uint32_t waker = gic_read32(page, GICR_WAKER);

    gic_write32(page, GICR_WAKER, waker & ~GICR_WAKER_PROCESSOR_SLEEP);
    if (!gic_wait32(page, GICR_WAKER, GICR_WAKER_CHILDREN_ASLEEP, 0u)) {
        log_line("gic: the redistributor of CPU %x does not wake", affinity);
        return HV_NOT_SUPPORTED;
    }
    gic_reset_bank(&page[GICR_SGI], 0u, UINT32_MAX);
    gic_write32(&page[GICR_SGI], GICD_ISENABLER, BIT32(GIC_SGI_IPI));
    if (!gic_wait32(page, GICR_CTLR, GICR_CTLR_RWP, 0u)) {
        log_line("gic: the redistributor of CPU %x does not settle", affinity);
        return HV_NOT_SUPPORTED;
    }
    /* Enable (bit 3) stays 0: a guest's ICC_SRE_EL1 traps, so it can't leave the system register interface
     * (12.2.24). */
    arm_icc_sre_el2_write(ICC_SRE_SRE | ICC_SRE_DFB | ICC_SRE_DIB);
    arm_isb();
    if ((arm_icc_sre_el2_read() & ICC_SRE_SRE) == 0u) {
        log_line("gic: firmware keeps the system register interface off");
        return HV_NOT_SUPPORTED;
    }
    arm_icc_sre_el1_write(ICC_SRE_SRE | ICC_SRE_DFB | ICC_SRE_DIB);
    arm_isb();
    gicv3_init_interface();
    /* ICC_SGI1R_EL1: Aff3 55:48, RS 47:44, Aff2 39:32, Aff1 23:16, target list 15:0 (12.2.21) */
    cpu->address = (bits_field(hwid, 39u, 32u) << 48u) | (bits_field(hwid, 7u, 4u) << 44u) |
                   (bits_field(hwid, 23u, 16u) << 32u) | (bits_field(hwid, 15u, 8u) << 16u) |
                   BIT64(bits_field(hwid, 3u, 0u));
    return HV_OK;
}

void gicv3_route(uint32_t irq, const struct gic_cpu *cpu)
{
    /* GICD_IROUTER has the affinity where MPIDR_EL1 has it; Interrupt_Routing_Mode 0 (12.9.22) */
    hal_mmio_write64(&gic_host.gicd[GICD_IROUTER + (irq * 8u)],
                     gicv3_hwid[(uint32_t)(cpu - gic_cpus) % HV_CPUS_MAX]);
}

void gicv3_settle(void)
{
    if (!gic_wait32(gic_host.gicd, GICD_CTLR, GICD_CTLR_RWP, 0u)) {
        log_line("gic: the distributor does not settle");
    }
}

void gicv3_ipi(const struct gic_cpu *cpu)
{
    arm_icc_sgi1r_write(cpu->address | ((uint64_t)GIC_SGI_IPI << 24u));
    arm_isb();
}

uint64_t gicv3_lr_read(uint32_t slot)
{
    return (slot < 8u) ? arm_ich_lr_low_read(slot) : arm_ich_lr_high_read(slot);
}

void gicv3_lr_write(uint32_t slot, uint64_t value)
{
    if (slot == 0u) {
        arm_ich_lr_low_write(0u, value);
    } else if (slot == 1u) { /* the first that interrupts take */
        arm_ich_lr_low_write(1u, value);
    } else if (slot < 8u) {
        arm_ich_lr_low_write(slot, value);
    } else {
        arm_ich_lr_high_write(slot, value);
    }
}

void gicv3_interface_save(struct vgic_vcpu *vgic)
{
    vgic->vmcr = arm_ich_vmcr_read();
    for (uint32_t n = 0u; n < gic_host.nr_aprs; n++) {
        vgic->apr[0][n & 3u] = arm_ich_apr_read(0u, n);
        vgic->apr[1][n & 3u] = arm_ich_apr_read(1u, n);
    }
}

void gicv3_interface_load(const struct vgic_vcpu *vgic)
{
    arm_ich_vmcr_write(vgic->vmcr);
    for (uint32_t n = 0u; n < gic_host.nr_aprs; n++) {
        arm_ich_apr_write(0u, n, vgic->apr[0][n & 3u]);
        arm_ich_apr_write(1u, n, vgic->apr[1][n & 3u]);
    }
}
