/* The host's interrupt controller: what GICv2 and GICv3 share, and the interrupt entry. */
#include "arch/arm/gic.h"

#include "arch/arm/vgic.h"
#include "arch/arm/vtimer.h"
#include "arm_sysregs.h"
#include "base/log.h"
#include "base/percpu.h"
#include "hal/hypmap.h"
#include "hal/irq.h"
#include "hal/mmio.h"

#define GIC_WAIT_POLLS   1000000u /* far beyond what a distributor needs */
#define GICD_TYPER_LINES 0x1Fu

struct gic gic_host;
struct gic_cpu gic_cpus[HV_CPUS_MAX];

static struct spinlock gic_lock = SPINLOCK(LOCK_IRQ);

const struct arm_plan_host *arm_host(void)
{
    return gic_host.host;
}

struct gic_cpu *gic_this_cpu(void)
{
    return &gic_cpus[cpu_id() & (HV_CPUS_MAX - 1u)];
}

uint32_t gic_read32(const volatile uint8_t *page, uint32_t offset)
{
    return hal_mmio_read32(&page[offset]);
}

void gic_write32(volatile uint8_t *page, uint32_t offset, uint32_t value)
{
    hal_mmio_write32(&page[offset], value);
}

bool gic_wait32(const volatile uint8_t *page, uint32_t offset, uint32_t mask, uint32_t want)
{
    uint32_t polls = 0u;

    while (((gic_read32(page, offset) & mask) != want) && (polls < GIC_WAIT_POLLS)) {
        hal_cpu_relax();
        polls++;
    }
    return polls < GIC_WAIT_POLLS;
}

void gic_reset_bank(volatile uint8_t *page, uint32_t bank, uint32_t groups)
{
    const uint32_t word = bank * 4u;

    gic_write32(page, GICD_ICENABLER + word, UINT32_MAX);
    gic_write32(page, GICD_ICPENDR + word, UINT32_MAX);
    gic_write32(page, GICD_ICACTIVER + word, UINT32_MAX);
    /* without effect, and not needed, where secure firmware owns the groups (IHI 0069H 12.9.11, IHI 0048B
     * 4.3.4) */
    gic_write32(page, GICD_IGROUPR + word, groups);
    for (uint32_t n = 0u; n < 8u; n++) {
        gic_write32(page, GICD_IPRIORITYR + (bank * 32u) + (n * 4u), GIC_PRIORITIES4);
    }
}

/* All shared interrupts masked and level-sensitive. */
static void gic_reset_shared(uint32_t groups)
{
    for (uint32_t bank = 1u; bank < (gic_host.nr_irqs / 32u); bank++) {
        gic_reset_bank(gic_host.gicd, bank, groups);
        gic_write32(gic_host.gicd, GICD_ICFGR + (bank * 8u), 0u);
        gic_write32(gic_host.gicd, GICD_ICFGR + (bank * 8u) + 4u, 0u);
    }
}

static bool gic_is_ppi(uint32_t irq)
{
    return (irq >= GIC_SGIS) && (irq < GIC_PRIVATE);
}

enum hv_status hal_irq_init(const struct hal_plan_host *host)
{
    const struct arm_plan_host *arm = &host->arm;
    void *va;

    gic_host.host = arm;
    gic_host.version = arm->gic_version;
    gic_host.vtimer_irq = arm->ppi_virt_timer;
    if ((arm->gic_version != 2u) && (arm->gic_version != 3u)) {
        log_line("gic: no GICv2 or GICv3 in the host tree");
        return HV_NOT_SUPPORTED;
    }
    if (!gic_is_ppi(arm->ppi_maintenance) || !gic_is_ppi(arm->ppi_virt_timer) ||
        !gic_is_ppi(arm->ppi_hyp_timer)) {
        log_line("gic: maintenance, virtual timer and hypervisor timer must be private interrupts");
        return HV_NOT_SUPPORTED;
    }
    enum hv_status status = hal_hypmap_device(hpa(arm->gicd.base), arm->gicd.bytes, &va);

    if (status != HV_OK) {
        return status;
    }
    gic_host.gicd = va;
    gic_host.nr_irqs = ((gic_read32(gic_host.gicd, GICD_TYPER) & GICD_TYPER_LINES) + 1u) * 32u;
    status = gic_is(gic_host.version, 3u) ? gicv3_init() : gicv2_init();
    if (status != HV_OK) {
        return status;
    }
    gic_reset_shared(gic_is(gic_host.version, 3u) ? UINT32_MAX : 0u);
    status = hal_irq_init_cpu();
    if (status == HV_OK) {
        log_line("gic: version %u, %u interrupts, %u list registers", gic_host.version, gic_host.nr_irqs,
                 gic_host.nr_lrs);
    }
    return status;
}

enum hv_status hal_irq_init_cpu(void)
{
    struct gic_cpu *cpu = gic_this_cpu();
    enum hv_status status = gic_is(gic_host.version, 3u) ? gicv3_init_cpu(cpu) : gicv2_init_cpu(cpu);

    if (status != HV_OK) {
        return status;
    }
    if (gic_host.nr_lrs < 2u) {
        log_line("gic: %u list registers are too few", gic_host.nr_lrs);
        return HV_NOT_SUPPORTED;
    }
    for (uint32_t slot = 0u; slot < gic_host.nr_lrs; slot++) {
        gic_lr_write(slot, 0u);
    }
    gic_hcr_write(0u);
    status = hal_irq_enable(gic_host.host->ppi_maintenance, false);
    status = (status == HV_OK) ? hal_irq_enable(gic_host.vtimer_irq, false) : status;
    if (status == HV_OK) {
        hal_store_release32(&cpu->is_up, 1u);
    }
    return status;
}

/* The page with the registers of an interrupt as this CPU reaches them. */
static volatile uint8_t *gic_page_of(uint32_t irq)
{
    if ((irq < GIC_PRIVATE) && gic_is(gic_host.version, 3u)) {
        return &gic_this_cpu()->redist[GICR_SGI];
    }
    return gic_host.gicd;
}

static bool gic_has(uint32_t irq)
{
    return (irq < gic_host.nr_irqs) && (irq < HAL_IRQ_MAX);
}

void gic_set_edge(uint32_t irq, bool edge)
{
    const uint32_t config = GICD_ICFGR + ((irq / 16u) * 4u);
    const uint32_t bit = BIT32((((irq & 15u) * 2u) + 1u));
    volatile uint8_t *page = gic_page_of(irq);
    const uint64_t flags = spin_lock(&gic_lock);
    const uint32_t value = gic_read32(page, config);

    gic_write32(page, config, edge ? (value | bit) : (value & ~bit));
    spin_unlock(&gic_lock, flags);
}

void gic_route(uint32_t irq, const struct gic_cpu *cpu)
{
    if (gic_is(gic_host.version, 3u)) {
        gicv3_route(irq, cpu);
    } else {
        gicv2_route(irq, cpu);
    }
}

void gic_settle_distributor(void)
{
    if (gic_is(gic_host.version, 3u)) {
        gicv3_settle();
    }
}

enum hv_status hal_irq_enable(uint32_t irq, bool edge)
{
    if (!gic_has(irq)) {
        return HV_INVALID;
    }
    if (irq >= GIC_SGIS) {
        gic_set_edge(irq, edge);
    }
    if (irq >= GIC_PRIVATE) {
        gic_route(irq, gic_this_cpu());
    }
    gic_write32(gic_page_of(irq), GICD_ISENABLER + ((irq / 32u) * 4u), BIT32((irq & 31u)));
    return HV_OK;
}

void hal_irq_disable(uint32_t irq)
{
    if (gic_has(irq)) {
        gic_write32(gic_page_of(irq), GICD_ICENABLER + ((irq / 32u) * 4u), BIT32((irq & 31u)));
    }
}

bool hal_irq_is_enabled(uint32_t irq, bool *edge)
{
    const volatile uint8_t *const page = gic_has(irq) ? gic_page_of(irq) : NULL;
    bool enabled = false;

    if (page != NULL) {
        enabled = ((gic_read32(page, GICD_ISENABLER + ((irq / 32u) * 4u)) >> (irq & 31u)) & 1u) != 0u;
        *edge = ((gic_read32(page, GICD_ICFGR + ((irq / 16u) * 4u)) >> (((irq & 15u) * 2u) + 1u)) & 1u) != 0u;
    }
    return enabled;
}

void hal_irq_ipi(cpuid_t cpu)
{
    const struct gic_cpu *target = &gic_cpus[cpu & (HV_CPUS_MAX - 1u)];

    if (hal_load_acquire32(&target->is_up) == 0u) {
        return;
    }
    hal_barrier_io(); /* our writes first: the SGI is not ordered with them otherwise */
    if (gic_is(gic_host.version, 3u)) {
        gicv3_ipi(target);
    } else {
        gicv2_ipi(target);
    }
}

/* What either version has a function for */
#define GIC_READER(type, function, v3, v2)                                                                   \
    type function(void)                                                                                      \
    {                                                                                                        \
        return gic_is(gic_host.version, 3u) ? v3() : v2();                                                   \
    }
#define GIC_ACTION(result, function, v3, v2, type)                                                           \
    result function(type value)                                                                              \
    {                                                                                                        \
        if (gic_is(gic_host.version, 3u)) {                                                                  \
            v3(value);                                                                                       \
        } else {                                                                                             \
            v2(value);                                                                                       \
        }                                                                                                    \
    }

GIC_READER(static uint32_t, gic_acknowledge, arm_icc_iar1_read, gicv2_acknowledge)
GIC_ACTION(static void, gic_priority_drop, arm_icc_eoir1_write, gicv2_priority_drop, uint32_t)
GIC_ACTION(void, gic_deactivate, arm_icc_dir_write, gicv2_deactivate, uint32_t)
GIC_READER(uint32_t, gic_lr_empty, arm_ich_elrsr_read, gicv2_lr_empty)
GIC_READER(uint32_t, gic_hcr_read, arm_ich_hcr_read, gicv2_hcr_read)
GIC_ACTION(void, gic_hcr_write, arm_ich_hcr_write, gicv2_hcr_write, uint32_t)
GIC_READER(uint32_t, gic_vmcr_read, arm_ich_vmcr_read, gicv2_vmcr_read)
GIC_ACTION(void, gic_interface_save, gicv3_interface_save, gicv2_interface_save, struct vgic_vcpu *)
GIC_ACTION(void, gic_interface_load, gicv3_interface_load, gicv2_interface_load, const struct vgic_vcpu *)

void gic_private_set_active(uint32_t intid)
{
    gic_write32(gic_page_of(intid), GICD_ISACTIVER, BIT32((intid & 31u)));
    hal_barrier_io(); /* before its source may be on */
}

uint64_t gic_lr_read(uint32_t slot)
{
    return gic_is(gic_host.version, 3u) ? gicv3_lr_read(slot) : gicv2_lr_read(slot);
}

void gic_lr_write(uint32_t slot, uint64_t value)
{
    if (gic_is(gic_host.version, 3u)) {
        gicv3_lr_write(slot, value);
    } else {
        gicv2_lr_write(slot, value);
    }
}

/* An IPI that was ended already: one sent from now on is seen as a new one. */
static void gic_message(struct hal_vcpu *loaded)
{
    hal_barrier_io();
    upcall_ipi(); /* first: who asks after this look at its reasons sends another */
    if (loaded != NULL) {
        vgic_work(loaded);
    }
}

/* One acknowledged interrupt. The priority is dropped before the handler; the interrupt stays active, and so
 * can't come again, until its source is quiet. */
static void gic_settle(struct hal_vcpu *loaded, uint32_t ack)
{
    const uint32_t irq = ack & GIC_INTID_MASK;
    bool is_forwarded = false;

    gic_priority_drop(ack);
    if (irq == gic_host.vtimer_irq) {
        is_forwarded = vgic_vtimer_fired(loaded);
    } else if (irq == GIC_SGI_IPI) {
        is_forwarded = true;
        gic_deactivate(ack);
        gic_message(loaded);
    } else if (irq == gic_host.host->ppi_hyp_timer) {
        arm_hyp_timer_write(UINT64_MAX, 0u);
        arm_isb();
        upcall_timer();
    } else if (irq == gic_host.host->ppi_maintenance) {
        vgic_maintain(loaded);
    } else {
        is_forwarded = (irq >= GIC_PRIVATE) && vgic_line_fired(irq);
        if (!is_forwarded) {
            upcall_irq(irq);
        }
    }
    if (!is_forwarded) {
        gic_deactivate(ack);
    }
}

/* Up to HAL_IRQ_BURST interrupts, the first of which is acknowledged already. A device's is the last, and so
 * is the hypervisor's timer: their handlers are long, and what is pending then interrupts anew. */
__attribute__((noinline)) static void gic_settle_all(uint32_t first)
{
    struct hal_vcpu *loaded = gic_this_cpu()->loaded;
    uint32_t ack = first;
    uint32_t n = 0u;

    while ((ack & GIC_INTID_MASK) < GIC_SPECIAL) {
        gic_settle(loaded, ack);
        n++;
        if ((n == HAL_IRQ_BURST) || ((ack & GIC_INTID_MASK) >= GIC_PRIVATE) ||
            (ack == gic_host.host->ppi_hyp_timer)) {
            break;
        }
        ack = gic_acknowledge();
    }
}

__attribute__((noinline)) static void gic_settle_message(uint32_t ack)
{
    arm_icc_eoir1_write(ack);
    arm_icc_dir_write(ack);
    gic_message(gic_this_cpu()->loaded);
}

/* The guest's timer with GICv3 is by far the most frequent interrupt, messages are next; the former has a
 * path of its own, without a stack frame. */
void arm_irq_entry(void)
{
    uint32_t ack = gic_acknowledge();

    if ((ack == gic_host.vtimer_irq) && gic_is(gic_host.version, 3u)) {
        const struct hal_vcpu *loaded = gic_this_cpu()->loaded;
        const uint64_t pending = (loaded != NULL) ? loaded->arm.vgic.vtimer_lr : 0u;

        if ((pending != 0u) && vtimer_is_asserted_here()) {
            arm_ich_lr_low_write(VGIC_LR_TIMER, pending);
            arm_icc_eoir1_write(ack);
            ack = arm_icc_iar1_read();
        }
    }
    if ((ack == GIC_SGI_IPI) && gic_is(gic_host.version, 3u)) {
        gic_settle_message(ack); /* what else is pending comes by itself */
    } else if ((ack & GIC_INTID_MASK) < GIC_SPECIAL) {
        gic_settle_all(ack);
    } else {
        /* nothing, or nothing more */
    }
}
