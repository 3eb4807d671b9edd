/* Text put together piece by piece in a buffer of fixed size. The text is NUL-terminated at every moment;
 * what does not fit is left out and `cut` says so. Pure: usable in any context. */
#ifndef LIB_FMT_H
#define LIB_FMT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

struct fmt_buf {
    char *buf;
    uint32_t size; /* bytes at buf, at least 1 */
    uint32_t len;  /* characters so far, below size */
    bool cut;
};

void fmt_init(struct fmt_buf *f, char *buf, uint32_t size);
void fmt_char(struct fmt_buf *f, char c);
void fmt_str(struct fmt_buf *f, const char *text);
/* n characters, none of them NUL */
void fmt_bytes(struct fmt_buf *f, const char *text, uint32_t n);
/* at most limit characters of text, fewer if a NUL comes first */
void fmt_strn(struct fmt_buf *f, const char *text, uint32_t limit);
void fmt_u64(struct fmt_buf *f, uint64_t value);
/* decimal, right-aligned in width columns with pad in front */
void fmt_u64_width(struct fmt_buf *f, uint64_t value, uint32_t width, char pad);
/* 0x and as few digits as it takes */
void fmt_hex(struct fmt_buf *f, uint64_t value);
/* exactly digits hexadecimal digits (1 .. 16) of the low end, no 0x */
void fmt_hex_width(struct fmt_buf *f, uint64_t value, uint32_t digits);
/* Several at once. Format: %s %c %u (uint32_t) %x (uint32_t) %U (uint64_t, decimal) %X (uint64_t, hex) %A
 * (uint64_t, hex without 0x) %%; columns may stand before a decimal number, as in %5u or with zeroes in front
 * as in %03u. */
void fmt_add(struct fmt_buf *f, const char *format, ...);
void fmt_args(struct fmt_buf *f, const char *format, va_list *args); /* MISRA-DEV-1 */

#endif
