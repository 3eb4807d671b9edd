/* Counters and both timers. */
#include "probe.h"

static uint64_t ms(uint32_t n)
{
    return (timer_frequency() / 1000u) * n;
}

static void counters(void)
{
    uint64_t last = timer_now();
    bool rises = true;

    EXPECT(timer_frequency() >= 1000000u);
    for (uint32_t i = 0u; i < 1000u; i++) {
        const uint64_t now = timer_now();

        rises = rises && (now >= last);
        last = now;
    }
    EXPECT(rises);
    /* counted from the domain's own beginning: far less than a day */
    EXPECT((timer_now() / timer_frequency()) < 3600u);
}

/* A level: it interrupts again and again until the handler does something about it, here the third time. */
static void virtual_third(uint32_t intid)
{
    probe_irq_count(intid);
    if ((probe_irqs[intid] % 3u) == 0u) {
        reg_write(cntv_ctl_el0, TIMER_ENABLE | TIMER_MASK);
    }
}

static void virtual_timer(void)
{
    const uint32_t irq = timer_virt_irq();

    EXPECT_EQUAL(irq, 27u);
    probe_irqs[irq] = 0u;
    irq_enable(irq, IRQ_PRIORITY_LOW, virtual_third);
    const uint64_t at = timer_now() + ms(5u);
    reg_write(cntv_cval_el0, at);
    reg_write(cntv_ctl_el0, TIMER_ENABLE);
    const uint64_t status = reg_read(cntv_ctl_el0) & TIMER_STATUS;
    EXPECT((status == 0u) || (timer_now() >= at)); /* others may run meanwhile */
    EXPECT(probe_await(&probe_irqs[irq], 1u, 1000u));
    EXPECT(probe_irq_time >= at);
    probe_pause(5u);
    EXPECT_EQUAL(probe_irqs[irq], 3u);
    EXPECT_EQUAL(reg_read(cntv_ctl_el0), TIMER_ENABLE | TIMER_MASK | TIMER_STATUS);
    timer_virt_stop();
    irq_disable(irq);
}

static void physical_stop(uint32_t intid)
{
    probe_irq_count(intid);
    timer_phys_stop();
}

static void physical_timer(void)
{
    const uint32_t irq = timer_phys_irq();
    const uint32_t before = probe_irqs[irq];

    EXPECT_EQUAL(irq, 30u);
    irq_enable(irq, IRQ_PRIORITY_LOW, physical_stop);
    for (uint32_t i = 1u; i <= 5u; i++) {
        const uint64_t at = timer_phys_now() + ms(3u);

        timer_phys_set(at);
        EXPECT_EQUAL(reg_read(cntp_cval_el0), at);
        EXPECT_EQUAL(reg_read(cntp_ctl_el0) & 3u, TIMER_ENABLE);
        EXPECT(probe_await(&probe_irqs[irq], before + i, 1000u));
        EXPECT(timer_phys_now() >= at);
    }
    probe_pause(5u);
    EXPECT_EQUAL(probe_irqs[irq], before + 5u);
    EXPECT_EQUAL(reg_read(cntp_ctl_el0) & 3u, 0u);
}

static void physical_timer_masked(void)
{
    const uint32_t irq = timer_phys_irq();
    const uint32_t before = probe_irqs[irq];

    reg_write(cntp_cval_el0, timer_phys_now() + ms(1u));
    reg_write(cntp_ctl_el0, TIMER_ENABLE | TIMER_MASK);
    probe_pause(5u);
    EXPECT_EQUAL(probe_irqs[irq], before);
    EXPECT_EQUAL(reg_read(cntp_ctl_el0), TIMER_ENABLE | TIMER_MASK | TIMER_STATUS);
    reg_write(cntp_ctl_el0, TIMER_ENABLE);
    EXPECT(probe_await(&probe_irqs[irq], before + 1u, 1000u));
}

static void relative_values(void)
{
    const uint32_t irq = timer_phys_irq();
    const uint32_t before = probe_irqs[irq];

    reg_write(cntp_tval_el0, ms(4u));
    reg_write(cntp_ctl_el0, TIMER_ENABLE);
    EXPECT((int32_t)(uint32_t)reg_read(cntp_tval_el0) <= (int32_t)ms(4u));
    EXPECT(probe_await(&probe_irqs[irq], before + 1u, 1000u));
    EXPECT((int32_t)(uint32_t)reg_read(cntp_tval_el0) <= 0);
    reg_write(cntv_tval_el0, ms(400u));
    EXPECT((int32_t)(uint32_t)reg_read(cntv_tval_el0) <= (int32_t)ms(400u));
    irq_disable(irq);
}

static void virtual_stop(uint32_t intid)
{
    probe_irq_count(intid);
    timer_virt_stop();
}

/* Asleep, and woken by each of the timers, interrupts masked as Linux' idle loop has them */
static void sleep(void)
{
    static const uint32_t nap_ms[] = { 1u, 10u, 50u };

    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, virtual_stop);
    irq_enable(timer_phys_irq(), IRQ_PRIORITY_LOW, physical_stop);
    for (uint32_t i = 0u; i < 3u; i++) {
        const uint32_t virt = probe_irqs[timer_virt_irq()];
        const uint64_t at = timer_now() + ms(nap_ms[i]);

        timer_virt_set(at);
        for (uint32_t n = 0u; (n < 1000000u) && (timer_now() < at); n++) {
            arch_wait();
        }
        EXPECT(timer_now() >= at);
        EXPECT(probe_await(&probe_irqs[timer_virt_irq()], virt + 1u, 1000u));

        const uint32_t phys = probe_irqs[timer_phys_irq()];
        const uint64_t then = timer_phys_now() + ms(nap_ms[i]);

        timer_phys_set(then);
        for (uint32_t n = 0u; (n < 1000000u) && (timer_phys_now() < then); n++) {
            arch_wait();
        }
        EXPECT(probe_await(&probe_irqs[timer_phys_irq()], phys + 1u, 1000u));
    }
}

static void cpu_suspend(void)
{
    const uint32_t before = probe_irqs[timer_virt_irq()];

    timer_virt_set(timer_now() + ms(5u));
    EXPECT_EQUAL(firmware_call(PSCI_CPU_SUSPEND, 0u, 0u, 0u), PSCI_SUCCESS);
    EXPECT(probe_await(&probe_irqs[timer_virt_irq()], before + 1u, 1000u));
    irq_disable(timer_virt_irq());
    irq_disable(timer_phys_irq());
}

static void events(void)
{
    arch_events();
}

const struct probe probes_time[] = {
    { "counters", counters },
    { "virtual_timer", virtual_timer },
    { "physical_timer", physical_timer },
    { "physical_timer_masked", physical_timer_masked },
    { "relative_values", relative_values },
    { "sleep", sleep },
    { "cpu_suspend", cpu_suspend },
    { "events", events },
    { NULL, NULL },
};
