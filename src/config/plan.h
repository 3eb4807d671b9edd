/* The system plan: everything the hypervisor needs to know of host and domains, checked and immutable.
 * Made once by config_plan_make() from one device tree; the same code runs in the host tool.
 * Strings point into the tree that the plan was made from, which therefore stays mapped. */
#ifndef CONFIG_PLAN_H
#define CONFIG_PLAN_H

#include "hal/plan.h"

#define PLAN_RANGES_MAX   64u   /* RAM banks; reserved ranges likewise */
#define PLAN_PATH_MAX     128u  /* bytes of a node path in a sentence, NUL included */
#define PLAN_BOOTARGS_MAX 2048u /* bytes with NUL: Linux's COMMAND_LINE_SIZE on arm64 */
#define PLAN_NAME_MAX     32u   /* bytes of a domain's name with NUL */
#define PLAN_UUID_BYTES   16u

/* On a pointer and on what follows it: a plan lies alike in the tool and on ports of 32 bits. */
#define PLAN_WIDE __attribute__((aligned(8)))

enum plan_digest { PLAN_DIGEST_NONE, PLAN_DIGEST_CRC32C, PLAN_DIGEST_SHA256 };

#define PLAN_DIGEST_MAX 32u

struct plan_module {
    hpa_t base;
    uint64_t bytes;                     /* 0 = there is no such module */
    PLAN_WIDE const char *name;         /* of its node, for sentences; NULL = there is no such module */
    PLAN_WIDE enum plan_digest digest;  /* of all its bytes; checked before each restart */
    uint8_t digest_is[PLAN_DIGEST_MAX]; /* CRC-32C: the first four bytes, big-endian */
};

enum plan_console_kind {
    PLAN_CONSOLE_NONE,
    PLAN_CONSOLE_PL011,
    PLAN_CONSOLE_NS16550,
    PLAN_CONSOLE_CADENCE,
    PLAN_CONSOLE_CMSDK
};

struct plan_console {
    enum plan_console_kind kind;
    hpa_t base;
    uint64_t bytes;
    uint32_t irq; /* INTID, 0 = poll */
    bool irq_edge;
    uint32_t reg_shift; /* 16550: registers are 1 << reg_shift bytes apart */
    uint32_t reg_width; /* 16550: access width in bytes, 1 or 4 */
};

/* Limits of what a static system names, over all domains. */
#define PLAN_STATIC_MEM_MAX    128u /* ranges of xen,static-mem; 64 in one domain */
#define PLAN_STATIC_PER_DOMAIN 64u
#define PLAN_STATIC_HEAP_MAX   16u
#define PLAN_SHM_MAX           32u /* regions of shared memory */
#define PLAN_SHM_USES_MAX      64u /* domains' mappings of these */
#define PLAN_SHM_ID_MAX        16u /* bytes of xen,shm-id with NUL */
#define PLAN_CHANNELS_MAX      128u
#define PLAN_PORTS             1024u /* of a domain's event channels; 0 is none */
#define PLAN_WINDOWS_MAX       128u  /* ranges of device registers that domains have */
#define PLAN_LINES_MAX         256u  /* physical interrupts that domains have */
#define PLAN_STREAMS_MAX       128u  /* runs of stream ids that domains have */
#define PLAN_PCI_HOSTS_MAX     4u
#define PLAN_PCI_MAX           64u /* functions of PCI devices that domains have; 16 in one domain */
#define PLAN_OFFERS_MAX        16u
#define PLAN_PV_MAX            64u /* disks and network cards that domains have from others */
#define PLAN_PCI_ROOT          0x100u
#define PLAN_NO_DOMAIN         0xFFu
#define PLAN_TREE_NODES        2048u /* of a host's tree, in the order of the blob */

/* Indices called `domain` in what follows are those of plan.domain[]; PLAN_NO_DOMAIN: of none; what belongs
 * to plan.offer[i]: PLAN_OFFER + i. Where one comes first config/ relies on that. */
#define PLAN_OFFER HV_DOMAINS_MAX

/* A region of shared memory: all nodes of one xen,shm-id */
struct plan_shm {
    char id[PLAN_SHM_ID_MAX];
    struct range host; /* not placed: taken from free memory at boot; bytes 0: nobody needs it */
    bool is_placed;
    uint8_t owner; /* its domain; PLAN_NO_DOMAIN: the hypervisor's (Xen's DOMID_IO) */
};

/* One domain's mapping of (a part of) a region */
struct plan_shm_use {
    uint8_t domain;
    uint8_t shm; /* index */
    gpa_t at;
    uint64_t offset; /* into the region */
    uint64_t bytes;
    bool no_map; /* bulkhead,no-map: the guest's kernel is to leave it alone */
};

/* A static event channel */
struct plan_channel {
    uint8_t domain[2]; /* may be the same */
    uint32_t port[2];
};

/* Device registers that a domain reaches */
struct plan_window {
    uint8_t domain;
    gpa_t at;
    struct range host;
    PLAN_WIDE const char *path; /* of the device's node in the host's tree, for reports; NULL = not named */
};

/* A physical interrupt that is a domain's */
struct plan_line {
    uint8_t domain;
    bool edge;
    uint32_t irq;  /* as hal/irq.h counts */
    uint32_t virq; /* INTID that the guest sees */
    PLAN_WIDE const char *path;
};

/* DMA streams that are a domain's: ids first .. first + nr - 1 of one IOMMU */
struct plan_stream {
    uint8_t domain;
    uint8_t iommu; /* as hal/iommu.h counts */
    uint32_t first;
    uint32_t nr;
    PLAN_WIDE const char *path;
};

enum plan_pci_memory { PLAN_PCI_MEM32, PLAN_PCI_MEM64, PLAN_PCI_WINDOWS };

/* A PCI host bridge of which functions are given to domains */
struct plan_pci_host {
    uint32_t node;
    uint32_t segment;
    struct range ecam;  /* configuration space, 1 MiB a bus */
    uint32_t first_bus; /* the number of the bus at its beginning */
    bool coherent;      /* its DMA sees caches */
    uint32_t nr_buses;  /* used: the first, and one behind each bridge that leads to a domain's function */
    struct range memory[PLAN_PCI_WINDOWS]; /* bytes 0 = none */
    uint64_t memory_bus[PLAN_PCI_WINDOWS]; /* what the bus calls the first byte of it */
};

/* A function of a PCI device that is a domain's */
struct plan_pci {
    uint8_t domain;
    uint8_t slot;               /* device number on the domain's own bus */
    uint8_t host;               /* plan.pci_host[] */
    uint8_t bus;                /* the first, or the one behind `bridge` */
    uint8_t devfn;              /* device << 3 | function */
    uint8_t pin;                /* 1 = INTA .. 4; 0 = it interrupts nobody */
    uint16_t bridge;            /* its devfn on the first bus; PLAN_PCI_ROOT = there is none in front */
    uint32_t virq;              /* of the pin; INTID that the guest sees */
    PLAN_WIDE const char *name; /* as the domain's node writes it */
};

/* A device that nobody has (xen,passthrough): a control domain may give it to a domain that it made. Its
 * windows, lines and streams stand behind those of domains. */
struct plan_offer {
    char path[PLAN_PATH_MAX]; /* of its node in the host's tree */
};

/* A disk or network card that a domain has from another; its xenstore domain sees to it */
struct plan_pv {
    uint8_t domain; /* the frontend */
    uint8_t backend;
    bool net;
    bool read_only;
    uint32_t handle;            /* a disk's number as Xen counts (xvda: 51712), or which card */
    PLAN_WIDE const char *text; /* disk: "major:minor" or path in the backend; card: its address */
};

/* xen,enhanced */
enum plan_enhanced {
    PLAN_ENHANCED_NONE,
    PLAN_ENHANCED_NO_XENSTORE, /* the /hypervisor node and its hypercalls, no xenstore */
    PLAN_ENHANCED_ENABLED,     /* ... and a port and a page to speak with the xenstore domain */
    PLAN_ENHANCED_LEGACY       /* ... and a port; who introduces the domain gives the page (Xen 4.20) */
};

/* plan_domain.role: what a domain is beyond a plain one (Xen's `capabilities`) */
#define PLAN_ROLE_CONTROL  1u
#define PLAN_ROLE_HARDWARE 2u
#define PLAN_ROLE_XENSTORE 4u

enum plan_sched {
    PLAN_SCHED_NULL,
    PLAN_SCHED_CREDIT,
    PLAN_SCHED_CREDIT2,
    PLAN_SCHED_RTDS,
    PLAN_SCHED_ARINC653
};

#define PLAN_POOLS_MAX  16u
#define PLAN_MINORS_MAX 128u /* minor frames of all pools */
#define PLAN_WEIGHT     256u /* what a domain has that says nothing */

/* A cpupool; plan.pool[0] is Pool-0 and has CPU 0 */
struct plan_pool {
    enum plan_sched sched;
    bool admission;    /* rtds: more than the pool's CPUs can give is refused, at run time too */
    uint32_t major_us; /* arinc653: the major frame; else 0 */
    uint64_t cpus;     /* never 0 */
};

/* arinc653: a stretch of the major frame in which one vCPU has its CPU. Sorted by CPU, then by time; those of
 * a CPU do not overlap and end within the major frame of its pool. */
struct plan_minor {
    uint8_t domain; /* index */
    uint8_t vcpu;
    uint8_t cpu;
    uint32_t at_us; /* from the beginning of the major frame */
    uint32_t us;    /* not 0 */
};

/* rtds: what a vCPU gets, and how often; 10 <= budget_us <= period_us <= 3600000000 */
#define PLAN_RT_US_MIN     10u
#define PLAN_PERIOD_US_MAX 3600000000u
#define PLAN_RT_PERIOD_US  10000u /* what a vCPU has of which nothing is said */
#define PLAN_RT_BUDGET_US  4000u
struct plan_rt {
    uint32_t period_us;
    uint32_t budget_us;
};

/* What follows a panic of the hypervisor: /chosen's bulkhead,on-panic */
enum plan_panic {
    PLAN_PANIC_HALT,   /* all CPUs stop; the default */
    PLAN_PANIC_REBOOT, /* the host is reset */
    PLAN_PANIC_PARK    /* only this CPU stops, where the others do not depend on what it held; else HALT */
};

struct plan_domain {
    char name[PLAN_NAME_MAX]; /* the node's name, unit address included */
    domid_t domid;         /* in node order from 1; a dom0 comes before them, with 0; tells the index, too */
    uint32_t role;         /* PLAN_ROLE_ bits */
    uint64_t memory_bytes; /* page multiple */
    uint64_t pool_bytes;   /* pages for tables, charged to the domain (xen,domain-p2m-mem-mb) */
    uint32_t nr_vcpus;
    uint32_t nr_spis;     /* multiple of 32, at most 992; INTIDs end at 1019 all the same */
    uint32_t start_order; /* bulkhead,start-order: lower is built first; ties in node order; default 1000 */
    bool vpl011;
    bool console_tools; /* bulkhead,console: the vpl011, or a PV console, leads to the control domain */
    bool trap_unmapped; /* true: abort injected; false: reads ones, writes ignored */
    bool spare; /* not built at boot: a control domain's tools make it, here or by its bulkhead,template */
    bool has_uuid;
    uint8_t uuid[PLAN_UUID_BYTES]; /* bulkhead,uuid: what tools call it */
    bool unsound;          /* its configuration has faults: with partial_boot it is listed and never built */
    bool restart_on_crash; /* bulkhead,on-crash = "restart"; default stop */
    bool restart_on_reset; /* bulkhead,on-reset; default restart */
    uint32_t restarts_per_minute; /* bulkhead,restart-limit; default 10; 0 = none: it is stopped */
    bool watchdog;                /* bulkhead,watchdog-ms is there: an SBSA generic watchdog */
    uint32_t watchdog_ms;  /* it runs from the start with this time to reset; 0: when the guest starts it */
    uint32_t max_irq_rate; /* bulkhead,max-irq-rate: device interrupts a second; 0 = no limit */
    bool monitor;          /* bulkhead,monitor: may ask for the state of other domains */
    bool kernel_flat;      /* the kernel has no header: its bytes go to kernel_at */
    bool no_tree;          /* bulkhead,no-device-tree: the guest gets none */
    bool direct_map;       /* emulated devices at host addresses, and memory */
    bool host_memory;      /* memory at host addresses: with direct_map, or where nothing translates */
    bool el1_mmu;          /* v8r_el1_msa = "mmu": its EL1 has translation and not protection regions */
    enum plan_enhanced enhanced;
    uint32_t max_grant_version; /* 1 or 2 */
    uint32_t max_grant_frames;
    uint32_t max_maptrack_frames;
    uint32_t peers; /* bit = index in plan.domain[]: these may share memory, events and grants with it */
    uint32_t static_first; /* its ranges: plan.static_mem[static_first ..] */
    uint32_t nr_static;    /* 0: its memory is taken from what is free */
    struct plan_module kernel;
    struct plan_module ramdisk;
    struct plan_module partial;         /* multiboot,device-tree: its devices */
    PLAN_WIDE const void *partial_tree; /* all its bytes, for good; NULL: they were not at hand */
    PLAN_WIDE uint32_t partial_room;    /* bytes that its nodes take in the guest's tree */
    uint32_t intc_phandle;              /* what they call the interrupt controller; 0: as all guests do */
    uint64_t kernel_at;                 /* kernel_flat: bulkhead,load-address, guest physical */
    uint64_t kernel_entry;
    PLAN_WIDE const char *bootargs;  /* never NULL */
    uint64_t affinity[HV_VCPUS_MAX]; /* hard affinity of each vCPU, bit = cpuid_t; ~0 = any */
    uint8_t pinned[HV_VCPUS_MAX];    /* in a pool of PLAN_SCHED_NULL: the CPU of each vCPU, no two alike */
    uint8_t pool;                    /* index */
    bool rt_extra;                   /* rtds: what nobody needs is its vCPUs' too (extratime) */
    uint16_t weight;                 /* credit, credit2: 1 .. 65535 */
    uint16_t cap;                    /* ... % of one CPU; 0: none */
    uint16_t region_gib;             /* a backend: the GiB above its memory where it has nothing; 0: none */
    struct plan_rt rt[HV_VCPUS_MAX];
};

/* Places for domains that a control domain makes, behind those of the plan */
struct plan_spares {
    uint32_t nr;
    uint32_t nr_vcpus; /* of each, at most */
    uint32_t pool_kib; /* of each, page multiple */
};

struct plan {
    struct range ram[PLAN_RANGES_MAX]; /* sorted, disjoint */
    uint32_t nr_ram;
    struct range
        reserved[PLAN_RANGES_MAX]; /* sorted; /memreserve/ and /reserved-memory; not modules, tree or image */
    uint32_t nr_reserved;
    uint32_t nr_cpus;
    uint64_t cpu_hwid
        [HV_CPUS_MAX]; /* reg of the cpu node (MPIDR affinity on Arm); the boot CPU need not be first */
    struct plan_console console;
    struct plan_pool pool[PLAN_POOLS_MAX];
    uint32_t nr_pools; /* at least 1 */
    struct plan_minor minor[PLAN_MINORS_MAX];
    uint32_t nr_minors;
    enum plan_panic on_panic;
    bool partial_boot;  /* faults in a domain's node are that domain's alone */
    bool report;        /* bulkhead,report: what is in force is told after boot */
    bool clean_memory;  /* bulkhead,clean-memory: RAM that nobody had since the start is zero */
    bool control_alone; /* bulkhead,control-reset: a hardware domain switches itself off, not the host */
    struct range
        log_keep; /* a /reserved-memory node "bulkhead,log": the log survives there; bytes 0 = none */
    struct hal_plan_host host; /* the port's part */
    struct range static_mem
        [PLAN_STATIC_MEM_MAX]; /* by domain, in the order of the property; an unsound domain's are nobody's */
    uint32_t nr_static_mem;
    struct range static_heap[PLAN_STATIC_HEAP_MAX]; /* nr 0: the heap is taken from what is free */
    uint32_t nr_static_heap;
    struct plan_shm shm[PLAN_SHM_MAX];
    uint32_t nr_shm;
    struct plan_shm_use shm_use[PLAN_SHM_USES_MAX];
    uint32_t nr_shm_uses;
    struct plan_channel channel[PLAN_CHANNELS_MAX];
    uint32_t nr_channels;
    struct plan_window window[PLAN_WINDOWS_MAX];
    uint32_t nr_windows;
    uint32_t nr_offered_windows; /* behind those */
    struct plan_line line[PLAN_LINES_MAX];
    uint32_t nr_lines;
    uint32_t nr_offered_lines;
    struct plan_stream stream[PLAN_STREAMS_MAX];
    uint32_t nr_streams;
    uint32_t nr_offered_streams;
    struct plan_offer offer[PLAN_OFFERS_MAX];
    uint32_t nr_offers;
    struct plan_pci_host pci_host[PLAN_PCI_HOSTS_MAX];
    uint32_t nr_pci_hosts;
    struct plan_pci pci[PLAN_PCI_MAX]; /* by domain */
    uint32_t nr_pci;
    /* A hardware domain's view of the host's tree, its partial_tree: a bit for each node */
    uint8_t tree_kept[PLAN_TREE_NODES / 8u];   /* not there, with all below it */
    uint8_t tree_others[PLAN_TREE_NODES / 8u]; /* there, and switched off */
    uint32_t tree_intc;                        /* node of the interrupt controller */
    uint32_t tree_intc_cells;                  /* of a range of its registers */
    struct range hole; /* addresses where that domain has nothing: for grants and others' memory */
    struct plan_pv pv[PLAN_PV_MAX];
    uint32_t nr_pv;
    struct plan_spares spares;
    uint32_t nr_domains;
    struct plan_domain domain[HV_DOMAINS_MAX];
};

/* How many there are with those of offers */
static inline uint32_t plan_windows(const struct plan *plan)
{
    return plan->nr_windows + plan->nr_offered_windows;
}
static inline uint32_t plan_lines(const struct plan *plan)
{
    return plan->nr_lines + plan->nr_offered_lines;
}
static inline uint32_t plan_streams(const struct plan *plan)
{
    return plan->nr_streams + plan->nr_offered_streams;
}

/* The place in plan.domain[] of the domain of that number */
static inline uint32_t plan_index(const struct plan *plan, domid_t domid)
{
    return (uint32_t)domid - plan->domain[0].domid;
}

#endif
