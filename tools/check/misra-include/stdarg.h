/* What the checker shows cppcheck for the compiler's <stdarg.h>. Never compiled. */
#ifndef MISRA_INCLUDE_STDARG_H
#define MISRA_INCLUDE_STDARG_H

/* cppcheck knows va_list and its macros by itself. */

#endif
