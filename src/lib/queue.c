/* All loops go down or up a path of the tree: at most its height, 1.44 log2 (n + 2) steps. */
#include "lib/queue.h"

#define QUEUE_LEFT  0u
#define QUEUE_RIGHT 1u

static uint32_t queue_height(const struct queue_node *node)
{
    return (node != NULL) ? node->height : 0u;
}

static uint64_t queue_masks(const struct queue_node *node)
{
    return (node != NULL) ? node->masks : 0u;
}

static void queue_refresh(struct queue_node *node)
{
    const uint32_t left = queue_height(node->side[QUEUE_LEFT]);
    const uint32_t right = queue_height(node->side[QUEUE_RIGHT]);

    node->height = 1u + ((left > right) ? left : right);
    node->masks = node->mask | queue_masks(node->side[QUEUE_LEFT]) | queue_masks(node->side[QUEUE_RIGHT]);
}

/* What was below up (NULL: the root) as `was` is `now` instead, which may be NULL. */
static void queue_replace(struct queue *queue, struct queue_node *up, const struct queue_node *was,
                          struct queue_node *now)
{
    if (up == NULL) {
        queue->root = now;
    } else {
        up->side[(up->side[QUEUE_LEFT] == was) ? QUEUE_LEFT : QUEUE_RIGHT] = now;
    }
    if (now != NULL) {
        now->up = up;
    }
}

/* The child of top on that side takes top's place, with top below it on the other side. */
static struct queue_node *queue_rotate(struct queue *queue, struct queue_node *top, uint32_t side)
{
    struct queue_node *const risen = top->side[side];
    struct queue_node *const across = risen->side[side ^ 1u];

    queue_replace(queue, top->up, top, risen);
    top->side[side] = across;
    if (across != NULL) {
        across->up = top;
    }
    risen->side[side ^ 1u] = top;
    top->up = risen;
    queue_refresh(top);
    queue_refresh(risen);
    return risen;
}

/* From a node whose children changed up to the first one for which nothing did, but at least to `least`,
 * which is above it or NULL. */
static void queue_settle(struct queue *queue, struct queue_node *from, const struct queue_node *least)
{
    struct queue_node *node = from;
    const struct queue_node *goal = least;

    while (node != NULL) {
        const struct queue_node *const left = node->side[QUEUE_LEFT];
        const struct queue_node *const right = node->side[QUEUE_RIGHT];
        const uint32_t left_height = queue_height(left);
        const uint32_t right_height = queue_height(right);
        const uint32_t height = 1u + ((left_height > right_height) ? left_height : right_height);

        goal = (node == goal) ? NULL : goal;
        if (height > (2u + ((left_height < right_height) ? left_height : right_height))) {
            const uint32_t high = (left_height > right_height) ? QUEUE_LEFT : QUEUE_RIGHT;
            struct queue_node *const child = node->side[high];

            if (queue_height(child->side[high ^ 1u]) > queue_height(child->side[high])) {
                (void)queue_rotate(queue, child, high ^ 1u);
            }
            node = queue_rotate(queue, node, high);
        } else {
            const uint64_t masks = node->mask | queue_masks(left) | queue_masks(right);

            if ((goal == NULL) && (node->height == height) && (node->masks == masks)) {
                break;
            }
            node->height = height;
            node->masks = masks;
        }
        node = node->up;
    }
}

void queue_insert(struct queue *queue, struct queue_node *node)
{
    struct queue_node *up = NULL;
    uint32_t side = QUEUE_LEFT;

    for (struct queue_node *at = queue->root; at != NULL; at = at->side[side]) {
        up = at;
        side = queue_before(node, at) ? QUEUE_LEFT : QUEUE_RIGHT;
    }
    node->side[QUEUE_LEFT] = NULL;
    node->side[QUEUE_RIGHT] = NULL;
    node->up = up;
    if (up == NULL) {
        queue->root = node;
    } else {
        up->side[side] = node;
    }
    node->height = 1u;
    node->masks = node->mask;
    queue_settle(queue, up, NULL);
}

void queue_remove(struct queue *queue, struct queue_node *node)
{
    struct queue_node *from = node->up;
    struct queue_node *heir = node->side[QUEUE_LEFT];
    const struct queue_node *least = NULL;

    if (heir == NULL) {
        heir = node->side[QUEUE_RIGHT];
    } else if (node->side[QUEUE_RIGHT] != NULL) {
        /* The next one in order, which has nothing on its left, leaves its place and takes this one. */
        heir = node->side[QUEUE_RIGHT];
        while (heir->side[QUEUE_LEFT] != NULL) {
            heir = heir->side[QUEUE_LEFT];
        }
        from = heir;
        if (heir->up != node) {
            from = heir->up;
            queue_replace(queue, from, heir, heir->side[QUEUE_RIGHT]);
            heir->side[QUEUE_RIGHT] = node->side[QUEUE_RIGHT];
            heir->side[QUEUE_RIGHT]->up = heir;
        }
        heir->side[QUEUE_LEFT] = node->side[QUEUE_LEFT];
        heir->side[QUEUE_LEFT]->up = heir;
        heir->height = node->height;
        heir->masks = node->masks;
        least = heir;
    } else {
        /* heir is the only child */
    }
    queue_replace(queue, node->up, node, heir);
    queue_settle(queue, from, least);
}

struct queue_node *queue_first(const struct queue *queue, uint64_t mask)
{
    struct queue_node *node = queue->root;

    /* Where none below suits, this ends at once; else what is gone down to holds one that does. */
    while ((node != NULL) && ((node->masks & mask) != 0u)) {
        struct queue_node *const left = node->side[QUEUE_LEFT];

        if ((queue_masks(left) & mask) != 0u) {
            node = left;
        } else if ((node->mask & mask) != 0u) {
            return node;
        } else {
            node = node->side[QUEUE_RIGHT];
        }
    }
    return NULL;
}
