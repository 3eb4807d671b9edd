/* Faults of domains reach the log as work: a line takes thousands of instructions, and who meets a fault has
 * interrupts masked. */
#ifndef SCHED_REPORT_H
#define SCHED_REPORT_H

#include "domain/domain.h"

/* Notes it in the domain's fault log; if it is worth a line of the hypervisor's log that follows soon. Any
 * context. */
void report_fault(struct domain *domain, const struct domain_fault *fault);

#endif
