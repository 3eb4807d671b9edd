/* [impl->req~mps3-an536~1] */
/* The host's power without firmware: an SP805 watchdog (Arm DDI 0270), if the tree says that it is ours,
 * resets the host, which may also stand for switching it off. */
#include "hal/power.h"

#include "a32_sysreg.h"
#include "base/console.h"
#include "base/log.h"
#include "hal/cpu.h"
#include "hal/mmio.h"
#include "hal/timer.h"

#define A32_HSCTLR       "p15, 4, %0, c1, c0, 0"
#define HSCTLR_M         BIT32(0)
#define SP805_LOAD       0x000u
#define SP805_CONTROL    0x008u
#define SP805_CONTROL_ON 3u /* counts; the second time that it runs out it resets */
#define SP805_LOCK       0xC00u
#define SP805_UNLOCK     0x1ACCE551u
#define POWER_TICKS      100u
#define POWER_WAIT_NS    1000000000ULL

static const struct arm_plan_host *power_host;

void hal_power_init(const struct hal_plan_host *host)
{
    power_host = &host->arm;
}

/* A region for this alone would be one less for domains: with the MPU off devices are devices, and all else
 * lies where it lies. */
static void power_watchdog(uint64_t at)
{
    uint8_t *const base = (uint8_t *)(uintptr_t)at;
    const uint64_t flags = hal_cpu_irq_save();
    const uint32_t control = A32_READ(A32_HSCTLR);
    uint64_t start;

    A32_WRITE(A32_HSCTLR, control & ~HSCTLR_M);
    a32_isb();
    hal_mmio_write32(&base[SP805_LOCK], SP805_UNLOCK);
    hal_mmio_write32(&base[SP805_CONTROL], 0u);
    hal_mmio_write32(&base[SP805_LOAD], POWER_TICKS);
    hal_mmio_write32(&base[SP805_CONTROL], SP805_CONTROL_ON);
    A32_WRITE(A32_HSCTLR, control);
    a32_isb();
    start = hal_timer_now_ns();
    while ((hal_timer_now_ns() - start) < POWER_WAIT_NS) {
        hal_cpu_relax();
    }
    hal_cpu_irq_restore(flags);
}

void hal_power_off(void)
{
    console_flush();
    if ((power_host != NULL) && power_host->sp805_off) {
        power_watchdog(power_host->sp805);
    }
    log_line("power: nothing can switch the machine off");
}

void hal_power_reset(void)
{
    console_flush();
    if ((power_host != NULL) && (power_host->sp805 != 0u)) {
        power_watchdog(power_host->sp805);
    }
    log_line("power: nothing can reset the machine");
}
