/* What proofs have in common. CBMC takes a function without a body, whose name begins so, for any value of
 * its type. */
#ifndef TESTS_PROOF_H
#define TESTS_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool nondet_bool(void);
uint8_t nondet_u8(void);
uint16_t nondet_u16(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);
int64_t nondet_i64(void);

#define assume(condition)       __CPROVER_assume(condition)
#define prove(condition, claim) __CPROVER_assert((condition), (claim))

#endif
