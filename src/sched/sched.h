/* The scheduler: a framework that owns states and switching, and one file per policy.
 * A CPU runs the best of: a vCPU its policy picks, its worker when work is queued, idle. Decisions are
 * bounded. */
#ifndef SCHED_SCHED_H
#define SCHED_SCHED_H

#include "domain/domain.h"

#define SCHED_WORK_SLICE_NS 1000000ULL /* what the worker gets when vCPUs want the CPU as well ... */
#define SCHED_WORK_EVERY_NS 5000000ULL /* ... and how often, so that long work always goes on */
#define SCHED_WORK_SCRAP_NS                                                                                  \
    20000ULL /* less at a time is no part of it: two switches cost some microseconds */

/* Boot CPU, before any vCPU exists. The plan's pools; CPUs that do not come online are missing in them. */
void sched_init(const struct plan *plan);
/* Each CPU once: sets up worker and idle contexts (stacks from the heap by the caller). */
void sched_init_cpu(cpuid_t cpu, void *worker_stack_top, void *idle_stack_top);
/* Enters the scheduler on this CPU for good. */
_Noreturn void sched_start_cpu(void);

/* Gives the vCPU to a unit of its domain's pool (domain->cpupool), off, with the parameters of the
 * domain's plan. / takes it back; it is off and not on a CPU. One for which there is no CPU waits until
 * there is (null). */
void sched_add(struct vcpu *vcpu);
void sched_remove(struct vcpu *vcpu);

/* hal_vcpu_reset(); the line of events is as it was, since its flag does not rise again. */
void sched_reset(struct vcpu *vcpu, uint64_t entry, uint64_t argument);
/* VCPU_OFF -> RUNNABLE. HV_BUSY if it was on. */
HV_MUST_CHECK enum hv_status sched_power_on(struct vcpu *vcpu);
/* An interrupt is pending for it, or its timer fired. Any context, any CPU. */
void sched_wake(struct vcpu *vcpu);
/* The calling (current) vCPU waits / stops / gives its turn away; effect at exit work. */
void sched_block(struct vcpu *vcpu);
void sched_pass_turn(struct vcpu *vcpu);
/* ... to this CPU's worker, for a slice, if no other vCPU wants it. */
void sched_await_work(struct vcpu *vcpu);
/* Ends the wait of a vCPU that set its poll to VCPU_POLL_WAITS, then looked whether it has to wait, then
 * called
 * sched_block(). Any CPU. */
void sched_poll_over(struct vcpu *vcpu);
/* Makes it VCPU_OFF as soon as it leaves its CPU (an IPI asks for it). Does not wait. */
void sched_power_off(struct vcpu *vcpu);
/* Pausing keeps state but no vCPU of the domain runs. domain->paused is set by the caller. */
void sched_pause_domain(struct domain *domain);
void sched_unpause_domain(struct domain *domain);
/* What a vCPU is: false, and nothing: it is on a CPU now. */
HV_MUST_CHECK bool sched_registers(struct vcpu *vcpu, struct hal_registers *registers);
/* True when no vCPU of the domain is on a CPU. */
bool sched_domain_quiet(const struct domain *domain);
/* CPU time of a vCPU up to now; for how long a CPU had nothing to do. */
uint64_t sched_run_ns(const struct vcpu *vcpu);
uint64_t sched_idle_ns(cpuid_t cpu);
/* From now on a vCPU that was added runs on the CPUs of `hard` only, and is woken on those of `soft` among
 * them if one is idle; one that runs elsewhere leaves. HV_INVALID: none is of its pool. */
HV_MUST_CHECK enum hv_status sched_affinity(struct vcpu *vcpu, uint64_t hard, uint64_t soft);

/* After a panic of this CPU, which holds nothing (base/percpu.h): it gets no vCPU and no work from now on;
 * its current vCPU stays where it is. NULL, or why that is not possible. */
const char *sched_leave(void);

/* upcall_exit_work's core: picks again if asked to; switches. */
void sched_exit_work(void);
/* Ask this or another CPU to go through sched_exit_work(). */
void sched_request(cpuid_t cpu);
/* Has somebody asked this CPU? A worker that sees true yields. */
bool sched_requested(void);
/* Of pool 0: XEN_SCHEDULER_ */
uint32_t sched_abi_id(void);
/* The vCPU that is current on this CPU, or NULL. */
struct vcpu *sched_current(void);

#endif
