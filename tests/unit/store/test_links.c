/* Declared links as the ends' drivers see them, lives of the ends and of the store, and the ring between.
 * [test->req~store-links~1] [test->req~store-restart~1] [test->req~store-protocol~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "client.h"

#define asks(client, type, payload, answer) assert_string_equal(ask(client, type, 0, payload), answer)
#define BACK                                "/local/domain/1/backend/vbd/2/51712"
#define FRONT                               "/local/domain/2/device/vbd/51712"

static const struct link links[] = {
    { .frontend = 1, .backend = 0, .handle = 51712, .device = "7:0", .name = "xvda" },
    { .frontend = 1, .backend = 0, .is_net = true, .handle = 0, .mac = "00:16:3e:00:00:01" },
};

static void tend(void)
{
    links_tend(&store, links, 2u);
    assert_true(store_whole());
}

static int begin(void **state)
{
    (void)state;
    clients_begin(3u);
    tend();
    return 0;
}

static void test_directories(void **state)
{
    (void)state;
    asks(0, XS_READ, BACK "/physical-device|", "7:0");
    asks(0, XS_READ, BACK "/hotplug-status|", "connected");
    asks(0, XS_READ, BACK "/frontend|", FRONT);
    asks(0, XS_READ, BACK "/state|", "1");
    asks(1, XS_READ, BACK "/state|", "1");
    asks(2, XS_READ, BACK "/state|", "!EACCES");
    asks(1, XS_WRITE, BACK "/state|4", "!EACCES");
    asks(1, XS_READ, FRONT "/backend|", BACK);
    asks(1, XS_DIRECTORY, "device|", "vif|vbd|");
    asks(0, XS_DIRECTORY, "backend/vbd|", "2|");
    asks(0, XS_DIRECTORY, "backend/vif/2|", "0|");
    asks(1, XS_READ, "device/vif/0/mac|", "00:16:3e:00:00:01");
    asks(0, XS_WRITE, BACK "/state|2", "OK|");
    asks(0, XS_WRITE, BACK "/feature-flush-cache|1", "OK|");
    asks(1, XS_WRITE, FRONT "/ring-ref|8", "OK|");
    asks(0, XS_READ, FRONT "/ring-ref|", "8");
    asks(2, XS_READ, FRONT "/ring-ref|", "!EACCES");
    tend();
    asks(0, XS_READ, BACK "/state|", "2");
}

/* An end goes: what the other sees; and when the link is there again */
static void test_lives(void **state)
{
    uint32_t nodes[2];
    uint32_t blocks[2];

    (void)state;
    used_of(1, &nodes[0], &blocks[0]);
    asks(0, XS_WATCH, "backend|b|", "OK|");
    asks(0, XS_WATCH, FRONT "/state|f|", "OK|");
    asks(0, XS_WRITE, BACK "/state|4", "OK|");
    asks(1, XS_WRITE, FRONT "/state|4", "OK|");
    events_drop();
    links_retire(&store, 1);
    tend();
    assert_false(store_exists(&store, FRONT));
    assert_false(store_exists(&store, BACK));
    assert_string_equal(event_of(0), FRONT "/state|f|");
    assert_string_equal(event_of(0), "backend/vbd/2/51712|b|");
    events_drop();
    store.share[1].connected = true;
    links_introduce(&store, 1, "guest2");
    tend();
    assert_false(store_exists(&store, FRONT)); /* the backend has not let go */
    asks(0, XS_UNWATCH, FRONT "/state|f|", "OK|");
    tend();
    asks(0, XS_READ, BACK "/state|", "1");
    asks(1, XS_READ, FRONT "/state|", "1");
    used_of(1, &nodes[1], &blocks[1]);
    assert_int_equal(nodes[0], nodes[1]);
    assert_int_equal(blocks[0], blocks[1]);

    asks(1, XS_WATCH, BACK "/state|w|", "OK|"); /* the same with the backend */
    links_retire(&store, 0);
    tend();
    assert_false(store_exists(&store, FRONT));
    store.share[0].connected = true;
    links_introduce(&store, 0, "guest1");
    tend();
    assert_false(store_exists(&store, FRONT));
    asks(1, XS_RESET_WATCHES, "|", "OK|");
    tend();
    asks(1, XS_READ, FRONT "/state|", "1");

    asks(1, XS_RM, FRONT "|", "OK|"); /* half of it is none */
    tend();
    assert_false(store_exists(&store, BACK));
    tend();
    asks(1, XS_READ, FRONT "/state|", "1");
}

/* An end whose share is used up has no link, and the store does not try again and again. */
static void test_no_room(void **state)
{
    char text[64];

    (void)state;
    asks(0, XS_WATCH, "backend|b|", "OK|");
    links_retire(&store, 1);
    tend();
    store.share[1].connected = true;
    links_introduce(&store, 1, "guest2");
    for (uint32_t i = 0; i < STORE_NODES; i++) {
        snprintf(text, sizeof(text), "data/%u|", i);
        (void)ask(1, XS_MKDIR, 0, text);
    }
    events_drop();
    tend();
    assert_false(store_exists(&store, FRONT));
    assert_string_equal(event_of(0), "");
    asks(1, XS_RM, "data|", "OK|");
    tend();
    asks(1, XS_READ, FRONT "/state|", "1");
}

/* -- The ring -- */

static struct xs_ring ring;

static uint32_t put(uint32_t prod, const void *bytes, uint32_t nr)
{
    for (uint32_t i = 0; i < nr; i++) {
        ring.request[(prod + i) % XS_RING_BYTES] = ((const uint8_t *)bytes)[i];
    }
    return prod + nr;
}

/* A response or event, taken from the ring; its payload's bytes */
static uint32_t got(struct store_header *header, char *payload)
{
    uint8_t *const to = (uint8_t *)header;

    for (uint32_t i = 0; i < sizeof(*header); i++) {
        to[i] = ring.response[(ring.response_cons + i) % XS_RING_BYTES];
    }
    for (uint32_t i = 0; i < header->bytes; i++) {
        payload[i] = (char)ring.response[(ring.response_cons + sizeof(*header) + i) % XS_RING_BYTES];
    }
    ring.response_cons += (uint32_t)sizeof(*header) + header->bytes;
    return header->bytes;
}

static void test_ring(void **state)
{
    struct store_header header = { XS_READ, 1u, 0u, 5u };
    char payload[XS_RING_BYTES];

    (void)state;
    memset(&ring, 0, sizeof(ring));
    ring.connection = XS_RECONNECT;
    ring.request_prod = 77u; /* whatever it was */
    ring_open(&store, 0, &ring, false);
    assert_int_equal(ring.connection, XS_CONNECTED);
    assert_int_equal(ring.features, 3u);
    for (uint32_t turn = 0; turn < 500u; turn++) { /* round and round, whole and in pieces */
        uint32_t prod = put(ring.request_prod, &header, sizeof(header));

        header.req_id++;
        prod = put(prod, "name", 5u);
        if ((turn % 3u) == 0u) {
            const uint32_t end = prod;

            for (uint32_t at = ring.request_prod + 1u; at < end; at += 1u + (turn % 7u)) {
                ring.request_prod = at;
                (void)ring_tend(&store, 0, &ring);
            }
        }
        ring.request_prod = prod;
        assert_true(ring_tend(&store, 0, &ring));
        assert_false(ring_tend(&store, 0, &ring));
        struct store_header answer;

        assert_int_equal(got(&answer, payload), 6u);
        assert_int_equal(answer.type, XS_READ);
        assert_int_equal(answer.req_id, header.req_id - 1u);
        assert_memory_equal(payload, "guest1", 6u);
        assert_int_equal(ring.response_cons, ring.response_prod);
        assert_int_equal(ring.request_cons, ring.request_prod);
        assert_true(store_whole());
    }
    assert_int_equal(ring.error, 0u);
}

/* More than the ring holds goes out as room appears, also over another life of the store. */
static void test_ring_long(void **state)
{
    struct store_header header = { XS_READ, 1u, 0u, 7u };
    char value[STORE_VALUE_MAX + 8u] = "data/x|";
    char taken[STORE_VALUE_MAX + 64u];
    uint32_t nr = 0;

    (void)state;
    for (uint32_t i = 7; i < sizeof(value) - 1u; i++) {
        value[i] = (char)('a' + (i % 26u));
    }
    asks(0, XS_WRITE, value, "OK|");
    memset(&ring, 0, sizeof(ring));
    ring_open(&store, 0, &ring, false);
    uint32_t prod = put(0, &header, sizeof(header));

    ring.request_prod = put(prod, "data/x", 7u);
    while (nr < (sizeof(header) + sizeof(value) - 8u)) {
        (void)ring_tend(&store, 0, &ring);
        assert_true(store_check(&store)); /* the next life takes over */
        for (uint32_t i = 0; (i < 300u) && (ring.response_cons != ring.response_prod); i++) {
            taken[nr++] = (char)ring.response[ring.response_cons % XS_RING_BYTES];
            ring.response_cons++;
        }
    }
    assert_false(ring_tend(&store, 0, &ring));
    assert_memory_equal(&taken[sizeof(header)], &value[7], STORE_VALUE_MAX);
}

static void test_ring_broken(void **state)
{
    struct store_header header = { XS_READ, 1u, 0u, STORE_PAYLOAD_MAX + 1u };
    char much[1000] = { 1 };

    (void)state;
    memset(&ring, 0, sizeof(ring));
    ring_open(&store, 0, &ring, false);
    ring.request_prod = XS_RING_BYTES + 1u;
    assert_false(ring_tend(&store, 0, &ring));
    assert_int_equal(ring.error, XS_ERROR_RING);
    ring.connection = XS_RECONNECT; /* it begins anew */
    assert_true(ring_wants_anew(&ring));
    ring_open(&store, 0, &ring, false);
    assert_int_equal(ring.error, 0u);
    ring.request_prod = put(0, &header, sizeof(header));
    (void)ring_tend(&store, 0, &ring);
    assert_false(ring_tend(&store, 0, &ring));
    assert_int_equal(ring.error, XS_ERROR_PROTOCOL);
    assert_int_equal(ring.response_prod, 0u);
    ring_open(&store, 0, &ring, false);
    header.bytes = UINT32_MAX - 7u; /* with the header's own it is 8 */
    ring.request_prod = put(put(0, &header, sizeof(header)), much, sizeof(much));
    (void)ring_tend(&store, 0, &ring);
    assert_int_equal(ring.error, XS_ERROR_PROTOCOL);
    assert_int_equal(ring.request_cons, sizeof(header));
    ring_open(&store, 0, &ring, false);
    header.bytes = 5u;
    ring.request_prod = put(put(0, &header, sizeof(header)), "name", 5u);
    ring.response_cons = 5u; /* ahead of us */
    (void)ring_tend(&store, 0, &ring);
    assert_int_equal(ring.error, XS_ERROR_RING);
    assert_int_equal(ring.response_prod, 0u);
    assert_true(store_whole());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_directories, begin), cmocka_unit_test_setup(test_lives, begin),
        cmocka_unit_test_setup(test_no_room, begin),     cmocka_unit_test_setup(test_ring, begin),
        cmocka_unit_test_setup(test_ring_long, begin),   cmocka_unit_test_setup(test_ring_broken, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
