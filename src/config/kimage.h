/* What kind of kernel a module holds, learnt from its first bytes. Pure; used by the builder of domains
 * and by the tool. */
#ifndef CONFIG_KIMAGE_H
#define CONFIG_KIMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "lib/status.h"

enum kimage_kind {
    KIMAGE_NONE,
    KIMAGE_ARM64,  /* Image of Linux's booting.rst: goes to bank 0 + text_offset, entered at its first byte */
    KIMAGE_ZIMAGE, /* of Linux's arm/booting.rst: below bank 0 + 128 MiB, entered at its first byte */
    KIMAGE_GZIP,   /* inflate, then look again */
    KIMAGE_FLAT    /* only inside a uImage: bytes that go to load_base and are entered at entry */
};

/* A uImage is taken off: what is described is what it wraps. */
struct kimage {
    enum kimage_kind kind;
    bool uimage;
    bool is_32bit;           /* code for the 32-bit form of the architecture */
    bool placed;             /* with a load address: load_base and entry count */
    uint64_t payload_offset; /* in the module */
    uint64_t payload_bytes;  /* to copy or to inflate from; a module may be longer than that */
    uint64_t text_offset;    /* KIMAGE_ARM64: from the start of memory bank 0 */
    uint64_t memory_bytes;   /* needed from the load address on, with .bss; KIMAGE_GZIP: not known, 0 */
    uint64_t inflated_hint;  /* KIMAGE_GZIP: the last four bytes; true only if nothing follows the stream */
    uint64_t load_base;      /* guest physical */
    uint64_t entry;
    const char *found; /* after a failure: the words for the sentence */
    const char *expected;
};

/* HV_OK, HV_CORRUPT (damaged) or HV_NOT_SUPPORTED (another format). */
HV_MUST_CHECK enum hv_status kimage_parse(const uint8_t *data, uint64_t bytes, struct kimage *out);

/* As kimage_parse() when only the first KIMAGE_HEAD_BYTES of the module (all, if it is shorter) can be
 * read: there is no inflated_hint. bytes: the whole module's. */
#define KIMAGE_HEAD_BYTES 128u
HV_MUST_CHECK enum hv_status kimage_parse_head(const uint8_t *data, uint64_t bytes, struct kimage *out);

/* The same look at bytes that came out of KIMAGE_GZIP. `outer` gives the load address of a uImage around
 * them. */
HV_MUST_CHECK enum hv_status kimage_parse_inflated(const uint8_t *data, uint64_t bytes,
                                                   const struct kimage *outer, struct kimage *out);

/* Reports what kimage_parse() disliked about a domain's kernel:
 *   /chosen/domU1/module@4a000000: kernel: found ..., expected ... */
void kimage_fault(struct config_report *report, const struct plan_domain *domain, const struct kimage *image);

/* False and a fault if the domain's memory cannot hold kernel and ramdisk. memory_bytes 0 (a gzip) passes. */
bool kimage_fits(struct config_report *report, const struct plan_domain *domain, const struct kimage *image);

#endif
