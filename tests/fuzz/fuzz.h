/* For all targets: the input as a stream of numbers that ends in zeros, and one way to fail. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define FUZZ_MUST(condition)                                                                                 \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                    \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

struct fuzz_input {
    const uint8_t *data;
    size_t left;
};

static inline uint8_t fuzz_u8(struct fuzz_input *in)
{
    uint8_t value = 0u;

    if (in->left > 0u) {
        value = *in->data;
        in->data++;
        in->left--;
    }
    return value;
}

static inline uint64_t fuzz_bytes(struct fuzz_input *in, uint32_t count)
{
    uint64_t value = 0u;

    for (uint32_t i = 0u; i < count; i++) {
        value |= (uint64_t)fuzz_u8(in) << (8u * i);
    }
    return value;
}

/* A number of any size: mostly short, so that mutations stay near each other; some are all ones but a few. */
static inline uint64_t fuzz_number(struct fuzz_input *in)
{
    const uint8_t how = fuzz_u8(in);
    const uint64_t value = fuzz_bytes(in, how & 7u) << (8u * ((how >> 3u) & 7u));

    return ((how & 0x80u) != 0u) ? ~value : value;
}

#endif
