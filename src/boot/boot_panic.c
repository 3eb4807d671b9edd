/* What follows a panic of one CPU, as /chosen's bulkhead,on-panic says. */
/* [impl->req~on-panic~1] */
#include "boot/boot.h"

#include "base/panic.h"
#include "base/percpu.h"
#include "build/build.h"
#include "irq/irq.h"
#include "sched/sched.h"
#include "sched/work.h"

static struct work successor;
static cpuid_t parked = HV_CPUS_MAX;
static struct domain *stuck; /* had its vCPU there */

/* vCPUs that may run on no CPU that is left */
static void name_orphans(const struct domain *domain)
{
    for (uint32_t i = 0; (domain->state == DOMAIN_RUNNING) && (i < domain->nr_vcpus); i++) {
        if ((domain->vcpu[i]->affinity & percpu_online()) == 0u) {
            log_line("%s: vCPU %u may run on CPU %u only and stops", domain->plan->name, i, parked);
        }
    }
}

/* On another CPU: takes over what the parked one did for all. */
static void succeed(struct work *work)
{
    (void)work;
    irq_adopt(parked);
    timer_adopt(parked);
    if (stuck != NULL) {
        build_request_stop(stuck, HAL_DOMAIN_CRASH, "the hypervisor failed on its CPU");
    }
    for (uint32_t i = 0; i < domain_count; i++) {
        name_orphans(domain_table[i]);
    }
}

static const char *park(void)
{
    const struct vcpu *const vcpu = sched_current();
    const char *why = "another one was parked before";

    if (parked == HV_CPUS_MAX) {
        why = sched_leave();
    }
    if (why == NULL) {
        parked = cpu_id();
        stuck = (vcpu != NULL) ? vcpu->domain : NULL;
        work_setup(&successor, succeed);
        work_queue(&successor, WORK_ANY_CPU);
    }
    return why;
}

void boot_panic_policy(bool booted)
{
    const enum plan_panic choice = boot_state.plan.on_panic;

    panic_set_policy(choice == PLAN_PANIC_REBOOT, (booted && (choice == PLAN_PANIC_PARK)) ? park : NULL);
}
