/* The host's clock and the hypervisor's one-shot timer on each CPU: the physical counter and CNTHP (DDI 0487
 * D12). */
#include "hal/timer.h"

#include "arm_port.h"
#include "base/log.h"
#include "hal/irq.h"

#define TIMER_NS_PER_S    1000000000ULL
#define TIMER_ENABLE      1u
#define TIMER_HZ_MIN      100000u
#define TIMER_TICKS_NEVER (UINT64_MAX >> 1u)

/* A factor with 32 fractional bits. Off by less than one part in 2^32, upwards. */
struct timer_factor {
    uint64_t whole;
    uint64_t part;
};

static struct timer_factor timer_ns_per_tick;
static struct timer_factor timer_ticks_per_ns;
static uint64_t timer_start; /* counter at boot */

static struct timer_factor timer_ratio(uint64_t dividend, uint64_t divisor, bool rounds_up)
{
    struct timer_factor factor = { dividend / divisor, ((dividend % divisor) << 32u) / divisor };

    if (rounds_up && (((dividend % divisor) << 32u) != (factor.part * divisor))) {
        factor.part++;
    }
    return factor;
}

/* Exact for factors that are (1 GHz, 62.5 MHz); no intermediate exceeds the result by more than the fraction,
 * so the result is right as long as it fits: 584 years of ns. */
static uint64_t timer_scale(uint64_t value, const struct timer_factor *factor)
{
    const uint64_t high = value >> 32u;
    const uint64_t low = value & UINT32_MAX;

    return (value * factor->whole) + (high * factor->part) + ((low * factor->part) >> 32u);
}

/* Longest interval that can be expressed: beyond it, for ever. */
uint64_t hal_timer_ns(uint64_t ticks)
{
    if ((ticks / 2u) >= (TIMER_TICKS_NEVER / (timer_ns_per_tick.whole + 1u))) {
        return TIME_NEVER;
    }
    return timer_scale(ticks, &timer_ns_per_tick);
}

uint64_t hal_timer_ticks(uint64_t ns)
{
    return timer_scale(ns, &timer_ticks_per_ns);
}

enum hv_status hal_timer_init(const struct hal_plan_host *host)
{
    uint32_t hz = arm_counter_frequency();

    if (host->arm.timer_frequency != 0u) {
        hz = host->arm.timer_frequency; /* the binding: for firmware that left CNTFRQ_EL0 wrong */
    }
    if (hz < TIMER_HZ_MIN) {
        log_line("timer: %u Hz is not a frequency for the counter", hz);
        return HV_NOT_SUPPORTED;
    }
    timer_ns_per_tick = timer_ratio(TIMER_NS_PER_S, hz, false);
    timer_ticks_per_ns = timer_ratio(hz, TIMER_NS_PER_S, true);
    timer_start = arm_counter_read();
    return HV_OK;
}

void hal_timer_init_cpu(void)
{
    arm_hyp_timer_write(UINT64_MAX, 0u);
    arm_virt_timer_control_write(0u);
    if (hal_irq_enable(arm_host()->ppi_hyp_timer, false) != HV_OK) {
        log_line("timer: its interrupt can't be enabled");
    }
}

uint64_t hal_timer_now_ns(void)
{
    return timer_scale(arm_counter_read() - timer_start, &timer_ns_per_tick);
}

void hal_timer_set(uint64_t deadline_ns)
{
    const uint64_t now = arm_counter_read();
    const uint64_t now_ns = timer_scale(now - timer_start, &timer_ns_per_tick);

    if (deadline_ns == TIME_NEVER) {
        arm_hyp_timer_write(UINT64_MAX, 0u);
        return;
    }
    /* At most a day at once, which keeps the error of the factor below 1 ms; the caller sets it again when
     * nothing is due. */
    const uint64_t left_ns =
        (deadline_ns > now_ns) ? bits_min(deadline_ns - now_ns, 86400u * TIMER_NS_PER_S) : 0u;

    arm_hyp_timer_write(now + timer_scale(left_ns, &timer_ticks_per_ns) + 1u, TIMER_ENABLE);
}
