/* What <sys/types.h> means to headers of Debian's libraries when they are compiled for the bare machine. */
#ifndef LIB_SHIM_SYS_TYPES_H
#define LIB_SHIM_SYS_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef int64_t off_t;

#endif
