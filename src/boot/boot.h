/* Shared by the files of boot/ only. Everything here runs on the boot CPU unless noted. */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "base/log.h"
#include "config/config.h"
#include "hal/boot.h"
#include "hal/hypmap.h"

/* What boot found out, valid for good. */
struct boot_state {
    struct hal_boot port;
    const void *tree; /* the device tree or the packed plan, mapped */
    uint64_t tree_bytes;
    hpa_t tree_base;
    hpa_t payload_base; /* the file's payload from its header on, payload_bytes 0 = none */
    uint64_t payload_bytes;
    struct config_report report;
    struct plan plan;
    bool sound;  /* the plan may be executed; until the verdict only the console is opened without it */
    cpuid_t cpu; /* the boot CPU's number */
};

extern struct boot_state boot_state;

/* -- boot_payload.c -- */
#define BOOT_TREE_BYTES_MAX (2u * 1024u * 1024u)
/* Mapped for reading; NULL: not possible. */
const uint8_t *boot_map(hpa_t base, uint64_t bytes);
/* All of a module. Mapped once, also if the plan is made twice or several domains have the same. */
const void *boot_module_map(const struct plan_module *module);
/* Reads the payload's header and notes where things are; false if it is damaged. */
bool boot_payload_use(void);

/* -- boot_packed.c: the static profile, where the tree is a packed plan; else boot_tree.c -- */
HV_MUST_CHECK enum hv_status boot_packed_find(void);
HV_MUST_CHECK enum hv_status boot_packed_plan(void);
HV_MUST_CHECK enum hv_status boot_packed_verdict(void);

/* -- boot_tree.c -- */
HV_MUST_CHECK enum hv_status boot_tree_find(void);
/* Faults in the tree do not end the boot yet: first the console is opened with what could be read. */
HV_MUST_CHECK enum hv_status boot_tree_plan(void);
/* Says all faults, if there are any, by looking a second time: the console keeps only the last of what is
 * said early. */
HV_MUST_CHECK enum hv_status boot_tree_verdict(void);

/* -- boot_console.c -- */
HV_MUST_CHECK enum hv_status boot_console_open(void);
/* Receiving: by interrupt, or every few milliseconds if the UART has none. */
HV_MUST_CHECK enum hv_status boot_console_listen(void);

/* -- boot_memory.c -- */
HV_MUST_CHECK enum hv_status boot_memory_ram(void);
HV_MUST_CHECK enum hv_status boot_memory_heap(void);

/* -- boot_iommu.c -- */
/* Bytes of heap that boot_iommu_start() takes. */
uint64_t boot_iommu_heap_bytes(const struct plan *plan);
HV_MUST_CHECK enum hv_status boot_iommu_start(void);

/* -- smp.c -- */
/* The boot CPU's number is known now: moves it to its own area. */
HV_MUST_CHECK enum hv_status smp_name_cpus(void);
/* Bytes of heap that smp_prepare() takes. */
uint64_t smp_heap_bytes(const struct plan *plan);
/* Stacks and contexts of all CPUs. */
HV_MUST_CHECK enum hv_status smp_prepare(void);
/* Starts the others, together, and waits a bounded time. Those that do not come are left out. */
HV_MUST_CHECK enum hv_status smp_start(void);
/* From now on a CPU that comes too late stops by itself. */
void smp_close(void);

/* The log goes to the plan's region as well, if it has one. */
HV_MUST_CHECK enum hv_status boot_console_keep(void);

/* -- boot_panic.c -- */
/* booted: no CPU is started and nothing allocated any more, so that one may stop alone. */
void boot_panic_policy(bool booted);

/* -- boot_domains.c -- */
HV_MUST_CHECK enum hv_status boot_domains_prepare(void);
/* Queues the work that builds and starts the domains; it runs when the CPUs are in the scheduler. */
HV_MUST_CHECK enum hv_status boot_domains_queue(void);

#endif
