/* The guests' ring library: messages, restarts of either side, and a side that writes what it likes.
 * [test->req~ring-library~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ring.h"

#define WORDS 64u
#define BYTES (RING_HEADER_BYTES + (WORDS * 8u))

static uint64_t *heap;
static uint64_t *memory; /* exactly BYTES: the sanitizer guards both ends */
static struct ring writer;
static struct ring reader;
static uint32_t nr_told;

static void told(void *ctx)
{
    (void)ctx;
    nr_told++;
}

static int setup(void **state)
{
    (void)state;
    heap = aligned_alloc(64u, BYTES);
    memory = heap;
    memset(memory, 0, BYTES);
    memset(&writer, 0, sizeof(writer));
    memset(&reader, 0, sizeof(reader));
    nr_told = 0u;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(heap);
    return 0;
}

static enum ring_status sent(const char *text)
{
    return ring_send(&writer, text, (uint32_t)strlen(text));
}

static enum ring_status got(char *text, uint32_t room)
{
    uint32_t bytes = 0u;
    const enum ring_status status = ring_receive(&reader, text, room - 1u, &bytes);

    text[bytes] = '\0';
    return status;
}

static void received(const char *text)
{
    char found[BYTES + 1u];

    assert_int_equal(got(found, sizeof(found)), RING_OK);
    assert_string_equal(found, text);
}

static void nothing(enum ring_status status)
{
    char found[BYTES + 1u];

    assert_int_equal(got(found, sizeof(found)), status);
    assert_string_equal(found, "");
}

static void open_both(void)
{
    assert_true(ring_open(&writer, memory, BYTES, true, 0u));
    assert_int_equal(sent("early"), RING_DOWN);
    assert_true(ring_open(&reader, memory, BYTES, false, 0u));
    nothing(RING_DOWN);
    assert_int_equal(sent("a"), RING_OK);
    received("a");
}

static void test_messages(void **state)
{
    static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    uint32_t n = 0u;

    (void)state;
    open_both();
    nothing(RING_AGAIN);
    for (uint32_t i = 0u; i < 1000u; i++) { /* all lengths, across the end of the ring at all places */
        const uint32_t bytes = i % sizeof(text);
        char found[sizeof(text)];
        uint32_t length = 99u;

        assert_int_equal(ring_send(&writer, text, bytes), RING_OK);
        assert_int_equal(ring_receive(&reader, found, sizeof(found), &length), RING_OK);
        assert_int_equal(length, bytes);
        assert_memory_equal(found, text, bytes);
    }
    while (sent("1234567") == RING_OK) { /* two words each */
        n++;
    }
    assert_int_equal(n, WORDS / 2u);
    assert_int_equal(sent(""), RING_AGAIN);
    received("1234567");
    assert_int_equal(sent("12345678"), RING_OK);
    assert_int_equal(sent(""), RING_AGAIN);
    for (uint32_t i = 1u; i < n; i++) {
        received("1234567");
    }
    received("12345678");
    nothing(RING_AGAIN);
}

static void test_sizes(void **state)
{
    char most[WORDS * 8u];

    (void)state;
    assert_false(ring_open(&writer, memory, RING_HEADER_BYTES + 56u, true, 0u));
    assert_false(ring_open(&writer, memory, 0u, true, 0u));
    assert_true(ring_open(&writer, memory, RING_HEADER_BYTES + 64u, true, 0u));
    memset(memory, 0, BYTES);
    open_both();
    memset(most, 'x', sizeof(most));
    assert_int_equal(ring_send(&writer, most, (WORDS * 8u) - 7u), RING_BROKEN);
    assert_int_equal(ring_send(&writer, most, UINT32_MAX), RING_BROKEN);
    assert_int_equal(ring_send(&writer, most, (WORDS - 1u) * 8u), RING_OK);
    assert_int_equal(got(most, 9u), RING_BROKEN); /* there is no room for that */
}

/* Each side begins anew, with the memory as it was and with it zeroed; the other is told once. */
static void test_restarts(void **state)
{
    (void)state;
    for (uint32_t zeroed = 0u; zeroed < 2u; zeroed++) {
        for (uint32_t life = 1u; life < 4u; life++) {
            memset(memory, 0, BYTES);
            open_both();
            assert_int_equal(sent("lost"), RING_OK);
            if (zeroed != 0u) {
                memset(memory, 0, BYTES);
            }
            assert_true(ring_open(&reader, memory, BYTES, false, life));
            nothing(RING_DOWN);
            assert_int_equal(sent("lost too"), zeroed ? RING_DOWN : RING_RESTARTED);
            nothing(RING_AGAIN);
            assert_int_equal(sent("b"), zeroed ? RING_RESTARTED : RING_OK);
            assert_int_equal(sent("b"), RING_OK);
            received("b");
            if (zeroed != 0u) {
                memset(memory, 0, BYTES);
            }
            assert_true(ring_open(&writer, memory, BYTES, true, life));
            nothing(RING_DOWN);
            assert_int_equal(sent("c"), RING_OK);
            nothing(RING_RESTARTED);
            received("c");
            nothing(RING_AGAIN);
        }
    }
}

/* What was published into memory that had just been zeroed is not taken for the new life's. */
static void test_late_word(void **state)
{
    uint64_t word;

    (void)state;
    open_both();
    for (uint32_t i = 0u; i < 5u; i++) {
        assert_int_equal(sent("x"), RING_OK);
    }
    word = memory[0];
    memset(memory, 0, BYTES);
    assert_true(ring_open(&reader, memory, BYTES, false, 1u));
    memory[0] = word; /* the writer was between its look and its word */
    nothing(RING_DOWN);
    assert_int_equal(sent("y"), RING_RESTARTED);
    assert_int_equal(sent("z"), RING_OK);
    received("z");
}

/* Told when the reader may sleep, and when there is room again; not for each message. */
static void test_notify(void **state)
{
    (void)state;
    open_both();
    writer.notify = told;
    reader.notify = told;
    assert_int_equal(sent("1"), RING_OK);
    assert_int_equal(nr_told, 1u);
    while (sent("1234567") == RING_OK) {
    }
    assert_int_equal(nr_told, 1u);
    received("1");
    assert_int_equal(nr_told, 1u);
    for (uint32_t i = 0u; i < (WORDS / 4u); i++) {
        received("1234567");
    }
    assert_int_equal(nr_told, 2u); /* half of it is free */
    while (nr_told < 3u) {
        received("1234567");
    }
    nothing(RING_AGAIN);
    assert_int_equal(nr_told, 3u);
}

/* Both ways in one window; and a window of which all pages are one, in which nobody is up. */
static void test_pair(void **state)
{
    uint64_t *const window = aligned_alloc(64u, 8192u);
    struct ring out[2] = { { .notify = NULL }, { .notify = NULL } };
    struct ring in[2] = { { .notify = NULL }, { .notify = NULL } };
    char text[8];
    uint32_t bytes;

    (void)state;
    memset(window, 0, 8192u);
    assert_false(ring_open_pair(&out[0], &in[0], window, 512u, true, 0u));
    memset(window, 0, 8192u);
    for (uint32_t i = 0u; i < 2u; i++) {
        assert_true(ring_open_pair(&out[i], &in[i], window, 8192u, i == 0u, 0u));
    }
    for (uint32_t i = 0u; i < 4u; i++) {
        (void)ring_send(&out[i & 1u], "", 0u);
        (void)ring_receive(&in[i & 1u], text, sizeof(text), &bytes);
    }
    for (uint32_t i = 0u; i < 2u; i++) {
        assert_int_equal(ring_send(&out[i], "abc", 3u), RING_OK);
        assert_int_equal(ring_receive(&in[1u - i], text, sizeof(text), &bytes), RING_OK);
        if (bytes == 0u) { /* the first of those above */
            assert_int_equal(ring_receive(&in[1u - i], text, sizeof(text), &bytes), RING_OK);
        }
        assert_memory_equal(text, "abc", 3u);
    }
    memset(window, 0, 8192u);
    for (uint32_t i = 0u; i < 10u; i++) {
        assert_int_equal(ring_send(&out[0], "abc", 3u), RING_DOWN);
        memcpy(&window[512u], window, 4096u); /* the second page is the first */
        assert_int_equal(ring_receive(&in[0], text, sizeof(text), &bytes), RING_DOWN);
        memcpy(window, &window[512u], 4096u);
    }
    free(window);
}

static uint64_t chance_state = 88172645463325252ULL;

static uint64_t chance(void)
{
    chance_state ^= chance_state << 13u;
    chance_state ^= chance_state >> 7u;
    chance_state ^= chance_state << 17u;
    return chance_state;
}

/* The other side writes anything anywhere: nothing leads out of the ring or of the caller's room. */
static void test_hostile(void **state)
{
    uint64_t out[8];
    uint32_t seen[5] = { 0u };

    (void)state;
    open_both();
    for (uint32_t i = 0u; i < 400000u; i++) {
        const bool send = (chance() & 1u) != 0u;
        const struct ring *const of = send ? &writer : &reader;
        const uint32_t theirs = send ? 8u : 0u;
        uint32_t bytes = 0u;
        enum ring_status status;

        switch (chance() % 8u) {
        case 0u:
            memory[theirs] = chance();
            break;
        case 1u: /* a position that may be right, of a side that is known */
            memory[theirs] = ((uint64_t)of->seen << 48u) | ((uint64_t)of->epoch << 32u) |
                             (uint32_t)(of->position + (chance() % 160u) - 80u);
            break;
        case 2u:
            memory[16u + (chance() % WORDS)] = chance() % 80u;
            break;
        case 3u:
            memory[16u + (chance() % WORDS)] = chance();
            break;
        case 4u:
            memory[send ? 0u : 8u] = chance();
            break;
        default:
            break;
        }
        memset(out, 0xA5, sizeof(out));
        if (send) {
            status = ring_send(&writer, out, (uint32_t)(chance() % 64u));
        } else {
            const uint32_t room = (uint32_t)(chance() % 57u);

            status = ring_receive(&reader, out, room, &bytes);
            assert_true(bytes <= room);
            for (uint32_t b = bytes; b < sizeof(out); b++) {
                assert_int_equal(((uint8_t *)out)[b], 0xA5);
            }
        }
        seen[status]++;
    }
    for (uint32_t i = 0u; i < 5u; i++) {
        assert_true(seen[i] > 100u); /* all of it was tried */
    }
    memset(memory, 0, BYTES); /* and afterwards it is a ring again */
    open_both();
}

/* -- The owner ends between the reader's look at the header and its copy -- */

#define PAGE 4096u

static uint8_t *pages;

/* The first access to the data: from now on a page of zeros is there, as when the owner's is revoked. */
static void taken_away(int number)
{
    (void)number;
    (void)mprotect(&pages[PAGE], PAGE, PROT_READ | PROT_WRITE);
    memset(memory, 0, BYTES);
}

static void test_taken_away(void **state)
{
    const struct sigaction action = { .sa_handler = taken_away };
    struct sigaction before;
    char found[BYTES + 1u] = "";

    (void)state;
    pages = mmap(NULL, (size_t)2u * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(pages, MAP_FAILED);
    memory = (uint64_t *)(void *)&pages[PAGE - RING_HEADER_BYTES];
    open_both();
    assert_int_equal(sent("two"), RING_OK);

    assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
    assert_int_equal(mprotect(&pages[PAGE], PAGE, PROT_NONE), 0);
    assert_int_equal(got(found, sizeof(found)), RING_DOWN);
    assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
    assert_string_equal(found, "");

    /* and with the next life it goes on */
    assert_true(ring_open(&writer, memory, BYTES, true, 2u));
    nothing(RING_DOWN);
    assert_int_equal(sent("three"), RING_OK);
    nothing(RING_RESTARTED);
    received("three");
    assert_int_equal(munmap(pages, (size_t)2u * PAGE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_word, setup, teardown),
        cmocka_unit_test_setup_teardown(test_notify, setup, teardown),
        cmocka_unit_test(test_pair),
        cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_taken_away, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
