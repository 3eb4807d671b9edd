/* [impl->req~zcu102~1] */
/* The UART of Xilinx's Zynq and ZynqMP (UG585 chapter 19 and its appendix B.33). */
#include "drivers/uart.h"

#include "hal/mmio.h"
#include "lib/bits.h"

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

static uint32_t cadence_read(const struct uart_regs *regs, uint32_t reg)
{
    return hal_mmio_read32(&regs->base[reg]);
}

static void cadence_write(const struct uart_regs *regs, uint32_t reg, uint32_t value)
{
    hal_mmio_write32(&regs->base[reg], value);
}

static bool cadence_put(void *device, uint8_t c)
{
    const struct uart_regs *const regs = device;
    const bool room = (cadence_read(regs, CADENCE_SR) & CADENCE_SR_TXFULL) == 0u;

    if (room) {
        /* what is latched from now on came after this byte, so a full FIFO never has an old one */
        cadence_write(regs, CADENCE_ISR, CADENCE_INT_TXNONE);
        cadence_write(regs, CADENCE_FIFO, c);
    }
    return room;
}

static bool cadence_has(const struct uart_regs *regs)
{
    return (cadence_read(regs, CADENCE_SR) & CADENCE_SR_RXEMPTY) == 0u;
}

static bool cadence_get(void *device, uint8_t *c)
{
    const struct uart_regs *const regs = device;
    bool waiting = cadence_has(regs);

    if (!waiting) {
        /* a byte that comes between has its latch cleared: looked for once more */
        cadence_write(regs, CADENCE_ISR, CADENCE_INT_RXWM);
        waiting = cadence_has(regs);
    }
    if (waiting) {
        *c = (uint8_t)(cadence_read(regs, CADENCE_FIFO) & 0xFFu);
    }
    return waiting;
}

static void cadence_irq_enable(void *device)
{
    const struct uart_regs *const regs = device;

    cadence_write(regs, CADENCE_RXWM, 1u);
    cadence_write(regs, CADENCE_IER, CADENCE_INT_RXWM);
}

static void cadence_tx_irq(void *device, bool on)
{
    const struct uart_regs *const regs = device;

    cadence_write(regs, on ? CADENCE_IER : CADENCE_IDR, CADENCE_INT_TXNONE);
}

void cadence_open(struct uart_regs *regs, struct console_uart *uart)
{
    cadence_write(regs, CADENCE_IDR, CADENCE_INT_ALL);
    cadence_write(regs, CADENCE_CR, CADENCE_CR_RX_ON | CADENCE_CR_TX_ON);
    uart->put = cadence_put;
    uart->get = cadence_get;
    uart->irq_enable = cadence_irq_enable;
    uart->tx_irq = cadence_tx_irq;
    uart->device = regs;
}
