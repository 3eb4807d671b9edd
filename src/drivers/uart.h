/* Serial ports as a console needs them: no knowledge of who writes or of domains. Whoever opens one has
 * mapped its registers (hal_hypmap_device()) and registers the interrupt. Line speed and format stay as the
 * firmware left them. */
#ifndef DRIVERS_UART_H
#define DRIVERS_UART_H

#include "hal/types.h"

/* None of them waits. The caller serialises put() and tx_irq(), and calls of get(); get() may run beside
 * put(). */
struct console_uart {
    bool (*put)(void *device, uint8_t c);  /* false: its FIFO is full, the byte is not taken */
    bool (*get)(void *device, uint8_t *c); /* false: nothing there */
    void (*irq_enable)(void *device);      /* receive interrupts; may be NULL */
    void (*tx_irq)(void *device, bool on); /* an interrupt once there is room after put() gave false; only
                                              after irq_enable(); may be NULL */
    void *device;
    bool tx_latches; /* tx_irq(): it comes only for bytes that are put while it is on */
};

/* Where the registers are. Storage is the caller's and stays for good. */
struct uart_regs {
    uint8_t *base;                /* as mapped */
    uint32_t reg_shift;           /* 16550: registers are 1 << reg_shift bytes apart */
    uint32_t reg_width;           /* 16550: access width in bytes, 1 or 4 */
    uint32_t tx_fifo;             /* 16550, private: what its FIFO holds ... */
    uint32_t tx_room;             /* ... and how much of that is certainly free */
    const struct uart_fifo *fifo; /* the others, private */
};

/* What most devices have alike: registers of 32 bits, by their offsets, and bits in them. */
struct uart_fifo {
    uint32_t data;
    uint32_t status;
    uint32_t tx_full;  /* in status */
    uint32_t rx_mask;  /* in status; reads as ... */
    uint32_t rx_some;  /* ... this when there is something */
    uint32_t latch;    /* where ones clear what is latched */
    uint32_t latch_tx; /* 0: the device latches nothing */
    uint32_t latch_rx;
};

uint32_t uart_reg_read(const struct uart_regs *regs, uint32_t reg);
void uart_reg_write(const struct uart_regs *regs, uint32_t reg, uint32_t value);
/* Fills *uart with the common put() and get(), and these. */
void uart_fifo_open(struct uart_regs *regs, const struct uart_fifo *fifo, struct console_uart *uart,
                    void (*irq_enable)(void *device), void (*tx_irq)(void *device, bool on));

/* Make the device ready to send and receive, interrupts off, and fill *uart. */
void pl011_open(struct uart_regs *regs, struct console_uart *uart); /* Arm PL011 and SBSA UART */
void ns16550_open(struct uart_regs *regs, struct console_uart *uart);
void cadence_open(struct uart_regs *regs, struct console_uart *uart);
void cmsdk_open(struct uart_regs *regs, struct console_uart *uart);

#endif
