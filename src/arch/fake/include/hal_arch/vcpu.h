/* A vCPU and a domain: just enough of a machine that generic code cannot tell the difference. */
#ifndef HAL_ARCH_VCPU_H
#define HAL_ARCH_VCPU_H

#include "hal_arch/context.h"
#include "hal_arch/guestmap.h"

#define FAKE_INTIDS           256u
#define FAKE_SPI_FIRST        32u
#define FAKE_INTC_WORDS       (FAKE_INTIDS / 64u)
#define FAKE_INTID_VIRT_TIMER 27u
#define FAKE_INTID_PHYS_TIMER 30u

/* Pending, enabled and active interrupts by number; shared lines (from FAKE_SPI_FIRST) are the domain's and
 * go to vCPU 0. */
struct fake_intc {
    uint64_t pending[FAKE_INTC_WORDS];
    uint64_t level[FAKE_INTC_WORDS];
    uint64_t active[FAKE_INTC_WORDS];
};

struct hal_vcpu {
    struct hal_frame frame; /* first */
    struct hal_domain *domain;
    uint32_t index;
    uint64_t entry; /* of the last reset */
    uint64_t argument;
    uint32_t nr_resets;
    bool loaded;
    uint32_t loaded_on; /* CPU */
    uint32_t nr_loads;
    uint32_t nr_saves;
    uint32_t nr_again; /* hypercalls that the guest has to make once more */
    bool trap_wait;
    uint64_t virt_deadline_ns; /* guest's clocks: one that interrupts by itself while loaded, one emulated */
    uint64_t phys_deadline_ns;
    struct fake_intc intc;
};

struct hal_domain {
    struct hal_guestmap map;
    struct fake_intc intc;
    uint32_t nr_vcpus;
    uint32_t nr_spis;
    uint32_t nr_inits;
    bool is_32bit; /* its kernel */
    bool live;
    void *page; /* storage beyond the struct, as a real controller needs */
};

#endif
