#include "config/partition/layout.h"

#include "config/config_maker.h"

#define UART_BYTES      PAGE_BYTES
#define WATCHDOG_BYTES  (2u * PAGE_BYTES)
#define TABLES_PER_BANK 4u /* at both ends, of two levels */

bool layout_bank(const struct plan *plan, const struct plan_domain *d, uint32_t i, struct range *out)
{
    const struct hal_guest_layout *const layout = hal_plan_layout();
    uint64_t left = d->memory_bytes;
    bool there = false;

    if (d->host_memory) {
        there = (i < d->nr_static);
        if (there) {
            *out = plan->static_mem[d->static_first + i];
        }
    } else if (i < layout->nr_banks) {
        for (uint32_t b = 0; b < i; b++) {
            left -= bits_min(left, layout->bank[b].max_bytes);
        }
        there = (left > 0u);
        out->base = layout->bank[i].base.v;
        out->bytes = bits_min(left, layout->bank[i].max_bytes);
    } else {
        /* no more */
    }
    return there;
}

struct layout_uart layout_uart(const struct plan *plan, const struct plan_domain *d)
{
    const struct hal_guest_layout *const layout = hal_plan_layout();
    struct layout_uart uart = { layout->vuart_base, layout->vuart_irq };

    if (d->direct_map) {
        uart.base = gpa(plan->console.base.v);
        uart.irq = plan->console.irq;
    }
    return uart;
}

bool layout_device(const struct plan *plan, const struct plan_domain *d, const struct range *r)
{
    return config_pci_meets(plan, d, r->base, r->bytes) ||
           hal_plan_intc_has(&plan->host, d->direct_map, r->base, r->bytes) ||
           (d->vpl011 && config_ranges_meet(layout_uart(plan, d).base.v, UART_BYTES, r->base, r->bytes)) ||
           (d->watchdog &&
            config_ranges_meet(hal_plan_layout()->watchdog_base.v, WATCHDOG_BYTES, r->base, r->bytes));
}

const char *layout_meets(const struct plan *plan, const struct plan_domain *d, const struct range *r,
                         const void *self)
{
    const struct hal_guest_layout *const layout = hal_plan_layout();
    const struct hal_guest_bank *const last = &layout->bank[layout->nr_banks - 1u];
    const uint32_t domain = plan_index(plan, d->domid);
    struct range bank = { 0u, 0u };
    const char *clash = layout_device(plan, d, r) ? "a range that no emulated device has" : NULL;

    for (uint32_t i = 0; layout_bank(plan, d, i, &bank); i++) { /* at most 64 */
        clash = range_meets(&bank, r->base, r->bytes) ? "a range outside the domain's memory" : clash;
    }
    for (uint32_t i = 0; i < plan->nr_shm_uses; i++) {
        const struct plan_shm_use *const u = &plan->shm_use[i];

        if ((u != self) && (u->domain == domain) &&
            config_ranges_meet(u->at.v, u->bytes, r->base, r->bytes)) {
            clash = "a range that no other shared memory of the domain has";
        }
    }
    for (uint32_t i = 0; i < plan->nr_windows; i++) {
        const struct plan_window *const w = &plan->window[i];

        if ((w != self) && (w->domain == domain) &&
            config_ranges_meet(w->at.v, w->host.bytes, r->base, r->bytes)) {
            clash = "a range that no device of the domain has";
        }
    }
    return ((r->base + r->bytes) > (last->base.v + last->max_bytes))
               ? "a range below the end of the guest's memory map"
               : clash;
}

uint64_t layout_pool_bytes(const struct plan *plan, const struct plan_domain *d)
{
    uint64_t tables = (uint64_t)d->nr_static * TABLES_PER_BANK;
    uint64_t at = 0;

    for (uint32_t i = 0; i < d->nr_static; i++) {
        const struct range *const r = &plan->static_mem[d->static_first + i];

        /* Guest and host addresses that differ within 2 MiB are mapped page by page. */
        if (!d->host_memory && (((at ^ r->base) % MIB(2)) != 0u)) {
            tables += r->bytes / MIB(2);
        }
        at += r->bytes;
    }
    return tables * PAGE_BYTES;
}
