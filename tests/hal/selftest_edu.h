/* A device that does DMA, for the self-test image. */
#ifndef SELFTEST_EDU_H
#define SELFTEST_EDU_H

#include <stdbool.h>

/* Sets suite_machine.copy and .stream if there is one. */
bool selftest_edu_find(void);

#endif
