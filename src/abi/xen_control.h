/* What tools of a control domain call: domctl and sysctl as Xen 4.20 has them (tests/abi compares). Handles
 * are virtual addresses of the guest. */
#ifndef ABI_XEN_CONTROL_H
#define ABI_XEN_CONTROL_H

#include <stdint.h>

#define XEN_HCALL_SYSCTL 35u
#define XEN_HCALL_DOMCTL 36u

#define XEN_DOMCTL_VERSION 0x17u
#define XEN_SYSCTL_VERSION 0x15u

#define XEN_DOMCTL_CREATEDOMAIN       1u
#define XEN_DOMCTL_DESTROYDOMAIN      2u
#define XEN_DOMCTL_PAUSE              3u
#define XEN_DOMCTL_UNPAUSE            4u
#define XEN_DOMCTL_GETDOMAININFO      5u
#define XEN_DOMCTL_SETVCPUAFFINITY    9u
#define XEN_DOMCTL_MAX_MEM            11u
#define XEN_DOMCTL_SETVCPUCONTEXT     12u
#define XEN_DOMCTL_GETVCPUCONTEXT     13u
#define XEN_DOMCTL_GETVCPUINFO        14u
#define XEN_DOMCTL_MAX_VCPUS          15u
#define XEN_DOMCTL_SCHEDULER_OP       16u
#define XEN_DOMCTL_SETDOMAINHANDLE    17u
#define XEN_DOMCTL_IRQ_PERMISSION     19u
#define XEN_DOMCTL_IOMEM_PERMISSION   20u
#define XEN_DOMCTL_SETTIMEOFFSET      24u
#define XEN_DOMCTL_GETVCPUAFFINITY    25u
#define XEN_DOMCTL_RESUMEDOMAIN       27u
#define XEN_DOMCTL_SENDTRIGGER        28u
#define XEN_DOMCTL_SET_ADDRESS_SIZE   35u
#define XEN_DOMCTL_GET_ADDRESS_SIZE   36u
#define XEN_DOMCTL_ASSIGN_DEVICE      37u
#define XEN_DOMCTL_BIND_PT_IRQ        38u
#define XEN_DOMCTL_MEMORY_MAPPING     39u
#define XEN_DOMCTL_TEST_ASSIGN_DEVICE 45u
#define XEN_DOMCTL_DEASSIGN_DEVICE    47u
#define XEN_DOMCTL_UNBIND_PT_IRQ      48u
#define XEN_DOMCTL_SETNODEAFFINITY    68u
#define XEN_DOMCTL_GETNODEAFFINITY    69u
#define XEN_DOMCTL_CACHEFLUSH         71u
#define XEN_DOMCTL_VUART_OP           81u
#define XEN_DOMCTL_GET_PAGING_MEMPOOL 85u
#define XEN_DOMCTL_SET_PAGING_MEMPOOL 86u
#define XEN_DOMCTL_SET_LLC_COLORS     89u

#define XEN_SYSCTL_READCONSOLE       1u
#define XEN_SYSCTL_PHYSINFO          3u
#define XEN_SYSCTL_SCHED_ID          4u
#define XEN_SYSCTL_GETDOMAININFOLIST 6u
#define XEN_SYSCTL_DEBUG_KEYS        7u
#define XEN_SYSCTL_GETCPUINFO        8u
#define XEN_SYSCTL_AVAILHEAP         9u
#define XEN_SYSCTL_CPUTOPOINFO       16u
#define XEN_SYSCTL_NUMAINFO          17u
#define XEN_SYSCTL_CPUPOOL_OP        18u
#define XEN_SYSCTL_SCHEDULER_OP      19u

/* createdomain: what we take of its flags */
#define XEN_CDF_HVM        1u
#define XEN_CDF_HAP        2u
#define XEN_CDF_XS_DOMAIN  16u
#define XEN_CDF_IOMMU      32u
#define XEN_GRANT_VERSIONS 0xFu /* of grant_opts: the highest one */
#define XEN_GIC_NATIVE     0u
#define XEN_GIC_V2         1u
#define XEN_GIC_V3         2u

/* xen_domaininfo.flags; the reason of a shutdown is above XEN_DOMINF_REASON_LOW */
#define XEN_DOMINF_DYING      1u
#define XEN_DOMINF_HVM        2u
#define XEN_DOMINF_SHUTDOWN   4u
#define XEN_DOMINF_PAUSED     8u
#define XEN_DOMINF_BLOCKED    16u
#define XEN_DOMINF_RUNNING    32u
#define XEN_DOMINF_XS_DOMAIN  128u
#define XEN_DOMINF_HAP        256u
#define XEN_DOMINF_REASON_LOW 16u

struct xen_domaininfo {
    uint16_t domain;
    uint16_t pad;
    uint32_t flags;
    uint64_t tot_pages;
    uint64_t max_pages;
    uint64_t outstanding_pages;
    uint64_t shr_pages;
    uint64_t paged_pages;
    uint64_t shared_info_frame;
    uint64_t cpu_time; /* ns */
    uint32_t nr_online_vcpus;
    uint32_t max_vcpu_id;
    uint32_t ssidref;
    uint8_t handle[16];
    uint32_t cpupool;
    uint8_t gpaddr_bits;
    uint8_t pad2[7];
    uint8_t gic_version;
    uint8_t sve_vl;
    uint16_t tee_type;
    uint32_t nr_spis;
    uint32_t clock_frequency;
    uint32_t pad3;
};

/* A set of CPUs or nodes: bytes at the handle, as many as its bits need */
struct xen_bitmap {
    uint64_t bitmap;
    uint32_t nr_bits;
    uint32_t pad;
};

#define XEN_AFFINITY_HARD  1u
#define XEN_AFFINITY_SOFT  2u
#define XEN_AFFINITY_FORCE 4u

#define XEN_TRIGGER_RESET 1u
#define XEN_TRIGGER_POWER 3u

/* Of a domain and of a pool; of some of a domain's vCPUs */
#define XEN_SCHEDOP_PUTINFO     0u
#define XEN_SCHEDOP_GETINFO     1u
#define XEN_SCHEDOP_PUTVCPUINFO 2u
#define XEN_SCHEDOP_GETVCPUINFO 3u

#define XEN_SCHEDRT_EXTRA 1u

/* rtds: what a vCPU gets, us */
struct xen_sched_rt {
    uint32_t period;
    uint32_t budget;
    uint32_t flags; /* XEN_SCHEDRT_ */
};

struct xen_sched_vcpu {
    struct xen_sched_rt rt;
    uint32_t vcpuid;
};

struct xen_createdomain {
    uint32_t ssidref;
    uint8_t handle[16];
    uint32_t flags;
    uint32_t iommu_opts;
    uint32_t max_vcpus;
    uint32_t max_evtchn_port;
    int32_t max_grant_frames;
    int32_t max_maptrack_frames;
    uint32_t grant_opts;
    uint32_t altp2m_opts;
    uint32_t vmtrace_size;
    uint32_t cpupool_id;
    uint8_t gic_version;
    uint8_t sve_vl;
    uint16_t tee_type;
    uint32_t nr_spis;
    uint32_t clock_frequency; /* 0: as the timer's registers say */
};

#define XEN_VGCF_ONLINE 1u

/* A vCPU's registers: AArch64's names; an AArch32 vCPU's lie where that architecture maps them */
struct xen_vcpu_context {
    uint32_t flags;
    uint32_t pad;
    uint64_t x[31];
    uint64_t pc;
    uint64_t cpsr;
    uint64_t spsr_el1;
    uint32_t spsr_banked[4];
    uint64_t sp_el0;
    uint64_t sp_el1;
    uint64_t elr_el1;
    uint64_t sctlr;
    uint64_t tcr;
    uint64_t ttbr0;
    uint64_t ttbr1;
};

#define XEN_DOMCTL_DEV_DT 1u

#define XEN_DOMCTL_VUART_OP_INIT     0u
#define XEN_DOMCTL_VUART_TYPE_VPL011 0u
#define XEN_PT_IRQ_TYPE_SPI          4u

struct xen_domctl {
    uint32_t cmd;
    uint32_t interface_version;
    uint16_t domain;
    uint16_t pad[3];
    union {
        struct xen_domaininfo info;
        struct xen_createdomain create;
        struct {
            uint32_t vcpu;
            uint32_t pad;
            uint64_t context;
        } vcpucontext;
        uint32_t max_vcpus;
        uint64_t mempool_bytes;
        uint32_t address_bits;
        struct {
            uint64_t start_pfn;
            uint64_t nr_pfns;
        } cacheflush;
        struct {
            uint64_t kib;
        } max_mem;
        struct {
            uint32_t vcpu;
            uint8_t online;
            uint8_t blocked;
            uint8_t running;
            uint8_t pad;
            uint64_t cpu_time;
            uint32_t cpu;
            uint32_t pad2;
        } vcpuinfo;
        struct {
            uint32_t vcpu;
            uint32_t flags;
            struct xen_bitmap hard;
            struct xen_bitmap soft;
        } affinity;
        struct xen_bitmap nodes;
        struct {
            uint64_t mfn;
            uint64_t nr;
            uint8_t allow;
        } iomem;
        struct {
            uint32_t irq;
            uint8_t allow;
        } irq;
        struct {
            uint64_t gfn;
            uint64_t mfn;
            uint64_t nr;
            uint32_t add;
        } mapping;
        struct {
            uint32_t machine_irq;
            uint32_t type; /* XEN_PT_IRQ_TYPE_SPI */
            uint16_t spi;
        } pt_irq;
        struct {
            uint32_t kind; /* XEN_DOMCTL_DEV_ */
            uint32_t flags;
            uint32_t bytes; /* of the path in the host's tree */
            uint32_t pad;
            uint64_t path;
        } device;
        struct {
            uint32_t sched_id;
            uint32_t cmd;
            uint16_t weight; /* credit, credit2; in place of these one of the next two */
            uint16_t cap;
        } scheduler;
        struct {
            uint64_t head; /* as above */
            struct xen_sched_rt rt;
        } sched_rt;
        struct {
            uint64_t head;
            uint64_t vcpus; /* struct xen_sched_vcpu */
            uint32_t nr_vcpus;
        } sched_vcpus;
        struct {
            uint32_t trigger;
            uint32_t vcpu;
        } trigger;
        struct {
            uint64_t seconds; /* with a sign */
        } time_offset;
        struct {
            uint32_t cmd;  /* XEN_DOMCTL_VUART_OP_INIT */
            uint32_t type; /* XEN_DOMCTL_VUART_TYPE_VPL011 */
            uint64_t gfn;
            uint16_t console_domid;
            uint16_t pad;
            uint32_t evtchn;
        } vuart_op;
        uint8_t handle[16];
        uint64_t room[16];
    } u;
};

#define XEN_PHYSCAP_HVM       1u
#define XEN_PHYSCAP_DIRECTIO  4u
#define XEN_PHYSCAP_HAP       8u
#define XEN_PHYSCAP_GNTTAB_V1 0x100u
#define XEN_PHYSCAP_GNTTAB_V2 0x200u

#define XEN_SCHEDULER_CREDIT   5u
#define XEN_SCHEDULER_CREDIT2  6u
#define XEN_SCHEDULER_ARINC653 7u
#define XEN_SCHEDULER_RTDS     8u
#define XEN_SCHEDULER_NULL     9u

#define XEN_CPUPOOL_OP_CREATE     1u
#define XEN_CPUPOOL_OP_DESTROY    2u
#define XEN_CPUPOOL_OP_INFO       3u
#define XEN_CPUPOOL_OP_ADDCPU     4u
#define XEN_CPUPOOL_OP_RMCPU      5u
#define XEN_CPUPOOL_OP_MOVEDOMAIN 6u
#define XEN_CPUPOOL_OP_FREEINFO   7u
#define XEN_CPUPOOL_ANY           UINT32_MAX

/* What a pool of arinc653 does over and over: what follows one another from the frame's beginning, ns */
#define XEN_ARINC653_ENTRIES 64u
struct xen_arinc653_entry {
    uint8_t dom_handle[16];
    uint32_t vcpu_id;
    uint64_t runtime;
};

struct xen_arinc653_schedule {
    uint64_t major_frame;
    uint8_t num_sched_entries;
    struct xen_arinc653_entry sched_entries[XEN_ARINC653_ENTRIES];
};

struct xen_physinfo {
    uint32_t threads_per_core;
    uint32_t cores_per_socket;
    uint32_t nr_cpus;
    uint32_t max_cpu_id;
    uint32_t nr_nodes;
    uint32_t max_node_id;
    uint32_t cpu_khz;
    uint32_t capabilities;
    uint32_t arch_capabilities;
    uint32_t pad;
    uint64_t total_pages;
    uint64_t free_pages;
    uint64_t scrub_pages;
    uint64_t outstanding_pages;
    uint64_t max_mfn;
    uint32_t hw_cap[8];
};

struct xen_cputopo {
    uint32_t core;
    uint32_t socket;
    uint32_t node;
};

struct xen_meminfo {
    uint64_t memsize;
    uint64_t memfree;
};

struct xen_sysctl {
    uint32_t cmd;
    uint32_t interface_version;
    union {
        struct {
            uint8_t clear;
            uint8_t incremental;
            uint16_t pad;
            uint32_t index;
            uint64_t buffer;
            uint32_t count;
            uint32_t pad2;
        } readconsole;
        struct xen_physinfo physinfo;
        uint32_t sched_id;
        struct {
            uint64_t keys;
            uint32_t nr_keys;
            uint32_t pad;
        } debug_keys;
        struct {
            uint32_t max_cpus;
            uint32_t pad;
            uint64_t info; /* ns that each was idle */
            uint32_t nr_cpus;
            uint32_t pad2;
        } cpuinfo;
        struct {
            uint32_t min_bitwidth;
            uint32_t max_bitwidth;
            uint32_t node;
            uint32_t pad;
            uint64_t avail_bytes;
        } availheap;
        struct {
            uint16_t first_domain;
            uint16_t pad;
            uint32_t max_domains;
            uint64_t buffer;
            uint32_t num_domains;
            uint32_t pad2;
        } list;
        struct {
            uint32_t nr;
            uint32_t pad;
            uint64_t at;       /* struct xen_cputopo; struct xen_meminfo */
            uint64_t distance; /* numainfo: words */
        } topology;
        struct {
            uint32_t op;
            uint32_t cpupool_id;
            uint32_t sched_id;
            uint32_t domid;
            uint32_t cpu;
            uint32_t n_dom;
            struct xen_bitmap cpumap;
        } cpupool;
        struct {
            uint32_t cpupool_id;
            uint32_t sched_id;
            uint32_t cmd;
            uint32_t pad;
            union {
                struct {
                    uint32_t tslice_ms;
                    uint32_t ratelimit_us;
                    uint32_t vcpu_migr_delay_us;
                } credit;
                uint32_t credit2_ratelimit_us;
                uint64_t schedule; /* struct xen_arinc653_schedule */
            } of;
        } scheduler;
        uint64_t room[16];
    } u;
};

#endif
