/* The store's nodes, permissions, watches, transactions and quotas, by requests as domains make them.
 * [test->req~store-share~1] [test->req~store-protocol~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "client.h"

#define asks(client, type, tx, payload, answer) assert_string_equal(ask(client, type, tx, payload), answer)

static int begin(void **state)
{
    (void)state;
    clients_begin(3u);
    return 0;
}

static void test_values(void **state)
{
    (void)state;
    asks(0, XS_READ, 0, "domid|", "1");
    asks(0, XS_READ, 0, "/local/domain/1/name|", "guest1");
    asks(0, XS_GET_DOMAIN_PATH, 0, "17|", "/local/domain/17|");
    asks(0, XS_IS_DOMAIN_INTRODUCED, 0, "3|", "T|");
    asks(0, XS_IS_DOMAIN_INTRODUCED, 0, "4|", "F|");
    asks(0, XS_WRITE, 0, "data/a/b|one", "OK|");
    asks(0, XS_READ, 0, "data/a/b|", "one");
    asks(0, XS_READ, 0, "data/a|", "");
    asks(0, XS_WRITE, 0, "data/a/b|", "OK|");
    asks(0, XS_READ, 0, "data/a/b|", "");
    asks(0, XS_MKDIR, 0, "data/a/c|", "OK|");
    asks(0, XS_MKDIR, 0, "data/a/c|", "OK|");
    asks(0, XS_DIRECTORY, 0, "data/a|", "c|b|");
    asks(0, XS_DIRECTORY, 0, "data/none|", "!ENOENT");
    asks(0, XS_RM, 0, "data/a|", "OK|");
    asks(0, XS_RM, 0, "data/a|", "OK|");
    asks(0, XS_RM, 0, "data/a/b|", "!ENOENT");
    asks(0, XS_READ, 0, "data/a/b|", "!ENOENT");
}

static void test_malformed(void **state)
{
    static const char *const bad[] = {
        "", "|", "data", "data/|", "//|", "/local//x|", "data/ü|", "data/a b|"
    };
    char text[STORE_PATH_MAX + 16u];

    (void)state;
    for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        asks(0, XS_WRITE, 0, bad[i], "!EINVAL");
        asks(0, XS_READ, 0, bad[i], "!EINVAL");
    }
    memset(text, 'a', sizeof(text));
    memcpy(&text[STORE_PATH_MAX + 10u], "|", 2);
    asks(0, XS_WRITE, 0, text, "!EINVAL");
    asks(0, XS_READ, 0, "@introduceDomain|", "!EINVAL");
    asks(0, XS_WATCH, 0, "@other|t|", "!EINVAL");
    asks(0, XS_WATCH, 0, "data|", "!EINVAL");
    asks(0, XS_SET_PERMS, 0, "data|", "!EINVAL");
    asks(0, XS_SET_PERMS, 0, "data|x1|", "!EINVAL");
    asks(0, XS_SET_PERMS, 0, "data|n|", "!EINVAL");
    asks(0, XS_SET_PERMS, 0, "data|n99999|", "!EINVAL");
    asks(0, XS_SET_PERMS, 0, "data|n1|r2|r3|r4|r5|r6|r7|", "!ENOSPC");
    asks(0, XS_TRANSACTION_END, 0, "T|", "!ENOENT");
    asks(0, XS_READ, 5, "data|", "!ENOENT");
    asks(0, (enum store_type)20, 0, "", "!ENOSYS");
    asks(0, (enum store_type)4711, 0, "", "!ENOSYS");
    asks(0, XS_WATCH_EVENT, 0, "a|b|", "!ENOSYS");
    for (uint32_t i = 0; i < 5u; i++) {
        static const enum store_type control[] = { XS_CONTROL, XS_INTRODUCE, XS_RELEASE, XS_RESUME,
                                                   XS_SET_TARGET };

        asks(0, control[i], 0, "1|2|3|", "!EACCES");
    }
}

/* Foreign and deleted nodes: nobody sees or hears of what it may not read. */
static void test_permissions(void **state)
{
    (void)state;
    asks(0, XS_WRITE, 0, "data/secret|x", "OK|");
    asks(1, XS_READ, 0, "/local/domain/1/data/secret|", "!EACCES");
    asks(1, XS_READ, 0, "/local/domain/1/data/none|", "!EACCES");
    asks(1, XS_DIRECTORY, 0, "/local/domain/1|", "!EACCES");
    asks(1, XS_WRITE, 0, "/local/domain/1/data/secret|y", "!EACCES");
    asks(1, XS_WRITE, 0, "/local/domain/1/data/new|y", "!EACCES");
    asks(1, XS_RM, 0, "/local/domain/1/data/secret|", "!EACCES");
    asks(1, XS_RM, 0, "/|", "!EINVAL");
    asks(1, XS_WRITE, 0, "/new|y", "!EACCES");
    asks(0, XS_WRITE, 0, "domid|7", "!EACCES");
    asks(0, XS_MKDIR, 0, "device/vbd|", "!EACCES");
    asks(1, XS_SET_PERMS, 0, "/local/domain/1/data/secret|n2|", "!EACCES");
    asks(0, XS_SET_PERMS, 0, "data/secret|n2|", "!EPERM"); /* what one made is not another's to pay for */
    asks(0, XS_SET_PERMS, 0, "data/secret|n1|r2|b3|", "OK|");
    asks(0, XS_GET_PERMS, 0, "data/secret|", "n1|r2|b3|");
    asks(1, XS_READ, 0, "/local/domain/1/data/secret|", "x");
    asks(1, XS_WRITE, 0, "/local/domain/1/data/secret|y", "!EACCES");
    asks(2, XS_WRITE, 0, "/local/domain/1/data/secret|z", "OK|");
    asks(2, XS_WRITE, 0, "/local/domain/1/data/secret/below|z", "OK|");
    asks(2, XS_GET_PERMS, 0, "/local/domain/1/data/secret/below|", "n3|r2|b3|");

    /* 2 watches what it may read and what it may not. */
    asks(1, XS_WATCH, 0, "/local/domain/1/data|t|", "OK|");
    assert_string_equal(event_of(1), "/local/domain/1/data|t|");
    asks(0, XS_WRITE, 0, "data/secret|1", "OK|");
    asks(0, XS_WRITE, 0, "data/hidden|1", "OK|");
    asks(0, XS_RM, 0, "data/hidden|", "OK|");
    assert_string_equal(event_of(1), "/local/domain/1/data/secret|t|");
    assert_string_equal(event_of(1), "");
    asks(0, XS_RM, 0, "data/secret|", "OK|");
    assert_string_equal(event_of(1), "/local/domain/1/data/secret|t|");
    assert_string_equal(event_of(1), "");
}

static void test_watches(void **state)
{
    (void)state;
    asks(0, XS_WATCH, 0, "data|tok|", "OK|");
    asks(0, XS_WATCH, 0, "data|tok|", "!EEXIST");
    asks(0, XS_WATCH, 0, "/local/domain/1/data/x/y|deep|", "OK|");
    assert_string_equal(event_of(0), "data|tok|");
    assert_string_equal(event_of(0), "/local/domain/1/data/x/y|deep|");
    assert_string_equal(event_of(0), "");
    asks(0, XS_WRITE, 0, "data/x/y|1", "OK|");
    asks(0, XS_WRITE, 0, "data/x/y|2", "OK|");
    assert_string_equal(event_of(0), "data/x/y|tok|"); /* once: what waits is enough */
    assert_string_equal(event_of(0), "/local/domain/1/data/x/y|deep|");
    assert_string_equal(event_of(0), "");
    asks(0, XS_RM, 0, "data/x|", "OK|"); /* who watches below what goes hears of it as well */
    assert_string_equal(event_of(0), "data/x|tok|");
    assert_string_equal(event_of(0), "/local/domain/1/data/x/y|deep|");
    assert_string_equal(event_of(0), "");
    asks(0, XS_UNWATCH, 0, "data|other|", "!ENOENT");
    asks(0, XS_WRITE, 0, "data/z|1", "OK|");
    asks(0, XS_UNWATCH, 0, "data|tok|", "OK|");
    assert_string_equal(event_of(0), "");
    asks(0, XS_WATCH, 0, "/|root|", "OK|");
    assert_string_equal(event_of(0), "/|root|");
    asks(0, XS_WRITE, 0, "data/z|2", "OK|");
    assert_string_equal(event_of(0), "/local/domain/1/data/z|root|");
    asks(0, XS_RESET_WATCHES, 0, "|", "OK|");
    asks(0, XS_WRITE, 0, "data/z|3", "OK|");
    assert_string_equal(event_of(0), "");
    asks(0, XS_WATCH, 0, "@releaseDomain|r|", "OK|");
    assert_string_equal(event_of(0), "@releaseDomain|r|");
}

/* A client that does not read costs nobody anything, and is told at last that there is something. */
static void test_slow_reader(void **state)
{
    uint32_t nr = 0;
    bool top = false;

    (void)state;
    asks(0, XS_WATCH, 0, "data|tok|", "OK|");
    events_drop();
    for (uint32_t i = 0; i < 3u * STORE_EVENTS; i++) {
        char text[32];

        snprintf(text, sizeof(text), "data/n%u|v", i);
        asks(0, XS_WRITE, 0, text, "OK|");
    }
    for (const char *e = event_of(0); e[0] != '\0'; e = event_of(0)) {
        nr++;
        top = top || (strcmp(e, "data|tok|") == 0);
    }
    assert_int_equal(nr, STORE_EVENTS + 1u);
    assert_true(top);
}

static uint32_t start(uint16_t client)
{
    uint32_t id = 0;

    assert_int_equal(sscanf(ask(client, XS_TRANSACTION_START, 0, "|"), "%u|", &id), 1);
    return id;
}

static void test_transaction(void **state)
{
    uint32_t t;
    uint32_t u;

    (void)state;
    asks(0, XS_WATCH, 0, "data|w|", "OK|");
    asks(0, XS_WRITE, 0, "data/old|1", "OK|");
    asks(0, XS_WRITE, 0, "data/old/below|1", "OK|");
    events_drop();
    t = start(0);
    asks(0, XS_WRITE, t, "data/new/leaf|5", "OK|");
    asks(0, XS_READ, t, "data/new/leaf|", "5");
    asks(0, XS_READ, 0, "data/new/leaf|", "!ENOENT");
    asks(0, XS_RM, t, "data/old|", "OK|");
    asks(0, XS_READ, t, "data/old/below|", "!ENOENT");
    asks(0, XS_DIRECTORY, t, "data|", "new|");
    asks(0, XS_DIRECTORY, 0, "data|", "old|");
    asks(0, XS_WRITE, t, "data/old/other|6", "OK|");
    asks(0, XS_DIRECTORY, t, "data/old|", "other|");
    asks(0, XS_SET_PERMS, t, "data/new|n1|r2|", "OK|");
    asks(0, XS_GET_PERMS, t, "data/new|", "n1|r2|");
    assert_string_equal(event_of(0), "");
    asks(0, XS_TRANSACTION_END, t, "T|", "OK|");
    asks(0, XS_READ, 0, "data/new/leaf|", "5");
    asks(0, XS_GET_PERMS, 0, "data/new|", "n1|r2|");
    asks(0, XS_DIRECTORY, 0, "data/old|", "other|");
    asks(0, XS_TRANSACTION_END, t, "T|", "!ENOENT");
    events_drop();

    t = start(0); /* dropped */
    asks(0, XS_WRITE, t, "data/new/leaf|9", "OK|");
    asks(0, XS_TRANSACTION_END, t, "F|", "OK|");
    asks(0, XS_READ, 0, "data/new/leaf|", "5");
    assert_string_equal(event_of(0), "");

    t = start(0); /* what it read has changed since */
    u = start(0);
    asks(0, XS_READ, t, "data/new/leaf|", "5");
    asks(0, XS_WRITE, t, "data/b|1", "OK|");
    asks(0, XS_WRITE, u, "data/new/leaf|7", "OK|");
    asks(0, XS_TRANSACTION_END, u, "T|", "OK|");
    asks(0, XS_TRANSACTION_END, t, "T|", "!EAGAIN");
    asks(0, XS_READ, 0, "data/b|", "!ENOENT");
    asks(0, XS_READ, 0, "data/new/leaf|", "7");

    t = start(0); /* gone and there again is not the same */
    asks(0, XS_WRITE, t, "data/new/leaf|8", "OK|");
    asks(0, XS_RM, 0, "data/new|", "OK|");
    asks(0, XS_WRITE, 0, "data/new/leaf|7", "OK|");
    asks(0, XS_TRANSACTION_END, t, "T|", "!EAGAIN");
    asks(0, XS_READ, 0, "data/new/leaf|", "7");

    t = start(0); /* a path looked at before what is above it was made */
    asks(0, XS_READ, t, "data/p/q/r|", "!ENOENT");
    asks(0, XS_READ, t, "data/p|", "!ENOENT");
    asks(0, XS_WRITE, t, "data/p/q/r|1", "OK|");
    asks(0, XS_RM, t, "data/p/q|", "OK|");
    asks(0, XS_WRITE, t, "data/p/q/s|2", "OK|");
    asks(0, XS_TRANSACTION_END, t, "T|", "OK|");
    asks(0, XS_DIRECTORY, 0, "data/p/q|", "s|");
}

/* What a domain may have is its own share of each thing; the others go on, and all of it comes back. */
static void test_quota(void **state)
{
    uint32_t nodes;
    uint32_t blocks;
    uint32_t after_nodes;
    uint32_t after_blocks;
    uint32_t made = 0;
    uint32_t t;
    char text[STORE_PAYLOAD_MAX];

    (void)state;
    used_of(0, &nodes, &blocks);
    for (const char *answer = "OK|"; strcmp(answer, "OK|") == 0; made++) {
        snprintf(text, sizeof(text), "data/n%u|v", made);
        answer = ask(0, XS_WRITE, 0, text);
    }
    assert_in_range(made, 400u, STORE_NODES);
    asks(0, XS_MKDIR, 0, "data/more|", "!ENOSPC");
    asks(1, XS_WRITE, 0, "data/a/b/c|1", "OK|");
    asks(0, XS_RM, 0, "data|", "OK|");
    store_put(&store, "/local/domain/1/data", "", 0, STORE_NONE);
    used_of(0, &after_nodes, &after_blocks);
    assert_int_equal(after_nodes, nodes);
    assert_int_equal(after_blocks, blocks);

    memset(text, 'v', sizeof(text)); /* bytes */
    memcpy(text, "data/n0|", 8);
    text[8u + STORE_VALUE_MAX + 1u] = '\0';
    asks(0, XS_WRITE, 0, text, "!ENOSPC");
    text[8u + STORE_VALUE_MAX] = '\0';
    made = 0;
    for (const char *answer = "OK|"; strcmp(answer, "OK|") == 0; made++) {
        snprintf(text, 9u, "data/%c%c|", 'a' + (int)(made / 26u), 'a' + (int)(made % 26u));
        text[8] = 'v';
        answer = ask(0, XS_WRITE, 0, text);
    }
    assert_in_range(made, 20u, 60u);
    asks(0, XS_WATCH, 0, "data|t|", "OK|");
    asks(1, XS_WRITE, 0, "data/x|1", "OK|");
    asks(0, XS_RM, 0, "data|", "OK|");
    store_put(&store, "/local/domain/1/data", "", 0, STORE_NONE);

    for (made = 0; made < STORE_WATCHES - 1u; made++) {
        snprintf(text, sizeof(text), "data|t%u|", made);
        asks(0, XS_WATCH, 0, text, "OK|");
    }
    asks(0, XS_WATCH, 0, "data|more|", "!E2BIG");
    asks(1, XS_WATCH, 0, "data|more|", "OK|");
    asks(0, XS_RESET_WATCHES, 0, "|", "OK|");

    for (made = 0; made < STORE_TXS; made++) {
        t = start(0);
    }
    asks(0, XS_TRANSACTION_START, 0, "|", "!ENOSPC");
    (void)start(1);
    made = 0;
    for (const char *answer = "!ENOENT"; strcmp(answer, "!ENOENT") == 0; made++) {
        snprintf(text, sizeof(text), "data/n%u|", made);
        answer = ask(0, XS_READ, t, text);
    }
    assert_in_range(made, STORE_ENTRIES / 2u, STORE_ENTRIES + 1u);
    asks(0, XS_WRITE, t, "data/q/w|1", "!ENOSPC");
    asks(0, XS_RESET_WATCHES, 0, "|", "OK|");
    used_of(0, &after_nodes, &after_blocks);
    assert_int_equal(after_nodes, nodes);
    assert_int_equal(after_blocks, blocks);
}

/* When a domain is over nothing is left of it, wherever it was, not even in others' transactions. */
static void test_death(void **state)
{
    uint32_t nodes;
    uint32_t blocks;
    uint32_t t;

    (void)state;
    asks(1, XS_WRITE, 0, "data/open|1", "OK|");
    asks(1, XS_SET_PERMS, 0, "data/open|n2|b1|", "OK|");
    asks(0, XS_WRITE, 0, "/local/domain/2/data/open/mine|1", "OK|");
    asks(2, XS_WRITE, 0, "/local/domain/2/data/open/mine/theirs|1", "!EACCES");
    asks(0, XS_WRITE, 0, "data/shared|1", "OK|");
    asks(0, XS_SET_PERMS, 0, "data/shared|b1|", "OK|");
    t = start(1);
    asks(1, XS_WRITE, t, "/local/domain/1/data/shared|2", "OK|");
    (void)ask(0, XS_WRITE, start(0), "data/t|1");
    asks(0, XS_WATCH, 0, "data|t|", "OK|");
    asks(1, XS_WATCH, 0, "/local/domain/1|t|", "OK|");
    links_retire(&store, 0);
    assert_true(store_whole());
    asks(1, XS_READ, 0, "data/open/mine|", "!ENOENT");
    asks(1, XS_TRANSACTION_END, t, "T|", "!EAGAIN");
    used_of(0, &nodes, &blocks);
    assert_int_equal(nodes, 0);
    assert_int_equal(blocks, 0);
    asks(1, XS_IS_DOMAIN_INTRODUCED, 0, "1|", "F|");
    store.share[0].connected = true;
    links_introduce(&store, 0, "guest1");
    asks(0, XS_DIRECTORY, 0, "data|", "");
}

/* Another life of the program takes what it finds only if it is whole. */
static void test_found(void **state)
{
    (void)state;
    asks(0, XS_WRITE, 0, "data/a/b|1", "OK|");
    asks(0, XS_WATCH, 0, "data|t|", "OK|");
    (void)ask(0, XS_WRITE, start(0), "data/t|1");
    assert_true(store_check(&store));
    asks(0, XS_READ, 0, "data/a/b|", "1");
    store.share[0].block_used[1000] = true; /* nobody's: it is freed */
    assert_true(store_check(&store));
    assert_false(store.share[0].block_used[1000]);
    store.busy = 1;
    assert_false(store_check(&store));
    store.busy = 0;
    const uint16_t first = store.share[0].watch[0].path.first;

    store.share[0].watch[0].path.first = store.share[0].tx[0].first;
    assert_false(store_check(&store));
    store.share[0].watch[0].path.first = first;
    assert_true(store_check(&store));
    for (uint32_t i = 0; i < STORE_NODES; i++) { /* a list that bites its tail */
        if (store.share[0].node[i].child != STORE_NONE && store.share[0].node[i].generation != 0u) {
            store.share[0].node[i].next = store.share[0].node[i].child;
        }
    }
    assert_false(store_check(&store));
}

static void test_directory_part(void **state)
{
    char answer[64];

    (void)state;
    asks(0, XS_WRITE, 0, "data/one|1", "OK|");
    asks(0, XS_WRITE, 0, "data/two|1", "OK|");
    snprintf(answer, sizeof(answer), "%s", ask(0, XS_DIRECTORY_PART, 0, "data|0|"));
    assert_non_null(strstr(answer, "|two|one||"));
    assert_non_null(strstr(ask(0, XS_DIRECTORY_PART, 0, "data|4|"), "|one||"));
    assert_non_null(strstr(ask(0, XS_DIRECTORY_PART, 0, "data|100|"), "||"));
    asks(0, XS_DIRECTORY_PART, 0, "data|x|", "!EINVAL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_values, begin),      cmocka_unit_test_setup(test_malformed, begin),
        cmocka_unit_test_setup(test_permissions, begin), cmocka_unit_test_setup(test_watches, begin),
        cmocka_unit_test_setup(test_slow_reader, begin), cmocka_unit_test_setup(test_transaction, begin),
        cmocka_unit_test_setup(test_quota, begin),       cmocka_unit_test_setup(test_death, begin),
        cmocka_unit_test_setup(test_found, begin),       cmocka_unit_test_setup(test_directory_part, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
