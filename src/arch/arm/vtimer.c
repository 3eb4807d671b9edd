/* A guest's timers. The virtual counter is the physical one less CNTVOFF_EL2, the same for all vCPUs of a
 * domain; the physical counter is the host's. */
/* [impl->req~physical-timer~1] */
#include "arch/arm/vtimer.h"

#include "arch/arm/vgic.h"
#include "hal/timer.h"

#define CNTHCTL_EL1PCTEN BIT32(0) /* guests read the physical counter; its timer (EL1PCEN, bit 1) traps */

#define VTIMER_CTL_WRITABLE (VTIMER_ENABLE | VTIMER_IMASK)

#define VTIMER_TVAL 0u
#define VTIMER_CTL  1u

uint64_t hal_domain_counter(const struct hal_domain *domain)
{
    return arm_counter_read() - domain->arm.cntvoff;
}

static bool vtimer_is_on(uint64_t control)
{
    return (control & VTIMER_CTL_WRITABLE) == VTIMER_ENABLE;
}

bool vtimer_is_asserted(const struct hal_vcpu *vcpu)
{
    const struct arm_vtimer *timer = &vcpu->arm.timer;

    return vtimer_is_on(timer->cntv_ctl) && (hal_domain_counter(vcpu->domain) >= timer->cntv_cval);
}

bool vtimer_physical_line(const struct hal_vcpu *vcpu)
{
    const struct arm_vtimer *timer = &vcpu->arm.timer;

    return vtimer_is_on(timer->cntp_ctl) && (arm_counter_read() >= timer->cntp_cval);
}

void vtimer_save(struct hal_vcpu *vcpu)
{
    struct arm_vtimer *timer = &vcpu->arm.timer;

    timer->cntv_ctl = arm_virt_timer_control() & VTIMER_CTL_WRITABLE;
    timer->cntv_cval = arm_virt_timer_compare();
    arm_virt_timer_control_write(0u);
    arm_isb();
}

void vtimer_load(const struct hal_vcpu *vcpu)
{
    const struct arm_vtimer *timer = &vcpu->arm.timer;

    arm_timer_access_write(CNTHCTL_EL1PCTEN);
    arm_virt_offset_write(vcpu->domain->arm.cntvoff);
    arm_virt_timer_compare_write(timer->cntv_cval);
    arm_isb(); /* the comparison is right before it counts */
    arm_virt_timer_control_write((uint32_t)timer->cntv_ctl);
}

void vtimer_physical_access(struct hal_vcpu *vcpu, uint32_t which, struct arm_sysreg *access)
{
    struct arm_vtimer *timer = &vcpu->arm.timer;
    const uint64_t now = arm_counter_read();

    if (!access->write) {
        if (which == VTIMER_TVAL) {
            access->value = (timer->cntp_cval - now) & UINT32_MAX;
        } else if (which == VTIMER_CTL) {
            access->value = timer->cntp_ctl;
            if (((timer->cntp_ctl & VTIMER_ENABLE) != 0u) && (now >= timer->cntp_cval)) {
                access->value |= VTIMER_ISTATUS;
            }
        } else {
            access->value = timer->cntp_cval;
        }
        return;
    }
    if (which == VTIMER_TVAL) { /* signed, 32 bits (D12.2.4) */
        const uint64_t low = access->value & UINT32_MAX;
        const uint64_t sign = ((low & BIT64(31)) != 0u) ? ~(uint64_t)UINT32_MAX : 0u;

        timer->cntp_cval = now + (low | sign);
    } else if (which == VTIMER_CTL) {
        timer->cntp_ctl = (uint32_t)access->value & VTIMER_CTL_WRITABLE;
    } else {
        timer->cntp_cval = access->value;
    }
    vgic_set_ptimer(vcpu, vtimer_physical_line(vcpu));
    upcall_vcpu_deadline_changed(vcpu);
}

/* ns since boot when a counter that reads `now` reaches or reached `compare`: the same moment whenever it is
 * asked. One in the past is a deadline only as long as nothing followed from it: the line of a loaded vCPU is
 * not up yet, or one that is not loaded would be interrupted. */
static uint64_t vtimer_deadline(const struct hal_vcpu *vcpu, uint64_t now, uint64_t compare, bool is_line_up)
{
    const uint64_t now_ns = hal_timer_now_ns();
    uint64_t deadline = TIME_NEVER;

    if (compare > now) {
        const uint64_t left_ns = hal_timer_ns(compare - now);

        deadline = (left_ns < (TIME_NEVER - now_ns)) ? (now_ns + left_ns) : TIME_NEVER;
    } else if ((vcpu->arm.vgic.loaded != 0u) ? !is_line_up : hal_vcpu_irq_pending(vcpu)) {
        deadline = now_ns - bits_min(now_ns, hal_timer_ns(now - compare));
    } else {
        deadline = TIME_NEVER;
    }
    return deadline;
}

uint64_t hal_vcpu_deadline(const struct hal_vcpu *vcpu, bool loaded)
{
    const struct arm_vtimer *timer = &vcpu->arm.timer;
    const uint64_t now = arm_counter_read();
    uint64_t deadline = TIME_NEVER;

    if (vtimer_is_on(timer->cntp_ctl)) {
        deadline =
            vtimer_deadline(vcpu, now, timer->cntp_cval, (vcpu->arm.vgic.priv.line & VGIC_PTIMER_BIT) != 0u);
    }
    if (!loaded && vtimer_is_on(timer->cntv_ctl)) {
        const uint64_t virtual_now = now - vcpu->domain->arm.cntvoff;

        deadline = bits_min(deadline, vtimer_deadline(vcpu, virtual_now, timer->cntv_cval, false));
    }
    return deadline;
}

/* A vCPU that is not loaded computes its lines when it is. */
void hal_vcpu_deadline_reached(struct hal_vcpu *vcpu)
{
    if (vcpu->arm.vgic.loaded != 0u) {
        vgic_set_ptimer(vcpu, vtimer_physical_line(vcpu));
    }
}
