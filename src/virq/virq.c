/* The rate of device interrupts into a domain. Each rise of a line uses up its share of a second, at most
 * GATE_AHEAD_NS in advance; when that is used up the gate closes, and rises wait until half of it is there
 * again. So in any second at most rate + rate / 10 + 1 rises pass, and one more for each line that waited,
 * all of which are let in together; over longer times the mean is the rate. */
/* [impl->req~irq-rate~1] */
#include "virq/virq.h"

#include "hal/timer.h"
#include "hal/upcall.h"
#include "hal/virq.h"
#include "lib/string.h"
#include "sched/report.h"

#define GATE_AHEAD_NS 100000000ULL
#define NS_PER_S      1000000000ULL
#define FIRST_LINE    32u /* INTID */

/* Lock held. A line's rise passes. */
static void gate_pay(struct domain *domain, uint64_t now_ns)
{
    struct irq_gate *gate = &domain->gate;

    gate->paid_ns = bits_max(gate->paid_ns, now_ns) + (NS_PER_S / domain->plan->max_irq_rate);
    if (gate->paid_ns > (now_ns + GATE_AHEAD_NS)) {
        gate->opens_ns = gate->paid_ns - (GATE_AHEAD_NS / 2u);
    }
}

/* Lock held. Lets in all that wait: each is paid for, so the gate stays closed the longer. */
static void gate_let_in(struct domain *domain, uint64_t now_ns)
{
    struct irq_gate *gate = &domain->gate;

    for (uint32_t word = 0; word < ARRAY_LEN(gate->held); word++) {
        uint32_t left = gate->held[word];

        gate->held[word] = 0u;
        while (left != 0u) { /* at most 32 */
            const uint32_t n = bits_take(&left);

            gate_pay(domain, now_ns);
            hal_virq_set_line(&domain->hal, FIRST_LINE + (word * 32u) + n, true);
        }
    }
}

static void gate_opens(struct timer *timer)
{
    struct domain *domain =
        (struct domain *)(void *)((uint8_t *)(void *)timer - offsetof(struct domain, gate.timer));
    const struct domain_fault fault = { .what =
                                            "more device interrupts than bulkhead,max-irq-rate, some wait",
                                        .tell = true };
    const uint64_t flags = spin_lock(&domain->gate.lock);
    const uint64_t now_ns = hal_timer_now_ns();
    const bool notes = now_ns >= domain->gate.note_ns;

    gate_let_in(domain, now_ns);
    domain->gate.note_ns = notes ? (now_ns + NS_PER_S) : domain->gate.note_ns;
    spin_unlock(&domain->gate.lock, flags);
    if (notes) {
        report_fault(domain, &fault);
    }
}

void virq_setup(struct domain *domain)
{
    spin_init(&domain->gate.lock, LOCK_VIRQ);
    timer_setup(&domain->gate.timer, gate_opens);
}

void virq_reset(struct domain *domain)
{
    struct irq_gate *gate = &domain->gate;

    if (domain->plan->max_irq_rate != 0u) {
        const uint64_t flags = spin_lock(&gate->lock);

        timer_disarm(&gate->timer); /* one that is about to fire elsewhere finds nothing held */
        (void)memset(gate->held, 0, sizeof(gate->held));
        gate->paid_ns = 0u;
        gate->opens_ns = 0u;
        spin_unlock(&gate->lock, flags);
    }
}

/* Lock held. False: it waits. */
static bool gate_passes(struct domain *domain, uint32_t line)
{
    struct irq_gate *gate = &domain->gate;
    const uint64_t now_ns = hal_timer_now_ns();
    const bool passes = now_ns >= gate->opens_ns;

    if (passes) {
        gate_pay(domain, now_ns);
    } else {
        gate->held[line / 32u] |= BIT32((line % 32u));
        if (gate->timer.cpu == TIMER_UNARMED) {
            timer_arm(&gate->timer, gate->opens_ns);
        }
    }
    return passes;
}

/* The host's controller keeps it until the guest ends it: it needs no fall. */
void upcall_line(struct hal_domain *domain, uint32_t virq)
{
    virq_set_line(domain_of(domain), virq, true);
}

void virq_set_line(struct domain *domain, uint32_t intid, bool level)
{
    const uint32_t line = intid - FIRST_LINE;

    if ((domain->plan->max_irq_rate == 0u) || (line >= DOMAIN_LINES_MAX)) {
        hal_virq_set_line(&domain->hal, intid, level);
    } else {
        const uint64_t flags = spin_lock(&domain->gate.lock);
        bool passes = true;

        if (level) {
            passes = gate_passes(domain, line);
        } else {
            domain->gate.held[line / 32u] &= ~BIT32((line % 32u));
        }
        if (passes) {
            hal_virq_set_line(&domain->hal, intid, level);
        }
        spin_unlock(&domain->gate.lock, flags);
    }
}
