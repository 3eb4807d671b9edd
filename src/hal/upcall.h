/* All that a port may call in generic code. Nothing else above the waist is known to src/arch. */
#ifndef HAL_UPCALL_H
#define HAL_UPCALL_H

#include "hal/boot.h"
#include "hal/iommu.h"
#include "hal/vcpu.h"

/* Boot CPU, MMU on, interrupts masked, on the boot CPU's stack. */
_Noreturn void upcall_boot(const struct hal_boot *boot);
/* A secondary, likewise. */
_Noreturn void upcall_cpu_boot(cpuid_t cpu);

/* Traps: interrupts masked, CPU stack, frame of `vcpu` (which is current) saved. */
enum hal_resume upcall_exit(struct hal_vcpu *vcpu, const struct hal_exit *exit);
/* A plain access of `width` bytes; *value is what is written or, afterwards, was read. True: a device was
 * there and did it; else nothing was done, upcall_exit() it is. */
bool upcall_device(struct hal_vcpu *vcpu, gpa_t at, uint32_t width, bool write, uint64_t *value);
/* The hypervisor's own call convention: five arguments, of which the first becomes the result. The others may
 * change as well: hal_vcpu_again(). */
void upcall_hypercall(struct hal_vcpu *vcpu, uint64_t number, uint64_t *arg);
/* Last thing before every entry: reschedules if something asked for it. May change what the CPU enters. */
void upcall_exit_work(void);
/* A hypervisor-level context gave its turn away (hal_context_yield). */
void upcall_reschedule(void);

/* Interrupts acknowledged by the port. Interrupts masked. */
void upcall_irq(uint32_t irq);
void upcall_ipi(void);
/* A guest's interrupt came (hal_irq_route): hal_virq_pulse(domain, virq), now or when the domain's rate
 * allows. */
void upcall_line(struct hal_domain *domain, uint32_t virq);
void upcall_timer(void);

/* An exception out of the hypervisor's own code: our invariant is broken. where: pc; the port printed its
 * registers. */
_Noreturn void upcall_fatal(const char *what, uint64_t where);

/* A page of the heap, zeroed, for the port's own tables during boot. NULL when sealed or empty. */
void *upcall_heap_page(void);
/* nr_pages of the heap (a power of two), zeroed, in a row, aligned to their size. Boot. NULL if there are
 * none. */
void *upcall_heap_pages(uint32_t nr_pages);
/* A page charged to the domain, zeroed; NULL when its pool is empty. Freed one by one; va as given. */
void *upcall_domain_page(struct hal_domain *domain);
void upcall_domain_page_free(struct hal_domain *domain, void *page);

/* vCPUs as an emulated interrupt controller and firmware need them. */
/* NULL if the domain has no such vCPU. Bounded, no lock: the set is fixed while the domain runs. */
struct hal_vcpu *upcall_vcpu(const struct hal_domain *domain, uint32_t index);
/* The vCPU running on this CPU, or NULL. */
struct hal_vcpu *upcall_vcpu_current(void);
/* Something became pending for vcpu: wakes it, or makes the CPU it runs on go through upcall_exit_work(). No
 * lock of the scheduler may be held; the interrupt controller's may. */
void upcall_vcpu_kick(struct hal_vcpu *vcpu);
/* Power-on: HV_BUSY if it is on already, HV_DENIED if the domain stops. Resets it to entry/argument and makes
 * it runnable. */
HV_MUST_CHECK enum hv_status upcall_vcpu_start(struct hal_vcpu *vcpu, uint64_t entry, uint64_t argument);
/* Power-off of the calling vCPU; it leaves at the next exit work. */
void upcall_vcpu_stop(struct hal_vcpu *vcpu);
bool upcall_vcpu_is_on(const struct hal_vcpu *vcpu);
/* The calling vCPU waits for an interrupt (CPU_SUSPEND, trapped WFI); returns at once, effect at exit
 * work. */
void upcall_vcpu_block(struct hal_vcpu *vcpu);
/* hal_vcpu_deadline(vcpu, true) of the calling vCPU changed. */
void upcall_vcpu_deadline_changed(struct hal_vcpu *vcpu);

/* A guest asked for it, or (CRASH) it can't go on; why: short text for the log. Effect at exit work. */
void upcall_domain_power(struct hal_domain *domain, enum hal_power_request request, const char *why);

/* A device's transaction was refused. Out of hal_iommu_service(). */
void upcall_iommu_fault(const struct hal_iommu_fault *fault);

/* The guest says how far it got, for monitors. */
void upcall_domain_report(struct hal_domain *domain, uint64_t progress);

struct hal_domain_status {
    uint64_t state; /* enum domain_state */
    uint64_t nr_restarts;
    uint64_t progress; /* as last reported, 0 at each start */
};

/* State of another domain, or its own. HV_DENIED: the caller is no monitor and has no links; HV_NOT_FOUND:
 * there is no such domain, or it is none of those that the caller is linked with. No lock: each of
 * the three is a value that it had. */
HV_MUST_CHECK enum hv_status upcall_domain_status(const struct hal_domain *caller, uint64_t domid,
                                                  struct hal_domain_status *out);

/* A log line of the port, without newline: a text and a number in hex. */
void upcall_log_hex(const char *text, uint64_t value);

#endif
