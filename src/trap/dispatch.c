/* The waist: what a port hands up, and the single way back to a guest. */
/* [impl->req~input-never-panics~1] */
#include "base/percpu.h"
#include "build/build.h"
#include "hal/upcall.h"
#include "sched/report.h"
#include "sched/sched.h"
#include "trap/fault.h"

static void note(struct vcpu *vcpu, const struct hal_exit *exit, const char *what)
{
    const struct domain_fault fault = { .what = what,
                                        .cause = exit->cause,
                                        .address = exit->gva,
                                        .virtual = exit->gva,
                                        .vcpu = vcpu->index,
                                        .tell = true };

    report_fault(vcpu->domain, &fault);
}

enum hal_resume upcall_exit(struct hal_vcpu *vcpu, const struct hal_exit *exit)
{
    struct vcpu *of = vcpu_of(vcpu);

    switch (exit->kind) {
    case HAL_EXIT_MEM_FAULT:
        return trap_fault(of, exit);
    case HAL_EXIT_IDLE:
        sched_block(of);
        return HAL_RESUME_NEXT;
    case HAL_EXIT_YIELD:
        sched_pass_turn(of);
        return HAL_RESUME_NEXT;
    case HAL_EXIT_ERROR:
        note(of, exit, "hardware error");
        build_request_stop(of->domain, HAL_DOMAIN_CRASH, "hardware error");
        return HAL_RESUME_NEXT;
    case HAL_EXIT_UNKNOWN:
    default:
        note(of, exit, "undefined instruction");
        return HAL_INJECT_UNDEF;
    }
}

/* Switching may itself give this CPU a reason to choose again, and other CPUs do. That comes as an interrupt,
 * so that a stretch with interrupts masked has no more than one switch in it. */
static void choose_once(void)
{
    sched_exit_work();
    if (sched_requested()) {
        percpu_ipi_send(cpu_id(), PERCPU_IPI_RESCHED);
    }
    hal_context_clear_exit_work();
}

void upcall_exit_work(void)
{
    hal_context_clear_exit_work();
    if (sched_requested()) {
        choose_once();
    }
}

void upcall_reschedule(void)
{
    choose_once();
}

void upcall_domain_power(struct hal_domain *domain, enum hal_power_request request, const char *why)
{
    struct vcpu *const me = sched_current();

    const uint32_t code = domain_of(domain)->power_code;

    build_request_stop(domain_of(domain), (code != 0u) ? (enum hal_power_request)(code - 1u) : request, why);
    if ((me != NULL) && (me->domain == domain_of(domain))) {
        sched_power_off(me); /* does not go on either if another vCPU asked first */
    }
}
