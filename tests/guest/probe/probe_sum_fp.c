/* Sums in floating point, which come out the same as long as nobody disturbs them. */
#include "probe.h"

static double sum(void)
{
    double total = 0.0;

    for (uint32_t i = 1u; i < 2000u; i++) {
        total += 1.0 / ((double)i * (double)i);
    }
    return total;
}

uint32_t probe_sums_differ(uint32_t ms)
{
    const uint64_t end = timer_now() + ((timer_frequency() / 1000u) * ms);
    const double first = sum();
    uint32_t differ = ((first > 1.64) && (first < 1.65)) ? 0u : 1u;

    arch_irq_open();
    while (timer_now() < end) {
        differ += (sum() != first) ? 1u : 0u;
    }
    arch_irq_mask();
    return differ;
}
