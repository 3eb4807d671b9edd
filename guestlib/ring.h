/* Messages over shared memory, from one writer to one reader; two rings make a conversation. For guests of
 * any kind: C11, freestanding, nothing but this file and ring.c.
 *
 * The other side is not trusted. Its one word is read once for each call and judged before it is used, and
 * nothing that it writes leads outside of the ring; a message is copied before the caller sees it. What it
 * says may of course be anything.
 *
 * Either side may begin anew at any time, with or without the memory being zeroed: each life of a side has a
 * number of its own (an epoch), and a position only counts while both sides have seen each other's number.
 * What was under way when a side began anew is lost; the other is told (RING_RESTARTED), once.
 *
 * In memory (little endian, 64-bit words, aligned): word 0 is the writer's, word 8 the reader's, each
 *   bits 63:48 its epoch, never 0 while it lives; 47:32 the other's epoch that it has seen; 31:0 its
 *   position, in words since both saw each other, modulo 2^32
 * and from word 16 on a power of two of words of data. A message is a word with its bytes' count and the
 * bytes, padded to whole words. Only aligned single words are accessed, so that memory mapped as device or
 * non-cacheable will do too. */
#ifndef GUESTLIB_RING_H
#define GUESTLIB_RING_H

#include <stdbool.h>
#include <stdint.h>

#define RING_HEADER_BYTES 128u /* beside data; the least ring has this and 64 bytes */

enum ring_status {
    RING_OK,
    RING_AGAIN,     /* no room, or no message: when the other side notifies, there may be */
    RING_DOWN,      /* the other side is not there, or not yet */
    RING_RESTARTED, /* the other side is there again, or this memory was zeroed: all before is lost */
    RING_BROKEN     /* the other side wrote nonsense: as if it had restarted; or the message is too long */
};

/* notify and ctx are the user's, set before ring_open(); the rest is ring.c's. */
struct ring {
    void (*notify)(void *ctx); /* tells the other side to look (an event channel); NULL: it polls */
    void *ctx;
    uint64_t *shared;
    uint64_t word; /* what ours is, unless somebody else wrote there */
    uint32_t nr_words;
    uint16_t epoch;
    uint16_t seen;
    uint32_t position;
    bool writes;
    bool up;     /* both see each other */
    bool was_up; /* ... since the caller was told last */
};

/* memory: aligned to 64 bytes, at least RING_HEADER_BYTES + 64; both sides give the same number of bytes.
 * life: a number that is another one each time this side begins anew, such as its restarts or a clock's: what
 * the memory says of the last life may be gone. False: too small. */
bool ring_open(struct ring *ring, void *memory, uint64_t bytes, bool writes, uint32_t life);

/* Two rings in one window, for both directions; `first` for one of the two sides. While the window's owner is
 * down all its pages may be one and the same: the rings' words lie at different places of a page, or they
 * would see each other. */
bool ring_open_pair(struct ring *out, struct ring *in, void *memory, uint64_t bytes, bool first,
                    uint32_t life);

/* A whole message or nothing. Longer than the ring minus a word: RING_BROKEN. */
enum ring_status ring_send(struct ring *ring, const void *message, uint32_t bytes);

/* The next message, of at most `room` bytes; *bytes is its length. What is longer than that breaks the
 * ring. */
enum ring_status ring_receive(struct ring *ring, void *message, uint32_t room, uint32_t *bytes);

#endif
