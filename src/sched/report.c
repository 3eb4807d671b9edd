/* [impl->req~fault-log~1] */
#include "sched/report.h"

#include "base/log.h"
#include "base/percpu.h"
#include "sched/work.h"

static void tell(const struct domain *domain, const struct domain_fault *fault)
{
    if (fault->cause == 0u) {
        log_line("%s: %s", domain->plan->name, fault->what);
    } else if (fault->vcpu == DOMAIN_FAULT_DMA) {
        log_line("%s: DMA of stream %X at %X refused: %s, event %X", domain->plan->name, fault->virtual,
                 fault->address, fault->what, fault->cause);
    } else {
        log_line("%s: vCPU %u: %s at %X (virtual %X), syndrome %X", domain->plan->name, fault->vcpu,
                 fault->what, fault->address, fault->virtual, fault->cause);
    }
}

static void report_run(struct work *work)
{
    (void)work;
    for (uint32_t i = 0; i < domain_count; i++) {
        for (uint32_t k = 0; k < DOMAIN_FAULTS_KEPT; k++) {
            struct domain_fault *const fault = &domain_table[i]->fault[k];

            if (fault->tell) {
                const struct domain_fault copy = *fault;

                fault->tell = false;
                tell(domain_table[i], &copy);
                work_breathe();
            }
        }
    }
}

static struct work report = { .next = NULL, .run = report_run, .queued = 0u };

void report_fault(struct domain *domain, const struct domain_fault *fault)
{
    if (domain_fault_note(domain, fault)) {
        work_queue(&report, cpu_id());
    }
}
