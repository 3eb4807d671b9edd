/* Shared by the files of build/ only. */
#ifndef BUILD_BUILDER_H
#define BUILD_BUILDER_H

#include "base/log.h"
#include "build/build.h"
#include "config/partition/layout.h"
#include "hal/hypmap.h"
#include "lib/string.h"
#include "sched/work.h"
#include "vdev/vpl011.h"
#include "vdev/watchdog.h"

/* What is longer than this is done in pieces, with work_breathe() in between. */
#define BUILD_PIECE_BYTES   (256u * 1024u)
#define BUILD_SECTION_BYTES (2u * 1024u * 1024u) /* what modules are aligned to in guest memory */

/* The work of taking a domain down and of making it anew. */
struct build_stop {
    struct work work; /* first */
    struct domain *domain;
};

/* Restarts of one second, counted from boot. */
struct build_second {
    uint32_t at;
    uint32_t restarts;
};

#define BUILD_SECONDS 61u /* the seconds that any minute before now touches */

/* A domain with everything build/ keeps about it. */
struct build_slot {
    struct domain domain; /* first */
    struct vpl011 uart;
    struct watchdog watchdog;
    struct build_stop stop;
    bool stuck; /* a vCPU did not leave its CPU, a device may still write: nothing may be taken away or built
                     again */
    bool ordered; /* domain.power_request is the operator's; under the domain's lock */
    struct build_second second[BUILD_SECONDS]; /* by second modulo BUILD_SECONDS */
    struct vcpu *vcpus;                        /* the array behind domain.vcpu[] */
    const struct plan_domain *as_planned;      /* a spare one: what it is made from ... */
    struct plan_domain *own;                   /* ... and what it is in this life, domain.plan */
    uint64_t again_ns;                         /* ... and before this nobody, if that has failed */
    uint32_t nr_joined;                        /* vCPUs that the scheduler knows */
    struct block_set blocks;                   /* of one that tools make: domain.blocks */
    bool has_map;                              /* hal_domain_init() succeeded */
    /* What of the kernel's module became memory of the domain, which therefore has one life only; bytes 0 =
     * nothing */
    struct range in_place;
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

static inline struct build_slot *build_slot_of(struct domain *domain)
{
    return (struct build_slot *)(void *)domain;
}

/* Its kernel was consumed: it is not built again. */
static inline bool build_is_spent(struct domain *domain)
{
    return build_slot_of(domain)->in_place.bytes != 0u;
}

/* -- build_prepare.c -- */
/* The plan of build_setup() */
const struct plan *build_plan(void);
/* Who has plan.offer[] now, by its index; PLAN_NO_DOMAIN */
uint32_t build_offer_owner(uint32_t offer);
/* Who has what the plan says is of this index: a domain, or a device that it offers; PLAN_NO_DOMAIN. */
uint32_t build_owner(uint8_t index);
static inline bool build_is_its(const struct domain *domain, uint8_t index)
{
    return build_owner(index) == domain->index;
}
/* The CPUs that are online on which a vCPU may run; 0 = none. */
uint64_t build_affinity(const struct plan_domain *plan, uint32_t index);
/* Waits until one is free: as long as other CPUs' builds take. */
struct build_workspace *build_workspace_take(void);
void build_workspace_give(struct build_workspace *workspace);

/* -- build_spare.c -- */
/* What a place for a domain of tools is prepared for */
const struct plan_domain *build_spare_plan(const struct plan *plan);
/* The work of one that is to be made, shut down or ended. Worker context. */
void build_spare_run(struct domain *domain);

/* -- build_memory.c: worker context -- */
/* Boot. HV_NO_MEMORY. */
HV_MUST_CHECK enum hv_status build_memory_setup(const struct plan *plan);
/* Of heap, for that */
uint64_t build_memory_pages(const struct plan *plan);
/* Zeroes host memory, for who looks with caches off too. Long; breathes. */
void build_scrub(hpa_t base, uint64_t bytes);
/* Takes its memory from the host's, or keeps what it has from its last life. Zero either way. A domain that
 * tools make (plan->spare) has none at first: domain->blocks, which they fill. */
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
HV_MUST_CHECK enum hv_status build_copy(const struct domain *domain, gpa_t to, const struct range *from);

/* -- build_image.c: worker context -- */
/* Kernel, ramdisk and device tree into guest memory; sets entry and tree of the slot. A failure is logged. */
HV_MUST_CHECK enum hv_status build_image(struct domain *domain);

/* The blocks of the kernel's module that may become the domain's memory as they lie. False: there are
 * none. */
bool build_in_place(struct domain *domain, struct domain_chunk *chunk);

/* -- build_digest.c: worker context -- */
/* Are the modules still what their digests say? A module without a digest is taken as it is.
 * HV_CORRUPT with a log line. Long; breathes. */
HV_MUST_CHECK enum hv_status build_check_modules(const struct domain *domain);

/* -- build_devices.c -- */
/* The emulated devices of the plan, all reset. */
HV_MUST_CHECK enum hv_status build_devices(struct domain *domain);
void build_devices_undo(struct domain *domain);

/* -- partition/links.c -- */
/* Boot: memory for regions that have no place. HV_NO_MEMORY with a log line. The plan stays. */
HV_MUST_CHECK enum hv_status build_links_setup(const struct plan *plan);
/* The domain's windows on shared memory; what it owns is scrubbed and given to its borrowers, whoever runs.
 * Worker context. */
HV_MUST_CHECK enum hv_status build_links(struct domain *domain);
/* What others have of it leads to zero pages of their own on return. No vCPU of the domain is on a CPU. */
void build_links_undo(struct domain *domain);
/* The plan's i-th use of shared memory; NULL: it is another domain's, or there are no more. */
const struct plan_shm_use *build_link(const struct domain *domain, uint32_t i);
/* Its region's name */
const char *build_link_id(const struct plan_shm_use *use);
/* The name of the region whose memory is at `at`, also of one without a place in the plan */
const char *build_region_id(hpa_t at);

/* -- partition/build_store.c -- */
/* The domain's rings to its servers appear in its map, and its parameters say so. Worker context. */
HV_MUST_CHECK enum hv_status build_store(struct domain *domain);
/* Where the domain's map has its ring to tools that have its console, if there is one */
uint64_t build_console_gfn(const struct domain *domain);
/* The xenstore domain hears that a domain came or went. No lock above LOCK_BUILD held. */
void build_tell(void);

/* -- partition/build_streams.c -- */
/* Attaches the plan's streams to the domain's map, which is complete. A failure is logged. */
HV_MUST_CHECK enum hv_status build_streams(struct domain *domain);
/* Detaches them. The domain is stuck if an IOMMU does not confirm it. */
void build_streams_undo(struct domain *domain);

/* -- build_domain.c -- */
/* build_domain() of one that is DOMAIN_BUILDING already. */
HV_MUST_CHECK enum hv_status build_phases(struct domain *domain);

/* -- build_stop.c -- */
void build_stop_setup(struct build_slot *slot);
/* Lock held: all that is left of its last life is forgotten, it is DOMAIN_BUILDING. */
void build_begin(struct domain *domain);
/* Its vCPUs leave their CPUs; on return none will come back. False: they do not, it is stuck. Worker
 * context. */
bool build_quiet(struct domain *domain);
void build_vcpus_off(struct domain *domain);
/* What became of it, in the log */
void build_log_end(const struct domain *domain, enum hal_power_request request, const char *why);
/* Queues the work for a domain that has just become DOMAIN_STOPPING, or DOMAIN_BUILDING again. */
void build_stop_queue(struct domain *domain);
static inline bool build_is_down(enum domain_state state)
{
    return (state == DOMAIN_STOPPED) || (state == DOMAIN_CRASHED) || (state == DOMAIN_FAILED);
}

#endif
