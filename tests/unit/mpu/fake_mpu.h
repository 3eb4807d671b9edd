/* A machine of two CPUs with 16 regions each. */
#ifndef TESTS_UNIT_MPU_FAKE_MPU_H
#define TESTS_UNIT_MPU_FAKE_MPU_H

#include "hal/types.h"

#define FAKE_REGIONS 16u
#define FAKE_FATAL   7 /* exit status of a process that upcall_fatal() ended */

/* All regions off, one CPU, the first, executes. */
void fake_mpu_reset(void);
void fake_cpu(cpuid_t cpu);
/* Attributes of the region that holds `at` on the CPU that executes; -1: none does, or two, which faults. */
int fake_look(uint64_t at);
uint32_t fake_vmid(void);
/* Region registers written so far */
uint32_t fake_writes(void);

#endif
