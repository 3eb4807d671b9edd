/* [impl->req~mps3-an536~1] */
/* The UART of Arm's CMSDK (DDI 0479, APB UART), which FPGA boards have: a buffer of one byte each way. */
#include "drivers/uart.h"

#define CMSDK_DATA     0x00u
#define CMSDK_STATE    0x04u
#define CMSDK_CTRL     0x08u
#define CMSDK_INTCLEAR 0x0Cu /* latched; ones clear */
#define CMSDK_BAUDDIV  0x10u

#define CMSDK_STATE_TXFULL BIT32(0)
#define CMSDK_STATE_RXFULL BIT32(1)
#define CMSDK_CTRL_ON      3u /* both directions */
#define CMSDK_CTRL_TXINT   BIT32(2)
#define CMSDK_CTRL_RXINT   BIT32(3)
#define CMSDK_INT_TX       BIT32(0) /* the byte has left the buffer while CMSDK_CTRL_TXINT was set */
#define CMSDK_INT_RX       BIT32(1)
#define CMSDK_DIV_MIN      16u
#define CMSDK_DIV_USUAL    434u /* 115200 baud of the 50 MHz that these boards run at (Arm DAI 0536) */

static const struct uart_fifo cmsdk_fifo = { CMSDK_DATA,         CMSDK_STATE,        CMSDK_STATE_TXFULL,
                                             CMSDK_STATE_RXFULL, CMSDK_STATE_RXFULL, CMSDK_INTCLEAR,
                                             CMSDK_INT_TX,       CMSDK_INT_RX };

static void cmsdk_tx_irq(void *device, bool on)
{
    const struct uart_regs *const regs = device;

    uart_reg_write(regs, CMSDK_CTRL, CMSDK_CTRL_ON | CMSDK_CTRL_RXINT | (on ? CMSDK_CTRL_TXINT : 0u));
    if (!on) {
        uart_reg_write(regs, CMSDK_INTCLEAR, CMSDK_INT_TX);
    }
}

static void cmsdk_irq_enable(void *device)
{
    cmsdk_tx_irq(device, false);
}

void cmsdk_open(struct uart_regs *regs, struct console_uart *uart)
{
    if (uart_reg_read(regs, CMSDK_BAUDDIV) < CMSDK_DIV_MIN) { /* nobody has set it up */
        uart_reg_write(regs, CMSDK_BAUDDIV, CMSDK_DIV_USUAL);
    }
    uart_reg_write(regs, CMSDK_CTRL, CMSDK_CTRL_ON);
    uart_reg_write(regs, CMSDK_INTCLEAR, CMSDK_INT_TX | CMSDK_INT_RX);
    uart_fifo_open(regs, &cmsdk_fifo, uart, cmsdk_irq_enable, cmsdk_tx_irq);
    uart->tx_latches = true;
}
