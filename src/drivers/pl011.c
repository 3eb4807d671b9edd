/* Arm's PrimeCell UART (Arm DDI 0183) and its SBSA subset, which is always enabled. */
#include "drivers/uart.h"

#include "hal/cpu.h"
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
#define PL011_INT_RT     BIT32(6)
#define PL011_INT_ALL    0x7FFu

#define PL011_POLLS_MAX                                                                                      \
    100000u /* a full FIFO of 32 at 9600 baud is 33 ms; a read of FR takes 0.3 us and more */

static uint32_t pl011_read(const struct uart_regs *regs, uint32_t reg)
{
    return hal_mmio_read32(&regs->base[reg]);
}

static void pl011_write(const struct uart_regs *regs, uint32_t reg, uint32_t value)
{
    hal_mmio_write32(&regs->base[reg], value);
}

static void pl011_put(void *device, uint8_t c)
{
    const struct uart_regs *const regs = device;

    for (uint32_t i = 0; i < PL011_POLLS_MAX; i++) {
        if ((pl011_read(regs, PL011_FR) & PL011_FR_TXFF) == 0u) {
            pl011_write(regs, PL011_DR, c);
            break;
        }
        hal_cpu_relax();
    }
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

    /* What has been received already keeps its interrupt. */
    pl011_write(regs, PL011_ICR, PL011_INT_ALL & ~(PL011_INT_RX | PL011_INT_RT));
    pl011_write(regs, PL011_IMSC, PL011_INT_RX | PL011_INT_RT);
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
    uart->device = regs;
}
