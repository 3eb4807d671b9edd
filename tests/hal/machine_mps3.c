/* The board mps3-an536, whose tree test_selftest.py puts into memory. */
#include "hal/cpu.h"
#include "hal/mmio.h"
#include "selftest_machine.h"

#define CMSDK_DATA       0x00u
#define CMSDK_STATE      0x04u
#define CMSDK_STATE_FULL 0x01u
#define CMSDK_CTRL       0x08u
#define CMSDK_CTRL_TX    0x01u
#define CMSDK_BAUDDIV    0x10u
#define CMSDK_BAUD_LEAST 16u

static void put(volatile uint8_t *registers, char c)
{
    hal_mmio_write32(&registers[CMSDK_BAUDDIV], CMSDK_BAUD_LEAST);
    hal_mmio_write32(&registers[CMSDK_CTRL], CMSDK_CTRL_TX);
    while ((hal_mmio_read32(&registers[CMSDK_STATE]) & CMSDK_STATE_FULL) != 0u) {
        hal_cpu_relax();
    }
    hal_mmio_write32(&registers[CMSDK_DATA], (uint8_t)c);
}

const struct selftest_machine selftest_machine = {
    .uart = 0xE0205000ULL,
    .put = put,
    .heap = 0x30000000ULL,
    .scratch = 0x32000000ULL,
    .tree = 0x34000000ULL,
};
