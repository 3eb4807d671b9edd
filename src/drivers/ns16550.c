/* The PC's serial port and its many relatives (National Semiconductor PC16550D). */
#include "drivers/uart.h"

#include "hal/mmio.h"

/* Register numbers, to be shifted. Divisor latch access is off. */
#define NS16550_DATA 0u
#define NS16550_IER  1u
#define NS16550_IIR  2u /* read */
#define NS16550_FCR  2u /* write */
#define NS16550_LCR  3u
#define NS16550_MCR  4u
#define NS16550_LSR  5u

#define NS16550_IER_RX       BIT32(0)
#define NS16550_IER_TX       BIT32(1)
#define NS16550_IIR_FIFOS    0xC0u
#define NS16550_FCR_ENABLE   BIT32(0)
#define NS16550_LCR_8BIT     3u
#define NS16550_MCR_DTR_RTS  3u
#define NS16550_MCR_OUT2     BIT32(3) /* lets the interrupt out on a PC */
#define NS16550_LSR_READY    BIT32(0)
#define NS16550_LSR_TX_EMPTY BIT32(5)

#define NS16550_FIFO 16u

static uint32_t ns16550_read(const struct uart_regs *regs, uint32_t reg)
{
    const uint8_t *const at = &regs->base[reg << regs->reg_shift];

    return (regs->reg_width == 4u) ? (hal_mmio_read32(at) & 0xFFu) : hal_mmio_read8(at);
}

static void ns16550_write(const struct uart_regs *regs, uint32_t reg, uint32_t value)
{
    uint8_t *const at = &regs->base[reg << regs->reg_shift];

    if (regs->reg_width == 4u) {
        hal_mmio_write32(at, value);
    } else {
        hal_mmio_write8(at, (uint8_t)value);
    }
}

/* The device says only that its FIFO is empty: then it is filled without looking. */
static bool ns16550_put(void *device, uint8_t c)
{
    struct uart_regs *const regs = device;

    if ((regs->tx_room == 0u) && ((ns16550_read(regs, NS16550_LSR) & NS16550_LSR_TX_EMPTY) != 0u)) {
        regs->tx_room = regs->tx_fifo;
    }
    const bool room = regs->tx_room != 0u;

    if (room) {
        regs->tx_room--;
        ns16550_write(regs, NS16550_DATA, c);
    }
    return room;
}

static bool ns16550_get(void *device, uint8_t *c)
{
    const struct uart_regs *const regs = device;
    const bool waiting = (ns16550_read(regs, NS16550_LSR) & NS16550_LSR_READY) != 0u;

    if (waiting) {
        *c = (uint8_t)ns16550_read(regs, NS16550_DATA);
    }
    return waiting;
}

static void ns16550_irq_enable(void *device)
{
    const struct uart_regs *const regs = device;

    ns16550_write(regs, NS16550_MCR, NS16550_MCR_DTR_RTS | NS16550_MCR_OUT2);
    ns16550_write(regs, NS16550_IER, NS16550_IER_RX);
}

static void ns16550_tx_irq(void *device, bool on)
{
    const struct uart_regs *const regs = device;

    ns16550_write(regs, NS16550_IER, NS16550_IER_RX | (on ? NS16550_IER_TX : 0u));
}

void ns16550_open(struct uart_regs *regs, struct console_uart *uart)
{
    ns16550_write(regs, NS16550_IER, 0u);
    ns16550_write(regs, NS16550_LCR, NS16550_LCR_8BIT);
    ns16550_write(regs, NS16550_FCR, NS16550_FCR_ENABLE);
    regs->tx_fifo =
        ((ns16550_read(regs, NS16550_IIR) & NS16550_IIR_FIFOS) == NS16550_IIR_FIFOS) ? NS16550_FIFO : 1u;
    regs->tx_room = 0u;
    *uart =
        (struct console_uart){ ns16550_put, ns16550_get, ns16550_irq_enable, ns16550_tx_irq, regs, false };
}
