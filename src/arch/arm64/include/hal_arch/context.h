/* What the exception path saves: arm64. Offsets reach the assembly through a64_offsets.c. */
#ifndef HAL_ARCH_CONTEXT_H
#define HAL_ARCH_CONTEXT_H

#include "hal_arch/cpu.h"

struct hal_frame {
    uint64_t x[31];
    uint64_t sp; /* hypervisor-level contexts only; a guest's are system registers */
    uint64_t pc;
    uint64_t pstate;
};

/* q0-q31 and the control registers */
struct hal_fp {
    uint64_t q[64] __attribute__((aligned(16)));
    uint64_t fpcr;
    uint64_t fpsr;
};

struct hal_context {
    struct hal_frame frame;
    struct hal_fp fp;
};

static inline void hal_context_set(struct hal_frame *frame)
{
    a64_cpu()->current = frame;
}

/* Makes this CPU call upcall_exit_work() before it enters anything; that clears the request. Interrupts
 * masked. */
static inline void hal_context_request_exit_work(void)
{
    a64_cpu()->exit_work = 1u;
}

static inline void hal_context_clear_exit_work(void)
{
    a64_cpu()->exit_work = 0u;
}

#endif
