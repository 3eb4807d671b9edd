/* Instructions made while the guest runs: functions of one ARM instruction each, in a page for each vCPU. */
#ifndef GUEST_CODE_H
#define GUEST_CODE_H

#include "guest.h"

#define CODE_SLOTS 512u

/* Of r0: MRC and MCR of coprocessor 14 or 15. Of r0 and r1: MRRC and MCRR */
#define CODE_COPROCESSOR(cp, op1, crn, crm, op2)                                                             \
    (((uint32_t)(cp) << 8u) | ((uint32_t)(op1) << 21u) | ((uint32_t)(crn) << 16u) | (uint32_t)(crm) |        \
     ((uint32_t)(op2) << 5u))
#define CODE_MRC              0xEE100010u
#define CODE_MCR              0xEE000010u
#define CODE_DOUBLE(op1, crm) (((uint32_t)(op1) << 4u) | (uint32_t)(crm))
#define CODE_MRRC(cp)         (0xEC510000u | ((uint32_t)(cp) << 8u))
#define CODE_MCRR(cp)         (0xEC410000u | ((uint32_t)(cp) << 8u))

/* The instruction, then a return. code_sync() makes them visible. */
void code_put(uint32_t slot, uint32_t instruction);
void code_sync(void);
/* r0 and r1 as given; all other registers that a callee may change are the instruction's to change. */
uint64_t code_run(uint32_t slot, uint64_t r0, uint64_t r1);

#endif
