/* The console multiplexer: what appears on the terminal, byte by byte. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/console.h"
#include "base/log.h"
#include "base/percpu.h"
#include "drivers/uart_queue.h"
#include "fake.h"

static char out[4u << 20];
static size_t out_len;
static const char *keys;
static char got[256];
static volatile uint32_t fifo_room = UINT32_MAX; /* what the UART takes until it is full */
static uint32_t looks;                           /* at a FIFO that was full */
static bool tx_irq_on;
static volatile int inside; /* threads in the driver */
static void (*while_putting)(void);

static bool uart_put(void *device, uint8_t c)
{
    (void)device;
    if (fifo_room == 0u) {
        looks++;
        return false;
    }
    fifo_room -= (fifo_room == UINT32_MAX) ? 0u : 1u;
    assert_int_equal(__atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST), 1);
    assert_int_equal(percpu_area[cpu_id()].lock_rank, 0); /* nobody waits for us */
    assert_true(out_len < sizeof(out) - 1u);
    out[out_len++] = (char)c;
    out[out_len] = '\0';
    (void)__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    if (while_putting != NULL) {
        while_putting();
    }
    return true;
}

static void uart_tx_irq(void *device, bool on)
{
    (void)device;
    assert_true(on != tx_irq_on);
    tx_irq_on = on;
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

static const struct console_uart uart = { uart_put, uart_get, NULL, uart_tx_irq, NULL, false };

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
    (void)console_service();
}

static int group_setup(void **state)
{
    (void)state;
    fake_reset();
    fake_cpu_set(0);
    console_set_uart(&uart);
    /* the operator first: later ones still come before it */
    assert_int_equal(console_register(&operator, true), HV_OK);
    assert_int_equal(console_register(&silent, false), HV_OK);
    assert_int_equal(console_register(&a, false), HV_OK);
    assert_int_equal(console_register(&b, false), HV_OK);
    assert_int_equal(console_register(&b, false), HV_EXISTS);
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
    expect("\r\r\nbb: one\r\nbb: two\r\na: # ls");
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
    expect("\r\r\nlog: s\r\na: 20%");
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
    assert_memory_equal(out, "a: p\r\r\nbb: xxx", 14);
    assert_string_equal(&out[7 + 4 + CONSOLE_LINE_BYTES], "\\\r\na: p");
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
    assert_memory_equal(out, "\r\r\nbb: z\r\na: yyy", 16);
    len = strlen(out) - strlen("\r\r\nbb: z\r\na: ");
    assert_in_range(len, CONSOLE_LINE_BYTES / 2u, CONSOLE_LINE_BYTES);
}

static void shell_sequences(void **state)
{
    (void)state;
    say(&a, "# \x1b[6n\x1b[J");
    expect("a: # \x1b[6n\x1b[J");
    say(&b, "z\n");
    expect("\x1b[0m\r\r\nbb: z\r\na: # \x1b[J"); /* the query is not sent again */
    say(&a, "l\b \b");
    expect("l\b \b");
    say(&b, "z\n");
    expect("\x1b[0m\r\r\nbb: z\r\na: # \x1b[Jl\b \b");
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
    expect("\r\r\n[input: bb]\r\nbb: b# ");
    say(&a, "x");
    expect("");
    press("k");
    assert_string_equal(got, "bk");
    press("\x01\x01");
    assert_string_equal(got, "");
    press("\x01");
    expect("\r\r\n[input: operator]\r\n");
    say(&operator, "> ");
    expect("> ");
    press("\x01\x01");
    press("q\x01z");
    assert_string_equal(got, "o\x01o\x01oqo\x01oz");
    press("\x01\x01\x01");
    expect("\r\r\n[input: a]\r\na: a# x");
}

static void burst_is_bounded(void **state)
{
    char many[101];

    (void)state;
    memset(many, 'm', 100);
    many[100] = '\0';
    press(many);
    for (uint32_t turn = 0; turn < 6u; turn++) {
        assert_int_equal(strlen(got), 2 * 16);
        press(keys);
    }
    assert_int_equal(strlen(got), 2 * 4);
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
    expect("a: p\r\r\nlist\r\na: p");
}

static void collect(void *ctx, char c)
{
    (void)ctx;
    out[out_len++] = c;
    out[out_len] = '\0';
}

/* [test->req~console-ring~1] */
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
    expect("a: pro\r\r\nbb: early\r\na: pro");
    console_set_uart(&uart);
    expect("");
}

/* From here on the interrupt is there. What the FIFO does not take goes with it. */
static void driven(void)
{
    test_setup(NULL);
    console_set_uart(&uart);
    console_drive(true);
    assert_false(tx_irq_on);
}

static void undriven(void)
{
    fifo_room = UINT32_MAX;
    while (console_service()) {
    }
    assert_false(tx_irq_on);
    console_set_uart(&uart);
}

static void fifo_full_goes_on_by_interrupt(void **state)
{
    (void)state;
    driven();
    fifo_room = 6u;
    say(&a, "0123456789\n");
    expect("a: 012");
    assert_true(tx_irq_on);
    fifo_room = 5u;
    assert_true(console_service());
    expect("34567");
    assert_true(tx_irq_on);
    say(&b, "x\n");
    expect("");
    fifo_room = UINT32_MAX;
    assert_false(console_service());
    expect("89\r\nbb: x\r\n");
    assert_false(tx_irq_on);
    /* later writes send, too */
    fifo_room = 1u;
    say(&a, "yz");
    fifo_room = UINT32_MAX;
    console_push();
    expect("a: yz");
    assert_false(tx_irq_on);
    undriven();
}

static void one_call_is_bounded(void **state)
{
    char text[600];

    (void)state;
    driven();
    memset(text, 'y', sizeof(text));
    fifo_room = 0u;
    console_write(&a, text, sizeof(text));
    expect("");
    fifo_room = UINT32_MAX;
    assert_true(console_service());
    assert_int_equal(out_len, UART_SEND_BYTES);
    assert_true(tx_irq_on);
    console_flush();
    assert_int_equal(out_len, 3 + sizeof(text));
    undriven();
}

static bool latch;

static void latched(void)
{
    latch = tx_irq_on;
}

/* What interrupts only for bytes that are put with its interrupt on has it on before the one that counts. */
static void latching_interrupt_comes(void **state)
{
    struct console_uart latching = uart;
    char text[200];

    (void)state;
    test_setup(NULL);
    latching.tx_latches = true;
    console_set_uart(&latching);
    console_drive(true);
    while_putting = latched;
    say(&a, "0123456789\n");
    expect("a: 0123456789\r\n");
    assert_false(latch || tx_irq_on); /* all gone: none is needed */
    fifo_room = 2u;
    say(&a, "abc");
    assert_true(tx_irq_on);
    fifo_room = 3u; /* gone meanwhile, and full again */
    assert_true(console_service());
    assert_true(latch && tx_irq_on);
    fifo_room = UINT32_MAX;
    assert_false(console_service());
    expect("a: abc");
    assert_false(tx_irq_on);
    (void)memset(text, 'y', sizeof(text));
    console_write(&a, text, sizeof(text));
    for (uint32_t left = sizeof(text); left > UART_SEND_BYTES; left -= UART_SEND_BYTES) {
        assert_true(latch && tx_irq_on); /* each call is bounded, and another one comes */
        (void)console_service();
    }
    while_putting = NULL;
    undriven();
}

static uint32_t nr_room;

static void room(void *ctx)
{
    assert_int_equal(percpu_area[0].lock_rank, 0);
    assert_ptr_equal(ctx, b.ctx);
    nr_room++;
}

/* What a guest makes of one access is bounded, also when each byte draws a line; the rest is asked for
 * later. */
static void one_offer_is_bounded(void **state)
{
    uint32_t taken;

    (void)state;
    driven();
    b.room = room;
    nr_room = 0;
    taken = console_offer(&b, "\n\n\n\n\n\n\n\n\n\n\n\n", 12u);
    assert_int_equal(taken, 8u); /* four, and four more when it said that it waits */
    console_push();
    assert_true(tx_irq_on);
    (void)console_service();
    assert_int_equal(nr_room, 1);
    assert_int_equal(console_offer(&b, "\n\n\n\n", 4u), 4u);
    b.room = NULL;
    undriven();
}

static void full_queue_pushes_back(void **state)
{
    static char text[100];
    uint32_t taken = 0;
    uint32_t n;

    (void)state;
    driven();
    memset(text, 'z', 99);
    text[99] = '\n';
    b.room = room;
    nr_room = 0;
    fifo_room = 0u;
    do {
        n = console_offer(&b, text, 100u);
        taken += n;
    } while (n == 100u);
    assert_int_equal(n, 99u); /* all but what would show it */
    assert_in_range(taken, UART_QUEUE_BYTES / 3u, UART_QUEUE_BYTES / 2u + 200u);
    console_push();
    assert_true(tx_irq_on);
    assert_true(console_service());
    assert_int_equal(nr_room, 0);
    /* others are not kept waiting by that, and the hypervisor least of all */
    assert_int_equal(console_offer(&a, "owner", 5u), 5u);
    say(&silent, "log\n");
    fifo_room = UINT32_MAX;
    for (n = 0; nr_room == 0u; n++) {
        assert_true(n < 64u);
        (void)console_service();
    }
    assert_int_equal(console_offer(&b, &text[99], 1u), 1u);
    console_flush();
    assert_int_equal(nr_room, 1);
    assert_non_null(strstr(out, "z\r\na: owner\r\r\nlog: log\r\na: owner"));
    for (const char *at = out; (at = strstr(at, "bb: ")) != NULL; at += 5) {
        assert_int_equal(strspn(&at[4], "z"), 99);
        n++;
    }
    b.room = NULL;
    undriven();
}

/* The log finds room in a full queue by polling; a device that hangs costs it a line, and a guest at most a
 * second. */
static void hypervisor_polls_for_room(void **state)
{
    static char text[256];

    (void)state;
    driven();
    memset(text, 'q', 255);
    text[255] = '\n';
    fifo_room = 0u;
    for (uint32_t i = 0; i < 70u; i++) { /* the last ones are lost */
        console_write(&silent, text, 256u);
    }
    expect("");
    fifo_room = UINT32_MAX;
    say(&silent, "still here\n");
    assert_true(out_len > 0u);
    console_flush();
    assert_non_null(strstr(out, "still here\r\n"));
    fifo_room = 0u;
    while (console_offer(&b, text, 256u) == 256u) {
    }
    console_push();
    assert_int_equal(console_offer(&b, "\n", 1u), 0u);
    fake_time_advance(1100000000ULL);
    console_push();
    assert_int_equal(console_offer(&b, "\n", 1u), 1u);
    undriven();
}

/* Before anybody else comes by, a writer polls; but each line of a boot does not wait anew for a device that
 * takes nothing. */
static void hung_device_is_waited_for_once(void **state)
{
    (void)state;
    fifo_room = 0u;
    say(&silent, "first\n");
    assert_true(looks > 1000u);
    looks = 0u;
    say(&silent, "second\n");
    say(&silent, "third\n");
    console_flush();
    assert_true(looks <= 4u);
    fifo_room = 3u; /* it goes on: what it takes next is waited for again */
    console_flush();
    assert_true(looks > 1000u);
    fifo_room = UINT32_MAX;
    say(&silent, "fourth\n");
    expect("log: first\r\nlog: second\r\nlog: third\r\nlog: fourth\r\n");
}

static void write_meanwhile(void)
{
    while_putting = NULL;
    fake_cpu_set(1);
    say(&b, "meanwhile\n"); /* the role is taken: goes on */
    fake_cpu_set(0);
}

static void sender_takes_along(void **state)
{
    (void)state;
    driven();
    while_putting = write_meanwhile;
    say(&a, "\n");
    expect("a: \r\nbb: meanwhile\r\n");
    undriven();
}

#define WRITERS 4u
#define LINES   2000u

static struct console writers[WRITERS];
static char writer_names[WRITERS][8];
static volatile uint32_t nr_done;

static void *writer(void *arg)
{
    const uint32_t id = (uint32_t)(uintptr_t)arg;
    char text[64];

    fake_cpu_set(id + 1u);
    for (uint32_t i = 0; i < LINES; i++) {
        const uint32_t bytes =
            (uint32_t)snprintf(text, sizeof(text), "%s says number %u of its lines\n", writer_names[id], i);

        for (uint32_t at = 0; at < bytes;) {
            const uint32_t want = (i % 2u == 0u) ? 1u : bytes - at;
            const uint32_t n = console_offer(&writers[id], &text[at], want);

            at += n;
            console_push();
            if (n == 0u) {
                (void)sched_yield();
            }
        }
        if (i % 100u == 0u) {
            console_write(&silent, "hypervisor\n", 11u);
        }
    }
    (void)__atomic_add_fetch(&nr_done, 1u, __ATOMIC_SEQ_CST);
    return NULL;
}

/* The owner, or just not any more: its lines are interrupted, drawn again, or held. */
static void *owner_writer(void *arg)
{
    (void)arg;
    fake_cpu_set(WRITERS + 1u);
    for (uint32_t i = 0; __atomic_load_n(&nr_done, __ATOMIC_SEQ_CST) < WRITERS; i++) {
        const char c = "prompt# \r\n"[i % 10u];

        (void)console_offer(&a, &c, 1u);
        console_push();
    }
    return NULL;
}

/* Every line whole, in each source's order, none missing. */
static void lines_are_whole(void)
{
    uint32_t next[WRITERS] = { 0 };
    uint32_t nr_log = 0;
    char *rest = out;

    for (char *text = strtok_r(rest, "\n", &rest); text != NULL; text = strtok_r(rest, "\n", &rest)) {
        char want[96];
        uint32_t id = 0;

        if (strcmp(text, "log: hypervisor\r") == 0) {
            nr_log++;
        } else if (strncmp(text, "a: ", 3) != 0 && strncmp(text, "[input: ", 8) != 0) {
            assert_int_equal(sscanf(text, "w%u: ", &id), 1);
            assert_true(id < WRITERS);
            (void)snprintf(want, sizeof(want), "w%u: w%u says number %u of its lines\r", id, id, next[id]);
            assert_string_equal(text, want);
            next[id]++;
        }
    }
    for (uint32_t id = 0; id < WRITERS; id++) {
        assert_int_equal(next[id], LINES);
    }
    assert_int_equal(nr_log, WRITERS * (LINES / 100u));
}

static void writers_at_once(void **state)
{
    pthread_t thread[WRITERS + 1u];

    (void)state;
    for (uint32_t id = 0; id < WRITERS; id++) {
        (void)snprintf(writer_names[id], sizeof(writer_names[id]), "w%u", id);
        writers[id].name = writer_names[id];
        writers[id].prefix = true;
        writers[id].room = NULL;
        assert_int_equal(console_register(&writers[id], false), HV_OK);
    }
    driven();
    assert_int_equal(pthread_create(&thread[WRITERS], NULL, owner_writer, NULL), 0);
    for (uint32_t id = 0; id < WRITERS; id++) {
        assert_int_equal(pthread_create(&thread[id], NULL, writer, (void *)(uintptr_t)id), 0);
    }
    for (uint32_t i = 0; __atomic_load_n(&nr_done, __ATOMIC_SEQ_CST) < WRITERS; i++) {
        if (i % 64u == 0u) {
            console_focus((i % 128u == 0u) ? &b : &a);
        }
        fifo_room = 32u; /* a slow line; only this thread sets it, the sender counts it down */
        (void)console_service();
        (void)sched_yield();
    }
    for (uint32_t id = 0; id <= WRITERS; id++) {
        assert_int_equal(pthread_join(thread[id], NULL), 0);
    }
    fifo_room = UINT32_MAX;
    while (console_service()) {
    }
    lines_are_whole();
    undriven();
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
        cmocka_unit_test_setup(fifo_full_goes_on_by_interrupt, test_setup),
        cmocka_unit_test_setup(one_call_is_bounded, test_setup),
        cmocka_unit_test_setup(latching_interrupt_comes, test_setup),
        cmocka_unit_test_setup(one_offer_is_bounded, test_setup),
        cmocka_unit_test_setup(full_queue_pushes_back, test_setup),
        cmocka_unit_test_setup(sender_takes_along, test_setup),
        cmocka_unit_test_setup(writers_at_once, test_setup),
        cmocka_unit_test_setup(log_goes_through, test_setup),
        cmocka_unit_test_setup(hypervisor_polls_for_room, test_setup),
        cmocka_unit_test_setup(hung_device_is_waited_for_once, test_setup),
    };

    return cmocka_run_group_tests(tests, group_setup, NULL);
}
