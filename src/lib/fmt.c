#include "lib/fmt.h"

#define DECIMAL_DIGITS_MAX 20u
#define HEX_DIGITS_MAX     16u

static const char digit_chars[] = "0123456789abcdef";

void fmt_init(struct fmt_buf *f, char *buf, uint32_t size)
{
    f->buf = buf;
    f->size = size;
    f->len = 0;
    f->cut = false;
    f->buf[0] = '\0';
}

void fmt_char(struct fmt_buf *f, char c)
{
    if ((f->len + 1u) < f->size) {
        f->buf[f->len] = c;
        f->len++;
        f->buf[f->len] = '\0';
    } else {
        f->cut = true;
    }
}

void fmt_strn(struct fmt_buf *f, const char *text, uint32_t limit)
{
    for (uint32_t i = 0; (i < limit) && (text[i] != '\0'); i++) {
        fmt_char(f, text[i]);
    }
}

void fmt_str(struct fmt_buf *f, const char *text)
{
    fmt_strn(f, text, UINT32_MAX);
}

void fmt_u64_width(struct fmt_buf *f, uint64_t value, uint32_t width, char pad)
{
    char digits[DECIMAL_DIGITS_MAX];
    uint32_t n = 0;
    uint64_t rest = value;

    do {
        digits[n] = digit_chars[rest % 10u];
        rest /= 10u;
        n++;
    } while ((rest != 0u) && (n < DECIMAL_DIGITS_MAX));
    for (uint32_t column = n; column < width; column++) {
        fmt_char(f, pad);
    }
    while (n > 0u) {
        n--;
        fmt_char(f, digits[n]);
    }
}

void fmt_u64(struct fmt_buf *f, uint64_t value)
{
    fmt_u64_width(f, value, 1u, ' ');
}

void fmt_hex_width(struct fmt_buf *f, uint64_t value, uint32_t digits)
{
    for (uint32_t i = digits; i > 0u; i--) {
        fmt_char(f, digit_chars[(value >> ((i - 1u) * 4u)) & 0xFu]);
    }
}

void fmt_hex(struct fmt_buf *f, uint64_t value)
{
    uint32_t digits = 1u;

    while ((digits < HEX_DIGITS_MAX) && ((value >> (digits * 4u)) != 0u)) {
        digits++;
    }
    fmt_str(f, "0x");
    fmt_hex_width(f, value, digits);
}
