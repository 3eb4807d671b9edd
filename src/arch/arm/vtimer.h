/* A guest's timers: the virtual one runs by itself in the CPU, the physical one (CNTP) is emulated.
 * DDI 0487 chapter D12. */
#ifndef ARCH_ARM_VTIMER_H
#define ARCH_ARM_VTIMER_H

#include "arm_port.h"

#define VTIMER_ENABLE  1u
#define VTIMER_IMASK   2u
#define VTIMER_ISTATUS 4u

/* Is the virtual timer's output of this CPU high? */
static inline bool vtimer_is_asserted_here(void)
{
    return (arm_virt_timer_control() & (VTIMER_ENABLE | VTIMER_IMASK | VTIMER_ISTATUS)) ==
           (VTIMER_ENABLE | VTIMER_ISTATUS);
}

/* The same of a vCPU that is not loaded. */
bool vtimer_is_asserted(const struct hal_vcpu *vcpu);
/* Level of the emulated physical timer. */
bool vtimer_physical_line(const struct hal_vcpu *vcpu);

void vtimer_save(struct hal_vcpu *vcpu);
void vtimer_load(const struct hal_vcpu *vcpu);

/* CNTP_TVAL, CNTP_CTL, CNTP_CVAL; which: op2 0, 1, 2. The vCPU is loaded here. */
void vtimer_physical_access(struct hal_vcpu *vcpu, uint32_t which, struct arm_sysreg *access);

#endif
