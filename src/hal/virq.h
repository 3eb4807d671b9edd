/* Interrupt lines of emulated devices into a guest's interrupt controller. */
#ifndef HAL_VIRQ_H
#define HAL_VIRQ_H

#include "hal/vcpu.h"

/* Drives the level of a shared line (SPI INTID 32 ..); pends it at its target vCPU and kicks that. Any
 * context, takes the controller's lock. Lines the domain does not have are ignored. */
void hal_virq_set_line(struct hal_domain *domain, uint32_t intid, bool level);

/* One pulse of an edge-triggered line. */
void hal_virq_pulse(struct hal_domain *domain, uint32_t intid);

#endif
