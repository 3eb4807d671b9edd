/* Shared by the files of build/ only. */
#ifndef BUILD_BUILDER_H
#define BUILD_BUILDER_H

#include "build/build.h"
#include "hal/hypmap.h"
#include "sched/work.h"
#include "vdev/vpl011.h"

/* What is longer than this is done in pieces, with work_breathe() in between. */
#define BUILD_PIECE_BYTES   (256u * 1024u)
#define BUILD_SECTION_BYTES (2u * 1024u * 1024u) /* what modules are aligned to in guest memory */

/* The work of taking a domain down. */
struct build_stop {
    struct work work; /* first */
    struct domain *domain;
};

/* A domain with everything build/ keeps about it. */
struct build_slot {
    struct domain domain; /* first */
    struct vpl011 uart;
    struct build_stop stop;
    bool stuck;         /* a vCPU did not leave its CPU: nothing may be taken away or built again */
    struct vcpu *vcpus; /* the array behind domain.vcpu[] */
    uint32_t nr_joined; /* vCPUs that the scheduler knows */
    bool has_map;       /* hal_domain_init() succeeded */
    gpa_t entry;
    gpa_t tree;
};

/* Scratch memory of one build. */
struct build_workspace {
    volatile uint32_t busy;
    uint8_t *arena; /* for inflate */
    uint32_t arena_bytes;
    uint32_t arena_used;
    void *tree; /* where the guest's device tree is put together */
    uint32_t tree_bytes;
};

/* Bytes of host memory that are only read: a module or a part of one. */
struct build_source {
    uint64_t base;
    uint64_t bytes;
};

static inline struct build_slot *build_slot_of(struct domain *domain)
{
    return (struct build_slot *)(void *)domain;
}

/* -- build_prepare.c -- */
/* The CPUs that are online on which a vCPU may run; 0 = none. */
uint64_t build_affinity(const struct plan_domain *plan, uint32_t index);
/* Waits until one is free: as long as other CPUs' builds take. */
struct build_workspace *build_workspace_take(void);
void build_workspace_give(struct build_workspace *workspace);

/* -- build_memory.c: worker context -- */
/* Bytes of the domain's memory that lie in bank i. */
uint64_t build_bank_bytes(const struct plan_domain *plan, uint32_t bank);
HV_MUST_CHECK enum hv_status build_reserve(struct domain *domain);
void build_release(struct domain *domain);
HV_MUST_CHECK enum hv_status build_map(struct domain *domain);
void build_unmap(struct domain *domain);

/* -- build_copy.c: worker context -- */
/* Opens HAL_WINDOW_WORK_DST on guest memory. NULL if `at` is no memory of the domain; else *bytes follow
 * linearly. */
void *build_window(const struct domain *domain, gpa_t at, uint64_t *bytes);
/* Both clean what they wrote to memory. HV_FAULT if the range is not all memory of the domain. */
HV_MUST_CHECK enum hv_status build_write(const struct domain *domain, gpa_t to, const void *from,
                                         uint64_t bytes);
HV_MUST_CHECK enum hv_status build_copy(const struct domain *domain, gpa_t to,
                                        const struct build_source *from);

/* -- build_image.c: worker context -- */
/* Kernel, ramdisk and device tree into guest memory; sets entry and tree of the slot. A failure is logged. */
HV_MUST_CHECK enum hv_status build_image(struct domain *domain);

/* -- build_digest.c: worker context -- */
/* Are kernel and ramdisk still what their digests say? A module without a digest is taken as it is.
 * HV_CORRUPT with a log line. Long; breathes. */
HV_MUST_CHECK enum hv_status build_check_modules(const struct domain *domain);

/* -- build_devices.c -- */
/* The emulated devices of the plan, all reset. */
HV_MUST_CHECK enum hv_status build_devices(struct domain *domain);
void build_devices_undo(struct domain *domain);

/* -- build_stop.c -- */
void build_stop_setup(struct build_slot *slot);

#endif
