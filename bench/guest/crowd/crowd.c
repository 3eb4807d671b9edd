/* vCPUs in a crowd on one CPU, for what a scheduler's decision costs: each gives its turn away three times,
 * then sleeps until its timer wakes it, again and again. All domains are alike and use Xen's guest layout and
 * ABI alone, so this runs unchanged as a domain of Xen and of ours. When the first domain's boot vCPU has
 * been around often enough it ends the run (bench/plugin/elmeter.c). */
#include "xen.h"

#define PHASE     40u
#define SETTLE_MS 800u /* the last domain is there */
#define LOOPS     60u
#define YIELDS    3u
#define SLEEP_US  20u /* and up to 127 more */

#define MARK(imm, value)                                                                                     \
    do {                                                                                                     \
        register uint64_t x0_ __asm__("x0") = (value);                                                       \
                                                                                                             \
        __asm__ volatile("eor xzr, x0, xzr, lsl #" #imm : : "r"(x0_) : "memory");                            \
    } while (false)

static uint64_t settled;

static void bell(uint32_t intid)
{
    (void)intid;
    timer_virt_stop();
}

static void sleep_until(uint64_t at)
{
    timer_virt_set(at);
    arch_irq_mask();
    arch_wait();
    arch_irq_open();
}

static void turn(uint32_t n)
{
    for (uint32_t i = 0u; i < YIELDS; i++) {
        (void)xen_call(XEN_HCALL_SCHED_OP, SCHEDOP_YIELD, NULL, 0u);
    }
    sleep_until(timer_now() + ((timer_frequency() * (SLEEP_US + ((n * 37u) & 127u))) / 1000000u));
}

static void begin(void)
{
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, bell);
    arch_irq_open();
    while (timer_now() < settled) {
        sleep_until(settled);
    }
}

static void member(void)
{
    begin();
    for (uint32_t n = cpu_number();; n++) {
        turn(n);
    }
}

void guest_main(void)
{
    settled = timer_now() + ((timer_frequency() / 1000u) * SETTLE_MS);
    for (uint32_t cpu = 1u; (cpu < GUEST_CPUS_MAX) && (cpu_hwid(cpu) != UINT64_MAX); cpu++) {
        (void)cpu_on(cpu, member);
    }
    begin();
    MARK(1, PHASE);
    for (uint32_t n = 0u; n < LOOPS; n++) {
        turn(n);
    }
    MARK(1, 0u);
    MARK(2, 0u);
    for (;;) {
        arch_wait();
    }
}
