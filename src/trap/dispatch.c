/* The waist: what a port hands up, and the single way back to a guest. */
/* [impl->req~input-never-panics~1] */
#include "base/log.h"
#include "build/build.h"
#include "hal/upcall.h"
#include "sched/sched.h"
#include "trap/fault.h"

#define EXIT_WORK_ROUNDS 4u

static enum hal_resume unknown_exit(struct vcpu *vcpu, const struct hal_exit *exit)
{
    if (trap_count_fault(vcpu->domain)) {
        log_line("%s: vCPU %u: undefined exception injected, syndrome %X", vcpu->domain->plan->name,
                 vcpu->index, exit->cause);
    }
    return HAL_INJECT_UNDEF;
}

enum hal_resume upcall_exit(struct hal_vcpu *vcpu, const struct hal_exit *exit)
{
    struct vcpu *of = vcpu_of(vcpu);
    enum hal_resume resume = HAL_RESUME_NEXT;

    switch (exit->kind) {
    case HAL_EXIT_MEM_FAULT:
        resume = trap_fault(of, exit);
        break;
    case HAL_EXIT_IDLE:
        sched_block(of);
        break;
    case HAL_EXIT_YIELD:
        sched_pass_turn(of);
        break;
    case HAL_EXIT_HYPERCALL: /* none is defined */
        resume = HAL_INJECT_UNDEF;
        break;
    case HAL_EXIT_UNKNOWN:
    default:
        resume = unknown_exit(of, exit);
        break;
    }
    return resume;
}

void upcall_exit_work(void)
{
    hal_context_clear_exit_work();
    /* Switching may itself give this CPU a reason to choose again; what is still there after a few rounds
     * waits for the next exit, so that a guest always comes on. */
    for (uint32_t i = 0; (i < EXIT_WORK_ROUNDS) && sched_requested(); i++) {
        sched_exit_work();
    }
    if (sched_requested()) {
        hal_context_request_exit_work();
    }
}

void upcall_reschedule(void)
{
    hal_context_clear_exit_work();
    sched_exit_work();
    upcall_exit_work();
}

void upcall_domain_power(struct hal_domain *domain, enum hal_power_request request, const char *why)
{
    build_request_stop(domain_of(domain), request, why);
}
