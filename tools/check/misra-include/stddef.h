/* What the checker shows cppcheck for the compiler's <stddef.h>. Never compiled. */
#ifndef MISRA_INCLUDE_STDDEF_H
#define MISRA_INCLUDE_STDDEF_H

typedef unsigned long size_t;
typedef long ptrdiff_t;

#endif
