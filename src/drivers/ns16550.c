/* The PC's serial port and its many relatives (National Semiconductor PC16550D). */
#include "drivers/uart.h"

#include "hal/cpu.h"
#include "hal/mmio.h"
#include "lib/bits.h"

/* Register numbers, to be shifted. Divisor latch access is off. */
#define NS16550_DATA 0u
#define NS16550_IER  1u
#define NS16550_FCR  2u /* write */
#define NS16550_LCR  3u
#define NS16550_MCR  4u
#define NS16550_LSR  5u

#define NS16550_IER_RX       BIT32(0)
#define NS16550_FCR_ENABLE   BIT32(0)
#define NS16550_LCR_8BIT     3u
#define NS16550_MCR_DTR_RTS  3u
#define NS16550_MCR_OUT2     BIT32(3) /* lets the interrupt out on a PC */
#define NS16550_LSR_READY    BIT32(0)
#define NS16550_LSR_TX_EMPTY BIT32(5)

#define NS16550_POLLS_MAX 100000u /* 16 bytes at 9600 baud are 17 ms; a read of LSR takes 0.2 us and more */

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

static void ns16550_put(void *device, uint8_t c)
{
    const struct uart_regs *const regs = device;

    for (uint32_t i = 0; i < NS16550_POLLS_MAX; i++) {
        if ((ns16550_read(regs, NS16550_LSR) & NS16550_LSR_TX_EMPTY) != 0u) {
            ns16550_write(regs, NS16550_DATA, c);
            break;
        }
        hal_cpu_relax();
    }
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

void ns16550_open(struct uart_regs *regs, struct console_uart *uart)
{
    ns16550_write(regs, NS16550_IER, 0u);
    ns16550_write(regs, NS16550_LCR, NS16550_LCR_8BIT);
    ns16550_write(regs, NS16550_FCR, NS16550_FCR_ENABLE);
    uart->put = ns16550_put;
    uart->get = ns16550_get;
    uart->irq_enable = ns16550_irq_enable;
    uart->device = regs;
}
