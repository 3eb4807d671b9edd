/* CPUs that run by themselves, one coroutine at a time: see fake.h. [impl->dsn~simulated-port~1] */
#include <sched.h>
#include <setjmp.h>
#include <stdlib.h>

#include "base/percpu.h"
#include "fake_private.h"
#include "hal/upcall.h"

#define STEPS_MAX  1000000u
#define ROUNDS_MAX 400000u /* the product's longest wait looks at a device 100,000 times */

/* Why a coroutine stopped; above STOP_LEAVE: plus an enum fake_end */
enum { STOP_YIELD, STOP_PREEMPT, STOP_SLEEP, STOP_TURN, STOP_LEAVE };

struct sim_cpu {
    bool known;
    enum fake_state state;
    struct percpu *area;
    void (*boot_fn)(void *arg);
    void *boot_arg;
    struct fake_fiber *inside;   /* code that stopped half-way: boot, or a context that sleeps or polls */
    struct hal_context *context; /* whose code that is; NULL = boot */
};

struct sim_fiber {
    struct sim_fiber *next;
    struct fake_fiber *fiber;
};

static struct sim_cpu sim[HV_CPUS_MAX];
static struct sim_fiber *fibers;
static bool park_allowed;
static jmp_buf *leave_to; /* where code on no coroutine goes when it leaves for good */

bool fake_sim_knows(cpuid_t cpu)
{
    return sim[cpu].known;
}

void fake_park_allow(bool allowed)
{
    park_allowed = allowed;
}

static struct fake_fiber *fiber_make(void (*fn)(void *arg), void *arg)
{
    struct sim_fiber *const entry = malloc(sizeof(*entry));

    if (entry == NULL) {
        fake_die("no memory");
    }
    entry->fiber = fake_fiber_new(fn, arg);
    entry->next = fibers;
    fibers = entry;
    return entry->fiber;
}

void fake_sim_reset(void)
{
    for (cpuid_t cpu = 0u; cpu < HV_CPUS_MAX; cpu++) {
        sim[cpu] = (struct sim_cpu){ .state = FAKE_STATE_OFF };
    }
    while (fibers != NULL) {
        struct sim_fiber *const entry = fibers;

        fibers = entry->next;
        fake_fiber_free(entry->fiber);
        free(entry);
    }
    park_allowed = false;
}

/* -- From inside: ways to stop -- */

static struct sim_cpu *sim_now(void)
{
    struct sim_cpu *found = NULL;

    for (cpuid_t cpu = 0u; (fake_fiber_now() != NULL) && (found == NULL) && (cpu < HV_CPUS_MAX); cpu++) {
        if (sim[cpu].inside == fake_fiber_now()) {
            found = &sim[cpu];
        }
    }
    return found;
}

static cpuid_t sim_id(const struct sim_cpu *s)
{
    return (cpuid_t)(s - sim);
}

void fake_leave(enum fake_end why)
{
    if (fake_fiber_now() != NULL) {
        for (;;) {
            fake_fiber_stop(STOP_LEAVE + (int)why);
        }
    }
    if (leave_to != NULL) {
        longjmp(*leave_to, 1 + (int)why);
    }
}

enum fake_end fake_call(void (*fn)(void *arg), void *arg)
{
    jmp_buf here;
    jmp_buf *const before = leave_to;
    const int why = setjmp(here);

    if (why == 0) {
        leave_to = &here;
        fn(arg);
    }
    leave_to = before;
    return (why == 0) ? FAKE_END_RETURN : (enum fake_end)(why - 1);
}

bool fake_sim_yield(void)
{
    struct sim_cpu *const s = sim_now();

    if ((s != NULL) && (s->context == NULL)) {
        fake_die("CPU %u: hal_context_yield() outside a context", sim_id(s));
    }
    if (s != NULL) {
        fake_fiber_stop(STOP_YIELD);
    }
    return s != NULL;
}

/* Interrupts are open: what waits is taken as if it came just now, and may put another frame in front.
 * Contexts only: boot code has no frame to come back to. */
void fake_cpu_irq_point(void)
{
    struct sim_cpu *const s = sim_now();

    if ((s == NULL) || (s->context == NULL)) {
        return;
    }
    for (uint32_t i = 0u; fake_irq_waiting(sim_id(s)); i++) {
        struct hal_cpu *const self = fake_cpu_self();

        if (i > STEPS_MAX) {
            fake_die("CPU %u: interrupts without end", sim_id(s));
        }
        self->irq_open = false;
        fake_irq_take(sim_id(s));
        fake_exit_work();
        self->irq_open = true;
        if (self->current != &s->context->frame) {
            fake_fiber_stop(STOP_PREEMPT);
        }
    }
}

void fake_cpu_turn(void)
{
    if (sim_now() != NULL) {
        fake_fiber_stop(STOP_TURN);
        if (!hal_cpu_irq_masked()) {
            fake_cpu_irq_point();
        }
    } else {
        (void)sched_yield();
    }
}

void fake_cpu_sleep(void)
{
    const struct sim_cpu *const s = sim_now();

    while ((s != NULL) && !fake_irq_waiting(sim_id(s))) {
        fake_fiber_stop(STOP_SLEEP);
    }
    if (!hal_cpu_irq_masked()) {
        fake_cpu_irq_point();
    }
}

/* -- Contexts -- */

static void context_main(void *arg)
{
    struct hal_context *const context = arg;

    hal_cpu_irq_unmask();
    context->entry(context->arg);
    fake_die("a context's entry returned");
}

void hal_context_init(struct hal_context *context, void (*entry)(void *arg), void *arg, void *stack_top)
{
    (void)stack_top; /* the host's stack frames are too large for it */
    *context = (struct hal_context){ .frame = { .kind = FAKE_FRAME_CONTEXT }, .entry = entry, .arg = arg };
}

void hal_context_save_fp(struct hal_context *context)
{
    context->fp_saved++;
}

void hal_context_load_fp(const struct hal_context *context)
{
    ((struct hal_context *)(uintptr_t)context)->fp_loaded++;
}

void hal_context_yield(void)
{
    if (!fake_sim_yield()) {
        upcall_reschedule();
    }
}

/* -- From outside: a CPU runs -- */

static void boot_main(void *arg)
{
    const struct sim_cpu *const s = arg;

    s->boot_fn(s->boot_arg);
    fake_leave(FAKE_END_RETURN);
}

void fake_cpu_boot(cpuid_t cpu, void (*fn)(void *arg), void *arg)
{
    struct sim_cpu *const s = &sim[cpu];

    if (s->known) {
        fake_die("CPU %u is booted already", cpu);
    }
    percpu_area[cpu].id = cpu;
    *s = (struct sim_cpu){ .known = true, .state = FAKE_STATE_TURN, .area = &percpu_area[cpu] };
    s->boot_fn = fn;
    s->boot_arg = arg;
    s->inside = fiber_make(boot_main, s);
}

/* What follows from the reason why the code on this CPU stopped; true: the CPU goes on. */
static bool stopped(struct sim_cpu *s, int why)
{
    bool more = true;

    switch (why) {
    case STOP_YIELD:
        s->inside = NULL;
        upcall_reschedule();
        break;
    case STOP_PREEMPT:
    case STOP_LEAVE + (int)FAKE_END_RUN:
    case STOP_LEAVE + (int)FAKE_END_RETURN:
        s->inside = NULL;
        break;
    case STOP_SLEEP:
        s->state = FAKE_STATE_SLEEP;
        more = false;
        break;
    case STOP_TURN:
        s->state = FAKE_STATE_TURN;
        more = false;
        break;
    default:
        if ((why == (STOP_LEAVE + (int)FAKE_END_PARK)) && !park_allowed &&
            (fake_power_state() == FAKE_POWER_ON)) {
            fake_die("CPU %u parks", sim_id(s));
        }
        s->inside = NULL;
        s->state = FAKE_STATE_PARKED;
        more = false;
        break;
    }
    return more;
}

static struct hal_frame *frame_of(const struct sim_cpu *s)
{
    return s->area->hal.current;
}

static bool in_guest(const struct sim_cpu *s)
{
    const struct hal_frame *const frame = frame_of(s);

    return (s->inside == NULL) && (frame != NULL) && (frame->kind == FAKE_FRAME_VCPU);
}

static bool at_rest(const struct sim_cpu *s)
{
    const bool waiting = fake_irq_waiting(sim_id(s));
    bool rest = s->state == FAKE_STATE_PARKED;

    if (!rest && (s->inside != NULL)) {
        rest = (s->state == FAKE_STATE_SLEEP) && !waiting;
    } else if (!rest) {
        rest = !s->area->hal.exit_work && ((frame_of(s) == NULL) || (in_guest(s) && !waiting));
    } else {
        /* parked */
    }
    return rest;
}

static void context_enter(struct sim_cpu *s)
{
    struct hal_context *const context = (struct hal_context *)(void *)frame_of(s);

    if (context->fiber == NULL) {
        context->fiber = fiber_make(context_main, context);
    }
    s->inside = context->fiber;
    s->context = context;
}

static void step(void *arg)
{
    struct sim_cpu *const s = arg;
    bool more = true;

    for (uint32_t i = 0u; more && !at_rest(s); i++) {
        if (i > STEPS_MAX) {
            fake_die("CPU %u switches for ever", sim_id(s));
        }
        if ((s->inside == NULL) && s->area->hal.exit_work) {
            fake_exit_work();
        } else if (in_guest(s)) {
            fake_irq_take(sim_id(s));
            fake_exit_work();
        } else {
            if (s->inside == NULL) {
                context_enter(s);
            }
            const int why = fake_fiber_resume(s->inside);
            s->area = (fake_cpu_area != NULL) ? fake_cpu_area : s->area;
            more = stopped(s, why);
        }
    }
}

enum fake_state fake_cpu_state(cpuid_t cpu)
{
    const struct sim_cpu *const s = &sim[cpu];
    enum fake_state state = s->state;

    if (s->known && (state != FAKE_STATE_PARKED) && (s->inside == NULL)) {
        state = in_guest(s) ? FAKE_STATE_GUEST : FAKE_STATE_DONE;
    }
    return state;
}

enum fake_state fake_cpu_go(cpuid_t cpu)
{
    struct sim_cpu *const s = &sim[cpu];
    struct percpu *const before = fake_cpu_area;

    if (!s->known || (fake_fiber_now() != NULL)) {
        fake_die("CPU %u cannot go", cpu);
    }
    fake_cpu_area = s->area;
    const enum fake_end end = fake_call(step, s);
    if (end != FAKE_END_RETURN) {
        (void)stopped(s, STOP_LEAVE + (int)end);
    }
    fake_cpu_area = before;
    return fake_cpu_state(cpu);
}

void fake_run(void)
{
    bool busy = true;

    for (uint32_t round = 0u; busy; round++) {
        busy = false;
        for (cpuid_t cpu = 0u; cpu < HV_CPUS_MAX; cpu++) {
            if (sim[cpu].known && !at_rest(&sim[cpu])) {
                busy = true;
                (void)fake_cpu_go(cpu);
                if ((round > ROUNDS_MAX) && (fake_cpu_state(cpu) == FAKE_STATE_TURN)) {
                    fake_die("CPU %u polls for ever", cpu);
                }
            }
        }
    }
}

struct hal_vcpu *fake_cpu_guest(cpuid_t cpu)
{
    const struct sim_cpu *const s = &sim[cpu];

    return (s->known && (s->state != FAKE_STATE_PARKED) && in_guest(s))
               ? (struct hal_vcpu *)(void *)frame_of(s)
               : NULL;
}
