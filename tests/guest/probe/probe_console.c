/* The emulated UART, its registers and its interrupt. Whoever runs this types an x when asked to. */
#include "probe.h"

#define DR   0x00u
#define RSR  0x04u
#define FR   0x18u
#define IMSC 0x38u
#define RIS  0x3Cu
#define MIS  0x40u
#define ICR  0x44u

#define FR_RXFE 0x10u
#define FR_TXFF 0x20u
#define FR_TXFE 0x80u
#define INT_RX  0x10u
#define INT_TX  0x20u
#define INT_RT  0x40u

static volatile char received;
static volatile uint32_t nr_received;
static volatile uint32_t status_in_handler;

static uint32_t get(uint32_t reg)
{
    return mmio_read32(console_base() + reg);
}

static void put(uint32_t reg, uint32_t value)
{
    mmio_write32(console_base() + reg, value);
}

static void uart_registers(void)
{
    probe_catch();
#ifdef LAYOUT_CONSOLE
    EXPECT_EQUAL(console_base(), LAYOUT_CONSOLE);
    EXPECT_EQUAL(console_irq(), 32u);
#endif
    EXPECT_EQUAL(get(FR) & (FR_RXFE | FR_TXFF | FR_TXFE), FR_RXFE | FR_TXFE);
    put(IMSC, INT_RX | INT_RT);
    EXPECT_EQUAL(get(IMSC), INT_RX | INT_RT);
    EXPECT_EQUAL(get(MIS) & (INT_RX | INT_RT), 0u);
    put(IMSC, 0u);
    EXPECT_EQUAL(get(IMSC), 0u);
    put(ICR, 0x7FFu);
    EXPECT_EQUAL(get(RIS) & (INT_RX | INT_RT), 0u);
    put(RSR, 0u);
    EXPECT_EQUAL(get(RSR), 0u);
    EXPECT_EQUAL(mmio_read8(console_base() + FR) & FR_RXFE, FR_RXFE);
    EXPECT_EQUAL(probe_trap.count, 0u);
    /* no register is that wide */
    if (sizeof(uintptr_t) == 8u) {
        (void)mmio_read64(console_base());
        EXPECT(probe_caught(CLASS_DATA_ABORT));
    }
}

static void transmitted(uint32_t intid)
{
    probe_irq_count(intid);
    put(ICR, INT_TX);
}

static void uart_transmit_interrupt(void)
{
    const uint32_t before = probe_irqs[console_irq()];

    put(ICR, 0x7FFu);
    irq_enable(console_irq(), IRQ_PRIORITY_LOW, transmitted);
    put(IMSC, INT_TX);
    put(DR, '.');
    put(DR, '\n');
    EXPECT(probe_await(&probe_irqs[console_irq()], before + 1u, 1000u));
    put(IMSC, 0u);
    put(ICR, INT_TX);
    irq_disable(console_irq());
}

static void input(uint32_t intid)
{
    char c;

    (void)intid;
    status_in_handler = get(MIS);
    while (console_get(&c)) {
        received = c;
        nr_received++;
    }
    put(ICR, INT_RX | INT_RT);
}

static void uart_input(void)
{
    irq_enable(console_irq(), IRQ_PRIORITY_LOW, input);
    put(IMSC, INT_RX | INT_RT);
    print("PROBE-INPUT type an x\n");
    EXPECT(probe_await(&nr_received, 1u, 30000u));
    EXPECT_EQUAL((uint64_t)(uint8_t)received, 'x');
    EXPECT((status_in_handler & (INT_RX | INT_RT)) != 0u);
    EXPECT_EQUAL(get(FR) & FR_RXFE, FR_RXFE);
    put(IMSC, 0u);
    irq_disable(console_irq());
}

const struct probe probes_console[] = {
    { "uart_registers", uart_registers },
    { "uart_transmit_interrupt", uart_transmit_interrupt },
    { "uart_input", uart_input },
    { NULL, NULL },
};
