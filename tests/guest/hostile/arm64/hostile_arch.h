/* What the attacks on devices need to know of AArch64. */
#ifndef HOSTILE_ARCH_H
#define HOSTILE_ARCH_H

#include <stdint.h>

#define HOSTILE_ALIAS  0x100000000ULL /* the first GiB again, once hostile_alias() has run */
#define HOSTILE_WIDTHS 4u             /* the first forms: loads of these widths, then stores */

/* One load or store each: x0 address, x1 value */
extern const uint32_t hostile_forms[];
extern const uint32_t hostile_nr_forms;
void hostile_alias(void);

void hostile_undefined(void);
/* Own translation leads nowhere, or holds nothing */
void hostile_memory_gone(void);
void hostile_memory_empty(void);
/* These do not return. */
void hostile_stack_at(uintptr_t at);
/* The last code of the image: all other has gone before it. */
void hostile_overwrite(char *from, const char *to);

#endif
