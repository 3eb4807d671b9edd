/* QEMU's `virt` with 1 GiB of memory. */
#include "hal/cpu.h"
#include "hal/mmio.h"
#include "selftest_machine.h"

#define PL011_DR      0x00u
#define PL011_FR      0x18u
#define PL011_FR_TXFF 0x20u

static void put(volatile uint8_t *registers, char c)
{
    while ((hal_mmio_read32(&registers[PL011_FR]) & PL011_FR_TXFF) != 0u) {
        hal_cpu_relax();
    }
    hal_mmio_write32(&registers[PL011_DR], (uint8_t)c);
}

const struct selftest_machine selftest_machine = {
    .uart = 0x09000000ULL,
    .put = put,
    .heap = 0x60000000ULL,
    .scratch = 0x68000000ULL,
};
