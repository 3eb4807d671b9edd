/* Things in order, of which some suit a caller: an AVL tree (depth at most 1.44 log2 n) in which every node
 * knows what all below it are good for. No memory of its own; the caller serialises. A node that is not in a
 * queue may hold anything; its owner knows whether it is. */
#ifndef LIB_QUEUE_H
#define LIB_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_node {
    /* set by the owner before it goes in, and not changed while it is in */
    uint32_t rank;
    uint64_t key;  /* lower (rank, key) comes first, equal ones as they came */
    uint64_t mask; /* what it is good for */
    /* the queue's */
    uint32_t height; /* of the tree below and with it: 1 for a leaf */
    uint64_t masks;  /* of it and all below */
    struct queue_node *up;
    struct queue_node *side[2];
};

struct queue {
    struct queue_node *root; /* NULL: empty */
};

/* Whether a comes before b: not so if they are equal. */
static inline bool queue_before(const struct queue_node *a, const struct queue_node *b)
{
    return (a->rank < b->rank) || ((a->rank == b->rank) && (a->key < b->key));
}

/* All O(log n). */
void queue_insert(struct queue *queue, struct queue_node *node);
/* The node is in this queue. */
void queue_remove(struct queue *queue, struct queue_node *node);
/* The first one whose mask has a bit of `mask`, or NULL. */
struct queue_node *queue_first(const struct queue *queue, uint64_t mask);

#endif
