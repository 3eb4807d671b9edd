/* lib/queue: from every tree of up to NODES nodes that is in order, an insertion at any place and the removal
 * of each node leave one that is: linked both ways, heights and masks those of what is below, no side more
 * than one higher than the other, and the first that suits any mask the one that a list in order has, equal
 * ones as they came. So all that any number of operations leaves is, as long as no more than NODES + 1 are
 * in.
 *
 * Shapes are given one by one, by the depths of their nodes from the first to the last. Masks are any. Of
 * keys the queue knows no more than who comes before whom, and a node that comes in is compared with those
 * that are there only: it comes before those behind its place, and not before the others, of which the last
 * may be its equal. So a key for each place stands for all; that comparing itself is in order is proved for
 * all ranks and keys. */
#include "proof.h"

#include "lib/queue.h"

#define NONE 255u

/* All there are: 1, 2, 1, 4, 6, 4 and 17 of 1, 2 .. 7 nodes. */
static const char *const shapes[] = { "",        "",        "0",       "01",      "10",      "101",
                                      "1012",    "1021",    "1201",    "2101",    "10212",   "12012",
                                      "12021",   "21012",   "21021",   "21201",   "120212",  "210212",
                                      "212012",  "212021",  "1202123", "1202132", "1202312", "1203212",
                                      "2102123", "2102132", "2102312", "2103212", "2120212", "2123012",
                                      "2123021", "2132012", "2132021", "2312012", "2312021", "3212012",
                                      "3212021" };

static struct queue queue;
/* Objects of their own: what points into an array of them is much dearer to reason about. */
static struct queue_node n0;
static struct queue_node n1;
static struct queue_node n2;
static struct queue_node n3;
static struct queue_node n4;
static struct queue_node n5;
static struct queue_node n6;
static struct queue_node n7;
static struct queue_node *const nodes[] = { &n0, &n1, &n2, &n3, &n4, &n5, &n6, &n7 };

static void check_node(const struct queue_node *node)
{
    const struct queue_node *const left = node->side[0];
    const struct queue_node *const right = node->side[1];
    const uint32_t low = (left != NULL) ? left->height : 0u;
    const uint32_t high = (right != NULL) ? right->height : 0u;

    prove((left == NULL) || (left->up == node), "left link");
    prove((right == NULL) || (right->up == node), "right link");
    prove((node->up != NULL) ? ((node->up->side[0] == node) != (node->up->side[1] == node))
                             : (queue.root == node),
          "up link");
    prove(node->height == (1u + ((low > high) ? low : high)), "height");
    prove((low <= (high + 1u)) && (high <= (low + 1u)), "balance");
    prove(node->masks ==
              (node->mask | ((left != NULL) ? left->masks : 0u) | ((right != NULL) ? right->masks : 0u)),
          "masks");
}

/* All of nr nodes but one are in it, in this order, with another (NULL: none) at that place. */
static void check(uint32_t nr, uint32_t gone, const struct queue_node *more, uint32_t place)
{
    const uint64_t mask = nondet_u8();
    const struct queue_node *first = NULL;

    for (uint32_t i = 0u; i <= nr; i++) {
        if ((more != NULL) && (i == place)) {
            check_node(more);
            first = ((first == NULL) && ((more->mask & mask) != 0u)) ? more : first;
        }
        if ((i < nr) && (i != gone)) {
            check_node(nodes[i]);
            first = ((first == NULL) && ((nodes[i]->mask & mask) != 0u)) ? nodes[i] : first;
        }
    }
    prove(queue_first(&queue, mask) == first, "first");
}

static uint32_t length(const char *shape)
{
    uint32_t nr = 0u;

    while (shape[nr] != '\0') {
        nr++;
    }
    return nr;
}

/* The node above i is the deeper one of the nearest ones on either side that are less deep. */
static uint32_t above(const char *shape, uint32_t nr, uint32_t i)
{
    uint32_t left = NONE;
    uint32_t right = NONE;

    for (uint32_t j = 0u; j < i; j++) {
        left = (shape[j] < shape[i]) ? j : left;
    }
    for (uint32_t j = nr - 1u; j > i; j--) {
        right = (shape[j] < shape[i]) ? j : right;
    }
    return ((left == NONE) || ((right != NONE) && (shape[right] > shape[left]))) ? right : left;
}

static void make(const char *shape, uint32_t nr)
{
    queue.root = NULL;
    for (uint32_t i = 0u; i < nr; i++) {
        struct queue_node *const node = nodes[i];

        node->rank = i / 3u;
        node->key = 2u * i;
        node->mask = nondet_u8();
        node->masks = node->mask;
        node->height = 1u;
        node->side[0] = NULL;
        node->side[1] = NULL;
    }
    for (char depth = '9'; depth >= '0'; depth--) { /* those below are whole by then */
        for (uint32_t i = 0u; i < nr; i++) {
            if (shape[i] == depth) {
                const uint32_t j = above(shape, nr, i);

                nodes[i]->up = (j != NONE) ? nodes[j] : NULL;
                if (j == NONE) {
                    queue.root = nodes[i];
                } else {
                    nodes[j]->side[(i < j) ? 0u : 1u] = nodes[i];
                    nodes[j]->masks |= nodes[i]->masks;
                    nodes[j]->height =
                        (nodes[j]->height > nodes[i]->height) ? nodes[j]->height : (nodes[i]->height + 1u);
                }
            }
        }
    }
}

/* Lower rank, or the same and a lower key: no two before each other, none before itself, and what is not
 * before is so along a chain. */
static void check_order(void)
{
    const struct queue_node a = { .rank = nondet_u32(), .key = nondet_u64() };
    const struct queue_node b = { .rank = nondet_u32(), .key = nondet_u64() };
    const struct queue_node c = { .rank = nondet_u32(), .key = nondet_u64() };

    prove(queue_before(&a, &b) == ((a.rank != b.rank) ? (a.rank < b.rank) : (a.key < b.key)), "order");
    prove(!queue_before(&a, &b) || !queue_before(&b, &a), "one way");
    prove(queue_before(&b, &a) || queue_before(&c, &b) || !queue_before(&c, &a), "chain");
}

int main(void)
{
    check_order();
    for (uint32_t s = 0u; s < (sizeof(shapes) / sizeof(shapes[0])); s++) {
        const uint32_t nr = length(shapes[s]);

        if (nr > NODES) {
            break;
        }
        for (uint32_t place = 0u; place <= nr; place++) {
            struct queue_node *const more = nodes[nr];

            make(shapes[s], nr);
            more->rank = (place > 0u) ? nodes[place - 1u]->rank : 0u;
            more->key = (place > 0u) ? nodes[place - 1u]->key : 0u; /* of its equals it came last */
            more->mask = nondet_u8();
            if (place == 0u) {
                nodes[0]->key++; /* there is none before it */
            }
            queue_insert(&queue, more);
            check(nr, NONE, more, place);
        }
        for (uint32_t i = 0u; i < nr; i++) {
            make(shapes[s], nr);
            check(nr, NONE, NULL, 0u);
            queue_remove(&queue, nodes[i]);
            check(nr, i, NULL, 0u);
        }
    }
    return 0;
}
