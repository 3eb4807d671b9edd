/* What a domain sees beside memory and what its port emulates. */
#include "build/builder.h"

#include "build/partition/build_pci.h"
#include "vdev/pv_watchdog.h"
#include "virq/virq.h"

static void watchdog_expired(struct domain *domain)
{
    build_request_stop(domain, HAL_DOMAIN_WATCHDOG, "watchdog");
}

enum hv_status build_devices(struct domain *domain)
{
    const struct hal_guest_layout *const layout = hal_plan_layout();
    struct build_slot *const slot = build_slot_of(domain);
    enum hv_status status = HV_OK;

    if (domain->plan->vpl011) {
        const struct layout_uart uart = layout_uart(build_plan(), domain->plan);

        status = vpl011_attach(&slot->uart, domain, uart.base, uart.irq);
    }
    if ((CONFIG_WATCHDOG != 0) && (status == HV_OK) && domain->plan->watchdog) {
        status = watchdog_attach(&slot->watchdog, domain, layout->watchdog_base, layout->watchdog_irq,
                                 watchdog_expired);
    }
    if ((CONFIG_PCI != 0) && (status == HV_OK)) {
        status = build_pci(domain);
    }
    return status;
}

void build_devices_begin(struct domain *domain)
{
    if (CONFIG_WATCHDOG != 0) {
        watchdog_begin(&build_slot_of(domain)->watchdog);
    }
    if (CONFIG_PCI != 0) {
        build_pci_begin(domain);
    }
}

void build_devices_undo(struct domain *domain)
{
    vpl011_detach(&build_slot_of(domain)->uart);
    if (CONFIG_WATCHDOG != 0) {
        watchdog_detach(&build_slot_of(domain)->watchdog);
    }
    if (CONFIG_LINKS != 0) {
        pv_watchdog_end(domain);
    }
    if (CONFIG_PCI != 0) {
        build_pci_undo(domain);
    }
    virq_reset(domain);
    domain->nr_windows = 0u;
}
