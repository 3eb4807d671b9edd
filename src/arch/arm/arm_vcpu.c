/* The shared part of a domain and a vCPU on Arm ports: puts interrupt controller, timers and registers
 * together. */
#include "arm_vcpu.h"

#include "arch/arm/gic.h"
#include "arch/arm/vgic.h"
#include "arch/arm/vtimer.h"

#define SYSREG_ICC_SRE_EL1   ARM_SYSREG(3u, 0u, 12u, 12u, 5u)
#define SYSREG_ICC_ASGI1R    ARM_SYSREG(3u, 0u, 12u, 11u, 6u)
#define SYSREG_ICC_SGI0R_EL1 ARM_SYSREG(3u, 0u, 12u, 11u, 7u)
#define SYSREG_CNTP_TVAL_EL0 ARM_SYSREG(3u, 3u, 14u, 2u, 0u) /* CTL has op2 1, CVAL 2 */

#define ICC_SRE_VALUE 7u /* SRE, DFB, DIB: the memory-mapped interface is not there */

/* GICv2: the guest's CPU interface is the hardware's virtual one, two pages. */
static enum hv_status arm_map_interface(struct hal_domain *domain)
{
    enum hv_status status = HV_OK;

    for (uint32_t n = 0u; (n < ARRAY_LEN(gic_host.gicv)) && (status == HV_OK); n++) {
        status =
            hal_guestmap_map(&domain->map, gpa(domain->arm.gic.range[1].base + ((uint64_t)n * PAGE_BYTES)),
                             gic_host.gicv[n], PAGE_BYTES, HAL_PERM_R | HAL_PERM_W, HAL_MEM_DEVICE);
    }
    return status;
}

enum hv_status arm_domain_init(struct hal_domain *domain, const struct hal_domain_config *config)
{
    domain->arm = (struct arm_domain){ .vgic = NULL };
    const uint32_t nr_vcpus_max =
        arm_plan_gic_map(arm_host(), config->direct, config->nr_vcpus, &domain->arm.gic);

    if ((config->nr_vcpus == 0u) || (config->nr_vcpus > nr_vcpus_max) ||
        (config->nr_spis > ARM_GUEST_SPIS_MAX)) {
        return HV_NOT_SUPPORTED;
    }
    domain->arm.nr_vcpus = config->nr_vcpus;
    domain->arm.nr_spis = (uint32_t)bits_align_up(config->nr_spis, VGIC_BANK_IRQS);
    domain->arm.gic_version = gic_host.version;
    enum hv_status status = vgic_domain_init(domain);

    if ((status == HV_OK) && gic_is(gic_host.version, 2u)) {
        status = arm_map_interface(domain);
    }
    if (status != HV_OK) {
        vgic_domain_destroy(domain);
        return status;
    }
    domain->arm.cntvoff = arm_counter_read();
    return HV_OK;
}

void arm_domain_destroy(struct hal_domain *domain)
{
    vgic_domain_destroy(domain);
}

enum hv_status arm_vcpu_init(struct hal_vcpu *vcpu)
{
    if (vcpu->index >= vcpu->domain->arm.nr_vcpus) {
        return HV_INVALID;
    }
    arm_vcpu_reset(vcpu);
    return HV_OK;
}

void arm_vcpu_reset(struct hal_vcpu *vcpu)
{
    vgic_vcpu_reset(vcpu);
    vcpu->arm.timer = (struct arm_vtimer){ .cntv_ctl = 0u };
}

/* The timer is off before its interrupt is put away, and on after it is there. */
void arm_vcpu_save(struct hal_vcpu *vcpu)
{
    vtimer_save(vcpu);
    vgic_save(vcpu);
}

void arm_vcpu_load(struct hal_vcpu *vcpu)
{
    vgic_load(vcpu);
    vtimer_load(vcpu);
}

/* One access to a register frame whose offset is known to be inside. */
static enum hal_resume arm_emulate(struct vgic_access *access, struct hal_vcpu *owner,
                                   const struct hal_exit *exit)
{
    if (exit->exec || (access->width == 0u) || ((access->offset & (access->width - 1u)) != 0u)) {
        return HAL_INJECT_ABORT;
    }
    if (owner != NULL) {
        vgicv3_gicr_access(access, owner);
    } else if (gic_is(access->vcpu->domain->arm.gic_version, 3u)) {
        vgicv3_gicd_access(access);
    } else {
        vgicv2_access(access);
    }
    if (access->vcpu->arm.vgic.inbox != 0u) {
        vgic_work(access->vcpu);
    }
    if (access->is_again) {
        return HAL_RESUME;
    }
    if (!exit->write) {
        hal_vcpu_set_load(access->vcpu, exit, access->value);
    }
    return HAL_RESUME_NEXT;
}

bool arm_vcpu_tells(const struct hal_vcpu *vcpu, uint64_t offset, uint64_t *value)
{
    const bool tells = (offset < GICD_IGROUPR) && gic_is(vcpu->domain->arm.gic_version, 3u);

    if (tells) {
        *value = vgicv3_gicd_tell(vcpu->domain, (uint32_t)offset);
    }
    return tells;
}

/* Whose redistributor is there in a region, and where in it. NULL: nobody's. */
static struct hal_vcpu *arm_redistributor(struct hal_domain *domain, uint32_t region, uint64_t in_region,
                                          uint32_t *offset)
{
    const struct arm_gic_map *const gic = &domain->arm.gic;
    const uint64_t frame = in_region / gic->stride;
    struct hal_vcpu *owner = NULL;
    uint64_t first = 0u;

    for (uint32_t i = 1u; i < region; i++) {
        first += gic->range[i].bytes / gic->stride;
    }
    *offset = (uint32_t)(in_region % gic->stride);
    if ((frame < (gic->range[region].bytes / gic->stride)) && (*offset < ARM_GUEST_GICR_FRAME_BYTES)) {
        owner = upcall_vcpu(domain, (uint32_t)(first + frame));
    }
    return owner;
}

/* Not inlined: other devices' accesses come by here. */
static __attribute__((noinline)) bool arm_gic_access(struct hal_vcpu *vcpu, const struct hal_exit *exit,
                                                     uint32_t region, enum hal_resume *resume)
{
    struct vgic_access access = {
        .vcpu = vcpu, .gpa = exit->gpa.v, .value = exit->value, .width = exit->width, .write = exit->write
    };
    const uint64_t in_region = exit->gpa.v - vcpu->domain->arm.gic.range[region].base;
    struct hal_vcpu *owner = NULL;
    bool is_ours = (region == 0u);

    if (is_ours) {
        access.offset = (uint32_t)in_region;
    } else if (gic_is(vcpu->domain->arm.gic_version, 3u)) {
        owner = arm_redistributor(vcpu->domain, region, in_region, &access.offset);
        is_ours = owner != NULL;
    } else {
        /* a GICv2's CPU interface is the hardware's */
    }
    if (is_ours) {
        *resume = arm_emulate(&access, owner, exit);
    }
    return is_ours;
}

bool arm_vcpu_mmio(struct hal_vcpu *vcpu, const struct hal_exit *exit, enum hal_resume *resume)
{
    const struct arm_gic_map *const gic = &vcpu->domain->arm.gic;
    uint32_t region = 0u;

    while ((region < gic->nr_ranges) &&
           ((exit->gpa.v - gic->range[region].base) >= gic->range[region].bytes)) {
        region++;
    }
    return (region < gic->nr_ranges) && arm_gic_access(vcpu, exit, region, resume);
}

/* ICC_ registers, which only a GICv3 guest has. */
static bool arm_icc_access(struct hal_vcpu *vcpu, struct arm_sysreg *access)
{
    const bool is_sre = access->encoding == SYSREG_ICC_SRE_EL1;
    const bool is_sgi = access->write && ((access->encoding == SYSREG_ICC_ASGI1R) ||
                                          (access->encoding == SYSREG_ICC_SGI0R_EL1));

    if (is_sgi) {
        vgicv3_write_sgir(vcpu, access->value, false);
    }
    if (is_sre) {
        access->value = ICC_SRE_VALUE;
    }
    return is_sre || is_sgi;
}

void arm_vcpu_send(struct hal_vcpu *vcpu, uint64_t value)
{
    const bool is_self = (value & ~VGIC_SGIR_INTID) == vcpu->arm.vgic.sgi_self;

    if (!is_self || !vgic_show_edge(vcpu, (uint32_t)bits_field(value, 27u, 24u))) {
        vgicv3_write_sgir(vcpu, value, true);
    }
}

bool arm_vcpu_sysreg(struct hal_vcpu *vcpu, struct arm_sysreg *access, enum hal_resume *resume)
{
    bool is_ours = false;

    *resume = HAL_RESUME_NEXT;
    if ((access->encoding == SYSREG_ICC_SGI1R_EL1) && access->write &&
        gic_is(vcpu->domain->arm.gic_version, 3u)) {
        arm_vcpu_send(vcpu, access->value);
        return true;
    }
    if ((access->encoding & ~ARM_SYSREG(0u, 0u, 0u, 0u, 3u)) == SYSREG_CNTP_TVAL_EL0) {
        is_ours = ARM_SYSREG_OP2(access->encoding) < 3u;
        if (is_ours) {
            vtimer_physical_access(vcpu, ARM_SYSREG_OP2(access->encoding), access);
        }
    } else {
        is_ours = gic_is(vcpu->domain->arm.gic_version, 3u) && arm_icc_access(vcpu, access);
    }
    return is_ours;
}
