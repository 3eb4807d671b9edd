/* From a device tree to a plan, in two steps: one pass into an index, then checks and look-ups in the
 * index only. No hardware, no allocation: the caller gives all memory, but for one small index. The host tool
 * compiles these files unchanged. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/dtindex.h"
#include "config/plan.h"

/* Receives every fault as one finished sentence, e.g.
 *   /chosen/domU1: cpus: found 0, expected 1 to 128
 * The text is the same in tool and hypervisor and is valid during the call only. */
struct config_report {
    void (*fault)(void *ctx, const char *sentence);
    void (*note)(void *ctx,
                 const char *sentence); /* what is left out, e.g. a CPU; of both NULL = nobody listens */
    void *ctx;
    uint32_t nr_faults;           /* counted by config/ */
    const struct dt_index *index; /* set by config_index_make(): node numbers in sentences mean this tree */
    const char *within;           /* what goes before its paths; NULL: it is the system's tree */
};

struct config_env {
    hpa_t image_base;       /* where the hypervisor's image lies; nominal in the tool */
    uint64_t image_bytes;   /* with .bss and the appended payload */
    hpa_t tree_base;        /* where the tree itself lies */
    hpa_t payload_base;     /* modules with bulkhead,image-offset lie at payload_base + offset */
    uint64_t payload_bytes; /* 0 = no payload */
    /* All bytes of a module, for good; the same each time it is asked. NULL: they are not at hand, and what
     * they say is judged by whoever has them. No function: none are. */
    const void *(*module_bytes)(void *ctx, const struct plan_module *module);
    void *ctx;
};

/* Validates the blob (fdt_check_full) and builds the index in *index. A fault is reported and HV_CORRUPT
 * or HV_LIMIT returned. fdt_bytes bounds every access. */
HV_MUST_CHECK enum hv_status config_index_make(struct dt_index *index, const void *fdt, uint64_t fdt_bytes,
                                               struct config_report *report);

/* Checks everything and fills *plan; goes on after a fault so that all are reported. HV_INVALID if any
 * was; but with plan->partial_boot faults of domains leave these `unsound` and the others usable: HV_OK
 * if there are such and nothing else is wrong. */
HV_MUST_CHECK enum hv_status config_plan_make(const struct dt_index *index, const struct config_env *env,
                                              struct plan *plan, struct config_report *report);

/* As users write it */
const char *config_sched_name(enum plan_sched sched);

#endif
