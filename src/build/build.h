/* A domain made and unmade, in named phases. What boot, PSCI reset and the operator share. Construction is
 * repeatable: modules stay pristine, and build_domain() works again after build_unmake(). */
#ifndef BUILD_BUILD_H
#define BUILD_BUILD_H

#include "domain/domain.h"

/* Bytes of heap that build_setup() and build_prepare() of all domains of the plan take, page multiple. */
uint64_t build_heap_bytes(const struct plan *plan);

/* Memory for as many builds at a time as there are workspaces. Boot, before the domains are prepared.
 * HV_NO_MEMORY. */
HV_MUST_CHECK enum hv_status build_setup(const struct plan *plan);

/* How many builds may run at a time; at least 1 after build_setup(). */
uint32_t build_nr_workspaces(void);

/* Allocates struct domain, vCPUs and pool of a planned domain (heap; boot only), registers its console and
 * appends it to domain_table. HV_NO_MEMORY with a log line. */
HV_MUST_CHECK enum hv_status build_prepare(const struct plan_domain *plan, struct domain **domain);

/* The same for the places of domains that tools make, behind all of the plan's. */
HV_MUST_CHECK enum hv_status build_spares_prepare(const struct plan *plan);

/* The CPUs that a vCPU may be moved to: under null those that the plan keeps for no other. */
uint64_t build_cpus(const struct plan_domain *plan, uint32_t index);

/* Does an IOMMU keep devices apart that some domain has, or may have? */
bool build_has_streams(void);

/* Runs the phases: modules, reserve (RAM, scrubbed), map, vcpu, vdev, devices, image. Worker context; long;
 * calls
 * work_breathe(). HV_BUSY: the domain is built or being built. Another failure is logged with domain and
 * phase, undone, and the domain is DOMAIN_FAILED. The caller follows with build_start(). */
HV_MUST_CHECK enum hv_status build_domain(struct domain *domain);

/* Lets vCPU 0 run from the kernel's entry, unless the operator wants the domain off by now. */
void build_start(struct domain *domain);

/* Its emulated devices learn that the domain runs from now on: started, or about to be resumed. Any
 * context. */
void build_devices_begin(struct domain *domain);

/* The domain asked for off or reset, crashed or hung: its vCPUs leave, then a work item unmakes it, and makes
 * it anew if the plan says so and its limit of restarts allows. Any context, no lock of a rank above
 * LOCK_BUILD held. Nothing happens if the domain does not run: the first of several requests counts. why:
 * constant text. */
void build_request_stop(struct domain *domain, enum hal_power_request request, const char *why);

/* The operator wants it off (HAL_DOMAIN_OFF) or made anew (HAL_DOMAIN_RESET), whatever the plan says and as
 * often as they like. The last order holds, also for a domain that is being stopped or built. Context and why
 * as above. HV_DENIED: it is down already, or cannot be made; its kernel may have run where it lay. */
HV_MUST_CHECK enum hv_status build_order(struct domain *domain, enum hal_power_request request,
                                         const char *why);

/* Its vCPUs leave their CPUs, or go on. counts: as often as it was paused; else once is enough, and it is
 * told if it is so already. False: it does not run, or that. Any context, no lock above LOCK_BUILD held. */
bool build_pause(struct domain *domain, bool paused, bool counts);

/* What tools want of a new domain, judged against what a place can have at most */
struct build_wish {
    uint32_t domid; /* 0, XEN_DOMID_SELF and above: any */
    uint8_t handle[16];
    uint32_t pool; /* sched/cpupool.h */
    uint32_t nr_vcpus;
    uint32_t nr_spis;
    uint32_t max_grant_version;
    uint32_t max_grant_frames; /* 0, for both: as the place has */
    uint32_t max_maptrack_frames;
};

/* False: a domain of the plan is still to get the memory that boot has promised it; tools' domains wait. */
bool build_has_booted(void);

/* Takes a place; a worker makes the domain, which is paused then with all its vCPUs off, or gone again if
 * that fails. Any context, no lock held. HV_EXISTS: the number is in use; HV_INVALID: no place has that
 * much; HV_LIMIT: those that have are taken; HV_NOT_FOUND: no such pool; HV_BUSY: it has no CPU;
 * HV_DENIED: it admits no more. */
HV_MUST_CHECK enum hv_status build_make(const struct build_wish *wish, struct domain **made);
/* Ends such a domain, whatever it does, by a worker, after which its number is nobody's. One of the plan is
 * stopped as by the operator, and tools do not see it until it is started again. HV_BUSY: it is under way,
 * and asked for once more is harmless; HV_OK: it is so; HV_DENIED: it does not let go. Context as above. */
HV_MUST_CHECK enum hv_status build_destroy(struct domain *domain);

/* Stops nothing by itself: no vCPU is on a CPU. Scrubs and releases what the phases took, of one
 * that restarts all but its memory. Worker context. */
void build_unmake(struct domain *domain, bool restarts);

/* Who has what the plan says is of this index, a device that it offers included; NULL: nobody. Any
 * context. */
struct domain *build_owner_of(uint8_t index);

/* The facts of docs/partition-report.md that are in force, walked from the tables that the machine uses: a
 * line each to say(), without its end. Worker context; long; breathes. */
void build_report(void (*say)(void *ctx, const char *line), void *ctx);

/* A domain that tools have made gets an emulated UART before it runs: its other end is a ring in a page of
 * ours that appears at gfn, and a port for that domain. 0, or -XEN_E... Any context. */
int64_t build_vuart(struct domain *domain, uint64_t gfn, domid_t server, uint32_t *port);

/* Powers the host off when no domain runs or will run by itself. */
void build_check_all_off(void);

#endif
