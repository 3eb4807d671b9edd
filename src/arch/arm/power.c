/* The host's power through PSCI (DEN 0022F 5.10, 5.11). */
#include "hal/power.h"

#include "arm_port.h"
#include "base/console.h"
#include "base/log.h"

static const struct arm_plan_host *power_host;

void hal_power_init(const struct hal_plan_host *host)
{
    power_host = &host->arm;
}

/* By SMC only: an HVC from here would come back to ourselves. */
static void power_call(bool resets, const char *what)
{
    console_flush();
    if ((power_host != NULL) && (power_host->psci_conduit == ARM_CONDUIT_SMC)) {
        const uint32_t function = resets ? power_host->psci_system_reset : power_host->psci_system_off;

        if (function != 0u) {
            (void)arm_smccc(ARM_CONDUIT_SMC, function, 0u, 0u, 0u);
        }
    }
    log_line("power: the firmware can't %s", what);
}

void hal_power_off(void)
{
    power_call(false, "switch the machine off");
}

void hal_power_reset(void)
{
    power_call(true, "reset the machine");
}
