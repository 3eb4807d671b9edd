#include "book.h"

static uint32_t nr_found;

static void put_char(char c)
{
    while ((REG32(UART_BASE + 0x18u) & 0x20u) != 0u) {
        __asm__ volatile("yield");
    }
    REG32(UART_BASE) = (uint8_t)c;
}

void put_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            put_char('\r');
        }
        put_char(*text);
    }
}

void put_hex(uint64_t value)
{
    put_text("0x");
    for (int shift = 60; shift >= 0; shift -= 4) {
        if (((value >> shift) != 0u) || (shift == 0)) {
            put_char("0123456789abcdef"[(value >> shift) & 15u]);
        }
    }
}

static void put_number(uint32_t value)
{
    char digits[12];
    uint32_t at = sizeof(digits) - 1u;

    digits[at] = '\0';
    do {
        at--;
        digits[at] = (char)('0' + (char)(value % 10u));
        value /= 10u;
    } while (value != 0u);
    put_text(&digits[at]);
}

void put_found(uint32_t line, const char *what, uint64_t found)
{
    const uint64_t daif = READ_SYS(daif);

    irq_close();
    nr_found++;
    put_text("BOOK ");
    put_text(book_name);
    put_text(" wrong, line ");
    put_number(line);
    put_text(": not so that ");
    put_text(what);
    put_text(": ");
    put_hex(found);
    put_text("\n");
    __asm__ volatile("msr daif, %0" : : "r"(daif) : "memory");
}

/* By start.S. How far from where it was linked does the kernel lie? */
void book_place(uint64_t distance)
{
    MUST_BE(distance, 0u);
}

_Noreturn void book_end(void)
{
    irq_close();
    put_text("BOOK ");
    put_text(book_name);
    put_text((nr_found == 0u) ? " ok\n" : " ended\n");
    (void)psci_hvc(0x84000008u, 0u, 0u, 0u);
    for (;;) {
        sleep_until_irq();
    }
}

uint64_t ms(uint64_t n)
{
    return (READ_SYS(cntfrq_el0) / 1000u) * n;
}

void pause_ms(uint64_t n)
{
    const uint64_t end = now() + ms(n);

    while (now() < end) {
        __asm__ volatile("yield");
    }
}

bool await(const volatile uint32_t *what, uint32_t at_least)
{
    const uint64_t end = now() + ms(20000u);

    while ((*what < at_least) && (now() < end)) {
        __asm__ volatile("yield");
    }
    return *what >= at_least;
}

#define FIRMWARE(name, instruction)                                                                          \
    uint64_t name(uint64_t function, uint64_t a, uint64_t b, uint64_t c)                                     \
    {                                                                                                        \
        register uint64_t x0 __asm__("x0") = function;                                                       \
        register uint64_t x1 __asm__("x1") = a;                                                              \
        register uint64_t x2 __asm__("x2") = b;                                                              \
        register uint64_t x3 __asm__("x3") = c;                                                              \
                                                                                                             \
        __asm__ volatile(instruction : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");                 \
        return x0;                                                                                           \
    }
FIRMWARE(psci_hvc, "hvc #0")
FIRMWARE(psci_smc, "smc #0")

static void unexpected(const char *what, const struct frame *frame)
{
    put_found(0u, what, frame->pc);
    put_hex(READ_SYS(esr_el1));
    put_text(" ");
    put_hex(READ_SYS(far_el1));
    put_text("\n");
    book_end();
}

__attribute__((weak)) void book_irq(struct frame *frame)
{
    unexpected("no IRQ comes", frame);
}

__attribute__((weak)) void book_fiq(struct frame *frame)
{
    unexpected("no FIQ comes", frame);
}

__attribute__((weak)) void book_sync(struct frame *frame)
{
    unexpected("no synchronous exception comes", frame);
}
