/* Frames. A hypervisor-level context is a coroutine on a host stack of its own; a vCPU's frame is never
 * executed: that a CPU is "in the guest" means that the test plays the guest. */
#ifndef HAL_ARCH_CONTEXT_H
#define HAL_ARCH_CONTEXT_H

#include "hal_arch/cpu.h"

#define FAKE_FRAME_REGS 8u

enum fake_frame_kind { FAKE_FRAME_NONE, FAKE_FRAME_CONTEXT, FAKE_FRAME_VCPU };

struct hal_frame {
    enum fake_frame_kind kind;
    uint64_t pc;
    uint64_t reg[FAKE_FRAME_REGS];
};

struct fake_fiber;

struct hal_context {
    struct hal_frame frame; /* first */
    void (*entry)(void *arg);
    void *arg;
    struct fake_fiber *fiber;
    uint32_t fp_saved; /* calls of hal_context_save_fp() and hal_context_load_fp() */
    uint32_t fp_loaded;
};

static inline void hal_context_set(struct hal_frame *frame)
{
    fake_cpu_self()->current = frame;
}

static inline void hal_context_request_exit_work(void)
{
    fake_cpu_self()->exit_work = true;
}

static inline void hal_context_clear_exit_work(void)
{
    fake_cpu_self()->exit_work = false;
}

#endif
