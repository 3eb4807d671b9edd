/* Emulated interrupt controller: a loaded vCPU as a whole, and its inbox. */
#include "arch/arm/vgic_lr.h"

#include "arch/arm/vtimer.h"
#include "base/percpu.h"

void vgic_sync(struct hal_vcpu *vcpu)
{
    uint32_t used = vcpu->arm.vgic.lr_used;

    while (used != 0u) { /* at most VGIC_LRS_MAX */
        vgic_sync_slot(vcpu, bits_take(&used) & VGIC_SLOT_MASK);
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

/* Edges that others sent. */
static void vgic_take_edges(struct vgic_vcpu *vgic, uint32_t edges)
{
    if (!gic_is(gic_host.version, 2u)) {
        vgic->priv.latch |= edges;
        return;
    }
    vgic->priv.latch |= edges & ~VGIC_SGI_BITS;
    for (uint32_t word = 0u; ((edges & VGIC_SGI_BITS) != 0u) && (word < 2u); word++) {
        const uint64_t senders = hal_exchange64(&vgic->sgi_in[word], 0u);

        for (uint32_t n = 0u; n < 8u; n++) {
            const uint8_t set = (uint8_t)(senders >> (n * 8u));

            vgic->sgi_source[(word * 8u) + n] |= set;
            vgic->priv.latch |= (set != 0u) ? BIT32(((word * 8u) + n)) : 0u;
        }
    }
}

static void vgic_take_remote(struct hal_vcpu *vcpu)
{
    for (uint32_t kind = 0u; kind < ARRAY_LEN(vcpu->arm.vgic.remote); kind++) {
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

static __attribute__((noinline)) void vgic_work_through(struct hal_vcpu *vcpu, uint64_t in)
{
    vgic_take_edges(&vcpu->arm.vgic, (uint32_t)(in & VGIC_IN_EDGES));
    if (((in & ~VGIC_IN_EDGES) == 0u) && vgic_fill_private(vcpu)) {
        return;
    }
    const uint64_t flags = vgic_lock(vcpu->domain);

    vgic_work_locked(vcpu, in);
    vgic_unlock(vcpu->domain, flags);
}

/* Usually there are only edges, which take the short way one by one as long as it is open. */
void vgic_work(struct hal_vcpu *vcpu)
{
    uint64_t in = vcpu->arm.vgic.inbox;

    if (in == 0u) {
        return;
    }
    in = hal_exchange64(&vcpu->arm.vgic.inbox, 0u);
    if (((in & ~VGIC_IN_EDGES) == 0u) && !gic_is(gic_host.version, 2u)) {
        while ((in != 0u) && vgic_show_edge(vcpu, vgic_first((uint32_t)in))) { /* at most 32 */
            in &= in - 1u;
        }
    }
    if (in != 0u) {
        vgic_work_through(vcpu, in);
    }
}

void vgic_maintain(struct hal_vcpu *vcpu)
{
    if (vcpu == NULL) {
        gic_hcr_write(0u);
        return;
    }
    if ((vcpu->arm.vgic.lr_spi == 0u) &&
        (vcpu->arm.vgic.hcr == GIC_HCR_EN)) { /* only private ones: no lock */
        vgic_sync(vcpu);
        vgic_refresh(vcpu);
        return;
    }
    const uint64_t flags = vgic_lock(vcpu->domain);

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
    hal_barrier(); /* who finds it not loaded from now on wakes it; what was sent before is seen here */
    if (vgic->inbox != 0u) {
        upcall_vcpu_kick(vcpu);
    }
}
