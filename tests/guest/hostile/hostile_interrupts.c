/* Storms: software interrupts, timers set to all extremes, lines that stay high, waiting that never waits,
 * and text. */
#include "hostile.h"

#define SGIR_IRM  (1ULL << 40u)
#define UART_DR   0x00u
#define UART_IMSC 0x38u
#define UART_ICR  0x44u

static volatile uint64_t floods[GUEST_CPUS_MAX];

static void ready_for_sgis(void)
{
    for (uint32_t sgi = 0u; sgi < 16u; sgi++) {
        irq_enable(sgi, (uint8_t)(random64() & 0x70u), take_any);
    }
}

static void send_wildly(uint64_t turn)
{
    const uint64_t value = ((turn % 3u) == 0u) ? random64() : ((random64() & 0xF000000u) | 0xFFFFu);

    if (irq_version() == 3u) {
        reg_write(S3_0_C12_C11_5, value);                                             /* SGI1R */
        reg_write(S3_0_C12_C11_5, SGIR_IRM | ((turn % 16u) << 24u));                  /* all but self */
        reg_write(S3_0_C12_C11_6, value);                                             /* ASGI1R */
        reg_write(S3_0_C12_C11_7, value | 1u);                                        /* SGI0R */
        reg_write(S3_0_C12_C11_5, (value & 0xF000000u) | (0xFFULL << 16u) | 0xFFFFu); /* absent ones */
    } else {
        mmio_write32(gic_distributor() + GICD_SGIR, (uint32_t)value);
        mmio_write32(gic_distributor() + GICD_SGIR, 0x01000000u | (uint32_t)(turn % 16u));
        mmio_write32(gic_distributor() + GICD_SGIR, 0x02000000u | (uint32_t)(turn % 16u));
        mmio_write32(gic_distributor() + GICD_SGIR, 0x03000000u | (uint32_t)(turn % 16u));
        mmio_write32(gic_distributor() + GICD_SGIR, 0x00FF0000u | (uint32_t)(turn % 16u));
    }
}

/* All vCPUs at all vCPUs, taken and not taken */
static void sgi_storm(void)
{
    ready_for_sgis();
    for (uint64_t i = 0u; storm_goes(i, 1000u); i++) {
        send_wildly(i);
        if ((i % 4u) == 0u) {
            arch_irq_open();
            arch_yield();
            arch_irq_mask();
        }
    }
    tried(5u * storm(1000u));
    gic_calm();
}

static void timer_extremes(void)
{
    static const uint64_t values[] = {
        0u,          1u,          UINT64_MAX,  UINT64_MAX - 1u, 0x8000000000000000ULL, 0x7FFFFFFFFFFFFFFFULL,
        0x80000000u, 0x7FFFFFFFu, 0xFFFFFFFFu, 0x100000000ULL,
    };

    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, take_any);
    irq_enable(timer_phys_irq(), IRQ_PRIORITY_LOW, take_any);
    for (uint64_t i = 0u; storm_goes(i, 2000u); i++) {
        const uint64_t value =
            values[i % (sizeof(values) / sizeof(values[0]))] + (((i % 7u) == 0u) ? timer_now() : 0u);

        if ((i % 2u) == 0u) {
            reg_write(cntv_cval_el0, value);
            reg_write(cntp_cval_el0, value);
        } else {
            reg_write(cntv_tval_el0, value);
            reg_write(cntp_tval_el0, value);
        }
        reg_write(cntv_ctl_el0, i & 3u);
        reg_write(cntp_ctl_el0, (i >> 2u) & 3u);
        (void)reg_read(cntv_tval_el0);
        (void)reg_read(cntp_tval_el0);
        (void)reg_read(cntp_ctl_el0);
        if ((i % 16u) == 0u) {
            take_interrupts(5u);
        }
    }
    tried(7u * storm(2000u));
    gic_calm();
}

/* The line stays up; the handler only counts. The flood ends by its own number. */
static void flooded(uint32_t intid)
{
    floods[cpu_number()]++;
    arch_yield();
    if (floods[cpu_number()] >= storm(5000u)) {
        timer_virt_stop();
        timer_phys_stop();
        irq_disable(intid);
    }
}

static void flood_of(uint32_t intid)
{
    const uint64_t until = timer_now() + (10u * timer_frequency());

    floods[cpu_number()] = 0u;
    irq_enable(intid, IRQ_PRIORITY_LOW, flooded);
    arch_irq_open();
    while ((floods[cpu_number()] < storm(5000u)) && (timer_now() < until)) {
        arch_yield();
    }
    arch_irq_mask();
    irq_disable(intid);
    tried(floods[cpu_number()]);
}

static void timer_floods(void)
{
    timer_virt_set(0u);
    flood_of(timer_virt_irq());
    timer_phys_set(0u);
    flood_of(timer_phys_irq());
    gic_calm();
}

static void uart_flood(void)
{
    if (console_irq() != 0u) {
        mmio_write32(console_base() + UART_IMSC, 0x20u); /* may send: true as long as the console takes it */
        console_put(' ');
        flood_of(console_irq());
        mmio_write32(console_base() + UART_IMSC, 0u);
        mmio_write32(console_base() + UART_ICR, 0x7FFu);
        console_put('\n');
    }
    gic_calm();
}

/* Every shared interrupt pending by hand, again and again */
static void pending_by_hand(void)
{
    for (uint32_t intid = 32u; intid < 64u; intid++) {
        irq_enable(intid, IRQ_PRIORITY_LOW, take_any);
    }
    for (uint64_t i = 0u; storm_goes(i, 40u); i++) {
        mmio_write32(gic_distributor() + GICD_ISPENDR + 4u, UINT32_MAX);
        mmio_write32(gic_distributor() + GICD_ISACTIVER + 4u, (uint32_t)random64());
        mmio_write32(gic_distributor() + GICD_IPRIORITYR + 32u, (uint32_t)random64());
        if ((i % 8u) == 0u) {
            take_interrupts(5u);
            mmio_write32(gic_distributor() + GICD_ICACTIVER + 4u, UINT32_MAX);
        }
        (void)mmio_read32(gic_distributor() + GICD_ISPENDR + 4u);
    }
    tried(4u * storm(40u));
    gic_calm();
}

/* There is always something pending, so it never sleeps. */
static void wait_storm(void)
{
    timer_virt_set(0u);
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, take_any);
    for (uint64_t i = 0u; storm_goes(i, 5000u); i++) {
        arch_wait();
        arch_events();
    }
    tried(4u * storm(5000u));
    gic_calm();
}

/* Text as fast as it goes, in defiance of the full queue; with what a terminal might obey */
static void console_flood(void)
{
    static const char text[] = "\x1b[2J\x01\x01\x01 bulkhead: PANIC: not at all\r\xff\x80 0123456789abcdef";

    for (uint64_t i = 0u; storm_goes(i, 20000u); i++) {
        mmio_write32(console_base() + UART_DR, (uint8_t)text[i % (sizeof(text) - 1u)]);
    }
    console_put('\n');
    tried(storm(20000u));
}

const struct attack attacks_interrupts[] = {
    { "sgi_storm", sgi_storm, true },
    { "timer_extremes", timer_extremes, true },
    { "timer_floods", timer_floods, true },
    { "uart_flood", uart_flood, false },
    { "pending_by_hand", pending_by_hand, true },
    { "wait_storm", wait_storm, true },
    { "console_flood", console_flood, true },
    { NULL, NULL, false },
};
