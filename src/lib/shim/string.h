/* What <string.h> means to headers of Debian's libraries when they are compiled for the bare machine. */
#ifndef LIB_SHIM_STRING_H
#define LIB_SHIM_STRING_H

#include "lib/string.h"

#endif
