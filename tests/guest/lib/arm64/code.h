/* Instructions made while the guest runs: functions of one instruction each, in a page for each vCPU. */
#ifndef GUEST_CODE_H
#define GUEST_CODE_H

#include "guest.h"

#define CODE_SLOTS 512u

#define CODE_SYSREG(op0, op1, crn, crm, op2)                                                                 \
    (((uint32_t)(op0) << 19u) | ((uint32_t)(op1) << 16u) | ((uint32_t)(crn) << 12u) |                        \
     ((uint32_t)(crm) << 8u) | ((uint32_t)(op2) << 5u))
#define CODE_MRS 0xD5200000u /* x0 */
#define CODE_MSR 0xD5000000u

/* The instruction, then a return. code_sync() makes them visible. */
void code_put(uint32_t slot, uint32_t instruction);
void code_sync(void);
/* x0 and x1 as given; all other registers that a callee may change are the instruction's to change. */
uint64_t code_run(uint32_t slot, uint64_t x0, uint64_t x1);

#endif
