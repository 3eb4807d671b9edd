#include <stdarg.h>

#include "guest.h"

bool text_equal(const char *a, const char *b)
{
    uint32_t i = 0u;

    while ((a[i] != '\0') && (a[i] == b[i])) {
        i++;
    }
    return a[i] == b[i];
}

static void put_number(uint64_t value, uint32_t base)
{
    char digit[20];
    uint32_t n = 0u;

    do {
        digit[n] = "0123456789abcdef"[value % base];
        value /= base;
        n++;
    } while (value != 0u);
    while (n > 0u) {
        n--;
        console_put(digit[n]);
    }
}

static void put_text(const char *text)
{
    for (uint32_t i = 0u; text[i] != '\0'; i++) {
        console_put(text[i]);
    }
}

void print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    for (uint32_t i = 0u; format[i] != '\0'; i++) {
        if (format[i] != '%') {
            console_put(format[i]);
            continue;
        }
        i++;
        switch (format[i]) {
        case 's':
            put_text(va_arg(args, const char *));
            break;
        case 'c':
            console_put((char)va_arg(args, int));
            break;
        case 'u':
            put_number(va_arg(args, uint32_t), 10u);
            break;
        case 'd': {
            const int32_t value = va_arg(args, int32_t);

            if (value < 0) {
                console_put('-');
            }
            put_number((value < 0) ? (0u - (uint32_t)value) : (uint32_t)value, 10u);
            break;
        }
        case 'x':
            put_text("0x");
            put_number(va_arg(args, uint32_t), 16u);
            break;
        case 'U':
            put_number(va_arg(args, uint64_t), 10u);
            break;
        case 'X':
            put_text("0x");
            put_number(va_arg(args, uint64_t), 16u);
            break;
        default:
            console_put(format[i]);
            break;
        }
    }
    va_end(args);
}

/* What a compiler may call by itself */
__attribute__((weak)) void *memset(void *to, int value, size_t bytes);
__attribute__((weak)) void *memcpy(void *to, const void *from, size_t bytes);

void *memset(void *to, int value, size_t bytes)
{
    volatile uint8_t *const p = to;

    for (size_t i = 0u; i < bytes; i++) {
        p[i] = (uint8_t)value;
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t bytes)
{
    volatile uint8_t *const p = to;
    const uint8_t *const q = from;

    for (size_t i = 0u; i < bytes; i++) {
        p[i] = q[i];
    }
    return to;
}
