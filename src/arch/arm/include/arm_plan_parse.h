/* What the plan folders of the Arm ports share: arch/arm/plan does it for them. */
#ifndef ARCH_ARM_PLAN_PARSE_H
#define ARCH_ARM_PLAN_PARSE_H

#include "arm_plan.h"

struct dt_index; /* config/dtindex.h */
struct dt_irq;
struct config_report; /* config/config.h */

/* Interrupt controller, timer, PSCI and the boot CPU's name. cpu_on: the function id that PSCI 0.2 gives
 * this port. */
void arm_plan_parse(const struct dt_index *ix, struct config_report *report, struct arm_plan_host *arm,
                    uint32_t cpu_on);
void arm_plan_parse_gic(const struct dt_index *ix, struct config_report *report, struct arm_plan_host *arm);
void arm_plan_parse_smmu(const struct dt_index *ix, struct config_report *report, struct arm_plan_host *arm);

/* Whether any registers of the interrupt controller, of the IOMMUs are in the range. */
bool arm_plan_is_gic(const struct arm_plan_host *arm, uint64_t base, uint64_t bytes);
bool arm_plan_is_smmu(const struct arm_plan_host *arm, uint64_t base, uint64_t bytes);

/* The INTID of a GIC's three (or four) interrupt cells. False if they are no SPI or PPI of a GIC. */
bool arm_plan_intid(const struct dt_index *ix, const struct dt_irq *irq, uint32_t *intid, bool *edge);
/* the same for interrupt i of a node, which must be a PPI */
bool arm_plan_ppi(const struct dt_index *ix, uint32_t node, uint32_t i, uint32_t *intid);
/* The first node that is switched on and compatible with it; DT_NONE if there is none. */
uint32_t arm_plan_node(const struct dt_index *ix, const char *compatible);

#endif
