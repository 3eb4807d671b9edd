/* A vCPU's and a domain's state inside the port. struct hal_vcpu (hal_arch/vcpu.h) begins with its struct
 * hal_frame and is the first member of domain/'s struct vcpu; struct hal_domain likewise of struct domain.
 * Fields that generic code may read: hal_vcpu.domain (struct hal_domain *), hal_vcpu.index; hal_domain.map
 * (struct hal_guestmap). */
#ifndef HAL_VCPU_H
#define HAL_VCPU_H

#include "hal/exit.h"
#include "hal/guestmap.h"
#include "hal_arch/vcpu.h"

/* What a guest asks for itself, or (CRASH) what the hypervisor decides when it can't go on. */
enum hal_power_request {
    HAL_DOMAIN_OFF,
    HAL_DOMAIN_RESET,
    HAL_DOMAIN_CRASH,
    HAL_DOMAIN_WATCHDOG,
    HAL_DOMAIN_SUSPEND, /* these two: off, but for tools */
    HAL_DOMAIN_SOFT_RESET
};

struct hal_domain_config {
    uint32_t nr_vcpus;
    uint32_t nr_spis;
    uint16_t map_id; /* VMID */
    bool direct;     /* its interrupt controller is at the host's addresses */
};

/* Interrupt controller, firmware, clocks and map of a domain, all fresh. Storage the port needs beyond the
 * struct comes from
 * upcall_domain_page(). HV_NO_MEMORY, HV_NOT_SUPPORTED. Called again after hal_domain_destroy() when a domain
 * is rebuilt. */
HV_MUST_CHECK enum hv_status hal_domain_init(struct hal_domain *domain,
                                             const struct hal_domain_config *config);
void hal_domain_destroy(struct hal_domain *domain);

/* What its kernel is made for, once it is known: the architecture's narrower form of 32 bits, where it has
 * one, or the wider. The vCPU that is reset next is entered as a kernel. HV_NOT_SUPPORTED: not on this
 * host. */
HV_MUST_CHECK enum hv_status hal_domain_width(struct hal_domain *domain, bool is_32bit);

/* The counter that its guest takes for the system's: on Arm the virtual one. */
uint64_t hal_domain_counter(const struct hal_domain *domain);

/* Binds vCPU index of the domain; all state as after power-on, not runnable. HV_NO_MEMORY. */
HV_MUST_CHECK enum hv_status hal_vcpu_init(struct hal_vcpu *vcpu, struct hal_domain *domain, uint32_t index);

/* Architectural reset, then pc and first argument (Arm: boot protocol C.5.6 / PSCI CPU_ON). vCPU is not
 * running. */
void hal_vcpu_reset(struct hal_vcpu *vcpu, uint64_t entry, uint64_t argument);

/* Saves or loads all state that is not in the frame: system registers, FP, timers, list registers, guest map.
 * Interrupts masked, on the CPU where it ran / will run. hal_vcpu_load() also points the CPU at the frame. */
void hal_vcpu_save(struct hal_vcpu *vcpu);
void hal_vcpu_load(struct hal_vcpu *vcpu);

/* Completes an emulated load described by exit: extends value and writes the register. */
void hal_vcpu_set_load(struct hal_vcpu *vcpu, const struct hal_exit *exit, uint64_t value);

/* Where a virtual address leads whom this CPU has loaded, at the guest's kernel level: by its own tables,
 * user addresses too, and then its map, if both allow it to read (write) there. Good for the rest of the
 * page, and until the map changes. HAL_NOWHERE, or not now: a change of the map may be under way.
 * Interrupts masked. */
#define HAL_NOWHERE UINT64_MAX
HV_MUST_CHECK hpa_t hal_vcpu_reach(const struct hal_vcpu *vcpu, uint64_t va, bool write);

/* The guest makes the hypercall that it is in once more, with its arguments as upcall_hypercall() leaves
 * them. */
void hal_vcpu_again(struct hal_vcpu *vcpu);

/* True if the guest would take (or be woken by) an interrupt now. vCPU loaded here or not running. */
bool hal_vcpu_irq_pending(const struct hal_vcpu *vcpu);

/* When the guest's own timers need the hypervisor's, ns since boot, TIME_NEVER if not. loaded: it is on this
 * CPU, so clocks that interrupt by themselves do not count. */
uint64_t hal_vcpu_deadline(const struct hal_vcpu *vcpu, bool loaded);

/* That moment has come: emulated lines are raised. On any CPU, vCPU loaded here or not running. */
void hal_vcpu_deadline_reached(struct hal_vcpu *vcpu);

/* Whether waiting (WFI) leaves the guest. Null scheduler without waiting work: false. Takes effect at the
 * next entry. */
void hal_vcpu_trap_wait(struct hal_vcpu *vcpu, bool trap);

/* What tools are told of a vCPU that is not running, by AArch64's names; an AArch32 vCPU's registers are
 * where that architecture maps them. */
struct hal_registers {
    uint64_t x[31];
    uint64_t pc;
    uint64_t cpsr;
    uint64_t spsr_el1;
    uint64_t sp_el0;
    uint64_t sp_el1;
    uint64_t elr_el1;
    uint64_t sctlr;
    uint64_t tcr;
    uint64_t ttbr0;
    uint64_t ttbr1;
};
void hal_vcpu_registers(const struct hal_vcpu *vcpu, struct hal_registers *registers);

#endif
