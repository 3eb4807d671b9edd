/* Sending and receiving by one data register and bits of a status register. */
#include "drivers/uart.h"

#include "hal/mmio.h"

uint32_t uart_reg_read(const struct uart_regs *regs, uint32_t reg)
{
    return hal_mmio_read32(&regs->base[reg]);
}

void uart_reg_write(const struct uart_regs *regs, uint32_t reg, uint32_t value)
{
    hal_mmio_write32(&regs->base[reg], value);
}

static bool fifo_put(void *device, uint8_t c)
{
    const struct uart_regs *const regs = device;
    const struct uart_fifo *const fifo = regs->fifo;
    const bool room = (uart_reg_read(regs, fifo->status) & fifo->tx_full) == 0u;

    if (room) {
        if (fifo->latch_tx != 0u) {
            /* what is latched from now on came after this byte, so a full FIFO never has an old one */
            uart_reg_write(regs, fifo->latch, fifo->latch_tx);
        }
        uart_reg_write(regs, fifo->data, c);
    }
    return room;
}

static bool fifo_has(const struct uart_regs *regs)
{
    return (uart_reg_read(regs, regs->fifo->status) & regs->fifo->rx_mask) == regs->fifo->rx_some;
}

static bool fifo_get(void *device, uint8_t *c)
{
    const struct uart_regs *const regs = device;
    bool waiting = fifo_has(regs);

    if (!waiting && (regs->fifo->latch_rx != 0u)) {
        /* a byte that comes between has its latch cleared: looked for once more */
        uart_reg_write(regs, regs->fifo->latch, regs->fifo->latch_rx);
        waiting = fifo_has(regs);
    }
    if (waiting) {
        *c = (uint8_t)(uart_reg_read(regs, regs->fifo->data) & 0xFFu);
    }
    return waiting;
}

void uart_fifo_open(struct uart_regs *regs, const struct uart_fifo *fifo, struct console_uart *uart,
                    void (*irq_enable)(void *device), void (*tx_irq)(void *device, bool on))
{
    regs->fifo = fifo;
    *uart = (struct console_uart){ fifo_put, fifo_get, irq_enable, tx_irq, regs, false };
}
