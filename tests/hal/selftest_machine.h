/* The machine that the self-test image runs on: one of machine_*.c. */
#ifndef SELFTEST_MACHINE_H
#define SELFTEST_MACHINE_H

#include <stdint.h>

struct selftest_machine {
    uint64_t uart; /* one page */
    void (*put)(volatile uint8_t *registers, char c);
    uint64_t heap; /* nothing is loaded here */
    uint64_t scratch;
    uint64_t tree; /* 0: where the loader says that it is */
};

extern const struct selftest_machine selftest_machine;

#endif
