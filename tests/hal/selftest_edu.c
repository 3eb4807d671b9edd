/* QEMU's PCI device `edu` on the machine `virt`: it copies by DMA through a buffer of its own.
 * docs/specs/edu.rst of QEMU; its transfers take a tenth of a second. */
#include "hal/cpu.h"
#include "hal/hypmap.h"
#include "hal/mmio.h"
#include "hal/timer.h"
#include "hal_suite.h"
#include "lib/bits.h"
#include "selftest_edu.h"

#define ECAM_AT     0x4010000000ULL
#define ECAM_BYTES  MIB(1) /* of bus 0 */
#define BAR_AT      0x10000000ULL
#define BAR_BYTES   MIB(1)
#define EDU_ID      0x11E81234u
#define CFG_COMMAND 4u
#define CFG_BAR0    0x10u
#define ENABLE      6u /* memory, bus master */
#define DMA_FROM    0x80u
#define DMA_TO      0x88u
#define DMA_BYTES   0x90u
#define DMA_COMMAND 0x98u
#define DMA_START   1u
#define DMA_TO_RAM  2u
#define BUFFER      0x40000u
#define WAIT_NS     5000000000ULL

static volatile uint8_t *bar;

static void transfer(uint64_t from, uint64_t to, uint32_t direction)
{
    const uint64_t end = hal_timer_now_ns() + WAIT_NS;

    hal_mmio_write64(&bar[DMA_FROM], from);
    hal_mmio_write64(&bar[DMA_TO], to);
    hal_mmio_write64(&bar[DMA_BYTES], 8u);
    hal_mmio_write64(&bar[DMA_COMMAND], DMA_START | direction);
    while (((hal_mmio_read64(&bar[DMA_COMMAND]) & DMA_START) != 0u) && (hal_timer_now_ns() < end)) {
        hal_cpu_relax();
    }
}

static void copy(uint64_t from, uint64_t to)
{
    transfer(from, BUFFER, 0u);
    transfer(BUFFER, to, DMA_TO_RAM);
}

bool selftest_edu_find(void)
{
    void *ecam = NULL;
    void *va = NULL;
    bool found = false;

    if ((hal_hypmap_device(hpa(ECAM_AT), ECAM_BYTES, &ecam) == HV_OK) &&
        (hal_hypmap_device(hpa(BAR_AT), BAR_BYTES, &va) == HV_OK)) {
        for (uint32_t device = 0u; (device < 32u) && !found; device++) {
            volatile uint8_t *const cfg = &((uint8_t *)ecam)[device << 15u];

            found = hal_mmio_read32(cfg) == EDU_ID;
            if (found) {
                hal_mmio_write32(&cfg[CFG_BAR0], (uint32_t)BAR_AT);
                hal_mmio_write32(&cfg[CFG_COMMAND], ENABLE);
                bar = va;
                suite_machine.stream = device << 3u;
                suite_machine.copy = copy;
            }
        }
    }
    return found;
}
