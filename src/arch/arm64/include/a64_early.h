/* Between head.S and early.c. */
#ifndef ARCH_ARM64_A64_EARLY_H
#define ARCH_ARM64_A64_EARLY_H

#include "hal/types.h"

/* Reasons for a64_early_refuse(); head.S has the same numbers. */
#define A64_REFUSE_LEVEL 0u
#define A64_REFUSE_E2H   1u
#define A64_REFUSE_PLACE 2u

/* MMU off. Fills a64_tables for an image at image_pa; not 0: it cannot lie there. */
uint32_t a64_early_map(uint64_t image_pa);
/* MMU off, at any exception level. Says why on the first PL011 it finds. */
void a64_early_refuse(uint64_t tree, uint32_t why);
/* MMU on, .bss clear. Does not return. */
void a64_early_boot(uint64_t tree, uint64_t image_pa, uint64_t payload_offset);

#endif
