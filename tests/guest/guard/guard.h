/* The neighbour's registers. */
#ifndef GUEST_GUARD_H
#define GUEST_GUARD_H

#include "guest.h"

/* Writes down every system register that can be read and should stay as it is; how many. Interrupts
 * masked. */
uint32_t guard_registers_note(void);
/* How many of them read differently now. Interrupts masked. */
uint32_t guard_registers_differ(void);

/* The 32 vector registers; nothing else in this guest uses them. */
void guard_vectors_fill(void);
bool guard_vectors_same(void);

#endif
