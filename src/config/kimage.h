/* What kind of kernel a module holds, learnt from its first bytes. Pure; used by the builder of domains
 * and by the tool. */
#ifndef CONFIG_KIMAGE_H
#define CONFIG_KIMAGE_H

#include "config/config.h"

enum kimage_kind {
    KIMAGE_NONE,
    KIMAGE_ARM64,  /* Image of Linux's booting.rst: goes to bank 0 + text_offset, entered at its first byte */
    KIMAGE_ZIMAGE, /* of Linux's arm/booting.rst: below bank 0 + 128 MiB, entered at its first byte */
    KIMAGE_GZIP,   /* inflate, then look again */
    KIMAGE_FLAT,   /* placed bytes: in a uImage, or as the module's properties say */
    KIMAGE_ELF     /* an executable: its parts go where they say */
};

/* A uImage is taken off: what is described is what it wraps. */
struct kimage {
    enum kimage_kind kind;
    bool uimage;
    bool is_32bit;           /* code for the 32-bit form of the architecture */
    bool placed;             /* load_base and entry count */
    uint64_t payload_offset; /* in the module */
    uint64_t payload_bytes;  /* to copy or to inflate from; a module may be longer than that */
    uint64_t text_offset;    /* KIMAGE_ARM64: from the start of memory bank 0 */
    uint64_t memory_bytes;   /* needed from the load address on, with .bss; KIMAGE_GZIP: not known, 0 */
    uint64_t load_base;      /* guest physical */
    uint64_t entry;          /* bit 0: Thumb code, of a 32-bit guest */
    const char *found;       /* after a failure: the words for the sentence */
    const char *expected;
};

/* From the module's first KIMAGE_HEAD_BYTES (all, if it is shorter); bytes: the whole module's. HV_OK,
 * HV_CORRUPT (damaged) or HV_NOT_SUPPORTED (another format). */
#define KIMAGE_HEAD_BYTES 512u
HV_MUST_CHECK enum hv_status kimage_parse_head(const uint8_t *data, uint64_t bytes, struct kimage *out);

/* The same of a domain's kernel, which the plan may place as it is. */
HV_MUST_CHECK enum hv_status kimage_parse_kernel(const struct plan_domain *domain, const uint8_t *data,
                                                 struct kimage *out);

/* A piece of a KIMAGE_ELF */
struct kimage_part {
    uint64_t offset; /* in the module */
    uint64_t bytes;
    uint64_t at; /* guest physical */
};

/* Part i of a KIMAGE_ELF that was found good, from the module's first bytes again; bytes 0: nothing to copy.
 * False: there are no more. */
bool kimage_part(const uint8_t *data, uint32_t i, struct kimage_part *out);

/* The end of what a kernel can reach, device tree and ramdisk included */
uint64_t kimage_reach(const struct kimage *image);

/* Where in the domain's memory a kernel goes: the first bank with the room, and the address. False: none has.
 * One that does not tell its size has room anywhere. */
bool kimage_find(const struct plan *plan, const struct plan_domain *domain, const struct kimage *image,
                 struct range *bank, uint64_t *base);

/* The same look at bytes that came out of KIMAGE_GZIP. `outer` gives the load address of a uImage around
 * them. */
HV_MUST_CHECK enum hv_status kimage_parse_inflated(const uint8_t *data, uint64_t bytes,
                                                   const struct kimage *outer, struct kimage *out);

#endif
