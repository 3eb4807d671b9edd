/* Coroutines on host stacks, with AddressSanitizer told about each switch. */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "fake_private.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define SWITCH_BEGIN(save, bottom, bytes) __sanitizer_start_switch_fiber((save), (bottom), (bytes))
#define SWITCH_END(save, bottom, bytes)   __sanitizer_finish_switch_fiber((save), (bottom), (bytes))
#else
#define SWITCH_BEGIN(save, bottom, bytes) ((void)(save), (void)(bottom), (void)(bytes))
#define SWITCH_END(save, bottom, bytes)   ((void)(save), (void)(bottom), (void)(bytes))
#endif

#define STACK_BYTES (1u << 20u) /* sanitizers make frames large */
#define GUARD_BYTES 4096u

struct fake_fiber {
    ucontext_t context;
    uint8_t *stack; /* lowest page is a guard */
    void (*fn)(void *arg);
    void *arg;
    void *asan_save;
    bool irq_open; /* part of what a context is */
};

static struct fake_fiber *running;
static ucontext_t outside;
static int stop_why;
static const void *outside_bottom;
static size_t outside_bytes;

static void fiber_main(void)
{
    SWITCH_END(NULL, &outside_bottom, &outside_bytes);
    running->fn(running->arg);
    fake_die("a coroutine's function returned");
}

struct fake_fiber *fake_fiber_new(void (*fn)(void *arg), void *arg)
{
    struct fake_fiber *const fiber = calloc(1, sizeof(*fiber));

    if (fiber == NULL) {
        fake_die("no memory for a coroutine");
    }
    fiber->stack =
        mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if ((fiber->stack == MAP_FAILED) || (mprotect(fiber->stack, GUARD_BYTES, PROT_NONE) != 0)) {
        fake_die("no stack for a coroutine");
    }
    fiber->fn = fn;
    fiber->arg = arg;
    (void)getcontext(&fiber->context);
    fiber->context.uc_stack.ss_sp = fiber->stack;
    fiber->context.uc_stack.ss_size = STACK_BYTES;
    fiber->context.uc_link = NULL;
    makecontext(&fiber->context, fiber_main, 0);
    return fiber;
}

void fake_fiber_free(struct fake_fiber *fiber)
{
    if (fiber != NULL) {
        (void)munmap(fiber->stack, STACK_BYTES);
        free(fiber);
    }
}

int fake_fiber_resume(struct fake_fiber *fiber)
{
    void *save = NULL;

    if (running != NULL) {
        fake_die("a coroutine was resumed from inside another");
    }
    running = fiber;
    fake_cpu_self()->irq_open = fiber->irq_open;
    SWITCH_BEGIN(&save, fiber->stack, STACK_BYTES);
    (void)swapcontext(&outside, &fiber->context);
    SWITCH_END(save, NULL, NULL);
    fiber->irq_open = fake_cpu_self()->irq_open;
    fake_cpu_self()->irq_open = false;
    running = NULL;
    return stop_why;
}

void fake_fiber_stop(int why)
{
    struct fake_fiber *const self = running;

    stop_why = why;
    SWITCH_BEGIN(&self->asan_save, outside_bottom, outside_bytes);
    (void)swapcontext(&self->context, &outside);
    SWITCH_END(self->asan_save, &outside_bottom, &outside_bytes);
}

struct fake_fiber *fake_fiber_now(void)
{
    return running;
}
