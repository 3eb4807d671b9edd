/* The guests' ring library between two threads that know of each other only by it, under ThreadSanitizer;
 * each begins anew now and then. [test->req~ring-library~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "ring.h"

#define BYTES    (RING_HEADER_BYTES + 1024u)
#define MESSAGES 20000u
#define LIVES    400u

static uint64_t memory[BYTES / 8u] __attribute__((aligned(64)));

struct message {
    uint32_t number;
    uint32_t bytes;
    uint8_t text[56];
};

static uint32_t of_number(uint32_t number, struct message *m)
{
    m->number = number;
    m->bytes = number % (uint32_t)sizeof(m->text);
    for (uint32_t i = 0u; i < m->bytes; i++) {
        m->text[i] = (uint8_t)((number * 31u) + i);
    }
    return 8u + m->bytes;
}

/* Sends numbers that only rise, until the last one is in. */
static void *write_all(void *arg)
{
    struct ring ring = { .notify = NULL };
    const bool restarts = (arg != NULL);
    uint32_t number = 1u;

    (void)ring_open(&ring, memory, BYTES, true, 1u);
    while (number <= MESSAGES) {
        struct message m;
        const uint32_t bytes = of_number(number, &m);
        const enum ring_status status = ring_send(&ring, &m, bytes);

        if (status == RING_OK) {
            number++;
            if (restarts && ((number % (MESSAGES / LIVES)) == 0u)) { /* 50 messages */
                for (uint32_t i = 0u; (i < (BYTES / 8u)) && (((number / (MESSAGES / LIVES)) & 1u) == 0u);
                     i++) {
                    __atomic_store_n(&memory[i], 0u, __ATOMIC_SEQ_CST); /* as when it owned the memory */
                }
                (void)ring_open(&ring, memory, BYTES, true, number);
            }
        } else {
            (void)sched_yield();
        }
    }
    return NULL;
}

/* Reads until the last number; all in order, none twice, none but what was sent. */
static uint32_t read_all(bool restarts)
{
    struct ring ring = { .notify = NULL };
    uint32_t last = 0u;
    uint32_t nr_read = 0u;

    assert_true(ring_open(&ring, memory, BYTES, false, 1u));
    while (last < MESSAGES) {
        struct message m;
        struct message expected;
        uint32_t bytes = 0u;
        const enum ring_status status = ring_receive(&ring, &m, sizeof(m), &bytes);

        assert_int_not_equal(status, RING_BROKEN);
        if (status == RING_OK) {
            assert_true(m.number > last);
            assert_int_equal(bytes, of_number(m.number, &expected));
            assert_memory_equal(&m, &expected, bytes);
            last = m.number;
            nr_read++;
            if (restarts && ((nr_read % 300u) == 0u) && (last < (MESSAGES - 2000u))) {
                assert_true(ring_open(&ring, memory, BYTES, false, nr_read));
            }
        } else {
            (void)sched_yield();
        }
    }
    return nr_read;
}

static uint32_t run(bool writer_restarts, bool reader_restarts)
{
    pthread_t thread;
    uint32_t nr_read;

    memset(memory, 0, sizeof(memory));
    assert_int_equal(pthread_create(&thread, NULL, write_all, writer_restarts ? memory : NULL), 0);
    nr_read = read_all(reader_restarts);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return nr_read;
}

static void test_threads(void **state)
{
    (void)state;
    assert_int_equal(run(false, false), MESSAGES);
}

static void test_threads_reader(void **state)
{
    (void)state;
    assert_true(run(false, true) > 1000u);
}

static void test_threads_writer(void **state)
{
    (void)state;
    assert_true(run(true, false) > 100u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_threads_reader),
        cmocka_unit_test(test_threads_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
