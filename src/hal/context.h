/* Everything that runs after boot is entered from a frame: a vCPU (guest level) or a CPU's worker and idle
 * loop (hypervisor level, own stack, interrupts unmasked). A trap or interrupt saves the frame of `current`,
 * the handler runs on the CPU's own stack with interrupts masked, and the one way back enters whatever is
 * `current` then. So a handler never blocks, and switching is: save the old, load the new, hal_context_set().
 *
 * Inline in hal_arch/context.h:
 *   void hal_context_set(struct hal_frame *)      what this CPU enters next; a vCPU's frame is the first
 *   member of struct hal_vcpu
 *   void hal_context_request_exit_work(void)      this CPU calls upcall_exit_work() before it enters
 *   anything; masked
 *   void hal_context_clear_exit_work(void)        takes that back; upcall_exit_work() does so itself
 */
#ifndef HAL_CONTEXT_H
#define HAL_CONTEXT_H

#include "hal/types.h"
#include "hal_arch/context.h"

/* A hypervisor-level context: struct hal_context has a struct hal_frame as first member and room for its FP
 * state.
 * entry(arg) starts with interrupts unmasked on stack_top and must not return. */
void hal_context_init(struct hal_context *context, void (*entry)(void *arg), void *arg, void *stack_top);

/* FP/SIMD state of a hypervisor-level context that uses libraries (worker); the idle loop has none. */
void hal_context_save_fp(struct hal_context *context);
void hal_context_load_fp(const struct hal_context *context);

/* From a hypervisor-level context, interrupts unmasked or masked: saves it, runs upcall_reschedule() on the
 * CPU's stack and enters `current`. Returns when this context is entered again. */
void hal_context_yield(void);

#endif
