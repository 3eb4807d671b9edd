/* The storm: every vCPU sleeps between ticks of its own timer and interrupts from its neighbour, and nothing
 * else happens in this domain. What is lost shows in how many ticks of the others go by until it is made
 * good: of a tick, from its deadline to its handler; of a call to the neighbour, from the sending to its
 * handler. Time would not do: on a loaded host all stand still together. For five seconds, and until every
 * vCPU has done its share, but no more than thirty; then the worst of both, and off.
 *
 * The timer is used as an operating system does: the handler sets the next deadline, or none at all for a
 * while and the neighbour's call starts it again. */
#include "guest.h"

#define SGI          3u
#define SECONDS      5u
#define SECONDS_MOST 30u
#define TICKS_LEAST  60u
#define CALLS_LEAST  30u

struct cpu_state {
    volatile uint64_t deadline; /* 0: the timer is stopped */
    volatile uint64_t ticks;
    volatile uint64_t calls;
    volatile bool called;
    uint64_t tick_mark;          /* ticks of the others when the deadline was set */
    volatile uint64_t call_mark; /* ... when it was called */
    volatile uint64_t worst_tick;
    volatile uint64_t worst_call;
};

static struct cpu_state states[GUEST_CPUS_MAX];
static uint32_t nr_cpus;
static volatile uint32_t alive;
static volatile bool over;
static uint64_t period;

static void note(volatile uint64_t *worst, uint64_t late)
{
    if (late > *worst) {
        *worst = late;
    }
}

static uint64_t others(uint32_t cpu)
{
    uint64_t ticks = 0u;

    for (uint32_t n = 0u; n < nr_cpus; n++) {
        ticks += (n == cpu) ? 0u : states[n].ticks;
    }
    return ticks;
}

static void next_tick(struct cpu_state *me, uint64_t now)
{
    me->tick_mark = others(cpu_number());
    me->deadline = now + period;
    timer_virt_set(me->deadline);
}

static void call_next(void)
{
    const uint32_t next = (cpu_number() + 1u) % nr_cpus;

    if (!states[next].called) {
        states[next].call_mark = others(next);
        states[next].called = true;
        irq_send(SGI, next);
    }
}

static void tick(uint32_t intid)
{
    struct cpu_state *const me = &states[cpu_number()];
    const uint64_t now = timer_now();

    (void)intid;
    if ((me->deadline != 0u) && (now >= me->deadline)) {
        note(&me->worst_tick, others(cpu_number()) - me->tick_mark);
        me->ticks++;
        if ((me->ticks % 16u) == 0u) {
            me->deadline = 0u;
            timer_virt_stop();
        } else {
            next_tick(me, now);
        }
        call_next();
    }
}

static void call(uint32_t intid)
{
    struct cpu_state *const me = &states[cpu_number()];

    (void)intid;
    me->calls++;
    if (me->called) {
        note(&me->worst_call, others(cpu_number()) - me->call_mark);
        me->called = false;
    }
    if (me->deadline == 0u) {
        next_tick(me, timer_now());
    }
}

static bool is_over(void)
{
    const uint64_t seconds = timer_now() / timer_frequency();
    bool all = true;

    for (uint32_t cpu = 0u; cpu < nr_cpus; cpu++) {
        all = all && (states[cpu].ticks >= TICKS_LEAST) && (states[cpu].calls >= CALLS_LEAST);
    }
    return (seconds > SECONDS_MOST) || ((seconds > SECONDS) && all);
}

static void run(void)
{
    struct cpu_state *const me = &states[cpu_number()];

    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, tick);
    irq_enable(SGI, IRQ_PRIORITY_LOW, call);
    alive++;
    while (alive < nr_cpus) {
        /* all begin together */
    }
    next_tick(me, timer_now());
    while (!over) {
        arch_irq_mask();
        if (!over) {
            arch_wait();
        }
        arch_irq_open();
        if ((cpu_number() == 0u) && is_over()) {
            over = true;
        }
    }
    arch_irq_mask();
    timer_virt_stop();
}

/* What is still waited for at the end counts as well. */
static void still_waiting(uint32_t cpu)
{
    struct cpu_state *const state = &states[cpu];

    if (state->called) {
        note(&state->worst_call, others(cpu) - state->call_mark);
    }
    if (state->deadline != 0u) {
        note(&state->worst_tick, others(cpu) - state->tick_mark);
    }
}

void guest_main(void)
{
    uint64_t worst_tick = 0u;
    uint64_t worst_call = 0u;

    while ((nr_cpus < GUEST_CPUS_MAX) && (cpu_hwid(nr_cpus) != UINT64_MAX)) {
        nr_cpus++;
    }
    period = timer_frequency() / 1000u;
    print("STORM %s begins, GICv%u, %u vCPUs\n", tree_domain_name(), irq_version(), nr_cpus);
    for (uint32_t cpu = 1u; cpu < nr_cpus; cpu++) {
        const uint32_t before = alive;

        (void)cpu_on(cpu, run);
        while (alive == before) {
            /* one after the other: the counter is not atomic */
        }
    }
    run();
    for (uint32_t cpu = 0u; cpu < nr_cpus; cpu++) {
        still_waiting(cpu);
        print("STORM vCPU %u: %U ticks, %U calls, worst tick after %U, worst call after %U\n", cpu,
              states[cpu].ticks, states[cpu].calls, states[cpu].worst_tick, states[cpu].worst_call);
        worst_tick = (states[cpu].worst_tick > worst_tick) ? states[cpu].worst_tick : worst_tick;
        worst_call = (states[cpu].worst_call > worst_call) ? states[cpu].worst_call : worst_call;
    }
    print("STORM-END tick=%U call=%U\n", worst_tick, worst_call);
}
