/* The system plan: everything the hypervisor needs to know of host and domains, checked and immutable.
 * Made once by config_plan_make() from one device tree; the same code runs in the host tool.
 * Strings point into the tree that the plan was made from, which therefore stays mapped. */
#ifndef CONFIG_PLAN_H
#define CONFIG_PLAN_H

#include "hal/plan.h"
#include "hal/types.h"

#define PLAN_RANGES_MAX   64u   /* RAM banks; reserved ranges likewise */
#define PLAN_PATH_MAX     128u  /* bytes of a node path in a sentence, NUL included */
#define PLAN_BOOTARGS_MAX 2048u /* bytes with NUL: Linux's COMMAND_LINE_SIZE on arm64 */
#define PLAN_NAME_MAX     32u   /* bytes of a domain's name with NUL */

struct plan_range {
    uint64_t base;  /* host physical, page aligned */
    uint64_t bytes; /* not 0 */
};

struct plan_module {
    hpa_t base;
    uint64_t bytes;   /* 0 = there is no such module */
    const char *name; /* of its node, for sentences; NULL = there is no such module */
};

enum plan_console_kind { PLAN_CONSOLE_NONE, PLAN_CONSOLE_PL011, PLAN_CONSOLE_NS16550 };

struct plan_console {
    enum plan_console_kind kind;
    hpa_t base;
    uint64_t bytes;
    uint32_t irq; /* INTID, 0 = poll */
    bool irq_edge;
    uint32_t reg_shift; /* 16550: registers are 1 << reg_shift bytes apart */
    uint32_t reg_width; /* 16550: access width in bytes, 1 or 4 */
};

enum plan_sched { PLAN_SCHED_NULL, PLAN_SCHED_RR };

struct plan_domain {
    char name[PLAN_NAME_MAX]; /* the node's name, unit address included */
    domid_t domid;            /* 1 .. in node order */
    uint64_t memory_bytes;    /* page multiple */
    uint64_t pool_bytes;      /* pages for tables, charged to the domain (xen,domain-p2m-mem-mb) */
    uint32_t nr_vcpus;
    uint32_t nr_spis;     /* multiple of 32, at most 992; INTIDs end at 1019 all the same */
    uint32_t start_order; /* bulkhead,start-order: lower is built first; ties in node order; default 1000 */
    bool vpl011;
    bool trap_unmapped; /* true: abort injected; false: reads ones, writes ignored */
    struct plan_module kernel;
    struct plan_module ramdisk;
    const char *bootargs;            /* never NULL */
    uint64_t affinity[HV_VCPUS_MAX]; /* hard affinity of each vCPU, bit = cpuid_t; ~0 = any */
    uint8_t pinned[HV_VCPUS_MAX];    /* PLAN_SCHED_NULL: the CPU of each vCPU, no two alike */
};

struct plan {
    struct plan_range ram[PLAN_RANGES_MAX]; /* sorted, disjoint */
    uint32_t nr_ram;
    struct plan_range
        reserved[PLAN_RANGES_MAX]; /* sorted; /memreserve/ and /reserved-memory; not modules, tree or image */
    uint32_t nr_reserved;
    uint32_t nr_cpus;
    uint64_t cpu_hwid
        [HV_CPUS_MAX]; /* reg of the cpu node (MPIDR affinity on Arm); the boot CPU need not be first */
    struct plan_console console;
    enum plan_sched sched;
    struct hal_plan_host host; /* the port's part */
    uint32_t nr_domains;
    struct plan_domain domain[HV_DOMAINS_MAX];
};

#endif
