/* What <limits.h> means to headers of Debian's libraries when they are compiled for the bare machine. */
#ifndef LIB_SHIM_LIMITS_H
#define LIB_SHIM_LIMITS_H

#define CHAR_BIT  8
#define INT_MAX   __INT_MAX__
#define INT_MIN   (-INT_MAX - 1)
#define UINT_MAX  ((unsigned int)INT_MAX * 2u + 1u)
#define LONG_MAX  __LONG_MAX__
#define ULONG_MAX ((unsigned long)LONG_MAX * 2ul + 1ul)

#endif
