/* Arm's PrimeCell UART (Arm DDI 0183) and its SBSA subset, which is always enabled. */
#include "drivers/uart.h"

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

static const struct uart_fifo pl011_fifo = {
    .data = PL011_DR, .status = PL011_FR, .tx_full = PL011_FR_TXFF, .rx_mask = PL011_FR_RXFE
};

static void pl011_irq_enable(void *device)
{
    const struct uart_regs *const regs = device;

    /* What has been received already keeps its interrupt. So does the transmitter: it is raised only when the
     * FIFO falls through its trigger level (3.4.3), so once cleared it may not come again. */
    uart_reg_write(regs, PL011_ICR, PL011_INT_ALL & ~(PL011_INT_RX | PL011_INT_TX | PL011_INT_RT));
    uart_reg_write(regs, PL011_IMSC, PL011_INT_RX | PL011_INT_RT);
}

static void pl011_tx_irq(void *device, bool on)
{
    const struct uart_regs *const regs = device;

    uart_reg_write(regs, PL011_IMSC, PL011_INT_RX | PL011_INT_RT | (on ? PL011_INT_TX : 0u));
}

void pl011_open(struct uart_regs *regs, struct console_uart *uart)
{
    uart_reg_write(regs, PL011_IMSC, 0u);
    if ((uart_reg_read(regs, PL011_CR) & PL011_CR_UARTEN) == 0u) {
        uart_reg_write(regs, PL011_LCR_H, PL011_LCR_H_FEN | PL011_LCR_H_8BIT);
        uart_reg_write(regs, PL011_CR, PL011_CR_UARTEN | PL011_CR_TXE | PL011_CR_RXE);
    }
    uart_fifo_open(regs, &pl011_fifo, uart, pl011_irq_enable, pl011_tx_irq);
}
