#ifndef TESTS_PLAN_CHECK_H
#define TESTS_PLAN_CHECK_H

#include "config/config.h"

void plan_check(const struct plan *plan, const struct config_env *env);
void sentence_check(const char *sentence);

#endif
