/* PSCI as guests see it (DEN 0022): version 1.1, the mandatory functions. */
#ifndef ARCH_ARM_VPSCI_H
#define ARCH_ARM_VPSCI_H

#include "hal/types.h"
#include "hal/vcpu.h"

#define VPSCI_COUNT 9u /* functions of the standard service that we have, 32 and 64-bit forms counted once */

/* False: function is none of PSCI's. result: x0. */
bool vpsci_call(struct hal_vcpu *vcpu, uint32_t function, uint64_t *result);

#endif
