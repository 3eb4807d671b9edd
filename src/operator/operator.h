/* The operator's prompt on the console, the last target of its input. No domain is needed for it. */
#ifndef OPERATOR_OPERATOR_H
#define OPERATOR_OPERATOR_H

#include "lib/status.h"

/* Boot, once the domains are registered. HV_LIMIT: the console has no place left. */
HV_MUST_CHECK enum hv_status operator_start(void);

#endif
