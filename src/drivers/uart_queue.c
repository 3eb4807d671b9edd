#include "drivers/uart_queue.h"

#include "hal/cpu.h"
#include "hal/sync.h"
#include "hal/timer.h"
#include "lib/ring.h"

#define DRIVEN_NOT   0u
#define DRIVEN_POLL  1u
#define DRIVEN_IRQ   2u
#define DRIVEN_LATCH 3u /* as DRIVEN_IRQ; the interrupt comes only for bytes put while it is on */
#define SEND_TURNS   4u
#define POLLS_MAX    100000u /* a FIFO of 32 at 9600 baud takes 33 ms; a look at the device 0.3 us and more */
#define HUNG_NS      1000000000ULL
#define HUNG_ROOM    (UART_QUEUE_BYTES / 2u)

void uart_queue_open(struct uart_queue *q, const struct console_uart *uart)
{
    q->present = (uart != NULL);
    q->driven = DRIVEN_NOT;
    q->irq_on = false;
    q->hung = 0u;
    q->tail = q->end;
    q->head = q->end;
    if (uart != NULL) {
        q->uart = *uart;
    }
}

void uart_queue_drive(struct uart_queue *q, bool by_irq)
{
    const bool irq = by_irq && (q->uart.tx_irq != NULL);

    const uint32_t by = q->uart.tx_latches ? DRIVEN_LATCH : DRIVEN_IRQ;

    hal_store_release32(&q->driven, irq ? by : DRIVEN_POLL);
}

uint32_t uart_queue_room(const struct uart_queue *q)
{
    return UART_QUEUE_BYTES - (q->end - hal_load_acquire32(&q->tail));
}

bool uart_queue_waits(const struct uart_queue *q, uint32_t end)
{
    const uint32_t distance = end - hal_load_acquire32(&q->tail);

    return (distance != 0u) && (distance <= UART_QUEUE_BYTES);
}

bool uart_queue_busy(const struct uart_queue *q)
{
    return hal_load_acquire32(&q->head) != hal_load_acquire32(&q->tail);
}

static bool put_one(const struct uart_queue *q, uint8_t byte)
{
    return q->uart.put(q->uart.device, byte);
}

/* How often to look at a device that takes nothing: one that hung is not waited for until it takes a byte. */
static uint32_t polls_most(const struct uart_queue *q)
{
    return (hal_load_acquire32(&q->hung) != 0u) ? 1u : POLLS_MAX;
}

static void put_polling(struct uart_queue *q, uint8_t byte)
{
    const uint32_t polls = polls_most(q);

    q->hung = 1u;
    for (uint32_t i = 0; (q->hung != 0u) && (i < polls); i++) {
        if (put_one(q, byte)) {
            q->hung = 0u;
        } else {
            hal_cpu_relax();
        }
    }
}

void uart_queue_append(struct uart_queue *q, const char *text, uint32_t bytes)
{
    const uint32_t end = q->end;
    const uint32_t room = UART_QUEUE_BYTES - (end - hal_load_acquire32(&q->tail));

    if (!q->present) {
        /* nobody to show it to */
    } else if (q->seized != 0u) {
        for (uint32_t i = 0; i < bytes; i++) {
            put_polling(q, (uint8_t)text[i]);
        }
    } else {
        const uint32_t n = (bytes < room) ? bytes : room; /* less than all: the caller did not look */

        ring_put(q->ring, UART_QUEUE_BYTES, end, text, n);
        q->end = end + n;
    }
}

void uart_queue_publish(struct uart_queue *q)
{
    hal_store_release32(&q->head, q->end);
}

static void irq_set(struct uart_queue *q, bool want)
{
    if (want != q->irq_on) {
        q->irq_on = want;
        q->uart.tx_irq(q->uart.device, want);
    }
}

/* A latching interrupt is on before the byte behind which it is needed. */
static bool send_one(struct uart_queue *q, uint8_t byte, bool needed)
{
    if (needed) {
        irq_set(q, true);
    }
    bool sent = put_one(q, byte);

    if (!sent && (q->driven == DRIVEN_LATCH) && !q->irq_on) {
        irq_set(q, true);
        sent = put_one(q, byte); /* what is full now interrupts later */
    }
    return sent;
}

/* With the role: sends until the ring is empty, the FIFO full or the bound reached. */
static uint32_t send_some(struct uart_queue *q, uint32_t bound)
{
    const uint32_t head = hal_load_acquire32(&q->head);
    const bool latches = (q->driven == DRIVEN_LATCH);
    uint32_t tail = q->tail;
    uint32_t n = 0;
    bool full = false;

    while ((n < bound) && (tail != head) && !full && (q->seized == 0u)) {
        full = !send_one(q, q->ring[tail % UART_QUEUE_BYTES],
                         latches && (((n + 1u) == bound) || (q->watched != 0u)));
        if (!full) {
            tail++;
            n++;
            hal_store_release32(&q->tail, tail);
        }
    }
    if (n != 0u) {
        hal_store_release32(&q->hung, 0u);
        q->moved_ns = hal_timer_now_ns();
    } else if (full && (uart_queue_room(q) < HUNG_ROOM) && ((hal_timer_now_ns() - q->moved_ns) > HUNG_NS)) {
        /* Nobody listens: a domain must not wait for ever. Full now and nothing taken since: it hangs. */
        q->lost += (uint64_t)head - tail;
        q->moved_ns = hal_timer_now_ns();
        hal_store_release32(&q->tail, head);
    } else {
        /* it takes more later */
    }
    return n;
}

/* With the role. */
static void irq_adjust(struct uart_queue *q, bool stopped)
{
    /* What is sent is seen by who begins to watch, or the watch by us; and the device has it. */
    hal_barrier_io();
    if (q->driven >= DRIVEN_IRQ) {
        const bool want = stopped || (q->watched != 0u) || uart_queue_busy(q);
        const bool late = want && !q->irq_on;

        irq_set(q, want);
        if (late && (q->driven == DRIVEN_LATCH)) {
            (void)put_one(q, 0u); /* who began to watch just now needs an interrupt: NUL shows nowhere */
        }
    }
}

/* Interrupts are masked: a handler must not find the role held by its own CPU. */
bool uart_queue_send(struct uart_queue *q)
{
    const uint64_t flags = hal_cpu_irq_save();
    uint32_t left = UART_SEND_BYTES;
    bool had = true;
    bool again = q->present;

    for (uint32_t turn = 1u; again; turn++) { /* at most SEND_TURNS */
        hal_store_release32(&q->missed, 1u);
        hal_barrier(); /* whoever holds the role sees that, or we see it free */
        had = (q->seized == 0u) && hal_compare_swap32(&q->sender, 0u, 1u);
        again = false;
        if (had) {
            hal_store_release32(&q->missed, 0u);
            hal_barrier();
            left -= send_some(q, left);
            irq_adjust(q, (left == 0u) || (turn == SEND_TURNS));
            hal_store_release32(&q->sender, 0u);
            hal_barrier();
            /* Somebody went on and trusts in us. */
            again = (hal_load_acquire32(&q->missed) != 0u) && (left != 0u) && (turn < SEND_TURNS);
        }
    }
    hal_cpu_irq_restore(flags);
    return had;
}

void uart_queue_poll(struct uart_queue *q, uint32_t bytes)
{
    const uint32_t first = q->tail;
    uint32_t tail = first;
    uint32_t polls = 0;
    uint32_t most = polls_most(q);

    /* At most `bytes` turns that send, POLLS_MAX between two; a turn in which another CPU has the role is
     * bounded by its UART_SEND_BYTES. */
    while (q->present && (q->seized == 0u) && ((tail - first) < bytes) && (polls < most) &&
           uart_queue_busy(q)) {
        polls += uart_queue_send(q) ? 1u : 0u;
        if (q->tail != tail) {
            tail = q->tail;
            polls = 0u;
            most = POLLS_MAX;
        } else {
            hal_cpu_relax();
        }
    }
    if (polls == most) {
        hal_store_release32(&q->hung, 1u);
    }
}

void uart_queue_push(struct uart_queue *q)
{
    if (hal_load_acquire32(&q->driven) == DRIVEN_NOT) {
        uart_queue_poll(q, UART_QUEUE_BYTES);
    } else {
        (void)uart_queue_send(q);
    }
}

void uart_queue_seize(struct uart_queue *q)
{
    const uint32_t head = q->head;

    hal_store_release32(&q->seized, 1u);
    for (uint32_t tail = q->tail; q->present && (tail != head) && (q->hung == 0u); tail++) {
        put_polling(q, q->ring[tail % UART_QUEUE_BYTES]);
    }
    q->tail = head;
    q->end = head;
}
