/* What the checker shows cppcheck for the compiler's <stdbool.h>. Never compiled. */
#ifndef MISRA_INCLUDE_STDBOOL_H
#define MISRA_INCLUDE_STDBOOL_H

/* cppcheck knows bool, true and false by itself. */

#endif
