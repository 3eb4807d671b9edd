/* lib/string.c against the host's C library, lib/fmt.c and lib/crc32.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crc32.h"
#include "lib/fmt.h"

/* The functions under test get names of their own. */
#define LIB_STRING_H
#define memcpy  lib_memcpy
#define memmove lib_memmove
#define memset  lib_memset
#define memcmp  lib_memcmp
#define memchr  lib_memchr
#define strlen  lib_strlen
#define strnlen lib_strnlen
#define strchr  lib_strchr
#define strrchr lib_strrchr
#define strcmp  lib_strcmp
void *memcpy(void *dst, const void *src, size_t bytes);
void *memmove(void *dst, const void *src, size_t bytes);
void *memset(void *dst, int value, size_t bytes);
int memcmp(const void *left, const void *right, size_t bytes);
void *memchr(const void *data, int value, size_t bytes);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
char *strchr(const char *text, int wanted);
char *strrchr(const char *text, int wanted);
int strcmp(const char *left, const char *right);
#include "../../../src/lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strchr
#undef strrchr
#undef strcmp

#define SPAN 160u

static uint8_t start[2u * SPAN];
static uint8_t ours[2u * SPAN];
static uint8_t theirs[2u * SPAN];

static void refill(void)
{
    for (uint32_t i = 0; i < sizeof(start); i++) {
        start[i] = (uint8_t)((i * 37u) + 11u);
    }
    memcpy(ours, start, sizeof(ours));
    memcpy(theirs, start, sizeof(theirs));
}

/* All alignments of both sides and all lengths through two blocks, overlapping and not. */
static void test_copy(void **state)
{
    (void)state;
    for (uint32_t dst = 0; dst < 24u; dst++) {
        for (uint32_t src = 0; src < 24u; src++) {
            for (uint32_t bytes = 0; bytes <= 136u; bytes++) {
                refill();
                assert_ptr_equal(lib_memcpy(&ours[dst], &start[src], bytes), &ours[dst]);
                memcpy(&theirs[dst], &start[src], bytes);
                assert_memory_equal(ours, theirs, sizeof(ours));
                refill();
                assert_ptr_equal(lib_memmove(&ours[dst], &ours[src], bytes), &ours[dst]);
                memmove(&theirs[dst], &theirs[src], bytes);
                assert_memory_equal(ours, theirs, sizeof(ours));
            }
        }
    }
}

static void test_set_and_compare(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < 16u; at++) {
        for (uint32_t bytes = 0; bytes <= 80u; bytes++) {
            refill();
            assert_ptr_equal(lib_memset(&ours[at], 0x1A5, bytes), &ours[at]);
            memset(&theirs[at], 0x1A5, bytes);
            assert_memory_equal(ours, theirs, sizeof(ours));
            for (uint32_t differ = 0; differ < bytes; differ += 3u) {
                refill();
                assert_int_equal(lib_memcmp(&ours[at], &theirs[at], bytes), 0);
                ours[at + differ] = 0x80;
                theirs[at + differ] = 0x7F;
                assert_int_equal(lib_memcmp(&ours[at], &theirs[at], bytes), 1);
                assert_int_equal(lib_memcmp(&theirs[at], &ours[at], bytes), -1);
                assert_int_equal(lib_memcmp(&theirs[at], &ours[at], differ), 0);
            }
        }
    }
}

static void test_strings(void **state)
{
    const char *const text = "a/b/c";

    (void)state;
    assert_int_equal(lib_strlen(""), 0);
    assert_int_equal(lib_strlen(text), 5);
    assert_int_equal(lib_strnlen(text, 3), 3);
    assert_int_equal(lib_strnlen(text, 9), 5);
    assert_ptr_equal(lib_strchr(text, '/'), text + 1);
    assert_ptr_equal(lib_strchr(text, '\0'), text + 5);
    assert_null(lib_strchr(text, 'x'));
    assert_ptr_equal(lib_strrchr(text, '/'), text + 3);
    assert_ptr_equal(lib_strrchr(text, '\0'), text + 5);
    assert_null(lib_strrchr(text, 'x'));
    assert_ptr_equal(lib_memchr(text, 'c', 5), text + 4);
    assert_null(lib_memchr(text, 'c', 4));
    for (uint32_t at = 0; at < 24u; at++) { /* bytes that differ from the wanted one by a bit or a borrow */
        memset(ours, (at % 2u == 0u) ? 0x80 : 0x01, sizeof(ours));
        ours[at] = 0u;
        for (uint32_t from = 0; from < 12u; from++) {
            for (uint32_t bytes = 0; bytes < 30u; bytes++) {
                assert_ptr_equal(lib_memchr(&ours[from], 0, bytes), memchr(&ours[from], 0, bytes));
            }
        }
    }
    assert_int_equal(lib_strcmp("a", "a"), 0);
    assert_int_equal(lib_strcmp("a", "ab"), -1);
    assert_int_equal(lib_strcmp("\xff", "a"), 1);
}

static void test_fmt(void **state)
{
    char text[64];
    char small[5];
    struct fmt_buf f;

    (void)state;
    fmt_init(&f, text, sizeof(text));
    fmt_u64(&f, 0);
    fmt_char(&f, ' ');
    fmt_u64(&f, UINT64_MAX);
    fmt_char(&f, ' ');
    fmt_hex(&f, 0);
    fmt_char(&f, ' ');
    fmt_hex(&f, UINT64_MAX);
    assert_string_equal(text, "0 18446744073709551615 0x0 0xffffffffffffffff");
    assert_false(f.cut);
    fmt_init(&f, text, sizeof(text));
    fmt_add(&f, "%s %c%5u|%03U|%12u %x %X %A 100%% %", "a", 'b', 42u, (uint64_t)7, 1u, 0xABu, (uint64_t)0,
            (uint64_t)0x1F);
    assert_string_equal(text, "a b   42|007|           1 0xab 0x0 1f 100% %");

    fmt_init(&f, text, sizeof(text));
    fmt_u64_width(&f, 42, 5, '.');
    fmt_hex_width(&f, 0xABC, 2);
    fmt_strn(&f, "abcdef", 3);
    fmt_strn(&f, "x", 3);
    assert_string_equal(text, "...42bcabcx");
    fmt_init(&f, small, sizeof(small));
    fmt_str(&f, "abcd");
    assert_false(f.cut);
    fmt_str(&f, "e");
    assert_true(f.cut);
    assert_string_equal(small, "abcd");
}

static void test_crc32(void **state)
{
    const void *const digits = "123456789";

    (void)state;
    assert_int_equal(crc32_update(0, digits, 9), 0xCBF43926u);
    assert_int_equal(crc32_update(crc32_update(0, digits, 4), (const uint8_t *)digits + 4, 5), 0xCBF43926u);
    assert_int_equal(crc32_update(0, digits, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy), cmocka_unit_test(test_set_and_compare), cmocka_unit_test(test_strings),
        cmocka_unit_test(test_fmt),  cmocka_unit_test(test_crc32),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
