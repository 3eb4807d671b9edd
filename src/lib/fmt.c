#include "lib/fmt.h"

#include "lib/string.h"

#define DECIMAL_DIGITS_MAX 20u
#define HEX_DIGITS_MAX     16u

static const char *const digit_chars = "0123456789abcdef";

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

static void put_hex(struct fmt_buf *f, uint64_t value)
{
    uint32_t digits = 1u;

    while ((digits < HEX_DIGITS_MAX) && ((value >> (digits * 4u)) != 0u)) {
        digits++;
    }
    fmt_hex_width(f, value, digits);
}

void fmt_hex(struct fmt_buf *f, uint64_t value)
{
    fmt_str(f, "0x");
    put_hex(f, value);
}

/* One conversion: its letter and what stands before it; args moves on. MISRA-DEV-1 below: text of several
 * parts. */
static const char *convert(struct fmt_buf *f, const char *format, va_list *args) /* MISRA-DEV-1 */
{
    const char *at = format;
    const char pad = (*at == '0') ? '0' : ' ';
    uint32_t width = 0;

    for (; (*at >= '0') && (*at <= '9'); at = &at[1]) {
        width = (width * 10u) + ((uint32_t)*at - (uint32_t)'0');
    }
    switch (*at) {
    case 's':
        fmt_str(f, va_arg(*args, const char *)); /* MISRA-DEV-1 */
        break;
    case 'c':
        fmt_char(f, (char)va_arg(*args, int)); /* MISRA-DEV-1 */
        break;
    case 'u':
        fmt_u64_width(f, va_arg(*args, uint32_t), width, pad); /* MISRA-DEV-1 */
        break;
    case 'x':
        fmt_hex(f, va_arg(*args, uint32_t)); /* MISRA-DEV-1 */
        break;
    case 'U':
        fmt_u64_width(f, va_arg(*args, uint64_t), width, pad); /* MISRA-DEV-1 */
        break;
    case 'X':
        fmt_hex(f, va_arg(*args, uint64_t)); /* MISRA-DEV-1 */
        break;
    case 'A':
        put_hex(f, va_arg(*args, uint64_t)); /* MISRA-DEV-1 */
        break;
    default:
        fmt_char(f, *at);
        break;
    }
    return &at[1];
}

void fmt_args(struct fmt_buf *f, const char *format, va_list *args) /* MISRA-DEV-1 */
{
    const char *at = format;

    while (*at != '\0') {
        if ((*at == '%') && (at[1] != '\0')) {
            at = convert(f, &at[1], args);
        } else {
            fmt_char(f, *at);
            at = &at[1];
        }
    }
}

void fmt_add(struct fmt_buf *f, const char *format, ...)
{
    va_list args; /* MISRA-DEV-1 */

    va_start(args, format); /* MISRA-DEV-1 */
    fmt_args(f, format, &args);
    va_end(args); /* MISRA-DEV-1 */
}
