#include "lib/fmt.h"

#include "lib/string.h"

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

void fmt_bytes(struct fmt_buf *f, const char *text, uint32_t n)
{
    const uint32_t room = f->size - f->len; /* the NUL included */
    const uint32_t fit = (n < room) ? n : (room - 1u);

    (void)memcpy(&f->buf[f->len], text, fit);
    f->len += fit;
    f->buf[f->len] = '\0';
    f->cut = f->cut || (fit < n);
}

void fmt_strn(struct fmt_buf *f, const char *text, uint32_t limit)
{
    const uint32_t room = f->size - f->len;

    fmt_bytes(f, text, (uint32_t)strnlen(text, (limit < room) ? limit : room));
}

void fmt_str(struct fmt_buf *f, const char *text)
{
    fmt_strn(f, text, UINT32_MAX);
}

void fmt_u64_width(struct fmt_buf *f, uint64_t value, uint32_t width, char pad)
{
    char digits[DECIMAL_DIGITS_MAX];
    uint32_t first = DECIMAL_DIGITS_MAX;
    uint64_t rest = value;

    do {
        first--;
        digits[first] = digit_chars[rest % 10u];
        rest /= 10u;
    } while ((rest != 0u) && (first > 0u));
    for (uint32_t column = DECIMAL_DIGITS_MAX - first; column < width; column++) {
        fmt_char(f, pad);
    }
    fmt_bytes(f, &digits[first], DECIMAL_DIGITS_MAX - first);
}

void fmt_u64(struct fmt_buf *f, uint64_t value)
{
    fmt_u64_width(f, value, 1u, ' ');
}

void fmt_hex_width(struct fmt_buf *f, uint64_t value, uint32_t digits)
{
    char text[HEX_DIGITS_MAX];
    uint32_t first = HEX_DIGITS_MAX;
    uint64_t rest = value;

    do {
        first--;
        text[first] = digit_chars[rest & 0xFu];
        rest >>= 4u;
    } while (((HEX_DIGITS_MAX - first) < digits) && (first > 0u));
    fmt_bytes(f, &text[first], HEX_DIGITS_MAX - first);
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
