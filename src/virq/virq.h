/* Lines of emulated devices, and later of physical ones, into a domain. */
#ifndef VIRQ_VIRQ_H
#define VIRQ_VIRQ_H

#include "domain/domain.h"
#include "hal/virq.h"

/* Level of an emulated device's line. */
static inline void virq_set_line(struct domain *domain, uint32_t intid, bool level)
{
    hal_virq_set_line(&domain->hal, intid, level);
}

#endif
