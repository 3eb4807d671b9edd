/* A broken invariant of our own. Never reached by guest input or configuration. */
#ifndef BASE_PANIC_H
#define BASE_PANIC_H

#include <stdbool.h>

/* What follows a panic; until this is called all CPUs stop. resets: the host is reset. park: NULL, or takes
 * the calling CPU, which holds nothing that others wait for, out of the system for good; it answers NULL if
 * that is done, else why it cannot be. */
void panic_set_policy(bool resets, const char *(*park)(void));

_Noreturn void panic_at(const char *file, unsigned int line, const char *what);

#define panic(what) panic_at(__FILE__, (unsigned int)__LINE__, (what))
#define ASSERT(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            panic(#condition);                                                                               \
        }                                                                                                    \
    } while (false)

#endif
