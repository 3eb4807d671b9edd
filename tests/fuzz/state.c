/* The product's variables as they were before its first boot. Compiled without sanitizers: it copies their
 * red zones, too. */
#include "state_reset.h"

#include <stdint.h>
#include <stdlib.h>

extern uint8_t __start_fuzz_bss[], __stop_fuzz_bss[], __start_fuzz_data[],
    __stop_fuzz_data[]; /* the linker's */

static uint8_t *kept;

static void copy(uint8_t *to, const uint8_t *from, size_t bytes) /* the library's is watched */
{
    for (size_t i = 0u; i < bytes; i++) {
        to[i] = from[i];
    }
}

void state_reset(void)
{
    const size_t bss = (size_t)(__stop_fuzz_bss - __start_fuzz_bss);
    const size_t data = (size_t)(__stop_fuzz_data - __start_fuzz_data);

    if (kept == NULL) {
        kept = malloc(bss + data);
        copy(kept, __start_fuzz_bss, bss);
        copy(&kept[bss], __start_fuzz_data, data);
    } else {
        copy(__start_fuzz_bss, kept, bss);
        copy(__start_fuzz_data, &kept[bss], data);
    }
}
