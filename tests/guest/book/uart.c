/* The PL011 by its manual (DDI 0183G): a driver that sets baud rate, line control, FIFO levels and DMA as on
 * a board, and receives by polling, by the trigger level alone, by the time-out alone, and without a FIFO.
 * Bytes and half words where drivers use them. What is typed is `ab` to begin with, then whatever it asks
 * for. */
#include "book.h"

const char book_name[] = "uart";

#define UART(offset)   REG32(UART_BASE + (offset))
#define UART16(offset) (*(volatile uint16_t *)(uintptr_t)(UART_BASE + (offset)))

#define DR    0x00u
#define RSR   0x04u
#define FR    0x18u
#define ILPR  0x20u
#define IBRD  0x24u
#define FBRD  0x28u
#define LCR_H 0x2Cu
#define CR    0x30u
#define IFLS  0x34u
#define IMSC  0x38u
#define RIS   0x3Cu
#define MIS   0x40u
#define ICR   0x44u
#define DMACR 0x48u

#define RX 0x10u
#define TX 0x20u
#define RT 0x40u

static volatile uint32_t nr_irqs;
static volatile uint32_t nr_typed;
static volatile uint32_t sent;
static volatile uint32_t reasons;
static volatile char typed[64];

static void drain(void)
{
    while ((UART(FR) & 0x10u) == 0u) {
        typed[nr_typed & 63u] = (char)UART(DR);
        nr_typed++;
    }
}

void book_irq(struct frame *frame)
{
    const uint32_t token = gic_take();

    (void)frame;
    if ((token & 0x3FFu) == UART_IRQ) {
        const uint32_t why = UART(MIS);

        nr_irqs++;
        reasons |= why;
        if ((why & (RX | RT)) != 0u) {
            drain();
            UART(ICR) = RX | RT;
        }
        if ((why & TX) != 0u) {
            while ((sent < 26u) && ((UART(FR) & 0x20u) == 0u)) {
                UART(DR) = 'a' + sent;
                sent++;
            }
            if (sent == 26u) {
                UART(IMSC) &= ~TX;
            }
            UART(ICR) = TX;
        }
    }
    if ((token & 0x3FFu) < 1020u) {
        gic_done(token);
    }
}

static void program(uint32_t line, uint32_t levels)
{
    UART(CR) = 0u;
    while ((UART(FR) & 8u) != 0u) { /* BUSY */
    }
    UART(LCR_H) &= ~0x10u; /* flushes the FIFOs */
    UART(IBRD) = 13u;      /* 115200 of 24 MHz */
    UART(FBRD) = 1u;
    UART(LCR_H) = line;
    UART(IFLS) = levels;
    UART(DMACR) = 0u;
    UART(IMSC) = 0u;
    UART(ICR) = 0x7FFu;
    UART(RSR) = 0xFFu;
    UART(CR) = 0x301u; /* on, both ways */
}

static void registers(void)
{
    program(0x70u, 0x12u);
    MUST_BE(UART(IBRD), 13u);
    MUST_BE(UART(FBRD), 1u);
    MUST_BE(UART(LCR_H), 0x70u);
    MUST_BE(UART(CR), 0x301u);
    MUST_BE(UART(IFLS), 0x12u);
    MUST_BE(UART(IMSC), 0u);
    MUST_BE(UART(MIS), 0u);
    MUST_BE(UART(RSR), 0u);
    UART(DMACR) = 3u;
    MUST_BE(UART(DMACR), 3u);
    UART(DMACR) = 0u;
    UART(ILPR) = 0x12u;
    MUST_BE(UART(ILPR), 0x12u);
    UART16(IBRD) = 26u;
    MUST_BE(UART16(IBRD), 26u);
    MUST_BE(UART(0xFE0u), 0x11u); /* part 0x011 by ARM */
    MUST_BE(UART(0xFE4u) & 0xFFu, 0x10u);
    MUST_BE(UART(0xFF0u), 0x0Du);
    MUST_BE(UART(0xFF4u), 0xF0u);
    MUST_BE(UART(0xFF8u), 0x05u);
    MUST_BE(UART(0xFFCu), 0xB1u);
    UART(0x08u) = 1u; /* reserved ones */
    MUST_BE(UART(0x8Cu), 0u);
    UART(IMSC) = 0xFFFFFFFFu;
    MUST_BE(UART(IMSC), 0x7FFu);
    UART(IMSC) = 0u;
}

/* What compilers make of pointers that walk over registers: the base moves by itself, before or after. */
static void walking(void)
{
    uint64_t at = UART_BASE + IBRD;
    uint64_t word;
    uint64_t half;
    uint64_t byte;

    UART(FBRD) = 0u;
    __asm__ volatile("str %w1, [%0], #4\n\t"
                     "strb %w2, [%0], #-4"
                     : "+r"(at)
                     : "r"(0x8765u), "r"(0x3Fu)
                     : "memory");
    MUST_BE(at, UART_BASE + IBRD);
    MUST_BE(UART(IBRD), 0x8765u);
    MUST_BE(UART(FBRD), 0x3Fu);
    __asm__ volatile("ldr %w1, [%0], #8\n\t"
                     "ldrsh %2, [%0, #-8]!\n\t"
                     "ldrsb %w3, [%0], #-255"
                     : "+r"(at), "=&r"(word), "=&r"(half), "=&r"(byte)
                     :
                     : "memory");
    MUST_BE(at, UART_BASE + IBRD - 255u);
    MUST_BE(word, 0x8765u);
    MUST_BE(half, 0xFFFFFFFFFFFF8765u);
    MUST_BE(byte, 0x65u);
    at = UART_BASE + DR;
    __asm__ volatile("str wzr, [%0, #0x38]!" : "+r"(at) : : "memory"); /* IMSC */
    MUST_BE(at, UART_BASE + IMSC);
}

static void send(const char *text)
{
    for (; *text != '\0'; text++) {
        while ((UART16(FR) & 0x20u) != 0u) {
            __asm__ volatile("yield");
        }
        REG8(UART_BASE + DR) = (uint8_t)*text;
    }
}

/* Who types hears how many characters are wanted; up to 30 s. */
static void want(const char *line, uint32_t count)
{
    const uint64_t end = now() + ms(30000u);

    nr_typed = 0u;
    nr_irqs = 0u;
    reasons = 0u;
    send(line);
    irq_close(); /* so that what comes between the question and the sleep still ends it */
    while ((nr_typed < count) && (now() < end)) {
        sleep_until_irq();
        irq_open();
        __asm__ volatile("isb");
        irq_close();
    }
    irq_open();
    MUST_BE(nr_typed, count);
}

static void by_polling(void)
{
    const uint64_t end = now() + ms(30000u);

    nr_typed = 0u;
    send("BOOK uart polls for 2\r\n");
    while ((nr_typed < 2u) && (now() < end)) {
        drain();
        __asm__ volatile("yield");
    }
    MUST_BE(nr_typed, 2u);
    MUST_BE(typed[0], 'a');
    MUST_BE(typed[1], 'b');
    MUST_BE(nr_irqs, 0u);
}

static void by_level(void)
{
    program(0x70u, 0x00u); /* an eighth of 32: four */
    UART(IMSC) = RX;
    want("BOOK uart wants 4\r\n", 4u);
    MUST_BE(reasons, RX);
    MUST(nr_irqs >= 1u);
    MUST_BE(typed[3], 'd');
}

static void by_timeout(void)
{
    program(0x70u, 0x20u); /* seven eighths: never reached here */
    UART(IMSC) = RT;
    want("BOOK uart wants 3\r\n", 3u);
    MUST_BE(reasons, RT);
}

static void without_fifo(void)
{
    program(0x60u, 0x20u);
    UART(IMSC) = RX;
    want("BOOK uart wants 1\r\n", 1u);
    MUST_BE(reasons, RX);
    want("BOOK uart wants 1 again\r\n", 1u);
}

/* The first characters by hand, the rest when the FIFO asks for more. */
static void by_interrupt(void)
{
    program(0x70u, 0x12u);
    reasons = 0u;
    sent = 0u;
    send("BOOK uart sends ");
    for (uint32_t i = 0u; i < 17u; i++) { /* past the half, so that it passes the level on its way down */
        while ((UART(FR) & 0x20u) != 0u) {
            __asm__ volatile("yield");
        }
        UART(DR) = '.';
    }
    UART(IMSC) = TX;
    MUST(await(&sent, 26u));
    MUST_BE(reasons & TX, TX);
    send("\r\n");
    while ((UART(FR) & 0x88u) != 0x80u) { /* until all is out: empty, not busy */
        __asm__ volatile("yield");
    }
}

void book_main(void)
{
    gic_start();
    gic_enable(UART_IRQ, 0xA0u);
    registers();
    walking();
    by_polling();
    irq_open();
    by_level();
    by_timeout();
    without_fifo();
    by_interrupt();
}
