/* gzip data (RFC 1952) from host memory, piece by piece, with zlib working in a bounded arena. Worker
 * context. What follows the stream in the source is ignored: modules may be padded. */
#ifndef BUILD_INFLATE_H
#define BUILD_INFLATE_H

#include "build/builder.h"

#define INFLATE_HEAD_BYTES 64u

enum inflate_end {
    INFLATE_CUT, /* the source ended first */
    INFLATE_DAMAGED,
    INFLATE_FULL,   /* the room ended first */
    INFLATE_MEMORY, /* the workspace's arena is too small */
    INFLATE_DONE    /* the stream ended, its checksum and length are right */
};

struct inflate_sink {
    const struct domain *domain;
    gpa_t to;
    uint64_t room;    /* bytes, all of them memory of the domain */
    uint64_t written; /* found */
};

/* The first bytes only: INFLATE_FULL, or INFLATE_DONE if the stream has no more than *bytes of them. */
enum inflate_end inflate_head(struct build_workspace *workspace, const struct range *from,
                              uint8_t head[INFLATE_HEAD_BYTES], uint32_t *bytes);

/* All of it into the guest's memory, cleaned. */
enum inflate_end inflate_to(struct build_workspace *workspace, const struct range *from,
                            struct inflate_sink *sink);

#endif
