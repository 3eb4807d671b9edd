/* [impl->req~ring-library~1] */
#include "ring.h"

#include <stddef.h>

#define WORD_WRITER 0u
#define WORD_READER 8u
#define WORD_DATA   16u
#define WORD_BYTES  8u

#define SECOND_OFFSET 256u /* of a pair's second ring, beside whole pages */

static uint64_t *own_word(const struct ring *ring)
{
    return &ring->shared[ring->writes ? WORD_WRITER : WORD_READER];
}

static uint64_t word_of(uint16_t epoch, uint16_t seen, uint32_t position)
{
    return ((uint64_t)epoch << 48u) | ((uint64_t)seen << 32u) | position;
}

static uint16_t after(uint16_t epoch)
{
    const uint16_t next = (uint16_t)(epoch + 1u);

    return (next == 0u) ? 1u : next;
}

static void tell(const struct ring *ring)
{
    if (ring->notify != NULL) {
        ring->notify(ring->ctx);
    }
}

/* Everything that was written or read before is so for who sees this. In one order with other_position(). */
static void publish(struct ring *ring)
{
    ring->word = word_of(ring->epoch, ring->seen, ring->position);
    __atomic_store_n(own_word(ring), ring->word, __ATOMIC_SEQ_CST);
}

static void begin(struct ring *ring, uint16_t before)
{
    ring->epoch = after(before);
    ring->seen = 0u;
    ring->position = 0u;
    ring->up = false;
}

bool ring_open(struct ring *ring, void *memory, uint64_t bytes, bool writes, uint32_t life)
{
    const uint64_t words = (bytes >= RING_HEADER_BYTES) ? ((bytes - RING_HEADER_BYTES) / WORD_BYTES) : 0u;

    ring->shared = memory;
    ring->nr_words = 8u;
    while ((ring->nr_words < 0x40000000u) && (((uint64_t)ring->nr_words * 2u) <= words)) {
        ring->nr_words *= 2u;
    }
    ring->writes = writes;
    ring->was_up = false;
    if (words < ring->nr_words) {
        return false;
    }
    begin(ring, (uint16_t)((__atomic_load_n(own_word(ring), __ATOMIC_RELAXED) >> 48u) + life));
    publish(ring);
    tell(ring);
    return true;
}

bool ring_open_pair(struct ring *out, struct ring *in, void *memory, uint64_t bytes, bool first,
                    uint32_t life)
{
    const uint64_t half = (bytes / 2u) & ~(uint64_t)(SECOND_OFFSET - 1u);
    const uint64_t least = (half > SECOND_OFFSET) ? (half - SECOND_OFFSET) : 0u;
    uint64_t *const second = &((uint64_t *)memory)[(half + SECOND_OFFSET) / WORD_BYTES];

    return ring_open(out, first ? memory : second, least, true, life) &&
           ring_open(in, first ? second : memory, least, false, life);
}

static uint64_t *other_word(const struct ring *ring)
{
    return &ring->shared[ring->writes ? WORD_READER : WORD_WRITER];
}

/* Looks at the other side once: who it is, and where. RING_OK: the position in *theirs is good for as long as
 * nobody looks again. */
static enum ring_status look(struct ring *ring, uint64_t *theirs)
{
    uint16_t epoch;

    if (__atomic_load_n(own_word(ring), __ATOMIC_RELAXED) != ring->word) {
        begin(ring, ring->epoch); /* the memory was zeroed, or spoilt */
    }
    *theirs = __atomic_load_n(other_word(ring), __ATOMIC_ACQUIRE);
    epoch = (uint16_t)(*theirs >> 48u);
    if (epoch != ring->seen) {
        ring->seen = epoch;
        ring->position = 0u;
        ring->up = false;
    }
    if (ring->word != word_of(ring->epoch, ring->seen, ring->position)) {
        publish(ring);
        tell(ring);
    }
    if ((epoch == 0u) || ((uint16_t)(*theirs >> 32u) != ring->epoch)) {
        ring->up = false;
        return RING_DOWN;
    }
    if (!ring->up) {
        const bool again = ring->was_up;

        ring->up = true;
        ring->was_up = true;
        return again ? RING_RESTARTED : RING_OK;
    }
    return RING_OK;
}

/* What was read since the look was the other side's: this memory is what it was, and so is who writes it. */
static bool still(const struct ring *ring, uint64_t theirs)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return (__atomic_load_n(own_word(ring), __ATOMIC_RELAXED) == ring->word) &&
           ((__atomic_load_n(other_word(ring), __ATOMIC_RELAXED) >> 32u) == (theirs >> 32u));
}

static enum ring_status broken(struct ring *ring)
{
    begin(ring, ring->epoch);
    publish(ring);
    tell(ring);
    ring->was_up = false; /* told by this */
    return RING_BROKEN;
}

static uint64_t *data(const struct ring *ring, uint32_t position)
{
    return &ring->shared[WORD_DATA + (position & (ring->nr_words - 1u))];
}

/* The bytes of a word that a message has of it: all, or what is left. */
static uint32_t in_word(uint32_t bytes, uint32_t done)
{
    return ((bytes - done) < WORD_BYTES) ? (bytes - done) : WORD_BYTES;
}

static void put_words(struct ring *ring, const uint8_t *from, uint32_t bytes)
{
    __atomic_store_n(data(ring, ring->position), bytes, __ATOMIC_RELAXED);
    ring->position++;
    for (uint32_t done = 0u; done < bytes; done += WORD_BYTES) {
        uint64_t word = 0u;

        for (uint32_t i = 0u; i < in_word(bytes, done); i++) {
            word |= (uint64_t)from[done + i] << (8u * i);
        }
        __atomic_store_n(data(ring, ring->position), word, __ATOMIC_RELAXED);
        ring->position++;
    }
}

static void get_words(struct ring *ring, uint8_t *to, uint32_t bytes)
{
    for (uint32_t done = 0u; done < bytes; done += WORD_BYTES) {
        const uint64_t word = __atomic_load_n(data(ring, ring->position), __ATOMIC_RELAXED);

        for (uint32_t i = 0u; i < in_word(bytes, done); i++) {
            to[done + i] = (uint8_t)(word >> (8u * i));
        }
        ring->position++;
    }
}

/* Where the other side is after our word went out: one of the two sees the other's word. */
static uint32_t other_position(const struct ring *ring)
{
    return (uint32_t)__atomic_load_n(other_word(ring), __ATOMIC_SEQ_CST);
}

enum ring_status ring_send(struct ring *ring, const void *message, uint32_t bytes)
{
    const uint64_t need = 1u + (((uint64_t)bytes + (WORD_BYTES - 1u)) / WORD_BYTES);
    uint64_t theirs = 0u;
    const enum ring_status status = look(ring, &theirs);
    const uint32_t tail = (uint32_t)theirs;
    const uint32_t before = ring->position;

    if (need > ring->nr_words) {
        return RING_BROKEN;
    }
    if (status != RING_OK) {
        return status;
    }
    if ((ring->position - tail) > ring->nr_words) {
        return broken(ring);
    }
    if (need > (ring->nr_words - (ring->position - tail))) {
        return RING_AGAIN;
    }
    put_words(ring, message, bytes);
    publish(ring);
    if (other_position(ring) == before) { /* it had read all: it may sleep */
        tell(ring);
    }
    return RING_OK;
}

enum ring_status ring_receive(struct ring *ring, void *message, uint32_t room, uint32_t *bytes)
{
    uint64_t theirs = 0u;
    const enum ring_status status = look(ring, &theirs);
    const uint32_t head = (uint32_t)theirs;
    const uint32_t begin_at = ring->position;
    const uint32_t ready = head - begin_at;
    uint64_t length;
    bool good;

    *bytes = 0u;
    if (status != RING_OK) {
        return status;
    }
    if (ready == 0u) {
        return RING_AGAIN;
    }
    length = __atomic_load_n(data(ring, begin_at), __ATOMIC_RELAXED);
    good = (ready <= ring->nr_words) && (length <= room) &&
           (((length + (WORD_BYTES - 1u)) / WORD_BYTES) <= (ready - 1u));
    if (good) {
        ring->position++;
        get_words(ring, message, (uint32_t)length);
    }
    if (!still(ring, theirs)) {
        ring->position = begin_at; /* the next look will tell */
        return RING_DOWN;
    }
    if (!good) {
        return broken(ring);
    }
    publish(ring);
    *bytes = (uint32_t)length;
    /* It may wait for room: at the latest when all is read, and when half of it is free. */
    if ((other_position(ring) == ring->position) ||
        ((ready > (ring->nr_words / 2u)) && ((head - ring->position) <= (ring->nr_words / 2u)))) {
        tell(ring);
    }
    return RING_OK;
}
