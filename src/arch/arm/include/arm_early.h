/* Between head.S and early.c. */
#ifndef ARCH_ARM_EARLY_H
#define ARCH_ARM_EARLY_H

#include "hal/types.h"

/* MMU off. Fills arm_tables for an image at image_pa; not 0: it cannot lie there. */
uint32_t arm_early_map(uintptr_t image_pa);
/* MMU off, at any exception level. Says why on the first PL011 it finds. */
void arm_early_refuse(uintptr_t tree, const char *why);
/* MMU on, .bss clear. Does not return. payload_offset: from the image's start; 0 if there is none. */
void arm_early_boot(uintptr_t tree, uintptr_t image_pa, uintptr_t payload_offset);

#endif
