/* A simulated host that is booted once an input: 1 GiB of RAM, a PL011, and the product's variables as
 * new. */
#ifndef TESTS_HOST_H
#define TESTS_HOST_H

#include "fake.h"
#include "fuzz.h"
#include "lib/bits.h"

#define HOST_RAM         0x40000000ULL
#define HOST_RAM_BYTES   GIB(1)
#define HOST_IMAGE       (HOST_RAM + MIB(480))
#define HOST_IMAGE_BYTES 0x80000ULL
#define HOST_TREE        (HOST_RAM + MIB(488) + 8u)
#define HOST_UART        0x9000000ULL
#define HOST_UART_IRQ    33u
#define HOST_MS          1000000ULL

/* Everything as before the first boot. */
void host_reset(void);
/* RAM, and the tree in it; modules may be put there before host_on(). */
void host_setup(const uint8_t *tree, size_t bytes);
/* Boots and runs until all CPUs are at rest; the test is on a CPU of its own then. */
void host_on(uint64_t cpu_hwid);
/* What the console showed, without CR; a NUL behind it */
const char *host_shown(void);
/* A character comes in. */
void host_type(uint8_t c);

#endif
