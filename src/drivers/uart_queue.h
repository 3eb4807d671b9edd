/* What waits to be sent by a UART. Appending touches memory only; sending is done by whoever comes by: one
 * CPU at a time has that role, the others go on without waiting, and what the FIFO does not take goes when
 * the transmit interrupt or a timer comes by. */
#ifndef DRIVERS_UART_QUEUE_H
#define DRIVERS_UART_QUEUE_H

#include "drivers/uart.h"

#define UART_QUEUE_BYTES 16384u /* a power of two */
#define UART_SEND_BYTES  32u    /* at most by one call */

/* Private, but for `watched`. Positions count bytes ever, modulo 2^32. All zero: no UART, appends are
 * void. */
struct uart_queue {
    struct console_uart uart;
    bool present;
    volatile uint32_t end;     /* behind what was appended; the appender's */
    volatile uint32_t head;    /* ... and published */
    volatile uint32_t tail;    /* what was sent; the sender's */
    volatile uint32_t sender;  /* 1: some CPU has the role */
    volatile uint32_t missed;  /* somebody wanted the role meanwhile */
    volatile uint32_t driven;  /* enum in uart_queue.c: who comes by */
    volatile uint32_t watched; /* how many wait for room, kept by the caller: then the interrupt comes even
                                  if nothing is left to send */
    volatile uint32_t seized;  /* after a panic */
    volatile uint32_t hung;    /* 1: the device took nothing in all the time it had, and nothing since */
    bool irq_on;               /* the sender's */
    uint64_t moved_ns;         /* the sender's: when the device last took a byte */
    uint64_t lost; /* the sender's: bytes thrown away because the device took nothing for a second */
    uint8_t ring[UART_QUEUE_BYTES];
};

/* Boot only. Copies *uart; NULL: none any more. What waited is forgotten. */
void uart_queue_open(struct uart_queue *q, const struct console_uart *uart);
/* From now on uart_queue_send() is called by the transmit interrupt (by_irq), or else every few milliseconds.
 * Until then uart_queue_push() sends all there is. Receive interrupts are on if by_irq. */
void uart_queue_drive(struct uart_queue *q, bool by_irq);

/* The caller serialises these two. Nothing is sent that is not published. What there is no room for is
 * lost. */
void uart_queue_append(struct uart_queue *q, const char *text, uint32_t bytes);
void uart_queue_publish(struct uart_queue *q);

/* Free bytes; exact for the appender, an estimate for others. Everything if there is no UART. */
uint32_t uart_queue_room(const struct uart_queue *q);
/* Whether what ends at this value of `end` still waits. */
bool uart_queue_waits(const struct uart_queue *q, uint32_t end);
/* Whether anything does that is published. */
bool uart_queue_busy(const struct uart_queue *q);

/* Sends what the device takes now, at most UART_SEND_BYTES; if another CPU does so already it will do this
 * too. Any context, any locks. False: another CPU does. */
bool uart_queue_send(struct uart_queue *q);
/* Sends until this many of the bytes that wait are gone, polling; ends early if the device hangs, and at once
 * while it still does. */
void uart_queue_poll(struct uart_queue *q, uint32_t bytes);
/* What every writer does behind uart_queue_publish(): polls while nobody else comes by, sends afterwards. */
void uart_queue_push(struct uart_queue *q);

/* After a panic: nobody sends any more; the calling CPU sends what waits, and appended bytes at once. */
void uart_queue_seize(struct uart_queue *q);

#endif
