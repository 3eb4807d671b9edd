/* [impl->req~mps3-an536~1] */
/* The UART of Arm's CMSDK (DDI 0479, APB UART), which FPGA boards have: a buffer of one byte each way. */
#include "drivers/uart.h"

#include "hal/mmio.h"
#include "lib/bits.h"

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

static uint32_t cmsdk_read(const struct uart_regs *regs, uint32_t reg)
{
    return hal_mmio_read32(&regs->base[reg]);
}

static void cmsdk_write(const struct uart_regs *regs, uint32_t reg, uint32_t value)
{
    hal_mmio_write32(&regs->base[reg], value);
}

static bool cmsdk_put(void *device, uint8_t c)
{
    const struct uart_regs *const regs = device;
    const bool room = (cmsdk_read(regs, CMSDK_STATE) & CMSDK_STATE_TXFULL) == 0u;

    if (room) {
        cmsdk_write(regs, CMSDK_INTCLEAR, CMSDK_INT_TX); /* what is latched from now on is this byte's */
        cmsdk_write(regs, CMSDK_DATA, c);
    }
    return room;
}

static bool cmsdk_has(const struct uart_regs *regs)
{
    return (cmsdk_read(regs, CMSDK_STATE) & CMSDK_STATE_RXFULL) != 0u;
}

static bool cmsdk_get(void *device, uint8_t *c)
{
    const struct uart_regs *const regs = device;
    bool waiting = cmsdk_has(regs);

    if (!waiting) {
        /* a byte that comes between has its latch cleared: looked for once more */
        cmsdk_write(regs, CMSDK_INTCLEAR, CMSDK_INT_RX);
        waiting = cmsdk_has(regs);
    }
    if (waiting) {
        *c = (uint8_t)(cmsdk_read(regs, CMSDK_DATA) & 0xFFu);
    }
    return waiting;
}

static void cmsdk_tx_irq(void *device, bool on)
{
    const struct uart_regs *const regs = device;

    cmsdk_write(regs, CMSDK_CTRL, CMSDK_CTRL_ON | CMSDK_CTRL_RXINT | (on ? CMSDK_CTRL_TXINT : 0u));
    if (!on) {
        cmsdk_write(regs, CMSDK_INTCLEAR, CMSDK_INT_TX);
    }
}

static void cmsdk_irq_enable(void *device)
{
    cmsdk_tx_irq(device, false);
}

void cmsdk_open(struct uart_regs *regs, struct console_uart *uart)
{
    if (cmsdk_read(regs, CMSDK_BAUDDIV) < CMSDK_DIV_MIN) { /* nobody has set it up */
        cmsdk_write(regs, CMSDK_BAUDDIV, CMSDK_DIV_USUAL);
    }
    cmsdk_write(regs, CMSDK_CTRL, CMSDK_CTRL_ON);
    cmsdk_write(regs, CMSDK_INTCLEAR, CMSDK_INT_TX | CMSDK_INT_RX);
    uart->put = cmsdk_put;
    uart->get = cmsdk_get;
    uart->irq_enable = cmsdk_irq_enable;
    uart->tx_irq = cmsdk_tx_irq;
    uart->tx_latches = true;
    uart->device = regs;
}
