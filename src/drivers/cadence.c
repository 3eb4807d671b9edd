/* [impl->req~zcu102~1] */
/* The UART of Xilinx's Zynq and ZynqMP (UG585 chapter 19 and its appendix B.33). */
#include "drivers/uart.h"

#define CADENCE_CR   0x00u
#define CADENCE_IER  0x08u /* ones enable ... */
#define CADENCE_IDR  0x0Cu /* ... ones disable */
#define CADENCE_ISR  0x14u /* latched; ones clear */
#define CADENCE_RXWM 0x20u
#define CADENCE_SR   0x2Cu
#define CADENCE_FIFO 0x30u

#define CADENCE_CR_RX_ON   BIT32(2)
#define CADENCE_CR_TX_ON   BIT32(4)
#define CADENCE_SR_RXEMPTY BIT32(1)
#define CADENCE_SR_TXFULL  BIT32(4)
#define CADENCE_INT_RXWM   BIT32(0)
#define CADENCE_INT_TXNONE BIT32(3) /* the transmit FIFO has become empty */
#define CADENCE_INT_ALL    0x1FFFu

static const struct uart_fifo cadence_fifo = {
    CADENCE_FIFO, CADENCE_SR,  CADENCE_SR_TXFULL,  CADENCE_SR_RXEMPTY,
    0u,           CADENCE_ISR, CADENCE_INT_TXNONE, CADENCE_INT_RXWM
};

static void cadence_irq_enable(void *device)
{
    const struct uart_regs *const regs = device;

    uart_reg_write(regs, CADENCE_RXWM, 1u);
    uart_reg_write(regs, CADENCE_IER, CADENCE_INT_RXWM);
}

static void cadence_tx_irq(void *device, bool on)
{
    const struct uart_regs *const regs = device;

    uart_reg_write(regs, on ? CADENCE_IER : CADENCE_IDR, CADENCE_INT_TXNONE);
}

void cadence_open(struct uart_regs *regs, struct console_uart *uart)
{
    uart_reg_write(regs, CADENCE_IDR, CADENCE_INT_ALL);
    uart_reg_write(regs, CADENCE_CR, CADENCE_CR_RX_ON | CADENCE_CR_TX_ON);
    uart_fifo_open(regs, &cadence_fifo, uart, cadence_irq_enable, cadence_tx_irq);
}
