/* What a domain sees beside memory and what its port emulates. */
#include "build/builder.h"

enum hv_status build_devices(struct domain *domain)
{
    const struct hal_guest_layout *const layout = hal_plan_layout();
    enum hv_status status = HV_OK;

    if (domain->plan->vpl011) {
        status = vpl011_attach(&build_slot_of(domain)->uart, domain, layout->vuart_base, layout->vuart_irq);
    }
    return status;
}

void build_devices_undo(struct domain *domain)
{
    vpl011_detach(&build_slot_of(domain)->uart);
    domain->nr_windows = 0u;
}
