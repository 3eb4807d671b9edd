/* Interrupt lines of emulated devices into a guest's interrupt controller. */
#ifndef HAL_VIRQ_H
#define HAL_VIRQ_H

#include "hal/vcpu.h"

/* Both take a rise of a line that is a physical interrupt's (hal/irq.h) for that interrupt, and no fall. */
/* Drives the level of a shared line (SPI INTID 32 ..); pends it at its target vCPU and kicks that. Any
 * context, takes the controller's lock. Lines the domain does not have are ignored. */
void hal_virq_set_line(struct hal_domain *domain, uint32_t intid, bool level);

/* One pulse of an edge-triggered line. */
void hal_virq_pulse(struct hal_domain *domain, uint32_t intid);

/* The private line that tells a vCPU of events (Xen's ABI on Arm: PPI 31) */
#define HAL_VIRQ_EVENTS 31u

/* One edge of that line. Any CPU, interrupts masked, no lock of the scheduler or the controller held. */
void hal_virq_event(struct hal_vcpu *vcpu);

#endif
