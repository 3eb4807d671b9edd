/* No interrupt reaches two domains. */
/* [impl->req~interrupt-owner~1] */
#include "config/partition/config_line.h"

#include "config/partition/layout.h"

#define SPI_FIRST 32u
#define SPI_BANK  32u

/* What stands against it; NULL: nothing */
static const struct plan_line *line_clash(const struct plan *plan, const struct plan_line *want, bool *same)
{
    const struct plan_line *clash = NULL;

    for (uint32_t i = 0; (i < plan->nr_lines) && (clash == NULL); i++) {
        const struct plan_line *const l = &plan->line[i];
        const bool one_domain = l->domain == want->domain;

        if (one_domain && (l->irq == want->irq) && (l->virq == want->virq)) {
            *same = true;
        } else if ((l->irq == want->irq) || (one_domain && (l->virq == want->virq))) {
            clash = l;
        } else {
            /* go on */
        }
    }
    return clash;
}

bool config_line_is_emulated(const struct plan *plan, const struct plan_domain *d, uint32_t virq)
{
    return (d->vpl011 && (virq == layout_uart(plan, d).irq)) ||
           (d->watchdog && (virq == hal_plan_layout()->watchdog_irq));
}

void config_line_take(struct config_maker *m, uint32_t node, const char *prop, const char *found,
                      const struct plan_line *want)
{
    struct plan *const plan = m->plan;
    bool same = false;
    const struct plan_line *const clash = line_clash(plan, want, &same);

    if ((want->irq < SPI_FIRST) || (want->virq < SPI_FIRST) ||
        (want->virq >= (SPI_FIRST + HAL_PLAN_LINES_END))) {
        config_fault_text(m->report, node, prop, found, "shared interrupts, 32 to 1019");
    } else if (hal_plan_is_own_line(&plan->host, want->irq)) {
        config_fault_text(m->report, node, prop, found,
                          "an interrupt that the hypervisor does not use itself");
    } else if ((plan->console.kind != PLAN_CONSOLE_NONE) && (plan->console.irq == want->irq)) {
        config_fault_text(m->report, node, prop, found,
                          "an interrupt that the hypervisor's console does not have");
    } else if (clash != NULL) {
        config_fault_say(m->report, node, prop, "%s, expected %s that %s (%s) does not have", found,
                         (clash->irq == want->irq) ? "an interrupt" : "a number",
                         plan->domain[clash->domain].name, clash->path);
    } else if (same) {
        /* devices of one domain may share it */
    } else if (plan->nr_lines == PLAN_LINES_MAX) {
        config_fault_text(m->report, node, prop, found, "at most 256 interrupts in all domains");
    } else {
        plan->line[plan->nr_lines] = *want;
        plan->nr_lines++;
        if (want->domain < plan->nr_domains) {
            struct plan_domain *const d = &plan->domain[want->domain];

            d->nr_spis =
                (uint32_t)bits_max(d->nr_spis, bits_align_up(want->virq - (SPI_FIRST - 1u), SPI_BANK));
        }
    }
}
