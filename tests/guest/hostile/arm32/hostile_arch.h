/* What the attacks on devices and the ways to die need to know of AArch32. */
#ifndef HOSTILE_ARCH_H
#define HOSTILE_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#if GUEST_MPU
#define HOSTILE_ALIAS                                                                                        \
    0u /* nothing is anywhere twice: devices are normal memory once hostile_alias() has run */
#else
#define HOSTILE_ALIAS 0x80000000u /* the first GiB again, once hostile_alias() has run */
#endif
#define HOSTILE_WIDTHS 3u /* the first forms: loads of these widths, then stores */

/* One load or store each: r0 address, r1 value */
extern const uint32_t hostile_forms[];
extern const uint32_t hostile_nr_forms;
void hostile_alias(void);

void hostile_undefined(void);
/* Own translation leads nowhere, or holds nothing; own regions are none, or contradict each other. */
void hostile_memory_gone(void);
void hostile_memory_empty(void);
/* These do not return. */
void hostile_stack_at(uintptr_t at);
/* The last code of the image: all other has gone before it. */
void hostile_overwrite(char *from, const char *to);

/* Whether this is the domain's own: memory, or a device that its tree names */
bool hostile_is_ours(uint64_t at);

/* Between begin and end: runs code in USR mode, ARM or Thumb by bit 5 of `state`, with this r0, until an
 * exception of any kind ends it. */
void el0_begin(void);
void el0_run(uint32_t pc, uint32_t state, uint32_t r0);
void el0_end(void);

#endif
