/* Arm's PrimeCell UART (Arm DDI 0183) and its SBSA subset, which is always enabled. */
#include "drivers/uart.h"

#include "hal/mmio.h"
#include "lib/bits.h"

#define PL011_DR    0x00u
#define PL011_FR    0x18u
#define PL011_LCR_H 0x2Cu
#define PL011_CR    0x30u
#define PL011_IMSC  0x38u
#define PL011_ICR   0x44u

#define PL011_FR_RXFE    BIT32(4)
#define PL011_FR_TXFF    BIT32(5)
#define PL011_LCR_H_FEN  BIT32(4)
#define PL011_LCR_H_8BIT (BIT32(5) | BIT32(6))
#define PL011_CR_UARTEN  BIT32(0)
#define PL011_CR_TXE     BIT32(8)
#define PL011_CR_RXE     BIT32(9)
#define PL011_INT_RX     BIT32(4)
#define PL011_INT_TX     BIT32(5)
#define PL011_INT_RT     BIT32(6)
#define PL011_INT_ALL    0x7FFu

static uint32_t pl011_read(const struct uart_regs *regs, uint32_t reg)
{
    return hal_mmio_read32(&regs->base[reg]);
}

static void pl011_write(const struct uart_regs *regs, uint32_t reg, uint32_t value)
{
    hal_mmio_write32(&regs->base[reg], value);
}

static bool pl011_put(void *device, uint8_t c)
{
    const struct uart_regs *const regs = device;
    const bool room = (pl011_read(regs, PL011_FR) & PL011_FR_TXFF) == 0u;

    if (room) {
        pl011_write(regs, PL011_DR, c);
    }
    return room;
}

static bool pl011_get(void *device, uint8_t *c)
{
    const struct uart_regs *const regs = device;
    const bool waiting = (pl011_read(regs, PL011_FR) & PL011_FR_RXFE) == 0u;

    if (waiting) {
        *c = (uint8_t)(pl011_read(regs, PL011_DR) & 0xFFu);
    }
    return waiting;
}

static void pl011_irq_enable(void *device)
{
    const struct uart_regs *const regs = device;

    /* What has been received already keeps its interrupt. So does the transmitter: it is raised only when the
     * FIFO falls through its trigger level (3.4.3), so once cleared it may not come again. */
    pl011_write(regs, PL011_ICR, PL011_INT_ALL & ~(PL011_INT_RX | PL011_INT_TX | PL011_INT_RT));
    pl011_write(regs, PL011_IMSC, PL011_INT_RX | PL011_INT_RT);
}

static void pl011_tx_irq(void *device, bool on)
{
    const struct uart_regs *const regs = device;

    pl011_write(regs, PL011_IMSC, PL011_INT_RX | PL011_INT_RT | (on ? PL011_INT_TX : 0u));
}

void pl011_open(struct uart_regs *regs, struct console_uart *uart)
{
    pl011_write(regs, PL011_IMSC, 0u);
    if ((pl011_read(regs, PL011_CR) & PL011_CR_UARTEN) == 0u) {
        pl011_write(regs, PL011_LCR_H, PL011_LCR_H_FEN | PL011_LCR_H_8BIT);
        pl011_write(regs, PL011_CR, PL011_CR_UARTEN | PL011_CR_TXE | PL011_CR_RXE);
    }
    uart->put = pl011_put;
    uart->get = pl011_get;
    uart->irq_enable = pl011_irq_enable;
    uart->tx_irq = pl011_tx_irq;
    uart->device = regs;
}
