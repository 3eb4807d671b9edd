/* The console multiplexer: what appears on the terminal, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/console.h"
#include "base/log.h"
#include "base/percpu.h"
#include "fake.h"

static char out[65536];
static size_t out_len;
static const char *keys;
static char got[256];

static void uart_put(void *device, uint8_t c)
{
    (void)device;
    assert_true(out_len < sizeof(out) - 1u);
    out[out_len++] = (char)c;
    out[out_len] = '\0';
}

static bool uart_get(void *device, uint8_t *c)
{
    (void)device;
    if (keys == NULL || *keys == '\0') {
        return false;
    }
    *c = (uint8_t)*keys++;
    return true;
}

static const struct console_uart uart = { uart_put, uart_get, NULL, NULL };

static void rx(void *ctx, uint8_t c)
{
    size_t n = strlen(got);

    assert_int_equal(percpu_area[0].lock_rank, 0); /* no lock is held */
    got[n] = *(const char *)ctx;
    got[n + 1] = (char)c;
    got[n + 2] = '\0';
}

static struct console a = { .name = "a", .rx = rx, .ctx = "a", .prefix = true };
static struct console b = { .name = "bb", .rx = rx, .ctx = "b", .prefix = true };
static struct console silent = { .name = "log", .prefix = true };
static struct console operator= {.name = "operator", .rx = rx, .ctx = "o", .prefix = false };

static void expect(const char *want)
{
    assert_string_equal(out, want);
    out_len = 0;
    out[0] = '\0';
}

static void say(struct console *c, const char *text)
{
    console_write(c, text, (uint32_t)strlen(text));
}

static void press(const char *text)
{
    keys = text;
    got[0] = '\0';
    console_receive();
}

static int group_setup(void **state)
{
    (void)state;
    fake_reset();
    fake_cpu_set(0);
    console_set_uart(&uart);
    /* the operator first: later ones still come before it */
    assert_int_equal(console_register_last(&operator), HV_OK);
    assert_int_equal(console_register(&silent), HV_OK);
    assert_int_equal(console_register(&a), HV_OK);
    assert_int_equal(console_register(&b), HV_OK);
    assert_int_equal(console_register(&b), HV_EXISTS);
    return 0;
}

static int test_setup(void **state)
{
    (void)state;
    struct console *all[] = { &a, &b, &silent, &operator};

    console_focus(&a);
    for (size_t i = 0; i < 4; i++) {
        console_reset(all[i]);
    }
    out_len = 0;
    out[0] = '\0';
    return 0;
}

static void first_target_owns(void **state)
{
    (void)state;
    press("x");
    assert_string_equal(got, "ax");
}

static void owner_shows_at_once(void **state)
{
    (void)state;
    say(&a, "lo");
    expect("a: lo");
    say(&a, "gin: ");
    expect("gin: ");
    say(&a, "\r\n\r\nx");
    expect("\r\na: \r\na: x");
}

static void others_are_held(void **state)
{
    (void)state;
    say(&b, "hel");
    expect("");
    say(&b, "lo");
    expect("");
    say(&b, "\r\nmore\nrest");
    expect("bb: hello\r\nbb: more\r\n");
    say(&b, "\n");
    expect("bb: rest\r\n");
}

static void owner_line_is_redrawn(void **state)
{
    (void)state;
    say(&a, "# ls");
    expect("a: # ls");
    say(&b, "one\ntwo\nthr");
    expect("\r\nbb: one\r\nbb: two\r\na: # ls");
    say(&a, " -l\n");
    expect(" -l\r\n");
    say(&b, "ee\n");
    expect("bb: three\r\n");
}

/* A \r that waits for its \n is the end of the line when somebody else comes between. */
static void carriage_return_split(void **state)
{
    (void)state;
    say(&a, "done\r");
    expect("a: done");
    say(&b, "x\n");
    expect("\r\nbb: x\r\n");
    say(&a, "\n");
    expect("");
    say(&a, "next");
    expect("a: next");
    say(&a, "\r");
    say(&b, "y\n");
    expect("\r\nbb: y\r\n");
    say(&a, "again");
    expect("a: again");
}

static void bare_carriage_return(void **state)
{
    (void)state;
    say(&a, "10%");
    say(&a, "\r20%");
    expect("a: 10%\ra: 20%");
    say(&silent, "s\n");
    expect("\r\nlog: s\r\na: 20%");
    say(&a, "\r\n");
    expect("\r\n");
    say(&b, "10%\r20%\r\r\nx\n\ry\n");
    expect("bb: 20%\r\nbb: x\r\nbb: y\r\n");
}

static void held_line_too_long(void **state)
{
    char text[600];

    (void)state;
    memset(text, 'x', sizeof(text));
    console_write(&b, text, CONSOLE_LINE_BYTES);
    expect("");
    say(&b, "\n");
    assert_int_equal(out_len, 4 + CONSOLE_LINE_BYTES + 2);
    test_setup(NULL);
    say(&a, "p");
    console_write(&b, text, CONSOLE_LINE_BYTES + 1u);
    assert_memory_equal(out, "a: p\r\nbb: xxx", 13);
    assert_string_equal(&out[6 + 4 + CONSOLE_LINE_BYTES], "\\\r\na: p");
    test_setup(NULL);
    say(&b, "z\n");
    expect("bb: z\r\n");
}

static void owner_line_too_long(void **state)
{
    char text[600];
    size_t len;

    (void)state;
    memset(text, 'y', sizeof(text));
    console_write(&a, text, sizeof(text));
    assert_int_equal(out_len, 3 + sizeof(text));
    test_setup(NULL);
    console_write(&a, text, sizeof(text));
    out_len = 0;
    say(&b, "z\n");
    assert_memory_equal(out, "\r\nbb: z\r\na: yyy", 15);
    len = strlen(out) - strlen("\r\nbb: z\r\na: ");
    assert_in_range(len, CONSOLE_LINE_BYTES / 2u, CONSOLE_LINE_BYTES);
}

static void shell_sequences(void **state)
{
    (void)state;
    say(&a, "# \x1b[6n\x1b[J");
    expect("a: # \x1b[6n\x1b[J");
    say(&b, "z\n");
    expect("\x1b[0m\r\nbb: z\r\na: # \x1b[J"); /* the query is not sent again */
    say(&a, "l\b \b");
    expect("l\b \b");
    say(&b, "z\n");
    expect("\x1b[0m\r\nbb: z\r\na: # \x1b[Jl\b \b");
}

/* Nothing that moves the cursor comes through for others: a name cannot be painted over. */
static void held_sequences(void **state)
{
    (void)state;
    say(&b, "x\x1b[31mred\x1b[0m\x1b[2J\x1b[1;1Hq\b\b\b\x07w\x1b"
            "cv\x1b[5\n");
    expect("bb: x\x1b[31mred\x1b[0mqwv\x1b[0m\r\n");
    say(&b, "\x1b[1111111111111111111111mA\n");
    expect("bb: 11111111mA\r\n");
}

static void switching(void **state)
{
    (void)state;
    say(&b, "b# ");
    say(&a, "a# ");
    expect("a: a# ");
    press("\x01\x01\x01");
    assert_string_equal(got, "");
    expect("\r\n[input: bb]\r\nbb: b# ");
    say(&a, "x");
    expect("");
    press("k");
    assert_string_equal(got, "bk");
    press("\x01\x01");
    assert_string_equal(got, "");
    press("\x01");
    expect("\r\n[input: operator]\r\n");
    say(&operator, "> ");
    expect("> ");
    press("\x01\x01");
    press("q\x01z");
    assert_string_equal(got, "o\x01o\x01oqo\x01oz");
    press("\x01\x01\x01");
    expect("\r\n[input: a]\r\na: a# x");
}

static void burst_is_bounded(void **state)
{
    char many[101];

    (void)state;
    memset(many, 'm', 100);
    many[100] = '\0';
    press(many);
    assert_int_equal(strlen(got), 2 * 64);
    press(keys);
    assert_int_equal(strlen(got), 2 * 36);
}

static void operator_has_no_name(void **state)
{
    (void)state;
    say(&operator, "> ");
    expect("");
    say(&operator, "\n");
    expect("> \r\n");
    say(&a, "p");
    say(&operator, "list\n");
    expect("a: p\r\nlist\r\na: p");
}

static void collect(void *ctx, char c)
{
    (void)ctx;
    out[out_len++] = c;
    out[out_len] = '\0';
}

static void replay_keeps_the_end(void **state)
{
    char text[CONSOLE_RING_BYTES];

    (void)state;
    memset(text, '.', sizeof(text));
    say(&b, "lost\n");
    console_write(&b, text, sizeof(text) - 3u);
    say(&b, "end");
    out_len = 0;
    console_replay(&b, collect, NULL);
    assert_int_equal(out_len, CONSOLE_RING_BYTES);
    assert_string_equal(&out[out_len - 4u], ".end");
    console_reset(&b);
    out_len = 0;
    console_replay(&b, collect, NULL);
    assert_int_equal(out_len, 0);
}

static void reset_ends_the_owners_line(void **state)
{
    (void)state;
    say(&a, "half");
    console_reset(&a);
    expect("a: half\r\n");
    say(&a, "new\n");
    expect("a: new\r\n");
    say(&b, "half");
    console_reset(&b);
    say(&b, "new\n");
    expect("bb: new\r\n");
}

static void without_uart_nothing_is_lost(void **state)
{
    (void)state;
    console_set_uart(NULL);
    say(&b, "early\n");
    say(&a, "pro");
    press("x");
    assert_string_equal(got, "");
    expect("");
    console_set_uart(&uart);
    expect("a: pro\r\nbb: early\r\na: pro");
    console_set_uart(&uart);
    expect("");
}

static void log_goes_through(void **state)
{
    (void)state;
    log_line("%s %u %x %U %X %c%%", "s", 7u, 0x1fu, (uint64_t)1 << 40, (uint64_t)0xabc, 'c');
    expect("bulkhead: [    0.000] s 7 0x1f 1099511627776 0xabc c%\r\n");
    fake_time_advance(12345678901ULL);
    log_line("later");
    expect("bulkhead: [   12.345] later\r\n");
    log_dump(collect, NULL);
    expect("[    0.000] s 7 0x1f 1099511627776 0xabc c%\n[   12.345] later\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(first_target_owns, NULL),
        cmocka_unit_test_setup(owner_shows_at_once, test_setup),
        cmocka_unit_test_setup(others_are_held, test_setup),
        cmocka_unit_test_setup(owner_line_is_redrawn, test_setup),
        cmocka_unit_test_setup(carriage_return_split, test_setup),
        cmocka_unit_test_setup(bare_carriage_return, test_setup),
        cmocka_unit_test_setup(held_line_too_long, test_setup),
        cmocka_unit_test_setup(owner_line_too_long, test_setup),
        cmocka_unit_test_setup(shell_sequences, test_setup),
        cmocka_unit_test_setup(held_sequences, test_setup),
        cmocka_unit_test_setup(switching, test_setup),
        cmocka_unit_test_setup(burst_is_bounded, test_setup),
        cmocka_unit_test_setup(operator_has_no_name, test_setup),
        cmocka_unit_test_setup(replay_keeps_the_end, test_setup),
        cmocka_unit_test_setup(reset_ends_the_owners_line, test_setup),
        cmocka_unit_test_setup(without_uart_nothing_is_lost, test_setup),
        cmocka_unit_test_setup(log_goes_through, test_setup),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
