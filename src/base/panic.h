/* A broken invariant of our own. Never reached by guest input or configuration. */
#ifndef BASE_PANIC_H
#define BASE_PANIC_H

#include <stdbool.h>

_Noreturn void panic_at(const char *file, unsigned int line, const char *what);

#define panic(what) panic_at(__FILE__, (unsigned int)__LINE__, (what))
#define ASSERT(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            panic(#condition);                                                                               \
        }                                                                                                    \
    } while (false)

#endif
