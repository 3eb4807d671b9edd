/* The facts of a partitioned system, one struct a line of docs/partition-report.md: made from the plan
 * (facts.c), proven (prove.c) and written (facts_text.c, facts_json.c, facts_html.c). `last` is the last byte
 * or number of a range. */
#ifndef BULKHEAD_IMAGE_FACTS_H
#define BULKHEAD_IMAGE_FACTS_H

#include <stdio.h>

#include "tool.h"

/* Whose something is: one of these, or a domain or a region of shared memory by its index. */
enum owner_kind {
    OWNER_FREE,
    OWNER_IMAGE,
    OWNER_HEAP,
    OWNER_TREE,
    OWNER_MODULE,
    OWNER_RESERVED,
    OWNER_HYPERVISOR,
    OWNER_DOMAIN,
    OWNER_SHM
};

struct owner {
    enum owner_kind kind;
    uint32_t index; /* OWNER_DOMAIN, OWNER_SHM */
};

struct fact_ram {
    uint64_t first;
    uint64_t last;
    struct owner owner;
    char detail[64]; /* for readers; may be empty */
};

struct fact_device {
    uint64_t first;
    uint64_t last;
    struct owner owner; /* OWNER_HYPERVISOR, OWNER_DOMAIN, or OWNER_FREE: nobody's */
    bool banked;        /* each CPU has its own behind the same address: all domains may map it */
    char what[PLAN_PATH_MAX];
};

#define FACT_R 1u
#define FACT_W 2u
#define FACT_X 4u

struct fact_map {
    uint32_t domain;
    uint64_t first; /* guest physical */
    uint64_t last;
    uint64_t to; /* host physical */
    uint32_t perm;
    bool device;
    bool cached; /* a device's, of which the domain's own tables say how it is reached */
};

struct fact_emulated {
    uint32_t domain;
    uint64_t first; /* guest physical */
    uint64_t last;
    const char *what;
    bool by_port; /* no window of a device of the hypervisor's: not among what it reports */
};

struct fact_irq {
    uint32_t irq;
    struct owner owner;
    uint32_t virq; /* of a domain's */
    bool edge;
    char what[PLAN_PATH_MAX];
};

struct fact_stream {
    uint32_t iommu;
    uint32_t first;
    uint32_t last;
    uint32_t domain;
    char what[PLAN_PATH_MAX];
};

/* A function of a PCI device: its registers appear in the domain's map when the guest switches them on */
struct fact_pci {
    uint32_t domain;
    char function[32];
};

struct fact_channel {
    uint32_t domain[2];
    uint32_t port[2];
};

struct fact_shm {
    char id[PLAN_SHM_ID_MAX];
    bool placed;
    uint64_t first; /* host physical, if placed */
    uint64_t last;
    struct owner owner;   /* OWNER_HYPERVISOR, OWNER_DOMAIN */
    uint32_t user_domain; /* bit = domain */
};

struct fact_pool {
    enum plan_sched sched;
    uint64_t cpus; /* bit = CPU */
    uint32_t major_us;
    bool admission;
};

/* Scheduler arinc653: when a vCPU has its CPU; [first_us, end_us) of each frame */
struct fact_window {
    uint32_t domain;
    uint32_t vcpu;
    uint32_t cpu;
    uint64_t first_us;
    uint64_t end_us;
};

struct fact_vcpu {
    uint32_t domain;
    uint32_t index;
    uint32_t pool;
    uint64_t cpus; /* bit = CPU */
};

struct fact_domain {
    char name[PLAN_NAME_MAX];
    bool starts; /* false: its configuration is unsound */
    bool placed; /* its memory is fixed by the tree */
    uint64_t memory_bytes;
};

/* Taken at boot from free memory: its place is in no file. */
struct fact_unplaced {
    struct owner owner;
    uint64_t bytes; /* 0 = it depends on the hypervisor */
};

#define FACTS_RAM_MAX      1024u
#define FACTS_DEVICES_MAX  1024u
#define FACTS_MAPS_MAX     1024u
#define FACTS_EMULATED_MAX ((3u + ARM_REDIST_REGIONS_MAX) * HV_DOMAINS_MAX)
#define FACTS_IRQS_MAX     (PLAN_LINES_MAX + 64u)
#define FACTS_VCPUS_MAX    (HV_DOMAINS_MAX * HV_VCPUS_MAX)
#define FACTS_UNPLACED_MAX (HV_DOMAINS_MAX + PLAN_SHM_MAX + 1u)

struct facts {
    const char *system;
    const char *board;
    bool nominal;     /* no hypervisor was given: the size of the image is assumed */
    bool shared_cpus; /* a domain's scheduler is not null */
    struct range bank[PLAN_RANGES_MAX];
    uint32_t nr_banks;
    uint32_t nr_cpus;
    struct fact_domain domain[HV_DOMAINS_MAX];
    uint32_t nr_domains;
    struct fact_ram ram[FACTS_RAM_MAX];
    uint32_t nr_ram;
    struct fact_device device[FACTS_DEVICES_MAX];
    uint32_t nr_devices;
    struct fact_map map[FACTS_MAPS_MAX];
    uint32_t nr_maps;
    struct fact_emulated emulated[FACTS_EMULATED_MAX];
    uint32_t nr_emulated;
    struct fact_irq irq[FACTS_IRQS_MAX];
    uint32_t nr_irqs;
    struct fact_stream stream[PLAN_STREAMS_MAX];
    uint32_t nr_streams;
    struct fact_pci pci[PLAN_PCI_MAX];
    uint32_t nr_pci;
    struct fact_channel channel[PLAN_CHANNELS_MAX];
    uint32_t nr_channels;
    struct fact_shm shm[PLAN_SHM_MAX];
    uint32_t nr_shm;
    struct fact_pool pool[PLAN_POOLS_MAX];
    uint32_t nr_pools;
    struct fact_window window[PLAN_MINORS_MAX]; /* by CPU, then by time */
    uint32_t nr_windows;
    struct fact_vcpu vcpu[FACTS_VCPUS_MAX];
    uint32_t nr_vcpus;
    struct fact_unplaced unplaced[FACTS_UNPLACED_MAX];
    uint32_t nr_unplaced;
    bool cut; /* there are more of some kind than fit here: nothing is proven then */
};

static inline bool owner_same(struct owner a, struct owner b)
{
    return (a.kind == b.kind) && (a.index == b.index);
}

/* -- facts.c -- */
/* Sorted. */
void facts_make(struct facts *f, const struct partition_job *job);

/* -- prove.c: knows nothing of the plan -- */
/* Tells what contradicts the partitioning, a sentence each; true if nothing does. */
bool facts_prove(const struct facts *f, void (*tell)(void *ctx, const char *sentence), void *ctx);

/* -- facts_text.c, facts_json.c, facts_html.c -- */
/* `fault`: what facts_prove() told. */
struct verdict {
    char **fault;
    uint32_t nr_faults;
};

/* "domU1", "shm:ring", "heap"; valid until the eighth call from then on. */
const char *owner_name(const struct facts *f, struct owner owner);
/* "0-2,5" */
const char *set_name(uint64_t set, char *out, size_t bytes);
const char *perm_name(uint32_t perm);
/* RAM by address, maps by domain and address, interrupts by number: what the writers below expect */
void facts_sort(struct facts *f);
void facts_write_text(FILE *to, const struct facts *f, const struct verdict *v);
void facts_write_json(FILE *to, const struct facts *f, const struct verdict *v);
void facts_write_html(FILE *to, const struct facts *f, const struct verdict *v);

#endif
