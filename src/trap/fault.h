/* Accesses of guests that their map does not allow. */
#ifndef TRAP_FAULT_H
#define TRAP_FAULT_H

#include "domain/domain.h"

/* An emulated device, or the domain's policy. Trap context; bounded by DOMAIN_MMIO_MAX and the device. */
enum hal_resume trap_fault(struct vcpu *vcpu, const struct hal_exit *exit);

#endif
