/* The operator's commands. */
#ifndef OPERATOR_COMMAND_H
#define OPERATOR_COMMAND_H

#include "base/console.h"

/* Carries out one line, whose blanks it overwrites; what there is to say goes to `out`. Worker context;
 * bounded. */
void operator_command_run(struct console *out, char *line);

#endif
