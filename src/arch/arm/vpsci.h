/* PSCI as guests see it (DEN 0022): version 1.1, the mandatory functions. */
#ifndef ARCH_ARM_VPSCI_H
#define ARCH_ARM_VPSCI_H

#include "hal/vcpu.h"

#define VPSCI_COUNT 9u /* functions of the standard service that we have, 32 and 64-bit forms counted once */

/* The result for x0: not supported for any function that is none of PSCI's. */
uint64_t vpsci_call(struct hal_vcpu *vcpu, uint32_t function);

#endif
