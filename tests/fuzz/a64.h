/* Included before everything else in files of src/arch/arm64 that are compiled for the host: system registers
 * are words that the target sets, instructions are left out. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hal_fp; /* FP contexts are not looked at */

#define __asm__                                                                                              \
    if (0)                                                                                                   \
    __asm__

#include "a64_sysreg.h"

uint64_t a64_reg_read(const char *name);
void a64_reg_write(const char *name, uint64_t value);

#undef A64_READ
#undef A64_WRITE
#define A64_READ(name)         a64_reg_read(#name)
#define A64_WRITE(name, value) a64_reg_write(#name, (uint64_t)(value))
