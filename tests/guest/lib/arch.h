/* Between machine.c and the folders of the architectures. */
#ifndef GUEST_INNER_H
#define GUEST_INNER_H

#include "guest.h"

#define TRAP_SYNC 0u
#define TRAP_IRQ  1u

extern const char image_start[];
extern const char bss_end[];

/* Called by start.S */
void arch_main(const void *tree);
void arch_secondary(uint64_t cpu);
void secondary_start(void);

void machine_trap(uint32_t kind, struct trap_frame *frame, uint64_t syndrome, uint64_t address);

#endif
