/* The contract of src/hal, checked on whatever port it is linked with: natively on the simulated one, and in
 * a self-test image on real ones. A main program starts the port, fills struct suite_machine and lets
 * suite_run() be a context's entry. */
#ifndef HAL_SUITE_H
#define HAL_SUITE_H

#include "base/percpu.h"
#include "hal/guestmap.h"
#include "hal/hypmap.h"
#include "hal/iommu.h"
#include "hal/types.h"
#include "hal/vcpu.h"

#define SUITE_SCRATCH_BYTES MIB(8) /* RAM that nobody uses, 2 MiB aligned */
#define SUITE_STACK_BYTES   16384u
#define SUITE_PAGES         64u
#define SUITE_STREAMS       2048u

struct suite_machine {
    hpa_t scratch;
    const struct hal_plan_host *host;
    uint8_t *pages;       /* SUITE_PAGES of the heap */
    uint64_t second_hwid; /* another CPU that can be started; UINT64_MAX if there is none */
    /* A device behind IOMMU 0 copies eight bytes as its stream sees addresses; NULL: there is none. Ids below
     * SUITE_STREAMS are attached. */
    void (*copy)(uint64_t from, uint64_t to);
    uint32_t stream;
    void (*put)(char c);
    void (*end)(uint32_t nr_failed); /* does not return */
};

extern struct suite_machine suite_machine;

/* What the port called, and what the suite lets it find (suite_upcalls.c) */
struct suite_seen {
    volatile uint32_t ipis[HV_CPUS_MAX];
    volatile uint32_t timers;
    volatile uint32_t irqs;
    volatile uint32_t lines;
    volatile uint32_t exit_works;
    volatile uint32_t reschedules;
    volatile uint32_t kicks;
    volatile uint32_t second_alive; /* the second CPU is in its context */
    uint32_t iommu_faults;
    struct hal_iommu_fault fault; /* the last one */
    uint32_t domain_pages;        /* handed out now */
    uint32_t domain_pages_max;    /* as many may be */
};

extern struct suite_seen suite_seen;
/* What upcall_reschedule() and upcall_exit_work() let this CPU enter next; NULL: what it did before */
extern struct hal_frame *volatile suite_next[HV_CPUS_MAX];
extern struct hal_vcpu *suite_vcpu;

/* The suite; arg is not used. Ends with suite_machine.end(). */
void suite_run(void *arg);
/* The second CPU's context */
void suite_second(void *arg);

/* What the parts have in common (suite_base.c) */
void suite_text(const char *text);
void suite_number(uint64_t value);
void suite_check(bool good, const char *what, const char *file, uint32_t line);
#define CHECK(condition) suite_check((condition), #condition, __FILE__, (uint32_t)__LINE__)
/* Whether *count reaches `wanted` within `ns`; interrupts are open meanwhile. */
bool suite_await(const volatile uint32_t *count, uint32_t wanted, uint64_t ns);

struct suite_test {
    const char *name;
    void (*run)(void);
};
extern const struct suite_test suite_tests_memory[];
extern const struct suite_test suite_tests_map[];
extern const struct suite_test suite_tests_cpu[];
extern const struct suite_test suite_tests_guest[];
extern const struct suite_test suite_tests_iommu[];

#endif
