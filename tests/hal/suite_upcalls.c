/* Generic code as seen by the port under test: it counts. */
#include "hal_suite.h"

#include "base/console.h"
#include "base/log.h"
#include "base/panic.h"
#include "hal/context.h"
#include "hal/cpu.h"
#include "hal/sync.h"
#include "hal/upcall.h"
#include "lib/string.h"

struct percpu percpu_area[HV_CPUS_MAX];
struct suite_seen suite_seen;
struct hal_frame *volatile suite_next[HV_CPUS_MAX];
struct hal_vcpu *suite_vcpu;

static bool page_used[SUITE_PAGES];

static void *page_at(uint32_t i)
{
    return &suite_machine.pages[(uint64_t)i * PAGE_BYTES];
}

static void enter_next(void)
{
    struct hal_frame *const next = suite_next[cpu_id()];

    if (next != NULL) {
        suite_next[cpu_id()] = NULL;
        hal_context_set(next);
    }
}

void upcall_exit_work(void)
{
    hal_context_clear_exit_work();
    (void)hal_fetch_add32(&suite_seen.exit_works, 1u);
    enter_next();
}

void upcall_reschedule(void)
{
    (void)hal_fetch_add32(&suite_seen.reschedules, 1u);
    enter_next();
}

void upcall_irq(uint32_t irq)
{
    (void)irq;
    (void)hal_fetch_add32(&suite_seen.irqs, 1u);
}

void upcall_line(struct hal_domain *domain, uint32_t virq)
{
    (void)domain;
    (void)virq;
    suite_seen.lines++;
}

void upcall_ipi(void)
{
    (void)hal_fetch_add32(&suite_seen.ipis[cpu_id()], 1u);
}

void upcall_timer(void)
{
    (void)hal_fetch_add32(&suite_seen.timers, 1u);
}

bool upcall_device(struct hal_vcpu *vcpu, gpa_t at, uint32_t width, bool write, uint64_t *value)
{
    (void)vcpu;
    (void)at;
    (void)width;
    (void)write;
    (void)value;
    return false;
}

void upcall_hypercall(struct hal_vcpu *vcpu, uint64_t number, uint64_t *arg)
{
    (void)vcpu;
    (void)number;
    (void)arg;
}

enum hal_resume upcall_exit(struct hal_vcpu *vcpu, const struct hal_exit *exit)
{
    (void)vcpu;
    (void)exit;
    return HAL_INJECT_UNDEF;
}

_Noreturn void upcall_fatal(const char *what, uint64_t where)
{
    suite_text("HAL-SUITE fatal: ");
    suite_text(what);
    suite_text(" at ");
    suite_number(where);
    suite_text("\n");
    suite_machine.end(1u);
    hal_cpu_park();
}

_Noreturn void panic_at(const char *file, unsigned int line, const char *what)
{
    suite_text(file);
    suite_text(": ");
    upcall_fatal(what, line);
}

void *upcall_heap_page(void)
{
    return upcall_domain_page(NULL);
}

void *upcall_heap_pages(uint32_t nr_pages)
{
    return (nr_pages == 1u) ? upcall_domain_page(NULL) : NULL;
}

void upcall_iommu_fault(const struct hal_iommu_fault *fault)
{
    suite_seen.fault = *fault;
    suite_seen.iommu_faults++;
}

void *upcall_domain_page(struct hal_domain *domain)
{
    void *page = NULL;

    (void)domain;
    for (uint32_t i = 0u;
         (page == NULL) && (i < SUITE_PAGES) && (suite_seen.domain_pages < suite_seen.domain_pages_max);
         i++) {
        if (!page_used[i]) {
            page_used[i] = true;
            page = page_at(i);
            (void)memset(page, 0, PAGE_BYTES);
            suite_seen.domain_pages++;
        }
    }
    return page;
}

void upcall_domain_page_free(struct hal_domain *domain, void *page)
{
    bool found = false;

    (void)domain;
    for (uint32_t i = 0u; i < SUITE_PAGES; i++) {
        if ((page == page_at(i)) && page_used[i]) {
            page_used[i] = false;
            suite_seen.domain_pages--;
            found = true;
        }
    }
    CHECK(found);
}

struct hal_vcpu *upcall_vcpu(const struct hal_domain *domain, uint32_t index)
{
    (void)domain;
    return (index == 0u) ? suite_vcpu : NULL;
}

struct hal_vcpu *upcall_vcpu_current(void)
{
    return NULL;
}

void upcall_vcpu_kick(struct hal_vcpu *vcpu)
{
    (void)vcpu;
    (void)hal_fetch_add32(&suite_seen.kicks, 1u);
}

enum hv_status upcall_vcpu_start(struct hal_vcpu *vcpu, uint64_t entry, uint64_t argument)
{
    (void)vcpu;
    (void)entry;
    (void)argument;
    return HV_BUSY;
}

void upcall_vcpu_stop(struct hal_vcpu *vcpu)
{
    (void)vcpu;
}

bool upcall_vcpu_is_on(const struct hal_vcpu *vcpu)
{
    (void)vcpu;
    return false;
}

void upcall_vcpu_block(struct hal_vcpu *vcpu)
{
    (void)vcpu;
}

void upcall_vcpu_deadline_changed(struct hal_vcpu *vcpu)
{
    (void)vcpu;
}

void upcall_domain_power(struct hal_domain *domain, enum hal_power_request request, const char *why)
{
    (void)domain;
    (void)request;
    (void)why;
}

void upcall_domain_report(struct hal_domain *domain, uint64_t progress)
{
    (void)domain;
    (void)progress;
}

enum hv_status upcall_domain_status(const struct hal_domain *caller, uint64_t domid,
                                    struct hal_domain_status *out)
{
    (void)caller;
    (void)domid;
    (void)out;
    return HV_DENIED;
}

void upcall_log_hex(const char *text, uint64_t value)
{
    suite_text("HAL-LOG ");
    suite_text(text);
    suite_number(value);
    suite_text("\n");
}

void log_line(const char *format, ...)
{
    suite_text("HAL-LOG ");
    suite_text(format);
    suite_text("\n");
}

/* The suite's console keeps nothing back. */
void console_flush(void)
{
}
