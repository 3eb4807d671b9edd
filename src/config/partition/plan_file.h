/* A plan made at the desk, as it is packed into an image of the static profile: this header, the plan as it
 * lies in memory up to its last domain, and the strings that it names. Both ends are built from the same
 * plan.h; PLAN_LAYOUT tells if they were not. Pure code, used by the tool (writing) and the hypervisor
 * (reading). */
#ifndef CONFIG_PARTITION_PLAN_FILE_H
#define CONFIG_PARTITION_PLAN_FILE_H

#include "config/plan.h"

#define PLAN_FILE_MAGIC 0x4E414C504B4C5542ULL /* "BULKPLAN" */

/* Differs whenever a plan of another version of plan.h would be misread. */
#define PLAN_SIZE(type)        ((uint32_t)sizeof(type))
#define PLAN_PLACE(type, name) ((uint32_t)offsetof(type, name))
#define PLAN_LAYOUT                                                                                          \
    ((PLAN_SIZE(struct plan) * 1009u) + (PLAN_PLACE(struct plan, host) * 509u) +                             \
     (PLAN_PLACE(struct plan, static_mem) * 257u) + (PLAN_PLACE(struct plan, domain) * 127u) +               \
     (PLAN_SIZE(struct plan_domain) * 61u) + (PLAN_PLACE(struct plan_domain, kernel) * 31u) +                \
     (PLAN_PLACE(struct plan_domain, bootargs) * 17u) + (PLAN_SIZE(struct plan_window) * 7u) +               \
     (PLAN_SIZE(struct plan_line) * 5u) + (PLAN_SIZE(struct plan_stream) * 3u) +                             \
     (PLAN_SIZE(struct plan_pci) * 11u) + (PLAN_PLACE(struct plan, minor) * 13u) +                           \
     (PLAN_SIZE(struct plan_pool) * 19u) + (PLAN_SIZE(struct plan_minor) * 23u))

/* Lies in an image of the static profile, aligned to 8 bytes: how the tool knows it. */
#define PLAN_PROFILE_MAGIC 0x544154534B4C5542ULL /* "BULKSTAT" */
struct plan_profile {
    uint64_t magic;
    uint32_t layout;
    uint32_t gic_version; /* the only one that it drives; 0: any */
    uint32_t parts;       /* PART_... that it has */
    uint32_t zero;
};

struct plan_file {
    uint64_t magic;
    uint32_t layout;
    uint32_t crc; /* CRC-32C of all that follows this header */
    uint64_t bytes;
    uint64_t image_base; /* where the image was taken to lie: modules' places are true only there */
};

_Static_assert(sizeof(struct plan_file) == 32u, "the layout is a file format");
_Static_assert((PLAN_SIZE(struct plan_line) == 24u) && (PLAN_SIZE(struct plan_module) == 64u),
               "a string's offset takes the place of its address, 8 bytes on every port");

/* Writes header, plan and strings to `out` but for the CRC. The bytes written; 0: there is no room for
 * them. */
uint64_t plan_file_write(const struct plan *plan, hpa_t image_base, uint8_t *out, uint64_t room);

/* Reads what lies at `file`, of which `bytes` are readable and stay for good: strings are not copied. The CRC
 * is the caller's affair. HV_NOT_FOUND: no magic; HV_CORRUPT otherwise, with *plan all zero. */
HV_MUST_CHECK enum hv_status plan_file_read(const uint8_t *file, uint64_t bytes, struct plan_file *header,
                                            struct plan *plan);

#endif
