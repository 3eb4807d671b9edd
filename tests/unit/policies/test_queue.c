/* The queue of things in order against an array that is kept sorted: order, masks, heights, links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/queue.h"

#define NODES 600u

static struct queue queue;
static struct queue_node *nodes; /* of the heap: the sanitizer guards each one's end */
static struct queue_node *in[NODES];
static struct queue_node *out[NODES];
static uint32_t nr_in;
static uint32_t nr_out;

static uint64_t any(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15ULL;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int setup(void **state)
{
    (void)state;
    nodes = calloc(NODES, sizeof(*nodes));
    assert_non_null(nodes);
    memset(nodes, 0xa5, NODES * sizeof(*nodes)); /* what is not in a queue may hold anything */
    queue.root = NULL;
    nr_in = 0u;
    for (nr_out = 0u; nr_out < NODES; nr_out++) {
        out[nr_out] = &nodes[nr_out];
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(nodes);
    return 0;
}

/* Behind all that are not after it. */
static void put(struct queue_node *node)
{
    uint32_t place = nr_in;

    while ((place > 0u) && queue_before(node, in[place - 1u])) {
        in[place] = in[place - 1u];
        place--;
    }
    in[place] = node;
    nr_in++;
    queue_insert(&queue, node);
}

static struct queue_node *take(uint32_t place)
{
    struct queue_node *node = in[place];

    memmove(&in[place], &in[place + 1u], (nr_in - place - 1u) * sizeof(in[0]));
    nr_in--;
    queue_remove(&queue, node);
    memset(node, 0xa5, sizeof(*node));
    return node;
}

/* The tree below node holds in[from] and those after it; answers how many. The depth is that of the tree. */
static uint32_t check(const struct queue_node *node, const struct queue_node *up, uint32_t from)
{
    if (node == NULL) {
        return 0u;
    }
    assert_ptr_equal(node->up, up);

    const uint32_t left = check(node->side[0], node, from);
    assert_in_range(from + left, 0, nr_in - 1u);
    assert_ptr_equal(in[from + left], node);
    const uint32_t right = check(node->side[1], node, from + left + 1u);
    const uint32_t low = (node->side[0] != NULL) ? node->side[0]->height : 0u;
    const uint32_t high = (node->side[1] != NULL) ? node->side[1]->height : 0u;

    assert_int_equal(node->height, 1u + ((low > high) ? low : high));
    assert_true((low <= (high + 1u)) && (high <= (low + 1u)));
    assert_int_equal(node->masks, node->mask | ((node->side[0] != NULL) ? node->side[0]->masks : 0u) |
                                      ((node->side[1] != NULL) ? node->side[1]->masks : 0u));
    return left + 1u + right;
}

static void first_matches(uint64_t mask)
{
    const struct queue_node *expected = NULL;

    for (uint32_t i = 0u; (i < nr_in) && (expected == NULL); i++) {
        expected = ((in[i]->mask & mask) != 0u) ? in[i] : NULL;
    }
    assert_ptr_equal(queue_first(&queue, mask), expected);
}

/* Few keys, so that many are equal; sparse masks, so that few suit; up to `most` at a time. */
static void random_operations(uint32_t nr_operations, uint32_t most, uint32_t keys)
{
    for (uint32_t i = 0u; i < nr_operations; i++) {
        const bool more = (nr_in == 0u) || ((nr_in < most) && (nr_out > 0u) && ((any() % 2u) == 0u));

        if (more) {
            struct queue_node *const node = out[--nr_out];

            node->rank = (uint32_t)(any() % 3u);
            node->key = (any() % keys) + (UINT64_MAX - keys);
            node->mask = any() & any() & any() & any();
            put(node);
        } else {
            out[nr_out++] = take((uint32_t)(any() % nr_in));
        }
        first_matches(1ULL << (any() % 64u));
        first_matches(any() & any() & any() & any() & any());
        if ((i % 16u) == 0u) {
            first_matches(UINT64_MAX);
            first_matches(0u);
            assert_int_equal(check(queue.root, NULL, 0u), nr_in);
        }
    }
    while (nr_in > 0u) {
        first_matches(UINT64_MAX);
        out[nr_out++] = take(0u);
        assert_int_equal(check(queue.root, NULL, 0u), nr_in);
    }
    assert_null(queue.root);
}

static void test_few(void **state)
{
    (void)state;
    random_operations(200000u, 7u, 4u);
}

static void test_many_equal(void **state)
{
    (void)state;
    random_operations(200000u, 60u, 3u);
}

static void test_many(void **state)
{
    (void)state;
    random_operations(100000u, NODES, 100000u);
}

/* Those that come in order, the worst for a tree that does not balance. */
static void test_in_order(void **state)
{
    (void)state;
    for (uint32_t i = 0u; i < NODES; i++) {
        nodes[i].rank = 0u;
        nodes[i].key = i;
        nodes[i].mask = 1ULL << (i % 64u);
        put(&nodes[i]);
    }
    assert_int_equal(check(queue.root, NULL, 0u), NODES);
    assert_true(queue.root->height <= 13u); /* 1.44 log2 602 */
    while (nr_in > 0u) {
        (void)take(nr_in - 1u);
        assert_int_equal(check(queue.root, NULL, 0u), nr_in);
    }
    assert_null(queue.root);
    assert_null(queue_first(&queue, UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_few, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_equal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_in_order, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
