/* bulkhead-image: what its files share. All messages go to stderr. */
#ifndef BULKHEAD_IMAGE_TOOL_H
#define BULKHEAD_IMAGE_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "config/config_fault.h"
#include "config/kimage.h"
#include "config/partition/plan_file.h"

#define TOOL_NAME        "bulkhead-image"
#define INCLUDE_DIRS_MAX 32u
#define TOOL_MODULES_MAX (3u * HV_DOMAINS_MAX)

struct blob {
    uint8_t *data; /* from malloc */
    size_t bytes;
};

struct options {
    const char *board;
    const char *system;
    const char *hypervisor;
    const char *output;
    const char *port;      /* whose rules, where no hypervisor tells; NULL: this tool's */
    const char *report;    /* prefix of the partition report's files */
    uint64_t load_address; /* where a loader puts the image; 0 = 2 MiB above the start of memory */
    const char *include_dir[INCLUDE_DIRS_MAX];
    size_t nr_include_dirs;
    enum plan_digest digest; /* of modules whose node has none */
    bool check;
    bool merge;
};

/* A file's contents that one or more module nodes carry in `data`. */
struct content {
    const uint8_t *data; /* in the system's tree */
    uint64_t bytes;
    uint64_t align;  /* of its place behind the hypervisor's first byte */
    uint64_t offset; /* from the payload header */
    uint8_t digest[PLAN_DIGEST_MAX];
    uint32_t digest_bytes; /* 0 = none */
};

struct contents {
    struct content item[TOOL_MODULES_MAX];
    uint32_t nr_items;
    enum plan_digest digest; /* which one the items have */
    uint64_t end;            /* offset behind the last one */
};

/* -- files.c: false after a message -- */
bool file_read(const char *path, struct blob *out);
/* all or nothing: an older file of that name stays until the new one is complete */
bool file_write(const char *path, const struct blob *blob);
/* A device tree from a DTB or, through dtc, from source. */
bool tree_read(const char *path, const struct options *options, struct blob *out);
void *memory_get(size_t bytes);
/* Becomes the tool of that port, which lies beside this one. Comes back only after a message. */
void tool_become(const char *port, char **argv);

/* -- merge.c -- */
/* Lays the system over the board: its properties replace those of the same name in nodes of the same path,
 * its other properties and nodes are added. With contents, `data` of a module becomes its place in the
 * payload and its digest. False after a message, or when the system counts cells otherwise than the board:
 * these faults are reported. */
bool trees_merge(const struct dt_index *board, const struct dt_index *system, const struct contents *contents,
                 struct config_report *report, struct blob *out);
/* Collects `data` of all modules, equal ones once. */
void contents_collect(const struct dt_index *system, enum plan_digest digest, struct contents *out);
/* Gives each its place behind `start`, an offset from the payload header, which is behind own_bytes. */
void contents_place(struct contents *contents, uint64_t start, uint64_t own_bytes);
const struct content *contents_find(const struct contents *contents, const uint8_t *data, uint64_t bytes);

/* -- digest.c -- */
const char *digest_property(enum plan_digest kind);
/* Answers how many bytes it has. */
uint32_t digest_make(enum plan_digest kind, const uint8_t *data, uint64_t bytes,
                     uint8_t out[PLAN_DIGEST_MAX]);
/* A fault unless the module, which has a digest, has the one of these data. */
void digest_check(struct config_report *report, const struct plan_module *module, const uint8_t *data);

/* -- kernel.c -- */
/* Reports what was disliked about a domain's kernel:
 *   /chosen/domU1/module@4a000000: kernel: found ..., expected ... */
void kimage_fault(struct config_report *report, const struct plan_domain *domain, const struct kimage *image);

/* False and a fault if the domain's memory cannot hold kernel and ramdisk. memory_bytes 0 (a gzip) passes. */
bool kimage_fits(struct config_report *report, const struct plan *plan, const struct plan_domain *domain,
                 struct kimage *image);

/* -- pack.c -- */
/* The size that a hypervisor image takes with .bss, rounded up to PAYLOAD_ALIGN; 0 after a message. */
uint64_t hypervisor_bytes(const char *path, const struct blob *image);
/* The port that it is of; NULL: it is none of ours. */
const char *hypervisor_port(const struct blob *image);
/* The address that such an image is linked for; 0: it runs anywhere. */
uint64_t hypervisor_place(const struct blob *image);
/* The whole file. own_bytes as above; the tree, or the plan in its stead, goes tree_offset behind the payload
 * header. */
void image_pack(const struct blob *hypervisor, uint64_t own_bytes, const struct blob *tree,
                uint64_t tree_offset, const struct contents *contents, struct blob *out);

/* -- static.c -- */
/* What profile the image is of; magic 0: the full one. False after a message. */
bool profile_find(const char *path, const struct blob *image, struct plan_profile *out);
/* Faults for all that is in the plan and not in the profile. */
void profile_check(const struct plan_profile *profile, const struct plan *plan, struct config_report *report);
/* The plan as a file; no bytes: it does not fit. */
void plan_pack(const struct plan *plan, hpa_t image_base, size_t room, struct blob *out);

/* -- partition/partition.c -- */
struct partition_job {
    const char *system;
    const char *board;
    const struct plan *plan;
    const struct config_env *env;
    const struct dt_index *index; /* of the merged tree */
    uint64_t own_bytes;           /* as above */
    uint64_t tree_bytes; /* of what the image has at env->tree_base: the tree, or a static profile's plan */
    bool nominal;        /* own_bytes is assumed */
};
/* Writes PREFIX.txt, .json and .html. False after a message: a file cannot be written, or the proof fails. */
bool partition_report(const struct partition_job *job, const char *prefix);

/* -- report.c -- */
/* The host and each domain, on stdout. */
void plan_print(const struct options *options, const struct plan *plan);

#endif
