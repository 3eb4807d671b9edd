/* What the exception path saves: AArch32. Offsets reach the assembly through a32_offsets.c. */
#ifndef HAL_ARCH_CONTEXT_H
#define HAL_ARCH_CONTEXT_H

#include "hal_arch/cpu.h"

/* r8 to r12 and lr are those of User mode, which HYP mode shares; a guest's other ones are banked. */
struct hal_frame {
    uint32_t r[13];
    uint32_t lr;
    uint32_t pc;
    uint32_t cpsr;
    uint32_t sp; /* SP_hyp on entry: of a guest, where the next push saves its registers, the end of lr */
};

/* The hypervisor and its libraries use no FP registers. */
struct hal_context {
    struct hal_frame frame;
};

static inline void hal_context_set(struct hal_frame *frame)
{
    a32_cpu()->current = frame;
}

/* Makes this CPU call upcall_exit_work() before it enters anything; that clears the request. Interrupts
 * masked. */
static inline void hal_context_request_exit_work(void)
{
    a32_cpu()->exit_work = 1u;
}

static inline void hal_context_clear_exit_work(void)
{
    a32_cpu()->exit_work = 0u;
}

#endif
