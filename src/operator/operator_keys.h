/* Questions of one letter, answered in the log: what tools of a control domain send as debug keys. */
#ifndef OPERATOR_KEYS_H
#define OPERATOR_KEYS_H

#include "hal/types.h"

#define OPERATOR_KEYS_MAX 16u

/* Answers them one after the other, as work; nr <= OPERATOR_KEYS_MAX. False: earlier ones are not answered
 * yet. */
HV_MUST_CHECK bool operator_keys(const char *keys, uint32_t nr);

#endif
