/* Memory and string functions for the bare machine. Words are 64 bit, up to eight a turn. */
#include "lib/string.h"

#include <stdbool.h>
#include <stdint.h>

#if defined(__GNUC__) && !defined(__clang__)
/* GCC would recognise these loops as memcpy and memset and call the function from within itself. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

#define WORD_BYTES  8u
#define BLOCK_BYTES 64u
#define BLOCK_WORDS 8u
#define ONES_BYTES  0x0101010101010101ULL

/* may_alias: these functions see every object as words, whatever its type is. */
typedef uint64_t __attribute__((may_alias)) word_t;

/* A word at any address; the compiler takes it byte by byte where the port does not allow unaligned ones. */
struct loose_word {
    uint64_t v;
} __attribute__((packed, may_alias));

static bool word_aligned(const uint8_t *p)
{
    return ((uintptr_t)p & (WORD_BYTES - 1u)) == 0u;
}

/* Copies upwards. Loads of a block come before its stores, so overlap is harmless as long as dst is below
 * src. */
static void copy_up(uint8_t *dst, const uint8_t *src, size_t bytes)
{
    void *const to = dst;
    const void *const from = src;
    struct loose_word *d = to;
    const struct loose_word *s = from;

    for (size_t blocks = bytes / BLOCK_BYTES; blocks > 0u; blocks--) {
        const uint64_t w0 = s[0].v;
        const uint64_t w1 = s[1].v;
        const uint64_t w2 = s[2].v;
        const uint64_t w3 = s[3].v;
        const uint64_t w4 = s[4].v;
        const uint64_t w5 = s[5].v;
        const uint64_t w6 = s[6].v;
        const uint64_t w7 = s[7].v;

        d[0].v = w0;
        d[1].v = w1;
        d[2].v = w2;
        d[3].v = w3;
        d[4].v = w4;
        d[5].v = w5;
        d[6].v = w6;
        d[7].v = w7;
        d = &d[BLOCK_WORDS];
        s = &s[BLOCK_WORDS];
    }
    for (size_t words = (bytes % BLOCK_BYTES) / WORD_BYTES; words > 0u; words--) {
        d->v = s->v;
        d++;
        s++;
    }
    for (size_t done = bytes - (bytes % WORD_BYTES); done < bytes; done++) {
        dst[done] = src[done];
    }
}

static void copy_down(uint8_t *dst, const uint8_t *src, size_t bytes)
{
    size_t left = bytes;

    for (; left >= WORD_BYTES; left -= WORD_BYTES) {
        void *const to = &dst[left - WORD_BYTES];
        const void *const from = &src[left - WORD_BYTES];
        struct loose_word *const d = to;
        const struct loose_word *const s = from;

        d->v = s->v;
    }
    while (left > 0u) {
        left--;
        dst[left] = src[left];
    }
}

void *memcpy(void *dst, const void *src, size_t bytes)
{
    copy_up(dst, src, bytes);
    return dst;
}

void *memmove(void *dst, const void *src, size_t bytes)
{
    const uint8_t *const d = dst;
    const uint8_t *const s = src;

    if ((uintptr_t)d <= (uintptr_t)s) {
        copy_up(dst, src, bytes);
    } else {
        copy_down(dst, src, bytes);
    }
    return dst;
}

void *memset(void *dst, int value, size_t bytes)
{
    uint8_t *const d = dst;
    struct loose_word *w = dst;
    const uint8_t byte = (uint8_t)((uint32_t)value & 0xFFu);
    const uint64_t word = ONES_BYTES * byte;

    for (size_t blocks = bytes / BLOCK_BYTES; blocks > 0u; blocks--) {
        w[0].v = word;
        w[1].v = word;
        w[2].v = word;
        w[3].v = word;
        w[4].v = word;
        w[5].v = word;
        w[6].v = word;
        w[7].v = word;
        w = &w[BLOCK_WORDS];
    }
    for (size_t words = (bytes % BLOCK_BYTES) / WORD_BYTES; words > 0u; words--) {
        w->v = word;
        w++;
    }
    for (size_t done = bytes - (bytes % WORD_BYTES); done < bytes; done++) {
        d[done] = byte;
    }
    return dst;
}

int memcmp(const void *left, const void *right, size_t bytes)
{
    const uint8_t *const l = left;
    const uint8_t *const r = right;
    size_t i = 0;
    int order = 0;

    if (word_aligned(l) && word_aligned(r)) {
        const word_t *const lw = left;
        const word_t *const rw = right;

        while (((bytes - i) >= WORD_BYTES) && (lw[i / WORD_BYTES] == rw[i / WORD_BYTES])) {
            i += WORD_BYTES;
        }
    }
    while ((i < bytes) && (l[i] == r[i])) {
        i++;
    }
    if (i < bytes) {
        order = (l[i] < r[i]) ? -1 : 1;
    }
    return order;
}

/* Whether one of the word's bytes is zero. */
static bool word_has_zero(uint64_t word)
{
    return ((word - ONES_BYTES) & ~word & (ONES_BYTES << 7u)) != 0u;
}

/* All of the bytes may be read: unlike strnlen()'s. */
void *memchr(const void *data, int value, size_t bytes)
{
    const uint8_t *const d = data;
    const uint8_t byte = (uint8_t)((uint32_t)value & 0xFFu);
    const uint64_t pattern = ONES_BYTES * byte;
    size_t i = 0;
    bool found = false;

    while (((bytes - i) >= WORD_BYTES) && !found) {
        const void *const at = &d[i];
        const struct loose_word *const word = at;

        found = word_has_zero(word->v ^ pattern);
        i += found ? 0u : WORD_BYTES;
    }
    while ((i < bytes) && (d[i] != byte)) {
        i++;
    }
    return (i < bytes) ? (void *)(uintptr_t)&d[i] : NULL;
}

size_t strlen(const char *text)
{
    size_t n = 0;

    while (text[n] != '\0') {
        n++;
    }
    return n;
}

size_t strnlen(const char *text, size_t limit)
{
    size_t n = 0;

    while ((n < limit) && (text[n] != '\0')) {
        n++;
    }
    return n;
}

char *strchr(const char *text, int wanted)
{
    return memchr(text, wanted, strlen(text) + 1u);
}

char *strrchr(const char *text, int wanted)
{
    const char byte = (char)wanted;
    size_t n = strlen(text) + 1u;

    while ((n > 0u) && (text[n - 1u] != byte)) {
        n--;
    }
    return (n > 0u) ? (char *)(uintptr_t)&text[n - 1u] : NULL;
}

int strcmp(const char *left, const char *right)
{
    size_t i = 0;
    int order = 0;

    while ((left[i] == right[i]) && (left[i] != '\0')) {
        i++;
    }
    if (left[i] != right[i]) {
        order = ((uint8_t)left[i] < (uint8_t)right[i]) ? -1 : 1;
    }
    return order;
}
