/* Bits, alignment and ranges. All macros take unsigned values; shift counts are below the width. */
#ifndef LIB_BITS_H
#define LIB_BITS_H

#include <stdbool.h>
#include <stdint.h>

#define BIT32(n) ((uint32_t)1u << (n))
#define BIT64(n) (1ULL << (n))
/* bits h down to l set, 63 >= h >= l */
#define GENMASK64(h, l) ((~0ULL >> (63u - (uint32_t)(h))) & (~0ULL << (uint32_t)(l)))
#define KIB(n)          ((uint64_t)(n) << 10u)
#define MIB(n)          ((uint64_t)(n) << 20u)
#define GIB(n)          ((uint64_t)(n) << 30u)
#define ARRAY_LEN(a)    (sizeof(a) / sizeof((a)[0]))

/* A piece of an address space */
struct range {
    uint64_t base;
    uint64_t bytes;
};

/* Whether a range has any of another, none of which wraps; an empty one has nothing. */
static inline bool range_meets(const struct range *r, uint64_t base, uint64_t bytes)
{
    return (r->bytes > 0u) &&
           ((r->base <= base) ? ((base - r->base) < r->bytes) : ((r->base - base) < bytes));
}

static inline uint64_t bits_field(uint64_t value, uint32_t high, uint32_t low)
{
    return (value & GENMASK64(high, low)) >> low;
}

/* align is a power of two; up wraps to 0 only for values in the last granule of the address space */
static inline uint64_t bits_align_down(uint64_t value, uint64_t align)
{
    return value & ~(align - 1u);
}

static inline uint64_t bits_align_up(uint64_t value, uint64_t align)
{
    return (value + (align - 1u)) & ~(align - 1u);
}

/* How many bits are set. Not the compiler's builtin, which may become a call that a bare machine does not
 * have. */
static inline uint32_t bits_count32(uint32_t value)
{
    const uint32_t pairs = value - ((value >> 1u) & 0x55555555u);
    const uint32_t nibbles = (pairs & 0x33333333u) + ((pairs >> 2u) & 0x33333333u);

    return (((nibbles + (nibbles >> 4u)) & 0x0F0F0F0Fu) * 0x01010101u) >> 24u;
}

static inline uint32_t bits_count64(uint64_t value)
{
    return bits_count32((uint32_t)value) + bits_count32((uint32_t)(value >> 32u));
}

/* The number of the lowest bit of *bits, which is cleared. *bits is not 0. */
static inline uint32_t bits_take(uint32_t *bits)
{
    const uint32_t n = (uint32_t)__builtin_ctz(*bits);

    *bits &= *bits - 1u;
    return n;
}

static inline uint32_t bits_be32(const uint8_t *at)
{
    return ((uint32_t)at[0] << 24u) | ((uint32_t)at[1] << 16u) | ((uint32_t)at[2] << 8u) | (uint32_t)at[3];
}

static inline uint64_t bits_min(uint64_t a, uint64_t b)
{
    return (a < b) ? a : b;
}

static inline uint64_t bits_max(uint64_t a, uint64_t b)
{
    return (a > b) ? a : b;
}

#endif
